"""Texts that a model has read, side by side: their keys and values, and the logits that follow them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from ..edits.codebook import looking_at_each


@dataclass(frozen=True, slots=True)
class Batch:
    """Left-padded rows, each an int64 tensor of shape (rows, width).

    `mask` is 1 on real tokens. `positions` count the real tokens from 0, so that models with absolute positions
    (GPT-2) see each row as if it stood alone.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor


def left_pad(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> Batch:
    """Return `rows` as a batch on `device`, each row at the right edge."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return Batch(ids, mask, (mask.cumsum(1) - 1).clamp(min=0))


def layers_of(cache: DynamicCache) -> list[Any]:
    """Return the layers, with `keys` and `values`, (rows, heads, columns, d); transformers' type has some without."""
    return list(cache.layers)


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts that were read: the model's cache, the mask (rows, width), and the next logits (rows, vocabulary)."""

    cache: DynamicCache
    mask: Tensor
    logits: Tensor

    @property
    def width(self) -> int:
        """The columns of a row, with its padding."""
        return self.mask.shape[1]


def read_prompts(model: Any, prompts: Sequence[Sequence[int]], pad: int) -> Prompts:
    """Read `prompts`, each a row, in one pass through `model`."""
    batch = left_pad(prompts, pad, model.device)
    cache = DynamicCache(config=model.config)
    logits = model(
        input_ids=batch.ids,
        attention_mask=batch.mask,
        position_ids=batch.positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    return Prompts(cache, batch.mask, logits)


def read_on(
    model: Any, prompts: Prompts, rows: Sequence[int], texts: Sequence[Sequence[int]]
) -> tuple[DynamicCache, Tensor]:
    """Read `texts` after the prompts in `rows`, in one pass; codebooks are looked up as if it were token by token.

    Returns a cache, whose rows are in the order of `texts` and begin with the columns of the prompts, and the logits
    after each token, (texts, longest text, vocabulary). The prompts' own cache stays as it is.
    """
    which = torch.tensor(rows, device=model.device)
    cache = DynamicCache(config=model.config)
    for layer, read in zip(layers_of(cache), layers_of(prompts.cache), strict=True):
        layer.update(read.keys[which], read.values[which])
    width = max(map(len, texts))
    ids = torch.tensor([[*text, *[text[-1]] * (width - len(text))] for text in texts], device=model.device)
    before = prompts.mask[which]
    with looking_at_each():
        logits = model(
            input_ids=ids,
            attention_mask=torch.cat([before, before.new_ones(ids.shape)], dim=1),
            position_ids=before.sum(1, keepdim=True) + torch.arange(width, device=model.device),
            past_key_values=cache,
            use_cache=True,
        ).logits
    return cache, logits
