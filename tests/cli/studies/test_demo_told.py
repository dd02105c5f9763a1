"""The demo's end in three sentences: what is counted, and that shares are told as they are."""

import json
from pathlib import Path
from typing import Any

from edittool.benchmark.builtin import load_builtin
from edittool.cli.studies.demo_told import Count, Counts, count, sentences

BENCH = load_builtin()
OF_SUBSET = {problem.subset: problem.task_id for problem in BENCH.problems.values()}


def verdict(subset: str, index: int, outcome: str, label: str | None, step: int | None) -> dict[str, Any]:
    passed = int(outcome == "passed")
    row = {"sample_id": f"{subset}:{index}:{step}", "task_id": OF_SUBSET[subset], "outcome": outcome, "label": label}
    at = {} if step is None else {"step": step}
    return {**row, **at, "compiles": True, "tests_passed": passed, "tests_total": 1}


def test_programs_are_counted_after_the_last_edit_and_without_what_could_not_be_judged(
    tmp_path: Path,
) -> None:
    rows = [
        verdict("reliability", 0, "passed", "correct_adoption", 1),
        verdict("reliability", 0, "passed", "correct_adoption", 2),
        verdict("reliability", 1, "passed", "workaround", 2),
        verdict("reliability", 2, "failed", "misuse", 2),
        verdict("reliability", 3, "sandbox_error", None, 2),
        verdict("specificity", 0, "failed", None, 2),
    ]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    counts = count(tmp_path / "v.jsonl", BENCH)
    assert counts.by_subset == {"reliability": Count(3, 2, 1), "specificity": Count(1, 0, 0)}
    assert counts.adopted("reliability") == 1 / 3
    assert counts.passed("reliability", "specificity") == 2 / 4
    assert counts.adopted("generalization") == 0


def test_a_model_that_was_not_edited_has_no_steps(tmp_path: Path) -> None:
    (tmp_path / "v.jsonl").write_text(json.dumps(verdict("specificity", 0, "passed", None, None)) + "\n")
    assert count(tmp_path / "v.jsonl", BENCH).by_subset == {"specificity": Count(1, 1, 0)}


def of(reliability: Count, generalization: Count, specificity: Count) -> Counts:
    return Counts({"reliability": reliability, "generalization": generalization, "specificity": specificity})


def test_three_sentences_say_what_happened_and_nothing_is_rounded_away() -> None:
    plain = of(Count(10, 10), Count(10, 10), Count(300, 299))
    worlds = of(Count(10), Count(10), Count(0))
    methods = {
        "docs": of(Count(10, 0, 3), Count(10, 0, 2), Count(10, 10)),
        "ft": of(Count(10, 10, 10), Count(300, 1, 1), Count(10, 9)),
        "grace": of(Count(10, 0, 0), Count(10, 0, 0), Count(10, 10)),
        "rome": of(Count(10, 0, 0), Count(10, 0, 0), Count(300, 299)),
    }
    assert sentences(plain, worlds, methods, {"memit": of(Count(), Count(), Count(4, 1))}) == [
        "Before any edit, more than 99 % of the tiny model's programs pass; once the old API is gone, 0 % of them "
        "adopt the new one.",
        "Taught one change at a time, it adopts the new API on the problems that taught it in 100 % (ft); 0 % (grace, "
        "rome); on problems that taught it nothing, in less than 1 % (ft); 0 % (grace, rome); with the documentation "
        "in its prompt, and no edit, in 30 % and 20 %.",
        "Of its programs for other problems, more than 99 % passed before; edited, 100 % (grace); more than 99 % "
        "(rome); 90 % (ft); 25 % (memit in a sequence).",
    ]
