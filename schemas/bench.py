"""The BENCH folder: problems, changes, rejections and manifest, read, checked and written as one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from .changes import Change
from .errors import InputError
from .json_text import dump_row
from .jsonl import read_rows, write_rows
from .problems import Problem
from .rejections import Rejection
from .task_names import TaskNames
from .validation import read_object
from .whole_files import make_folder, replace_file

PROBLEMS, CHANGES, REJECTED, MANIFEST = "problems.jsonl", "changes.jsonl", "rejected.jsonl", "manifest.json"
SUBSETS = ("reliability", "generalization", "specificity")


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark in memory: problems by task id, changes by change id, and its manifest."""

    name: str
    problems: dict[str, Problem]
    changes: dict[str, Change]
    manifest: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = field(default=None, repr=False, compare=False)
    names: TaskNames = field(init=False, repr=False, compare=False)
    _known: dict[str, Rejection] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", TaskNames(self.problems, self.left_out))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a BENCH folder.

        Raises InputError for a missing file, an invalid row, a task or change that stands twice, a problem whose
        change is unknown, and files that are not those the manifest was written for.
        """
        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder. A benchmark is a folder made by `edittool bench build`.")
        manifest = _load_manifest(folder / MANIFEST)
        _check_hashes(folder, manifest)
        changes = _load_changes(folder / CHANGES)
        problems = _load_problems(folder / PROBLEMS, changes)
        return cls(manifest["name"], problems, changes, manifest, folder)

    def find(self, task_id: str) -> Problem | None:
        """Return the problem called `task_id`, or None.

        Case does not count, where it tells no two problems apart: EvalPlus writes Mbpp/2 for MBPP/2. A number is the
        problem whose id ends with it, where that is one alone, with what the benchmark left out: MBPP writes 2.
        """
        found = self.problems.get(task_id)  # most samples use the problem's own id
        if found is not None:
            return found
        name = self.names.find(task_id)
        return None if name is None else self.problems.get(name)

    def candidates(self, task_id: str) -> tuple[str, ...]:
        """Return the ids that the number or name `task_id` may mean, where it means several; those left out too."""
        return self.names.candidates(task_id)

    def rejection(self, task_id: str) -> Rejection | None:
        """Return why the benchmark left the problem called `task_id` out; None where no record says so.

        Raises InputError for a record that is not valid.
        """
        name = self.names.find(task_id)
        return None if name is None or name in self.problems else self.left_out().get(name)

    def left_out(self) -> Mapping[str, Rejection]:
        """Return by task id the problems that were left out as a whole; read when first asked for.

        Raises InputError for a record that is not valid.
        """
        if not self._known and self.folder is not None:
            for one in load_rejections(self.folder):
                if one.task_id is not None and one.task_id not in self.problems:
                    self._known.setdefault(one.task_id, one)
        return self._known

    def digest(self) -> str:
        """Return SHA-256 over the problems and changes: what a verdict depends on."""
        hashes: Mapping[str, str] = self.manifest.get("files") or self._hash_records()
        return _sha256("".join(f"{name}:{hashes[name]}\n" for name in sorted((CHANGES, PROBLEMS))).encode("ascii"))

    def _hash_records(self) -> dict[str, str]:
        """Return the hashes of the files that this benchmark would be written to."""
        rows = {
            CHANGES: [change.to_row() for change in self.changes.values()],
            PROBLEMS: [problem.to_row() for problem in self.problems.values()],
        }
        return {
            name: _sha256("".join(dump_row(row) + "\n" for row in rows[name]).encode("ascii")) for name in sorted(rows)
        }


def write_bench(
    folder: Path,
    name: str,
    problems: Iterable[Problem],
    changes: Iterable[Change],
    *,
    seed: int | None = None,
    sources: Iterable[Mapping[str, str]] = (),
    certification: Mapping[str, Any] | None = None,
    rejections: Iterable[Rejection] = (),
) -> Bench:
    """Write a BENCH folder, the manifest last, and return the benchmark: same input, same bytes.

    Raises EnvironmentFault when the folder cannot be written, InputError when the records are no valid benchmark.
    """
    make_folder(folder, "a benchmark")
    problems, changes = list(problems), list(changes)
    write_rows(folder / PROBLEMS, [problem.to_row() for problem in problems])
    write_rows(folder / CHANGES, [change.to_row() for change in changes])
    write_rows(folder / REJECTED, [rejection.to_row() for rejection in rejections])
    manifest = {
        "schema_version": 1,
        "name": name,
        "counts": _count(problems, changes),
        "seed": seed,
        "files": {file: _sha256((folder / file).read_bytes()) for file in (CHANGES, PROBLEMS, REJECTED)},
        "sources": [dict(source) for source in sources],
        "edittool": version("edittool"),
        "certification": None if certification is None else dict(certification),
    }
    replace_file(folder / MANIFEST, [json.dumps(manifest, indent=2, allow_nan=False) + "\n"])
    return Bench.load(folder)


def load_rejections(folder: Path) -> list[Rejection]:
    """Return what was left out of the benchmark in `folder`; nothing where no record of it was kept.

    Raises InputError for a row that is not valid.
    """
    path = folder / REJECTED
    if not path.is_file() or path.stat().st_size == 0:
        return []
    return [Rejection.from_row(row.data) for row in read_rows(path, "rejected")]


def _count(problems: list[Problem], changes: list[Change]) -> dict[str, int]:
    counts = {"problems": len(problems), "changes": len(changes)}
    return counts | {subset: sum(problem.subset == subset for problem in problems) for subset in SUBSETS}


def _load_manifest(path: Path) -> dict[str, Any]:
    try:
        return read_object(path, "manifest", "Build the benchmark again.")
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist: {path.parent} is not a benchmark. `edittool bench build` makes one."
        ) from None


def _check_hashes(folder: Path, manifest: Mapping[str, Any]) -> None:
    for name in (PROBLEMS, CHANGES, REJECTED):
        path = folder / name
        if name in manifest["files"] and manifest["files"][name] != _sha256(_read(path)):
            raise InputError(
                f"{path} is not the file that {folder / MANIFEST} describes: it was changed after the build. "
                "Build the benchmark again (own problems: `edittool bench build --problems FILE`)."
            )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Build the benchmark again.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from None


def _load_changes(path: Path) -> dict[str, Change]:
    changes: dict[str, Change] = {}
    if path.stat().st_size == 0:  # a benchmark without changes
        return changes
    for row in read_rows(path, "change"):
        change = Change.from_row(row.data)
        if change.change_id in changes:
            raise InputError(f"{path}, line {row.line}: the change {change.change_id!r} stands twice. Remove one.")
        changes[change.change_id] = change
    return changes


def _load_problems(path: Path, changes: Mapping[str, Change]) -> dict[str, Problem]:
    problems: dict[str, Problem] = {}
    for row in read_rows(path, "problem"):
        problem = Problem.from_row(row.data)
        if problem.task_id in problems:
            raise InputError(f"{path}, line {row.line}: the task {problem.task_id!r} stands twice. Remove one.")
        if problem.change_id is not None and problem.change_id not in changes:
            raise InputError(
                f'{path}, line {row.line}: field "change_id" names {problem.change_id!r}, '
                f"which is not in {CHANGES}. Add that change, or build the benchmark again."
            )
        problems[problem.task_id] = problem
    return problems


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
