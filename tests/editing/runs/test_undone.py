"""Edits that are not finite: undone, told, and marked in the rows of samples."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext
from edittool.editing.edits.edit import Edit
from edittool.editing.methods.ft import fine_tune
from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.table import find_method
from edittool.editing.requests import EditRequest
from edittool.editing.runs.execute import run_regime
from edittool.schemas.bench import Bench
from edittool.schemas.validation import surely_valid

from ..short_runs import BATCH, COVARIANCE, INSTANT, MANY, METHOD_HPARAMS, NONE, SEQUENTIAL


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def written(row: dict[str, Any]) -> str:
    return str(row.get("raw", row.get("solution", row.get("completion"))))


def overflowing(run: Any, *subjects: str) -> Any:
    """Return `run` with steps for requests of these subjects that no float16 can hold."""

    def teach(model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: Any, context: EditContext) -> Edit:
        bad = any(request.subject in subjects for request in requests)
        return fine_tune(model, tokenizer, requests, replace(hparams, lr=1e6) if bad else hparams, context)

    return replace(run, method=replace(MANY, teach=teach), dtype="float16")


@pytest.fixture
def half(llama: Any) -> Any:
    return llama.half()


def test_an_instant_edit(half: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any) -> None:
    out, plain, told, before = tmp_path / "s.jsonl", tmp_path / "none.jsonl", list[str](), checksum(half)
    run_regime(half, tokenizer, bench, overflowing(INSTANT, "a1"), out, warn=told.append)
    assert checksum(half) == before
    assert told == [
        "the edit len is undone: its loss is nan at step 2 of 2. Samples are of the model without it. Use --dtype "
        "float32 or bfloat16, or smaller steps."
    ]
    found = rows(out)
    assert {(row["edited"][0], tuple(row.get("undone", ()))) for row in found} == {("len", ("len",)), ("max", ())}
    assert all(surely_valid(row, "sample") for row in found)
    run_regime(half, tokenizer, bench, replace(NONE, dtype="float16"), plain)
    unedited = {(row["task_id"], row["sample_index"]): written(row) for row in rows(plain)}
    for row in found:
        if "undone" in row:
            record = row["edit"]
            assert all(record[f"{name}_after"] == record[f"{name}_before"] for name in ("nll", "learned", "first_rank"))
            assert (record["norm"], record["rounded"]) == (None, None)
            assert written(row) == unedited[row["task_id"], row["sample_index"]]
    assert any(written(row) != unedited[row["task_id"], row["sample_index"]] for row in found)


@pytest.mark.parametrize("saving", [False, True])
def test_a_sequence_goes_on_without_it(
    half: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any, saving: bool
) -> None:
    before, folder = checksum(half), tmp_path / "edits" if saving else None
    out, parts, alone = tmp_path / "s.jsonl", tmp_path / "parts.jsonl", tmp_path / "alone.jsonl"
    run = overflowing(replace(SEQUENTIAL, steps=(1, 2)), "a1")  # len comes first
    run_regime(half, tokenizer, bench, run, out, save_edits=folder)
    assert checksum(half) == before
    assert {(row["step"], tuple(row["undone"])) for row in rows(out)} == {(1, ("len",)), (2, ("len",))}
    run_regime(half, tokenizer, bench, replace(run, steps=(1,)), parts, save_edits=folder)
    run_regime(half, tokenizer, bench, run, parts, save_edits=folder)
    assert parts.read_bytes() == out.read_bytes()
    only = replace(run, steps=(1,), changes=("max",))
    run_regime(half, tokenizer, bench, only, alone)
    last = {(row["task_id"], row["sample_index"]): written(row) for row in rows(out) if row["step"] == 2}
    for row in rows(alone):
        if row["task_id"] == "t/b1":
            assert written(row) == last[row["task_id"], row["sample_index"]]


def test_what_was_undone_is_taken_from_its_file(
    half: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any
) -> None:
    out, before = tmp_path / "s.jsonl", checksum(half)
    run = overflowing(replace(SEQUENTIAL, steps=(2,)), "b1")  # max comes second
    run_regime(half, tokenizer, bench, run, out, save_edits=tmp_path / "edits")
    first, count = out.read_bytes(), len(rows(out))
    assert all(row["undone"] == ["max"] for row in rows(out))
    out.write_bytes(b"".join(first.splitlines(keepends=True)[:-1]))
    told: list[str] = []
    summary = run_regime(half, tokenizer, bench, run, out, save_edits=tmp_path / "edits", warn=told.append)
    assert (summary.edits, summary.new, summary.found) == (1, 1, count - 1)
    assert out.read_bytes() == first
    assert (told, checksum(half)) == ([], before)


def test_a_batch(half: Any, tokenizer: Any, bench: Bench, tmp_path: Path, checksum: Any) -> None:
    out, before = tmp_path / "s.jsonl", checksum(half)
    run_regime(half, tokenizer, bench, overflowing(BATCH, "a1"), out)
    assert {tuple(row["undone"]) for row in rows(out)} == {("len", "max")}
    assert checksum(half) == before


@pytest.mark.parametrize("method", METHOD_HPARAMS)
@pytest.mark.parametrize("layer", [0, 2])
def test_a_model_that_computes_no_numbers_at_some_layer(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, method: str, layer: int, checksum: Any
) -> None:
    with torch.no_grad():
        llama.model.layers[layer].self_attn.o_proj.weight[0] = torch.nan
    before, told, out = checksum(llama), list[str](), tmp_path / "s.jsonl"
    context = EditContext(templates=["{}", "So. {}"], covariance=COVARIANCE)
    run = replace(SEQUENTIAL, method=find_method(method), hparams=Hparams(METHOD_HPARAMS[method], "test"))
    run_regime(llama, tokenizer, bench, run, out, context=context, warn=told.append)
    assert len(told) == 2
    assert {tuple(row["undone"]) for row in rows(out)} == {("len",), ("len", "max")}
    assert {
        (row["edit"]["nll_after"], row["edit"]["first_rank_now"], row["edit"]["learned_now"]) for row in rows(out)
    } == {(None, None, 0)}
    assert checksum(llama) == before
