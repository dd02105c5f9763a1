"""A forward pass in parts: the part that an edit cannot change is computed once, the rest again for each try.

Two facts make this exact. Layers below the edited module do not depend on it; and attention looks back only, so at
the layers above, the positions before the first edited one keep their keys and values. The model's own layers do all
the work: its forward is called with layers that only note how they are called, and those calls are then repeated.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from .families import family_of

ROWS_AT_ONCE = 128  # rows in one forward pass: bounds the memory, whatever the number of requests


@dataclass(frozen=True, slots=True)
class Row:
    """The tokens of one text, and which of them count (1) or are padding that belongs to it (0)."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]

    @classmethod
    def of(cls, ids: Sequence[int]) -> Self:
        """Return a row without padding."""
        return cls(tuple(ids), (1,) * len(ids))

    @property
    def padded(self) -> bool:
        """Whether padding belongs to the row."""
        return 0 in self.mask

    def padded_left(self, pad: int, width: int) -> "Row":
        """Return the row with `pad` before it, `width` tokens in all."""
        missing = width - len(self.ids)
        return Row((pad,) * missing + self.ids, (0,) * missing + self.mask)

    def until(self, end: int) -> "Row":
        """Return the first `end` tokens: nothing after them can reach them."""
        return Row(self.ids[:end], self.mask[:end])


@dataclass(frozen=True, slots=True)
class LayerParts:
    """What one layer computed, each (rows, width, features).

    The inputs and outputs are those of the attention's and the MLP's last linear layers; `middle` is the residual
    stream between the two, and `output` is `middle` plus the MLP's output.
    """

    attention_input: Tensor
    attention_output: Tensor
    middle: Tensor
    mlp_input: Tensor
    mlp_output: Tensor
    output: Tensor

    def select(self, which: Sequence[int]) -> "LayerParts":
        """Return the rows of these numbers."""
        return LayerParts(*(getattr(self, part.name)[list(which)] for part in fields(self)))


class FrozenCache(DynamicCache):
    """Keys and values of the positions read before; once frozen, new ones are joined on but not kept.

    Made without the model's configuration, it keeps every position where attention has a window too: the mask hides
    what lies before the window.
    """

    frozen = False

    def update(self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> Any:
        """Return the keys and values so far, the new ones last."""
        if not self.frozen:
            return super().update(key_states, value_states, layer_idx, *args, **kwargs)
        layer: Any = self.layers[layer_idx]
        return torch.cat([layer.keys, key_states], dim=-2), torch.cat([layer.values, value_states], dim=-2)


@dataclass(frozen=True, slots=True)
class Batch:
    """Right-padded rows, each int64 of shape (rows, width), with the cache of what came before them, if anything.

    `mask` also covers the cached positions: (rows, cached + width). `positions` count from the row's beginning.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor
    cache: FrozenCache | None = None

    def select(self, which: Sequence[int]) -> "Batch":
        """Return the rows of these numbers; the cache is cut down in place, so this batch is of no further use."""
        chosen = torch.tensor(which, device=self.ids.device)
        if self.cache is not None:
            self.cache.batch_select_indices(chosen)
        return Batch(self.ids[chosen], self.mask[chosen], self.positions[chosen], self.cache)


def read(model: Any, rows: Sequence[Row], starts: Sequence[int] | None = None) -> Batch:
    """Return `rows` as a batch for `model`, right-padded: causal attention keeps that padding from reaching anything.

    With `starts`, the tokens before each row's start are read into a cache at once, and the batch is what follows:
    column 0 is the token at the row's start.
    """
    starts = starts or [0] * len(rows)
    device = model.device
    rests = [Row(row.ids[start:], row.mask[start:]) for row, start in zip(rows, starts, strict=True)]
    ids, mask = _padded(rests, model)
    positions = torch.arange(ids.shape[1], device=device) + torch.tensor(starts, device=device)[:, None]
    if not max(starts):
        return Batch(ids, mask, positions)
    cache, before = _read_before(model, [row.until(start) for row, start in zip(rows, starts, strict=True)])
    return Batch(ids, torch.cat([before, mask], dim=1), positions, cache)


@torch.no_grad()
def _read_before(model: Any, rows: Sequence[Row]) -> tuple[FrozenCache, Tensor]:
    """Return the cache of `rows` and their mask; an empty row reads one padding token, which nothing looks at.

    They are padded on the left: attention with a window counts columns, so those of a row have to follow each other.
    """
    ids, mask = _padded(rows, model, left=True)
    seen = mask.clone()
    seen[[place for place, row in enumerate(rows) if not row.ids], -1] = 1
    cache = FrozenCache()
    before = torch.tensor([ids.shape[1] - len(row.ids) for row in rows], device=ids.device)
    positions = (torch.arange(ids.shape[1], device=ids.device) - before[:, None]).clamp(min=0)
    model.base_model(input_ids=ids, attention_mask=seen, position_ids=positions, past_key_values=cache, use_cache=True)
    cache.frozen = True
    return cache, mask


def _padded(rows: Sequence[Row], model: Any, left: bool = False) -> tuple[Tensor, Tensor]:
    """Return ids and mask of `rows`, padded on the right, or the left, with a token that nothing looks at."""
    width = max(len(row.ids) for row in rows)
    config = model.config.get_text_config(decoder=True)
    known = getattr(config, "pad_token_id", None)
    pad = known if isinstance(known, int) and 0 <= known < config.vocab_size else 0

    def filled(values: Sequence[int], value: int) -> list[int]:
        padding = [value] * (width - len(values))
        return [*padding, *values] if left else [*values, *padding]

    ids = torch.tensor([filled(row.ids, pad) for row in rows], device=model.device)
    return ids, torch.tensor([filled(row.mask, 0) for row in rows], device=model.device)


class Layers:
    """The decoder layers of a model, called one by one on a batch as the model itself would call them.

    `embedded` is what goes into layer 0, (rows, width, d).
    """

    def __init__(self, model: Any, batch: Batch):
        self.model, self.family, self.batch = model, family_of(model), batch
        self.count: int = model.config.num_hidden_layers
        self.embedded, self._calls = self._note_calls()

    @torch.no_grad()
    def _note_calls(self) -> tuple[Tensor, list[tuple[tuple[Any, ...], dict[str, Any]]]]:
        """Return the embeddings, and the arguments that each layer is called with besides the hidden states."""
        calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        entered: list[Tensor] = []

        def note(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
            entered.append(hidden)
            calls.append((args, kwargs))
            return (hidden, None) if self.family.in_tuples else hidden

        with self._forwards_replaced_by(note):
            self.model.base_model(
                input_ids=self.batch.ids,
                attention_mask=self.batch.mask,
                position_ids=self.batch.positions,
                past_key_values=self.batch.cache,
                use_cache=self.batch.cache is not None,
            )
        return entered[0], calls

    @contextlib.contextmanager
    def _forwards_replaced_by(self, forward: Callable[..., Any]) -> Iterator[None]:
        layers: list[Any] = [self.layer(number) for number in range(self.count)]
        own = [layer.__dict__.get("forward") for layer in layers]
        try:
            for layer in layers:
                layer.forward = forward
            yield
        finally:
            for layer, before in zip(layers, own, strict=True):
                del layer.forward
                if before is not None:
                    layer.forward = before

    def layer(self, number: int) -> nn.Module:
        """Return the layer of that number, counted from 0."""
        return self.module(self.family.layer, number)

    def module(self, path: str, number: int) -> nn.Module:
        """Return the module at a path of the family's, in the layer of that number."""
        found: nn.Module = self.model.get_submodule(path.replace("{}", str(number)))
        return found

    def run(self, hidden: Tensor, first: int, last: int | None = None) -> Tensor:
        """Return what the layers from `first` to `last`, both included, make of `hidden`; by default to the top."""
        for number in range(first, self.count if last is None else last + 1):
            args, kwargs = self._calls[number]
            hidden = plain(self.layer(number)(hidden, *args, **kwargs))
        return hidden

    def mlp(self, middle: Tensor, number: int) -> Tensor:
        """Return the output of a layer's MLP for the residual stream before it."""
        output: Tensor = self.module(self.family.mlp, number)(self.module(self.family.mlp_norm, number)(middle))
        return output

    def parts(self, hidden: Tensor, number: int) -> LayerParts:
        """Return the parts of the layer of that number, which is given `hidden`."""
        paths = (self.family.attention_out, self.family.mlp_norm, self.family.mlp_out)
        with captured(*(self.module(path, number) for path in paths)) as seen:
            output = self.run(hidden, number, number)
        attention, norm, mlp = seen[0], seen[1], seen[2]
        return LayerParts(attention.input, attention.output, norm.input, mlp.input, mlp.output, output)


@dataclass(slots=True)
class Seen:
    """What went into a module and what came out of it."""

    input: Tensor
    output: Tensor


@contextlib.contextmanager
def captured(*modules: nn.Module) -> Iterator[dict[int, Seen]]:
    """Note the first input and the output of each module, by its place among `modules`, while they run."""
    seen: dict[int, Seen] = {}

    def note(place: int) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
            seen[place] = Seen(args[0] if args else kwargs["hidden_states"], plain(output))

        return hook

    handles = [module.register_forward_hook(note(i), with_kwargs=True) for i, module in enumerate(modules)]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def plain(output: Any) -> Tensor:
    """Return the hidden states of a module's output: some give them in a tuple, with more."""
    tensor: Tensor = output[0] if isinstance(output, tuple) else output
    return tensor


def head(model: Any, hidden: Tensor) -> Tensor:
    """Return float32 log-probabilities (..., vocabulary) of the next token after the last layer's `hidden` (..., d)."""
    normed = model.get_submodule(family_of(model).norm)(hidden)
    return torch.log_softmax(model.get_output_embeddings()(normed).float(), dim=-1)
