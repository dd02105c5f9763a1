"""Samples as the judge takes them: each with its problem, its world and its identity."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from ..schemas.jsonl import read_rows
from ..schemas.problems import Problem
from ..schemas.samples import Sample, row_digest

WorldChoice = Literal["sample", "own", "none", "all"]


@dataclass(frozen=True, slots=True)
class JudgedSample:
    """A sample ready to be judged. `sample_id` names row, place and world: equal ids, equal verdicts.

    `line` is where it stands in its file, and `start` the first byte of that line.
    """

    sample: Sample
    sample_index: int
    sample_id: str
    problem: Problem
    changes: tuple[Change, ...]
    line: int
    start: int

    @property
    def program(self) -> str:
        """Return the whole program."""
        return self.sample.program(self.problem)


def read_samples(path: Path, bench: Bench, world: WorldChoice = "sample") -> Iterator[JudgedSample]:
    """Yield the samples of the file at `path`, those without an index numbered in file order within their setting.

    Raises InputError, naming the line, for an invalid row, a task that the benchmark lacks and an unknown change.
    """
    seen: Counter[str] = Counter()
    for row in read_rows(path, "sample"):
        sample = Sample.from_row(row.data)
        index = sample.sample_index
        if index is None:
            setting = sample.setting()
            index = seen[setting]
            seen[setting] += 1
        yield _judged_sample(sample, index, bench, world, path, row.line, row.start)


class SampleFile:
    """A sample file that was read before, open to be read at any place; a context manager."""

    def __init__(self, path: Path, bench: Bench, world: WorldChoice):
        self._path, self._bench, self._world = path, bench, world
        self._file = path.open("rb")

    def read(self, line: int, start: int, sample_index: int, sample_id: str) -> JudgedSample:
        """Return the sample that starts at byte `start`.

        Raises InputError where it is no longer the one with `sample_id`: somebody has written to the file.
        """
        self._file.seek(start)
        row: Any = None
        with suppress(ValueError):
            row = parse_json(self._file.readline())
        if isinstance(row, dict) and "task_id" in row:
            sample = Sample.from_row(row)
            found = _judged_sample(sample, sample_index, self._bench, self._world, self._path, line, start)
            if found.sample_id == sample_id:
                return found
        raise InputError(
            f"{self._path}, line {line} was changed while it was being judged. What was judged is kept: start the same "
            "command again, and let nothing write to the file meanwhile."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _judged_sample(
    sample: Sample, index: int, bench: Bench, world: WorldChoice, path: Path, line: int, start: int
) -> JudgedSample:
    where = f"{path}, line {line}"
    problem = bench.find(sample.task_id)
    if problem is None:
        raise InputError(
            f'{where}: field "task_id" is {sample.task_id!r}, which the benchmark {bench.name!r} does not have. '
            "Give the benchmark that the samples were made for, or remove the line."
        )
    changes = _choose(world, sample, problem, bench.changes, where)
    identity = row_digest({**sample.row, "active_changes": [change.change_id for change in changes]}, index)
    return JudgedSample(sample, index, identity, problem, changes, line, start)


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
