"""Frames: a four-byte big-endian length, then that many bytes of JSON.

The JSON comes from the C scanner and encoder alone: importing `json` would pull in `re` and add a third to the
runner's start-up, which every sample pays.
"""

from __future__ import annotations

import posix
from _json import encode_basestring_ascii, make_encoder, make_scanner

from .light import TYPE_CHECKING
from .limits import MAX_JOB_BYTES

if TYPE_CHECKING:
    from typing import Any, Final

LOCKED_DOWN: Final = b"."  # the first byte of the untrusted process, before any frame


class BadFrameError(Exception):
    """The other side sent what is no frame: too long, cut short, or not JSON."""


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__name__} is not plain JSON")


class _ScannerOptions:
    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse)


_encode = make_encoder(None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False)
_scan: Any = make_scanner(_ScannerOptions)  # type: ignore[arg-type]  # any object with these attributes will do


def pack(message: object) -> bytes:
    """Return the frame of `message`, a JSON value."""
    body = "".join(_encode(message, 0)).encode("ascii")
    return len(body).to_bytes(4, "big") + body


def unpack(body: bytes) -> Any:
    """Return the JSON value in `body`, a frame without its length.

    Raises BadFrameError whatever the bytes are: the sender may be hostile.
    """
    try:
        text = body.decode("ascii")
        message, end = _scan(text, 0)
    # SystemError: the C scanner looks for json.decoder's exception to raise, and nobody has imported it.
    except (ValueError, TypeError, StopIteration, RecursionError, SystemError):
        raise BadFrameError("bytes that are no JSON") from None
    if end != len(text):
        raise BadFrameError("trailing bytes after the JSON value")
    return message


def frame_length(header: bytes, limit: int) -> int:
    """Return the length that a frame's four-byte `header` announces. Raises BadFrameError where it is over `limit`."""
    length = int.from_bytes(header, "big")
    if length > limit:
        raise BadFrameError(f"a frame of {length} bytes, over the limit of {limit}")
    return length


def read_frame(descriptor: int, limit: int = MAX_JOB_BYTES) -> Any:
    """Block until a frame has come over `descriptor`; return its message, or None at the end of the stream.

    Raises BadFrameError for a frame over `limit`, one that is cut short and one that is no JSON.
    """
    header = _read_exactly(descriptor, 4)
    if not header:
        return None
    body = _read_exactly(descriptor, frame_length(header, limit))
    return unpack(body)


def _read_exactly(descriptor: int, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        chunk = posix.read(descriptor, min(count - len(data), 1 << 20))
        if not chunk:
            if data:
                raise BadFrameError("the stream ended inside a frame")
            return b""
        data += chunk
    return bytes(data)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data` to the blocking `descriptor`."""
    view = memoryview(data)
    while view:
        view = view[posix.write(descriptor, view) :]
