import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.table import find_method
from edittool.editing.runs.drafts import read_drafts
from edittool.editing.runs.execute import run_regime
from edittool.editing.runs.sampling import Draw, Program, Sampling, sample
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

from ..short_runs import INSTANT, METHOD_HPARAMS, NONE, SAMPLING


def file_of(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "drafts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_answer_is_the_draft(bench: Bench, tmp_path: Path) -> None:
    path = file_of(
        tmp_path,
        {"task_id": "t/a1", "sample_index": 1, "completion": "    return 1\n", "raw": "    return 1\nprint(1)\n"},
        {"task_id": "t/a1", "sample_index": 0, "completion": "    return 2\n"},
        {"task_id": "t/a2", "sample_index": 0, "solution": "", "raw": "not a program"},
        {"task_id": "t/b1", "sample_index": 0, "solution": "def b1(x): return x"},
        {"task_id": "other/1", "completion": "    return 3\n"},
    )
    assert read_drafts(path, bench) == {
        ("t/a1", 1): "    return 1\nprint(1)\n",
        ("t/a1", 0): "    return 2\n",
        ("t/a2", 0): "not a program",
        ("t/b1", 0): "",
    }


def test_rows_without_an_index_are_counted(bench: Bench, tmp_path: Path) -> None:
    rows = [{"task_id": task, "completion": text} for task, text in (("t/a1", "a"), ("t/b1", "b"), ("t/a1", "c"))]
    drafts = read_drafts(file_of(tmp_path, *rows), bench)
    assert drafts == {("t/a1", 0): "a", ("t/b1", 0): "b", ("t/a1", 1): "c"}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (
            [{"task_id": "t/a1", "sample_index": 0, "completion": ""}] * 2,
            r"line 2: sample 0 of t/a1 stands there twice",
        ),
        ([{"task_id": "other/1", "completion": ""}], "has no sample for a problem of small"),
        ([{"task": "t/a1"}], "line 1"),
    ],
)
def test_files_that_are_no_drafts(bench: Bench, tmp_path: Path, rows: list[dict[str, Any]], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_drafts(file_of(tmp_path, *rows), bench)


def test_a_draft_is_what_the_tokenizer_makes_of_it_after_the_prompt(llama: Any, tokenizer: Any) -> None:
    prompt, text = "def f(x):\n", "    return x\n"
    draw = Draw("t", prompt, 0, "f", text)
    ids = tokenizer(prompt)["input_ids"]
    program = Program.start(draw, ids, llama, tokenizer, frozenset(), Sampling())
    assert tokenizer.decode(ids + program.draft(), skip_special_tokens=True) == prompt + text
    short = Program.start(draw, ids, llama, tokenizer, frozenset(), Sampling(max_new_tokens=2))
    assert short.draft() == program.draft()[:2]


def test_a_token_across_the_end_of_the_prompt(llama: Any, tokenizer: Any) -> None:
    """The prompt's tokens stay, whatever the tokenizer would make of the whole."""
    prompt, text = "def f(x):\n    ret", "urn x\n"
    ids = tokenizer(prompt)["input_ids"]
    whole = tokenizer(prompt + text)["input_ids"]
    assert whole[: len(ids)] != ids
    program = Program.start(Draw("t", prompt, 0, "f", text), ids, llama, tokenizer, frozenset(), Sampling())
    assert tokenizer.decode(ids + program.draft(), skip_special_tokens=True) == prompt + text


@pytest.mark.parametrize("method", ["ft", "grace"])
def test_a_run_with_drafts_writes_the_same_samples(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, method: str
) -> None:
    base, plain, drafted = (tmp_path / name for name in ("base", "plain", "drafted"))
    run_regime(llama, tokenizer, bench, NONE, base)
    run = replace(INSTANT, method=find_method(method), hparams=Hparams(METHOD_HPARAMS[method], "test"))
    one = run_regime(llama, tokenizer, bench, run, plain)
    two = run_regime(llama, tokenizer, bench, run, drafted, drafts=read_drafts(base, bench))
    assert sorted(drafted.read_bytes().splitlines()) == sorted(plain.read_bytes().splitlines())
    assert one.tally.drafted == 0
    assert 0 < two.tally.accepted <= two.tally.drafted


@pytest.mark.parametrize("later", [False, True])
def test_a_run_with_drafts_goes_on_with_or_without_them(
    llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path, later: bool
) -> None:
    base, whole, out = (tmp_path / name for name in ("base", "whole", "out"))
    run_regime(llama, tokenizer, bench, NONE, base)
    drafts = read_drafts(base, bench)
    run_regime(llama, tokenizer, bench, INSTANT, whole, drafts=drafts)
    lines = whole.read_bytes().splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:5]))
    summary = run_regime(llama, tokenizer, bench, INSTANT, out, drafts=drafts if later else None)
    assert (summary.found, summary.new) == (5, len(lines) - 5)
    assert sorted(out.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_a_model_that_forgets_takes_no_drafts(llama: Any, tokenizer: Any) -> None:
    llama.config.sliding_window = 8  # its cache then keeps that many tokens
    draws = [Draw("t", "def f(x):\n", 0, "f", "    return x\n")]
    with pytest.raises(InputError, match=r"type 'llama': some of its layers .* Leave out --drafts"):
        list(sample(llama, tokenizer, draws, SAMPLING))
