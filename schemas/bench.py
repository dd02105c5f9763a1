"""The BENCH folder: problems.jsonl, changes.jsonl and manifest.json, read, checked and written as one."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from .changes import Change
from .errors import InputError
from .jsonl import read_rows, write_rows
from .problems import Problem
from .validation import find_fault

PROBLEMS, CHANGES, MANIFEST = "problems.jsonl", "changes.jsonl", "manifest.json"
SUBSETS = ("reliability", "generalization", "specificity")


@dataclass(frozen=True, slots=True)
class Bench:
    """A benchmark in memory: problems by task id, changes by change id, and its manifest."""

    name: str
    problems: dict[str, Problem]
    changes: dict[str, Change]
    manifest: Mapping[str, Any] = field(default_factory=dict)

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
        return cls(manifest["name"], problems, changes, manifest)

    def find(self, task_id: str) -> Problem | None:
        """Return the problem called `task_id`, or None. Case does not count: EvalPlus writes Mbpp/2 for MBPP/2."""
        if task_id in self.problems:
            return self.problems[task_id]
        folded = task_id.casefold()
        return next((problem for name, problem in self.problems.items() if name.casefold() == folded), None)

    def digest(self) -> str:
        """Return SHA-256 over the problems and changes: what a verdict depends on."""
        hashes: Mapping[str, str] = self.manifest["files"]
        return _sha256("".join(f"{name}:{hashes[name]}\n" for name in sorted(hashes)).encode("ascii"))


def write_bench(
    folder: Path,
    name: str,
    problems: Iterable[Problem],
    changes: Iterable[Change],
    *,
    seed: int | None = None,
    sources: Iterable[Mapping[str, str]] = (),
    certification: Mapping[str, Any] | None = None,
) -> Bench:
    """Write a BENCH folder, the manifest last, and return the benchmark: same input, same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    problems, changes = list(problems), list(changes)
    write_rows(folder / PROBLEMS, [problem.to_row() for problem in problems])
    write_rows(folder / CHANGES, [change.to_row() for change in changes])
    manifest = {
        "schema_version": 1,
        "name": name,
        "counts": _count(problems, changes),
        "seed": seed,
        "files": {file: _sha256((folder / file).read_bytes()) for file in (CHANGES, PROBLEMS)},
        "sources": [dict(source) for source in sources],
        "edittool": version("edittool"),
        "certification": None if certification is None else dict(certification),
    }
    temporary = folder / f".{MANIFEST}.partial"
    temporary.write_text(json.dumps(manifest, indent=2) + "\n", encoding="ascii")
    temporary.replace(folder / MANIFEST)
    return Bench.load(folder)


def _count(problems: list[Problem], changes: list[Change]) -> dict[str, int]:
    counts = {"problems": len(problems), "changes": len(changes)}
    return counts | {subset: sum(problem.subset == subset for problem in problems) for subset in SUBSETS}


def _load_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path} does not exist: {path.parent} is not a benchmark. `edittool bench build` makes one."
        ) from None
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}). Build the benchmark again.") from None
    fault = find_fault(manifest, "manifest") if isinstance(manifest, dict) else "a JSON object is needed"
    if fault:
        raise InputError(f"{path}: {fault}. Build the benchmark again.")
    checked: dict[str, Any] = manifest
    return checked


def _check_hashes(folder: Path, manifest: Mapping[str, Any]) -> None:
    for name in (PROBLEMS, CHANGES):
        expected, path = manifest["files"].get(name), folder / name
        if not path.is_file():
            raise InputError(f"{path} does not exist. Build the benchmark again.")
        if expected != _sha256(path.read_bytes()):
            raise InputError(
                f"{path} is not the file that {folder / MANIFEST} describes: it was changed after the build. "
                "Build the benchmark again (own problems: `edittool bench build --problems FILE`)."
            )


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
                f"which is not in {path.with_name(CHANGES).name}."
            )
        problems[problem.task_id] = problem
    return problems


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
