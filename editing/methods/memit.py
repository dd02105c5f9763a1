"""MEMIT: many requests at once, spread over several MLP layers (Meng et al., arXiv 2210.07229).

    ΔW_l = R_l Kᵀ (λC_l + K Kᵀ)⁻¹,    R_l = (Z - H) / n_l

for l over `layers` from the lowest up, those below already edited (equation 14; algorithm 1 has the shares).

    W_l     the MLP's last linear layer in layer l: (d, f)
    K       its inputs for m requests at the subject's lookup position: (f, m); each is ½ that of the bare prompt plus
            ½ the mean over the contexts
    C_l     the uncentred covariance of its inputs: (f, f); λ is `mom2_update_weight`
    H       the hidden states after the top layer of `layers` there, as they are now: (d, m)
    Z       those that make the model write the targets, h₀ + δ (equation 16; see `target_values`): (d, m)
    n_l     how many of `layers` are still to be edited, l included
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ..context import EditContext
from ..edits.edit import Edit
from ..edits.low_rank import LowRank
from ..locate_then_edit.contexts import find_templates, measured
from ..locate_then_edit.hparams import LocatingHparams, check_locating, need_number
from ..locate_then_edit.layer_updates import LAYER, Adjust, spread
from ..locate_then_edit.normal_equations import adjusted_keys, check_covariances
from ..locate_then_edit.target_values import find_values
from ..locate_then_edit.token_rows import BARE, Reading
from ..model.families import family_of
from ..requests import EditRequest, need_requests
from .table import Method

CONTEXTS = [(10, 5)]  # five contexts of ten tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesAtOnce(LocatingHparams):
    """Hyperparameters that MEMIT shares with the methods that descend from it, under EasyEdit's names."""

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        LocatingHparams.__post_init__(self)
        if self.fact_token == "last":  # noqa: S105 - a token of a model, no secret
            raise ValueError("fact_token can be `last` for ROME alone; use subject_last")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemitHparams(ValuesAtOnce):
    """Hyperparameters of MEMIT, under EasyEdit's names. `mom2_update_weight` is λ, the weight of the covariance."""

    mom2_update_weight: float

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        ValuesAtOnce.__post_init__(self)
        need_number("mom2_update_weight", self.mom2_update_weight, above_zero=True)


def check_memit(model: Any, hparams: ValuesAtOnce) -> tuple[str, ...]:
    """Return the modules whose covariance is needed. Raises InputError where the hyperparameters do not fit."""
    family = check_locating(model, hparams)
    return tuple(family.mlp_out.replace("{}", str(layer)) for layer in hparams.layers)


def measure_memit(model: Any, tokenizer: Any, request: EditRequest, hparams: ValuesAtOnce, context: EditContext) -> int:
    """Return how many tokens are read for a request, at most.

    Raises InputError where its subject or target cannot be found in tokens.
    """
    return measured(_reading(model, tokenizer, hparams), request, context, CONTEXTS)


def teach_memit(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: MemitHparams, context: EditContext
) -> Edit:
    """Teach `model` all requests at once and return the edit, applied.

    The model is left in evaluation mode. Raises InputError for hyperparameters that do not fit the model, a request
    whose subject or target cannot be found in tokens, and a missing covariance.
    """
    need_requests("MEMIT", requests)
    adjust = partial(adjusted_keys, context, weight=hparams.mom2_update_weight)
    updates, losses = updates_of(model, tokenizer, requests, hparams, adjust, context)
    return Edit("memit", updates, losses).apply(model, touched_only=context.speedups.touched_only)


def updates_of(
    model: Any,
    tokenizer: Any,
    requests: Sequence[EditRequest],
    hparams: ValuesAtOnce,
    adjust: Adjust,
    context: EditContext,
) -> tuple[dict[str, LowRank], list[float]]:
    """Return what MEMIT, with A = `adjust`(path, K), adds to each weight for all requests at once, and the losses.

    Methods that descend from it differ in A alone. The model's weights are put back as they were. Raises InputError as
    `teach_memit` does.
    """
    check_covariances(context, check_memit(model, hparams))
    family = family_of(model)
    model.eval()
    templates = find_templates(model, tokenizer, context, CONTEXTS, brace=" ")
    reading = _reading(model, tokenizer, hparams)
    rows = [reading.value_rows(request, templates) for request in requests]
    values = find_values(model, rows, hparams, hparams.layers[-1], "layer", context.speedups, watch=context.watch)
    rounding = model.dtype if hparams.profile in ("easyedit", "exact") else None
    wanted = torch.stack([value.target(0, rounding) for value in values])
    keys, bare = reading.key_rows(requests, templates), reading.key_rows(requests, [BARE])
    places = {family.mlp_out: (LAYER, wanted)}
    updates = spread(model, keys, bare, places, hparams.layers, float, adjust, context)
    return updates, [loss for value in values for loss in value.losses]


def _reading(model: Any, tokenizer: Any, hparams: ValuesAtOnce) -> Reading:
    return hparams.reading(tokenizer, "missing", drops_bos=True, pads_left=False)


METHOD = Method(
    "memit", MemitHparams, teach_memit, alg_names=("MEMIT",), check=check_memit, many=True, measure=measure_memit
)
