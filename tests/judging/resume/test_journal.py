"""The judge's journal: what it knows of samples and verdicts, when it no longer fits, and whom it suspects."""

import sqlite3
from pathlib import Path

import pytest

from edittool.judging.resume import journal as module
from edittool.judging.resume.journal import Journal, Judged, Place, journal_path, remove_journal
from edittool.schemas.errors import EnvironmentFault

IDENTITY = {"samples": "a", "world": "own"}
JOBS = [b"x" * 32, b"y" * 32, b"x" * 32, b"z" * 32, b"x" * 32]
PLACES = [Place(n, 100 * n, n, f"id{n}", key) for n, key in enumerate(JOBS, 1)]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    path = tmp_path / "verdicts.jsonl"
    path.write_bytes(b"")
    return path


def filled(output: Path) -> Journal:
    journal = Journal(journal_path(output))
    journal.fill(PLACES, IDENTITY)
    return journal


def append(journal: Journal, output: Path, *judged: Judged) -> None:
    first = journal.covered().lines + 1
    with output.open("a") as file:
        file.writelines(f"{each}\n" for each in judged)
    journal.note(list(enumerate(judged, first)), output)


def test_each_job_is_in_the_queue_once_by_its_first_unjudged_sample(output: Path) -> None:
    with filled(output) as journal:
        assert [place.line for place in journal.queue()] == [1, 2, 4]
        assert [place.line for place in journal.samples_of(JOBS[0])] == [1, 3, 5]
        append(journal, output, Judged("id1", "passed", None, ()), Judged("id2", "failed", "misuse", ("gc", "frame")))
        assert [place.line for place in journal.queue()] == [3, 4]
        assert list(journal.queue()) == [PLACES[2], PLACES[3]]


def test_samples_are_counted_and_what_was_found_of_them(output: Path) -> None:
    with filled(output) as journal:
        append(journal, output, *(Judged(f"id{n}", "failed", "misuse", ("gc", "frame")) for n in (1, 2)))
        append(journal, output, Judged("id3", "passed", None, ()), Judged("a stranger", "passed", None, ()))
        assert journal.counts() == (5, 5, 3, 1)
        assert sorted(journal.tally(), key=lambda each: each[1]) == [
            (Judged("", "passed", None, ()), 1),
            (Judged("", "failed", "misuse", ("gc", "frame")), 2),
        ]


def test_a_sample_twice_in_the_file_is_one(output: Path) -> None:
    with Journal(journal_path(output)) as journal:
        journal.fill([*PLACES, Place(6, 600, 1, "id1", JOBS[0])], IDENTITY)
        assert journal.counts() == (6, 5, 0, 0)


def test_worlds_of_one_sample_are_judged_each_for_itself(output: Path) -> None:
    in_worlds = [
        Place(line, 0, 0, f"{line} in {world}", bytes([line, world]), world) for line in (1, 2) for world in (0, 1)
    ]
    with Journal(journal_path(output)) as journal:
        journal.fill(in_worlds, IDENTITY)
        append(journal, output, Judged("1 in 1", "passed", None, ()))
        assert list(journal.queue()) == [in_worlds[0], *in_worlds[2:]]
        assert list(journal.samples_of(bytes([2, 1]))) == [in_worlds[3]]
        journal.begin(bytes([2, 1]))
        journal._database.close()  # as a kill does
    with Journal(journal_path(output)) as journal:
        assert journal.suspects(1) == [(in_worlds[3], 0)]


def test_samples_left_out_are_counted_and_nothing_else(output: Path) -> None:
    with Journal(journal_path(output)) as journal:
        journal.fill([None, PLACES[0], None, PLACES[1]], IDENTITY)
    with Journal(journal_path(output)) as journal:
        assert journal.left_out() == 2
        assert journal.counts() == (2, 2, 0, 0)
        assert [place.line for place in journal.queue()] == [1, 2]


def test_the_queue_goes_on_while_verdicts_come(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAGE", 2)
    places = [Place(n, n, 0, f"id{n}", bytes([n % 7]) * 32) for n in range(1, 50)]
    with Journal(journal_path(output)) as journal:
        journal.fill(places, IDENTITY)
        jobs = []
        for place in journal.queue():
            jobs.append(place.key)
            append(journal, output, *(Judged(p.sample_id, "passed", None, ()) for p in journal.samples_of(place.key)))
        assert sorted(jobs) == [bytes([n]) * 32 for n in range(7)]
        assert journal.counts() == (49, 49, 49, 0)


def test_a_closed_journal_goes_on(output: Path) -> None:
    with filled(output) as journal:
        append(journal, output, Judged("id2", "passed", None, ()))
    with Journal(journal_path(output)) as journal:
        assert journal.fits(IDENTITY, output)
        assert (journal.covered().size, journal.covered().lines) == (output.stat().st_size, 1)
        assert [place.line for place in journal.queue()] == [1, 4]


def test_a_longer_output_fits_and_a_changed_one_does_not(output: Path) -> None:
    with filled(output) as journal:
        append(journal, output, Judged("id2", "passed", None, ()), Judged("id1", "passed", None, ()))
        whole = output.read_bytes()
        output.write_bytes(whole + b"more\n")
        assert journal.fits(IDENTITY, output)
        for changed in (whole[:-10], b"", whole.partition(b"\n")[2], whole.replace(b"passed", b"failed")):
            output.write_bytes(changed)
            assert not journal.fits(IDENTITY, output)


@pytest.mark.parametrize("other", [{"samples": "b", "world": "own"}, {"samples": "a"}, {**IDENTITY, "limits": "1"}])
def test_other_samples_or_another_world_do_not_fit(output: Path, other: dict[str, str]) -> None:
    with filled(output) as journal:
        assert journal.fits(IDENTITY, output)
        assert not journal.fits(other, output)


def test_a_new_journal_fits_nothing(output: Path) -> None:
    with Journal(journal_path(output)) as journal:
        assert not journal.fits(IDENTITY, output)


def test_a_filling_that_fails_leaves_what_was(output: Path) -> None:
    def broken():
        yield PLACES[0]
        raise ValueError("line 2")

    with filled(output) as journal:
        with pytest.raises(ValueError, match="line 2"):
            journal.fill(broken(), {"samples": "b"})
        assert journal.fits(IDENTITY, output)
        assert journal.counts()[0] == 5


@pytest.mark.parametrize("content", [b"no database " * 999, b"SQLite format 3\0" + b"x" * 5000, b""])
def test_a_damaged_journal_makes_room_for_a_new_one(output: Path, content: bytes) -> None:
    journal_path(output).write_bytes(content)
    with Journal(journal_path(output)) as journal:
        assert not journal.fits(IDENTITY, output)
        journal.fill(PLACES, IDENTITY)
        assert journal.counts() == (5, 5, 0, 0)


def test_a_page_that_was_overwritten_is_noticed(output: Path) -> None:
    path = journal_path(output)
    with Journal(path) as journal:
        journal.fill([Place(n, n, 0, f"id{n}", bytes([n % 7]) * 32) for n in range(1, 500)], IDENTITY)
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 8] = b"\xff" * 4096 * 5
    path.write_bytes(content)
    with Journal(path) as journal:
        assert not journal.fits(IDENTITY, output)


def test_a_journal_of_another_version_makes_room(output: Path) -> None:
    with sqlite3.connect(journal_path(output)) as database:
        database.execute("PRAGMA user_version = 99")
    with filled(output) as journal:
        assert journal.fits(IDENTITY, output)


def test_a_place_that_cannot_be_written_is_an_environment_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="journal cannot be written: unable to open database file"):
        Journal(tmp_path / "no folder" / "journal")


def test_nothing_of_a_removed_journal_is_left(output: Path) -> None:
    filled(output).close()
    remove_journal(journal_path(output))
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_what_was_tried_when_the_judge_died_is_suspected(output: Path) -> None:
    killed = filled(output)
    killed.begin(JOBS[0])
    killed.begin(JOBS[0])  # tried again within the same run: one death, if it is one
    killed.begin(JOBS[1])
    killed.end([JOBS[1]])
    killed._database.close()  # as a kill does, without the journal's own end
    with Journal(journal_path(output)) as journal:
        assert journal.suspects(2) == []
        ((place, alone),) = journal.suspects(1)
        assert (place, alone) == (PLACES[0], 0)


def test_deaths_add_up_and_those_alone_are_counted(output: Path) -> None:
    for run in range(4):
        killed = filled(output) if run == 0 else Journal(journal_path(output))
        killed.begin(JOBS[0], alone=run >= 2)
        killed.begin(JOBS[3])
        killed._database.close()
    with Journal(journal_path(output)) as journal:
        assert [(place.line, alone) for place, alone in journal.suspects(3)] == [(1, 2), (4, 0)]


def test_an_end_in_order_makes_nobody_suspect(output: Path) -> None:
    with filled(output) as journal:
        journal.begin(JOBS[0])
    with Journal(journal_path(output)) as journal:
        assert journal.suspects(1) == []
        journal.begin(JOBS[0])
        journal._database.close()
    with Journal(journal_path(output)) as journal:
        assert len(journal.suspects(1)) == 1
        journal.begin(JOBS[0])
    with Journal(journal_path(output)) as journal:
        assert len(journal.suspects(1)) == 1
        assert journal.suspects(2) == []
