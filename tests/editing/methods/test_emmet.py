"""EMMET: the equality that it asks for, and what it has in common with MEMIT."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from edittool.editing import EditContext, Speedups
from edittool.editing.methods.emmet import EmmetHparams, constrained_keys
from edittool.schemas.errors import InputError

from ..parity_cases import BRACES, END, MIDDLE, Case, distance, edited
from ..short_runs import VALUE

THREE = (MIDDLE, END, BRACES)
PATH = "layer"


def hparams(**changes: Any) -> EmmetHparams:
    return EmmetHparams(layers=[0], mom2_update_weight=5.0, **VALUE, **changes)


def drawn(columns: int, seed: int = 0) -> Tensor:
    return torch.randn(24, columns, generator=torch.Generator().manual_seed(seed))


def context(speedups: Speedups) -> EditContext:
    inputs = drawn(200, 1)
    return EditContext(covariance={PATH: inputs @ inputs.T / 200}, speedups=speedups)


@pytest.mark.parametrize("speedups", [Speedups(), Speedups.none()])
def test_without_lambda_each_value_is_written_whole(speedups: Speedups) -> None:
    """ΔW K = R for any R is Aᵀ K = I."""
    keys = drawn(3)
    adjusted = constrained_keys(context(speedups), PATH, keys, hparams(emmet_lambda=0.0))
    assert torch.allclose(adjusted.T @ keys.double(), torch.eye(3, dtype=torch.float64), atol=1e-9)
    soft = constrained_keys(context(speedups), PATH, keys, hparams(emmet_lambda=0.1))
    assert (soft.T @ keys.double()).diagonal().max() < 0.99


def test_it_is_the_smallest_change_that_does_so() -> None:
    keys, given = drawn(3), context(Speedups())
    adjusted = constrained_keys(given, PATH, keys, hparams(emmet_lambda=0.0))
    covariance = given.covariance[PATH].double()

    def size(change: Tensor) -> float:
        return float((change.T @ covariance @ change).trace())

    free = drawn(3, 5).double()
    free -= keys.double() @ torch.linalg.lstsq(keys.double(), free).solution  # what K does not see
    assert torch.allclose(keys.double().T @ free, torch.zeros(3, 3, dtype=torch.float64), atol=1e-9)
    for step in (0.01, -0.01, 1.0):
        assert size(adjusted + step * free) > size(adjusted)


def test_the_same_key_twice_takes_the_mean_of_its_values() -> None:
    key = drawn(1)
    adjusted = constrained_keys(context(Speedups()), PATH, torch.cat([key, key], 1), hparams(emmet_lambda=0.0))
    assert torch.allclose(adjusted.T @ key.double(), torch.full((2, 1), 0.5, dtype=torch.float64), atol=1e-9)


def test_with_lambda_it_is_memit_by_another_name() -> None:
    memit = Case("alike", "memit", THREE, {"mom2_update_weight": 0.6})
    emmet = Case("alike", "emmet", THREE, {"mom2_update_weight": 4.0, "emmet_lambda": 0.15})
    assert distance(edited(emmet, Speedups()).deltas(), edited(memit, Speedups()).deltas()) < 1e-6
    other = replace(emmet, changes={"mom2_update_weight": 4.0, "emmet_lambda": 0.1})
    assert distance(edited(other, Speedups()).deltas(), edited(memit, Speedups()).deltas()) > 1e-3


def test_the_ridge_makes_up_for_a_covariance_of_too_few_tokens() -> None:
    poor = EditContext(covariance={PATH: drawn(2) @ drawn(2).T})
    with pytest.raises(InputError, match="cannot be inverted"):
        constrained_keys(
            EditContext(covariance={PATH: torch.zeros(24, 24)}), PATH, drawn(1, 7), hparams(update_norm_lambda=0.0)
        )
    adjusted = constrained_keys(poor, PATH, drawn(1, 7), hparams(update_norm_lambda=1.0))
    assert torch.isfinite(adjusted).all()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("mom2_update_weight", 0.0, "must be above 0"),
        ("emmet_lambda", -1.0, "must be a number from 0 up"),
        ("update_norm_lambda", float("inf"), "must be a number from 0 up"),
        ("fact_token", "last", "for ROME alone"),
    ],
)
def test_values_without_meaning_are_refused(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"{field}.*{message}"):
        replace(hparams(), **{field: value})
