"""Files of verdicts, read row by row: rows are checked against the benchmark, and each sample is counted once."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.jsonl import read_rows
from ...schemas.verdicts import Verdict

NAMED = 3  # how many places a note names before it only counts


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read to its end: its path, the SHA-256 of what was read, and its number of rows."""

    path: Path
    sha256: str
    rows: int


class Tally:
    """Counts places of one kind and keeps the first few to name."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, place: str) -> None:
        """Count `place`."""
        self.count += 1
        if len(self._first) < NAMED:
            self._first.append(place)

    def __str__(self) -> str:
        more = self.count - len(self._first)
        return "; ".join(self._first) + (f"; and {more} more" if more else "")


class VerdictReader:
    """Iterates over the verdicts of files; what it noticed on the way is in `notes` once it is through.

    Raises InputError for a file that cannot be read and for a task that the benchmark does not have. Only a short
    hash of each sample's identity is kept.
    """

    def __init__(self, bench: Bench, paths: Iterable[Path]):
        self.sources: list[Source] = []
        self.duplicates, self.other_bench, self.torn = Tally(), Tally(), Tally()
        self.bench, self._paths = bench, list(paths)
        self._bench_sha256 = bench.digest()
        self._seen: set[bytes] = set()

    def __iter__(self) -> Iterator[Verdict]:
        for path in self._paths:
            yield from self._read(path)

    def _read(self, path: Path) -> Iterator[Verdict]:
        digest, rows = hashlib.sha256(), 0
        for row in read_rows(path, "verdict", on_torn_end=self._note_torn(path), on_line=digest.update):
            rows += 1
            place = f"{path}, line {row.line}"
            verdict = Verdict.from_row(row.data)
            self._check_bench(verdict, place)
            if self._is_new(verdict):
                yield verdict
            elif not self._is_the_same_everywhere(verdict):
                self.duplicates.add(f"{place} (sample {verdict.sample_id})")
        self.sources.append(Source(path, digest.hexdigest(), rows))

    def _note_torn(self, path: Path) -> Callable[[int], None]:
        return lambda line: self.torn.add(f"{path}, line {line}")

    def _check_bench(self, verdict: Verdict, place: str) -> None:
        other = verdict.bench_sha256 not in (None, self._bench_sha256)
        if self.bench.find(verdict.task_id) is None:
            raise unknown_task(verdict, self.bench, f"{place}: ", other)
        if other:
            self.other_bench.add(place)

    def _is_new(self, verdict: Verdict) -> bool:
        # The world belongs to it: one sample may have been judged in several, and those are different verdicts.
        world = None if verdict.active_changes is None else sorted(set(verdict.active_changes))
        identity = hashlib.blake2b(repr((verdict.sample_id, world)).encode("ascii", "backslashreplace"))
        key = identity.digest()[:16]
        known = key in self._seen
        self._seen.add(key)
        return not known

    def _is_the_same_everywhere(self, verdict: Verdict) -> bool:
        """Tell whether no choice of world changes this verdict's: judging in two worlds then gives it twice."""
        problem = self.bench.find(verdict.task_id)
        return problem is not None and problem.change_id is None and not verdict.active_changes

    def notes(self) -> list[str]:
        """Return what a reader of the tables should know about the files, one sentence each."""
        sentences = (
            (self.duplicates, "Repeated verdicts, counted once: {} ({})."),
            (
                self.other_bench,
                "Verdicts judged against another benchmark, counted all the same: {} ({}). "
                "Run `edittool judge` with this benchmark to be sure of them.",
            ),
            (
                self.torn,
                "Last lines cut short, left out: {} ({}). The judge is at work or was killed; "
                "the same `edittool judge` command goes on from there.",
            ),
        )
        return [sentence.format(tally.count, tally) for tally, sentence in sentences if tally.count]


def unknown_task(verdict: Verdict, bench: Bench, where: str = "", other_bench: bool = False) -> InputError:
    """Return the error for a verdict whose task is not in `bench`."""
    cause = " These verdicts were judged against another benchmark." if other_bench else ""
    return InputError(
        f"{where}the task {verdict.task_id!r} is not in the benchmark {bench.name!r}.{cause} "
        "Give the benchmark that the samples were judged with."
    )
