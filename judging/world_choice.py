"""Chooses the worlds that a sample is judged in: one by a rule, or all those in which other files have its problem."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from ..schemas.samples import Sample, SampleRows
from .tasks import REMEDY, Tasks

WorldChoice = Literal["sample", "own", "none", "all"]
World = tuple[Change, ...]  # the active changes


@dataclass(frozen=True, slots=True)
class WorldsOf:
    """Worlds found in files: by task id those in which the files have that problem, each once, sorted."""

    by_task: Mapping[str, tuple[World, ...]]

    def digest(self) -> str:
        """Return the SHA-256 of which worlds these are, by the ids of their changes."""
        names = {task: [[one.change_id for one in world] for world in worlds] for task, worlds in self.by_task.items()}
        return hashlib.sha256(json.dumps(names, sort_keys=True).encode("ascii")).hexdigest()


Worlds = WorldChoice | WorldsOf


def read_worlds(paths: Iterable[Path], bench: Bench, skip_unknown: bool = False) -> WorldsOf:
    """Return the worlds in which the samples, or verdicts, in the files at `paths` run; nothing else is kept of them.

    Raises InputError, naming file and line, for an invalid row, an unknown change and, unless they are to be skipped,
    tasks that the benchmark lacks.
    """
    worlds: dict[tuple[str, ...], World] = {}
    by_task: dict[str, set[tuple[str, ...]]] = {}
    for path in paths:
        tasks = Tasks(bench)
        for row in SampleRows().read(path):  # a verdict is its sample's row, and more
            where, sample = f"{path}, line {row.line}", Sample.from_row(row.data)
            problem = tasks.find(sample.task_id, where)
            if problem is None:
                continue
            names = sample.world(problem)
            if names not in worlds:
                worlds[names] = _find_changes(names, bench, where)
            by_task.setdefault(problem.task_id, set()).add(names)
        if not skip_unknown:
            tasks.check(REMEDY)
    return WorldsOf({task: tuple(worlds[names] for names in sorted(found)) for task, found in by_task.items()})


def choose_worlds(worlds: Worlds, sample: Sample, problem: Problem, bench: Bench, where: str) -> tuple[World, ...]:
    """Return the worlds that `sample` is judged in: one by a rule; as many as `WorldsOf` has for its problem, or none.

    Raises InputError, saying `where`, for a change that the benchmark lacks.
    """
    if isinstance(worlds, WorldsOf):
        return worlds.by_task.get(problem.task_id, ())
    names = {
        "sample": sample.world(problem),
        "own": () if problem.change_id is None else (problem.change_id,),
        "none": (),
        "all": tuple(sorted(bench.changes)),
    }[worlds]
    return (_find_changes(names, bench, where),)


def _find_changes(names: Iterable[str], bench: Bench, where: str) -> World:
    unknown = [name for name in names if name not in bench.changes]
    if unknown:
        raise InputError(
            f'{where}: field "active_changes" names {unknown[0]!r}, which the benchmark does not have. '
            "Its changes: `edittool bench show BENCH`."
        )
    return tuple(bench.changes[name] for name in names)
