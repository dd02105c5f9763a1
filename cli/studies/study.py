"""`edittool study`: a plan file in, its steps run as the commands a user would type, a report out."""

from pathlib import Path

import click

from ...scaling.study.plan import Plan, read_plan
from ...scaling.study.record import NAME, Record
from ...scaling.study.run import Outcome, run_study
from ...scaling.study.steps import report_folder
from ..shared.bench_argument import open_bench
from ..shared.console import plain, talk
from ..shared.exit_codes import DONE, UNJUDGED, exit_code
from ..shared.models import require_torch
from .dry_run import show
from .running import Commands, held


@click.command
@click.argument("plan", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="The folder for samples, verdicts and the report.  [default: the plan's name, here]",
)
@click.option("--bench", help="The benchmark, in place of the plan's: a folder or builtin.")
@click.option("--model", help="The model, in place of the plan's: tiny, a folder, or an id on the Hugging Face Hub.")
@click.option("--only", metavar="NAME,...", help="Run these methods alone; the report is of all that are there.")
@click.option("--keep-going", is_flag=True, help="Where a method fails, go on with the others, and tell at the end.")
@click.option("--dry-run", is_flag=True, help="Print the steps as commands, with what they cost, and run nothing.")
def study(
    plan: Path,
    output: Path | None,
    bench: str | None,
    model: str | None,
    only: str | None,
    keep_going: bool,
    dry_run: bool,
) -> int:
    """Run a plan: one model, some methods and regimes, on one benchmark, up to the report.

    PLAN is a YAML file (docs/how-to/run-a-study.md). Every step is an ordinary command, shown before it runs: the
    unedited model comes first, then each method is sampled and judged, then the unedited model in the worlds of the
    edits; the report stands in FOLDER/report. FOLDER/study.json has the digest of every file. A step that is done is
    passed over, and one that was interrupted goes on where it stopped: give the same command again.

    \b
    edittool study examples/tiny-study.yaml
    edittool study plan.yaml -o results --bench BENCH --model FOLDER
    edittool study plan.yaml --dry-run
    edittool study plan.yaml --only ft,memit --keep-going
    """
    require_torch("edittool study")
    read = read_plan(plan, bench=bench, model=model)
    opened = open_bench(read.bench)
    read.check_changes(opened)
    entries = read.methods if only is None else read.only([name.strip() for name in only.split(",")])
    folder = output or Path(plan.stem)
    if dry_run:
        return show(read, opened, folder, entries)
    with held(folder):
        outcome = run_study(
            read, entries, folder, Record(read, opened, folder), Commands(opened), keep_going=keep_going
        )
    return _tell(read, folder, outcome)


def _tell(plan: Plan, folder: Path, outcome: Outcome) -> int:
    """Say how a study ended and where its page is; return the exit code."""
    if not outcome.ran and outcome.error is None:
        talk.print("every step was done already")
    for name in dict.fromkeys(step.makes[0].name.rsplit(".", 2)[0] for step in outcome.missing):
        talk.print(plain(f"not in the report: {name}", style="yellow"), soft_wrap=True)
    for step in outcome.unjudged:
        talk.print(plain(f"some samples could not be judged: {step.makes[0].name}", style="red"), soft_wrap=True)
    pages = [str(report_folder(plan, folder, sampling) / "report.html") for sampling in plan.samplings]
    text = f"the report is in {' and '.join(pages)}; {folder / NAME} has the digest of every file"
    talk.print(plain(text, "green"), soft_wrap=True)
    if outcome.error is not None:
        return exit_code(outcome.error)
    return UNJUDGED if outcome.unjudged else DONE
