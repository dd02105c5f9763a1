"""The methods, each in the few steps it consists of."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .given import Given
from .values import optimise
from .weights import restored, rome_update, shaped, spread, write


@dataclass(frozen=True)
class Learned:
    """What a method adds to each parameter, float32, and its losses, request after request.

    `keys` (f, m) by module: what AlphaEdit's next edit has to spare.
    """

    deltas: dict[str, Tensor]
    losses: list[float]
    keys: dict[str, Tensor] = field(default_factory=dict)


def rome(given: Given) -> Learned:
    """ROME (Meng et al., arXiv 2202.05262), R-ROME and P-ROME: one layer, and one request after the other."""
    name, losses = f"{given.path('rewrite_module_tmp')}.weight", []
    summed = torch.zeros_like(given.model.get_parameter(name))
    with restored(given):
        for request in given.requests:
            value = optimise(given, request)
            update = shaped(given, rome_update(given, request, value))
            write(given, name, update)
            summed, losses = summed + update, losses + value.losses
    return Learned({name: summed}, losses)


def memit(given: Given) -> Learned:
    """MEMIT (Meng et al., arXiv 2210.07229), PMET (Li et al., arXiv 2308.08742), EMMET (Gupta et al., arXiv 2403.14236)
    and AlphaEdit (Fang et al., arXiv 2410.02355): every value first, then weights."""
    values = [optimise(given, request) for request in given.requests]
    keys: dict[str, Tensor] = {}
    updates = spread(given, values, keys)
    return Learned(updates, [loss for value in values for loss in value.losses], keys)


PLAIN: dict[str, Callable[[Given], Learned]] = {
    "rome": rome,
    "memit": memit,
    "pmet": memit,
    "emmet": memit,
    "alphaedit": memit,
}


def learn(given: Given) -> Learned:
    return PLAIN[given.method](given)
