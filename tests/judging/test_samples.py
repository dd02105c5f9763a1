"""A sample file as the judge reads it: each sample in each of its worlds, and the same sample at its place again."""

from pathlib import Path
from typing import Any

import pytest

from edittool.judging.resume.journal import Place
from edittool.judging.samples import JudgedSample, SampleFile, read_samples
from edittool.judging.world_choice import WorldsOf
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import write_rows
from edittool.schemas.samples import row_digest

from .conftest import LENGTH, SUM

WORLDS = WorldsOf({"size": ((LENGTH,), (LENGTH, SUM), (SUM,)), "total": ((),)})
ROWS: list[dict[str, Any]] = [
    {"task_id": "size", "solution": "a = 1\n", "active_changes": []},
    {"task_id": "count", "solution": "b = 1\n"},
    {"task_id": "size", "solution": "a = 1\n", "active_changes": []},
    {"task_id": "total", "solution": "c = 1\n"},
]


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    write_rows(tmp_path / "samples.jsonl", ROWS)
    return tmp_path / "samples.jsonl"


def place_of(judged: JudgedSample) -> Place:
    return Place(judged.line, judged.start, judged.sample_index, judged.sample_id, b"", judged.world)


def test_each_sample_comes_once_for_each_of_its_worlds(specific_bench: Bench, samples: Path) -> None:
    read = list(read_samples(samples, specific_bench, WORLDS))
    found = [[(each.line, each.sample_index, each.world, each.changes) for each in in_worlds] for in_worlds in read]
    assert found == [
        [(1, 0, 0, (LENGTH,)), (1, 0, 1, (LENGTH, SUM)), (1, 0, 2, (SUM,))],
        [],
        [(3, 1, 0, (LENGTH,)), (3, 1, 1, (LENGTH, SUM)), (3, 1, 2, (SUM,))],
        [(4, 0, 0, ())],
    ]
    ids = [each.sample_id for in_worlds in read for each in in_worlds]
    assert len(set(ids)) == len(ids)


def test_an_identity_is_that_of_the_row_in_its_world_however_the_world_was_chosen(
    specific_bench: Bench, samples: Path, tmp_path: Path
) -> None:
    row = ROWS[0] | {"active_changes": ["sum"]}
    write_rows(tmp_path / "said", [row])
    ((said,),) = read_samples(tmp_path / "said", specific_bench)
    first = next(read_samples(samples, specific_bench, WORLDS))
    assert first[2].sample_id == said.sample_id == row_digest(row, 0)


def test_a_sample_is_read_again_at_its_place_and_in_its_world(specific_bench: Bench, samples: Path) -> None:
    read = [each for in_worlds in read_samples(samples, specific_bench, WORLDS) for each in in_worlds]
    with SampleFile(samples, specific_bench, WORLDS) as file:
        assert [file.read(place_of(each)) for each in reversed(read)] == read[::-1]


@pytest.mark.parametrize("row", [{"task_id": "total"}, {"task_id": "count"}, {"solution": "d = 1\n"}])
def test_a_sample_that_is_no_longer_there_is_named(specific_bench: Bench, samples: Path, row: dict[str, Any]) -> None:
    *_, last = next(read_samples(samples, specific_bench, WORLDS))
    with SampleFile(samples, specific_bench, WORLDS) as file:
        write_rows(samples.with_name("other"), [ROWS[0] | row])
        with SampleFile(samples.with_name("other"), specific_bench, WORLDS) as changed:
            assert file.read(place_of(last)) == last
            with pytest.raises(InputError, match=r"other, line 1 was changed while it was being judged"):
                changed.read(place_of(last))
