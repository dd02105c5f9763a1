"""`edittool run`: one program, one verdict, and everything it printed."""

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from ..judging.make_verdict import finding_facts
from ..judging.sandbox.job import Finding, Job
from ..judging.sandbox.run_jobs import run_jobs
from ..judging.world_check import check_worlds
from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from .shared.bench_argument import find_problem, open_bench
from .shared.console import plain, results
from .shared.exit_codes import DONE, UNJUDGED
from .shared.sandbox_options import make_options, sandbox_options
from .shared.shipped_images import image_of


@click.command
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--bench", required=True, help="A benchmark folder, `builtin` or `numpy2`.")
@click.option("--task", required=True, help="The problem whose tests the program meets.")
@click.option(
    "--world",
    type=click.Choice(["own", "none", "all"]),
    default="own",
    show_default=True,
    help="Which changes are active: the problem's own, none, or all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@sandbox_options
def run(file: Path, bench: str, task: str, world: str, as_json: bool, **options: Any) -> int:
    """Run one program in a world and show everything about it.

    FILE holds a whole program; `-` reads it from standard input.

    \b
    edittool run solution.py --bench builtin --task builtin/word_lengths
    edittool run - --bench BENCH --task HumanEval/0 --world none < solution.py
    """
    opened = open_bench(bench)
    problem = find_problem(opened, task)
    job = Job(_read(file), problem, _changes(opened, problem, world))
    options["image"] = image_of(bench, options["image"])
    sandbox = make_options(**options)
    check_worlds(job.changes, sandbox)
    with closing(run_jobs([job], sandbox)) as findings:
        _, finding = next(findings)
    if as_json:
        click.echo(json.dumps({"task_id": problem.task_id, "sample_id": "run", **finding_facts(finding)}))
    else:
        _show(job, finding)
    return UNJUDGED if finding.outcome == "sandbox_error" else DONE


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read().decode("utf-8")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8, at byte {error.start + 1}.") from None


def _changes(bench: Bench, problem: Problem, world: str) -> tuple[Change, ...]:
    if world == "all":
        return tuple(bench.changes[name] for name in sorted(bench.changes))
    return (bench.changes[problem.change_id],) if world == "own" and problem.change_id else ()


def _show(job: Job, finding: Finding) -> None:
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(job, finding):
        facts.add_row(name, plain(value))
    results.print(facts)
    for number, (test, result) in enumerate(zip(job.problem.tests, finding.tests, strict=True), 1):
        results.print(plain(f"test {number}: {'passed' if result['passed'] else 'failed'}  {test.code}"))
        if result["error"]:
            results.print(plain(f"        {_describe(result['error'])}"))
    if finding.output:
        results.print("printed:", style="bold")
        for line in finding.output.removesuffix("\n").split("\n"):
            results.print(plain(f"  | {line}"))


def _facts(job: Job, finding: Finding) -> list[tuple[str, str]]:
    facts = [
        ("outcome", finding.outcome),
        ("compiles", "yes" if finding.compiles else "no"),
        ("tests passed", f"{finding.tests_passed} of {len(finding.tests)}"),
        ("label", f"{finding.label} ({finding.label_detail})" if finding.label else "none: no change is in question"),
        ("active changes", ", ".join(change.change_id for change in job.changes) or "none"),
        ("calls", ", ".join(f"{name}: {count}" for name, count in finding.calls.items())),
        ("bypass", ", ".join(finding.bypass)),
        ("disagreement", finding.disagreement or ""),
        ("error", _describe(finding.error) if finding.error else ""),
        ("used", f"{finding.cpu_ms:.0f} ms CPU, {finding.duration_ms:.0f} ms, {finding.peak_memory_kib} KiB"),
    ]
    return [(name, value) for name, value in facts if value]


def _describe(error: Any) -> str:
    line = f", line {error['line']}" if error.get("line") else ""
    # With its ends of lines made visible: nothing in it can pass for a line of ours.
    text = f"{error['type']}: {error['message']}".replace("\n", "\\n")
    return f"{text} ({error['kind']}{line})"
