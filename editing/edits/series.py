"""A series of edits in one model: they are added one by one and taken out together, at the memory of one edit."""

from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from .edit import Edit


class EditSeries:
    """Takes in edits as they come to lie in `model`, and takes all of them out again, bit for bit. A context manager.

    An `Edit` alone keeps its differences and the old content of what it touches; a hundred edits of a large model
    would take a hundred times as much memory. Here only the content before the first one is kept.
    """

    def __init__(self, model: Any):
        self._model = model
        self._edits: list[Edit] = []
        self._before: dict[str, Tensor] = {}

    @property
    def touched(self) -> frozenset[str]:
        """Return the names of the parameters that the edits have changed."""
        return frozenset(self._before)

    @torch.no_grad()
    def add(self, edit: Edit) -> None:
        """Take in `edit`, the latest in the model. If it changed weights, it can no longer be undone by itself.

        Raises RuntimeError where `edit` is not the latest one in a model.
        """
        self._edits.append(edit)
        names = edit.deltas().keys()
        if not names:
            return
        parameters = {name: parameter for name, parameter in self._model.named_parameters() if name in names}
        after = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        edit.undo()
        self._edits.pop()
        for name, parameter in parameters.items():
            if name not in self._before:
                self._before[name] = parameter.detach().clone()
            parameter.copy_(after[name])

    @torch.no_grad()
    def restore(self) -> None:
        """Take all edits out of the model."""
        while self._edits:
            self._edits[-1].undo()
            self._edits.pop()
        parameters = dict(self._model.named_parameters())
        for name, content in self._before.items():
            parameters[name].copy_(content)
        self._before = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()
