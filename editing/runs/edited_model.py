"""A model that the edits of a plan are put into, and taken out of."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import torch

from ...schemas.errors import EnvironmentFault
from ..context import EditContext
from ..edits.edit import Edit
from ..edits.finite import REMEDY, not_finite
from ..edits.series import EditSeries
from .plan import PlannedEdit
from .saved_edits import SavedEdits
from .settings import Run


class EditedModel:
    """Puts planned edits into `model`, and takes them all out again, bit for bit. A context manager.

    `made` counts the edits that were learned, not taken from a file. `undone` has the changes whose edit was not finite
    (see `edits.finite`) and was taken out again at once: the model is what it was before, and goes on from there.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        run: Run,
        context: EditContext,
        saved: SavedEdits | None = None,
        warn: Callable[[str], None] = lambda text: None,
    ):
        self.made = 0
        self.undone: tuple[str, ...] = ()
        self._warn = warn
        self._model, self._tokenizer, self._run, self._context, self._saved = model, tokenizer, run, context, saved
        self._edits: tuple[PlannedEdit, ...] = ()
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
                self._add(edits[:number])
            self._edits = tuple(edits[:number])

    def _add(self, edits: Sequence[PlannedEdit]) -> None:
        """Put the last of `edits` into the model: from its file where it is there, else by learning it."""
        # The first one is always learned: at it, methods draw what they keep for the run (templates), from the
        # unedited model.
        found = self._saved.find(edits) if self._saved and len(edits) > 1 else None
        edit = found.apply(self._model) if found else self._teach(edits[-1])
        self._series.add(edit)
        if edit.empty:
            self.undone += edits[-1].changes
        if self._saved and not found:
            self._saved.save(edit, edits)

    def _teach(self, planned: PlannedEdit) -> Edit:
        method, hparams = self._run.method, self._run.hparams.values
        edit = method.teach(self._model, self._tokenizer, planned.requests, hparams, self._context)
        self.made += 1
        fault = not_finite(edit, self._model)
        if fault is None:
            return edit
        edit.undo()
        self._warn(f"the edit {planned.title} is undone: {fault}. Samples are of the model without it. {REMEDY}")
        return Edit(edit.method, {}, edit.losses).apply(self._model)

    @property
    def touched(self) -> frozenset[str]:
        """Return the names of the parameters that the edits in the model have changed."""
        return self._series.touched

    def restore(self) -> None:
        """Take all edits out of the model."""
        self._series.restore()
        self._edits, self.undone = (), ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()


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
