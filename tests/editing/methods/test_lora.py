"""LoRA and AdaLoRA beside a plain loop of peft: its own model, its own loss, its own way to merge."""

import copy
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from edittool.editing import Edit, EditContext, EditRequest, apply
from edittool.editing.methods.adalora import AdaloraHparams
from edittool.editing.methods.hparams import hparams_of, load_hparams
from edittool.editing.methods.lora import LoraHparams
from edittool.editing.methods.table import find_method
from edittool.editing.training import adapters
from edittool.editing.training.target_tokens import following
from edittool.schemas.errors import EnvironmentFault, InputError

from ..conftest import make_model
from ..parity_cases import END, MIDDLE, START

REQUESTS = [END, MIDDLE, replace(START, target="[0] + 1")]  # targets of unequal length: means over tokens tell
SEED = 3
TARGETS = ["o_proj", "down_proj", "c_proj"]
COMMON = {
    "target_modules": TARGETS,
    "layers": [0, 2],
    "num_steps": 6,
    "batch_size": 2,
    "lr": 2e-2,
    "weight_decay": 1e-2,
    "lora_dropout": 0.2,
    "profile": "exact",
}
HPARAMS: dict[str, Any] = {
    "lora": LoraHparams(**{**COMMON, "rank": 3, "lora_alpha": 7.0}),
    "adalora": AdaloraHparams(**{**COMMON, "rank": 2, "lora_alpha": 16.0, "tinit": 2, "tfinal": 3}),
}


def of_model(method: str, model: Any) -> Any:
    """The hyperparameters with the names that the model has."""
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    wanted = [name for name in TARGETS if name in names]
    return replace(HPARAMS[method], target_modules=wanted)


@pytest.fixture(params=["lora", "adalora"])
def method(request: pytest.FixtureRequest) -> Any:
    return request.param


def teach(method: str, model: Any, tokenizer: Any, hparams: Any, seed: int = SEED) -> Edit:
    return find_method(method).teach(model, tokenizer, REQUESTS, hparams, EditContext(seed=seed))


def by_peft(method: str, model: Any, tokenizer: Any, hparams: Any) -> dict[str, Tensor]:
    """Return what peft's loop adds to each weight of `model`, which is not changed: trained, then merged by peft."""
    merged = copy.deepcopy(model).eval()
    torch.manual_seed(SEED)
    shared = {
        "task_type": peft.TaskType.CAUSAL_LM,
        "lora_alpha": hparams.lora_alpha,
        "lora_dropout": hparams.lora_dropout,
        "layers_to_transform": hparams.layers,
        "target_modules": hparams.target_modules,
    }
    chunks = [REQUESTS[:2], REQUESTS[2:]]
    steps = hparams.num_steps * len(chunks)
    if method == "lora":
        config: Any = peft.LoraConfig(r=hparams.rank, **shared)
    else:
        budget = {"target_r": hparams.rank, "init_r": 3, "tinit": hparams.tinit, "tfinal": hparams.tfinal}
        config = peft.AdaLoraConfig(total_step=steps, **budget, **shared)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that GPT-2's layers are transposed
        wrapped: Any = peft.get_peft_model(merged, config)
    optimizer = torch.optim.Adam(wrapped.parameters(), lr=hparams.lr, weight_decay=hparams.weight_decay)
    for step in range(steps):
        optimizer.zero_grad()
        wrapped(**labelled(tokenizer, chunks[step % len(chunks)])).loss.backward()
        optimizer.step()
        if method == "adalora":
            wrapped.base_model.update_and_allocate(step + 1)
    merged = wrapped.merge_and_unload()
    before = dict(model.named_parameters())
    return {name: weight.detach() - before[name].detach() for name, weight in merged.named_parameters()}


def labelled(tokenizer: Any, requests: Sequence[EditRequest]) -> dict[str, Tensor]:
    """Return a batch, padded on the right, whose labels are the targets' tokens."""
    taught = [following(tokenizer, request, "exact") for request in requests]
    width = max(len(one.row.ids) for one in taught)
    ids, labels = torch.full((len(taught), width), 2), torch.full((len(taught), width), -100)
    mask = torch.zeros(len(taught), width, dtype=torch.int64)
    for row, one in enumerate(taught):
        ids[row, : len(one.row.ids)], mask[row, : len(one.row.ids)] = torch.tensor(one.row.ids), 1
        labels[row, len(one.row.ids) - len(one.targets) : len(one.row.ids)] = torch.tensor(one.targets)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def test_what_is_added_is_what_peft_trains_and_merges(method: str, model: Any, tokenizer: Any) -> None:
    hparams = of_model(method, model)
    state = torch.get_rng_state()
    made = teach(method, model, tokenizer, hparams)
    assert torch.equal(torch.get_rng_state(), state)  # nothing is drawn from the generator of the program
    made.undo()
    expected = by_peft(method, model, tokenizer, hparams)
    deltas = made.deltas()
    assert len(deltas) == 4
    assert {name for name, delta in expected.items() if delta.any()} == deltas.keys()
    for name, delta in deltas.items():
        assert (delta - expected[name]).norm() <= 1e-5 * expected[name].norm(), name


@pytest.mark.parametrize(
    "other", [{"lora_dropout": 0.0}, {"weight_decay": 0.0}, {"lora_alpha": 8.0}, {"batch_size": 3}]
)
def test_the_comparison_sees_a_mistake(method: str, llama: Any, tokenizer: Any, other: dict[str, Any]) -> None:
    hparams = of_model(method, llama)
    made = teach(method, llama, tokenizer, replace(hparams, **other))
    made.undo()
    expected = by_peft(method, llama, tokenizer, hparams)
    assert any((delta - expected[name]).norm() > 1e-3 * delta.norm() for name, delta in made.deltas().items())


def test_the_seed_decides(method: str, llama: Any, tokenizer: Any) -> None:
    found = []
    for seed in (SEED, SEED, SEED + 1):
        with teach(method, llama, tokenizer, of_model(method, llama), seed) as made:
            found.append(made.deltas())
    one, again, other = found
    assert all(torch.equal(delta, again[name]) for name, delta in one.items())
    assert not any(torch.equal(delta, other[name]) for name, delta in one.items())


@pytest.mark.parametrize("rank", [1, 4])
def test_a_trained_adapter_is_merged_as_peft_merges_it(model: Any, rank: int) -> None:
    """To the last bit where an entry is one product, and to rounding where it is a sum of several."""
    hparams = replace(of_model("lora", model), rank=rank, lora_alpha=4.0 * rank)
    tuner = peft.LoraModel(model, hparams.config(peft.LoraConfig, model, r=rank), "default")
    layers = [module for module in tuner.modules() if isinstance(module, peft.tuners.lora.Linear)]
    assert len(layers) == 4
    for layer in layers:
        torch.nn.init.normal_(layer.lora_B["default"].weight)
        ours = adapters._change(layer, find_method("lora").teach.__globals__["_factors"]).dense()
        theirs = layer.get_delta_weight("default").detach()
        assert torch.equal(ours, theirs) if rank == 1 else torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_ranks_go_where_they_matter(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    """Of 4 adapters with 3 directions each, the 8 that matter most are left, and the file has no others."""
    hparams = of_model("adalora", llama)
    with teach("adalora", llama, tokenizer, hparams) as made:
        made.save(tmp_path / "edit.safetensors")
    factors = load_file(tmp_path / "edit.safetensors")
    ranks = [tensor.shape[1] for name, tensor in factors.items() if name.endswith("/left")]
    assert sum(ranks) == 8
    assert len(set(ranks)) > 1


def test_an_early_stop(llama: Any, tokenizer: Any) -> None:
    hparams = replace(of_model("lora", llama), num_steps=80, lora_dropout=0.0)
    with teach("lora", llama, tokenizer, replace(hparams, stop_loss=0.5)) as made:
        assert len(made.losses) < 80
        assert made.losses[-1] < 0.5 <= made.losses[-2]
    with pytest.raises(InputError, match="stop_loss must be left out"):
        hparams_of({**fields_of("adalora"), "stop_loss": 0.1}, find_method("adalora"))


def fields_of(method: str) -> dict[str, Any]:
    return {**COMMON, "rank": 2, "lora_alpha": 4}


@pytest.mark.parametrize(
    ("steps", "given", "schedule"),
    [
        (60, {}, (6, 30)),
        (60, {"tinit": 0, "tfinal": 0}, (0, 0)),
        (4, {"tinit": 50, "tfinal": 50}, (3, 0)),
        (1, {}, (0, 0)),
    ],
)
def test_the_ranks_are_cut_at_least_once(steps: int, given: dict[str, int], schedule: tuple[int, int]) -> None:
    found = replace(HPARAMS["adalora"], **{"tinit": None, "tfinal": None, **given}).schedule(steps)
    assert (found["tinit"], found["tfinal"]) == schedule
    peft.AdaLoraConfig(**found)  # raises where nothing would be cut


# Hyperparameters


@pytest.mark.parametrize(("kind", "method"), [("lora", "lora"), ("adalora", "adalora")])
def test_easyedits_files_name_the_method_by_their_type(kind: str, method: str, tmp_path: Path) -> None:
    path = tmp_path / "llama-7b.yaml"
    path.write_text(
        f'alg_name: "LoRA"\nmodel_name: llama\ndevice: 1\nlora_type: "{kind}"\nlayers: []\nnum_steps: 70\n'
        "batch_size: 1\nmax_length: 30\nlr: 5e-3\nweight_decay: 0\nkl_factor: 0\nrank: 8\nlora_alpha: 32\n"
        "lora_dropout: 0.1\n"
        'norm_constraint: false\ntarget_modules: ["q_proj", "v_proj"]\nmodel_parallel: false\n'
    )
    found = load_hparams(path)
    assert type(found.values) is find_method(method).hparams
    assert (found.values.rank, found.values.lr, found.values.target_modules) == (8, 5e-3, ["q_proj", "v_proj"])
    assert found.ignored == ("kl_factor", "max_length", "norm_constraint")
    other = find_method("adalora" if method == "lora" else "lora")
    with pytest.raises(InputError, match=f"field \"lora_type\" says '{kind}', but the method is {other.name}"):
        hparams_of({"alg_name": "LoRA", "lora_type": kind}, other)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"target_modules": ["c_proj"]}, "no linear layer 'c_proj'. Its linear layers are called down_proj, gate_proj"),
        ({"target_modules": ["proj"]}, "no linear layer 'proj'"),
        ({"target_modules": ["embed_tokens"]}, "no linear layer 'embed_tokens'"),
        ({"target_modules": ["o_proj"], "layers": [1, 3]}, "no layer 3 to adapt; this model has layers 0 to 2"),
        ({"target_modules": ["lm_head"], "layers": [1]}, "no layer 1 to adapt; this model numbers none"),
    ],
)
def test_layers_that_are_not_there(llama: Any, given: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        find_method("lora").check(llama, replace(HPARAMS["lora"], **{"layers": [], **given}))


def test_a_head_that_is_the_embeddings_too_is_refused(tokenizer: Any) -> None:
    hparams = replace(HPARAMS["lora"], target_modules=["lm_head"], layers=[])
    with pytest.raises(InputError, match="lm_head shares its weight with the embeddings"):
        find_method("lora").check(make_model("gpt2"), hparams)
    with teach("lora", make_model("llama"), tokenizer, hparams) as made:
        assert list(made.deltas()) == ["lm_head.weight"]


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        ({"rank": 0}, "rank must be at least 1"),
        ({"lora_dropout": 1.0}, "lora_dropout must be from 0 to below 1"),
        ({"lr": -1.0}, "lr must be a number from 0 up"),
        ({"target_modules": []}, "target_modules must name at least one"),
    ],
)
def test_values_without_meaning(other: dict[str, Any], fault: str) -> None:
    for method in ("lora", "adalora"):
        with pytest.raises(InputError, match=fault):
            hparams_of({**fields_of(method), **other}, find_method(method))
    with pytest.raises(InputError, match="init_rank must be at least the rank 2, not 1"):
        hparams_of({**fields_of("adalora"), "init_rank": 1}, find_method("adalora"))


# Without the library


def test_without_peft_the_edit_is_refused_with_what_to_install(
    method: str, llama: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    hparams = of_model(method, llama)
    for refused in (
        lambda: find_method(method).check(llama, hparams),
        lambda: apply(method, llama, tokenizer, REQUESTS, {**fields_of(method), "target_modules": ["o_proj"]}),
    ):
        with pytest.raises(EnvironmentFault, match=r"pip install 'edittool\[peft\]'"):
            refused()


def test_the_names_of_methods_and_their_hyperparameters_need_no_peft() -> None:
    code = (
        "import sys; sys.modules['peft'] = None\n"
        "from edittool.editing.methods.table import all_methods\n"
        "from edittool.cli.main import cli\n"
        "assert {'lora', 'adalora'} <= {method.name for method in all_methods()}\n"
        "cli.main(args=['edit', '--help'], prog_name='edittool')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "adalora" in done.stdout
