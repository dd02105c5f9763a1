"""Samples as the judge takes them: each with its problem, its worlds and its identity."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..schemas.bench import Bench
from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from ..schemas.jsonl import read_rows
from ..schemas.problems import Problem
from ..schemas.samples import Sample, row_digest
from .resume.journal import Place
from .world_choice import World, Worlds, choose_worlds, find_problem


@dataclass(frozen=True)
class JudgedSample:
    """A sample ready to be judged in one world.

    `line` is where it stands in its file, `start` the first byte of that line, and `world` the place of its world,
    whose active changes are `changes`, among the worlds that it is judged in.
    """

    sample: Sample
    sample_index: int
    problem: Problem
    changes: World
    line: int
    start: int
    world: int

    @cached_property
    def sample_id(self) -> str:
        """Return what names row, place and world: equal ids, equal verdicts."""
        active = [change.change_id for change in self.changes]
        return row_digest({**self.sample.row, "active_changes": active}, self.sample_index)

    @property
    def program(self) -> str:
        """Return the whole program."""
        return self.sample.program(self.problem)


def read_samples(path: Path, bench: Bench, worlds: Worlds = "sample") -> Iterator[tuple[JudgedSample, ...]]:
    """Yield each sample of the file at `path` as often as it is judged: once for each of its worlds.

    Those without an index are numbered in file order within their setting. Raises InputError, naming the line, for an
    invalid row, a task that the benchmark lacks and an unknown change.
    """
    seen: Counter[str] = Counter()
    for row in read_rows(path, "sample"):
        sample = Sample.from_row(row.data)
        index = sample.sample_index
        if index is None:
            setting = sample.setting()
            index = seen[setting]
            seen[setting] += 1
        yield tuple(_in_its_worlds(sample, index, bench, worlds, path, row.line, row.start))


class SampleFile:
    """A sample file that was read before, open to be read at any place; a context manager."""

    def __init__(self, path: Path, bench: Bench, worlds: Worlds):
        self._path, self._bench, self._worlds = path, bench, worlds
        self._file = path.open("rb")

    def read(self, place: Place) -> JudgedSample:
        """Return the sample at `place`.

        Raises InputError where it is no longer the one that was there: somebody has written to the file.
        """
        self._file.seek(place.start)
        row: Any = None
        with suppress(ValueError):
            row = parse_json(self._file.readline())
        if isinstance(row, dict) and "task_id" in row:
            found = self._find(Sample.from_row(row), place)
            if found is not None and found.sample_id == place.sample_id:
                return found
        raise InputError(
            f"{self._path}, line {place.line} was changed while it was being judged. What was judged is kept: start "
            "the same command again, and let nothing write to the file meanwhile."
        )

    def _find(self, sample: Sample, place: Place) -> JudgedSample | None:
        index, line, start = place.sample_index, place.line, place.start
        judged = _in_its_worlds(sample, index, self._bench, self._worlds, self._path, line, start)
        return next(islice(judged, place.world, None), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _in_its_worlds(
    sample: Sample, index: int, bench: Bench, worlds: Worlds, path: Path, line: int, start: int
) -> Iterator[JudgedSample]:
    where = f"{path}, line {line}"
    problem = find_problem(sample, bench, where)
    for number, changes in enumerate(choose_worlds(worlds, sample, problem, bench, where)):
        yield JudgedSample(sample, index, problem, changes, line, start, number)
