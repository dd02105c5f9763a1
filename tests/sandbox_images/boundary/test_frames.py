"""Frames: what is packed comes back equal, and whatever else comes is a BadFrameError, in this and in any process."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary import frames

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_round_trip(message):
    frame = frames.pack(message)
    assert frames.frame_length(frame[:4], len(frame)) == len(frame) - 4
    assert frames.unpack(frame[4:]) == message
    assert json.loads(frame[4:]) == message


@given(st.binary())
def test_garbage_is_a_bad_frame_or_json(body):
    try:
        message = frames.unpack(body)
    except frames.BadFrameError:
        return
    assert frames.unpack(frames.pack(message)[4:]) == message


@given(JSON, st.data())
def test_a_damaged_frame_is_a_bad_frame_or_other_json(message, data):
    body = bytearray(frames.pack(message)[4:])
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(frames.BadFrameError):
        frames.unpack(bytes(body))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a"', b"[1,", b"[1]]", b" 1", b"1 ", b"\xff", b'"\n"', b"NaN", b"-", b"1" * 5000, b"[" * 10**6],
    ids=lambda body: repr(body[:8]),
)
def test_what_is_no_frame(body):
    with pytest.raises(frames.BadFrameError):
        frames.unpack(body)


def test_garbage_where_the_json_package_is_not_imported():
    # As in the sandbox: there the C scanner has no exception of its own to raise.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from python.boundary import frames\n"
        "for body in (b'{', b'[1,', b'nul', b'\"'):\n"
        "    try: frames.unpack(body)\n"
        "    except frames.BadFrameError: print('refused')\n"
        "print({'json', 'typing', 'types', 'collections.abc'} & sys.modules.keys())\n"
    )
    folder = Path(frames.__file__).parents[2]
    ended = subprocess.run([sys.executable, "-I", "-S", "-c", code, folder], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["refused"] * 4 + ["set()"]


def test_a_frame_over_the_limit_is_refused_by_its_length():
    with pytest.raises(frames.BadFrameError, match="4294967295 bytes, over the limit of 10"):
        frames.frame_length(b"\xff\xff\xff\xff", 10)


def test_what_is_no_json_cannot_be_packed():
    with pytest.raises(TypeError, match="set is not plain JSON"):
        frames.pack({1, 2})


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


def test_frames_are_read_one_by_one(pipe):
    reader, writer = pipe
    frames.write_all(writer, frames.pack([1]) + frames.pack({"two": 2}))
    os.close(writer)
    assert [frames.read_frame(reader) for _ in range(3)] == [[1], {"two": 2}, None]


@pytest.mark.parametrize("sent", [b"\x00\x00", b"\x00\x00\x00\x05[1"])
def test_a_stream_that_ends_inside_a_frame(pipe, sent):
    reader, writer = pipe
    os.write(writer, sent)
    os.close(writer)
    with pytest.raises(frames.BadFrameError):
        frames.read_frame(reader)
