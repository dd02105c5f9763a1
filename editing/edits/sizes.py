"""How large an edit is beside the weights that it changes, and what rounding to their type took of it."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

AT_ONCE = 2**20  # entries that are looked at in float64 at a time: bounds the memory


class Sizes(NamedTuple):
    """Sizes over all tensors that an edit changes, W before and W' after it; None where there is none to divide by.

    `norm` is ‖ΔW‖ / ‖W‖, and `rounded` ‖(W' - W) - ΔW‖ / ‖ΔW‖, each in the Frobenius norm.
    """

    norm: float | None = None
    rounded: float | None = None


class Squares:
    """Adds up the squares that `Sizes` are made of, tensor by tensor, in float64."""

    def __init__(self) -> None:
        self._before = self._change = self._lost = 0.0

    @torch.no_grad()
    def add(self, before: Tensor, after: Tensor, change: Tensor) -> None:
        """Take in one tensor: its content `before` and `after` the edit, and `change`, all of one shape."""
        parts = (torch.split(tensor.flatten(), AT_ONCE) for tensor in (before, after, change))
        for part in zip(*parts, strict=True):
            old, new, delta = (tensor.double() for tensor in part)
            self._before += _square(old)
            self._change += _square(delta)
            self._lost += _square(new - old - delta)

    def sizes(self) -> Sizes:
        """Return the sizes of what was taken in."""
        return Sizes(_ratio(self._change, self._before), _ratio(self._lost, self._change))


def _square(tensor: Tensor) -> float:
    return float(tensor.square().sum())


def _ratio(square: float, whole: float) -> float | None:
    ratio = math.sqrt(square / whole) if whole > 0 and math.isfinite(whole) else math.nan
    return ratio if math.isfinite(ratio) else None
