"""What a method remembers of its edits goes into a model with them, and comes out with them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from edittool.editing.edits.edit import Edit
from edittool.editing.edits.finite import not_finite
from edittool.editing.edits.series import EditSeries
from edittool.editing.edits.states import states_of

from ..conftest import make_model


def edit_of(number: int, method: str = "m") -> Edit:
    return Edit(method, {}, state={"layer": torch.tensor([float(number), 0.1], dtype=torch.float64)})


def numbers(model: Any, method: str = "m") -> list[float]:
    return [float(state["layer"][0]) for state in states_of(model, method)]


def test_states_come_and_go_with_their_edits(llama: Any) -> None:
    one, other, two = (edit_of(number, method).apply(llama) for number, method in ((1, "m"), (9, "n"), (2, "m")))
    assert (numbers(llama), numbers(llama, "n")) == ([1, 2], [9])
    for edit, left in ((two, [1]), (other, [1]), (one, [])):
        edit.undo()
        assert numbers(llama) == left
    assert numbers(llama, "n") == []


def test_a_series_takes_them_out_together(llama: Any) -> None:
    with EditSeries(llama) as series:
        for number in range(3):
            series.add(edit_of(number).apply(llama))
        assert numbers(llama) == [0, 1, 2]
    assert numbers(llama) == []
    with edit_of(4).apply(llama):
        assert numbers(llama) == [4]


def test_other_models_and_copies_know_nothing(llama: Any) -> None:
    with edit_of(1).apply(llama):
        assert numbers(make_model("llama")) == numbers(copy.deepcopy(llama)) == []


def test_an_edit_that_cannot_be_applied_leaves_none(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise KeyboardInterrupt

    name = "model.layers.0.mlp.down_proj.weight"
    monkeypatch.setattr("edittool.editing.edits.edit.write", refuse)
    with pytest.raises(KeyboardInterrupt):
        Edit("m", {name: torch.zeros_like(llama.get_parameter(name))}, state={"layer": torch.ones(1)}).apply(llama)
    assert states_of(llama, "m") == []


def test_files_hold_every_bit_of_them(llama: Any, tmp_path: Path) -> None:
    path = tmp_path / "edit.safetensors"
    name = "model.layers.0.mlp.down_proj.weight"
    state = {"a": torch.tensor([0.1], dtype=torch.float64), "b": torch.rand(3, 2).T}
    Edit("m", {name: torch.ones_like(llama.get_parameter(name))}, state=state).save(path)
    loaded = Edit.load(path)
    assert list(loaded.deltas()) == [name]
    assert loaded.state.keys() == state.keys()
    assert all(torch.equal(loaded.state[key], tensor) for key, tensor in state.items())
    assert loaded.state["a"].dtype == torch.float64
    with loaded.apply(llama):
        (there,) = states_of(llama, "m")
        assert torch.equal(there["b"], state["b"])


def test_files_of_earlier_versions_have_none(tmp_path: Path) -> None:
    path = tmp_path / "edit.safetensors"
    Edit("m", {"w": torch.ones(2)}).save(path)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() | {"format": "edittool-edit-3"}
    tensors: dict[str, Tensor] = load_file(path)
    save_file(tensors, path, metadata=metadata)
    assert (Edit.load(path).state, list(Edit.load(path).deltas())) == ({}, ["w"])


def test_an_edit_that_remembers_no_numbers_is_noticed(llama: Any) -> None:
    with Edit("m", {}, state={"layer": torch.tensor([torch.nan])}).apply(llama) as edit:
        assert not_finite(edit, llama) == "what it remembers of layer is not finite"
