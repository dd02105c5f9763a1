"""The normal equations of MEMIT, PMET and EMMET, with the covariance of a layer factored once for all edits."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ...schemas.errors import InputError
from ..context import EditContext

LinAlgError: type[RuntimeError] = torch.linalg.LinAlgError  # type: ignore[attr-defined]
Solver = Callable[[Tensor], Tensor]


def check_covariances(context: EditContext, paths: Sequence[str]) -> None:
    """Raise InputError where the context lacks the covariance of one of these modules."""
    for path in paths:
        if path not in context.covariance:
            raise InputError(
                f"There is no covariance for {path}. `edittool stats MODEL` computes it; in Python, give it as "
                f"EditContext(covariance={{{path!r}: tensor}})."
            )


def covariance_of(context: EditContext, path: str, keys: int, device: torch.device) -> Tensor:
    """Return the covariance of the module at `path`, (keys, keys), on `device`.

    Raises InputError where the context has none, or one of another shape.
    """
    check_covariances(context, [path])
    covariance = context.covariance[path]
    if covariance.shape != (keys, keys):
        raise InputError(
            f"The covariance for {path} has shape {tuple(covariance.shape)}, and the module's inputs have {keys} "
            "features. Compute it for this model: `edittool stats MODEL`."
        )
    if bool(torch.isfinite(covariance).logical_not().any()):
        raise InputError(
            f"The covariance for {path} holds infinities or NaN. Compute it again: `edittool stats MODEL`."
        )
    return covariance.to(device)


def adjusted_keys(context: EditContext, path: str, keys: Tensor, weight: float) -> Tensor:
    """Return A = (λC + KKᵀ)⁻¹ K for keys K (f, m) in float64, λ = `weight` (MEMIT, equation 14).

    Factored: with P = λC this is P⁻¹K (I + KᵀP⁻¹K)⁻¹ (Woodbury), so each edit costs two triangular solves. Raises
    InputError as `covariance_of` does, and for a covariance that cannot be inverted.
    """
    keys = keys.double()
    if not context.speedups.factored_solve:
        covariance = covariance_of(context, path, len(keys), keys.device)
        with _invertible(path):
            plain: Tensor = torch.linalg.solve(weight * covariance.double() + keys @ keys.T, keys)
        return plain
    solved = solved_keys(context, path, keys, weight)
    small = torch.eye(keys.shape[1], dtype=keys.dtype, device=keys.device) + keys.T @ solved
    adjusted: Tensor = torch.linalg.solve(small, solved, left=False)
    return adjusted


def solved_keys(context: EditContext, path: str, keys: Tensor, weight: float, ridge: float = 0.0) -> Tensor:
    """Return (λC + μI)⁻¹ K for keys K (f, m) in float64, λ = `weight`, μ = `ridge`.

    With the factored solve, the matrix is factored once for a context. Raises InputError as `covariance_of` does, and
    for a matrix that cannot be inverted.
    """
    keys, size = keys.double(), len(keys)
    if not context.speedups.factored_solve:
        with _invertible(path):
            plain: Tensor = torch.linalg.solve(_weighted(context, weight, ridge, path, size, keys.device), keys)
        return plain
    key = ("solver", path, weight, ridge, keys.device)
    if key not in context.kept:
        context.say(f"factoring the covariance of {path} ({size} x {size})")
        with _invertible(path):
            context.kept[key] = _factor(_weighted(context, weight, ridge, path, size, keys.device))
    solver: Solver = context.kept[key]
    return solver(keys)


def _weighted(context: EditContext, weight: float, ridge: float, path: str, size: int, device: torch.device) -> Tensor:
    """Return λC + μI, (f, f) in float64."""
    weighted = weight * covariance_of(context, path, size, device).double()
    if ridge:
        weighted.diagonal().add_(ridge)
    return weighted


@contextlib.contextmanager
def _invertible(path: str) -> Iterator[None]:
    """Say in words that the covariance of the module at `path` is singular."""
    try:
        yield
    except LinAlgError:
        raise InputError(
            f"The covariance for {path} cannot be inverted: it is of too few tokens, or some inputs are always zero. "
            "Compute it over more documents: `edittool stats MODEL -n NUMBER`."
        ) from None


def _factor(matrix: Tensor) -> Solver:
    """Return what solves for `matrix`: by Cholesky, or by LU where sums in float32 have left it slightly indefinite."""
    lower, failed = torch.linalg.cholesky_ex(matrix)
    if not failed.item():
        return lambda right: torch.cholesky_solve(right, lower)
    factors, pivots, failed = torch.linalg.lu_factor_ex(matrix)
    if failed.item():
        raise LinAlgError("a pivot is zero")
    return lambda right: torch.linalg.lu_solve(factors, pivots, right)


def inverse_covariance(context: EditContext, path: str, size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return C⁻¹ (f, f), inverted in `dtype` as ROME's reference does, then float32; computed once for a context.

    Raises InputError as `covariance_of` does, and for a covariance that cannot be inverted.
    """
    key = ("inverse", path, dtype, device)
    if key not in context.kept:
        context.say(f"inverting the covariance of {path} ({size} x {size})")
        with _invertible(path):
            context.kept[key] = torch.inverse(covariance_of(context, path, size, device).to(dtype)).float()
    inverse: Tensor = context.kept[key]
    return inverse
