"""Keys and current values: the inputs and outputs of a linear layer at the lookup position of each row."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..context import Speedups
from ..model.forward import ROWS_AT_ONCE, Layers, captured, read
from .token_rows import LookupRow


@torch.no_grad()
def read_at_lookups(
    model: Any, rows: Sequence[LookupRow], path: str, layer: int, speedups: Speedups
) -> tuple[Tensor, Tensor]:
    """Return input (rows, f) and output (rows, d) of the module at `path` in `layer`, in float32.

    With the layer sweep on, tokens after the lookup and layers above the module are left out: they cannot reach it.
    """
    inputs, outputs = [], []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = rows[start : start + ROWS_AT_ONCE]
        module = model.get_submodule(path.replace("{}", str(layer)))
        with captured(module) as seen:
            if speedups.layer_sweep and not any(row.row.padded for row in chunk):
                layers = Layers(model, read(model, [row.row.until(row.lookup + 1) for row in chunk]))
                layers.run(layers.embedded, 0, layer)
            else:
                batch = read(model, [row.row for row in chunk])
                model(input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False)
        inputs.append(at_lookups(seen[0].input, chunk))
        outputs.append(at_lookups(seen[0].output, chunk))
    return torch.cat(inputs), torch.cat(outputs)


def at_lookups(hidden: Tensor, rows: Sequence[LookupRow]) -> Tensor:
    """Return what `hidden` (rows, width, features) has at the lookup of each row, in float32: (rows, features)."""
    lookups = torch.tensor([row.lookup for row in rows], device=hidden.device)
    return hidden[torch.arange(len(rows), device=hidden.device), lookups].float()
