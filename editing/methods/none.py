"""The method `none`: ΔW = 0, the model as it is, the baseline of every table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..context import EditContext
from ..edits.edit import Edit
from ..requests import EditRequest
from .table import Method


@dataclass(frozen=True, slots=True)
class NoneHparams:
    """Nothing to set."""


def leave(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: NoneHparams, context: EditContext
) -> Edit:
    """Return an edit that changes nothing, applied."""
    return Edit("none", {}).apply(model)


METHOD = Method("none", NoneHparams, leave, keyed=False)
