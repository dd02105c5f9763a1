"""Models of 16 bits: edits are added to float32 masters, and the tensors are these, rounded once."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from edittool.editing.edits.edit import Edit
from edittool.editing.edits.masters import master_of
from edittool.editing.edits.series import EditSeries

NAME = "model.layers.1.mlp.down_proj.weight"
HALF = [torch.bfloat16, torch.float16]


@pytest.fixture(params=HALF, ids=str)
def half(llama: Any, request: pytest.FixtureRequest) -> Any:
    """A model of 16 bits whose weights are as large as those of trained ones."""
    with torch.no_grad():
        llama.get_parameter(NAME).mul_(0.02 / 0.3)
    return llama.to(request.param)


def small(number: int, size: float = 1e-4) -> Tensor:
    """A change such as FT's, whose clamp leaves 1e-4 in most entries."""
    return size * torch.randn(32, 48, generator=torch.Generator().manual_seed(number)).sign()


def test_78_edits_in_sequence_are_their_sum_rounded_once(half: Any) -> None:
    weight = half.get_parameter(NAME)
    start, total = weight.detach().clone(), weight.detach().float()
    with EditSeries(half) as series:
        for number in range(78):
            series.add(Edit("ft", {NAME: small(number)}).apply(half))
            total = total + small(number)
            assert torch.equal(weight, total.to(weight.dtype))
        assert torch.equal(master_of(half, NAME, weight), total)
    assert torch.equal(weight, start)
    assert torch.equal(master_of(half, NAME, weight), start.float())


def test_what_rounding_takes_from_one_edit_comes_with_the_next(half: Any) -> None:
    """A change too small to move any entry by itself; so many of them as add up to 0.01."""
    weight = half.get_parameter(NAME)
    with torch.no_grad():
        weight.fill_(1.0)
    step = torch.full((32, 48), 1e-4)
    with EditSeries(half) as series:
        series.add(Edit("ft", {NAME: step}).apply(half))
        assert torch.equal(weight, torch.ones_like(weight))
        for _ in range(99):
            series.add(Edit("ft", {NAME: step}).apply(half))
        assert weight[0, 0].item() == pytest.approx(1.01, abs=2**-8)
        assert weight[0, 0] > 1


def test_stacked_edits_come_out_with_their_masters(half: Any) -> None:
    weight = half.get_parameter(NAME)
    states, edits = [], []
    for number in range(4):
        states.append((weight.detach().clone(), master_of(half, NAME, weight).clone()))
        edits.append(Edit("ft", {NAME: small(number, 1e-5)}).apply(half))
    for edit, (tensor, master) in zip(reversed(edits), reversed(states), strict=True):
        edit.undo()
        assert torch.equal(weight, tensor)
        assert torch.equal(master_of(half, NAME, weight), master)


def test_saved_edits_give_another_copy_the_same_bits(half: Any, tmp_path: Path) -> None:
    fresh = copy.deepcopy(half)
    for number in range(5):
        Edit("ft", {NAME: small(number, 3e-5)}).apply(half).save(tmp_path / f"{number}")
        Edit.load(tmp_path / f"{number}").apply(fresh)
        assert torch.equal(half.get_parameter(NAME), fresh.get_parameter(NAME))


def test_what_others_write_to_the_tensor_counts(half: Any) -> None:
    weight = half.get_parameter(NAME)
    edit = Edit("ft", {NAME: small(0)}).apply(half)
    with torch.no_grad():
        weight.fill_(0.5)
    assert torch.equal(master_of(half, NAME, weight), torch.full((32, 48), 0.5))
    with Edit("ft", {NAME: small(1)}).apply(half):
        assert torch.equal(weight, (0.5 + small(1)).to(weight.dtype))
    edit.undo()


def test_a_deep_copy_goes_on_from_its_rounded_tensors(half: Any) -> None:
    Edit("ft", {NAME: small(0, 1e-5)}).apply(half)
    other = copy.deepcopy(half).get_parameter(NAME)
    assert torch.equal(master_of(half, NAME, half.get_parameter(NAME)), other.float()) is False
    assert torch.equal(master_of(copy.deepcopy(half), NAME, other), other.float())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wider_tensors_are_their_own_masters(llama: Any, dtype: torch.dtype) -> None:
    weight = llama.to(dtype).get_parameter(NAME)
    start, step = weight.detach().clone(), small(0, 1e-9)
    assert master_of(llama, NAME, weight).data_ptr() == weight.data_ptr()
    with Edit("ft", {NAME: step}).apply(llama):
        assert torch.equal(weight, start + step)
    assert torch.equal(weight, start)


def test_an_interruption_while_an_edit_is_put_in_leaves_nothing(half: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [name for name, one in half.named_parameters() if one.shape == (32, 48)]
    before = {name: half.get_parameter(name).detach().clone() for name in names}
    assert len(names) > 1

    def interrupt(model: Any, name: str, parameter: Any, total: Tensor) -> None:
        if name == names[1]:
            raise KeyboardInterrupt
        parameter.data.copy_(total)

    monkeypatch.setattr("edittool.editing.edits.edit.write", interrupt)
    edit = Edit("ft", {name: small(3) for name in names})
    with pytest.raises(KeyboardInterrupt):
        edit.apply(half)
    assert all(torch.equal(half.get_parameter(name), content) for name, content in before.items())
    with pytest.raises(RuntimeError, match="in no model"):
        edit.undo()
