"""AlphaEdit: what its projection protects, and what it remembers from edit to edit."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from edittool.editing import Edit, EditContext, Speedups, apply
from edittool.editing.edits.series import EditSeries
from edittool.editing.edits.states import states_of
from edittool.editing.methods.alphaedit import AlphaEditHparams, find_projection, projected_keys
from edittool.editing.model.families import family_of
from edittool.schemas.errors import InputError

from ..conftest import make_model
from ..parity_cases import END, FEW, MIDDLE, START, covariance_of
from ..parity_cases import hparams_of as locating_hparams
from ..short_runs import VALUE

FIRST, SECOND = [END, MIDDLE], [START]
PATH = "layer"
SWITCHED = pytest.mark.parametrize("speedups", [Speedups(), Speedups.none()])


def hparams(**changes: Any) -> AlphaEditHparams:
    given: dict[str, Any] = {"layers": [0], "nullspace_threshold": 1.0, "L2": 0.1, **VALUE}
    return AlphaEditHparams(**given | changes)


def drawn(columns: int, seed: int = 0) -> Tensor:
    return torch.randn(24, columns, generator=torch.Generator().manual_seed(seed))


def context(speedups: Speedups = Speedups()) -> EditContext:  # noqa: B008 - it is frozen
    inputs = drawn(200, 1) * torch.linspace(0.2, 2, 24)[:, None]
    return EditContext(covariance={PATH: inputs @ inputs.T / 200}, speedups=speedups)


def edit(model: Any, tokenizer: Any, requests: Any, **given: Any) -> Edit:
    paths = [family_of(model).mlp_out.format(layer) for layer in range(3)]
    wanted = locating_hparams("alphaedit", model.config.model_type) | {"v_num_grad_steps": 3, "v_loss_layer": 2}
    given = {"templates": FEW, "covariance": covariance_of(model, paths), **given}
    return apply("alphaedit", model, tokenizer, requests, wanted, EditContext(**given))


# The projection


@SWITCHED
def test_inputs_that_are_common_are_left_alone(speedups: Speedups) -> None:
    given = context(speedups)
    values, vectors = torch.linalg.eigh(given.covariance[PATH].double())
    assert 5 < int((values >= 1).sum()) < 19
    adjusted = projected_keys(given, PATH, [], drawn(3), hparams())
    assert (
        (vectors[:, values >= 1].T @ adjusted).abs().max() < 1e-12 < (vectors[:, values < 1].T @ adjusted).abs().min()
    )


@SWITCHED
def test_earlier_keys_are_spared(speedups: Speedups) -> None:
    """ΔW K_p = R (Aᵀ K_p): the less, the less weight the update's own size has."""
    before = [drawn(2, 7), drawn(1, 8)]
    known = torch.cat(before, 1).double()
    moved = []
    for given, ridge in ((before, 1e-6), (before, 1.0), ([], 1e-6)):
        adjusted = projected_keys(context(speedups), PATH, given, drawn(3), hparams(L2=ridge))
        moved.append(float((adjusted.T @ known).norm()))
    assert moved[0] < 1e-4 < moved[1] < moved[2]


def test_solving_for_the_keys_is_solving_for_the_inputs() -> None:
    before = [drawn(30, 7)]  # more than there are inputs
    fast, plain = (
        projected_keys(context(speedups), PATH, before, drawn(3), hparams())
        for speedups in (Speedups(), Speedups.none())
    )
    assert (fast - plain).norm() < 1e-10 * plain.norm()


def test_the_projection_is_computed_once_for_a_context() -> None:
    given = context()
    first = find_projection(given, PATH, 24, 1.0, torch.device("cpu"))
    assert find_projection(given, PATH, 24, 1.0, torch.device("cpu")) is first
    assert not torch.equal(find_projection(given, PATH, 24, 2.0, torch.device("cpu")), first)
    assert torch.allclose(first @ first, first, atol=1e-12)


@pytest.mark.parametrize(
    ("threshold", "left"), [(1e-9, "everything to protect, and no direction to edit in"), (99.0, "nothing to protect")]
)
def test_a_threshold_that_parts_nothing_is_refused(threshold: float, left: str) -> None:
    with pytest.raises(InputError, match=rf"singular values .* go from [\d.]+ to [\d.]+, so .* leaves {left}\. Choose"):
        projected_keys(context(), PATH, [], drawn(1), hparams(nullspace_threshold=threshold))


@pytest.mark.parametrize("field", ["nullspace_threshold", "L2"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_values_without_meaning_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field} must be above 0"):
        hparams(**{field: value})


# The memory


def deltas(made: Edit) -> Tensor:
    return torch.cat([delta.flatten() for delta in made.deltas().values()])


def test_an_edit_remembers_its_keys(model: Any, tokenizer: Any) -> None:
    with edit(model, tokenizer, FIRST) as made:
        (state,) = states_of(model, "alphaedit")
        paths = [family_of(model).mlp_out.format(layer) for layer in range(3)]
        assert list(state) == list(made.state) == paths
        widths = [model.get_parameter(f"{path}.weight").numel() // 32 for path in paths]
        assert [tensor.shape for tensor in state.values()] == [(width, 2) for width in widths]
    assert states_of(model, "alphaedit") == []


def test_an_undone_edit_is_forgotten(llama: Any, tokenizer: Any) -> None:
    """Edits of the instant regime know nothing of each other."""
    with edit(llama, tokenizer, SECOND) as alone:
        pass
    with edit(llama, tokenizer, FIRST), edit(llama, tokenizer, SECOND) as after:
        pass
    with edit(llama, tokenizer, SECOND) as again:
        pass
    assert torch.equal(deltas(again), deltas(alone))
    assert (deltas(after) - deltas(alone)).norm() > 1e-3 * deltas(alone).norm()


def test_the_memory_alone_makes_a_difference(llama: Any, tokenizer: Any) -> None:
    """The same weights without the memory are edited otherwise."""
    with edit(llama, tokenizer, FIRST):
        forgetful = copy.deepcopy(llama)
        with edit(llama, tokenizer, SECOND) as knowing, edit(forgetful, tokenizer, SECOND) as ignorant:
            assert (deltas(knowing) - deltas(ignorant)).norm() > 1e-4 * deltas(ignorant).norm()


def test_a_saved_edit_brings_its_memory_back(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    """A resumed sequence goes on with the same bits."""
    fresh = make_model("llama")
    with EditSeries(llama) as series:
        for number, requests in enumerate((FIRST, SECOND, [END])):
            made = edit(llama, tokenizer, requests)
            made.save(tmp_path / f"{number}")
            series.add(made)
    for number in (0, 1):
        Edit.load(tmp_path / f"{number}").apply(fresh)
    edit(fresh, tokenizer, [END]).save(tmp_path / "again")
    once, again = (load_file(tmp_path / name) for name in ("2", "again"))
    assert once.keys() == again.keys() >= {f"state/{path}" for path in made.state}
    assert all(torch.equal(once[name], tensor) for name, tensor in again.items())


def test_edits_by_other_methods_are_not_remembered(llama: Any, tokenizer: Any) -> None:
    wanted = {"layers": [1], "rewrite_module_tmp": "model.layers.{}.mlp.down_proj", "num_steps": 1, "lr": 1e-3}
    with apply("ft", llama, tokenizer, FIRST, wanted):
        assert states_of(llama, "alphaedit") == []
        with edit(llama, tokenizer, FIRST):
            assert len(states_of(llama, "alphaedit")) == 1
