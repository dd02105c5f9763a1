"""What holds for every method on every family: edits come out bit for bit, and go into files and copies the same."""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from edittool.editing import Edit, EditContext, EditRequest, Speedups, apply
from edittool.editing.context import Step
from edittool.editing.edits.codebook import looking_at
from edittool.editing.edits.series import EditSeries
from edittool.editing.methods.table import method_names
from edittool.editing.model.checks import fitting_family
from edittool.editing.model.families import Family, family_of
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.schemas.errors import InputError

from ..conftest import make_model
from ..parity_cases import END, MIDDLE, START, covariance_of
from ..parity_cases import hparams_of as locating_hparams

FIRST = [END, MIDDLE]
SECOND = [replace(END, target="[0]"), START]  # for GRACE: an entry taught anew, and a new one
PROMPTS = (END.prompt, START.prompt, "def f(x):\n", "import os\n")


@dataclass(frozen=True)
class Row:
    """What the tests need of a method: its hyperparameters for a small model of a family, and more steps (`longer`).

    `longer` changes them so that the loss falls by a sixth at least. `passes`: at least so many forward passes for two
    requests, between which an edit can be interrupted.
    """

    hparams: Callable[[Family], dict[str, Any]]
    longer: dict[str, Any]
    passes: int = 8


def locating(method: str, **more: Any) -> Row:
    """A method that finds values by gradient descent; all of them then need a covariance."""
    return Row(
        lambda family: locating_hparams(method, family.model_type) | {"v_num_grad_steps": 4, "v_loss_layer": 2} | more,
        {"v_num_grad_steps": 8, "v_lr": 1.0, "clamp_norm_factor": 4.0},
    )


def adapters(family: Family) -> dict[str, Any]:
    """Adapters beside the last linear layers of attention and MLP."""
    targets = [path.rpartition(".")[2] for path in dict.fromkeys((family.attention_out, family.mlp_out))]
    sizes = {"target_modules": list(dict.fromkeys(targets)), "rank": 2, "lora_alpha": 4, "lora_dropout": 0.1}
    return {**sizes, "layers": [1], "num_steps": 4, "batch_size": 1, "lr": 2e-2}


ROWS = {
    "ft": Row(
        lambda family: {"layers": [1], "rewrite_module_tmp": family.mlp_out, "num_steps": 4, "lr": 5e-3},
        {"num_steps": 12},
    ),
    "grace": Row(
        lambda family: {"inner_params": [family.mlp_out.format(1)], "edit_lr": 0.5, "n_iter": 4, "eps": 1.0},
        {"n_iter": 8, "edit_lr": 1.0},
    ),
    "lora": Row(lambda family: adapters(family), {"num_steps": 16}),
    "adalora": Row(lambda family: adapters(family) | {"lr": 5e-2, "lora_alpha": 64}, {"num_steps": 5}),
    "rome": locating("rome", mom2_adjustment=True),
    "memit": locating("memit"),
    "pmet": locating("pmet"),
    "emmet": locating("emmet"),
    "alphaedit": locating("alphaedit"),
    "ultraedit": Row(
        lambda family: {"inner_params": [family.mlp_out.format(1)], "lr": 3e-3, "batch_size_once": 1},
        {"lr": 2e-2},
        passes=4,
    ),
}
METHODS = tuple(ROWS)
LOCATING = ("rome", "memit", "pmet", "emmet", "alphaedit")


def test_every_method_that_edits_has_a_row() -> None:
    assert sorted([*ROWS, "none", "docs"]) == method_names()


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> Any:
    return request.param


@dataclass(frozen=True)
class Editor:
    """A method with its hyperparameters for small models, and what it needs besides."""

    method: str
    tokenizer: Any
    hparams: Mapping[str, Any]
    covariance: Mapping[str, Tensor]

    def __call__(self, model: Any, requests: Sequence[EditRequest], **context: Any) -> Edit:
        given = EditContext(**{"covariance": self.covariance, **context})
        return apply(self.method, model, self.tokenizer, requests, self.hparams, given)

    def but(self, **changes: Any) -> "Editor":
        return replace(self, hparams={**self.hparams, **changes})


def editor_of(method: str, model: Any, tokenizer: Any) -> Editor:
    family = family_of(model)
    hparams = ROWS[method].hparams(family)
    covariance = covariance_of(model, [family.mlp_out.format(layer) for layer in hparams.get("layers", [])])
    return Editor(method, tokenizer, {**hparams, "profile": "exact"}, covariance)


@pytest.fixture
def edit(method: str, model: Any, tokenizer: Any) -> Editor:
    return editor_of(method, model, tokenizer)


def state(model: Any) -> dict[str, Any]:
    """Everything that an edit may leave behind in a model, to be compared bit for bit."""
    tensors = {name: tensor.contiguous().view(torch.uint8).numpy() for name, tensor in model.state_dict().items()}
    return {
        "bits": {name: hashlib.sha256(tensor.tobytes()).hexdigest() for name, tensor in tensors.items()},
        "trained": [name for name, parameter in model.named_parameters() if parameter.requires_grad],
        "gradients": [name for name, parameter in model.named_parameters() if parameter.grad is not None],
        "hooks": [(name, len(m._forward_hooks), len(m._forward_pre_hooks)) for name, m in model.named_modules()],
        "replaced": [name for name, module in model.named_modules() if "forward" in vars(module)],
    }


def outputs(model: Any, tokenizer: Any) -> tuple[str, list[str]]:
    """A digest of the logits' bits for PROMPTS, and what the model goes on with.

    Pytest shows the whole difference of two values where `CI` is set: of the bits themselves that takes minutes.
    """
    with torch.no_grad():
        logits = [model(torch.tensor([tokenizer(prompt)["input_ids"]])).logits[0] for prompt in PROMPTS]
    assert all(torch.isfinite(one).all() for one in logits)
    draws = [Draw(prompt, prompt, 0, "f") for prompt in PROMPTS]
    texts = [text for batch in sample(model, tokenizer, draws, GREEDY) for _, text in batch]
    return hashlib.sha256(torch.cat(logits).float().numpy().tobytes()).hexdigest(), texts


GREEDY = Sampling(n=1, temperature=0, max_new_tokens=8)


# In and out


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_two_edits_come_out_in_reverse(edit: Editor, model: Any, tokenizer: Any, dtype: torch.dtype) -> None:
    model.to(dtype).get_input_embeddings().weight.requires_grad_(False)
    start, unedited = state(model), outputs(model, tokenizer)
    first = edit(model, FIRST)
    once, edited = state(model), outputs(model, tokenizer)
    second = edit(model, SECOND)
    assert len({unedited[0], edited[0], outputs(model, tokenizer)[0]}) == 3
    second.undo()
    assert (state(model), outputs(model, tokenizer)) == (once, edited)
    first.undo()
    assert (state(model), outputs(model, tokenizer)) == (start, unedited)
    assert not any(hooks or before for _, hooks, before in start["hooks"])


def test_an_edit_changes_what_it_names_alone(edit: Editor, model: Any) -> None:
    start = state(model)
    made = edit(model, FIRST)
    after = state(model)
    assert {name for name in start["bits"] if after["bits"][name] != start["bits"][name]} == made.deltas().keys()
    assert (after["trained"], after["gradients"], after["replaced"]) == (start["trained"], [], [])
    assert sum(hooks for _, hooks, _ in after["hooks"]) == (edit.method == "grace")


def test_the_same_edit_has_the_same_bits(edit: Editor, model: Any, tokenizer: Any) -> None:
    with edit(model, FIRST) as one:
        expected = outputs(model, tokenizer)
    with edit(model, FIRST) as other:
        assert outputs(model, tokenizer) == expected
    assert other.losses == one.losses
    assert parts(other).keys() == parts(one).keys()
    assert all(torch.equal(tensor, parts(other)[name]) for name, tensor in parts(one).items())


def parts(edit: Edit) -> dict[str, Tensor]:
    book = edit.codebook()
    return edit.deltas() | (book._asdict() if book else {})


def test_an_edit_tells_how_far_it_is(edit: Editor, model: Any) -> None:
    told: list[Step] = []
    edit(model, FIRST, watch=told.append)
    shares = [step.share() for step in told]
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
    assert {step.requests for step in told} == {len(FIRST)}
    assert told[-1].request == len(FIRST)
    assert all(1 <= step.request <= step.requests and 1 <= step.step <= step.steps for step in told)


def test_keeping_the_whole_model_changes_nothing(edit: Editor, model: Any, tokenizer: Any) -> None:
    start = state(model)
    with edit(model, FIRST) as one:
        expected, edited = outputs(model, tokenizer), state(model)
    with edit(model, FIRST, speedups=Speedups(touched_only=False)) as other:
        assert (outputs(model, tokenizer), state(model)) == (expected, edited)
        assert other.losses == one.losses
    assert state(model) == start


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_adds_up_the_same_way_every_time(edit: Editor, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No operation is used that has no deterministic form: PyTorch would raise."""
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    model.to("cuda")
    torch.use_deterministic_algorithms(True)
    try:
        with edit(model, FIRST) as one, edit(model, SECOND):
            pass
        with edit(model, FIRST) as other:
            assert all(torch.equal(tensor, parts(other)[name]) for name, tensor in parts(one).items())
    finally:
        torch.use_deterministic_algorithms(False)


# Files and copies


def test_saved_edits_do_the_same_in_a_fresh_copy(edit: Editor, model: Any, tokenizer: Any, tmp_path: Path) -> None:
    fresh, start = copy.deepcopy(model), state(model)
    expected = []
    for number, requests in enumerate((FIRST, SECOND)):
        edit(model, requests).save(tmp_path / f"{number}.safetensors")
        expected.append((outputs(model, tokenizer), state(model)))
    loaded = []
    for number, wanted in enumerate(expected):
        loaded.append(Edit.load(tmp_path / f"{number}.safetensors").apply(fresh))
        assert (outputs(fresh, tokenizer), state(fresh)) == wanted
    for again in reversed(loaded):
        again.undo()
    assert state(fresh) == start


def test_a_deep_copy_of_an_edited_model_goes_on_by_itself(edit: Editor, model: Any, tokenizer: Any) -> None:
    start = state(model)
    first = edit(model, FIRST)
    other, edited = copy.deepcopy(model), (state(model), outputs(model, tokenizer))
    first.undo()
    assert state(model) == start
    assert (state(other), outputs(other, tokenizer)) == edited
    with edit(other, SECOND):
        assert outputs(other, tokenizer) != edited[1]
        assert state(model) == start
    assert (state(other), outputs(other, tokenizer)) == edited


@pytest.mark.parametrize("method", METHODS)
def test_tied_heads_stay_tied(method: str, tokenizer: Any) -> None:
    model = make_model("gpt2")
    edit = editor_of(method, model, tokenizer)
    with edit(model, FIRST):
        assert tied(model)
        assert tied(copy.deepcopy(model))
        with edit(model, SECOND):
            assert tied(model)
    assert tied(model)


def tied(model: Any) -> bool:
    return model.lm_head.weight is model.transformer.wte.weight


def test_embeddings_that_are_tuned_stay_tied_to_the_head(tokenizer: Any, tmp_path: Path) -> None:
    model = make_model("gpt2")
    fresh, start = copy.deepcopy(model), state(model)
    made = editor_of("ft", model, tokenizer).but(layers=[0], rewrite_module_tmp="transformer.wte")(model, FIRST)
    assert list(made.deltas()) == ["transformer.wte.weight"]
    made.save(tmp_path / "edit.safetensors")
    Edit.load(tmp_path / "edit.safetensors").apply(fresh)
    assert tied(model)
    assert tied(fresh)
    assert state(fresh) == state(model) != start
    made.undo()
    assert tied(model)
    assert state(model) == start


# Edits that fail


def on_layer_99(edit: Editor, model: Any) -> Edit:
    path = family_of(model).mlp_out.format(99)
    return edit.but(**{"inner_params": [path]} if "inner_params" in edit.hparams else {"layers": [99]})(model, FIRST)


def last_changed(edit: Editor, other: Tensor | None) -> dict[str, Tensor]:
    """The covariances, the last of them another (which is noticed when lower layers have been written) or left out."""
    *before, last = edit.covariance
    return {name: edit.covariance[name] for name in before} | ({} if other is None else {last: other})


FAILURES: dict[str, tuple[Sequence[str], str, Callable[[Editor, Any], Edit]]] = {
    "no requests": (METHODS, "nothing to teach", lambda edit, model: edit(model, [])),
    "a layer too many": (METHODS, "99", on_layer_99),
    "an empty target": (
        METHODS,
        "no tokens in its .*target",
        lambda edit, model: edit(model, [*FIRST, replace(START, target="")]),
    ),
    "a missing subject": (
        LOCATING,
        "'nowhere' stands 0 times",
        lambda edit, model: edit(model, [*FIRST, replace(START, subject="nowhere")]),
    ),
    "a template without a place": (
        LOCATING,
        "has 0 places for the prompt",
        lambda edit, model: edit(model, FIRST, templates=["{}", "The end."]),
    ),
    "a missing covariance": (
        LOCATING,
        "no covariance for",
        lambda edit, model: edit(model, FIRST, covariance=last_changed(edit, None)),
    ),
    "a covariance of another shape": (
        LOCATING,
        r"has shape \(2, 2\)",
        lambda edit, model: edit(model, FIRST, covariance=last_changed(edit, torch.eye(2))),
    ),
    "too few initial values": (
        ["grace"],
        "1 are given for 2 requests",
        lambda edit, model: edit(model, FIRST, initial_values=[torch.zeros(32)]),
    ),
    "an initial value of another shape": (
        ["grace"],
        r"number 2 has the shape \(3,\)",
        lambda edit, model: edit(model, FIRST, initial_values=[torch.zeros(32), torch.zeros(3)]),
    ),
}


@pytest.mark.parametrize(
    ("method", "failure"), [(name, failure) for failure, (methods, *_) in FAILURES.items() for name in methods]
)
def test_an_edit_that_fails_leaves_the_model_as_it_was(edit: Editor, model: Any, tokenizer: Any, failure: str) -> None:
    _, message, fail = FAILURES[failure]
    start = state(model)
    with edit(model, SECOND):
        before = state(model), outputs(model, tokenizer)
        with pytest.raises(InputError, match=message):
            fail(edit, model)
        assert (state(model), outputs(model, tokenizer)) == before
    assert state(model) == start


def test_an_interrupted_edit_leaves_the_model_as_it_was(edit: Editor, model: Any) -> None:
    top = model.get_submodule(family_of(model).layer.format(2))
    start = state(model)
    fitting_family(model)  # passes through the model too, once
    with interrupted(top, after=1000) as calls, edit(model, FIRST):
        count = calls[0]
    assert ROWS[edit.method].passes <= count < 1000
    for after in (0, count // 4, count // 2, 3 * count // 4, count - 1):
        with interrupted(top, after), pytest.raises(KeyboardInterrupt):
            edit(model, FIRST)
        assert state(model) == start


@contextmanager
def interrupted(module: Any, after: int) -> Iterator[list[int]]:
    """Interrupt a call of `module` after so many; counts them."""
    calls = [0]

    def count(*_: Any) -> None:
        if calls[0] == after:
            raise KeyboardInterrupt
        calls[0] += 1

    handle = module.register_forward_pre_hook(count)
    try:
        yield calls
    finally:
        handle.remove()


# Half precision


def test_bfloat16_learns_as_float32_does(edit: Editor, model: Any, tokenizer: Any) -> None:
    longer = edit.but(**ROWS[edit.method].longer)
    half = copy.deepcopy(model.bfloat16())
    full = model.float()  # the same weights: rounded once
    one, other = (longer(each, [END], templates=["{}", "I is. {}"]) for each in (full, half))
    assert one.losses[-1] < 0.85 * one.losses[0]
    assert other.losses == pytest.approx(one.losses, rel=0.05)
    assert target_loss(half, tokenizer) == pytest.approx(target_loss(full, tokenizer), rel=0.05)


def test_a_sequence_in_bfloat16_is_the_sum_of_its_edits_rounded_once(edit: Editor, model: Any) -> None:
    """The differences of each edit are told in float32; the tensors are what they were plus all of them."""
    model.bfloat16()
    unedited = {name: parameter.detach().float() for name, parameter in model.named_parameters()}
    total: dict[str, Tensor] = {}
    with EditSeries(model) as series:
        for requests in (FIRST, SECOND, FIRST, [END]):
            made = edit(model, requests)
            for name, delta in made.deltas().items():
                total[name] = total.get(name, unedited[name]) + delta
            series.add(made)
            for name, sum_of_all in total.items():
                assert torch.equal(model.get_parameter(name), sum_of_all.bfloat16())


@pytest.mark.parametrize("method", LOCATING)
def test_edits_of_low_rank_make_small_files(edit: Editor, model: Any, tmp_path: Path) -> None:
    made = edit(model, FIRST)
    for dense in (False, True):
        made.save(tmp_path / f"{dense}", dense=dense)
    made.undo()
    factors, whole = (
        sum(t.numel() for name, t in load_file(tmp_path / f"{dense}").items() if not name.startswith("state/"))
        for dense in (False, True)
    )
    one, other = (Edit.load(tmp_path / f"{dense}").deltas() for dense in (False, True))
    assert factors == sum(len(FIRST) * sum(delta.shape) for delta in one.values())  # rank 2, for two requests
    assert whole == sum(delta.numel() for delta in one.values()) > 4 * factors
    assert all(torch.equal(one[name], delta) for name, delta in other.items())


def target_loss(model: Any, tokenizer: Any) -> float:
    """-log p of END's target, a token on average; codebooks are looked up at the prompt's end."""
    start, ids = len(tokenizer(END.prompt)["input_ids"]), tokenizer(END.prompt + END.target)["input_ids"]
    with torch.no_grad(), looking_at(start - 1):
        logits = model(torch.tensor([ids])).logits[0, start - 1 : -1].float()
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(ids[start:])))
