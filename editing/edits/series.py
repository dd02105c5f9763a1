"""A series of edits in one model: they are added one by one and taken out together, at the memory of one edit."""

from types import TracebackType
from typing import Any, Self

from .edit import Before, Edit


class EditSeries:
    """Takes in edits as they come to lie in `model`, and takes all of them out again, bit for bit. A context manager.

    An `Edit` alone keeps its changes and the old content of what it touches; a hundred edits of a large model would
    take a hundred times as much memory. Here only the content before the first one is kept.
    """

    def __init__(self, model: Any):
        self._model = model
        self._before = Before({}, [])

    @property
    def touched(self) -> frozenset[str]:
        """Return the names of the parameters that the edits have changed."""
        return frozenset(self._before.contents)

    def add(self, edit: Edit) -> None:
        """Take in `edit`, the latest in the model: it can no longer be undone by itself.

        Raises RuntimeError where `edit` is not the latest one in a model.
        """
        latest = edit.release()
        contents = {**latest.contents, **self._before.contents}
        self._before = Before(contents, [*self._before.uninstall, *latest.uninstall])

    def restore(self) -> None:
        """Take all edits out of the model."""
        self._before.restore(self._model)
        self._before = Before({}, [])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.restore()
