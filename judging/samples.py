"""Samples as the judge takes them: each with its problem, its world and its identity."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.jsonl import read_rows
from ..schemas.problems import Problem
from ..schemas.samples import Sample, row_digest

WorldChoice = Literal["sample", "own", "none", "all"]


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A sample ready to be judged. `sample_id` names row, place and world: equal ids, equal verdicts."""

    sample: Sample
    sample_index: int
    sample_id: str
    problem: Problem
    changes: tuple[Change, ...]


def read_samples(path: Path, bench: Bench, world: WorldChoice = "sample") -> Iterator[JudgedSample]:
    """Yield the samples of the file at `path`, those without an index numbered in file order within their setting.

    Raises InputError, naming the line, for an invalid row, a task that the benchmark lacks and an unknown change.
    """
    seen: Counter[str] = Counter()
    for row in read_rows(path, "sample"):
        sample = Sample.from_row(row.data)
        where = f"{path}, line {row.line}"
        problem = bench.find(sample.task_id)
        if problem is None:
            raise InputError(
                f'{where}: field "task_id" is {sample.task_id!r}, which the benchmark {bench.name!r} does not have. '
                "Give the benchmark that the samples were made for, or remove the line."
            )
        setting = sample.setting()
        index = seen[setting] if sample.sample_index is None else sample.sample_index
        seen[setting] += 1
        changes = _choose(world, sample, problem, bench.changes, where)
        identity = row_digest({**row.data, "active_changes": [change.change_id for change in changes]}, index)
        yield JudgedSample(sample, index, identity, problem, changes)


def _choose(
    world: WorldChoice, sample: Sample, problem: Problem, changes: Mapping[str, Change], where: str
) -> tuple[Change, ...]:
    names = {
        "sample": sample.world(problem),
        "own": () if problem.change_id is None else (problem.change_id,),
        "none": (),
        "all": tuple(sorted(changes)),
    }[world]
    unknown = [name for name in names if name not in changes]
    if unknown:
        raise InputError(
            f'{where}: field "active_changes" names {unknown[0]!r}, which the benchmark does not have. '
            "Its changes: `edittool bench show BENCH`."
        )
    return tuple(changes[name] for name in names)
