"""Models that do not lie on one device are refused before anything is edited."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from edittool.editing import EditRequest, apply
from edittool.editing.model.memory import check_placement
from edittool.editing.runs.execute import run_regime
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

from ..short_runs import FT, INSTANT, NONE


def test_a_model_on_one_device_may_be_edited(llama: Any) -> None:
    check_placement(llama)


@pytest.fixture
def spread(llama: Any) -> Any:
    """As `device_map` leaves what had no room: a layer's weights are in no memory."""
    return llama.model.layers[2].to("meta") and llama


def test_a_model_that_is_spread_is_refused(spread: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    told = r"lies on cpu and no memory \(meta\).*Load it without `device_map`"
    with pytest.raises(InputError, match=told):
        apply("ft", spread, tokenizer, [EditRequest("def f(x):", "f", " x")], FT)
    for run in (INSTANT, NONE):
        with pytest.raises(InputError, match=told):
            run_regime(spread, tokenizer, bench, run, tmp_path / "s.jsonl")
    assert not list(tmp_path.iterdir())


def test_an_outline_is_refused(llama: Any) -> None:
    with pytest.raises(InputError, match="no memory"):
        check_placement(llama.to("meta"))


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs here")
def test_device_map_is_refused(tiny_folder: Path) -> None:
    make: Any = AutoModelForCausalLM.from_pretrained
    model = make(tiny_folder, device_map="balanced")
    with pytest.raises(InputError, match="cuda:0 and cuda:1"):
        check_placement(model)
