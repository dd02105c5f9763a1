"""Judges a file of samples into a file of verdicts, and goes on where an earlier run stopped.

Samples with the same program, tests and world are one job. The journal (SQLite) records which samples have verdicts, so
a million samples take no more memory than a thousand.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from docker import DockerClient

from ..analysis.extraction import Mode
from ..schemas.bench import Bench
from ..schemas.errors import InputError, RowsError
from ..schemas.folders import cache_folder
from ..schemas.jsonl import JsonlAppender, Row, file_digest, read_rows
from ..schemas.verdicts import Reused, Verdict
from .engine.engine import connect
from .make_verdict import describe_run, make_verdict
from .notices import Noticed
from .places import check_output
from .resume.cache import VerdictCache
from .resume.journal import Journal, Judged, Place, journal_path, remove_journal
from .resume.keys import JobKeys, code_digest, setting_digest
from .samples import JudgedSample, SampleFile, read_samples
from .sandbox.job import Finding, Job
from .sandbox.options import SandboxOptions
from .sandbox.outcome import find_fault
from .sandbox.run_jobs import identify, run_jobs
from .world_check import check_worlds
from .world_choice import Worlds, WorldsOf

READING_STEP: Final = 1000  # samples between two words on how far reading has come
WRITTEN_AT_ONCE: Final = 64  # verdicts
BYTES_AT_ONCE: Final = 4 * 2**20  # of the samples behind them
WRITING_SECONDS: Final = 0.2  # a verdict waits no longer for others when the next one comes
DEATHS_OF_A_SUSPECT: Final = 2  # ends of the judge at which a program was being tried, before it is tried alone
DEATHS_ALONE: Final = 5  # ends of the judge with nothing else at work, before a program is not tried again


@dataclass(slots=True)
class Summary:
    """What one run of the judge did.

    A sample that is judged in several worlds counts once for each; `left_out` has no world. `strangers` are verdicts in
    the output that belong to none of the samples; `noticed` is what there is to say of the samples themselves.
    """

    samples: int = 0
    left_out: int = 0
    already_judged: int = 0
    judged: int = 0
    strangers: int = 0
    repeated: int = 0
    removed_bytes: int = 0
    reused: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    bypasses: Counter[str] = field(default_factory=Counter)
    noticed: Noticed = field(default_factory=Noticed)

    @property
    def wanted(self) -> int:
        """Return how many verdicts the output will have of these samples."""
        return self.samples - self.repeated

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        counters = ("reused", "outcomes", "labels", "bypasses")
        counts = {name: dict(sorted(getattr(self, name).items())) for name in counters}
        numbers = ("samples", "already_judged", "judged", "strangers", "repeated", "left_out")
        return {name: getattr(self, name) for name in numbers} | counts | {"noticed": self.noticed.to_json()}


class Observer:
    """Is told how far the judge is; this one keeps it to itself."""

    def reading(self, samples: int) -> None:
        """Take note that so many samples were read and checked."""

    def starting(self, summary: Summary) -> None:
        """Take note of what is judged already."""

    def judged(self, summary: Summary, verdict: Verdict) -> None:
        """Take note of `verdict`, which is on the disk."""

    def warn(self, text: str) -> None:
        """Take note of something that is wrong, and does not keep the judge from its work."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge, against what, and where the verdicts go.

    `cached`: use what earlier runs found. `mode`: how the judge takes programs out of the samples' texts; without one
    it takes them as they are. `skip_unknown`: pass samples over whose problem the benchmark lacks.
    """

    bench: Bench
    samples: Path
    output: Path
    world: Worlds = "sample"
    options: SandboxOptions = field(default_factory=SandboxOptions)
    cached: bool = True
    mode: Mode | None = None
    skip_unknown: bool = False


def judge(request: Request, observer: Observer | None = None) -> Summary:
    """Judge what is not judged yet; each verdict is on the disk before `observer` is told of it.

    The whole sample file is checked before the first container starts. Raises InputError for what cannot be judged
    and for an output that another edittool writes, or that holds anything but verdicts made alike; EnvironmentFault
    when the engine, the image or the disk fails. What was judged is kept, whatever happens; an error before the first
    verdict leaves no file behind.
    """
    observer = observer or Observer()
    check_output(request.output, request.samples)
    journal_file = journal_path(request.output)
    with JsonlAppender(request.output, first=["sample_id"]) as output, _no_litter(output, journal_file):
        with Journal(journal_file) as journal:
            _bring_up_to_date(journal, request, observer)
            summary = _summarize(journal, output.removed_bytes)
            _check_something_is_wanted(request, summary)
            observer.starting(summary)
            if summary.already_judged < summary.wanted:
                with closing(connect()) as client:
                    _Judging(request, output, journal, summary, observer, client).run()
        remove_journal(journal_file)  # only a judge that was interrupted needs it again
    return summary


@contextmanager
def _no_litter(output: JsonlAppender, journal_file: Path) -> Iterator[None]:
    """Remove an output that was made for nothing, and its journal, on an error; after Ctrl-C a resume wants them."""
    try:
        yield
    except Exception:
        if output.is_litter:
            remove_journal(journal_file)
            output.discard()
        raise


def _bring_up_to_date(journal: Journal, request: Request, observer: Observer) -> None:
    """Have `journal` know every sample, and every verdict in the output."""
    identity = {
        "samples": file_digest(request.samples),
        "world": request.world.digest() if isinstance(request.world, WorldsOf) else request.world,
        "bench": request.bench.digest(),
        "limits": json.dumps(asdict(request.options.limits)),
        "code": code_digest(),
        "extract": request.mode or "",
        "skip_unknown": str(request.skip_unknown),
    }
    if not journal.fits(identity, request.output):
        noticed = Noticed()
        journal.fill(_places(request, observer, noticed), identity, lambda: json.dumps(noticed.to_json()))
    covered = journal.covered()
    if request.output.stat().st_size > covered.size:
        journal.note(_judged_before(request, covered.size, covered.lines + 1), request.output)


def _places(request: Request, observer: Observer, noticed: Noticed) -> Iterator[Place | None]:
    keys = JobKeys()
    samples = read_samples(
        request.samples,
        request.bench,
        request.world,
        mode=request.mode,
        skip_unknown=request.skip_unknown,
        noticed=noticed,
    )
    for number, in_worlds in enumerate(samples, 1):
        if not in_worlds:
            yield None
        for judged in in_worlds:
            key = keys.of(_job(judged))
            yield Place(judged.line, judged.start, judged.sample_index, judged.sample_id, key, judged.world)
        if number % READING_STEP == 0:
            observer.reading(number)


def _check_something_is_wanted(request: Request, summary: Summary) -> None:
    if summary.samples:
        return
    skipped = summary.noticed.skipped
    if skipped:
        rest = f", and no other is of one that the files of --worlds-of have ({summary.left_out})" * bool(
            summary.left_out
        )
        raise InputError(
            f"{request.samples}: {skipped.total()} samples are of problems that the benchmark {request.bench.name!r} "
            f"does not have ({counts_in_words(skipped)}){rest}, so there is nothing to judge. Give the benchmark that "
            "the samples were made for."
        )
    raise InputError(
        f"{request.samples}: none of its {summary.left_out} samples is of a problem that the files of --worlds-of "
        "have, so there is nothing to judge. Give files with samples of the same problems."
    )


def _job(judged: JudgedSample, tag: Any = None) -> Job:
    return Job(judged.program, judged.problem, judged.changes, tag)


def _judged_before(request: Request, start: int, line: int) -> Iterator[tuple[int, Judged]]:
    """Yield what the output holds from byte `start` on. Raises InputError for a verdict made under other conditions."""
    digest, limits = request.bench.digest(), asdict(request.options.limits)
    for row in _rows_of_output(request.output, start, line):
        for name, now in (("bench_sha256", digest), ("limits", limits)):
            if row.data.get(name, now) != now:
                what = "another benchmark" if name == "bench_sha256" else _other_limits(row.data[name], limits)
                raise InputError(
                    f"{request.output}, line {row.line}: this verdict was made with {what}. "
                    "Choose another output file, or remove this one to judge everything again."
                )
        made = row.data.get("extracted")
        if made != request.mode and not (made is None and request.mode == "none" and "extraction" not in row.data):
            raise InputError(
                f"{request.output}, line {row.line}: this verdict was made {_with_mode(made)}, and the judge is to go "
                f"on {_with_mode(request.mode)}: one file has programs taken in one way. Choose another output file."
            )
        yield row.line, _note_of(Verdict.from_row(row.data))


def _other_limits(then: dict[str, Any], now: dict[str, Any]) -> str:
    differing = [name for name in {**now, **then} if then.get(name) != now.get(name)]
    told = "; ".join(f"{name}: {then.get(name, 'none')} then, {now.get(name, 'none')} now" for name in differing)
    return f"other limits ({told})"


def _rows_of_output(output: Path, start: int, line: int) -> Iterator[Row]:
    try:
        yield from read_rows(output, "verdict", start=start, first_line=line)
    except RowsError as error:
        raise InputError(
            f"{error} This file is the output, and the judge goes on with it: once that line is removed, its sample is "
            "judged again, and all other verdicts are kept."
        ) from None


def _with_mode(mode: str | None) -> str:
    return "without --extract" if mode is None else f"with --extract {mode}"


def counts_in_words(counts: Counter[str]) -> str:
    """Return `counts` as words, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _note_of(verdict: Verdict) -> Judged:
    return Judged(verdict.sample_id, verdict.outcome, verdict.label, tuple(verdict.bypass))


def _summarize(journal: Journal, removed_bytes: int) -> Summary:
    seen, different, judged, strangers = journal.counts()
    summary = Summary(seen, journal.left_out(), judged, 0, strangers, seen - different, removed_bytes)
    summary.noticed = Noticed.from_json(json.loads(journal.noticed()))
    for found, samples in journal.tally():
        _tally(summary, found, samples)
    return summary


def _tally(summary: Summary, found: Judged, samples: int = 1) -> None:
    summary.outcomes[found.outcome] += samples
    if found.label is not None:
        summary.labels[found.label] += samples
    for code in found.bypass:
        summary.bypasses[code] += samples


class _Judging:
    """One run over what is not judged yet."""

    def __init__(
        self,
        request: Request,
        output: JsonlAppender,
        journal: Journal,
        summary: Summary,
        observer: Observer,
        client: DockerClient,
    ):
        self._request, self._output, self._journal = request, output, journal
        self._summary, self._observer, self._client = summary, observer, client
        self._sandbox = identify(client, request.options)
        # By its digest from here on: a name can come to mean another image while the judge is at work.
        worlds = bool(request.bench.changes) and request.world != "none"
        self._options = replace(request.options, image=self._sandbox.image, worlds=worlds)
        self._samples = SampleFile(request.samples, request.bench, request.world, request.mode)
        self._run_facts = describe_run(request.bench, request.options, self._sandbox)
        self._unwritten: list[Verdict] = []
        self._unwritten_bytes = 0
        self._settled: list[bytes] = []
        self._written_at = time.monotonic()

    def run(self) -> None:
        """Judge: first what is known from earlier runs, then what an earlier run may have died of, then the rest."""
        request = self._request
        with self._samples, self._open_cache() as cache:
            try:
                self._settle_known(cache)
                if self._summary.already_judged + self._summary.judged < self._summary.wanted:
                    check_worlds(request.bench.changes.values(), self._options, self._client)
                    self._try_suspects(cache)
                    self._try(self._waiting(), cache)
            finally:
                self._write()
            if cache.fault:
                self._observer.warn(cache.fault)

    def _open_cache(self) -> VerdictCache:
        path = cache_folder() / "verdicts.sqlite" if self._request.cached else None
        return VerdictCache(path, setting_digest(self._request.options, self._sandbox.image, self._sandbox.runtime))

    def _settle_known(self, cache: VerdictCache) -> None:
        if self._request.cached:
            for place in self._journal.queue():
                finding = cache.get(place.key)
                if finding is not None:
                    self._settle(place.key, finding, "cache")
            self._write()

    def _try_suspects(self, cache: VerdictCache) -> None:
        """Try alone, one after the other, what was at work whenever the judge died."""
        for place, deaths in self._journal.suspects(DEATHS_OF_A_SUSPECT):
            if deaths < DEATHS_ALONE:
                self._journal.begin(place.key, alone=True)
                self._try(iter([self._job_at(place)]), cache)
            else:
                message = f"the judge itself ended {deaths} times while it tried nothing but this program"
                self._settle(place.key, find_fault(self._job_at(place), message, deaths))
            self._write()

    def _waiting(self) -> Iterator[Job]:
        return (self._job_at(place) for place in self._journal.queue())

    def _job_at(self, place: Place) -> Job:
        return _job(self._samples.read(place), tag=place.key)

    def _try(self, jobs: Iterator[Job], cache: VerdictCache) -> None:
        begin = self._journal.begin
        with closing(run_jobs(jobs, self._options, self._client, lambda job: begin(job.tag))) as findings:
            for job, finding in findings:
                cache.put(job.tag, finding)
                self._settle(job.tag, finding)

    def _settle(self, key: bytes, finding: Finding, reused: Reused | None = None) -> None:
        """Make the verdicts of all samples whose job has `key`: `finding` goes for each of them."""
        for number, place in enumerate(self._journal.samples_of(key)):
            again = reused or ("duplicate" if number else None)
            judged = self._samples.read(place)
            self._unwritten.append(make_verdict(judged, finding, self._run_facts, again))
            self._unwritten_bytes += judged.size
            if len(self._unwritten) >= WRITTEN_AT_ONCE or self._unwritten_bytes >= BYTES_AT_ONCE:
                self._write()
        self._settled.append(key)
        if time.monotonic() - self._written_at > WRITING_SECONDS:
            self._write()

    def _write(self) -> None:
        verdicts, self._unwritten, self._unwritten_bytes = self._unwritten, [], 0
        settled, self._settled = self._settled, []
        if verdicts:
            self._output.append(*(verdict.to_row() for verdict in verdicts))
            first = self._journal.covered().lines + 1
            self._journal.note(
                ((first + n, _note_of(verdict)) for n, verdict in enumerate(verdicts)), self._output.path
            )
        self._journal.end(settled)
        self._written_at = time.monotonic()
        for verdict in verdicts:
            self._summary.judged += 1
            self._summary.reused.update([verdict.reused] if verdict.reused else [])
            _tally(self._summary, _note_of(verdict))
            self._observer.judged(self._summary, verdict)
