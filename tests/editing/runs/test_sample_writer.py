import json
from pathlib import Path
from typing import Any

import pytest

from edittool.editing.runs.plan import Stage, plan
from edittool.editing.runs.sample_writer import SampleWriter
from edittool.editing.runs.sampling import Draw
from edittool.schemas.bench import Bench

from ..short_runs import INSTANT, SAMPLING


@pytest.fixture
def open_writer(bench: Bench, tmp_path: Path) -> Any:
    return lambda: SampleWriter(tmp_path / "s.jsonl", bench, plan(bench, INSTANT), SAMPLING, INSTANT.identity())


@pytest.fixture
def stage(bench: Bench) -> Stage:
    return plan(bench, INSTANT)[0]


def pairs(draws: list[Draw], text: str) -> list[tuple[Draw, str]]:
    return [(draw, text) for draw in draws]


@pytest.mark.parametrize(("written", "first"), [(0, 0), (1, 0), (3, 3), (5, 3), (6, 6), (11, 9)])
def test_batches_are_what_they_would_have_been(open_writer: Any, stage: Stage, written: int, first: int) -> None:
    with open_writer() as writer:
        draws = writer.missing(stage)
        assert [(draw.task_id, draw.index) for draw in draws[:3]] == [("t/a1", 0), ("t/a1", 1), ("t/a2", 0)]
        assert (len(draws), writer.total) == (12, 22)
        writer.add(stage, pairs(draws[:written], "before"))
    with open_writer() as writer:
        assert writer.done == written
        assert writer.missing(stage) == draws[first:]
        writer.add(stage, pairs(draws[first:], "after"))
        assert writer.done == 12
    with open_writer() as writer:
        assert writer.missing(stage) == []


def test_what_is_there_is_not_written_again(open_writer: Any, stage: Stage, tmp_path: Path) -> None:
    with open_writer() as writer:
        draws = writer.missing(stage)
        writer.add(stage, pairs(draws[:2], "before"))
    with open_writer() as writer:
        writer.add(stage, pairs(writer.missing(stage)[:3], "after"))
    lines = (tmp_path / "s.jsonl").read_text().splitlines()
    assert [json.loads(line)["completion"] for line in lines] == ["before", "before", "after"]
