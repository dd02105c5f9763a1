"""Corpora: documents in a fixed order, read when they are asked for, and a seeded sample of them."""

import hashlib
import os
import platform
import random
import re
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, overload

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.jsonl import read_rows

FIELDS = ("text", "content", "code")  # of a row: the first one that is there holds the document
HUB_ID = re.compile(r"(?P<name>\w[\w.-]*/\w[\w.-]*)(:(?P<config>[\w.-]+))?")
NOT_OURS = frozenset({"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"})
MAX_FILE_BYTES = 16 * 2**20  # a larger file is data, not a text that somebody wrote
SEED = 1  # of the order in which documents are sampled: that of ROME's and EasyEdit's statistics


class _Documents(Sequence[str]):
    """The texts at `places`, each read when it is asked for."""

    def __init__(self, places: Sequence[Any], read: Callable[[Any], str]):
        self._places, self._read = places, read

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> "_Documents": ...

    def __getitem__(self, index: int | slice) -> "str | _Documents":
        if isinstance(index, slice):
            return _Documents(self._places[index], self._read)
        return self._read(self._places[index])

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents of the corpus called `corpus`; `digest` is the SHA-256 of their texts, in this order."""

    corpus: str
    documents: Sequence[str]
    digest: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents in a fixed order. `left_out` counts the files that are no text in UTF-8, or too large for one."""

    name: str
    documents: Sequence[str]
    left_out: int = 0

    def sample(self, n: int) -> Sample:
        """Return `n` documents, or all where there are fewer: the first of an order shuffled by a fixed seed.

        The order is that of the reference statistics of ROME (Meng et al., arXiv 2202.05262). Every document of the
        sample is read once, for its digest.
        """
        order = list(range(len(self.documents)))
        random.Random(SEED).shuffle(order)  # noqa: S311 - a choice to repeat, no secret
        documents = _Documents(order[:n], self.documents.__getitem__)
        return Sample(self.name, documents, _digest(documents))


def _digest(documents: Sequence[str]) -> str:
    total = hashlib.sha256()
    for text in documents:
        raw = text.encode("utf-8")
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


def open_corpus(name: str) -> Corpus:
    """Return the corpus called `name`.

    `python` is the source of the running Python's standard library; else a folder of text or code, a JSONL file
    (see the schema `document`), or a data set on the Hugging Face Hub, OWNER/NAME or OWNER/NAME:CONFIG, of which the
    split `train` is read. Raises InputError for what is none of these or holds no document, EnvironmentFault for
    a Hub data set without the library `datasets` or out of reach.
    """
    corpus = _open(name)
    if not corpus.documents:
        raise InputError(f"The corpus {name} holds no document: text in UTF-8 is needed. Give another --corpus.")
    return corpus


def _open(name: str) -> Corpus:
    path = Path(name).expanduser()
    if name == "python":
        return _standard_library()
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return _rows(path)
    if match := HUB_ID.fullmatch(name):
        return _hub(match["name"], match["config"])
    raise InputError(
        f"The corpus {name} does not exist: give `python`, a folder, a JSONL file, or a data set on the Hub "
        "(OWNER/NAME)."
    )


def _standard_library() -> Corpus:
    root = Path(sysconfig.get_path("stdlib"))
    files, left_out = _texts(_walk(root, lambda name: name not in NOT_OURS), suffix=".py")
    if not files:
        raise EnvironmentFault(
            f"Python's standard library has no source in {root}. Give --corpus a folder of code instead."
        )
    return Corpus(f"python-{platform.python_version()}", _Documents(files, _read_file), left_out)


def _folder(root: Path) -> Corpus:
    files, left_out = _texts(_walk(root, lambda name: not name.startswith(".")))
    return Corpus(root.resolve().name or "root", _Documents(files, _read_file), left_out)


def _walk(root: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Return the files below `root`, sorted by their relative paths; only names that are `wanted` are entered."""
    found: list[Path] = []
    for folder, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = filter(wanted, folders)
        found += (Path(folder, name) for name in filter(wanted, files))
    return sorted(found, key=lambda path: path.relative_to(root).as_posix())


def _refuse(error: OSError) -> None:
    raise InputError(f"The folder {error.filename} cannot be read: {error.strerror}. Check its permissions.")


def _texts(paths: Sequence[Path], suffix: str = "") -> tuple[list[Path], int]:
    """Return those of the files called *`suffix` that hold text, and the number of those that do not."""
    candidates = [path for path in paths if path.name.endswith(suffix) and path.is_file()]
    texts = [path for path in candidates if _is_text(path)]
    return texts, len(candidates) - len(texts)


def _is_text(path: Path) -> bool:
    if path.stat().st_size > MAX_FILE_BYTES:
        return False
    try:
        return "\0" not in _read_file(path)
    except UnicodeDecodeError:
        return False


def _read_file(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a row stands: its number, from 1, and its first byte."""

    line: int
    start: int


def _rows(path: Path) -> Corpus:
    if not path.is_file():
        raise InputError(f"The corpus {path} is no ordinary file, and it is read more than once. Write it to a file.")
    places = [_checked(path, row.line, row.start, row.data) for row in read_rows(path, "document", packed=False)]
    return Corpus(path.stem, _Documents(places, lambda place: _read_row(path, place)))


def _checked(path: Path, line: int, start: int, data: dict[str, Any]) -> _Place:
    if not any(field in data for field in FIELDS):
        raise InputError(
            f"{path}, line {line}: a document needs one of the fields {', '.join(map(repr, FIELDS))}; this row has "
            f"{', '.join(map(repr, data)) or 'none at all'}. See schemas/document.schema.json for the format."
        )
    return _Place(line, start)


def _read_row(path: Path, place: _Place) -> str:
    data = next(read_rows(path, "document", start=place.start, first_line=place.line, packed=False)).data
    text: str = next(data[field] for field in FIELDS if field in data)
    return text.encode("utf-8", "replace").decode("utf-8")  # JSON can hold half a surrogate pair; no tokenizer takes it


def _hub(name: str, config: str | None) -> Corpus:
    rows = _load(name, config)
    column = next((field for field in FIELDS if field in rows.column_names), None)
    if column is None:
        raise InputError(
            f"The data set {name} has none of the columns {', '.join(FIELDS)}, but {', '.join(rows.column_names)}. "
            "Write its texts to a JSONL file, and give that as the corpus."
        )
    corpus = (name if config is None else f"{name}-{config}").replace("/", "_")
    return Corpus(corpus, _Documents(range(len(rows)), lambda index: _text_of(name, column, rows[index][column])))


def _text_of(name: str, column: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(
            f'The column "{column}" of the data set {name} holds {type(value).__name__}, not text. '
            "Write its texts to a JSONL file, and give that as the corpus."
        )
    return value


def _load(name: str, config: str | None) -> Any:
    """Return the split `train` of a data set on the Hub. Code that comes with one is never run."""
    datasets = _import_datasets(name)
    try:
        return datasets.load_dataset(name, config, split="train")
    except datasets.exceptions.DatasetNotFoundError as error:
        raise InputError(
            f"The Hub has no data set {name} that you may read: {_short(error)}. Check the name."
        ) from None
    except (ValueError, datasets.exceptions.DatasetsError) as error:  # no such configuration or split, broken files
        raise InputError(
            f"The data set {name} cannot be used: {_short(error)}. A configuration is named as {name}:CONFIG."
        ) from None
    except (OSError, RuntimeError) as error:
        raise EnvironmentFault(
            f"The data set {name} cannot be had from the Hub: {_short(error)}. Where there is a network, download it, "
            "write its texts to a JSONL file, and give that as the corpus."
        ) from None


def _import_datasets(name: str) -> Any:
    """Return the library, if it is one that never runs code that comes with a data set."""
    try:
        if int(version("datasets").partition(".")[0]) >= 4:
            return import_module("datasets")
    except (PackageNotFoundError, ImportError):
        pass
    raise EnvironmentFault(
        f"The data set {name} is read with the library `datasets`, version 4 or newer. Install it: "
        "pip install 'edittool[corpora]'"
    )


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")
