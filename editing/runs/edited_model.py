"""A model that the edits of a plan are put into, and taken out of."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import torch

from ...schemas.errors import EnvironmentFault
from ..context import EditContext
from ..edits.edit import Edit
from ..edits.finite import REMEDY, not_finite
from ..edits.series import EditSeries
from ..success.measure import Measured, measure
from ..success.record import EditRecord
from .journal import MadeEdit
from .plan import PlannedEdit
from .saved_edits import SavedEdits
from .settings import Run
from .telling import Telling


class EditedModel:
    """Puts planned edits into `model`, and takes them all out again, bit for bit. A context manager.

    `made` counts the edits that were learned, not taken from a file. `undone` has the changes whose edit was not finite
    (see `edits.finite`) and was taken out again at once: the model is what it was before, and goes on from there.

    Before and after each edit, learned or taken from a file, the model is asked about its requests: `note` is told of
    it, with the edits that are then in the model.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        run: Run,
        context: EditContext,
        saved: SavedEdits | None = None,
        warn: Callable[[str], None] = lambda text: None,
        note: Callable[[MadeEdit, Sequence[PlannedEdit]], None] = lambda made, edits: None,
    ):
        self.made = 0
        self.undone: tuple[str, ...] = ()
        self._warn, self._note = warn, note
        self._model, self._tokenizer, self._run, self._context, self._saved = model, tokenizer, run, context, saved
        self._edits: tuple[PlannedEdit, ...] = ()
        self._records: tuple[EditRecord, ...] = ()
        self._series = EditSeries(model)

    def become(self, edits: Sequence[PlannedEdit], tell: Callable[[str], None] = lambda doing: None) -> None:
        """Let the model be the one with `edits` in it, in their order; `tell` hears of each edit before it is made.

        Raises EnvironmentFault for too little memory of the GPU, and where an edit cannot be saved.
        """
        if self._edits != tuple(edits[: len(self._edits)]):
            self.restore()
        for number in range(len(self._edits) + 1, len(edits) + 1):
            doing = f"editing {edits[number - 1].title}"
            tell(doing)
            with enough_memory(doing):
                made = self._add(edits[:number], Telling(doing, tell))
            self._edits, self._records = tuple(edits[:number]), (*self._records, made.record)
            self._note(made, self._edits)

    def _add(self, edits: Sequence[PlannedEdit], telling: Telling) -> MadeEdit:
        """Put the last of `edits` into the model: from its file where it is there, else by learning it."""
        # The first one of a sequence is always learned: at it, methods draw what they keep for the run (templates),
        # from the unedited model. In the other regimes every edit begins there.
        unedited = self._run.regime != "sequential"
        found = self._saved.find(edits) if self._saved and (unedited or len(edits) > 1) else None
        planned, took = edits[-1], _Took(self._model.device)
        before = self._measure(planned)
        with took:
            edit = found.apply(self._model) if found else self._teach(planned, telling)
        record = EditRecord(planned.changes, before, self._measure(planned), edit.sizes)
        self._series.add(edit)
        if edit.empty:
            self.undone += planned.changes
        if found:
            return MadeEdit(planned.name, planned.title, edit, record)
        if self._saved:
            self._saved.save(edit, edits)
        return MadeEdit(planned.name, planned.title, edit, record, took.seconds, took.peak_memory_mib)

    def _teach(self, planned: PlannedEdit, telling: Telling) -> Edit:
        method, hparams = self._run.method, self._run.hparams.values
        context = replace(self._context, watch=telling.step, say=telling.say)
        edit = method.teach(self._model, self._tokenizer, planned.requests, hparams, context)
        self.made += 1
        fault = not_finite(edit, self._model)
        if fault is None:
            return edit
        edit.undo()
        self._warn(f"the edit {planned.title} is undone: {fault}. Samples are of the model without it. {REMEDY}")
        return Edit(edit.method, {}, edit.losses).apply(self._model)

    def _measure(self, planned: PlannedEdit) -> Measured:
        return measure(self._model, self._tokenizer, planned.requests)

    def records(self, tell: Callable[[str], None] = lambda doing: None) -> tuple[EditRecord, ...]:
        """Return the records of the edits in the model, in their order.

        In a sequence, the model is asked about the requests of the earlier ones again; `tell` hears of it. Raises
        EnvironmentFault for too little memory of the GPU.
        """
        if self._run.regime != "sequential" or not self._records:
            return self._records
        doing = "asking for what was taught before"
        tell(doing)
        with enough_memory(doing):
            now = [*map(self._measure, self._edits[:-1]), self._records[-1].after]
        return tuple(replace(record, now=one) for record, one in zip(self._records, now, strict=True))

    @property
    def touched(self) -> frozenset[str]:
        """Return the names of the parameters that the edits in the model have changed."""
        return self._series.touched

    def restore(self) -> None:
        """Take all edits out of the model."""
        self._series.restore()
        self._edits, self._records, self.undone = (), (), ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()


class _Took:
    """What work on `device` takes: seconds on the wall and, on a GPU, memory at its peak above what was there before.

    A context manager around the work.
    """

    def __init__(self, device: torch.device):
        self.seconds = 0.0
        self.peak_memory_mib: float | None = None
        self._gpu = device if device.type == "cuda" else None

    def __enter__(self) -> None:
        if self._gpu is not None:
            torch.cuda.reset_peak_memory_stats(self._gpu)
            self._there = torch.cuda.memory_allocated(self._gpu)
        self._start = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = round(time.monotonic() - self._start, 3)
        if self._gpu is not None:
            peak = torch.cuda.max_memory_allocated(self._gpu) - self._there
            self.peak_memory_mib = round(peak / 2**20, 1)


@contextlib.contextmanager
def enough_memory(doing: str) -> Iterator[None]:
    """Turn what PyTorch raises where the GPU's memory is full, while `doing`, into EnvironmentFault."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise EnvironmentFault(
            f"The memory of the GPU is too small for {doing}. What was written is kept: the same command with a "
            "smaller --batch-size (where it was sampling), or on a larger GPU, goes on from here. --dtype bfloat16 "
            "halves the memory, for a new output file."
        ) from None
