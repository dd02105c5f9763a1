"""Runs of the method docs: stages and worlds of the other methods, a model as it was, prompts that tell of changes."""

from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing.methods.docs import DocsHparams
from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.table import find_method
from edittool.editing.runs.execute import Progress, run_regime
from edittool.editing.runs.plan import plan
from edittool.editing.runs.settings import Run
from edittool.samples.prompts import PromptMaker
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import read_rows

from ..conftest import change, make_model, problem
from ..short_runs import BATCH, INSTANT, SAMPLING, SEQUENTIAL

REGIMES = {"instant": INSTANT, "sequential": SEQUENTIAL, "batch": BATCH}
GREEDY = replace(SAMPLING, n=1, temperature=0.0, max_new_tokens=8)


@pytest.fixture
def longer() -> Bench:
    """Four changes in the order d, b, a, c, with a problem or two each."""
    places = {"d": 1, "b": 2, "a": 3, "c": 4}
    problems = [problem(f"{name}0", "reliability", name) for name in places]
    problems += [problem("a1", "generalization", "a"), problem("s0", "specificity", None)]
    changes = {name: replace(change(name), order=place) for name, place in places.items()}
    return Bench("longer", {one.task_id: one for one in problems}, changes)


@pytest.fixture
def roomy() -> Any:
    """A small model that reads long prompts."""
    model = make_model("llama")
    model.config.max_position_embeddings = 2048
    return model


def telling(run: Run, bench: Bench, most: int = 2, style: Any = "complete") -> Run:
    method = find_method("docs")
    extract: Any = "cut" if style == "complete" else "auto"
    return replace(
        run,
        method=method,
        hparams=Hparams(DocsHparams(most), "test"),
        sampling=replace(GREEDY, extract=extract),
        style=style,
        ask=PromptMaker(bench, style, "change").make,
    )


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(path, "sample")]


@pytest.mark.parametrize("regime", REGIMES)
def test_stages_and_worlds_are_those_of_the_other_methods(
    roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path, checksum: Callable[[Any], bytes], regime: str
) -> None:
    before = checksum(roomy)
    run = telling(REGIMES[regime], longer)
    summary = run_regime(roomy, tokenizer, longer, run, tmp_path / "docs.jsonl")
    edited = replace(REGIMES[regime], sampling=GREEDY)
    run_regime(roomy, tokenizer, longer, edited, tmp_path / "ft.jsonl")
    shared = ("task_id", "sample_index", "active_changes", "regime", "step", "edited", "seed", "specificity_per_change")
    told, taught = rows_of(tmp_path / "docs.jsonl"), rows_of(tmp_path / "ft.jsonl")
    assert [[row.get(name) for name in shared] for row in told] == [
        [row.get(name) for name in shared] for row in taught
    ]
    assert (summary.edits, checksum(roomy)) == (0, before)
    assert {(row["method"], row["docs"]) for row in told} == {("docs", "change")}
    assert not {"subject", "target", "context_sha256", "undone"}.intersection(*told)
    assert not {"docs", "docs_of"}.intersection(*taught)


def test_the_prompt_is_that_of_the_command_prompts(roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path) -> None:
    run_regime(roomy, tokenizer, longer, telling(INSTANT, longer), tmp_path / "s.jsonl")
    asked = PromptMaker(longer, "complete", "change")
    rows = [row for row in rows_of(tmp_path / "s.jsonl") if longer.problems[row["task_id"]].change_id]
    assert len(rows) == 5
    for row in rows:
        made = asked.make(longer.problems[row["task_id"]])
        assert (row["prompt_sha256"], row["docs_of"]) == (made.sha256(), list(made.documented))


def test_a_long_sequence_tells_of_the_own_change_and_the_newest(
    roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path
) -> None:
    run = replace(telling(SEQUENTIAL, longer), steps=(1, 4))
    run_regime(roomy, tokenizer, longer, run, tmp_path / "s.jsonl")
    told = {(row["step"], row["task_id"]): row["docs_of"] for row in rows_of(tmp_path / "s.jsonl")}
    assert told == {
        (1, "t/d0"): ["d"],
        (1, "t/s0"): ["d"],
        (4, "t/d0"): ["d", "c"],
        (4, "t/b0"): ["b", "c"],
        (4, "t/a0"): ["a", "c"],
        (4, "t/a1"): ["a", "c"],
        (4, "t/c0"): ["a", "c"],
        (4, "t/s0"): ["a", "c"],
    }


def test_the_model_reads_the_documentation_and_goes_on_from_the_prompt(
    roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path
) -> None:
    """What it writes after both is the completion, which the judge puts after the problem's own prompt."""
    run = telling(INSTANT, longer)
    run = replace(run, sampling=replace(run.sampling, extract="none"))
    run_regime(roomy, tokenizer, longer, run, tmp_path / "s.jsonl")
    for row in rows_of(tmp_path / "s.jsonl"):
        asked = run.question(longer.problems[row["task_id"]], row["edited"])
        assert asked.text.startswith(f"# {row['edited'][0]} is gone: use new_{row['edited'][0]}")
        assert asked.text.endswith("\n\n" + longer.problems[row["task_id"]].prompt)
        ids = torch.tensor([tokenizer(asked.text)["input_ids"]])
        written = roomy.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
        whole = tokenizer.decode([*ids[0].tolist(), *written.tolist()], skip_special_tokens=True)
        assert whole == tokenizer.decode(ids[0], skip_special_tokens=True) + row["completion"]


def test_no_problem_is_told_of_its_own_solution(longer: Bench) -> None:
    run = telling(BATCH, longer, most=4)
    (stage,) = plan(longer, run)
    examples = 0
    for one in stage.problems:
        text = run.question(one, stage.edited).text.removesuffix(one.prompt)
        solution = one.updated_solution or one.solution
        shown = [line.removeprefix("# Example: ") for line in text.splitlines() if line.startswith("# Example: ")]
        assert all(line not in solution for line in shown)
        examples += len(shown)
    assert examples


@pytest.mark.parametrize("style", ["complete", "chat"])
def test_an_interrupted_run_goes_on_to_the_same_file(
    roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: Any
) -> None:
    template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    monkeypatch.setattr(tokenizer, "chat_template", template)
    run = replace(telling(SEQUENTIAL, longer, style=style), steps=(1, 2, 4))
    whole, out = tmp_path / "whole.jsonl", tmp_path / "s.jsonl"
    run_regime(roomy, tokenizer, longer, run, whole)

    def stop(state: Progress) -> None:
        if state.done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_regime(roomy, tokenizer, longer, run, out, observe=stop)
    assert 0 < out.stat().st_size < whole.stat().st_size
    run_regime(roomy, tokenizer, longer, run, out)
    assert out.read_bytes() == whole.read_bytes()
    with pytest.raises(InputError, match="is of another"):
        run_regime(roomy, tokenizer, longer, replace(run, hparams=Hparams(DocsHparams(3), "test")), out)


def test_drafts_change_no_sample(roomy: Any, tokenizer: Any, longer: Bench, tmp_path: Path) -> None:
    run = telling(INSTANT, longer)
    run_regime(roomy, tokenizer, longer, run, tmp_path / "plain.jsonl")
    right = {
        (row["task_id"], 0): row.get("raw", row.get("completion", "")) for row in rows_of(tmp_path / "plain.jsonl")
    }
    summary = run_regime(roomy, tokenizer, longer, run, tmp_path / "drafted.jsonl", drafts=right)
    key = itemgetter("edited", "task_id")
    assert sorted(rows_of(tmp_path / "drafted.jsonl"), key=key) == sorted(rows_of(tmp_path / "plain.jsonl"), key=key)
    assert summary.tally.accepted > 0


def test_documentation_that_leaves_no_room_is_told_before_anything_is_sampled(
    llama: Any, tokenizer: Any, longer: Bench, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"The prompt of t/\w\d has \d+ tokens; .* document fewer changes"):
        run_regime(llama, tokenizer, longer, telling(BATCH, longer, most=4), tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


def test_prompts_that_document_are_needed(bench: Bench) -> None:
    with pytest.raises(InputError, match="needs prompts that document changes"):
        replace(INSTANT, method=find_method("docs"), hparams=Hparams(DocsHparams(), "test"))
