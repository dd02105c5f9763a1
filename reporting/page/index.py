"""The list of all verdicts as columns of small numbers: what the page filters, without a look at any program."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import polars as pl

from ...analysis.extraction import Kind
from ...schemas.bench import SUBSETS
from ...schemas.verdicts import CALLED_IN_WORDS, DETAILS_IN_WORDS, FAILURES, LABELS_IN_WORDS, OUTCOMES_IN_WORDS
from ..printable import INVISIBLE
from ..read.edits import TOOK, TOOK_IN_WORDS
from ..read.settings import WORLDS, WORLDS_IN_WORDS, Setting
from ..read.verdict_frame import Observations
from .packing import dump, pack_bytes

OF_SETTING = ("model", "method", "regime", "step", "world", "subject", "target", "requests", "style", "hparams_sha256")
_WIDTHS = ((1, "B"), (2, "H"), (4, "I"))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: each of `codes` is a place in `values`, whose last is None where a row says nothing."""

    name: str
    values: tuple[Any, ...]
    codes: pl.Series

    def packed(self) -> tuple[int, bytes]:
        """Return how many bytes a code has, and all codes, little-endian."""
        width, letter = next((width, letter) for width, letter in _WIDTHS if len(self.values) <= 1 << 8 * width)
        return width, struct.pack(f"<{len(self.codes)}{letter}", *self.codes.to_list())


def pack_index(observations: Observations) -> str:
    """Return the data block of the list: the length of its head, its head in JSON, and the columns.

    Each row of the frame is a row, in the order of verdicts. `more` is 0 in the second of two rows of one verdict.
    """
    frame = observations.frame.sort("verdict", maintain_order=True)
    head: dict[str, Any] = {"rows": len(frame), "columns": {}, "words": _words(), "invisible": INVISIBLE}
    data = b""
    for column in columns_of(observations, frame):
        width, codes = column.packed()
        head["columns"][column.name] = {"values": column.values, "width": width, "start": len(data)}
        data += codes + b"\0" * (-len(codes) % 4)
    text = dump(head).encode("ascii")
    text += b" " * (-len(text) % 4)
    return pack_bytes(struct.pack("<I", len(text)) + text + data)


def columns_of(observations: Observations, frame: pl.DataFrame) -> Iterable[Column]:
    """Yield the columns of `frame`, which has the rows of `observations` in the order of verdicts."""
    more = (frame["verdict"] != frame["verdict"].shift(1)).fill_null(True)
    yield Column("more", (False, True), more.cast(pl.UInt8))
    for name in OF_SETTING:
        yield _of_setting(name, observations.settings, frame["setting"])
    yield _encode(frame["task"], observations.bench.problems, "task")
    yield _encode(frame["subset"], SUBSETS, "subset")
    yield _encode(frame["change"], observations.bench.changes, "change")
    yield _encode(frame["outcome"], reversed(OUTCOMES_IN_WORDS), "outcome")
    yield _encode(frame["label"], LABELS_IN_WORDS, "label")
    yield _encode(frame["called"], CALLED_IN_WORDS, "called")
    took = [record.took for record in observations.edits]
    places = frame["edit"].replace_strict(range(len(took)), took, default=None, return_dtype=pl.String)
    yield _encode(places, TOOK, "took")
    yield _encode(frame["detail"], sorted(frame["detail"].drop_nulls().unique()), "detail")
    yield _encode(frame["failure"], FAILURES, "failure")
    yield _encode(frame["extraction"], get_args(Kind), "extraction")
    yield _encode(frame["index"], sorted(frame["index"].drop_nulls().unique()), "index")
    for name in ("active", "edited"):
        yield Column(name, observations.sets, frame[name])


def _of_setting(name: str, settings: Sequence[Setting], places: pl.Series) -> Column:
    """Return what the settings say under `name`, for each row."""
    of_each = [getattr(setting, name) for setting in settings]
    found = set(of_each) - {None}
    values = (*((world for world in WORLDS if world in found) if name == "world" else sorted(found)), None)
    codes = [values.index(value) for value in of_each]
    return Column(name, values, places.replace_strict(range(len(codes)), codes, return_dtype=pl.UInt32))


def _encode(series: pl.Series, values: Iterable[Any], name: str) -> Column:
    known = tuple(values)
    codes = series.replace_strict(known, range(len(known)), default=len(known), return_dtype=pl.UInt32)
    return Column(name, (*known, None), codes.fill_null(len(known)))


def _words() -> dict[str, Any]:
    """Return what the values of the columns mean, in words."""
    return {
        "outcome": OUTCOMES_IN_WORDS,
        "label": LABELS_IN_WORDS,
        "called": CALLED_IN_WORDS,
        "took": TOOK_IN_WORDS,
        "details": DETAILS_IN_WORDS,
        "failure": FAILURES,
        "world": WORLDS_IN_WORDS,
    }
