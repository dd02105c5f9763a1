"""The last step of a build: a benchmark is put together, and its folder written."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..schemas.bench import CHANGES, MANIFEST, PROBLEMS, Bench, write_bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from ..schemas.problems import Problem
from ..schemas.rejections import Rejection
from ..schemas.validation import find_fault
from ..schemas.whole_files import make_folder

LOG = ".building.jsonl"  # of an unfinished build: what it has found out so far


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a benchmark. `certification` and `seed` are None where nothing was certified or drawn."""

    name: str
    problems: Sequence[Problem]
    changes: Sequence[Change] = ()
    rejections: Sequence[Rejection] = ()
    certification: Mapping[str, Any] | None = None
    seed: int | None = None


def check_unique(problems: Iterable[Problem]) -> None:
    """Raise InputError for a task that stands twice."""
    seen: set[str] = set()
    for problem in problems:
        if problem.task_id in seen:
            raise InputError(f"the task {problem.task_id!r} stands twice in what you gave. Remove one.")
        seen.add(problem.task_id)


def prepare_folder(folder: Path) -> Path:
    """Make the folder of a benchmark to be built and return the place of its log.

    Raises InputError where the folder holds anything but a benchmark or an unfinished build, EnvironmentFault where it
    cannot be made.
    """
    if folder.is_dir() and any(folder.iterdir()) and not _is_benchmark(folder) and not _is_unfinished(folder):
        raise InputError(f"{folder} is not empty and is not a benchmark. Choose another folder, or empty this one.")
    make_folder(folder, "a benchmark")
    return folder / LOG


def write_contents(folder: Path, contents: Contents, sources: Iterable[Path] = ()) -> Bench:
    """Write a benchmark made from the files `sources` and forget its log: same input, same bytes.

    Raises InputError and EnvironmentFault as `prepare_folder` does, and InputError for a task that stands twice.
    """
    check_unique(contents.problems)
    log = prepare_folder(folder)
    hashes = [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in sources]
    made = write_bench(
        folder,
        contents.name,
        contents.problems,
        contents.changes,
        seed=contents.seed,
        sources=hashes,
        certification=contents.certification,
        rejections=contents.rejections,
    )
    with suppress(FileNotFoundError):
        log.unlink()
    return made


def _is_unfinished(folder: Path) -> bool:
    return [entry.name for entry in folder.iterdir()] == [LOG]


def _is_benchmark(folder: Path) -> bool:
    if not all((folder / name).is_file() for name in (PROBLEMS, CHANGES, MANIFEST)):
        return False
    try:
        manifest = parse_json((folder / MANIFEST).read_bytes())
    except (ValueError, OSError):
        return False
    return isinstance(manifest, dict) and find_fault(manifest, "manifest") is None
