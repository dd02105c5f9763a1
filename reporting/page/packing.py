"""Data blocks of the page: compressed and in base64, so that nothing in them can be taken for markup."""

import base64
import json
import zlib

LEVEL = 6


def pack_bytes(data: bytes, level: int = LEVEL) -> str:
    """Return `data` compressed (zlib, RFC 1950) and in base64; the same bytes give the same text."""
    return encode(zlib.compress(data, level))


def pack_json(value: object) -> str:
    """Return `value` as packed JSON. Raises ValueError for NaN and infinity."""
    return pack_bytes(dump(value).encode("ascii"))


def dump(value: object) -> str:
    """Return `value` as short JSON in ASCII, with its lone surrogates. Raises ValueError for NaN and infinity."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def encode(compressed: bytes) -> str:
    """Return bytes that were compressed before in base64."""
    return base64.b64encode(compressed).decode("ascii")


def unpack(text: str) -> bytes:
    """Return what was packed into `text`."""
    return zlib.decompress(base64.b64decode(text, validate=True))
