"""The commands of a study, run in this process one after the other, each shown before it runs."""

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...scaling.study.steps import Step
from ...schemas.bench import Bench
from ...schemas.errors import EdittoolError, InputError
from ...schemas.whole_files import lock, make_folder, unlock, write_faults
from ..edit import edit, make_run
from ..main import cli
from ..shared.console import plain, talk
from ..shared.exit_codes import DONE

if TYPE_CHECKING:
    from ...scaling.study.counts import Look

NO_PART = {"bench", "output", "device", "stats", "save_edits", "dense", "drafts"}  # of what a run samples


class Commands:
    """Runs the steps of a study on `bench` as commands of edittool."""

    def __init__(self, bench: Bench):
        self._bench = bench

    def check(self, step: Step) -> None:
        """Raise InputError where the edit `step` cannot be made: hyperparameters, a regime, a change, its requests."""
        look(step, self._bench)

    def execute(self, step: Step) -> int:
        """Run the command of `step` and return its exit code. Raises EdittoolError where it fails."""
        talk.print(plain(f"\n{step.title}", style="bold"), soft_wrap=True)
        if step.entry is not None and step.entry.notes and step.kind == "edit":
            talk.print(plain(step.entry.notes), soft_wrap=True)
        talk.print(plain(f"$ {step.command}", style="cyan"), soft_wrap=True)
        with _usage_is_input():
            code: int | None = cli.main(args=list(step.arguments), prog_name="edittool", standalone_mode=False)
        _free_memory()
        return code or DONE

    def passed_over(self, step: Step) -> None:
        """Tell that `step` is done already."""
        what = step.makes[0].name if step.makes else step.title
        talk.print(plain(f"done already: {step.kind} {what}", style="dim"), soft_wrap=True)

    def failed(self, step: Step) -> None:
        """Tell which step has failed."""
        talk.print(plain(f"this step failed: {step.command}", style="red"), soft_wrap=True)

    def gone_past(self, error: EdittoolError) -> None:
        """Tell of `error`, which is not the study's end."""
        talk.print(plain(f"{error}", style="red"), soft_wrap=True)


def look(step: Step, bench: Bench) -> "Look":
    """Return what the command of `step`, which edits or samples, comes to, without a model.

    Raises InputError for options and hyperparameters that cannot be, and for changes that cannot be taught.
    """
    from ...editing.runs.plan import plan
    from ...scaling.study.counts import Look

    with _usage_is_input():
        given = edit.make_context("edit", list(step.arguments[1:])).params
        run = make_run(bench, **{name: value for name, value in given.items() if name not in NO_PART})
    return Look(plan(bench, run), run.sampling.n, run.edits)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make `folder` where it is missing, and keep a second study out of it. Raises InputError where one is there."""
    make_folder(folder, "a study")
    with contextlib.ExitStack() as stack:
        with write_faults(folder):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        stack.callback(os.close, descriptor)
        with contextlib.suppress(OSError):  # a file system without locks
            lock(descriptor, folder)
            stack.callback(unlock, descriptor)
        yield


def _free_memory() -> None:
    """Give back what the last model took, for the next one: a model refers to itself, and torch keeps what it had."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextlib.contextmanager
def _usage_is_input() -> Iterator[None]:
    """Raise InputError for what click refuses in the command of a step: its options come from the plan."""
    try:
        yield
    except click.ClickException as error:
        raise InputError(error.format_message()) from None
