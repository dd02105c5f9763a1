"""Samples as the judge takes them: each with its problem, its worlds and its identity, and no larger than it may be."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..analysis.extraction import Form, Mode, extract
from ..schemas.bench import Bench
from ..schemas.errors import InputError
from ..schemas.jsonl import MAX_ROW_BYTES, dump_row
from ..schemas.packed import open_for_any_place
from ..schemas.problems import Problem
from ..schemas.samples import Sample, SampleRows, as_carried, row_digest
from ..schemas.validation import find_fault
from .notices import Noticed
from .resume.journal import Place
from .tasks import REMEDY, Tasks
from .world_choice import World, Worlds, choose_worlds

# What a line can grow by in its verdict: sixfold as ASCII (U+007F), and an answer stands there with its program.
GROWTH: Final = 12


@dataclass(frozen=True)
class JudgedSample:
    """A sample ready to be judged in one world.

    `line` is where it stands in its file, `start` the first byte of that line, `size` its bytes, and `world` the place
    of its world, whose active changes are `changes`, among the worlds that it is judged in. `extracted` is the mode in
    which the judge took the program out of the sample's text, where it did.
    """

    sample: Sample
    sample_index: int
    problem: Problem
    changes: World
    line: int
    start: int
    world: int
    extracted: Mode | None = None
    size: int = 0

    @cached_property
    def sample_id(self) -> str:
        """Return what names row, place and world: equal ids, equal verdicts."""
        active = [change.change_id for change in self.changes]
        return row_digest({**self.sample.row, "active_changes": active}, self.sample_index)

    @property
    def program(self) -> str:
        """Return the whole program."""
        return self.sample.program(self.problem)


def read_samples(
    path: Path,
    bench: Bench,
    worlds: Worlds = "sample",
    *,
    mode: Mode | None = None,
    skip_unknown: bool = False,
    noticed: Noticed | None = None,
) -> Iterator[tuple[JudgedSample, ...]]:
    """Yield each sample of the file at `path` as often as it is judged: once for each of its worlds.

    Those without an index are numbered in file order within their setting. `mode` is how programs are extracted, see
    `extracted`. Samples of problems that the benchmark lacks are passed over with `skip_unknown`; what is to be said of
    them, and of the rest, goes to `noticed`. Raises InputError, naming the line, for an invalid row, one that is too
    long for its verdict and an unknown change; naming the tasks, once all is read, for those that the benchmark lacks.
    """
    noticed = noticed or Noticed()
    seen: Counter[str] = Counter()
    rows, tasks = SampleRows(), Tasks(bench)
    for row in rows.read(path):
        where = f"{path}, line {row.line}"
        sample = Sample.from_row(row.data)
        problem = tasks.find(sample.task_id, where)
        if problem is None:
            continue
        index = sample.sample_index
        if index is None:
            setting = sample.setting()
            index = seen[setting]
            seen[setting] += 1
        judged = JudgedSample(sample, index, problem, (), row.line, row.start, 0, size=row.size)
        judged = extracted(judged, mode)
        _check_size(judged, where)
        noticed.look(judged.sample, problem)
        yield tuple(_in_its_worlds(judged, bench, worlds, where))
    if not skip_unknown:
        tasks.check(REMEDY)
    noticed.skipped += tasks.unknown
    noticed.foreign += rows.foreign
    noticed.looks["unfit"] += rows.unfit


def _check_size(judged: JudgedSample, where: str) -> None:
    """Raise InputError, saying `where`, for a row that is too long as its verdict has it."""
    if judged.size * GROWTH <= MAX_ROW_BYTES:
        return
    sizes = {name: len(dump_row({name: value})) for name, value in judged.sample.row.items()}
    if sum(sizes.values()) > MAX_ROW_BYTES:
        largest = max(sizes, key=sizes.__getitem__)
        raise InputError(
            f"{where}: the row takes {sum(sizes.values()):,} bytes as verdicts are written (ASCII: a letter outside it "
            f"takes 6 or 12), over the limit of {MAX_ROW_BYTES:,}. Most of it, {sizes[largest]:,}, is field "
            f"{json.dumps(largest)}: shorten it, or remove the row."
        )


def extracted(judged: JudgedSample, mode: Mode | None) -> JudgedSample:
    """Return `judged` with the program that `mode` extracts from the sample's text.

    The text is its completion or solution, or the `raw` answer of which it says already how that was extracted. Without
    a mode a sample stays as it is, and with `none` one that has no such answer.
    """
    row, problem = judged.sample.row, judged.problem
    has_answer = "raw" in row and "extraction" in row
    if mode is None or (mode == "none" and not has_answer):
        return judged
    form: Form = "solution" if judged.sample.completion is None else "completion"
    answer = row["raw"] if has_answer else row[form]
    found = extract(answer, problem.prompt, problem.entry_point, mode, form).to_fields()
    kept = {name: value for name, value in row.items() if name not in ("completion", "solution", "raw", "extraction")}
    if "raw" in row and not has_answer:  # another tool's field
        kept["carried"] = {**as_carried(row), "raw": row["raw"]}
    return replace(judged, sample=Sample.from_row({**kept, **found}), extracted=mode)


class SampleFile:
    """A sample file that was read before, open to be read at any place; a context manager."""

    def __init__(self, path: Path, bench: Bench, worlds: Worlds, mode: Mode | None = None):
        self._path, self._bench, self._worlds, self._mode = path, bench, worlds, mode
        self._rows = SampleRows()
        self._file = open_for_any_place(path)

    def read(self, place: Place) -> JudgedSample:
        """Return the sample at `place`.

        Raises InputError where it is no longer the one that was there: somebody has written to the file.
        """
        self._file.seek(place.start)
        line = self._file.readline()
        row = self._rows.parse(line)
        if row is not None and find_fault(row, "sample") is None:
            found = self._find(Sample.from_row(row), place, len(line))
            if found is not None and found.sample_id == place.sample_id:
                return found
        raise InputError(
            f"{self._path}, line {place.line} was changed while it was being judged. What was judged is kept: start "
            "the same command again, and let nothing write to the file meanwhile."
        )

    def _find(self, sample: Sample, place: Place, size: int) -> JudgedSample | None:
        problem = self._bench.find(sample.task_id)
        if problem is None:
            return None
        judged = extracted(
            JudgedSample(sample, place.sample_index, problem, (), place.line, place.start, 0, size=size), self._mode
        )
        in_worlds = _in_its_worlds(judged, self._bench, self._worlds, f"{self._path}, line {place.line}")
        return next(islice(in_worlds, place.world, None), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _in_its_worlds(judged: JudgedSample, bench: Bench, worlds: Worlds, where: str) -> Iterator[JudgedSample]:
    for number, changes in enumerate(choose_worlds(worlds, judged.sample, judged.problem, bench, where)):
        yield JudgedSample(  # not `replace`, which takes as long as all else that is done to a row
            judged.sample,
            judged.sample_index,
            judged.problem,
            changes,
            judged.line,
            judged.start,
            number,
            judged.extracted,
            judged.size,
        )
