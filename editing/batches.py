"""Token rows of unequal length as one left-padded batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


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
