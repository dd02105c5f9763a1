"""A model's parameters for the time of an edit's computation: kept from training, or changed and put back."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import nn


@contextlib.contextmanager
def frozen(model: nn.Module, but: Sequence[nn.Parameter] = ()) -> Iterator[None]:
    """Keep gradients away from every parameter of `model` except `but`; put every flag back at the end."""
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    try:
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        for parameter in but:
            parameter.requires_grad_(True)
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


@contextlib.contextmanager
def restored(model: nn.Module, names: Sequence[str]) -> Iterator[dict[str, nn.Parameter]]:
    """Give the parameters of these names, to change in place; put their content back at the end."""
    parameters = dict(model.named_parameters())
    chosen = {name: parameters[name] for name in names}
    before = {name: parameter.detach().clone() for name, parameter in chosen.items()}
    try:
        yield chosen
    finally:
        with torch.no_grad():
            for name, parameter in chosen.items():
                parameter.copy_(before[name])
