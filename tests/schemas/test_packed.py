"""Files packed with gzip are read as what they hold; broken ones, and those that expand beyond measure, are refused."""

import gzip
import zlib
from pathlib import Path

import pytest

from edittool.schemas import packed
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import dump_row, read_rows
from edittool.schemas.packed import open_content, open_for_any_place

ROWS = [{"task_id": f"T/{number}", "completion": f"    return {number}\n" * 50} for number in range(300)]
PLAIN = "".join(dump_row(row) + "\n" for row in ROWS).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "samples.jsonl"  # its name does not say that it is packed


def test_rows_of_a_packed_file_have_the_places_of_the_plain_one(path: Path) -> None:
    path.write_bytes(PLAIN)
    plain = list(read_rows(path, "sample"))
    for parts in (1, 3):  # gzip files stand behind one another
        step = len(PLAIN) // parts + 1
        path.write_bytes(b"".join(gzip.compress(PLAIN[n : n + step], mtime=0) for n in range(0, len(PLAIN), step)))
        assert list(read_rows(path, "sample")) == plain
        assert list(read_rows(path, "sample", start=plain[7].start, first_line=8)) == plain[7:]
        with open_for_any_place(path) as file:
            for row in (plain[200], plain[3]):
                file.seek(row.start)
                assert file.readline() == dump_row(row.data).encode() + b"\n"


def test_an_empty_file_is_not_packed(path: Path) -> None:
    path.touch()
    with open_content(path) as file:
        assert file.read() == b""
    with pytest.raises(InputError, match="is empty"):
        list(read_rows(path, "sample"))


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(PLAIN, mtime=0)[:-20],
        gzip.compress(PLAIN, mtime=0)[:5],
        flipped(gzip.compress(PLAIN, mtime=0), 400),
        gzip.compress(PLAIN, mtime=0) + b"something else",
        gzip.compress(PLAIN, mtime=0)[:-4] + b"\x00\x00\x00\x00",
        b"\x1f\x8b",
        b"\x1f\x8bnothing of that kind",
    ],
    ids=["cut", "header", "flipped", "tail", "length", "magic", "other"],
)
def test_a_broken_file_is_an_input_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for read in (lambda: list(read_rows(path, "sample")), lambda: open_for_any_place(path)):
        with pytest.raises(InputError, match=r"is packed with gzip, and broken or cut short .*Get it again"):
            read()


@pytest.mark.parametrize(
    "line", [b"\n", b" " * 1000 + b"\n", b'{"task_id": "T", "solution": ""}\n'], ids=["blank", "long", "row"]
)
def test_a_file_that_expands_beyond_measure_is_refused_on_the_way(
    path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(packed, "FREE_BYTES", 2**20)
    path.write_bytes(gzip.compress(line * (2**23 // len(line)), mtime=0))
    assert path.stat().st_size * packed.MAX_RATIO < 2**23
    for read in (lambda: list(read_rows(path, "sample")), lambda: open_for_any_place(path)):
        with pytest.raises(InputError, match=r"expands to more than"):
            read()


def test_a_bomb_of_one_line_takes_no_memory(path: Path) -> None:
    packer = zlib.compressobj(wbits=31)
    with path.open("wb") as file:
        for _ in range(200):
            file.write(packer.compress(b" " * 2**20))
        file.write(packer.flush())
    with pytest.raises(InputError, match="expands to more than 64 MiB"):
        list(read_rows(path, "sample"))
