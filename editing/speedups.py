"""The exact speed-ups, each behind one switch: what they leave out cannot change, so results stay what they were."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True, slots=True)
class Speedups:
    """Which speed-ups are on. None changes a result in real arithmetic; in float32 they agree within 1e-4.

    `layer_cache`: what lies below the edited module is computed once, not in each step of an optimisation.
    `position_cache`: attention looks back only, so the positions before an edited one keep their keys and values.
    `loss_positions`: the head runs on the positions that the loss reads, not on all.
    `batched_requests`: the values of many requests are optimised in one batch.
    `layer_sweep`: MEMIT and PMET go up the layers once, editing on the way, instead of a forward pass for each read.
    `factored_solve`: the covariance is factored once for each layer, not once for each edit.
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
