import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edittool.editing.runs.plan import Stage, plan
from edittool.editing.runs.sample_writer import SampleWriter
from edittool.editing.runs.sampling import Draw
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError

from ..short_runs import INSTANT, SAMPLING


@pytest.fixture
def open_writer(bench: Bench, tmp_path: Path) -> Any:
    return lambda: SampleWriter(tmp_path / "s.jsonl", bench, plan(bench, INSTANT), INSTANT, INSTANT.identity())


@pytest.fixture
def stage(bench: Bench) -> Stage:
    return plan(bench, INSTANT)[0]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "s.jsonl").read_text().splitlines()]


def pairs(draws: list[Draw], text: str) -> list[tuple[Draw, str]]:
    return [(draw, text) for draw in draws]


@pytest.mark.parametrize("written", [0, 1, 3, 11])
def test_what_is_missing_is_asked_for(open_writer: Any, stage: Stage, written: int) -> None:
    with open_writer() as writer:
        draws = writer.missing(stage)
        assert [(draw.task_id, draw.index) for draw in draws[:3]] == [("t/a1", 0), ("t/a1", 1), ("t/a2", 0)]
        assert (len(draws), writer.total) == (12, 22)
        writer.add(stage, pairs(draws[:written], "before"))
    with open_writer() as writer:
        assert writer.done == written
        assert writer.missing(stage) == draws[written:]
        writer.add(stage, pairs(draws[written:], "after"))
        assert writer.done == 12
    with open_writer() as writer:
        assert writer.missing(stage) == []


def test_what_is_there_is_not_written_again(open_writer: Any, stage: Stage, tmp_path: Path) -> None:
    with open_writer() as writer:
        draws = writer.missing(stage)
        writer.add(stage, pairs(draws[:2], "    before\n"))
    with open_writer() as writer:
        writer.add(stage, pairs(writer.missing(stage)[:1], "    after\n"))
    written = ["    before\n", "    before\n", "    after\n"]
    assert [row["completion"] for row in rows(tmp_path)] == written


def test_a_row_says_how_its_program_was_extracted_and_keeps_what_was_cut(
    open_writer: Any, stage: Stage, tmp_path: Path
) -> None:
    answers = ["    return 1\n", "    return 1\n\nprint(1)\n", ""]
    with open_writer() as writer:
        writer.add(stage, list(zip(writer.missing(stage), answers, strict=False)))
    whole, cut, nothing = rows(tmp_path)
    assert (whole["completion"], whole["extraction"]["kind"], "raw" in whole) == ("    return 1\n", "as_is", False)
    assert (cut["completion"], cut["extraction"]["cut"], cut["raw"]) == ("    return 1\n\n", 9, answers[1])
    assert (nothing["solution"], nothing["extraction"]["kind"]) == ("", "no_program")
    assert {row["extraction"]["mode"] for row in (whole, cut, nothing)} == {"cut"}


def test_rows_that_were_extracted_otherwise_are_of_another_run(
    open_writer: Any, stage: Stage, bench: Bench, tmp_path: Path
) -> None:
    with open_writer() as writer:
        writer.add(stage, pairs(writer.missing(stage)[:1], "    return 1\n"))
    run = replace(INSTANT, sampling=replace(SAMPLING, extract="auto"))
    with pytest.raises(InputError, match=r"line 1 is of another run: .*'cut', and here it is 'auto'"):
        SampleWriter(tmp_path / "s.jsonl", bench, plan(bench, run), run, run.identity())


def test_the_longest_draft_is_the_first_to_be_written(
    bench: Bench, stage: Stage, tmp_path: Path, open_writer: Any
) -> None:
    drafts = {("t/s1", 1): "    return x\n", ("t/a2", 0): "    return 1 + x\n", ("t/other", 0): "    return 2\n"}
    with open_writer() as writer:
        plain = writer.missing(stage)
    with SampleWriter(tmp_path / "o", bench, [stage], INSTANT, INSTANT.identity(), drafts=drafts) as writer:
        drafted = writer.missing(stage)
    assert [(draw.task_id, draw.index, draw.draft) for draw in drafted[:2]] == [
        ("t/a2", 0, "    return 1 + x\n"),
        ("t/s1", 1, "    return x\n"),
    ]
    assert drafted[2:] == [draw for draw in plain if (draw.task_id, draw.index) not in drafts]


def test_rows_of_another_luck_are_not_gone_on_with(
    open_writer: Any, stage: Stage, bench: Bench, tmp_path: Path
) -> None:
    with open_writer() as writer:
        writer.add(stage, pairs(writer.missing(stage)[:1], "    return 1\n"))
    (row,) = rows(tmp_path)
    assert row.pop("luck") == "gumbel-1"
    (tmp_path / "s.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match=r"line 1 was sampled by an earlier edittool, .* Choose another output file"):
        open_writer()


def test_without_luck_none_is_named(bench: Bench, tmp_path: Path) -> None:
    run = replace(INSTANT, sampling=replace(SAMPLING, n=1, temperature=0))
    assert "luck" not in run.identity()
