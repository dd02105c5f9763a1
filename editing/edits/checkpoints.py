"""Checkpoints of edited models: saved edits are put into a model, which is written in Hugging Face's format."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from ...schemas.errors import InputError
from ...schemas.jsonl import file_digest
from ...schemas.whole_files import aside, write_faults
from .edit import Edit, read_metadata
from .series import EditSeries

NOTE = "edittool.json"


@dataclass(frozen=True, slots=True)
class EditFile:
    """A saved edit: where it is, SHA-256 of the file, and what it says about itself."""

    path: Path
    sha256: str
    metadata: Mapping[str, str]

    @property
    def model(self) -> str | None:
        """Return the name of the model it was made for."""
        return self.metadata.get("model")

    @property
    def dtype(self) -> str | None:
        """Return the type of the weights it was made with."""
        return self.metadata.get("dtype")

    @property
    def edited(self) -> tuple[str, ...]:
        """Return the changes in the model after it; nothing where the file does not say."""
        with contextlib.suppress(ValueError):
            changes = json.loads(self.metadata.get("edited", "[]"))
            return tuple(map(str, changes)) if isinstance(changes, list) else ()
        return ()


def read_edit_file(path: Path) -> EditFile:
    """Return the edit in the file at `path`, without its tensors.

    Raises InputError for a file that is no edit, and for an edit with a codebook (GRACE): it is looked up at run time,
    and no weight can hold it.
    """
    metadata = read_metadata(path)
    if metadata.get("codebooks", "{}") != "{}":
        raise InputError(
            f"{path} is an edit with a codebook, which is looked up while the model runs: a checkpoint cannot hold it. "
            "Load it in Python instead: `Edit.load(path).apply(model)`."
        )
    return EditFile(path, file_digest(path), metadata)


def strays(files: Sequence[EditFile]) -> Iterator[EditFile]:
    """Yield those of a sequential run whose edit was made on other edits than come before it in `files`."""
    for place, file in enumerate(files):
        before = tuple(change_id for earlier in files[:place] for change_id in earlier.edited[-1:])
        if file.metadata.get("regime") == "sequential" and file.edited[:-1] != before:
            yield file


@contextlib.contextmanager
def edited(model: Any, files: Sequence[EditFile]) -> Iterator[None]:
    """Put the edits of `files` into `model`, in their order, and take them out at the end.

    Raises InputError for an edit that does not fit the model.
    """
    with EditSeries(model) as series:
        for file in files:
            series.add(Edit.load(file.path).apply(model))
        yield


def check_shapes(outline: Any, files: Sequence[EditFile]) -> None:
    """Raise InputError for an edit that does not fit a model, of which the outline is enough."""
    for file in files:
        try:
            Edit.load(file.path).check(outline)
        except InputError as error:
            raise InputError(f"{file.path} does not fit: {error}") from None


def check_place(folder: Path) -> None:
    """Raise InputError where `folder` is a file, or a folder that holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already. Choose another folder for the checkpoint, or remove that one.")


def write_checkpoint(
    model: Any, tokenizer: Any, folder: Path, made_from: Mapping[str, str], files: Sequence[EditFile]
) -> None:
    """Write `model` and `tokenizer` to `folder` in Hugging Face's format, with a note of what made them.

    The folder appears whole, or not at all. Raises InputError where it holds something, EnvironmentFault when the disk
    or a permission refuses.
    """
    check_place(folder)
    note = {
        "edittool": version("edittool"),
        **made_from,
        "edits": [
            {"file": file.path.name, "sha256": file.sha256, "metadata": dict(sorted(file.metadata.items()))}
            for file in files
        ],
    }
    folder = folder.absolute()
    with write_faults(folder, SafetensorError, note="Nothing of it is kept."):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with aside(folder) as temporary:
            temporary.mkdir()
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            (temporary / NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="ascii")
