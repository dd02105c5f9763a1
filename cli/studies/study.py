"""`edittool study`: a plan file in, its steps run as the commands a user would type, a report out."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from ...scaling.study.counts import Counts, Look, count
from ...scaling.study.plan import Entry, Plan, read_plan
from ...scaling.study.record import NAME, Record
from ...scaling.study.run import Outcome, run_study
from ...scaling.study.steps import Step, first_steps, last_steps, report_folder
from ...schemas.bench import Bench
from ...schemas.errors import EdittoolError
from ..shared.bench_argument import open_bench
from ..shared.console import plain, results, talk
from ..shared.exit_codes import DONE, UNJUDGED, exit_code
from ..shared.models import require_torch
from .running import Commands, held, look


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
        return _show(read, opened, folder, entries)
    with held(folder):
        outcome = run_study(
            read, entries, folder, Record(read, opened, folder), Commands(opened), keep_going=keep_going
        )
    return tell(read, folder, outcome)


def tell(plan: Plan, folder: Path, outcome: Outcome) -> int:
    """Say how a study ended and where its page is; return the exit code."""
    if not outcome.ran:
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


def _show(plan: Plan, bench: Bench, folder: Path, entries: Sequence[Entry]) -> int:
    """Print the steps as a script for a shell, each with what it costs, or that it is done, and the sums at the end.

    An edit that cannot be made is told there, and its command is a comment; the exit code is then that of its error.
    """
    record = Record(plan, bench, folder)
    of_all = first_steps(plan, folder, plan.methods)
    others = [step for step in of_all if step.makes and step.entry and step.entry not in entries]
    missing = {path for step in others if not record.is_done(step) for path in step.makes}
    looks, faults = _looks(of_all, bench)
    steps = [*first_steps(plan, folder, entries), *last_steps(plan, folder, missing | faults.keys())]
    left = Counts()
    results.print(plain(f"mkdir -p {shlex.quote(str(folder))}"), soft_wrap=True)
    for step in steps:
        fault = next((faults[path] for path in (*step.makes, *step.reads) if path in faults), None)
        counted, done = Counts() if fault else count(step, looks), record.is_done(step)
        left += Counts() if done else counted
        _show_step(step, str(counted), done, fault)
    shared = plan.judge.get("samples_per_container", 1)
    containers = "each in a container of its own" if shared == 1 else f"{shared} to a container"
    words = f"{left}, {containers}" if left.programs else f"{left or 'nothing'}"
    results.print(plain(f"\n# left to do: {words}"), soft_wrap=True)
    told = [faults[step.makes[0]] for step in steps if step.makes and step.makes[0] in faults]
    return exit_code(told[0]) if told else DONE


def _looks(steps: Sequence[Step], bench: Bench) -> tuple[dict[Path, Look], dict[Path, EdittoolError]]:
    """Return, by the file of samples, what each of `steps` that edits comes to, and the errors of those that cannot."""
    looks: dict[Path, Look] = {}
    faults: dict[Path, EdittoolError] = {}
    for step in steps:
        if step.kind == "edit":
            try:
                looks[step.makes[0]] = look(step, bench)
            except EdittoolError as error:
                faults[step.makes[0]] = error
    return looks, faults


def _show_step(step: Step, cost: str, done: bool, fault: EdittoolError | None) -> None:
    lines = [step.title, *([cost] if cost else []), *(["done already"] if done else [])]
    if not done and step.kind == "edit" and (there := _rows(step.makes[0])):
        lines.append(f"{there} of the samples are there already")
    if fault is not None:
        lines += [f"cannot be done: {fault}"] if step.kind == "edit" else ["cannot be done: its samples cannot be made"]
    comments = "\n".join(f"# {line}" for line in lines)
    results.print(plain(f"\n{comments}\n{'# ' * bool(fault)}{step.command}"), soft_wrap=True)


def _rows(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
