"""Judges a file of samples into a file of verdicts, and goes on where an earlier run stopped."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..schemas.bench import Bench
from ..schemas.errors import InputError
from ..schemas.jsonl import JsonlAppender, read_rows
from .engine import connect
from .jobs import Finding, Job
from .options import SandboxOptions
from .run import SandboxIdentity, identify, run_jobs
from .samples import JudgedSample, WorldChoice, read_samples
from .worlds import check_worlds

OPTIONAL_FACTS = ("label_detail", "disagreement", "uses", "opaque", "bypass", "output")


@dataclass(slots=True)
class Summary:
    """What one run of the judge did. `strangers` are verdicts in the output that belong to none of the samples."""

    samples: int = 0
    already_judged: int = 0
    judged: int = 0
    strangers: int = 0
    repeated: int = 0
    removed_bytes: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    bypasses: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON object."""
        counts = {name: dict(sorted(getattr(self, name).items())) for name in ("outcomes", "labels", "bypasses")}
        numbers = ("samples", "already_judged", "judged", "strangers", "repeated")
        return {name: getattr(self, name) for name in numbers} | counts


@dataclass(frozen=True, slots=True)
class Request:
    """What to judge, against what, and where the verdicts go."""

    bench: Bench
    samples: Path
    output: Path
    world: WorldChoice = "sample"
    options: SandboxOptions = field(default_factory=SandboxOptions)


Observer = Callable[[Summary, dict[str, Any] | None], None]


def judge(request: Request, observe: Observer = lambda summary, verdict: None) -> Summary:
    """Judge what is not judged yet; each verdict is on the disk before `observe` is told of it.

    The whole sample file is checked before the first container starts. Raises InputError for what cannot be judged
    and for an output that another edittool writes or that holds verdicts of another benchmark; EnvironmentFault when
    the engine, the image or the disk fails. What was judged is kept, whatever happens.
    """
    wanted = _count(request)
    with JsonlAppender(request.output) as output:
        done, summary = _read_done(request), Summary(removed_bytes=output.removed_bytes)
        summary.samples = sum(wanted.values())
        summary.repeated = summary.samples - len(wanted)
        summary.already_judged = sum(sample_id in done for sample_id in wanted)
        summary.strangers = len(done.keys() - wanted.keys())
        for sample_id in wanted.keys() & done.keys():
            _tally(summary, done[sample_id])
        observe(summary, None)
        if summary.already_judged < len(wanted):
            _judge_rest(request, set(done), output, summary, observe)
    return summary


def _judge_rest(request: Request, done: set[str], output: JsonlAppender, summary: Summary, observe: Observer) -> None:
    with closing(connect()) as client, closing(run_jobs(_jobs(request, done), request.options, client)) as findings:
        sandbox = identify(client, request.options)
        check_worlds(request.bench.changes.values(), request.options, client)
        for job, finding in findings:
            verdict = make_verdict(job.tag, finding, sandbox, request)
            output.append(verdict)
            summary.judged += 1
            _tally(summary, verdict)
            observe(summary, verdict)


def _count(request: Request) -> Counter[str]:
    return Counter(sample.sample_id for sample in read_samples(request.samples, request.bench, request.world))


def _jobs(request: Request, done: set[str]) -> Iterator[Job]:
    handed_out = set(done)
    for judged in read_samples(request.samples, request.bench, request.world):
        if judged.sample_id not in handed_out:
            handed_out.add(judged.sample_id)
            yield Job(judged.sample.program(judged.problem), judged.problem, judged.changes, judged)


def _read_done(request: Request) -> dict[str, dict[str, Any]]:
    """Return what the summary counts of each sample that the output already holds a verdict of."""
    done: dict[str, dict[str, Any]] = {}
    if request.output.stat().st_size == 0:
        return done
    digest, limits = request.bench.digest(), asdict(request.options.limits)
    for row in read_rows(request.output, "verdict"):
        for name, now in (("bench_sha256", digest), ("limits", limits)):
            if row.data.get(name, now) != now:
                what = "another benchmark" if name == "bench_sha256" else f"other limits ({row.data[name]})"
                raise InputError(
                    f"{request.output}, line {row.line}: this verdict was made with {what}. "
                    "Choose another output file, or remove this one to judge everything again."
                )
        done[row.data["sample_id"]] = {name: row.data.get(name) for name in ("outcome", "label", "bypass")}
    return done


def _tally(summary: Summary, verdict: Mapping[str, Any]) -> None:
    summary.outcomes[verdict["outcome"]] += 1
    if verdict["label"] is not None:
        summary.labels[verdict["label"]] += 1
    summary.bypasses.update(verdict.get("bypass") or ())


def make_verdict(judged: JudgedSample, finding: Finding, sandbox: SandboxIdentity, request: Request) -> dict[str, Any]:
    """Return the verdict: the sample's own row, what was found, and what found it."""
    program = judged.sample.program(judged.problem)
    facts: dict[str, Any] = {
        "sample_id": judged.sample_id,
        "task_id": judged.problem.task_id,
        "sample_index": judged.sample_index,
        "active_changes": [change.change_id for change in judged.changes],
        "change_id": judged.problem.change_id,
        **finding_facts(finding),
        "program_sha256": hashlib.sha256(program.encode("utf-8", "surrogatepass")).hexdigest(),
        "image": sandbox.image,
        "runtime": sandbox.runtime,
        "isolation": request.options.isolation,
        "limits": asdict(request.options.limits),
        "bench_sha256": request.bench.digest(),
        "edittool": version("edittool"),
    }
    row = judged.sample.row
    # Ours alone, present or absent: a sample that brings such a field says nothing about what was found.
    replaced = {name: row[name] for name in (*facts, *OPTIONAL_FACTS) if name in row and row[name] != facts.get(name)}
    kept = {name: value for name, value in row.items() if name not in OPTIONAL_FACTS}
    return {**kept, **facts} | ({"carried": replaced} if replaced else {})


def finding_facts(finding: Finding) -> dict[str, Any]:
    """Return what was found as fields of a verdict; optional fields only where they say something."""
    facts: dict[str, Any] = {
        "outcome": finding.outcome,
        "label": finding.label,
        "compiles": finding.compiles,
        "tests_passed": finding.tests_passed,
        "tests_total": len(finding.tests),
        "stage": finding.stage,
        "error": finding.error,
        "tests": list(finding.tests),
        "calls": dict(finding.calls),
        "duration_ms": finding.duration_ms,
        "cpu_ms": finding.cpu_ms,
        "peak_memory_kib": finding.peak_memory_kib,
        "attempts": finding.attempts,
    }
    optional = {name: getattr(finding, name) for name in OPTIONAL_FACTS}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in optional.items()}
    return facts | {name: value for name, value in listed.items() if value}
