"""Every type of the table is right in every method, and a type that is not is refused by the part that does not fit."""

from typing import Any

import pytest
import torch

from edittool.editing import EditContext, Speedups, apply
from edittool.editing.model.checks import find_fault, fitting_family
from edittool.editing.model.families import FAMILIES, Family
from edittool.editing.model.unfit import EXPERTS, STATES, UNFIT
from edittool.schemas.errors import InputError

from ..model_types import FITTING, STRANGE, UNFITTING, Kind, make
from ..parity_cases import END, LAYERS, MIDDLE, covariance_of
from ..parity_cases import hparams_of as locating_hparams

METHODS = ("ft", "grace", "rome", "memit", "pmet")
TEMPLATES = ["{}", "I is. {}"]


def hparams_of(method: str, kind: Kind) -> dict[str, Any]:
    family = FAMILIES[kind.model_type]
    if method == "ft":
        return {"layers": [1], "rewrite_module_tmp": family.mlp_out, "num_steps": 3, "lr": 5e-3, "profile": "exact"}
    if method == "grace":
        return {"inner_params": [family.mlp_out.format(1)], "edit_lr": 0.5, "n_iter": 3, "eps": 1.0}
    few = {"v_num_grad_steps": 3, "profile": "exact"}
    return locating_hparams(method, kind.model_type) | few | ({"mom2_adjustment": True} if method == "rome" else {})


def edited(method: str, kind: Kind, tokenizer: Any, speedups: Speedups) -> dict[str, torch.Tensor]:
    """What an edit of a fresh model changes: tensors, or GRACE's values."""
    model, hparams = make(kind), hparams_of(method, kind)
    paths = [path.format(layer) for layer in range(LAYERS) for path in modules(kind)]
    context = EditContext(templates=TEMPLATES, covariance=covariance_of(model, paths), speedups=speedups)
    made = apply(method, model, tokenizer, [END, MIDDLE], hparams, context)
    book = made.codebook()
    return made.deltas() if book is None else {"values": book.values, "keys": book.keys}


def modules(kind: Kind) -> tuple[str, str]:
    return FAMILIES[kind.model_type].mlp_out, FAMILIES[kind.model_type].attention_out


def relative(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one - other).norm() / other.norm())


def test_every_type_of_the_table_is_tried() -> None:
    assert {kind.model_type for kind in FITTING} == FAMILIES.keys()
    assert {kind.model_type for kind in UNFITTING} == UNFIT.keys()


# Types of the table


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", FITTING, ids=str)
def test_speedups_change_nothing(kind: Kind, method: str, tokenizer: Any) -> None:
    fast, plain = (edited(method, kind, tokenizer, speedups) for speedups in (Speedups(), Speedups.none()))
    assert fast.keys() == plain.keys()
    assert all(tensor.norm() > 0 for tensor in plain.values())
    assert max(relative(tensor, plain[name]) for name, tensor in fast.items()) < 1e-5


@pytest.mark.parametrize("kind", FITTING, ids=str)
def test_fine_tuning_in_parts_is_that_of_the_whole_model(
    kind: Kind, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_parts = edited("ft", kind, tokenizer, Speedups())
    monkeypatch.setattr("edittool.editing.methods.ft.fitting_family_or_none", lambda model: None)
    whole = edited("ft", kind, tokenizer, Speedups())
    assert max(relative(tensor, whole[name]) for name, tensor in in_parts.items()) < 1e-5


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


def test_what_does_not_fit_is_told_by_its_type(unfitting: tuple[Kind, Family], tokenizer: Any) -> None:
    kind, _ = unfitting
    with torch.device("meta"):
        outline = make(kind)
    for method in ("grace", "rome", "memit", "pmet"):
        hparams = hparams_of(method, Kind("llama"))
        with pytest.raises(InputError, match=r"in parts: .*The method `ft` takes them, .*known: .*llama, ") as told:
            apply(method, outline, tokenizer, [END], hparams)
        assert UNFIT[kind.model_type] in str(told.value)


# Any type


ANY = (*FITTING, *(kind for kind, _ in UNFITTING), *STRANGE)


@pytest.mark.parametrize("kind", ANY, ids=str)
def test_fine_tuning_takes_any_type(kind: Kind, tokenizer: Any) -> None:
    model = make(kind)
    last = [name for name, parameter in model.named_parameters() if parameter.dim() > 1][-2]
    ids = tokenizer(END.prompt + END.target)["input_ids"]
    start = len(tokenizer(END.prompt)["input_ids"])
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, start - 1 : -1]
    expected = float(torch.nn.functional.cross_entropy(logits.float(), torch.tensor(ids[start:])))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    hparams = {"layers": [0], "rewrite_module_tmp": last, "num_steps": 6, "lr": 1e-2, "profile": "exact"}
    made = apply("ft", model, tokenizer, [END], hparams)
    assert made.losses[0] == pytest.approx(expected, rel=1e-4)
    assert made.losses[-1] < made.losses[0]
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert changed == made.deltas().keys() == {last}
    made.undo()
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
