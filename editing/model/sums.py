"""Sums and scatters that come out the same every time: `index_add` and its like add in any order on a GPU."""

from collections.abc import Sequence

import torch
from torch import Tensor


def sums_of(values: Tensor, owners: Tensor, count: int) -> Tensor:
    """Return the sum of the `values` (n,) of each owner, (count,); `owners` (n,) are numbers below `count`.

    A value that is no number makes its owner's sum none, and no other.
    """
    mine = owners == torch.arange(count, device=owners.device)[:, None]
    return torch.where(mine, values, torch.zeros_like(values)).sum(1)


def repeated(values: Tensor, counts: Sequence[int]) -> Tensor:
    """Return each of `values` (n, d) as many times as `counts` (n,) says, one after the other."""
    return torch.cat([value.expand(number, -1) for value, number in zip(values, counts, strict=True)])


def added_at(hidden: Tensor, columns: Tensor, values: Tensor) -> Tensor:
    """Return `hidden` (rows, width, d) with `values` (rows, d) added in one column of each row, `columns` (rows,)."""
    here = torch.arange(hidden.shape[1], device=hidden.device) == columns[:, None]
    return torch.where(here[..., None], hidden + values[:, None].to(hidden.dtype), hidden)
