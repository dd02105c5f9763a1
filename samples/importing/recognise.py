"""What a file or folder is, in a few words, without reading more of it than the first values."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from ...schemas.errors import InputError
from .opening import GZIP, ZIP, Document, Passed, documents, first_bytes
from .shapes import TELLING, WORDS, ShapeName, is_flat, shape_of, tells
from .values import Value, values


@dataclass(frozen=True, slots=True)
class Recognised:
    """The shape of a file, and `words` for it: "a JSON array of rows of HumanEval, packed with gzip"."""

    shape: ShapeName
    words: str


def recognise(path: Path) -> Recognised | None:
    """Return the shape of the file, archive or folder at `path`, which `edittool import` reads; None for any other.

    Rows in the format of HumanEval or EvalPlus are recognised too. Raises nothing for a file that cannot be read.
    """
    try:
        document = next(documents(path, Passed()), None)
        found = None if document is None else _recognise(document)
        if document is None or found is None:
            return None
        return Recognised(found.shape, found.words + _container(path, document))
    except InputError:
        return None


def _recognise(document: Document) -> Recognised | None:
    if document.suffix == ".eval":
        return Recognised("inspect", WORDS["inspect"])
    if document.suffix == ".py":
        shape = python_shape(document.inner)
        return Recognised(shape, WORDS[shape])
    first = telling_value(document)
    shape_found = None if first is None else shape_of(first.data)
    if first is None or shape_found is None:
        return None
    words = WORDS[shape_found]
    if shape_found == "bigcode":
        words += ", a list of programs" if is_flat(first.data) else ", a list of lists"
    return Recognised(shape_found, f"a JSON array of {words}" if _is_array_of_rows(first.data) else words)


def telling_value(document: Document) -> Value | None:
    """Return the first value of a file that tells its shape, surely if one does, else the first without a fault.

    None where there is none. Raises as `values` does.
    """
    first = telling = None
    for value in islice((value for value in values(document) if not value.fault), TELLING):
        if tells(value.data):
            return value
        first = first or value
        telling = telling or (value if shape_of(value.data) else None)
    return telling or first


def _is_array_of_rows(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(row, dict) for row in value)


def _container(path: Path, document: Document) -> str:
    if path.is_dir():
        return "" if document.suffix == ".py" else f", in a folder ({document.name})"
    start = first_bytes(path)
    if start.startswith(ZIP) and document.suffix != ".eval":
        return ", packed in a zip"
    return ", packed with gzip" if start.startswith(GZIP) else ""


def python_shape(inner: PurePosixPath) -> ShapeName:
    """Return the shape of a folder with this program in it: EvalPlus has a folder for each task, programs by number."""
    of_task = inner.parent.name[-1:].isdecimal()  # HumanEval_0
    return "evalplus-dir" if of_task and inner.stem.isdecimal() else "folder"
