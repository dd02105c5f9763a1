"""Sums in a fixed order: what `index_add` and `index_put` compute, and the same bits every time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edittool.editing.model.sums import added_at, repeated, sums_of


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), requires_grad=True)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), st.integers(0, 1000))
def test_sums_are_those_of_their_owners(owners: list[int], seed: int) -> None:
    values, places, scale = drawn(seed, len(owners)), torch.tensor(owners), torch.arange(1.0, 6.0)
    found, expected = sums_of(values, places, 5), torch.zeros(5).index_add(0, places, values)
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)
    (one,) = torch.autograd.grad((found * scale).sum(), values)
    assert torch.equal(one, scale[places])


def test_no_number_is_its_owners_alone() -> None:
    values, owners = torch.tensor([1.0, torch.nan, 2.0, torch.inf]), torch.tensor([0, 1, 0, 2])
    assert sums_of(values, owners, 3).tolist() == pytest.approx([3.0, torch.nan, torch.inf], nan_ok=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_are_added_in_one_column(dtype: torch.dtype) -> None:
    hidden, values, columns = drawn(1, 3, 5, 4), drawn(2, 3, 4), torch.tensor([0, 4, 2])
    found = added_at(hidden.to(dtype), columns, values)
    rows = torch.arange(3)
    expected = hidden.to(dtype).index_put((rows, columns), values.to(dtype), accumulate=True)
    assert torch.equal(found, expected)
    ours = torch.autograd.grad(found.float().square().sum(), [hidden, values])
    theirs = torch.autograd.grad(expected.float().square().sum(), [hidden, values])
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_values_are_repeated_in_order() -> None:
    values = drawn(1, 3, 2)
    found = repeated(values, [2, 1, 3])
    assert torch.equal(found, values[torch.tensor([0, 0, 1, 2, 2, 2])])
    (slope,) = torch.autograd.grad(found.sum(), values)
    assert slope.tolist() == [[2.0, 2.0], [1.0, 1.0], [3.0, 3.0]]
