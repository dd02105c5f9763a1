"""Which worlds a sample is judged in: by a rule, or those found in other files; and what is wrong with such files."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edittool.judging.world_choice import WorldChoice, WorldsOf, choose_worlds, read_worlds
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.samples import Sample

from .conftest import COUNT, SIZE

WriteFile = Callable[..., Path]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Write one sample for each pair of task and active changes (None: not said) and return the file."""

    def write(name: str, *pairs: tuple[str, list[str] | None]) -> Path:
        rows = [{"task_id": task, "solution": "x = 1\n", "active_changes": active} for task, active in pairs]
        write_rows(tmp_path / name, ({k: v for k, v in row.items() if v is not None} for row in rows))
        return tmp_path / name

    return write


def names(worlds: WorldsOf) -> dict[str, list[list[str]]]:
    return {task: [[change.change_id for change in one] for one in found] for task, found in worlds.by_task.items()}


def choose(bench: Bench, worlds: WorldChoice | WorldsOf, task_id: str, **fields: Any) -> list[list[str]]:
    sample = Sample.from_row({"task_id": task_id, "solution": "", **fields})
    chosen = choose_worlds(worlds, sample, bench.problems[task_id], bench, "file, line 1")
    return [[change.change_id for change in world] for world in chosen]


@pytest.mark.parametrize(
    ("rule", "active", "of_count", "of_size"),
    [
        ("sample", {}, ["len"], []),
        ("sample", {"active_changes": ["sum"]}, ["sum"], ["sum"]),
        ("own", {"active_changes": ["sum"]}, ["len"], []),
        ("none", {"active_changes": ["sum"]}, [], []),
        ("all", {}, ["len", "sum"], ["len", "sum"]),
    ],
)
def test_a_rule_gives_one_world(
    specific_bench: Bench, rule: WorldChoice, active: dict[str, Any], of_count: list[str], of_size: list[str]
) -> None:
    assert choose(specific_bench, rule, COUNT.task_id, **active) == [of_count]
    assert choose(specific_bench, rule, SIZE.task_id, **active) == [of_size]


def test_each_world_of_a_problem_is_found_once_in_all_the_files(specific_bench: Bench, write_file: WriteFile) -> None:
    first = write_file("a", ("size", ["sum"]), ("size", ["len"]), ("size", ["sum"]), ("count", None), ("total", None))
    second = write_file("b", ("size", []), ("size", ["sum", "len", "sum"]), ("COUNT", ["len"]))
    found = read_worlds([first, second], specific_bench)
    assert names(found) == {
        "size": [[], ["len"], ["len", "sum"], ["sum"]],
        "count": [["len"]],  # its own, said or not
        "total": [[]],
    }


def test_a_sample_is_judged_in_the_worlds_found_for_its_problem_whatever_it_says(
    specific_bench: Bench, write_file: WriteFile
) -> None:
    found = read_worlds([write_file("a", ("size", ["sum"]), ("size", ["len"]))], specific_bench)
    assert choose(specific_bench, found, "size", active_changes=[]) == [["len"], ["sum"]]
    assert choose(specific_bench, found, "count") == []


def test_worlds_are_known_by_what_they_are_and_not_by_where_they_were_found(
    specific_bench: Bench, write_file: WriteFile
) -> None:
    def digest(*pairs: tuple[str, list[str] | None]) -> str:
        return read_worlds([write_file("a", *pairs)], specific_bench).digest()

    same = [
        digest(("size", ["sum"]), ("size", ["len"]), ("count", None)),
        digest(("count", ["len"]), ("size", ["len"]), ("size", ["sum"]), ("size", ["sum"])),
    ]
    others = [
        digest(("size", ["sum"]), ("count", None)),
        digest(("size", ["sum", "len"]), ("count", None)),
        digest(("size", ["sum"]), ("size", ["len"]), ("total", ["len"])),
    ]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 1 + len(others)


def test_worlds_take_memory_and_the_files_rows_do_not(specific_bench: Bench, tmp_path: Path) -> None:
    program = "x = 1  # as long as programs come\n" * 600
    rows = ({"task_id": "size", "solution": program, "active_changes": [("len", "sum")[n % 2]]} for n in range(500))
    write_rows(tmp_path / "long", rows)
    assert (tmp_path / "long").stat().st_size > 10_000_000
    tracemalloc.start()
    try:
        found = read_worlds([tmp_path / "long"], specific_bench)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert names(found) == {"size": [["len"], ["sum"]]}
    assert peak < 2_000_000


def test_a_missing_file_is_named(specific_bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl does not exist\. Check the path"):
        read_worlds([tmp_path / "gone.jsonl"], specific_bench)


def test_broken_json_is_named_by_file_and_line(specific_bench: Bench, write_file: WriteFile) -> None:
    good, broken = write_file("good", ("size", None)), write_file("broken", *[("size", None)] * 6)
    with broken.open("a") as file:
        file.write('{"task_id": "size", "solution": \n')
    with pytest.raises(InputError, match=r"broken, line 7, column \d+: broken JSON .*Repair or remove that line"):
        read_worlds([good, broken], specific_bench)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("other", None), r"a, line 2: field \"task_id\" names a problem .* \"other\" \(not known.*Give the benchmark"),
        (("size", ["abs"]), r"a, line 2: field \"active_changes\" names 'abs'.*`edittool bench show BENCH`"),
    ],
)
def test_unknown_names_are_named_by_file_and_line(
    specific_bench: Bench, write_file: WriteFile, pair: tuple[str, list[str] | None], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_worlds([write_file("a", ("size", None), pair)], specific_bench)
