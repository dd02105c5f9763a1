"""The packed list says of each row what the frame says."""

import json
import struct
from typing import Any

from edittool.reporting.page.index import pack_index
from edittool.reporting.page.packing import unpack
from edittool.reporting.printable import INVISIBLE

SAME = {name: name for name in ("task", "subset", "change", "outcome", "label", "detail", "failure", "index")}


def unpack_index(data: bytes) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Return the head of an unpacked data block, and the values of each column."""
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    letters = {1: "B", 2: "H", 4: "I"}
    columns = {}
    for name, column in head["columns"].items():
        start = 4 + length + column["start"]
        codes = struct.unpack_from(f"<{head['rows']}{letters[column['width']]}", data, start)
        columns[name] = [column["values"][code] for code in codes]
    return head, columns


def test_columns_of_the_frame_come_back(made):
    frame = made.observations.frame.sort("verdict", maintain_order=True)
    _head, columns = unpack_index(unpack(pack_index(made.observations)))
    assert {name: columns[name] for name in SAME} == {name: frame[column].to_list() for name, column in SAME.items()}
    sets = made.observations.sets
    for name in ("active", "edited"):
        assert [tuple(value) for value in columns[name]] == [sets[place] for place in frame[name]]


def test_settings_come_back(made):
    settings = [made.observations.settings[place] for place in made.observations.frame.sort("verdict")["setting"]]
    _head, columns = unpack_index(unpack(pack_index(made.observations)))
    for name in ("model", "method", "regime", "step", "world"):
        assert columns[name] == [getattr(setting, name) for setting in settings]


def test_a_verdict_in_two_settings_counts_once(made):
    _head, columns = unpack_index(unpack(pack_index(made.observations)))
    assert len(columns["more"]) == len(made.observations.frame) > len(made.verdicts)
    assert sum(columns["more"]) == len(made.verdicts)


def test_the_page_is_told_what_is_invisible(made):
    head, _columns = unpack_index(unpack(pack_index(made.observations)))
    assert head["invisible"] == [list(bounds) for bounds in INVISIBLE]
