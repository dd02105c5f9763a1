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

# A second change, and two problems without any: what `edittool edit` samples for them runs in the worlds of its edits.
SUM = Change(
    change_id="sum",
    deprecated="sum",
    replacement="my_builtin_sum",
    usage="keyword_only",
    signature="my_builtin_sum(*, values)",
    shim="def my_builtin_sum(*, values):\n    return sum(values)\n",
    doc="Return the sum of values.",
)

SIZE = Problem(
    task_id="size",
    prompt="def size(items):\n",
    entry_point="size",
    solution="def size(items):\n    return len(items)\n",
    tests=(Test("", "assert candidate([1, 2]) == 2"),),
    subset="specificity",
    change_id=None,
)
TOTAL = Problem(
    task_id="total",
    prompt="def total(values):\n",
    entry_point="total",
    solution="def total(values):\n    return sum(values)\n",
    tests=(Test("", "assert candidate([1, 2]) == 3"),),
    subset="specificity",
    change_id=None,
)


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judging") / "bench"
    write_bench(folder, "counting", [COUNT], [LENGTH])
    return folder


@pytest.fixture(scope="session")
def bench(bench_folder: Path) -> Bench:
    return Bench.load(bench_folder)


@pytest.fixture(scope="session")
def specific_bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judging") / "specific bench"
    write_bench(folder, "counting and adding", [COUNT, SIZE, TOTAL], [LENGTH, SUM])
    return folder


@pytest.fixture(scope="session")
def specific_bench(specific_bench_folder: Path) -> Bench:
    return Bench.load(specific_bench_folder)


@pytest.fixture
def write_samples(tmp_path: Path) -> Callable[[Iterable[str]], Path]:
    """Write one sample for each program and return the file."""

    def write(programs: Iterable[str]) -> Path:
        path = tmp_path / "samples.jsonl"
        rows = ({"task_id": "count", "solution": program} for program in programs)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
