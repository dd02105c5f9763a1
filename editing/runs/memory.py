"""The memory that the edits of a run take, before the first is made: each method, done on shapes alone."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from ...schemas.errors import EdittoolError
from ..context import EditContext
from ..model.families import input_widths
from ..model.memory import check_memory
from .peak import peak_on_outline
from .plan import PlannedEdit
from .settings import Run

STEPS = ("num_steps", "n_iter", "v_num_grad_steps")  # what methods call the steps of their optimisation
ENOUGH = 2  # steps: Adam has its state after the first
UNKNOWN = (
    "how much memory an edit takes cannot be said beforehand: this model's code asks for more than the shapes of "
    "tensors. Where the GPU's memory is too small, the run stops there, and what was written is kept."
)
DRAWN = " data" * 12  # stands for the texts that a model writes before prompts


def check_edit_memory(
    model: Any,
    tokenizer: Any,
    edits: Sequence[PlannedEdit],
    run: Run,
    context: EditContext,
    warn: Callable[[str], None] = lambda text: None,
) -> None:
    """Raise EnvironmentFault where the GPU that `model` is on has too little memory for the largest of `edits`.

    `warn` is told where nobody can know that beforehand.
    """
    if model.device.type != "cuda" or not edits:
        return
    needed = edit_memory(model.config, model.dtype, tokenizer, _largest(edits), run, context)
    if needed is None:
        warn(UNKNOWN)
    else:
        check_memory(model.device, needed, f"the tensors of an edit by {run.method.name}")


def _largest(edits: Sequence[PlannedEdit]) -> PlannedEdit:
    """Return the edit with the most to read, in characters: prompts and targets of all its requests."""
    return max(edits, key=lambda edit: sum(len(request.prompt) + len(request.target) for request in edit.requests))


def edit_memory(
    config: Any, dtype: torch.dtype, tokenizer: Any, edit: PlannedEdit, run: Run, context: EditContext
) -> int | None:
    """Return the bytes above those of the model that `edit` takes at its peak, if it is the first of a context.

    The method itself is run, for a few steps, on tensors without content. None where a model's own code asks these for
    more than shapes.
    """
    hparams = run.hparams.values
    steps = {field.name: min(ENOUGH, getattr(hparams, field.name)) for field in fields(hparams) if field.name in STEPS}

    def teach(outline: Any) -> None:
        modules = run.method.check(outline, hparams)
        given = replace(
            context,
            covariance=_Shapes(input_widths(outline, modules)),
            templates=context.templates or ["{}", *[f"{DRAWN}. {{}}"] * 5],
            kept={},
            watch=lambda step: None,  # nothing is optimised here
            say=lambda what: None,
        )
        run.method.teach(outline, tokenizer, list(edit.requests), replace(hparams, **steps), given)

    try:
        return peak_on_outline(config, dtype, teach)
    except EdittoolError:
        raise
    except Exception:  # whatever a model's code does that shapes cannot answer
        return None


class _Shapes(Mapping[str, Tensor]):
    """Covariances of such widths, each made when it is asked for, as those in files are."""

    def __init__(self, widths: Mapping[str, int]):
        self._widths = widths

    def __getitem__(self, module: str) -> Tensor:
        return torch.empty(self._widths[module], self._widths[module])

    def __iter__(self) -> Iterator[str]:
        return iter(self._widths)

    def __len__(self) -> int:
        return len(self._widths)
