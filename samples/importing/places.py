"""The places that an import writes to: checked before anything is read, and no folder made where nothing is written."""

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import get_args

from ...schemas.errors import InputError
from ...schemas.json_text import parse_json
from ...schemas.jsonl import MAX_LINE_BYTES
from ...schemas.samples import SampleRows
from ...schemas.validation import find_fault
from ...schemas.whole_files import make_folder
from .answers import Reason

_VERDICTS = frozenset({"sample_id", "outcome"})  # fields of a verdict, and of no sample


def rejected_path(output: Path) -> Path:
    """Return where the rejections of an import to `output` go: of samples.jsonl, samples.rejected.jsonl beside it.

    Raises InputError for an output without a name.
    """
    if not output.name:
        raise InputError("-o is empty: name the file to write.")
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.rejected.jsonl")


def check_output(output: Path, read: Iterable[Path], bench: Path | None) -> None:
    """Raise InputError where `output`, or its file of rejections, would take the place of what no import wrote.

    That is what is `read`, the folder of the benchmark, and files with other rows.
    """
    rejected = rejected_path(output)
    for place in (output, rejected):
        _check_name(place)
    for path in read:
        _check_apart(path, output, rejected)
    if bench is not None and bench.resolve() in (output.parent.resolve() / output.name).parents:
        raise InputError(f"{output} lies in the benchmark {bench}, whose files these are. Choose another output.")
    if output.is_file() and output.stat().st_size:
        _check_lines(output, _is_sample, "samples")
    if rejected.is_file():
        _check_lines(rejected, _is_rejection, "rejections", ", where the rejections go,")


def _check_name(place: Path) -> None:
    """Raise InputError where no file can have this name, or nothing can be known of it."""
    try:
        place.stat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise InputError(f"{place} cannot be written: {error.strerror}. Choose another output.") from None


def check_given_once(read: Iterable[Path]) -> None:
    """Raise InputError where a file or folder is given twice, by whatever names."""
    given: dict[tuple[int, int], Path] = {}
    for path in read:
        with contextlib.suppress(OSError):  # its reader says what is wrong with it
            status = path.stat()
            key = status.st_dev, status.st_ino
            if key in given:
                named = path if path == given[key] else f"{path} ({given[key]})"
                raise InputError(f"{named} is given twice: its samples would count twice. Give it once.")
            given[key] = path


def _check_apart(path: Path, *outputs: Path) -> None:
    """Raise InputError where an output would take the place of what is read, or lie among it."""
    for output in outputs:
        with contextlib.suppress(OSError):
            if output.exists() and path.exists() and output.samefile(path):
                raise InputError(f"{output} is read: the samples would take its place. Choose another output.")
            if path.is_dir() and path.resolve() in output.resolve().parents:
                raise InputError(f"{output} lies in {path}, which is read. Choose an output outside of it.")


def _check_lines(path: Path, is_ours: Callable[[bytes], bool], what: str, role: str = "") -> None:
    """Raise InputError where a line of the file at `path`, or the file as a whole, is none that an import wrote."""
    try:
        with path.open("rb") as file:
            lines = enumerate(iter(lambda: file.readline(MAX_LINE_BYTES), b""), 1)
            other = next((number for number, line in lines if not is_ours(line)), None)
            holds_any = file.tell() > 0
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Choose another output.") from None
    if other is not None or not holds_any:
        where = f" (line {other})" if other else ""
        raise InputError(
            f"{path}{role} holds something else than {what} that import wrote{where}; choose another output."
        )


def _is_sample(line: bytes) -> bool:
    row = SampleRows().parse(line)  # what it carries need not be valid
    if row is None or not isinstance(row.get("imported"), dict) or find_fault(row, "sample") is not None:
        return False
    return not _VERDICTS.issubset(row)  # which keep what their samples carry


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
