"""One forward pass of the whole model for one row."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .given import Given
from .rows import Row


@dataclass(frozen=True)
class Seen:
    """Logits (tokens, vocabulary), and of each watched module the input and output, (tokens, width)."""

    logits: Tensor
    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


def forward(given: Given, row: Row, watched: Sequence[str], deltas: Mapping[str, Tensor] | None = None) -> Seen:
    """Run the model on the row; each delta is added to its module's output at the row's lookup."""
    inputs: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}

    def hook(path: str) -> Any:
        def change(module: Any, args: tuple[Tensor, ...], output: Any) -> Any:
            whole = output[0] if isinstance(output, tuple) else output
            if deltas is not None and path in deltas:
                here = torch.zeros(whole.shape[1], 1, dtype=whole.dtype)
                here[row.lookup] = 1
                whole = whole + here * deltas[path].to(whole.dtype)
            inputs[path], outputs[path] = args[0][0], whole[0]
            return (whole, *output[1:]) if isinstance(output, tuple) else whole

        return change

    with contextlib.ExitStack() as hooks:
        for path in {*watched, *(deltas or {})}:
            hooks.enter_context(_hooked(given.model.get_submodule(path), hook(path)))
        mask = torch.tensor([[0] * row.padding + [1] * (len(row.ids) - row.padding)])
        logits = given.model(torch.tensor([row.ids]), attention_mask=mask, use_cache=False).logits[0]
    return Seen(logits, inputs, outputs)


@contextlib.contextmanager
def _hooked(module: Any, hook: Any) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
