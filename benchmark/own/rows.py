"""The rows of a file of a user's own: JSONL with every field, or YAML with as few as a person wants to write."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from ...schemas.errors import InputError
from ...schemas.jsonl import read_rows
from ...schemas.validation import find_fault, load_schema
from .yaml_rows import LocatedRow, read_yaml_rows

Kind = Literal["change", "problem"]  # the name of the rows' schema
Complete = Callable[[LocatedRow], LocatedRow]


def read_own_rows(path: Path, kind: Kind, complete: Complete) -> Iterator[LocatedRow]:
    """Yield the valid rows of a YAML file (`.yaml`, `.yml`), each made whole by `complete`, or of a JSONL file.

    YAML is a list, or has one under the kind's name (`changes:`, `problems:`). Raises InputError, naming file, line and
    field, for a file or a row that is not valid.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        for row in map(complete, read_yaml_rows(path, f"{kind}s")):
            _check_schema(row, kind)
            yield row
        return
    for line in read_rows(path, kind):
        yield LocatedRow(path, line.line, line.data)


def check_fields(row: LocatedRow, kind: Kind, needed: Sequence[str], more: Sequence[str] = ()) -> None:
    """Raise InputError for a field that is neither in the schema nor in `more`, and for a missing one of `needed`."""
    known = [*load_schema(kind)["properties"], *more]
    for name in row.data:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"A {kind} has: {', '.join(known)}."
            raise InputError(f"{row.at(name)}: the field {name!r} has no meaning. {remedy}")
    for name in needed:
        if name not in row.data:
            raise InputError(f"{row.at()}: this {kind} lacks the field {name!r}. Add it.")


def _check_schema(row: LocatedRow, kind: Kind) -> None:
    fault = find_fault(row.data, kind)
    if fault:
        named = re.match(r'field "(\w+)', fault)
        raise InputError(f"{row.at(named and named[1])}: {fault}. See schemas/{kind}.schema.json for the format.")
