"""PMET: MEMIT with values of their own for attention and MLP (Li et al., arXiv 2308.08742).

    ΔW_l = R_l Kᵀ (λC_l + K Kᵀ)⁻¹,    R_l = (V - M) / √n_l

for l over `layers` from the lowest up, as MEMIT does, but for V, M and the root.

    W_l     the last linear layer of the MLP or of the attention in layer l: (d, f); `rewrite_module_tmps` says which
    K       its inputs for m requests at the subject's lookup position: (f, m), averaged as MEMIT does
    C_l     the uncentred covariance of its inputs: (f, f); λ is `mom2_update_weight`
    M       the outputs of that module in the top layer of `layers` there, as they are now: (d, m)
    V       those that make the model write the targets, each module's own h₀ + δ (equation 12; see `target_values`):
            (d, m)
    n_l     how many of `layers` are still to be edited, l included
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from ..context import EditContext
from ..edits.edit import Edit
from ..locate_then_edit.contexts import find_templates, measured
from ..locate_then_edit.hparams import check_locating, check_path
from ..locate_then_edit.layer_updates import spread
from ..locate_then_edit.normal_equations import adjusted_keys, check_covariances
from ..locate_then_edit.target_values import find_values
from ..locate_then_edit.token_rows import BARE, Reading
from ..model.families import Family, family_of
from ..requests import EditRequest, need_requests
from .memit import CONTEXTS, MemitHparams
from .table import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class PmetHparams(MemitHparams):
    """Hyperparameters of PMET, under EasyEdit's names.

    `nll_loss_factor` weighs -log p(target). `rewrite_module_tmps` are the modules that are written, in this order:
    the attention's last linear layer, the MLP's, or both; absent: the MLP's.
    """

    nll_loss_factor: float = 1.0
    rewrite_module_tmps: list[str] | None = None

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        MemitHparams.__post_init__(self)
        if not 0 < self.nll_loss_factor < float("inf"):
            raise ValueError(f"nll_loss_factor must be above 0, not {self.nll_loss_factor}")
        modules = self.rewrite_module_tmps
        if modules is not None and (not modules or len(set(modules)) < len(modules)):
            raise ValueError(f"rewrite_module_tmps must name one or two different modules, not {modules}")

    def modules(self, family: Family) -> list[str]:
        """Return the paths of the modules to write, in order."""
        return [family.mlp_out] if self.rewrite_module_tmps is None else self.rewrite_module_tmps


def check_pmet(model: Any, hparams: PmetHparams) -> tuple[str, ...]:
    """Return the modules whose covariance is needed. Raises InputError where the hyperparameters do not fit."""
    family = check_locating(model, hparams)
    modules = hparams.modules(family)
    for path in modules:
        check_path("rewrite_module_tmps", path, (family.attention_out, family.mlp_out))
    return tuple(path.replace("{}", str(layer)) for layer in hparams.layers for path in modules)


def measure_pmet(model: Any, tokenizer: Any, request: EditRequest, hparams: PmetHparams, context: EditContext) -> int:
    """Return how many tokens are read for a request, at most.

    Raises InputError where its subject or target cannot be found in tokens.
    """
    return measured(_reading(model, tokenizer, hparams), request, context, CONTEXTS)


def teach_pmet(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: PmetHparams, context: EditContext
) -> Edit:
    """Teach `model` all requests at once and return the edit, applied.

    With the MLP alone to write, the value of attention is optimised and then dropped, by design. The model is left in
    evaluation mode. Raises InputError for hyperparameters that do not fit the model, a request whose subject or target
    cannot be found in tokens, and a missing covariance.
    """
    need_requests("PMET", requests)
    check_covariances(context, check_pmet(model, hparams))
    family = family_of(model)
    model.eval()
    templates = find_templates(model, tokenizer, context, CONTEXTS, brace=" ")
    reading = _reading(model, tokenizer, hparams)
    rows = [reading.value_rows(request, templates) for request in requests]
    top, factor = hparams.layers[-1], hparams.nll_loss_factor
    values = find_values(
        model, rows, hparams, top, "attention_and_mlp", context.speedups, nll_factor=factor, watch=context.watch
    )
    rounding = model.dtype if hparams.profile in ("easyedit", "exact") else None
    wanted = {
        path: torch.stack([value.target(int(path == family.mlp_out), rounding) for value in values])
        for path in hparams.modules(family)
    }
    updates = spread(
        model,
        reading.key_rows(requests, templates),
        reading.key_rows(requests, [BARE]),
        {path: (path, targets) for path, targets in wanted.items()},
        hparams.layers,
        math.sqrt,
        partial(adjusted_keys, context, weight=hparams.mom2_update_weight),
        context,
    )
    losses = [loss for value in values for loss in value.losses]
    return Edit("pmet", updates, losses).apply(model, touched_only=context.speedups.touched_only)


def _reading(model: Any, tokenizer: Any, hparams: PmetHparams) -> Reading:
    gpt = "gpt" in str(model.name_or_path).lower()  # how EasyEdit decides
    return hparams.reading(tokenizer, "missing" if gpt else "never", drops_bos=False, pads_left=True)


METHOD = Method("pmet", PmetHparams, teach_pmet, alg_names=("PMET",), check=check_pmet, many=True, measure=measure_pmet)
