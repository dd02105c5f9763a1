"""What each edit did to its own requests: in the rows of samples, and in the journal beside them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing import Edit, measure
from edittool.editing.requests import requests_for
from edittool.editing.runs.execute import check_output, run_regime
from edittool.editing.runs.journal import MadeEdit, journal_of
from edittool.editing.runs.plan import plan
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import read_rows

from ..conftest import change, problem
from ..short_runs import BATCH, FT, INSTANT, NONE, SEQUENTIAL

STEPS = replace(SEQUENTIAL, steps=(1, 3))
TIMES = {"instant": ("before", "after"), "batch": ("before", "after"), "sequential": ("before", "after", "now")}


@pytest.fixture
def bench() -> Bench:
    """A benchmark of three changes, the first of which has two requests."""
    problems = [problem(name, "reliability", name[0]) for name in ("a1", "a2", "b1", "c1")]
    problems += [problem(f"{name}9", "generalization", name) for name in "abc"]
    problems += [problem(f"s{i}", "specificity", None) for i in range(2)]
    changes = {name: replace(change(name), order=order) for order, name in enumerate("abc")}
    return Bench("three", {one.task_id: one for one in problems}, changes)


def rows(path: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(path, "sample")]


def lines(out: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(journal_of(out), "edit")]


def figures(record: dict[str, Any], when: str) -> list[Any]:
    return [record[f"{name}_{when}"] for name in ("nll", "greedy_tokens", "learned", "first_rank")]


def as_in_rows(model: Any, tokenizer: Any, bench: Bench, change_id: str) -> list[Any]:
    """What the model does now with the requests of a change, in figures of six digits."""
    found = measure(model, tokenizer, requests_for(bench, bench.changes[change_id]))
    values = (found.nll, found.greedy_tokens, found.learned, found.first_rank)
    return [None if value is None else float(f"{value:.6g}") for value in values]


@pytest.mark.parametrize("run", [INSTANT, STEPS, BATCH], ids=lambda run: run.regime)
def test_every_row_has_the_record_of_its_own_change_or_of_the_newest(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, run: Any
) -> None:
    out = tmp_path / "s.jsonl"
    summary = run_regime(llama, tokenizer, bench, run, out)
    for row in rows(out):
        own = bench.problems[row["task_id"]].change_id
        expected = ["a", "b", "c"] if run.regime == "batch" else [own or row["edited"][-1]]
        assert row["edit"]["changes"] == expected
        times = {name.rpartition("_")[2] for name in row["edit"] if name.startswith("nll_")}
        assert times == set(TIMES[run.regime])
    assert [list(record.changes) for record in summary.records] == [line["changes"] for line in lines(out)]


def test_the_figures_are_those_of_the_model_in_that_state(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    out, folder = tmp_path / "s.jsonl", tmp_path / "edits"
    run_regime(llama, tokenizer, bench, STEPS, out, save_edits=folder)
    records = {(row["step"], row["edit"]["changes"][0]): row["edit"] for row in rows(out)}
    assert records.keys() == {(1, "a"), (3, "a"), (3, "b"), (3, "c")}
    assert figures(records[1, "a"], "now") == figures(records[1, "a"], "after")
    edits = []
    for number, name in enumerate("abc", 1):
        assert figures(records[3, name], "before") == as_in_rows(llama, tokenizer, bench, name)
        edit = Edit.load(folder / f"{number:04}-{name}.safetensors")
        weights = {key: llama.get_parameter(key).detach().clone() for key in edit.deltas()}
        edits.append(edit.apply(llama))
        assert figures(records[3, name], "after") == as_in_rows(llama, tokenizer, bench, name)
        norms = [
            torch.stack([part.norm() for part in parts]).norm() for parts in (edit.deltas().values(), weights.values())
        ]
        assert records[3, name]["norm"] == pytest.approx(float(norms[0] / norms[1]), rel=1e-5)
        assert 0 < records[3, name]["rounded"] < 1e-5
    for name in "abc":
        assert figures(records[3, name], "now") == as_in_rows(llama, tokenizer, bench, name)
    assert figures(records[3, "a"], "now") != figures(records[3, "a"], "after")
    assert records[3, "a"]["requests"] == 2
    for edit in reversed(edits):
        edit.undo()


def test_the_journal_has_a_line_for_each_edit_that_was_made(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    out, heard = tmp_path / "s.jsonl", list[MadeEdit]()
    run_regime(llama, tokenizer, bench, STEPS, out, save_edits=tmp_path / "edits", hear=heard.append)
    found = lines(out)
    assert [line["name"] for line in found] == ["0001-a", "0002-b", "0003-c"] == [made.name for made in heard]
    for line in found:
        assert (line["method"], line["regime"], line["hparams_sha256"]) == ("ft", "sequential", FT.sha256())
        assert line["seconds"] > 0
        assert line["peak_memory_mib"] is None
        assert len(line["losses"]) == 2
        assert "nll_now" not in line
    one = next(row["edit"] for row in rows(out) if row["edit"]["changes"] == ["b"])
    assert {**found[1], **one} == {**found[1], **{name: one[name] for name in one if name.endswith("_now")}}


@pytest.mark.parametrize("saving", [False, True])
def test_an_edit_that_is_made_or_found_again_gets_no_second_line(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, saving: bool
) -> None:
    out, folder = tmp_path / "s.jsonl", tmp_path / "edits" if saving else None
    run_regime(llama, tokenizer, bench, replace(STEPS, steps=(1,)), out, save_edits=folder)
    first = journal_of(out).read_bytes()
    with journal_of(out).open("ab") as file:
        file.write(b'{"name": "0002-b", "mod')  # as a kill in the middle of a write leaves it
    run_regime(llama, tokenizer, bench, STEPS, out, save_edits=folder)
    assert journal_of(out).read_bytes().startswith(first)
    assert [line["name"] for line in lines(out)] == ["0001-a", "0002-b", "0003-c"]
    whole = tmp_path / "whole.jsonl"
    run_regime(llama, tokenizer, bench, STEPS, whole)
    assert out.read_bytes() == whole.read_bytes()
    took = {"seconds": None}
    assert [line | took for line in lines(out)] == [line | took for line in lines(whole)]


def test_a_journal_of_another_run_is_not_gone_on_with(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    out, other = tmp_path / "s.jsonl", replace(INSTANT, model="other")
    run_regime(llama, tokenizer, bench, INSTANT, out)
    out.unlink()
    for refused in (
        lambda: run_regime(llama, tokenizer, bench, other, out),
        lambda: check_output(out, bench, plan(bench, other), other),
    ):
        with pytest.raises(InputError, match=r's\.edits\.jsonl, line 1 is of an edit of another run: its "model"'):
            refused()
    run_regime(llama, tokenizer, bench, INSTANT, out)
    assert len(lines(out)) == 3


def test_samples_of_an_edittool_that_did_not_look_are_not_gone_on_with(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, INSTANT, out)
    row = rows(out)[0]
    del row["edit"]
    out.write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match="line 1 was sampled by an earlier edittool, which did not see whether edits"):
        run_regime(llama, tokenizer, bench, INSTANT, out)


def test_the_unedited_model_has_no_record_and_no_journal(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "s.jsonl"
    run_regime(llama, tokenizer, bench, NONE, out)
    assert not any("edit" in row for row in rows(out))
    assert [path.name for path in tmp_path.iterdir()] == ["s.jsonl"]
