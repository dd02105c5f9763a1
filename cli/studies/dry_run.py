"""What a study would do: its steps as a script for a shell, with what each costs."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from ...scaling.study.counts import Counts, Look, count
from ...scaling.study.plan import Entry, Plan
from ...scaling.study.record import Record
from ...scaling.study.steps import Step, first_steps, last_steps
from ...schemas.bench import Bench
from ...schemas.errors import EdittoolError
from ..shared.console import plain, results
from ..shared.exit_codes import DONE, exit_code
from .running import look


def show(plan: Plan, bench: Bench, folder: Path, entries: Sequence[Entry]) -> int:
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
        lines.append(step.command)
    comments = [f"# {' '.join(line.split())}" for line in lines]  # a line end in a name would begin a command
    results.print(plain("\n".join(["", *comments, *([] if fault else [step.command])])), soft_wrap=True)


def _rows(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
