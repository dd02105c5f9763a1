"""Changes of low rank, kept as two factors: their product has the same bits on every device and in every process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

AT_ONCE = 2**22  # entries of the product that are computed at a time: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class LowRank:
    """The change left @ right.T of a tensor (rows, columns): `left` (rows, rank), `right` (columns, rank), float32."""

    left: Tensor
    right: Tensor

    def __post_init__(self) -> None:
        """Raise ValueError for factors that do not fit together."""
        if self.left.dim() != 2 or self.right.dim() != 2 or self.left.shape[1] != self.right.shape[1]:
            shapes = f"{tuple(self.left.shape)} and {tuple(self.right.shape)}"
            raise ValueError(f"factors of shapes {shapes} have no product")

    @classmethod
    def of(cls, left: Tensor, right: Tensor) -> Self:
        """Return the change with these factors, rounded to float32."""
        return cls(left.detach().float(), right.detach().float())

    @classmethod
    def total(cls, changes: Sequence["LowRank"]) -> Self:
        """Return the sum of `changes` of one tensor, in their order. There has to be one at least."""
        return cls(torch.cat([one.left for one in changes], 1), torch.cat([one.right for one in changes], 1))

    @property
    def shape(self) -> torch.Size:
        """The shape of the tensor that is changed."""
        return torch.Size((len(self.left), len(self.right)))

    @property
    def pays(self) -> bool:
        """Whether the factors take less room than their product."""
        return self.left.numel() + self.right.numel() < self.shape.numel()

    def transposed(self) -> "LowRank":
        """Return the same change of a weight that is stored as (input, output)."""
        return LowRank(self.right, self.left)

    def to(self, device: torch.device) -> "LowRank":
        """Return the same change, with its factors on `device`."""
        return LowRank(self.left.to(device), self.right.to(device))

    @torch.no_grad()
    def dense(self) -> Tensor:
        """Return the product, (rows, columns) in float32.

        Each entry is summed in float64, in the order of the factors' columns, and rounded once. Float64 holds the
        product of two float32 numbers exactly, so neither fused operations nor threads nor the device change a bit.
        """
        left, right = self.left.double(), self.right.double()
        product = torch.empty(self.shape, device=left.device)
        rows = max(1, AT_ONCE // max(1, len(right)))
        for start in range(0, len(left), rows):
            block = left[start : start + rows]
            total = block.new_zeros(len(block), len(right))
            for column in range(left.shape[1]):
                total.addcmul_(block[:, column, None], right[:, column])
            product[start : start + rows] = total
        return product
