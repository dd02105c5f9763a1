"""Documentation in the prompt: nothing is edited, the model is told of the changes where it is asked.

    ΔW = 0,    program ~ p( · | documentation of the changes D, prompt)

This is the baseline of in-context learning (CodeUpdateArena, arXiv 2407.06249, has it for updates of functions). What
the prompt says of a change is what `edittool prompts --docs change` says: see `samples/change_docs.py`. D are changes
that an edited model would have in it at the same stage, at most `max_changes` of them: that of the problem asked, if it
is among them, and the newest others, in the order in which they came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.errors import InputError
from ..context import EditContext
from ..edits.edit import Edit
from ..requests import EditRequest
from .table import Method


@dataclass(frozen=True, slots=True)
class DocsHparams:
    """`max_changes`: how many changes a prompt documents at most."""

    max_changes: int = 4

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        if self.max_changes < 1:
            raise ValueError(f"max_changes must be at least 1, not {self.max_changes}")

    def documented(self, change_id: str | None, edited: Sequence[str]) -> tuple[str, ...]:
        """Return which of the changes `edited`, in their order, are documented for a problem of `change_id`."""
        own = [one for one in edited if one == change_id]
        others = [one for one in edited if one != change_id]
        chosen = {*own, *others[max(0, len(others) + len(own) - self.max_changes) :]}
        return tuple(one for one in edited if one in chosen)


def teach_docs(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: DocsHparams, context: EditContext
) -> Edit:
    """Raise InputError: there is no edit to be made."""
    raise InputError(
        "The method docs edits no model: what it teaches stands in the prompts of `edittool edit --method docs`. In "
        "Python, put the documentation before the prompt (`edittool.samples.change_docs`)."
    )


METHOD = Method("docs", DocsHparams, teach_docs, many=True, told=True, keyed=False)
