from dataclasses import replace
from typing import Any

import pytest
import torch

from edittool.editing.api import apply
from edittool.editing.edits.codebook import Entries, Entry
from edittool.editing.edits.edit import Edit
from edittool.editing.edits.finite import not_finite
from edittool.editing.requests import EditRequest
from edittool.schemas.errors import InputError

from ..short_runs import FT

NAME = "model.layers.1.mlp.down_proj"
NAN, INF = float("nan"), float("inf")


def delta(value: float) -> dict[str, torch.Tensor]:
    tensor = torch.zeros(32, 48)
    tensor[3, 4] = value
    return {f"{NAME}.weight": tensor}


def codebook(**fields: Any) -> dict[str, Entries]:
    entry = Entry(torch.ones(48), torch.ones(32), 1.0, 0.0)
    return {NAME: Entries((replace(entry, **fields),), "replace_last", "direct")}


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (Edit("ft", delta(1.0), [2.0, 1.0]), None),
        (Edit("grace", {}, [2.0], codebook()), None),
        (Edit("none", {}), None),
        (Edit("ft", delta(1.0), [2.0, NAN, NAN]), "its loss is nan at step 2 of 3"),
        (Edit("ft", delta(1.0), [INF]), "its loss is inf at step 1 of 1"),
        (Edit("ft", delta(NAN)), f"the change of {NAME}.weight is not finite"),
        (Edit("ft", delta(-INF)), f"the change of {NAME}.weight is not finite"),
        (Edit("grace", {}, [], codebook(value=torch.full((32,), NAN))), "its codebook is not finite"),
        (Edit("grace", {}, [], codebook(key=torch.full((48,), INF))), "its codebook is not finite"),
    ],
)
def test_edits(llama: Any, edit: Edit, fault: str | None) -> None:
    with edit.apply(llama):
        assert not_finite(edit, llama) == fault


def test_a_weight_that_leaves_the_range_of_its_type(llama: Any) -> None:
    edit = Edit("ft", delta(1e5))
    with edit.apply(llama):
        assert not_finite(edit, llama) is None
    with edit.apply(llama.half()):
        assert not_finite(edit, llama) == f"{NAME}.weight with it is not finite"


def test_one_edit_for_programs_is_undone(llama: Any, tokenizer: Any, checksum: Any) -> None:
    before = checksum(llama.half())
    hparams = replace(FT, values=replace(FT.values, lr=1e6))
    request = EditRequest("def f(x):\n", "f", "    return x\n")
    with pytest.raises(InputError, match=r"The edit by ft is undone: its loss is nan at step 2 of 2\. .*float32"):
        apply("ft", llama, tokenizer, [request], hparams)
    assert checksum(llama) == before
