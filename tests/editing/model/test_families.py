"""Every type of the table is right in every method, and a type that is not is refused by the part that does not fit."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing import EditContext, Speedups, apply
from edittool.editing.edits.codebook import features
from edittool.editing.methods.hparams import hparams_of as read_hparams_of
from edittool.editing.methods.table import find_method
from edittool.editing.model.cached import check_cached
from edittool.editing.model.checks import find_fault, fitting_family
from edittool.editing.model.families import FAMILIES, Family
from edittool.editing.model.unfit import EXPERTS, STATES, UNFIT
from edittool.editing.runs.execute import run_regime
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.runs.settings import Run
from edittool.schemas.errors import InputError

from ..model_types import DELTA, FALCON, FITTING, STRANGE, UNFITTING, Kind, llama, make, outline
from ..parity_cases import END, LAYERS, MIDDLE, byte_tokenizer, covariance_of
from ..parity_cases import hparams_of as locating_hparams
from ..short_runs import FT, INSTANT, NONE

METHODS = ("ft", "grace", "rome", "memit", "pmet", "emmet", "alphaedit", "ultraedit")
TEMPLATES = ["{}", "I is. {}"]
TOKENIZER = byte_tokenizer()


def hparams_of(method: str, kind: Kind) -> dict[str, Any]:
    family = FAMILIES[kind.model_type]
    if method == "ft":
        return {"layers": [1], "rewrite_module_tmp": family.mlp_out, "num_steps": 3, "lr": 5e-3, "profile": "exact"}
    if method == "grace":
        return {"inner_params": [family.mlp_out.format(1)], "edit_lr": 0.5, "n_iter": 3, "eps": 1.0}
    if method == "ultraedit":
        return {"inner_params": [family.mlp_out.format(1), family.attention_out.format(2)], "lr": 1e-3}
    few = {"v_num_grad_steps": 3, "profile": "exact"}
    return locating_hparams(method, kind.model_type) | few | ({"mom2_adjustment": True} if method == "rome" else {})


def edited(method: str, kind: Kind, speedups: Speedups) -> dict[str, torch.Tensor]:
    """What an edit of a fresh model changes: tensors, or GRACE's keys and values.

    The model is in float64: in float32, Adam's first step makes 1e-5 of the rounding of entries next to nothing.
    """
    model, hparams = make(kind).double(), hparams_of(method, kind)
    paths = [path.format(layer) for layer in range(LAYERS) for path in modules(kind)]
    context = EditContext(templates=TEMPLATES, covariance=covariance_of(model, paths), speedups=speedups)
    made = apply(method, model, TOKENIZER, [END, MIDDLE], hparams, context)
    book = made.codebook()
    return made.deltas() if book is None else {"values": book.values, "keys": book.keys}


def modules(kind: Kind) -> tuple[str, str]:
    return FAMILIES[kind.model_type].mlp_out, FAMILIES[kind.model_type].attention_out


def flat(tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensors[name].flatten() for name in sorted(tensors)])


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


def test_every_type_of_the_table_is_tried() -> None:
    assert {kind.model_type for kind in FITTING} == FAMILIES.keys()
    assert {kind.model_type for kind, _ in UNFITTING} == UNFIT.keys()


def test_the_page_lists_every_type() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "add-a-model-family.md").read_text(encoding="utf-8")
    fitting, unfitting = page.split("## What was tried")[1].split("Refused by")
    rows = [line for line in unfitting.splitlines() if line.startswith("|")]
    assert set(re.findall(r"^\| (\w+) \|", fitting, re.MULTILINE)) == FAMILIES.keys()
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == UNFIT.keys()


# Types of the table


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", FITTING, ids=str)
def test_speedups_change_nothing(kind: Kind, method: str) -> None:
    fast, plain = (edited(method, kind, speedups) for speedups in (Speedups(), Speedups.none()))
    assert fast.keys() == plain.keys()
    assert all(tensor.norm() > 0 for tensor in plain.values())
    assert relative(flat(fast), flat(plain)) < 1e-5


@pytest.mark.parametrize("kind", FITTING, ids=str)
def test_fine_tuning_in_parts_is_that_of_the_whole_model(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts = edited("ft", kind, Speedups())
    monkeypatch.setattr("edittool.editing.methods.ft.fitting_family_or_none", lambda model: None)
    whole = edited("ft", kind, Speedups())
    assert relative(flat(in_parts), flat(whole)) < 1e-5


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", FITTING, ids=str)
def test_rounding_to_sixteen_bits_is_no_fault(kind: Kind, dtype: torch.dtype) -> None:
    assert find_fault(make(kind).to(dtype)) == ""


# Types that do not fit


@pytest.fixture(params=UNFITTING, ids=lambda case: str(case[0]))
def unfitting(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_does_not_fit_is_found_by_its_numbers(
    unfitting: tuple[Kind, Family], dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, family = unfitting
    monkeypatch.setitem(FAMILIES, kind.model_type, family)
    with pytest.raises(InputError) as told:
        fitting_family(make(kind).to(dtype))
    reason = UNFIT[kind.model_type]
    assert (reason if reason not in (EXPERTS, STATES) else "it has no module ") in str(told.value)


def test_what_does_not_fit_is_told_by_its_type(unfitting: tuple[Kind, Family]) -> None:
    kind, _ = unfitting
    for method in ("grace", "rome", "memit", "pmet", "emmet", "alphaedit"):
        chosen = find_method(method)
        hparams = read_hparams_of(hparams_of(method, llama("llama")), chosen).values
        with pytest.raises(InputError, match=r"in parts: .*`ft` and `ultraedit` take them, .*known: .*llama, ") as told:
            chosen.check(outline(kind), hparams)
        assert UNFIT[kind.model_type] in str(told.value)


# Any type


ANY = (*FITTING, *(kind for kind, _ in UNFITTING), *STRANGE)


@pytest.mark.parametrize("kind", ANY, ids=str)
def test_fine_tuning_takes_any_type(kind: Kind) -> None:
    model = make(kind)
    last = [name for name, parameter in model.named_parameters() if parameter.dim() > 1][-2]
    ids = TOKENIZER(END.prompt + END.target)["input_ids"]
    start = len(TOKENIZER(END.prompt)["input_ids"])
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, start - 1 : -1]
    expected = float(torch.nn.functional.cross_entropy(logits.float(), torch.tensor(ids[start:])))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    hparams = {"layers": [0], "rewrite_module_tmp": last, "num_steps": 6, "lr": 1e-2, "profile": "exact"}
    made = apply("ft", model, TOKENIZER, [END], hparams)
    assert made.losses[0] == pytest.approx(expected, rel=1e-4)
    assert made.losses[-1] < made.losses[0]
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == made.deltas().keys() == {last}
    made.undo()
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


@pytest.mark.parametrize("kind", ANY, ids=str)
def test_ultraedit_takes_any_type(kind: Kind) -> None:
    model = make(kind)
    head = model.get_output_embeddings()
    linear = [name for name, module in model.named_modules() if features(module) and module is not head]
    last = next(name for name in reversed(linear) if not any(word in name for word in ("expert", "gate", "router")))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    made = apply("ultraedit", model, TOKENIZER, [END], {"inner_params": [last], "lr": 1e-5, "profile": "exact"})
    assert made.losses[1] < made.losses[0]
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == made.deltas().keys() == {f"{last}.weight"}
    made.undo()
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


PROMPTS = ['def f(x):\n    """', 'def load(values, more):\n    """Text, and more', 'def g():\n    """Say']
# Read on from a cache as the sampler does it, these do not give what they give without.
UNREAD = {"falcon_mamba", "mamba", "mamba2", "recurrent_gemma"}


@pytest.mark.parametrize("kind", ANY, ids=str)
def test_sampling_takes_any_type_or_refuses_it(kind: Kind) -> None:
    model = make(kind)
    if kind.model_type in UNREAD:
        with pytest.raises(InputError, match=f"type '{kind.model_type}' cannot be sampled from here"):
            check_cached(model)
        return
    check_cached(model)
    draws = [Draw(prompt, prompt, 0, "f") for prompt in PROMPTS]
    settings = Sampling(n=1, temperature=0, max_new_tokens=6)
    texts = {draw.prompt: text for batch in sample(model, TOKENIZER, draws, settings) for draw, text in batch}
    assert texts == {prompt: alone(model, prompt, 6) for prompt in PROMPTS}


@pytest.mark.parametrize("run", [NONE, INSTANT], ids=["none", "ft"])
@pytest.mark.parametrize("kind", [llama("gpt_neox"), llama("qwen3_5_text", **DELTA), Kind("bloom", FALCON)], ids=str)
def test_a_run_takes_a_type_of_no_family(kind: Kind, run: Run, bench: Any, tmp_path: Path) -> None:
    model = make(kind)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    last = [name for name, parameter in model.named_parameters() if parameter.dim() > 1][-2]
    if run is INSTANT:
        run = replace(run, hparams=replace(FT, values=replace(FT.values, rewrite_module_tmp=last, lr=0.5)))
    summary = run_regime(model, TOKENIZER, bench, run, tmp_path / "s.jsonl")
    assert summary.new == len((tmp_path / "s.jsonl").read_text().splitlines()) > 10
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_run_refuses_to_sample_wrongly_before_anything_is_written(bench: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the results differ.*edittool prompts"):
        run_regime(make(llama("mamba")), TOKENIZER, bench, NONE, tmp_path / "s.jsonl")
    assert list(tmp_path.iterdir()) == []


# What the checks tell of a family that would fit


def test_of_a_model_that_computes_no_numbers_nothing_is_said() -> None:
    model = make(llama("llama"))
    with torch.no_grad():
        model.model.norm.weight.fill_(float("nan"))
    assert find_fault(model) == ""
    check_cached(model)


def test_parallel_layers_of_a_type_that_also_has_serial_ones_are_told_by_the_outline() -> None:
    with pytest.raises(InputError, match=r"it has no module model\.layers\.0\.post_attention_layernorm"):
        fitting_family(outline(llama("stablelm", use_parallel_residual=True)))


def test_the_part_is_named_wherever_it_does_not_fit() -> None:
    model = make(llama("llama"))
    mlp, norm = model.model.layers[2].mlp, model.model.layers[1].self_attn
    for module, words in (
        (mlp, "in layer 2, the MLP's output is multiplied .*by 0.5"),
        (norm, "in layer 1, the attention's"),
    ):
        forward = module.forward
        module.forward = halved(forward)
        assert re.match(words, find_fault(model))
        module.forward = forward
    assert find_fault(model) == ""


def halved(forward: Any) -> Any:
    """A forward whose output, a tensor or the first of a tuple, is half of what it was."""

    def half(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        return (0.5 * output[0], *output[1:]) if isinstance(output, tuple) else 0.5 * output

    return half


def test_what_depends_on_the_width_of_the_batch_is_told() -> None:
    model = make(llama("llama"))
    layer = model.model.layers[1].self_attn
    layer.o_proj.register_forward_hook(lambda module, args, output: output * (1 + output.shape[1] / 10))
    assert find_fault(model) == "with the beginning of a text in a cache, it computes something else than without"
    with pytest.raises(InputError, match="the results differ"):
        check_cached(model)


def test_a_model_is_passed_through_once_and_left_in_its_mode() -> None:
    model = make(llama("llama")).train()
    model.model.layers[0].mlp.eval()
    passes = []
    model.model.register_forward_hook(lambda *_: passes.append(1))
    fitting_family(model)
    first = len(passes)
    fitting_family(model)
    assert 0 < first == len(passes)
    assert (model.training, model.model.layers[0].mlp.training, model.model.layers[1].mlp.training) == (
        True,
        False,
        True,
    )


@torch.no_grad()
def alone(model: Any, prompt: str, count: int) -> str:
    """What the model goes on with, a token at a time, without a cache and without padding."""
    ids = TOKENIZER(prompt)["input_ids"]
    start = len(ids)
    for _ in range(count):
        ids.append(int(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
        if ids[-1] == TOKENIZER.eos_token_id:
            break
    text: str = TOKENIZER.decode(ids[start:], skip_special_tokens=True)
    return text
