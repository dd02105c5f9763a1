import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from edittool.cli.main import COMMANDS, MODULES, cli, main
from edittool.cli.shared.exit_codes import BAD_INPUT, ENVIRONMENT, UNJUDGED, exit_code
from edittool.schemas.bench import write_bench
from edittool.schemas.errors import EdittoolError, EnvironmentFault, InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.problems import Problem, Test

from .command import COMMAND, start


def leaves(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield the commands below `command` that do something, each with its context."""
    if not isinstance(command, click.Group):
        yield command, context
        return
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from leaves(child, click.Context(child, parent=context, info_name=name))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name):
    root = click.Context(cli, info_name="edittool")
    command = cli.get_command(root, name)
    assert command is not None
    for leaf, context in leaves(command, click.Context(command, parent=root, info_name=name)):
        assert leaf.help, f"{context.command_path} has no help"
        examples = [line for line in leaf.help.splitlines() if line.strip().startswith(context.command_path)]
        assert examples, f"the help of {context.command_path} has no example: a line that starts with the command"
        assert "\b" not in leaf.get_help(context)


def find_examples(text: str | None) -> list[list[str]]:
    """Return the arguments of each example in the help of a command, without what is the shell's."""
    lines = re.findall(r"^\s*(?:\w+=\S+ )?edittool ((?! )[^<>\n]*)", text or "", re.MULTILINE)
    return [shlex.split(re.split(r"\s{2,}", line)[0]) for line in lines]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_example_in_a_help_can_be_parsed(name):
    root = click.Context(cli, info_name="edittool")
    top = cli.get_command(root, name) if name else cli
    assert top is not None
    helps = [top.help, *(leaf.help for leaf, _ in leaves(top, click.Context(top, parent=root, info_name=name)))]
    examples = [example for text in helps for example in find_examples(text)]
    assert examples
    for arguments in examples:
        command, context = cli, root
        while isinstance(command, click.Group):
            _, command, arguments = command.resolve_command(context, arguments)
            context = click.Context(command, parent=context, info_name=command.name)
        command.make_context(command.name, list(arguments))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name):
    root = click.Context(cli, info_name="edittool")
    for leaf, context in leaves(cli.get_command(root, name), click.Context(cli, parent=root, info_name=name)):
        silent = [p.name for p in leaf.params if isinstance(p, click.Option) and not p.hidden and not p.help]
        assert silent == [], context.command_path


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    code = "from edittool.cli.main import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.split())


def test_help_imports_no_command_and_no_torch():
    modules = modules_after("from edittool.cli.main import cli; cli.main(['--help'], standalone_mode=False)")
    assert "edittool.cli.main" in modules
    assert not modules & {
        "torch",
        "numpy",
        "transformers",
        *(f"edittool.cli.{MODULES.get(name, name)}" for name in COMMANDS),
    }


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_needs_no_torch(name):
    modules = modules_after(f"import edittool.cli.{MODULES.get(name, name)}")
    assert not modules & {"torch", "transformers"}


def test_help_lists_every_command():
    text = run("--help").stdout
    for name, summary in COMMANDS.items():
        assert f"  {name} " in text
        assert summary.split()[0] in text


class TestExitCodes:
    @pytest.mark.parametrize(
        ("error", "code"),
        [(InputError(""), BAD_INPUT), (EnvironmentFault(""), ENVIRONMENT), (EdittoolError(""), UNJUDGED)],
    )
    def test_every_error_has_one(self, error, code):
        assert exit_code(error) == code

    def test_are_those_that_are_documented(self):
        assert (UNJUDGED, BAD_INPUT, ENVIRONMENT) == (1, 2, 3)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    problem = Problem("T/0", "", "f", "def f(x): ...\n", (Test("", "f(0)"),), "specificity", None)
    write_bench(tmp_path / "bench", "small", [problem], [])
    return tmp_path / "bench"


class TestErrors:
    def call(self, capsys, monkeypatch, *arguments: object) -> tuple[int, str]:
        """Run edittool; return its exit code and what it said on stderr."""
        monkeypatch.setattr("sys.argv", ["edittool", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr().err
        assert "Traceback" not in said
        return done.value.code, said

    def test_an_unknown_command(self, capsys, monkeypatch):
        code, said = self.call(capsys, monkeypatch, "jugde")
        assert code == 2
        assert "No such command 'jugde'" in said

    def test_an_unknown_option(self, capsys, monkeypatch):
        assert self.call(capsys, monkeypatch, "report", "--colour")[0] == 2

    def test_bad_input_names_the_file(self, capsys, monkeypatch, bench, tmp_path):
        code, said = self.call(capsys, monkeypatch, "report", bench, tmp_path / "none.jsonl")
        assert code == 2
        assert said.startswith(f"error: {tmp_path / 'none.jsonl'} does not exist. Check the path.")

    def test_no_benchmark(self, capsys, monkeypatch, tmp_path):
        code, said = self.call(capsys, monkeypatch, "report", tmp_path, tmp_path / "v.jsonl")
        assert code == 2
        assert "is not a benchmark" in said

    def test_text_of_the_user_is_shown_harmless(self, capsys, monkeypatch, bench):
        code, said = self.call(capsys, monkeypatch, "report", bench, "[red]\x1b[31mx\udcff.jsonl")
        assert code == 2
        assert said.startswith("error: [red]\\x1b[31mx\\xdcff.jsonl does not exist")

    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_a_fault_of_the_environment(self, bench, tmp_path, options):
        row = '{"sample_id": "a", "task_id": "T/0", "compiles": true, "tests_passed": 1, "tests_total": 1, '
        (tmp_path / "v.jsonl").write_text(row + '"outcome": "passed", "label": null}\n')
        code = "from edittool.cli.main import main; main()"
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-c", code, "report", bench, tmp_path / "v.jsonl", *options]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 3
        assert done.stderr.startswith("error: The report cannot be written: No space left on device")
        assert "Traceback" not in done.stderr

    def test_success(self, capsys, monkeypatch):
        assert self.call(capsys, monkeypatch, "--version") == (0, "")


def test_ctrl_c_ends_with_130_and_without_traceback(bench, tmp_path):
    fifo = tmp_path / "verdicts.jsonl"
    os.mkfifo(fifo)
    code = "from edittool.cli.main import main; main()"
    command = [sys.executable, "-c", code, "report", bench, fifo]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with process, fifo.open("wb"):  # opened when the report has begun to read
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.strip().startswith("interrupted")
    assert "Traceback" not in said


class TestAReaderThatLeaves:
    """`edittool ... | head -1`: what was asked for is not less well done for that."""

    LONG = f"x = 1  # {'.' * 100}\n" * 5_000  # several times what a pipe holds

    @pytest.fixture
    def verdicts(self, tmp_path):
        """Return a file of verdicts of which everything can be made long: blocks of a report, and a program."""
        facts = {"compiles": True, "tests_passed": 1, "tests_total": 1, "outcome": "passed", "label": None}
        rows = [{"sample_id": f"{n}", "task_id": "T/0", "model": f"m{n}"} | facts for n in range(300)]
        rows.append({"sample_id": "long", "task_id": "T/0", "solution": self.LONG} | facts)
        write_rows(tmp_path / "verdicts.jsonl", rows)
        return tmp_path / "verdicts.jsonl"

    @pytest.fixture
    def long_bench(self, tmp_path):
        problem = Problem("T/0", "", "f", f"{self.LONG}f = 1\n", (Test("", "f(0)"),), "specificity", None)
        write_bench(tmp_path / "long", "long", [problem], [])
        return tmp_path / "long"

    @pytest.mark.parametrize(
        "arguments",
        [
            ("explain", "BENCH", "VERDICTS", "--sample", "long"),
            ("explain", "BENCH", "VERDICTS", "--sample", "long", "--json"),
            ("report", "BENCH", "VERDICTS"),
            ("report", "BENCH", "VERDICTS", "--json"),
            ("bench", "show", "LONG", "--task", "T/0"),
            ("bench", "show", "LONG", "--task", "T/0", "--json"),
        ],
        ids=" ".join,
    )
    def test_ends_a_command_well(self, bench, long_bench, verdicts, arguments):
        files = {"BENCH": bench, "LONG": long_bench, "VERDICTS": verdicts}
        with start(*(files.get(one, one) for one in arguments), PYTHONUNBUFFERED="") as process:  # every byte is tried
            assert process.stdout is not None
            assert process.stdout.readline()
            process.stdout.close()
            said = process.stderr.read()
        assert process.returncode == 0, said
        assert said == ""

    def test_does_not_hide_how_a_command_ended(self):
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as closed:
            environment = os.environ | {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
            done = subprocess.run([*COMMAND, "doctor"], stdout=closed, stderr=subprocess.PIPE, env=environment)
        assert (done.returncode, done.stderr) == (ENVIRONMENT, b"")

    def test_of_the_talk_misses_no_result(self, bench, verdicts):
        with verdicts.open("a") as torn:
            torn.write('{"sample_id": ')
        command = [*COMMAND, "report", bench, verdicts]
        whole = subprocess.run(command, capture_output=True, check=True)
        assert b"note: " in whole.stderr
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as closed:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=closed)
        assert (done.returncode, done.stdout) == (0, whole.stdout)
