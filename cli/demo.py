"""`edittool demo`: the whole path on this machine, as the commands a user would type."""

import shlex
import time
from pathlib import Path

import click

from .console import plain, talk
from .main import cli

SAMPLES = 5  # for each problem: enough for pass@5
SPECIFICITY = 3  # problems about other APIs sampled after each edit: all of them would treble the time


@click.command
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="The folder for samples and verdicts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the tiny model and of the sampling.")
def demo(output: Path, seed: int) -> None:
    """Go the whole path on this machine: build, edit, sample, judge, report.

    The built-in benchmark, a tiny model trained on it (about a minute, then cached), the unedited model and FT-L. Every
    step is an ordinary command, shown before it runs. Interrupted, the same command goes on where it stopped.

    \b
    edittool demo
    edittool demo -o /tmp/demo --seed 7
    """
    started = time.monotonic()
    output.mkdir(parents=True, exist_ok=True)
    for title, arguments in _steps(output, seed):
        talk.print(f"\n[bold]{title}[/bold]")
        talk.print(plain(f"$ edittool {shlex.join(arguments)}", style="cyan"), soft_wrap=True)
        cli.main(args=arguments, prog_name="edittool", standalone_mode=False)
    talk.print(f"\ndone in {time.monotonic() - started:.0f} s; samples and verdicts are in {output}", style="green")


def _steps(output: Path, seed: int) -> list[tuple[str, list[str]]]:
    unedited, edited = str(output / "unedited.samples.jsonl"), str(output / "ft.samples.jsonl")
    plain_world, own_world = str(output / "unedited.no-change.jsonl"), str(output / "unedited.own-change.jsonl")
    verdicts = str(output / "ft.verdicts.jsonl")
    sampling = ["--model", "tiny", "-n", str(SAMPLES), "--seed", str(seed)]
    specificity = ["--specificity-per-change", str(SPECIFICITY)]
    return [
        ("The benchmark: problems whose API changes", ["bench", "show", "builtin"]),
        (
            "The unedited model answers every problem",
            ["edit", "builtin", "-o", unedited, "--method", "none", "--regime", "none", *sampling],
        ),
        (
            "FT-L teaches it one change at a time, and it answers again",
            ["edit", "builtin", "-o", edited, "--method", "ft", "--regime", "instant", *sampling, *specificity],
        ),
        (
            "The unedited model with no change active: can it program at all?",
            ["judge", "builtin", unedited, "-o", plain_world, "--world", "none"],
        ),
        (
            "The unedited model once the old API is gone",
            ["judge", "builtin", unedited, "-o", own_world, "--world", "own"],
        ),
        ("The edited model, each edit in its own change's world", ["judge", "builtin", edited, "-o", verdicts]),
        ("Did editing teach the new API?", ["report", "builtin", plain_world, own_world, verdicts]),
    ]
