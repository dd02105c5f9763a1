"""What EasyEdit itself learned, from a file: the package learns the same, single and on top of an edit before it."""

import contextlib
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from edittool.editing import EditContext, Speedups, apply

from .conftest import FAMILY_NAMES
from .easyedit_fixtures import EDITS, FILE, METHODS, covariances_for, fingerprint, hparams_for, tokenizer_for
from .parity_cases import CONTEXTS, distance, model_of

CLOSE = 1e-4
PLACES = [(method, family) for method in METHODS for family in FAMILY_NAMES]


@cache
def theirs(method: str, family: str, number: int) -> dict[str, Tensor]:
    with safe_open(FILE, framework="pt") as file:
        assert file.metadata()[family] == fingerprint(family), "PyTorch draws another random model: make the file anew"
        prefix = f"{method}/{family}/{number}/"
        return {name.removeprefix(prefix): file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118 - not a dict


def ours(method: str, family: str, speedups: Speedups = Speedups(), **changes: Any) -> list[Mapping[str, Tensor]]:  # noqa: B008 - it is frozen
    """What each of the two edits adds to the weights."""
    model, tokenizer = model_of(family), tokenizer_for(method)
    context = EditContext(templates=CONTEXTS, covariance=covariances_for(family), speedups=speedups)
    found = []
    with contextlib.ExitStack() as edits:
        for requests in EDITS:
            made = apply(method, model, tokenizer, requests, hparams_for(method, family) | changes, context)
            found.append(edits.enter_context(made).deltas())
    return found


@pytest.mark.parametrize("speedups", [Speedups(), Speedups.none()], ids=["speedups", "plain"])
@pytest.mark.parametrize(("method", "family"), PLACES)
def test_the_package_learns_what_easyedit_learns(method: str, family: str, speedups: Speedups) -> None:
    for number, deltas in enumerate(ours(method, family, speedups), 1):
        assert distance(deltas, theirs(method, family, number)) <= CLOSE


def test_mistakes_would_show() -> None:
    """The methods' own fields move an edit further than the tolerance, and so does what comes before it."""
    for method, changes in (
        ("emmet", {"emmet_lambda": 0.2}),
        ("emmet", {"update_norm_lambda": 0.0}),
        ("alphaedit", {"nullspace_threshold": 1.2}),
        ("alphaedit", {"L2": 0.6}),
        ("ultraedit", {"lr": 1.1e-3}),
        ("ultraedit", {"batch_size_once": 2}),
    ):
        assert distance(ours(method, "llama", **changes)[0], theirs(method, "llama", 1)) > 10 * CLOSE, changes


@pytest.mark.parametrize("method", ["alphaedit", "ultraedit"])
def test_what_is_remembered_of_earlier_edits_would_be_missed(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"edittool.editing.methods.{method}.states_of", lambda model, method: [])
    assert distance(ours(method, "llama")[1], theirs(method, "llama", 2)) > 10 * CLOSE


def test_the_file_has_every_edit() -> None:
    for method, family in PLACES:
        for number in (1, 2):
            assert len(theirs(method, family, number)) == (3 if method == "ultraedit" else 2)
            assert all(torch.isfinite(delta).all() for delta in theirs(method, family, number).values())
