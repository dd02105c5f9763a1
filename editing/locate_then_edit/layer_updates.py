"""The weight phase of MEMIT and what descends from it: new values are spread over several layers, from the lowest up.

At each layer, an update ΔW = R Aᵀ writes a share R of what is still missing at the top layer, measured anew with the
lower layers already edited (MEMIT, arXiv 2210.07229, algorithm 1). The methods differ in the adjusted keys A.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from ..context import EditContext
from ..edits.low_rank import LowRank
from ..edits.masters import master_of
from ..model.families import family_of
from ..model.forward import ROWS_AT_ONCE, LayerParts, Layers, read
from ..model.parameters import restored
from .keys import at_lookups, read_at_lookups
from .token_rows import LookupRow

LAYER = "layer"  # the output of a whole layer, as a place where a value is wanted

# From a module's path (without `{}`) and its keys K (f, m), float32, to A (f, m), float64.
Adjust = Callable[[str, Tensor], Tensor]


class _Reader(Protocol):
    """Reads keys and current values off a model whose lower layers are being edited."""

    def keys(self, layer: int, path: str) -> Tensor:
        """Return the keys of all rows at the module: (rows, f)."""

    def current(self, layer: int, place: str) -> Tensor:
        """Return what the model computes now at `place` of the top layer, for the bare prompts: (requests, d)."""


def spread(
    model: Any,
    rows: Sequence[LookupRow],
    bare: Sequence[LookupRow],
    targets: Mapping[str, tuple[str, Tensor]],
    layers: Sequence[int],
    share: Callable[[int], float],
    adjust: Adjust,
    context: EditContext,
) -> dict[str, LowRank]:
    """Return the update of each weight, in its shape and of rank m for m requests; the model is put back as it was.

    `rows` are the requests' prompts in each template, the bare one first; `bare` those prompts alone. `targets` has,
    for each module to edit (a path with `{}`, in the order of editing), the place whose output is to become the target,
    LAYER or the module's own path, and the target values (requests, d). `share(n)` divides what is missing when n
    layers, this one included, are still to come. What `adjust` raises is passed on: InputError for a covariance that is
    missing, of another shape or singular.
    """
    family = family_of(model)
    names = [_name(path, layer) for layer in layers for path in targets]
    reader: _Reader
    if context.speedups.layer_sweep and not any(row.row.padded for row in rows):
        reader = _Sweep(model, rows, len(rows) // len(bare), layers[-1])
    else:
        reader = _WholePasses(model, rows, bare, layers[-1], context)
    updates: dict[str, LowRank] = {}
    with torch.no_grad(), restored(model, names) as weights:
        for number, layer in enumerate(layers):
            for path, (place, wanted) in targets.items():
                keys = _averaged(reader.keys(layer, path), len(bare)).T
                missing = (wanted - reader.current(layer, place)).double().T / share(len(layers) - number)
                adjusted = adjust(path.replace("{}", str(layer)), keys)
                update, name = LowRank.of(missing, adjusted), _name(path, layer)
                updates[name] = update.transposed() if family.transposed else update
                weights[name].copy_(master_of(model, name, weights[name]) + updates[name].dense())
    return updates


def _name(path: str, layer: int) -> str:
    return f"{path.replace('{}', str(layer))}.weight"


def _averaged(keys: Tensor, requests: int) -> Tensor:
    """Return one key for each request, (requests, f): half from the bare prompt, half from the mean of the others."""
    grouped = keys.view(requests, -1, keys.shape[-1])
    bare, others = grouped[:, 0], grouped[:, 1:]
    return bare if not others.shape[1] else torch.stack([bare, others.mean(1)]).mean(0)


class _WholePasses:
    """A whole forward pass for each reading."""

    def __init__(
        self, model: Any, rows: Sequence[LookupRow], bare: Sequence[LookupRow], top: int, context: EditContext
    ):
        self._model, self._rows, self._bare, self._top = model, rows, bare, top
        self._speedups = context.speedups

    def keys(self, layer: int, path: str) -> Tensor:
        return read_at_lookups(self._model, self._rows, path, layer, self._speedups)[0]

    def current(self, layer: int, place: str) -> Tensor:
        path = family_of(self._model).layer if place == LAYER else place
        return read_at_lookups(self._model, self._bare, path, self._top, self._speedups)[1]


class _Sweep:
    """One way up the layers: all rows stand below the layer that is being edited, and go on when it is done.

    Rows end at their lookup, and only the bare prompts go on to the top layer, to see what is missing there.
    """

    def __init__(self, model: Any, rows: Sequence[LookupRow], contexts: int, top: int):
        self._model, self._top, self._contexts = model, top, contexts
        at_once = max(1, ROWS_AT_ONCE // contexts) * contexts
        self._chunks = [
            _Standing(model, rows[start : start + at_once], contexts) for start in range(0, len(rows), at_once)
        ]

    def keys(self, layer: int, path: str) -> Tensor:
        return torch.cat([chunk.keys(layer, path) for chunk in self._chunks])

    def current(self, layer: int, place: str) -> Tensor:
        return torch.cat([chunk.current(layer, place, self._top) for chunk in self._chunks])


class _Standing:
    """Some rows of a sweep, and the layer that they are about to enter."""

    def __init__(self, model: Any, rows: Sequence[LookupRow], contexts: int):
        self._rows, self._bare = rows, range(0, len(rows), contexts)
        self._family = family_of(model)
        tokens = [row.row.until(row.lookup + 1) for row in rows]
        self._layers = Layers(model, read(model, tokens))
        self._bare_rows = [rows[place] for place in self._bare]
        self._bare_layers = Layers(model, read(model, [tokens[place] for place in self._bare]))
        self._hidden, self._layer = self._layers.embedded, 0
        self._parts: LayerParts | None = None

    def keys(self, layer: int, path: str) -> Tensor:
        self._advance(layer)
        self._parts = self._layers.parts(self._hidden, layer)
        attention = path == self._family.attention_out
        return at_lookups(self._parts.attention_input if attention else self._parts.mlp_input, self._rows)

    def current(self, layer: int, place: str, top: int) -> Tensor:
        """Return the value at the top for the bare prompts, which pass the layer as `keys` has just read it."""
        assert self._parts is not None
        parts = self._parts.select(self._bare)
        if layer < top:
            width = self._bare_layers.embedded.shape[1]
            below = self._bare_layers.run(parts.output[:, :width], layer + 1, top - 1)
            parts = self._bare_layers.parts(below, top)
        values = {
            LAYER: parts.output,
            self._family.attention_out: parts.attention_output,
            self._family.mlp_out: parts.mlp_output,
        }
        return at_lookups(values[place], self._bare_rows)

    def _advance(self, layer: int) -> None:
        """Go on to the entrance of `layer`, with the weights as they are now."""
        if layer > self._layer:
            self._hidden = self._layers.run(self._hidden, self._layer, layer - 1)
            self._layer = layer
