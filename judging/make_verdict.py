"""Makes the verdict of a sample: its own row, the finding, and the image, runtime, limits and benchmark behind it."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Final

from ..schemas.bench import Bench
from ..schemas.samples import as_carried
from ..schemas.verdicts import Reused, Verdict
from .samples import JudgedSample
from .sandbox.job import Finding
from .sandbox.options import SandboxOptions
from .sandbox.run_jobs import SandboxIdentity

OPTIONAL_FACTS: Final = (
    "label_detail",
    "called",
    "disagreement",
    "uses",
    "opaque",
    "bypass",
    "failed_calls",
    "refused_calls",
    "seen",
    "again",
    "output",
    "reused",
    "extracted",
)


def describe_run(bench: Bench, options: SandboxOptions, sandbox: SandboxIdentity) -> dict[str, Any]:
    """Return what all verdicts of a run of the judge say alike: what found them, and against what."""
    return {
        "image": sandbox.image,
        "runtime": sandbox.runtime,
        "isolation": options.isolation,
        "limits": asdict(options.limits),
        "bench_sha256": bench.digest(),
        "edittool": version("edittool"),
    }


def make_verdict(
    judged: JudgedSample, finding: Finding, run_facts: Mapping[str, Any], reused: Reused | None = None
) -> Verdict:
    """Return the verdict of a sample; `run_facts` are those of `describe_run`."""
    facts: dict[str, Any] = {
        "sample_id": judged.sample_id,
        "task_id": judged.problem.task_id,
        "sample_index": judged.sample_index,
        "active_changes": [change.change_id for change in judged.changes],
        "change_id": judged.problem.change_id,
        **finding_facts(finding, reused),
        "program_sha256": hashlib.sha256(judged.program.encode("utf-8", "surrogatepass")).hexdigest(),
        **run_facts,
    }
    if judged.extracted is not None:
        facts["extracted"] = judged.extracted
    row = judged.sample.row
    if _has_no_program(judged) and finding.outcome != "sandbox_error":
        facts["error"] = {
            "type": "NoProgram",
            "message": "the answer holds no program",
            "line": None,
            "kind": "no_program",
        }
    # Ours alone, present or absent: a sample that brings such a field says nothing about what was found.
    replaced = {name: row[name] for name in (*facts, *OPTIONAL_FACTS) if name in row and row[name] != facts.get(name)}
    kept = {name: value for name, value in row.items() if name not in (*OPTIONAL_FACTS, "carried")}
    carried = as_carried(row) | replaced
    return Verdict.from_row({**kept, **facts} | ({"carried": carried} if carried else {}))


def _has_no_program(judged: JudgedSample) -> bool:
    """Say whether extraction found no program in the sample's answer; what is judged is then an empty one."""
    how = judged.sample.row.get("extraction")
    return isinstance(how, Mapping) and how.get("kind") == "no_program" and not judged.program.strip()


def finding_facts(finding: Finding, reused: Reused | None = None) -> dict[str, Any]:
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
    optional = {name: getattr(finding, name, None) for name in OPTIONAL_FACTS} | {"reused": reused}
    listed = {name: list(value) if isinstance(value, tuple) else value for name, value in optional.items()}
    return facts | {name: value for name, value in listed.items() if value}
