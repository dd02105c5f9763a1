"""Trials: programs that the builder puts to the sandbox, many to a container, and never twice.

A file can keep the results, so that a build that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from docker import DockerClient

from ..judging.engine.engine import connect
from ..judging.image.build import image_tag
from ..judging.resume.keys import JobKeys, finding_key, setting_digest
from ..judging.sandbox.job import Finding, Job
from ..judging.sandbox.options import SandboxOptions
from ..judging.sandbox.run_jobs import identify, run_jobs
from ..schemas.errors import EnvironmentFault
from ..schemas.json_text import parse_json
from ..schemas.jsonl import JsonlAppender

PATIENCE = 4  # times what a sample gets
TRIALS_PER_CONTAINER = 64  # many of them run again, each time in a process of its own
WRITTEN_AT_ONCE = 64  # trials; syncing each of them would take as long as running it


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a program in the sandbox: outcome, adoption label, first error, seen receivers, CPU time in ms."""

    outcome: str
    label: str | None
    label_detail: str | None
    error: str
    trace: tuple[tuple[int, tuple[str, ...]], ...]
    cpu_ms: float

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return what the builder needs of `finding`."""
        error = ": ".join(filter(None, (finding.error["type"], finding.error["message"]))) if finding.error else ""
        if finding.outcome == "timeout":
            error = ""  # its message tells a time that was measured, and the same build has to make the same bytes
        trace = tuple(sorted(finding.trace.items()))
        return cls(finding.outcome, finding.label, finding.label_detail, error, trace, finding.cpu_ms)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """Return the trial that `asdict` made `row` of."""
        return cls(**row | {"trace": tuple((index, tuple(paths)) for index, paths in row["trace"])})

    def __str__(self) -> str:
        label = f"{self.label} ({self.label_detail})" if self.label else ""
        return ", ".join(part for part in (self.outcome, label, self.error) if part)


class Trials:
    """Runs jobs in the sandbox and remembers the trials, by everything that decides them.

    Raises EnvironmentFault where the engine or the image is missing.
    """

    def __init__(self, client: DockerClient, options: SandboxOptions, log: JsonlAppender | None = None):
        self._client, self._log = client, log
        self.cpu_seconds = options.limits.cpu_seconds  # that a sample may take
        self._options = _patient(options)
        self.image = options.image or image_tag()
        self._sandbox = identify(client, options)
        self._known = _read_log(log)
        self._keys = JobKeys()
        self._settings: dict[int, bytes] = {}

    def beside(self, image: str) -> "Trials":
        """Return trials in another image, kept in the same log. Raises EnvironmentFault where it is missing."""
        other = Trials(self._client, replace(self._options, image=image), self._log)
        other._options, other._known = replace(self._options, image=image), self._known
        return other

    def run(
        self, jobs: Sequence[Job], hash_seed: int = 0, on_trial: Callable[[], object] = lambda: None
    ) -> list[Trial]:
        """Return the trials of `jobs`, in their order; `on_trial` is called as each is known.

        Raises EnvironmentFault when the sandbox fails; what is known by then is kept.
        """
        keys = [self._key(job, hash_seed) for job in jobs]
        missing = {key: job for key, job in zip(keys, jobs, strict=True) if key not in self._known}
        for _ in range(len(jobs) - len(missing)):  # known, or asked twice
            on_trial()
        self._run_missing(missing, hash_seed, on_trial)
        return [self._known[key] for key in keys]

    def _run_missing(self, missing: dict[str, Job], hash_seed: int, on_trial: Callable[[], object]) -> None:
        jobs = (replace(job, tag=key) for key, job in missing.items())
        options = replace(self._options, hash_seed=hash_seed)
        unwritten: list[dict[str, Any]] = []
        with closing(run_jobs(jobs, options, self._client)) as findings:
            try:
                for job, finding in findings:
                    _require_sandbox(job, finding)
                    self._known[job.tag] = Trial.of(finding)
                    unwritten.append({"key": job.tag, "trial": asdict(self._known[job.tag])})
                    if len(unwritten) == WRITTEN_AT_ONCE:
                        self._write(unwritten)
                    on_trial()
            finally:
                self._write(unwritten)

    def _write(self, rows: list[dict[str, Any]]) -> None:
        if self._log and rows:
            self._log.append(*rows)
        rows.clear()

    def _key(self, job: Job, hash_seed: int) -> str:
        if hash_seed not in self._settings:
            options = replace(self._options, hash_seed=hash_seed)
            self._settings[hash_seed] = setting_digest(options, self._sandbox.image, self._sandbox.runtime)
        return finding_key(self._settings[hash_seed], self._keys.of(job)).hex()


def _require_sandbox(job: Job, finding: Finding) -> None:
    """Raise EnvironmentFault where it was the sandbox that failed: a benchmark must not depend on that."""
    if finding.error and finding.error["kind"] == "sandbox":
        raise EnvironmentFault(
            f"the sandbox failed {finding.attempts} times on {job.problem.task_id}: {finding.error['message']}. "
            "Run `edittool doctor`; then the same command goes on."
        )


def _patient(options: SandboxOptions) -> SandboxOptions:
    """Return `options` for trials: on a busy machine, too, the same programs must pass."""
    return replace(options, limits=options.limits.times(PATIENCE), jobs_per_container=TRIALS_PER_CONTAINER)


@contextmanager
def open_trials(options: SandboxOptions, log: Path | None = None) -> Iterator[Trials]:
    """Give Trials that go on from `log`, and write to it, where one is given.

    Raises EnvironmentFault without an engine or an image, and InputError where another build writes the same log.
    """
    with closing(connect()) as client:
        if log is None:
            yield Trials(client, options)
            return
        with JsonlAppender(log, first=["key"]) as appender:
            yield Trials(client, options, appender)


def _read_log(log: JsonlAppender | None) -> dict[str, Trial]:
    """Return the trials that the log holds; what another version wrote in another form is passed over."""
    known: dict[str, Trial] = {}
    for line in log.path.read_bytes().splitlines() if log else ():
        try:
            row = parse_json(line)
            known[row["key"]] = Trial.from_row(row["trial"])
        except (KeyError, TypeError, ValueError):
            continue
    return known
