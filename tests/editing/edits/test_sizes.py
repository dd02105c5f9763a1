import pytest
import torch

from edittool.editing.edits import sizes
from edittool.editing.edits.edit import Edit
from edittool.editing.edits.sizes import Sizes, Squares


def test_sizes_are_over_all_tensors_and_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    source = torch.Generator().manual_seed(0)
    before = [torch.randn(5, 7, generator=source), torch.randn(3, generator=source)]
    change = [tensor * 0.1 for tensor in before]
    after = [(old + new).bfloat16().float() for old, new in zip(before, change, strict=True)]
    for at_once in (2**20, 4):
        monkeypatch.setattr(sizes, "AT_ONCE", at_once)
        squares = Squares()
        for old, new, delta in zip(before, after, change, strict=True):
            squares.add(old, new, delta)
        found = squares.sizes()
        assert found.norm == pytest.approx(0.1)
        lost = torch.cat([(new - old - delta).flatten() for old, new, delta in zip(before, after, change, strict=True)])
        whole = torch.cat([delta.flatten() for delta in change])
        assert found.rounded == pytest.approx(float(lost.norm() / whole.norm()), rel=1e-4)


@pytest.mark.parametrize(
    ("weight", "delta", "found"), [(0, 1, (None, 0.0)), (1, 0, (0.0, None)), (1, torch.nan, (None, None))]
)
def test_nothing_to_divide_by(weight: float, delta: float, found: tuple[float | None, ...]) -> None:
    squares, one = Squares(), torch.ones(2)
    squares.add(weight * one, weight * one + delta * one, delta * one)
    assert squares.sizes() == found


@pytest.mark.parametrize(("dtype", "lost"), [(torch.float32, 0.0), (torch.bfloat16, 1.0)])
def test_an_edit_knows_what_rounding_took(dtype: torch.dtype, lost: float) -> None:
    model = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.ones_(model.weight)
    edit = Edit("ft", {"weight": torch.full((4, 4), 2.0**-10)})
    assert edit.sizes == Sizes()
    edit.apply(model.to(dtype))
    assert edit.sizes == Sizes(2.0**-10, lost)
    edit.undo()
