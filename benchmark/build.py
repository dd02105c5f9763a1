"""Putting a benchmark together and writing its folder."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from ..schemas.bench import CHANGES, MANIFEST, PROBLEMS, Bench, write_bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from ..schemas.problems import Problem
from ..schemas.validation import find_fault


def build_bench(
    folder: Path, name: str, problems: Iterable[Problem], changes: Iterable[Change], sources: Iterable[Path] = ()
) -> Bench:
    """Write a benchmark made from the files `sources`: same input, same bytes.

    Raises InputError for a task that stands twice and for a folder that holds anything but a benchmark, and
    EnvironmentFault where the folder cannot be written.
    """
    problems = list(problems)
    _check_unique(problems)
    _check_folder(folder)
    hashes = [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in sources]
    return write_bench(folder, name, problems, changes, sources=hashes)


def _check_unique(problems: list[Problem]) -> None:
    seen: set[str] = set()
    for problem in problems:
        if problem.task_id in seen:
            raise InputError(f"the task {problem.task_id!r} stands twice in what you gave. Remove one.")
        seen.add(problem.task_id)


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not _is_benchmark(folder):
        raise InputError(f"{folder} is not empty and is not a benchmark. Choose another folder, or empty this one.")


def _is_benchmark(folder: Path) -> bool:
    if not all((folder / name).is_file() for name in (PROBLEMS, CHANGES, MANIFEST)):
        return False
    try:
        manifest = parse_json((folder / MANIFEST).read_bytes())
    except (ValueError, OSError):
        return False
    return isinstance(manifest, dict) and find_fault(manifest, "manifest") is None
