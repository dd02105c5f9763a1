"""A small benchmark and sample files for the judge's tests."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

LENGTH = Change(
    change_id="len",
    deprecated="len",
    replacement="my_builtin_len",
    usage="keyword_only",
    signature="my_builtin_len(*, value)",
    shim="def my_builtin_len(*, value):\n    return len(value)\n",
    doc="Return the number of items of value.",
)

COUNT = Problem(
    task_id="count",
    prompt='def count(items):\n    """Return how many items there are."""\n',
    entry_point="count",
    solution='def count(items):\n    """Return how many items there are."""\n    return len(items)\n',
    tests=tuple(Test("", f"assert candidate({list(range(n))}) == {n}") for n in (0, 1, 4)),
    subset="reliability",
    change_id="len",
)


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judging") / "bench"
    write_bench(folder, "counting", [COUNT], [LENGTH])
    return folder


@pytest.fixture(scope="session")
def bench(bench_folder: Path) -> Bench:
    return Bench.load(bench_folder)


@pytest.fixture
def write_samples(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Write one sample for each program and return the file."""

    def write(programs: Iterable[str]) -> Path:
        path = tmp_path / "samples.jsonl"
        rows = ({"task_id": "count", "solution": program} for program in programs)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
