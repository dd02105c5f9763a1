"""Folders of programs: EvalPlus's, a folder for each task with its samples by number, and plain ones, named by task."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ....schemas.errors import InputError
from ....schemas.jsonl import MAX_ROW_BYTES
from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document


def read_python_file(document: Document) -> Iterator[Found]:
    """Yield the one program that a file is, or why it is none."""
    place = Place(member=str(document.inner))
    with document.open() as file:
        raw = file.read(MAX_ROW_BYTES + 1)
    if len(raw) > MAX_ROW_BYTES:
        yield Fault(place, "too_long", f"more than {MAX_ROW_BYTES / 2**20:.3g} MiB", None)
        return
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        yield Fault(place, "not_utf8", f"not UTF-8 at byte {error.start + 1}, in line {line}", None)
        return
    stem = document.inner.stem
    # A folder that names a task tells it, and the file its sample; else the file's own name does.
    folders = PurePosixPath(document.name).parents  # with the one that was given
    names = (*(f"{folder.name}/{stem}" for folder in folders if folder.name), stem)
    yield Answer(place, text, "solution", Clues(names, entry_points=(stem,), index_in_name=True), "none", text)


def check_is_python(document: Document) -> None:
    """Raise InputError where a file that is to be read as a program has another name."""
    if document.suffix != ".py":
        raise InputError(f"{document.name} is no .py file: folders of programs hold these. Leave out --from.")
