from collections.abc import Callable
from pathlib import Path

import pytest

from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

SUBSETS = ("reliability", "generalization", "specificity")


def problem(task_id: str, subset: str, change_id: str | None) -> Problem:
    return Problem(task_id, "", "f", "def f(x): ...\n", (Test("", "f(0)"), Test("", "f(1)")), subset, change_id)


def change(name: str) -> Change:
    return Change(name, name, f"my_{name}", "renamed", f"my_{name}(x)", f"my_{name} = {name}\n", "")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Two changes, and of each subset two problems: rel/0 and gen/0 of len, rel/1 and gen/1 of max; spe/0, spe/1."""
    problems = [
        problem(f"{subset[:3]}/{i}", subset, None if subset == "specificity" else ("len", "max")[i])
        for subset in SUBSETS
        for i in range(2)
    ]
    return write_bench(tmp_path / "bench", "small", problems, [change("len"), change("max")])


@pytest.fixture
def verdict(bench: Bench) -> Callable[..., dict]:
    """Make verdicts: `verdict("rel/0", 2)` passed both tests; each has a `sample_id` of its own unless one is given."""
    made = 0

    def make(task_id: str, passed: int, label: str | None = None, **fields: object) -> dict:
        nonlocal made
        made += 1
        change_id = bench.find(task_id).change_id if bench.find(task_id) else None
        return {
            "sample_id": f"{made:032x}",
            "task_id": task_id,
            "active_changes": [] if change_id is None else [change_id],
            "compiles": passed > 0,
            "tests_passed": passed,
            "tests_total": 2,
            "outcome": ("failed", "partial", "passed")[passed],
            "label": label,
            "bench_sha256": bench.digest(),
        } | fields

    return make
