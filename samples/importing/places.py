"""The places that an import writes to: checked before anything is read, and no folder made where nothing is written."""

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from ...schemas.errors import InputError
from ...schemas.json_text import parse_json
from ...schemas.jsonl import MAX_LINE_BYTES
from ...schemas.sample_rows import SampleRows
from ...schemas.validation import find_fault
from ...schemas.whole_files import make_folder
from .answers import Reason

_LINES_READ = 100  # blank ones before the first row


def rejected_path(output: Path) -> Path:
    """Return where the rejections of an import to `output` go: of samples.jsonl, samples.rejected.jsonl beside it."""
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.rejected.jsonl")


def check_output(output: Path, read: Iterable[Path], bench: Path | None) -> None:
    """Raise InputError where `output`, or its file of rejections, would take the place of what no import wrote.

    That is what is `read`, the folder of the benchmark, and files with other rows.
    """
    rejected = rejected_path(output)
    for path in read:
        _check_apart(path, output, rejected)
    if bench is not None and bench.resolve() in (output.parent.resolve() / output.name).parents:
        raise InputError(f"{output} lies in the benchmark {bench}, whose files these are. Choose another output.")
    if output.is_file() and output.stat().st_size and not _is_sample(_first_line(output)):
        raise InputError(f"{output} holds something else than samples that import wrote; choose another output.")
    if rejected.is_file() and not _is_rejection(_first_line(rejected)):
        raise InputError(
            f"{rejected}, where the rejections go, holds something else than rejections that import wrote; choose "
            "another output."
        )


def _check_apart(path: Path, *outputs: Path) -> None:
    """Raise InputError where an output would take the place of what is read, or lie among it."""
    for output in outputs:
        with contextlib.suppress(OSError):
            if output.exists() and path.exists() and output.samefile(path):
                raise InputError(f"{output} is read: the samples would take its place. Choose another output.")
            if path.is_dir() and path.resolve() in output.resolve().parents:
                raise InputError(f"{output} lies in {path}, which is read. Choose an output outside of it.")


def _first_line(path: Path) -> bytes:
    """Return the first line of a file that is not blank."""
    try:
        with path.open("rb") as file:
            lines = itertools.islice(iter(lambda: file.readline(MAX_LINE_BYTES), b""), _LINES_READ)
            return next((line for line in lines if line.strip()), b"")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Choose another output.") from None


def _is_sample(line: bytes) -> bool:
    row = SampleRows().parse(line)  # what it carries need not be valid
    return row is not None and isinstance(row.get("imported"), dict) and find_fault(row, "sample") is None


def _is_rejection(line: bytes) -> bool:
    try:
        row = parse_json(line)
    except ValueError:
        return False
    if not isinstance(row, dict) or row.get("reason") not in get_args(Reason):
        return False
    return isinstance(row.get("file"), str) and isinstance(row.get("detail"), str)


@contextlib.contextmanager
def folder_of(output: Path) -> Iterator[None]:
    """Make the folder of `output`, and remove what was made where nothing was written to it.

    Raises as `make_folder` does.
    """
    made = list(itertools.takewhile(lambda folder: not os.path.lexists(folder), output.parents))
    try:
        make_folder(output.parent, "the folder of the samples")
        yield
    finally:
        with contextlib.suppress(OSError):  # one that holds something
            for folder in made:
                folder.rmdir()
