"""ROME, MEMIT, PMET and FT hold against plain derivations from their equations (see `plain`), term by term.

Two precisions are compared. With the model in float64 its rounding is out of the way; what is left comes from the
float32 of delta and of the differences: 1e-5 without speed-ups and with all of them. AlphaEdit on top of another edit
starts from what float32 left of that one, and of its keys: 2e-5 (1.1e-5 on one kind of CPU of several). In float32,
the plain method takes one row at a time and the package a batch, so sums are rounded in another order; Adam, whose
first step divides each coordinate of the gradient by its own size, makes more of that: 1e-4.
"""

from dataclasses import asdict, fields, replace
from typing import Any

import pytest
import torch

from edittool.editing import EditContext, Speedups, apply
from edittool.editing.methods.ft import FtHparams
from edittool.editing.model.families import FAMILIES

from .conftest import FAMILY_NAMES
from .methods.test_ft import REQUESTS, reference
from .parity_cases import (
    CORE,
    SMALL,
    TOKENIZERS,
    VARIANTS,
    Case,
    distance,
    edited,
    model_of,
    plainly,
    tokenizer_of,
)
from .plain.methods import Learned

EXACT, ON_TOP, ROUNDED = 1e-5, 2e-5, 1e-4
SWITCHES = [field.name for field in fields(Speedups)]
PLACES = [(family, kind) for kind in TOKENIZERS for family in FAMILY_NAMES]
EVERYWHERE = [case.on(*place) for case in CORE for place in PLACES]
IN_TURN = [case.on(*PLACES[number % len(PLACES)]) for number, case in enumerate(VARIANTS)]


def agree(case: Case, right: Learned, speedups: Speedups, dtype: torch.dtype, tolerance: float) -> None:
    edit = edited(case, speedups, dtype)
    assert edit.losses == pytest.approx(right.losses, rel=tolerance, abs=1e-6)  # losses near 0 hold float32's noise
    assert distance(edit.deltas(), right.deltas) <= tolerance


@pytest.mark.parametrize("case", EVERYWHERE + IN_TURN, ids=str)
def test_equals_the_plain_method(case: Case) -> None:
    right = plainly(case, torch.float64)
    tolerance = ON_TOP if case.method == "alphaedit" and case.before else EXACT
    agree(case, right, Speedups.none(), torch.float64, tolerance)
    agree(case, right, Speedups(), torch.float64, tolerance)


@pytest.mark.parametrize("case", EVERYWHERE[::5], ids=str)
def test_equals_the_plain_method_in_float32(case: Case) -> None:
    right = plainly(case)
    agree(case, right, Speedups.none(), torch.float32, ROUNDED)
    agree(case, right, Speedups(), torch.float32, ROUNDED)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_equals_the_plain_method_with_each_switch_alone(case: Case) -> None:
    right = plainly(case)
    for switch in SWITCHES:
        agree(case, right, replace(Speedups.none(), **{switch: True}), torch.float32, ROUNDED)
        agree(case, right, replace(Speedups(), **{switch: False}), torch.float32, ROUNDED)


FT_CASES: dict[str, dict[str, Any]] = {
    "exact": {"profile": "exact", "weight_decay": 0.1, "batch_size": 2},
    "space-clamped": {"norm_constraint": 6e-3},
    "prompt_last": {"objective_optimization": "prompt_last", "batch_size": 3},
}


def ft_hparams(family: str, changes: dict[str, Any]) -> FtHparams:
    return FtHparams([1], FAMILIES[family].mlp_out, num_steps=5, lr=5e-3, **changes)


def ft_agrees(family: str, kind: str, hparams: FtHparams, *speedups: Speedups) -> None:
    model, tokenizer = model_of(family), tokenizer_of(kind)
    expected, losses = reference(model, tokenizer, hparams)
    for chosen in speedups:
        with apply("ft", model, tokenizer, REQUESTS, asdict(hparams), EditContext(speedups=chosen)) as edit:
            assert edit.losses == pytest.approx(losses, rel=ROUNDED)
            assert distance(edit.deltas(), expected) <= ROUNDED


@pytest.mark.parametrize("changes", FT_CASES.values(), ids=FT_CASES)
@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_ft_equals_its_plain_reference(family: str, kind: str, changes: dict[str, Any]) -> None:
    ft_agrees(family, kind, ft_hparams(family, changes), Speedups.none(), Speedups())


def test_ft_equals_its_plain_reference_with_each_switch_alone() -> None:
    alone = [replace(Speedups.none(), **{switch: True}) for switch in SWITCHES]
    without = [replace(Speedups(), **{switch: False}) for switch in SWITCHES]
    ft_agrees("llama", "bytes", ft_hparams("llama", FT_CASES["exact"]), *alone, *without)
