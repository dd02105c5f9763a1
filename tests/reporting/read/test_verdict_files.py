import hashlib
import re

import pytest

from edittool.reporting.read.verdict_files import VerdictReader
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import dump_row, write_rows


@pytest.fixture
def path(tmp_path):
    return tmp_path / "verdicts.jsonl"


def test_gives_every_row_and_says_what_was_read(bench, verdict, path):
    rows = [verdict("rel/0", 2), verdict("spe/1", 0)]
    write_rows(path, rows)
    reader = VerdictReader(bench, [path])
    assert [verdict.to_row() for verdict in reader] == rows
    (source,) = reader.sources
    assert (source.path, source.rows) == (path, 2)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert reader.notes() == []


def test_a_task_of_no_problem_is_named_with_file_and_line(bench, verdict, path):
    write_rows(path, [verdict("rel/0", 2), verdict("HumanEval/9", 2)])
    with pytest.raises(InputError) as caught:
        list(VerdictReader(bench, [path]))
    assert f"{path}, line 2: the task 'HumanEval/9' is not in the benchmark 'small'." in str(caught.value)
    assert "another benchmark" not in str(caught.value)


def test_the_cause_is_named_where_the_verdicts_are_of_another_benchmark(bench, verdict, path):
    write_rows(path, [verdict("HumanEval/9", 2, bench_sha256="0" * 64)])
    with pytest.raises(InputError, match="were judged against another benchmark"):
        list(VerdictReader(bench, [path]))


def test_the_case_of_a_task_does_not_count(bench, verdict, path):
    write_rows(path, [verdict("rel/0", 2) | {"task_id": "REL/0"}])
    assert len(list(VerdictReader(bench, [path]))) == 1


def test_a_repeated_sample_is_given_once_and_named(bench, verdict, path):
    first, second = verdict("rel/0", 2), verdict("rel/0", 2)
    write_rows(path, [first, second, first])
    reader = VerdictReader(bench, [path])
    assert [verdict.to_row() for verdict in reader] == [first, second]
    assert reader.notes() == [f"Repeated verdicts, counted once: 1 ({path}, line 3 (sample {first['sample_id']}))."]


def test_samples_are_counted_once_across_files_and_only_some_are_named(bench, verdict, tmp_path):
    rows = [verdict("rel/0", 2) for _ in range(5)]
    for name in "ab":
        write_rows(tmp_path / name, rows)
    reader = VerdictReader(bench, [tmp_path / "a", tmp_path / "b"])
    assert [verdict.to_row() for verdict in reader] == rows
    (note,) = reader.notes()
    assert note.startswith(f"Repeated verdicts, counted once: 5 ({tmp_path / 'b'}, line 1 ")
    assert note.endswith("; and 2 more).")


def test_one_sample_in_two_worlds_is_two_verdicts(bench, verdict, path):
    row = verdict("rel/0", 2)
    write_rows(path, [row, row | {"active_changes": []}])
    assert len(list(VerdictReader(bench, [path]))) == 2


def test_a_lone_surrogate_in_an_identity_is_no_obstacle(bench, verdict, path):
    write_rows(path, [verdict("rel/0", 2, sample_id="\ud800", active_changes=["\udfff"])] * 2)
    assert len(list(VerdictReader(bench, [path]))) == 1


def test_verdicts_of_another_benchmark_are_counted_and_named(bench, verdict, path):
    write_rows(path, [verdict("rel/0", 2), verdict("rel/0", 2, bench_sha256="0" * 64)])
    reader = VerdictReader(bench, [path])
    assert len(list(reader)) == 2
    (note,) = reader.notes()
    assert re.search(rf"against another benchmark, counted all the same: 1 \({path}, line 2\)", note)


def test_a_line_that_the_judge_is_still_writing_is_left_out_and_named(bench, verdict, path):
    path.write_text(dump_row(verdict("rel/0", 2)) + "\n" + dump_row(verdict("rel/0", 2))[:50])
    reader = VerdictReader(bench, [path])
    assert len(list(reader)) == 1
    assert reader.notes()[0].startswith(f"Last lines cut short, left out: 1 ({path}, line 2).")


def test_an_empty_file_is_refused(bench, path):
    path.touch()
    with pytest.raises(InputError, match="is empty: expected at least one verdict"):
        list(VerdictReader(bench, [path]))


def test_a_sample_that_no_choice_of_world_changes_is_no_repetition(bench, verdict, path):
    """`judge --world none` and `--world own` give the same verdict of a problem without a change."""
    row = verdict("spe/0", 2, active_changes=[])
    write_rows(path, [row, row])
    reader = VerdictReader(bench, [path])
    assert [verdict.to_row() for verdict in reader] == [row]
    assert reader.notes() == []
