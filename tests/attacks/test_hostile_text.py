"""Text of a hostile program reaches no terminal, table or file as anything but text.

Every program of the family `text` is judged, explained, run and reported by the commands that people type. Their
output has no control character but the ends of its own lines, nothing that turns text around or hides it, and no line
that the program made up; the files are ASCII JSON that the published schemas hold for, of bounded size.
"""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edittool.cli.main import main
from edittool.schemas.bench import write_bench
from edittool.schemas.jsonl import write_rows
from edittool.schemas.validation import find_fault

from .cases import MEAN, PROBLEM, read_cases

pytestmark = pytest.mark.timeout(600)

TEXTS = [case for case in read_cases() if case.family == "text"]
EACH = pytest.mark.parametrize("number", range(len(TEXTS)), ids=[case.name for case in TEXTS])
# `run` takes a container each time, and shows what `explain` shows: those that it could show in another way are enough.
RUN = """lines_of_a_report exit_message result_shown_by_a_test type_name line_separators carriage_returns cursor markup
    bytes_that_are_no_text bidirectional_message surrogate_in_source control_in_source""".split()
# What a verdict may take beside the sample: 64 KiB of output, each byte of it up to six characters, and short errors.
MAX_VERDICT = 512 * 1024
NAME = "\x1b[2J\x1b]0;owned\x07[bold]m[/bold]\u202e\ud800\n| passed\r=1+1<script>\x00\x9b"
MADE_UP = re.compile(r"\s*(outcome\s+passed|label\s+correct_adoption|tests? (passed\s+6|1: passed))")
OWN_STYLES = re.compile(r"\x1b\[[0-9;]*m")  # colour and weight, on a terminal only


@dataclass(frozen=True)
class Judged:
    bench: Path
    samples: Path
    verdicts: Path
    printed: str


def edittool(*arguments: object) -> tuple[int, str]:
    """Run the command line in this process and return its exit code and all that it printed."""
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        patch.setattr(sys, "argv", ["edittool", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), printed.getvalue()


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, docker_client: object) -> Judged:
    folder = tmp_path_factory.mktemp("text")
    places = folder / "bench", folder / "samples.jsonl", folder / "verdicts.jsonl"
    write_bench(places[0], "texts", [PROBLEM], [MEAN])
    write_rows(places[1], (_sample(number, case.programs[0]) for number, case in enumerate(TEXTS)))
    code, printed = edittool("judge", *places[:2], "-o", places[2], "--samples-per-container", 8, "--cpu-seconds", 1)
    assert code == 0, printed
    return Judged(*places, printed)


def _sample(number: int, program: str) -> dict[str, Any]:
    """Return a sample whose every field that is free to say anything says it."""
    hostile = {"model": NAME, "method": NAME, "regime": NAME, "note": [NAME], NAME: NAME, "outcome": "passed"}
    return {"task_id": PROBLEM.task_id, "sample_index": number, "solution": program, **hostile}


@pytest.fixture(scope="module")
def rows(judged: Judged) -> dict[int, bytes]:
    lines = judged.verdicts.read_bytes().splitlines(keepends=True)
    return {json.loads(line)["sample_index"]: line for line in lines}


def unprintable(text: str) -> set[str]:
    return {c for c in text if c != "\n" and not c.isprintable()}


def made_up(text: str, outcome: str) -> list[str]:
    """Return the lines of `text` that claim a pass where the outcome is another."""
    assert outcome != "passed"
    return [line for line in text.splitlines() if MADE_UP.match(line)]


@EACH
def test_a_verdict_is_one_line_of_ascii_json_that_its_schema_holds_for(number, rows, judged):
    line = rows[number]
    assert line.isascii()
    assert line.endswith(b"}\n")
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", line)
    verdict = json.loads(line)
    assert find_fault(verdict, "verdict") is None
    assert verdict["outcome"] == TEXTS[number].verdict["outcome"]
    assert verdict["carried"] == {"outcome": "passed"}
    assert verdict[NAME] == NAME
    sample = judged.samples.read_bytes().splitlines()[number]
    assert len(line) - len(sample) < MAX_VERDICT


def test_judge_prints_no_more_than_counts(judged):
    assert unprintable(judged.printed) == set()
    assert "owned" not in judged.printed


@EACH
def test_explain_prints_text_only(number, judged, rows):
    code, printed = edittool("explain", judged.bench, judged.verdicts, "--sample", f"{PROBLEM.task_id}:{number}")
    assert code == 0
    assert unprintable(printed) == set()
    assert made_up(printed, json.loads(rows[number])["outcome"]) == []


@EACH
def test_explain_writes_ascii_json(number, judged):
    arguments = ("--sample", f"{PROBLEM.task_id}:{number}", "--json")
    code, printed = edittool("explain", judged.bench, judged.verdicts, *arguments)
    assert code == 0
    assert printed.isascii()
    assert unprintable(printed) == set()
    assert json.loads(printed)["program"] == TEXTS[number].programs[0]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the programs that a file can hold, under names that are hostile as well."""
    folder = tmp_path_factory.mktemp("programs")
    for number, case in enumerate(TEXTS):
        with contextlib.suppress(UnicodeEncodeError):
            (folder / f"{number}\x1b[2J\n\u202e.py").write_bytes(case.programs[0].encode("utf-8"))
    return folder


@pytest.mark.parametrize("name", RUN)
def test_run_prints_text_only(name, judged, programs):
    number = next(number for number, case in enumerate(TEXTS) if case.name == f"text/{name}")
    file = programs / f"{number}\x1b[2J\n\u202e.py"
    options = ("--bench", judged.bench, "--task", PROBLEM.task_id, "--cpu-seconds", 1)
    code, printed = edittool("run", file, *options)
    assert code == (0 if file.exists() else 2), printed
    assert unprintable(printed) == set()
    assert made_up(printed, TEXTS[number].verdict["outcome"]) == []


def test_run_writes_ascii_json(judged, programs):
    number = next(number for number, case in enumerate(TEXTS) if case.name == "text/lines_of_a_report")
    options = ("--bench", judged.bench, "--task", PROBLEM.task_id, "--json")
    _, printed = edittool("run", programs / f"{number}\x1b[2J\n\u202e.py", *options)
    assert printed.isascii()
    assert printed.count("\n") == 1
    assert find_fault(json.loads(printed), "verdict") is None


def test_report_prints_text_only(judged):
    code, printed = edittool("report", judged.bench, judged.verdicts)
    assert code == 0
    assert unprintable(printed) == set()
    assert "[bold]m[/bold]" in printed
    assert not re.search(r"^(\| )?passed", printed, re.MULTILINE)  # wrapped, it stands indented


def test_report_writes_ascii_json(judged):
    code, printed = edittool("report", judged.bench, judged.verdicts, "--json")
    assert code == 0
    assert printed.isascii()
    assert find_fault(json.loads(printed[printed.index("{") :]), "report") is None  # a note goes before it, to stderr


@pytest.mark.parametrize("arguments", [["--sample", f"{PROBLEM.task_id}:{NAME}"], ["--sample", PROBLEM.task_id]])
def test_errors_are_text_only(arguments, judged):
    code, printed = edittool("explain", judged.bench, judged.verdicts, *(part.replace("\0", "") for part in arguments))
    assert code == 2
    assert unprintable(printed) == set()


def commands(judged: Judged) -> Iterator[list[str]]:
    yield ["report", str(judged.bench), str(judged.verdicts)]
    for number in range(len(TEXTS)):
        if TEXTS[number].name in ("text/cursor", "text/wide", "text/type_name", "text/bytes_that_are_no_text"):
            yield ["explain", str(judged.bench), str(judged.verdicts), "--sample", f"{PROBLEM.task_id}:{number}"]


def test_a_terminal_gets_no_command_but_our_own_styles(judged):
    for arguments in commands(judged):
        shown = OWN_STYLES.sub("", _on_a_terminal(arguments).replace("\r\n", "\n"))
        assert unprintable(shown) == set()
        assert "\\x1b" in shown


def _on_a_terminal(arguments: list[str]) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edittool.cli", *arguments]
    kind = "dumb" if arguments[0] == "report" else "xterm"  # a bar that moves takes commands of our own
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": kind}
    ) as child:
        os.close(theirs)
        seen = bytearray()
        with contextlib.suppress(OSError):  # the end of a terminal whose other side is closed
            while chunk := os.read(ours, 65536):
                seen += chunk
        os.close(ours)
        assert child.wait() == 0, seen.decode("utf-8", "replace")
    return seen.decode("utf-8")


def test_a_terminal_that_knows_ascii_only_gets_ascii(judged):
    for arguments in commands(judged):
        command = [sys.executable, "-m", "edittool.cli", *arguments]
        ended = subprocess.run(
            command, capture_output=True, env=os.environ | {"PYTHONIOENCODING": "ascii"}, check=False
        )
        assert ended.returncode == 0, ended.stderr
        assert (ended.stdout + ended.stderr).isascii()
