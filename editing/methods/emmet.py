"""EMMET: MEMIT with an equality in place of a least-squares fit (Gupta et al., arXiv 2401.04700 and 2403.14236).

    ΔW_l = R_l Dᵀ Kᵀ C'⁻¹,    D = (Kᵀ C'⁻¹ K + λ I)⁻¹,    C' = w C_l + μ I

for l over `layers` from the lowest up, those below already edited (2403.14236, equation 12). With λ = 0 it is the
smallest change, in the norm of C', for which ΔW_l K = R_l exactly: the values are written whole, whatever their number,
where MEMIT gives up some of them to keep what the layer did. With λ > 0, which keeps D bounded, it is MEMIT's update
under another name: D and C' swap sides by Woodbury's identity, and A = C'⁻¹ K D = (λ C' + K Kᵀ)⁻¹ K.

    W_l     the MLP's last linear layer in layer l: (d, f)
    K       its inputs for m requests at the subject's lookup position, as MEMIT has them: (f, m)
    C_l     the uncentred covariance of its inputs: (f, f)
    R_l     what is still missing at the top layer of `layers`, divided among those to come, as MEMIT has it: (d, m)
    w       `mom2_update_weight`
    μ       `update_norm_lambda`, which keeps the change small in directions that C_l does not know
    λ       `emmet_lambda`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..context import EditContext
from ..edits.edit import Edit
from ..locate_then_edit.hparams import need_number
from ..locate_then_edit.normal_equations import solved_keys
from ..requests import EditRequest, need_requests
from .memit import ValuesAtOnce, check_memit, measure_memit, updates_of
from .table import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class EmmetHparams(ValuesAtOnce):
    """Hyperparameters of EMMET, under EasyEdit's names and with its defaults; the module's docstring has their place.

    `emmet_lambda` 0 asks for the equality itself.
    """

    mom2_update_weight: float
    update_norm_lambda: float = 0.0
    emmet_lambda: float = 0.1

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        ValuesAtOnce.__post_init__(self)
        need_number("mom2_update_weight", self.mom2_update_weight, above_zero=True)
        need_number("update_norm_lambda", self.update_norm_lambda)
        need_number("emmet_lambda", self.emmet_lambda)


def teach_emmet(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: EmmetHparams, context: EditContext
) -> Edit:
    """Teach `model` all requests at once and return the edit, applied.

    The model is left in evaluation mode. Raises InputError for hyperparameters that do not fit the model, a request
    whose subject or target cannot be found in tokens, and a missing covariance.
    """
    need_requests("EMMET", requests)

    def constrained(path: str, keys: Tensor) -> Tensor:
        return constrained_keys(context, path, keys, hparams)

    updates, losses = updates_of(model, tokenizer, requests, hparams, constrained, context)
    return Edit("emmet", updates, losses).apply(model, touched_only=context.speedups.touched_only)


def constrained_keys(context: EditContext, path: str, keys: Tensor, hparams: EmmetHparams) -> Tensor:
    """Return A = C'⁻¹ K (Kᵀ C'⁻¹ K + λ I)⁻¹ for keys K (f, m), in float64.

    Where λ is 0 and keys depend on each other, no A writes every value; the pseudoinverse writes them as well as can be
    (and is the inverse, where there is one). Raises InputError for a covariance that is missing, of another shape or
    singular.
    """
    solved = solved_keys(context, path, keys, hparams.mom2_update_weight, hparams.update_norm_lambda)
    inner = keys.double().T @ solved
    adjusted: Tensor
    if hparams.emmet_lambda == 0:
        adjusted = solved @ torch.linalg.pinv(inner, hermitian=True)
    else:
        inner.diagonal().add_(hparams.emmet_lambda)
        adjusted = torch.linalg.solve(inner, solved, left=False)
    return adjusted


METHOD = Method(
    "emmet", EmmetHparams, teach_emmet, alg_names=("EMMET",), check=check_memit, many=True, measure=measure_memit
)
