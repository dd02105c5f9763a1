"""UltraEdit: against a plain derivation, and what it remembers from edit to edit."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from edittool.editing import Edit, EditContext, EditRequest, Speedups, apply
from edittool.editing.edits.codebook import features
from edittool.editing.edits.low_rank import LowRank
from edittool.editing.edits.series import EditSeries
from edittool.editing.edits.states import states_of
from edittool.editing.methods.ultraedit import UltraEditHparams
from edittool.editing.model.checks import fitting_family
from edittool.editing.model.families import family_of
from edittool.schemas.errors import InputError

from ..conftest import FAMILY_NAMES, make_model
from ..parity_cases import BRACES, END, MIDDLE, ONE, START, distance, model_of, tokenizer_of

FIRST, SECOND = [END, MIDDLE, ONE], [START, BRACES]
LR = 2e-3


def layers_of(model: Any) -> list[str]:
    """Two of one shape, and one of another."""
    family = family_of(model)
    return [family.mlp_out.format(0), family.mlp_out.format(2), family.attention_out.format(1)]


def edit(model: Any, tokenizer: Any, requests: Sequence[EditRequest], speedups: Any = None, **changes: Any) -> Edit:
    hparams = {"inner_params": layers_of(model), "lr": LR, "profile": "exact", **changes}
    return apply("ultraedit", model, tokenizer, requests, hparams, EditContext(speedups=speedups or Speedups()))


# A plain derivation: one request at a time, statistics of everything that was seen, kept as it came


@dataclass(frozen=True)
class Part:
    """What one layer had for one request: inputs (n, f), and gradients of its outputs (n, d)."""

    inputs: Tensor
    gradients: Tensor

    @property
    def both(self) -> Tensor:
        return torch.cat([self.inputs, self.gradients], 1).double()


def parts_of(model: Any, tokenizer: Any, request: EditRequest) -> dict[str, Part]:
    start, ids = len(tokenizer(request.prompt)["input_ids"]), tokenizer(request.prompt + request.target)["input_ids"]
    inputs, outputs, handles = {}, {}, []

    def note(path: str) -> Any:
        def hook(module: Any, args: Any, output: Tensor) -> None:
            inputs[path], outputs[path] = args[0][0].detach(), output
            output.retain_grad()

        return hook

    for path in layers_of(model):
        handles.append(model.get_submodule(path).register_forward_hook(note(path)))
    logits = model(torch.tensor([ids])).logits[0, start - 1 : -1]
    torch.nn.functional.cross_entropy(logits, torch.tensor(ids[start:])).backward()
    for handle in handles:
        handle.remove()
    model.zero_grad()
    found = {}
    for path, output in outputs.items():
        gradient = output.grad
        assert gradient is not None
        found[path] = Part(inputs[path], gradient[0])
    return found


Seen = dict[tuple[int, int], list[Tensor]]  # by the shape of layers, what came in at once


def plainly(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], seen: Seen, mistake: str = ""
) -> dict[str, Tensor]:
    """(H^T H + I)^-1 H^T V, one layer after the other; `seen` is added to."""
    read = [parts_of(model, tokenizer, request) for request in requests]
    read.sort(key=lambda parts: -len(next(iter(parts.values())).inputs))
    shapes = {path: features(model.get_submodule(path)) for path in layers_of(model)}
    # What layers have their statistics in common by: their shape, and by mistake their own name.
    groups: dict[str, Any] = shapes if mistake != "each layer by itself" else {path: (path, 0) for path in shapes}
    for parts in read:
        for path, part in parts.items():
            seen.setdefault(groups[path], []).append(part.both)
    deltas = {}
    for path in shapes:
        hidden = torch.cat([parts[path].inputs for parts in read]).double()
        gradients = torch.cat([parts[path].gradients for parts in read]).double()
        mean, deviation = statistics_of(seen[groups[path]], mistake)
        normal = (torch.cat([hidden, gradients], 1) - mean) / deviation
        wide = hidden.shape[1]
        sizes = (normal[:, :wide] ** 2).sum(1, keepdim=True)
        if mistake == "sizes of inputs as they are":
            sizes = (hidden**2).sum(1, keepdim=True)
        directions = gradients if mistake == "gradients as they are" else normal[:, wide:]
        values = -LR * sizes * directions
        ridge = torch.eye(wide) * (mistake != "no ridge")
        update = torch.linalg.lstsq(hidden.T @ hidden + ridge, hidden.T @ values, driver="gelsd").solution
        deltas[f"{path}.weight"] = update if family_of(model).transposed else update.T
    return deltas


def statistics_of(seen: Sequence[Tensor], mistake: str) -> tuple[Tensor, Tensor]:
    """Mean and deviation over everything, each variance of what came in at once taken as unbiased."""
    everything = torch.cat(list(seen))
    mean, count = everything.mean(0), len(everything)
    within = sum(len(one) * one.var(0, unbiased=mistake != "biased variance") for one in seen)
    between = sum(len(one) * (one.mean(0) - mean) ** 2 for one in seen)
    deviation = ((within + between) / (count - 1)).sqrt()
    if mistake == "no mean":
        mean = torch.zeros_like(mean)
    return mean, torch.ones_like(mean) if mistake == "no deviation" else deviation + torch.finfo(torch.float32).eps


@pytest.mark.parametrize("speedups", [Speedups(), Speedups.none()], ids=["speedups", "plain"])
@pytest.mark.parametrize("kind", ["bytes", "pieces"])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_equals_the_plain_derivation(family: str, kind: str, speedups: Speedups) -> None:
    model, tokenizer = model_of(family), tokenizer_of(kind)
    seen: Seen = {}
    expected = plainly(model, tokenizer, FIRST, seen)
    with edit(model, tokenizer, FIRST, speedups, batch_size_once=1) as first:
        assert distance(first.deltas(), expected) < 1e-5
        on_top = plainly(model, tokenizer, SECOND, seen)
        with edit(model, tokenizer, SECOND, speedups, batch_size_once=1) as second:
            assert distance(second.deltas(), on_top) < 1e-5


@pytest.mark.parametrize(
    "mistake",
    [
        "each layer by itself",
        "no mean",
        "no deviation",
        "biased variance",
        "sizes of inputs as they are",
        "gradients as they are",
        "no ridge",
    ],
)
def test_a_mistake_is_far_from_the_tolerance(mistake: str) -> None:
    model, tokenizer = model_of("llama"), tokenizer_of("bytes")
    with edit(model, tokenizer, FIRST, batch_size_once=1) as made:
        pass
    assert distance(plainly(model, tokenizer, FIRST, {}, mistake), made.deltas()) > 1e-3


def test_requests_that_are_read_together_are_read_without_their_padding(llama: Any, tokenizer: Any) -> None:
    lengths = [len(tokenizer(request.prompt + request.target)["input_ids"]) for request in FIRST]
    assert len(set(lengths)) == 3
    read = [parts_of(llama, tokenizer, request) for request in FIRST]
    inputs = torch.cat([parts[path].inputs for path in layers_of(llama)[:2] for parts in read])
    with edit(llama, tokenizer, FIRST, batch_size_once=3) as made:
        assert made.state["48x32.count"] == 2 * sum(lengths) == len(inputs)  # of two layers
        assert torch.allclose(made.state["48x32.mean"][:48].float(), inputs.mean(0), atol=1e-5)


def test_a_fresh_model_is_not_taken_for_one_that_does_not_fit(tokenizer: Any) -> None:
    """The check of a model passes through it, and must not meet what the edit listens with."""
    fresh = make_model("llama")
    with edit(fresh, tokenizer, FIRST):
        assert fitting_family(fresh).model_type == "llama"


def test_the_loss_of_whole_targets_falls(llama: Any, tokenizer: Any) -> None:
    with edit(llama, tokenizer, FIRST, lr=2e-2) as made:
        before, after = made.losses
        assert after < 0.7 * before


def test_a_change_is_factors_where_these_are_much_smaller(tokenizer: Any) -> None:
    wide = make_model("llama", hidden_size=256, intermediate_size=512)
    for requests, factored in (([ONE], True), (FIRST * 4, False)):
        with edit(wide, tokenizer, requests, inner_params=["model.layers.0.mlp.down_proj.weight"]) as made:
            (change,) = made._changes.values()
            assert isinstance(change, LowRank) == factored


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inner_params": ["model.layers.99.mlp.down_proj"]}, "no linear layer 'model.layers.99.mlp.down_proj'"),
        ({"inner_params": ["model.norm"]}, "no linear layer 'model.norm'"),
        ({"inner_params": []}, "must name one or more"),
        ({"inner_params": ["lm_head", "lm_head.weight"]}, "must name one or more different layers"),
        ({"lr": 0}, "lr must be above 0"),
        ({"batch_size_once": 0}, "batch_size_once must be at least 1"),
        ({"token": "ans"}, "token must be one of mask"),
    ],
)
def test_what_does_not_fit_is_refused(llama: Any, tokenizer: Any, changes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        edit(llama, tokenizer, FIRST, **changes)


def test_brackets_are_dots() -> None:
    assert UltraEditHparams(["model.layers[3].mlp.up_proj.weight"], lr=1.0).layers == ["model.layers.3.mlp.up_proj"]


# The statistics


def deltas(made: Edit) -> Tensor:
    return torch.cat([delta.flatten() for delta in made.deltas().values()])


def test_an_undone_edit_is_forgotten(model: Any, tokenizer: Any) -> None:
    """Edits of the instant regime know nothing of each other."""
    with edit(model, tokenizer, SECOND) as alone:
        pass
    with edit(model, tokenizer, FIRST), edit(model, tokenizer, SECOND):
        assert len(states_of(model, "ultraedit")) == 2
    assert states_of(model, "ultraedit") == []
    with edit(model, tokenizer, SECOND) as again:
        pass
    assert torch.equal(deltas(again), deltas(alone))


def test_the_statistics_alone_make_a_difference(llama: Any, tokenizer: Any) -> None:
    with edit(llama, tokenizer, FIRST):
        forgetful = copy.deepcopy(llama)
        with edit(llama, tokenizer, SECOND) as knowing, edit(forgetful, tokenizer, SECOND) as ignorant:
            assert (deltas(knowing) - deltas(ignorant)).norm() > 1e-2 * deltas(ignorant).norm()


def test_a_second_edit_leaves_the_first_ones_statistics(llama: Any, tokenizer: Any) -> None:
    with edit(llama, tokenizer, FIRST) as first:
        before = {name: tensor.clone() for name, tensor in first.state.items()}
        with edit(llama, tokenizer, SECOND) as second:
            assert second.state["48x32.count"] > first.state["48x32.count"]
        assert all(torch.equal(first.state[name], tensor) for name, tensor in before.items())


def test_shapes_that_an_edit_leaves_out_are_remembered(llama: Any, tokenizer: Any) -> None:
    one, other = "model.layers.0.mlp.down_proj", "model.layers.0.self_attn.o_proj"
    with (
        edit(llama, tokenizer, FIRST, inner_params=[one]) as first,
        edit(llama, tokenizer, FIRST, inner_params=[other]) as second,
    ):
        assert {name.split(".")[0] for name in second.state} == {"48x32", "32x32"}
        assert torch.equal(second.state["48x32.mean"], first.state["48x32.mean"])


def test_a_saved_edit_brings_its_statistics_back(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
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
    assert once.keys() == again.keys() >= {"state/48x32.count"}
    assert all(torch.equal(once[name], tensor) for name, tensor in again.items())
