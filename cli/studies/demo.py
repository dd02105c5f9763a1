"""`edittool demo`: the whole path on this machine, as the commands a user would type."""

import shlex
import time
from importlib.util import find_spec
from pathlib import Path

import click

from ...editing.methods.table import find_method, method_names
from ..main import cli
from ..shared.bench_argument import open_bench
from ..shared.console import plain, results, talk
from ..shared.models import require_torch
from .demo_told import Counts, count, sentences

SAMPLES = 5  # for each problem: enough for pass@5
SPECIFICITY = 3  # problems about other APIs sampled after each edit: all of them would treble the time
FEW = "zip,math.sqrt,str.join,re.sub,math.pi"  # changes that are enough to see what each method does

PLAIN, WORLDS = "unedited.no-change", "unedited.same-worlds"  # the verdicts of the unedited model
ADAPTERS = ("lora", "adalora")  # methods that need the extra `peft`

Step = tuple[str, list[str]]


@click.command
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The folder for samples, verdicts and the report.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the sampling, and of what methods draw.")
@click.option("--full", is_flag=True, help="All changes, in every regime, instead of a few changes.")
def demo(output: Path, seed: int, full: bool) -> None:
    """Go the whole path on this machine: build, edit, sample, judge, report.

    The built-in benchmark, a tiny model that knows its programs by heart, unedited and edited by every method, and
    documentation in the prompt beside them. Every step is an ordinary command, shown before it runs. Interrupted, the
    same command goes on where it stopped.

    \b
    edittool demo
    edittool demo -o /tmp/demo --seed 7
    edittool demo -o demo-full --full
    """
    require_torch("edittool demo")
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    if not find_spec("peft"):
        talk.print(plain(f"without {' and '.join(ADAPTERS)}: they need pip install 'edittool[peft]'", "yellow"))
    for title, arguments in _steps(output, seed, full):
        talk.print(f"\n[bold]{title}[/bold]")
        talk.print(plain(f"$ edittool {shlex.join(arguments)}", style="cyan"), soft_wrap=True)
        cli.main(args=arguments, prog_name="edittool", standalone_mode=False)
    page = output / "report" / "report.html"
    results.print()
    for sentence in _what_happened(output):
        results.print(plain(sentence), soft_wrap=True)
    talk.print(f"\ndone in {time.monotonic() - started:.0f} s; all files are in {output}; open {page}", style="green")


def _what_happened(output: Path) -> list[str]:
    """Say what the verdicts in `output` show, in three sentences."""
    bench = open_bench("builtin")

    def counted(regime: str) -> dict[str, Counts]:
        end = f".{regime}.verdicts.jsonl"
        paths = {method: output / f"{method}{end}" for method in _methods()}
        return {method: count(path, bench) for method, path in paths.items() if path.exists()}

    before, worlds = (count(output / f"{name}.jsonl", bench) for name in (PLAIN, WORLDS))
    return sentences(before, worlds, counted("instant"), counted("sequential"))


def _methods() -> list[str]:
    """Return the names of the methods that are shown: those whose libraries are here."""
    left_out = {"none", *(() if find_spec("peft") else ADAPTERS)}
    return [method for method in method_names() if method not in left_out]


def _steps(output: Path, seed: int, full: bool) -> list[Step]:
    unedited = str(output / "unedited.samples.jsonl")
    plain_world, same_worlds = (str(output / f"{name}.jsonl") for name in (PLAIN, WORLDS))
    sampling = ["--model", "tiny", "-n", str(SAMPLES), "--seed", str(seed)]
    edits = [step for method in _methods() for step in _edits(output, method, sampling, full)]
    judged = [arguments for _, arguments in edits if arguments[0] == "judge"]
    samples, verdicts = [arguments[2] for arguments in judged], [arguments[-1] for arguments in judged]
    worlds = [word for path in samples for word in ("--worlds-of", path)]
    edited = [arguments[3] for _, arguments in edits if arguments[0] == "edit" and "docs" not in arguments]
    journals = [word for path in edited for word in ("--edits", str(Path(path).with_suffix(".edits.jsonl")))]
    return [
        ("The benchmark: problems whose API changes", ["bench", "show", "builtin"]),
        (
            "The unedited model answers every problem",
            ["edit", "builtin", "-o", unedited, "--method", "none", *sampling],
        ),
        (
            "The unedited model with no change active: can it program at all?",
            ["judge", "builtin", unedited, "--world", "none", "-o", plain_world],
        ),
        ("What MEMIT and its kind have to know of the model", ["stats", "tiny", "--method", "memit"]),
        *edits,
        (
            "The unedited model once the old API is gone, in the worlds of the edits",
            ["judge", "builtin", unedited, *worlds, "-o", same_worlds],
        ),
        (
            "Did editing teach the new API?",
            ["report", "builtin", plain_world, same_worlds, *verdicts, *journals, "-o", str(output / "report")],
        ),
    ]


def _edits(output: Path, method: str, sampling: list[str], full: bool) -> list[Step]:
    """Return the steps of one method: edit and judge, in each regime."""
    changes = [] if full else ["--changes", FEW]
    regimes = {"instant": f"{method} teaches one change at a time, and the model answers again"}
    if method == "docs":
        regimes = {"instant": "Documentation in the prompt instead of an edit: the baseline"}
    if full or method == "memit":
        regimes["sequential"] = f"{method} teaches one change on top of the other"
    if full and find_method(method).many:
        regimes["batch"] = f"{method} teaches all changes at once"
    steps: list[Step] = []
    for regime, title in regimes.items():
        samples, verdicts = (str(output / f"{method}.{regime}.{kind}.jsonl") for kind in ("samples", "verdicts"))
        options = ["--method", method, "--regime", regime, *sampling, *changes]
        options += ["--specificity-per-change", str(SPECIFICITY)]
        steps += [
            (title, ["edit", "builtin", "-o", samples, *options]),
            ("Its programs, each in its change's world", ["judge", "builtin", samples, "-o", verdicts]),
        ]
    return steps
