"""What an edit may be given besides model, requests and hyperparameters, and what a run of many edits keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from .speedups import Speedups


@dataclass(frozen=True, slots=True)
class EditContext:
    """Inputs of an edit that are fixed here, or drawn and computed where they are absent. Every field is optional.

    `templates`: the contexts of ROME, MEMIT and PMET, each with one `{}` for the prompt; the bare "{}" is put first
    where it is missing, and groups of them, as EasyEdit has, count as one list. Absent: sampled from the model itself
    at the first edit (see `templates`), then kept.
    `covariance`: for a module path (`model.layers.4.mlp.down_proj`) the uncentred covariance of its inputs, shape
    (f, f). Any mapping will do, one that reads files on demand too.
    `initial_values`: where GRACE starts, one tensor of shape (d,) for each request; absent: drawn from U[0, 1) by
    `seed`. `seed` also decides the sampled templates.

    One context serves all edits of a run: it keeps what need not be computed twice (templates, factored covariances).
    """

    templates: Sequence[str | Sequence[str]] | None = None
    covariance: Mapping[str, Tensor] = field(default_factory=dict)
    initial_values: Sequence[Tensor] | None = None
    seed: int = 0
    speedups: Speedups = field(default_factory=Speedups)
    kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
