"""AlphaEdit: MEMIT's update, projected onto directions that other texts hardly have (Fang et al., arXiv 2410.02355).

    ΔW_l = R_l A_lᵀ,    A_l = (P_l (M_l + K Kᵀ) + μ I)⁻¹ P_l K,    P_l = U Uᵀ,    M_l = K_p K_pᵀ

for l over `layers` from the lowest up, those below already edited (equation 14, where μ is 1). ΔW_l does next to
nothing to the inputs that C_l has seen, since C_l P_l is next to 0; and for M_l it spares what earlier edits in the
same model have written. With G = P_l [K_p K], all keys side by side,

    A_l = G (Gᵀ G + μ I)⁻¹ E,    E the last m columns of I

so that not f but as many equations are solved as there are keys, and keys are all that is kept of earlier edits.

    W_l     the MLP's last linear layer in layer l: (d, f)
    K       its inputs for m requests at the subject's lookup position, as MEMIT has them: (f, m)
    K_p     those of all requests of AlphaEdit's earlier edits in the model: (f, n)
    C_l     the uncentred covariance of its inputs: (f, f)
    U       the singular vectors of C_l whose singular values are below `nullspace_threshold`: (f, r)
    R_l     what is still missing at the top layer of `layers`, divided among those to come, as MEMIT has it: (d, m)
    μ       `L2`
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...schemas.errors import InputError
from ..context import EditContext
from ..edits.edit import Edit
from ..edits.states import states_of
from ..locate_then_edit.hparams import need_number
from ..locate_then_edit.normal_equations import covariance_of
from ..requests import EditRequest, need_requests
from .memit import ValuesAtOnce, check_memit, measure_memit, updates_of
from .table import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaEditHparams(ValuesAtOnce):
    """Hyperparameters of AlphaEdit, under EasyEdit's names; the module's docstring has their place."""

    nullspace_threshold: float
    L2: float

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        ValuesAtOnce.__post_init__(self)
        need_number("nullspace_threshold", self.nullspace_threshold, above_zero=True)
        need_number("L2", self.L2, above_zero=True)


def teach_alphaedit(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: AlphaEditHparams, context: EditContext
) -> Edit:
    """Teach `model` all requests at once and return the edit, applied; its state is the keys by module, (f, m).

    The model is left in evaluation mode. Raises InputError for hyperparameters that do not fit the model, a request
    whose subject or target cannot be found in tokens, a missing covariance, and a threshold that all or none of a
    covariance's singular values are below.
    """
    need_requests("AlphaEdit", requests)
    earlier = states_of(model, "alphaedit")
    written: dict[str, Tensor] = {}

    def projected(path: str, keys: Tensor) -> Tensor:
        written[path] = keys
        before = [state[path].to(keys.device) for state in earlier if path in state]
        return projected_keys(context, path, before, keys, hparams)

    updates, losses = updates_of(model, tokenizer, requests, hparams, projected, context)
    edit = Edit("alphaedit", updates, losses, state=written)
    return edit.apply(model, touched_only=context.speedups.touched_only)


def projected_keys(
    context: EditContext, path: str, before: Sequence[Tensor], keys: Tensor, hparams: AlphaEditHparams
) -> Tensor:
    """Return A for keys K (f, m), after the keys of earlier edits, each (f, any number); in float64.

    Without the factored solve, f equations are solved. Raises InputError as `teach_alphaedit` does.
    """
    count = keys.shape[1]
    everything = torch.cat([*before, keys], dim=1).double()
    projection = find_projection(context, path, len(keys), hparams.nullspace_threshold, keys.device)
    if not context.speedups.factored_solve:
        system = projection @ (everything @ everything.T)
        system.diagonal().add_(hparams.L2)
        plain: Tensor = torch.linalg.solve(system, projection @ everything[:, -count:])
        return plain
    kept = projection @ everything
    inner = kept.T @ kept
    inner.diagonal().add_(hparams.L2)
    chosen = torch.eye(len(inner), dtype=inner.dtype, device=inner.device)[:, -count:]
    adjusted: Tensor = kept @ torch.linalg.solve(inner, chosen)
    return adjusted


def find_projection(context: EditContext, path: str, size: int, threshold: float, device: torch.device) -> Tensor:
    """Return P (f, f) of the module at `path`, in float64; with the factored solve, computed once for a context.

    C is symmetric, so that its singular values are its eigenvalues without their signs, and the vectors are the same.
    """
    key = ("projection", path, threshold, device)
    if key in context.kept:
        kept: Tensor = context.kept[key]
        return kept
    values, vectors = torch.linalg.eigh(covariance_of(context, path, size, device).double())
    free = values.abs() < threshold
    if bool(free.all()) or bool(free.logical_not().all()):
        smallest, largest = values.abs().min().item(), values.abs().max().item()
        raise InputError(
            f'Hyperparameter "nullspace_threshold": the singular values of the covariance for {path} go from '
            f"{smallest:.3g} to {largest:.3g}, so {threshold:g} leaves {'nothing' if free.all() else 'everything'} "
            f"to protect{'' if free.all() else ', and no direction to edit in'}. Choose a value between."
        )
    vectors *= free
    projection: Tensor = vectors @ vectors.T
    if context.speedups.factored_solve:
        context.kept[key] = projection
    return projection


METHOD = Method(
    "alphaedit",
    AlphaEditHparams,
    teach_alphaedit,
    alg_names=("AlphaEdit",),
    check=check_memit,
    many=True,
    measure=measure_memit,
)
