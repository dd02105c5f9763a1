"""The context of an edit: the optional inputs besides model, requests and hyperparameters, and the speed-ups.

One context serves all edits of a run, and keeps the results that they share.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Speedups:
    """Which speed-ups are on. None changes a result in real arithmetic; in float32 they agree within 1e-4.

    `layer_cache`: what lies below the edited module is computed once, not in each step of an optimisation.
    `position_cache`: attention looks back only, so the positions before an edited one keep their keys and values.
    `loss_positions`: the head runs on the positions that the loss reads, not on all.
    `batched_requests`: the values of many requests are optimised in one batch.
    `layer_sweep`: MEMIT and its descendants go up the layers once, editing on the way, not with a pass for each read.
    `factored_solve`: the covariance is factored once for each layer, not once for each edit; AlphaEdit's equations are
    solved for its keys, not for all inputs.
    `touched_only`: an edit keeps the old content of the tensors it touches, not of the whole model.
    """

    layer_cache: bool = True
    position_cache: bool = True
    loss_positions: bool = True
    batched_requests: bool = True
    layer_sweep: bool = True
    factored_solve: bool = True
    touched_only: bool = True

    @classmethod
    def none(cls) -> Self:
        """Return the switches all off: the plain computation that the others are measured against."""
        return cls(**{field.name: False for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Step:
    """How far an optimisation is: at `step` of at most `steps`, for the `request`-th of `requests`, at this `loss`.

    All count from 1. Where several requests are optimised together, `request` is the last of them, and `done` says how
    much of the whole is done, from 0 to 1; without it, one request comes after the other.
    """

    request: int
    requests: int
    step: int
    steps: int
    loss: float
    done: float | None = None

    def share(self) -> float:
        """Return how much of the whole is done, from 0 to 1: less is left where an optimisation stops by itself."""
        return self.done if self.done is not None else (self.request - 1 + self.step / self.steps) / self.requests


def _silent(said: Any) -> None:
    pass


@dataclass(frozen=True, slots=True)
class EditContext:
    """Inputs of an edit that are fixed here, or drawn and computed where they are absent. Every field is optional.

    `templates`: the contexts of ROME, MEMIT and its descendants, each with one `{}` for the prompt; the bare "{}" is
    put first where it is missing, and groups of them, as EasyEdit has, count as one list. Absent: sampled from the
    model itself at the first edit (see `locate_then_edit.contexts`), then kept.
    `covariance`: for a module path (`model.layers.4.mlp.down_proj`) the uncentred covariance of its inputs, shape
    (f, f). Any mapping will do, one that reads files on demand too.
    `initial_values`: where GRACE starts, one tensor of shape (d,) for each request; absent: drawn from U[0, 1) by
    `seed`. `seed` also decides the sampled templates.

    `kept` holds what need not be computed twice: sampled templates, factored covariances, projections.

    `watch` hears of every step of an optimisation, and `say`, in words, of what else takes long.
    """

    templates: Sequence[str | Sequence[str]] | None = None
    covariance: Mapping[str, Tensor] = field(default_factory=dict)
    initial_values: Sequence[Tensor] | None = None
    seed: int = 0
    speedups: Speedups = field(default_factory=Speedups)
    kept: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)
    watch: Callable[[Step], None] = field(default=_silent, repr=False, compare=False)
    say: Callable[[str], None] = field(default=_silent, repr=False, compare=False)
