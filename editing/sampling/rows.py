"""Rows of text that a model writes side by side: one that has ended makes room for another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from .reading import layers_of

_SPARE = 64  # columns that no row needs any more, from which on they are cut off


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was read: the `length` columns from `start` on, in row `place` of `cache`."""

    cache: DynamicCache
    place: int
    start: int
    length: int


def can_refill(model: Any) -> bool:
    """Say whether all layers keep the keys and values of every token: no window, no running state."""
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=model.config).layers)


class Rows:
    """Left-padded rows, the last token of each in the last column, with the cache that a model goes on from.

    What stands before a row's first token is masked, and 0, whatever a row before it has left there.
    """

    def __init__(self, model: Any, cache: DynamicCache, lengths: Sequence[int], width: int):
        self._model = model
        self._cache: Any = cache  # typed for a kind of tensor that torch does not make
        self._lengths, self._width = torch.tensor(lengths, device=model.device), width
        self._longest = max(lengths)

    @classmethod
    def of(cls, model: Any, texts: Sequence[Text]) -> Self:
        """Return rows of `texts`, which may be of several readings."""
        lengths = [text.length for text in texts]
        cache = DynamicCache(config=model.config)
        for layer, like in zip(layers_of(cache), layers_of(texts[0].cache), strict=True):
            shapes = [(len(texts), read.shape[1], max(lengths), read.shape[3]) for read in (like.keys, like.values)]
            layer.update(*(read.new_zeros(shape) for read, shape in zip((like.keys, like.values), shapes, strict=True)))
        rows = cls(model, cache, lengths, max(lengths))
        for place, text in enumerate(texts):
            rows._copy(place, text)
        return rows

    @classmethod
    def of_one_reading(cls, model: Any, texts: Sequence[Text], width: int) -> Self:
        """Return rows of `texts` in the cache that all of them were read into, `width` columns; any model has one."""
        cache: Any = texts[0].cache  # typed for a kind of tensor that torch does not make
        cache.reorder_cache(torch.tensor([text.place for text in texts], device=model.device))
        return cls(model, cache, [text.length for text in texts], width)

    def put(self, place: int, text: Text) -> None:
        """Let `text` be the row at `place`, of a model that can be refilled."""
        if (missing := text.length - self._width) > 0:
            self._resize(missing)
        self._copy(place, text)
        self._lengths[place] = text.length
        self._longest = max(self._longest, text.length)

    def keep(self, places: Sequence[int]) -> None:
        """Let only these rows stay, in this order."""
        which = torch.tensor(places, device=self._lengths.device)
        self._cache.reorder_cache(which)
        self._lengths = self._lengths[which]

    def step(self, tokens: Tensor) -> Tensor:
        """Read one token of each row, int64 (rows,), and return the logits that follow it, (rows, vocabulary)."""
        self._lengths = self._lengths + 1
        self._width, self._longest = self._width + 1, self._longest + 1
        columns = torch.arange(self._width, device=tokens.device)
        logits: Tensor = self._model(
            input_ids=tokens[:, None],
            attention_mask=(columns >= self._width - self._lengths[:, None]).long(),
            position_ids=self._lengths[:, None] - 1,
            past_key_values=self._cache,
            use_cache=True,
        ).logits[:, -1]
        return logits

    def trim(self) -> None:
        """Cut off columns that no row needs any more, where they are many; of a model that can be refilled."""
        self._longest = int(self._lengths.max())
        if self._width - self._longest >= _SPARE:
            self._resize(self._longest - self._width)

    def _resize(self, more: int) -> None:
        """Add columns at the left, or cut off as many."""
        for layer in layers_of(self._cache):
            layer.keys, layer.values = (pad(kept, (0, 0, more, 0)) for kept in (layer.keys, layer.values))
        self._width += more

    def _copy(self, place: int, text: Text) -> None:
        for layer, read in zip(layers_of(self._cache), layers_of(text.cache), strict=True):
            for kept, given in ((layer.keys, read.keys), (layer.values, read.values)):
                kept[place, :, : self._width - text.length] = 0
                kept[place, :, self._width - text.length :] = given[
                    text.place, :, text.start : text.start + text.length
                ]
