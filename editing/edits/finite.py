"""Whether an edit is made of numbers: one whose losses, changes or codebook are NaN or infinite teaches nothing.

That happens where a type is too narrow: float16 ends at 65,504, and a loss beyond it is infinite, its gradient NaN.
"""

import math
from collections.abc import Iterator
from typing import Any

import torch

from .edit import Edit

REMEDY = "Use --dtype float32 or bfloat16, or smaller steps."


def not_finite(edit: Edit, model: Any) -> str | None:
    """Return, in words, the first thing about `edit`, which is in `model`, that is no finite number; None where all is.

    Looked at are its losses, what it adds to each weight, the weights as they are with it, its codebook and its state.
    """
    return next(_faults(edit, model), None)


def _faults(edit: Edit, model: Any) -> Iterator[str]:
    for step, loss in enumerate(edit.losses, 1):
        if not math.isfinite(loss):
            yield f"its loss is {loss} at step {step} of {len(edit.losses)}"
    for name, delta in edit.deltas().items():
        if not bool(torch.isfinite(delta).all()):
            yield f"the change of {name} is not finite"
        if not bool(torch.isfinite(model.get_parameter(name)).all()):
            yield f"{name} with it is not finite"
    for name, tensor in edit.state.items():
        if not bool(torch.isfinite(tensor).all()):
            yield f"what it remembers of {name} is not finite"
    codebook = edit.codebook()
    if codebook is not None and not all(bool(torch.isfinite(tensor).all()) for tensor in codebook):
        yield "its codebook is not finite"
