"""What `edittool edit` says of each edit: a line where there are few, and of those that did not take at any rate."""

from typing import TYPE_CHECKING

from .console import plain, talk

if TYPE_CHECKING:
    from ...editing.runs.journal import MadeEdit
    from ...editing.runs.settings import Run

FEW = 20  # edits of a run, each of which gets its line; of more, only those that did not take do
MOST = 10  # lines on edits that did not take, where there are more


class EditsTold:
    """Says on stderr, after each edit of a run of so many, whether it took; what to try is said once."""

    def __init__(self, run: "Run", edits: int):
        self._run, self._few = run, edits <= FEW
        self._untaken = 0

    def __call__(self, made: "MadeEdit") -> None:
        """Tell of an edit that has just been made, or put into the model from its file."""
        line = f"{made.title}: {made.record.in_words()}"
        if made.record.took != "not":
            if self._few:
                talk.print(plain(line), soft_wrap=True)
            return
        self._untaken += 1
        if self._few or self._untaken <= MOST:
            talk.print(plain(f"{line}{self._advice(made)}", "yellow"), soft_wrap=True)
        elif self._untaken == MOST + 1:
            talk.print(plain("more edits did not take: see `edit` in the rows of samples", "yellow"), soft_wrap=True)

    def _advice(self, made: "MadeEdit") -> str:
        """Return what to try, after the first edit that did not take; one that was undone has its own words."""
        from ...editing.success.record import what_to_try

        if self._untaken > 1 or made.edit.empty:
            return ""
        whole = self._run.requests in ("solution", "all")
        remedies = what_to_try(made.record, self._run.hparams.values, whole_solutions=whole)
        return f". The edit did not take. Try {remedies}"
