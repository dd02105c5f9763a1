"""The product of factors: right, and with the same bits however it is computed."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from edittool.editing.edits import low_rank
from edittool.editing.edits.low_rank import LowRank


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def change(rows: int, columns: int, rank: int) -> LowRank:
    return LowRank.of(drawn(1, rows, rank), drawn(2, columns, rank) * 1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 6))
def test_is_the_product(rows: int, columns: int, rank: int) -> None:
    one = change(rows, columns, rank)
    found = one.dense()
    assert (found.dtype, found.shape, one.shape) == (torch.float32, (rows, columns), (rows, columns))
    assert torch.allclose(found, (one.left.double() @ one.right.double().T).float(), rtol=1e-6, atol=1e-12)


def test_each_entry_is_summed_in_order_and_rounded_once() -> None:
    """By another route: numpy, column by column, and for rank 1 exact fractions."""
    one = change(7, 5, 4)
    left, right = one.left.double().numpy(), one.right.double().numpy()
    total = np.zeros((7, 5))
    for column in range(4):
        total = total + np.outer(left[:, column], right[:, column])
    assert np.array_equal(one.dense().numpy(), total.astype(np.float32))
    single = change(3, 2, 1)
    exact = [
        [np.float32(float(Fraction(a) * Fraction(b))) for b in single.right[:, 0].tolist()]
        for a in single.left[:, 0].tolist()
    ]
    assert np.array_equal(single.dense().numpy(), np.array(exact))


def test_blocks_and_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    one = change(33, 17, 6)
    whole = one.dense()
    monkeypatch.setattr(low_rank, "AT_ONCE", 40)
    assert torch.equal(one.dense(), whole)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert torch.equal(one.dense(), whole)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_changes_no_bit() -> None:
    one = change(300, 200, 12)
    assert torch.equal(one.to(torch.device("cuda")).dense().cpu(), one.dense())


def test_a_sum_of_changes_has_their_factors_in_order() -> None:
    one, other = change(6, 4, 2), LowRank.of(drawn(3, 6, 1), drawn(4, 4, 1))
    both = LowRank.total([one, other])
    assert both.left.shape == (6, 3)
    assert torch.allclose(both.dense(), one.dense() + other.dense(), atol=1e-6)
    assert torch.equal(LowRank.total([one]).dense(), one.dense())


def test_the_other_way_round_is_the_transpose() -> None:
    one = change(6, 4, 3)
    assert one.transposed().shape == (4, 6)
    assert torch.equal(one.transposed().dense(), one.dense().T)


@pytest.mark.parametrize(("rank", "pays"), [(1, True), (2, True), (3, False)])
def test_factors_pay_while_they_are_smaller(rank: int, pays: bool) -> None:
    assert change(8, 4, rank).pays == pays


@pytest.mark.parametrize("right", [torch.zeros(4, 3), torch.zeros(4)])
def test_factors_that_do_not_fit_are_refused(right: Tensor) -> None:
    with pytest.raises(ValueError, match="have no product"):
        LowRank(torch.zeros(6, 2), right)
