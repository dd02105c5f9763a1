from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext, Speedups
from edittool.editing.requests import EditRequest
from edittool.editing.runs.plan import PlannedEdit
from edittool.editing.runs.saved_edits import context_sha256, requests_sha256

GIVEN: dict[str, Any] = {"covariance": {"a": torch.eye(2), "b": torch.ones(2, 2)}, "initial_values": [torch.ones(2)]}


def test_the_same_context_has_the_same_sum() -> None:
    again = {"covariance": {"b": torch.ones(2, 2), "a": torch.eye(2)}, "initial_values": [torch.ones(2)]}
    assert context_sha256(EditContext(**GIVEN), ["a", "b"]) == context_sha256(EditContext(**again), ["b", "a"])


@pytest.mark.parametrize(
    "other",
    [
        {"covariance": {"a": torch.eye(2).double()}},
        {"covariance": {"a": torch.eye(2) + 1e-7}},
        {"covariance": {"a": torch.eye(2).flatten()}},
        {"initial_values": None},
        {"initial_values": [torch.zeros(2)]},
        {"templates": ["{}"]},
        {"seed": 1},
    ],
    ids=str,
)
def test_what_decides_an_edit_changes_it(other: dict[str, Any]) -> None:
    assert context_sha256(EditContext(**GIVEN | other), ["a"]) != context_sha256(EditContext(**GIVEN), ["a"])


def test_what_does_not_matter_does_not() -> None:
    other = EditContext(**GIVEN | {"covariance": {"a": torch.eye(2)}, "speedups": Speedups.none(), "kept": {"x": 1}})
    assert context_sha256(other, ["a"]) == context_sha256(EditContext(**GIVEN), ["a"])


def test_requests_count_with_those_before_them() -> None:
    one, two = (PlannedEdit("n", "t", ("c",), (EditRequest("def f(x):", "f", text, 4),)) for text in ("a", "b"))
    sums = [requests_sha256(edits) for edits in ([one], [two], [one, two], [two, one])]
    assert len(set(sums)) == 4
    assert requests_sha256([PlannedEdit("other", "words", ("d",), one.requests)]) == sums[0]
