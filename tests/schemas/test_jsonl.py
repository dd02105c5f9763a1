import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.schemas import jsonl
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.json_text import MAX_DEPTH, parse_json
from edittool.schemas.jsonl import JsonlAppender, dump_row, read_rows, write_rows
from edittool.schemas.whole_files import NOTE, lock

GOOD = {"task_id": "T/0", "completion": "    return 1\n"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "samples.jsonl"


def read(path: Path, **options) -> list[dict]:
    return [row.data for row in read_rows(path, "sample", **options)]


def refuse(path: Path, content: bytes | None = None, **options) -> str:
    """Return the message with which `path`, holding `content`, is refused."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value)


class TestReading:
    def test_numbers_lines_from_one_and_passes_over_blank_ones(self, path):
        path.write_text("\n" + dump_row(GOOD) + "\r\n  \t\n" + dump_row(GOOD))
        assert [row.line for row in read_rows(path, "sample")] == [2, 4]

    def test_a_byte_order_mark_is_no_part_of_the_row(self, path):
        path.write_bytes(b"\xef\xbb\xbf" + dump_row(GOOD).encode())
        assert read(path) == [GOOD]

    def test_missing_file(self, path):
        assert refuse(path) == f"{path} does not exist. Check the path."

    def test_folder(self, tmp_path):
        assert "is a folder; a JSONL file is needed" in refuse(tmp_path)

    def test_file_as_a_folder(self, path):
        path.touch()
        assert "cannot be read: Not a directory" in refuse(path / "x.jsonl")

    @pytest.mark.parametrize("content", [b"", b"\n \n"])
    def test_empty_file(self, path, content):
        assert "is empty: expected at least one sample" in refuse(path, content)

    def test_broken_json_on_line_7(self, path):
        rows = (dump_row(GOOD) + "\n") * 6 + '{"task_id": "T/0", "completion" "x"}\n'
        message = refuse(path, rows.encode())
        assert f"{path}, line 7, column 33: broken JSON" in message
        assert "Repair or remove that line." in message

    def test_rows_before_the_broken_one_are_given(self, path):
        path.write_text(dump_row(GOOD) + "\n{")
        rows = read_rows(path, "sample")
        assert next(rows).data == GOOD
        with pytest.raises(InputError, match="line 2"):
            next(rows)

    def test_bad_utf8(self, path):
        assert "line 1: not UTF-8 at byte 14 of the line" in refuse(path, b'{"task_id": "\xff"}')

    def test_missing_field(self, path):
        message = refuse(path, b'{"completion": "x"}')
        assert 'line 1: this sample lacks the required field "task_id"' in message
        assert "schemas/sample.schema.json" in message

    def test_wrong_type(self, path):
        message = refuse(path, b'{"task_id": 3, "completion": "x"}')
        assert 'line 1: field "task_id" must be a string, but it is an integer (3)' in message

    @pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
    def test_constants_that_are_not_json(self, path, word):
        assert f"unusable JSON ({word.decode()} is not JSON)" in refuse(path, b'{"seed": ' + word + b"}")

    def test_a_number_beyond_a_double_could_not_be_written_again(self, path):
        assert "the number 1e999 is out of range" in refuse(path, b'{"seed": 1e999}')

    def test_huge_integer(self, path):
        assert "a number of 5000 digits" in refuse(path, b'{"seed": ' + b"1" * 5000 + b"}")

    @pytest.mark.parametrize("depth", [MAX_DEPTH, 100_000])
    def test_deep_nesting(self, path, depth):
        assert "100 deep" in refuse(path, b'{"x": ' + b"[" * depth + b"]" * depth + b"}")

    def test_allowed_nesting(self, path):
        depth = MAX_DEPTH - 1  # the row is one more
        path.write_bytes(b'{"task_id": "T/0", "solution": "", "x": ' + b"[" * depth + b"1" + b"]" * depth + b"}")
        assert len(read(path)) == 1

    def test_many_brackets_side_by_side_are_not_deep(self, path):
        row = GOOD | {"x": [[[]]] * 500, "completion": "[{" * 500}
        write_rows(path, [row])
        assert read(path) == [row]

    @pytest.mark.parametrize("value", ["[]", '"x"', "1", "null"])
    def test_no_object(self, path, value):
        assert "a JSON object is needed" in refuse(path, value.encode())

    def test_a_line_of_50_mb_is_refused_with_little_memory(self, path):
        with path.open("wb") as file:
            file.write(dump_row(GOOD).encode() + b"\n")
            file.truncate(50_000_000)  # zeros without a line end, and no disk used
        tracemalloc.start()
        message = refuse(path, max_line_bytes=2**20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert f"{path}, line 2 is longer than 1 MiB" in message
        assert peak < 8 * 2**20

    def test_the_default_limit_is_128_mib(self, path):
        with path.open("wb") as file:
            file.truncate(200_000_000)
        assert "line 1 is longer than 128 MiB" in refuse(path)

    def test_every_byte_is_shown_to_on_line(self, path):
        path.write_bytes(b"\n" + dump_row(GOOD).encode() + b"\n\n")
        seen = []
        read(path, on_line=seen.append)
        assert b"".join(seen) == path.read_bytes()


def test_a_sample_where_a_verdict_is_needed_is_called_that(path):
    path.write_text(dump_row(GOOD))
    with pytest.raises(InputError, match=r"line 1: this is a sample, and a verdict is needed.*`edittool judge BENCH"):
        list(read_rows(path, "verdict"))


class TestTornEnd:
    def test_is_reported_and_left_out(self, path):
        path.write_text(dump_row(GOOD) + '\n{"task_id": "T/1", "compl')
        lines = []
        assert read(path, on_torn_end=lines.append) == [GOOD]
        assert lines == [2]

    def test_a_whole_row_without_line_end_is_a_row(self, path):
        path.write_text(dump_row(GOOD))
        lines = []
        assert read(path, on_torn_end=lines.append) == [GOOD]
        assert lines == []

    def test_a_broken_line_with_a_line_end_is_an_error(self, path):
        assert "line 1, column 13: broken" in refuse(path, b'{"task_id": \n', on_torn_end=lambda line: None)


class TestWriting:
    def test_surrogates_and_line_separators_come_back(self, path):
        row = GOOD | {"completion": "\ud800 \u2028 \x1b[31m \x00 \U0001f600"}
        write_rows(path, [row])
        assert path.read_bytes().isascii()
        assert read(path) == [row]

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_nan_is_refused(self, value):
        with pytest.raises(ValueError, match="JSON"):
            dump_row({"x": value})

    def test_the_old_file_stays_when_a_row_cannot_be_written(self, path):
        write_rows(path, [GOOD])
        with pytest.raises(ValueError, match="JSON"):
            write_rows(path, [GOOD, {"x": float("nan")}])
        assert read(path) == [GOOD]
        assert os.listdir(path.parent) == [path.name]

    def test_a_missing_folder_is_named(self, path):
        with pytest.raises(EnvironmentFault, match="cannot be written: No such file or directory"):
            write_rows(path / "deep" / "x.jsonl", [GOOD])


text = st.text(st.characters(exclude_categories=()))  # lone surrogates too
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)


def joined(value):
    """Return `value` with high and low surrogates side by side made one character, as JSON has it."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if isinstance(value, list):
        return [joined(item) for item in value]
    if isinstance(value, dict):
        return {joined(key): joined(item) for key, item in value.items()}
    return value


@given(st.dictionaries(text, values, max_size=5))
def test_any_row_is_one_ascii_line_and_comes_back_equal(row):
    line = dump_row(row)
    assert line.isascii()
    assert "\n" not in line
    assert parse_json(line.encode()) == joined(row)


def test_a_pipe_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=[json.dumps(GOOD) + "\n"])
    writer.start()
    assert read(tmp_path / "pipe") == [GOOD]
    writer.join()


def test_reading_begins_where_it_is_told_to(path):
    path.write_text("".join(json.dumps(GOOD | {"n": n}) + "\n" for n in range(3)))
    second = list(read_rows(path, "sample"))[1]
    rest = list(read_rows(path, "sample", start=second.start, first_line=second.line))
    assert [(row.line, row.data["n"]) for row in rest] == [(2, 1), (3, 2)]
    assert rest[0] == second


@settings(max_examples=30)
@given(rows=st.lists(st.dictionaries(text, values, max_size=3), min_size=1, max_size=4))
def test_any_appended_rows_are_read_back_equal(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "samples.jsonl"
    rows = [GOOD | {"carried": joined(row)} for row in rows]
    with JsonlAppender(path) as out:
        for row in rows:
            out.append(row)
    assert read(path) == rows


class TestAppender:
    def test_makes_the_folder_and_keeps_what_was_there(self, tmp_path):
        path = tmp_path / "a" / "b" / "samples.jsonl"
        for index in range(2):
            with JsonlAppender(path) as out:
                out.append(GOOD | {"sample_index": index})
        assert [row["sample_index"] for row in read(path)] == [0, 1]

    def test_a_row_is_in_the_file_when_append_returns(self, path):
        with JsonlAppender(path) as out:
            out.append(GOOD, GOOD)
            assert read(path) == [GOOD, GOOD]

    @pytest.mark.parametrize("torn", [b'{"task_id": "T/1", "com', b"{", b"\0" * 4096, b'{"x": "' + b"y" * 200_000])
    def test_a_torn_last_line_is_removed_on_reopening(self, path, torn):
        path.write_bytes(dump_row(GOOD).encode() + b"\n" + torn)
        with JsonlAppender(path) as out:
            assert out.removed_bytes == len(torn)
            out.append(GOOD)
        assert read(path) == [GOOD, GOOD]

    @pytest.mark.parametrize("torn", [b"{", b'{"tas', b'{"task_id"', b'{"task_id": "T/1", "com', b"\0" * 9])
    def test_a_torn_first_line_leaves_an_empty_file(self, path, torn):
        path.write_bytes(torn)
        JsonlAppender(path, first=["task_id"]).close()
        assert path.read_bytes() == b""

    @pytest.mark.parametrize(
        "content",
        [b'{"a"', b"{'a': 1", b'{"task_ids"', b"\0\0x", b"{'a': 1}\n{'b", b'{"task_id": "T/1"}\nnotes', b'[1]\n{"b'],
    )
    def test_a_last_line_of_somebody_else_s_is_left_as_it_is(self, path, content):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is no JSONL file"):
            JsonlAppender(path, first=["task_id"])
        assert path.read_bytes() == content

    def test_rows_begin_as_samples_or_verdicts_do_where_nothing_else_is_said(self, path):
        for torn in (b'{"task_id": "T', b'{"sample_id": "s'):
            path.write_bytes(torn)
            JsonlAppender(path).close()
            assert path.read_bytes() == b""
        path.write_bytes(b'{"a"')
        with pytest.raises(InputError, match="is no JSONL file"):
            JsonlAppender(path)

    def test_a_whole_last_row_gets_its_line_end(self, path):
        path.write_text(dump_row(GOOD))
        with JsonlAppender(path) as out:
            assert out.removed_bytes == 0
            out.append(GOOD)
        assert read(path) == [GOOD, GOOD]

    @pytest.mark.parametrize("content", [b"precious notes", b"x,y\n1,2", b"{" + b"z" * (17 * 2**20)])
    def test_a_file_that_is_not_ours_is_left_as_it_is(self, path, content):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is no JSONL file"):
            JsonlAppender(path)
        assert path.read_bytes() == content

    def test_a_second_writer_is_refused_until_the_first_is_gone(self, path):
        with JsonlAppender(path), pytest.raises(InputError, match="is being written by another edittool"):
            JsonlAppender(path)
        JsonlAppender(path).close()
        assert os.listxattr(path) == []

    @pytest.mark.parametrize("kill", [False, True])
    def test_the_writer_is_named_as_long_as_it_lives(self, path, kill):
        code = "import sys, pathlib; from edittool.schemas.jsonl import JsonlAppender as A\n"
        code += "with A(pathlib.Path(sys.argv[1])): print(flush=True); input()"
        with subprocess.Popen([sys.executable, "-c", code, path], stdin=-1, stdout=-1) as first:
            first.stdout.readline()
            with pytest.raises(InputError) as refused:
                JsonlAppender(path)
            first.kill() if kill else first.communicate(b"\n")
        with JsonlAppender(path), pytest.raises(InputError) as refused_later:
            JsonlAppender(path)
        assert f"(process {first.pid} on host {socket.gethostname()}, since 20" in str(refused.value)
        assert f"(process {os.getpid()} on host {socket.gethostname()}, since 20" in str(refused_later.value)

    def test_a_note_of_one_that_was_killed_names_nobody(self, path):
        with subprocess.Popen(["true"]) as gone:
            gone.wait()
        note = {"pid": gone.pid, "host": socket.gethostname(), "since": "2026-01-01T10:00:00+00:00"}
        self.refuse_with_note(path, json.dumps(note).encode(), "written by another edittool. Wait")

    def test_a_writer_on_another_host_is_named(self, path):
        note = {"pid": 1, "host": "lab3", "since": "2026-01-01T10:00:00+00:00"}
        self.refuse_with_note(path, json.dumps(note).encode(), "(process 1 on host lab3, since 202")

    @pytest.mark.parametrize("note", [b"", b"\xff", b"[]", b'{"pid": 1}', b'{"pid": "x", "host": "y", "since": 3}'])
    def test_a_note_that_says_nothing_names_nobody(self, path, note):
        self.refuse_with_note(path, note, "written by another edittool. Wait")

    def refuse_with_note(self, path, note, message):
        with JsonlAppender(path):
            os.setxattr(path, NOTE, note)
            with pytest.raises(InputError) as refused:
                JsonlAppender(path)
        assert message in str(refused.value)

    def test_a_refused_writer_leaves_no_open_file(self, path):
        with JsonlAppender(path):
            before = len(os.listdir("/proc/self/fd"))
            with pytest.raises(InputError):
                JsonlAppender(path)
            assert len(os.listdir("/proc/self/fd")) == before

    def test_a_lock_of_another_process_counts(self, path):
        code = (
            "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
        )
        with subprocess.Popen([sys.executable, "-c", code, path], stdin=-1, stdout=-1) as other:
            other.stdout.readline()
            with pytest.raises(InputError, match="another edittool"):
                JsonlAppender(path)
            other.communicate(b"\n")
        JsonlAppender(path).close()

    def test_a_file_made_for_nothing_is_discarded_with_its_folders(self, tmp_path):
        path = tmp_path / "a" / "b" / "verdicts.jsonl"
        with JsonlAppender(path) as appender:
            assert appender.is_litter
            appender.discard()
        assert list(tmp_path.iterdir()) == []

    def test_behind_a_link_the_file_goes_and_the_link_stays(self, tmp_path):
        path = tmp_path / "verdicts.jsonl"
        path.symlink_to(tmp_path / "there")
        with JsonlAppender(path) as appender:
            assert (tmp_path / "there").exists()
            appender.discard()
        assert list(tmp_path.iterdir()) == [path]

    def test_no_folder_is_left_where_no_file_can_be_made(self, tmp_path):
        with pytest.raises(EnvironmentFault, match="name too long"):
            JsonlAppender(tmp_path / "a" / "b" / ("x" * 300))
        assert list(tmp_path.iterdir()) == []

    def test_a_pipe_and_a_device_are_no_files(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "null").symlink_to(os.devnull)
        for name, kind in (("pipe", "a pipe"), ("null", "a device")):
            with pytest.raises(InputError, match=f"is no ordinary file but {kind}; choose a file"):
                JsonlAppender(tmp_path / name)

    def test_a_folder_with_something_else_in_it_stays(self, tmp_path):
        path = tmp_path / "a" / "verdicts.jsonl"
        with JsonlAppender(path) as appender:
            (path.parent / "other").touch()
            appender.discard()
        assert [found.name for found in path.parent.iterdir()] == ["other"]

    @pytest.mark.parametrize("written", [True, False])
    def test_a_file_that_was_there_or_has_a_row_is_not_discarded(self, path, written):
        if not written:
            path.touch()
        with JsonlAppender(path) as appender:
            appender.append(*[GOOD] * written)
            assert not appender.is_litter
            appender.discard()
        assert path.exists()

    def test_a_file_that_its_writer_took_away_is_not_written_to(self, path, monkeypatch):
        def taken_away(descriptor, place, *more):
            lock(descriptor, place, *more)
            path.unlink()

        monkeypatch.setattr(jsonl, "lock", taken_away)
        with pytest.raises(InputError, match=r"was removed by another edittool .* Start the command again"):
            JsonlAppender(path)
        monkeypatch.undo()
        with JsonlAppender(path) as appender:
            appender.append(GOOD)
        assert read(path) == [GOOD]

    def test_a_folder_is_no_output_file(self, tmp_path):
        with pytest.raises(EnvironmentFault, match="Is a directory"):
            JsonlAppender(tmp_path)

    def test_a_whole_row_outlives_an_interruption_before_it_is_synced(self, path, monkeypatch):
        def interrupted(descriptor: int) -> None:
            raise KeyboardInterrupt

        with JsonlAppender(path) as out:
            out.append(GOOD)
            monkeypatch.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                out.append(GOOD, GOOD)
        assert read(path) == [GOOD] * 3

    def test_a_row_that_is_not_json_leaves_the_file_as_it_was(self, path):
        with JsonlAppender(path) as out:
            out.append(GOOD)
            with pytest.raises(ValueError, match="JSON"):
                out.append(GOOD, {"x": float("nan")})
            out.append(GOOD)
        assert read(path) == [GOOD, GOOD]


@contextlib.contextmanager
def small_limit():
    """Let no file grow beyond 4 KiB: like a full disk, a write stores a part of the data and then fails.

    Around the code under test alone: pytest itself may be writing its report to a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)


class TestFullDisk:
    ROW = GOOD | {"completion": "x" * 1500}  # the third one fits only in part

    def fill(self, out: JsonlAppender) -> None:
        with small_limit():
            out.append(self.ROW)
            out.append(self.ROW)
            with pytest.raises(EnvironmentFault, match=r"cannot be written: .*What was written before is kept"):
                out.append(self.ROW)

    def test_rows_before_are_kept_and_the_file_ends_with_a_whole_row(self, path):
        with small_limit(), JsonlAppender(path) as out:
            self.fill(out)
        assert path.read_bytes().endswith(b"\n")
        assert read(path) == [self.ROW] * 2

    def test_nothing_follows_when_there_is_room_again(self, path):
        with JsonlAppender(path) as out:
            self.fill(out)
        assert read(path) == [self.ROW] * 2

    def test_work_goes_on_when_there_is_room_again(self, path):
        with JsonlAppender(path) as out:
            self.fill(out)
            out.append(self.ROW)
        assert read(path) == [self.ROW] * 3

    def test_a_whole_file_is_not_replaced_by_a_part(self, path):
        write_rows(path, [GOOD])
        with small_limit(), pytest.raises(EnvironmentFault, match="Free some space"):
            write_rows(path, [self.ROW] * 4)
        assert read(path) == [GOOD]
        assert os.listdir(path.parent) == [path.name]


def test_a_writer_killed_at_any_moment_leaves_whole_rows_and_loses_none_it_reported(path):
    code = (
        "import sys; from pathlib import Path; from edittool.schemas.jsonl import JsonlAppender\n"
        "out = JsonlAppender(Path(sys.argv[1]))\n"
        "for i in range(10**6):\n"
        "    out.append({'task_id': 'T', 'solution': 'x' * 5000, 'sample_index': i})\n"
        "    print(i, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, path], stdout=-1, text=True) as writer:
        for _ in range(20):
            reported = int(writer.stdout.readline())
        writer.kill()
        reported = max([reported, *map(int, writer.stdout.read().split())])
    with JsonlAppender(path):
        indexes = [row["sample_index"] for row in read(path)]
    assert indexes == list(range(len(indexes)))
    assert len(indexes) > reported


def test_the_lock_is_the_operating_systems_own(path):
    with JsonlAppender(path), path.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_json_of_a_row_is_plain_json(path):
    write_rows(path, [GOOD])
    assert [json.loads(line) for line in path.read_text().splitlines()] == [GOOD]
