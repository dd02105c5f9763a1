"""The judge on a quiet machine and beside busy processes, in one run: how many verdicts differ.

    python perf/overload.py                                              the built-in benchmark's own solutions
    python perf/overload.py --humaneval HumanEval.jsonl --samples S.jsonl    real samples

Every program is judged twice with the same options. A verdict differs where its outcome, its stage or the result of a
test does. At load 20 on two cores the second part takes tens of times as long as the first.
"""

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from busy import busy
from judge import load_jobs
from rich.console import Console
from rich.table import Table

from edittool.judging.sandbox.job import Finding, Job
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs

LONGEST = 6 * 3600.0


def judge(jobs: list[Job], options: SandboxOptions) -> tuple[dict[Any, Finding], float]:
    """Return the findings by tag, and the seconds that they took."""
    started = time.monotonic()
    found = {}
    for number, (job, finding) in enumerate(run_jobs(jobs, options), 1):
        found[job.tag] = finding
        if number % 100 == 0:
            print(f"{number} of {len(jobs)} after {time.monotonic() - started:.0f} s", flush=True)
    return found, time.monotonic() - started


def told(finding: Finding) -> tuple[Any, ...]:
    """Return what a verdict says of a program, without what it measured."""
    return finding.outcome, finding.stage, finding.compiles, tuple(bool(test["passed"]) for test in finding.tests)


def print_table(runs: dict[str, tuple[dict[Any, Finding], float]]) -> None:
    """Print the outcomes of both runs beside each other."""
    table = Table(title="outcomes")
    for name in ("", *runs):
        table.add_column(name, justify="left" if not name else "right")
    counts = [Counter(finding.outcome for finding in found.values()) for found, _ in runs.values()]
    for outcome in sorted({outcome for count in counts for outcome in count}):
        table.add_row(outcome, *(str(count[outcome]) for count in counts))
    table.add_row("seconds", *(f"{seconds:.0f}" for _, seconds in runs.values()))
    Console().print(table)


def main() -> None:
    """Judge twice, and print what differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--humaneval", type=Path)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--load", type=int, default=20, help="busy processes")
    parser.add_argument("--samples-per-container", type=int, default=MAX_JOBS_PER_CONTAINER)
    parser.add_argument("--every", type=int, default=1, help="judge every so-manieth program only")
    arguments = parser.parse_args()
    jobs = load_jobs(arguments)[0][:: arguments.every]
    options = SandboxOptions(jobs_per_container=arguments.samples_per_container, worlds=False)
    runs = {"quiet": judge(jobs, options)}
    with busy(arguments.load, LONGEST):
        runs[f"load {arguments.load}"] = judge(jobs, options)
        average = os.getloadavg()[0]
    print_table(runs)
    (quiet, _), (loaded, _) = runs.values()
    differing = [tag for tag in quiet if told(quiet[tag]) != told(loaded[tag])]
    for tag in differing:
        one, other = quiet[tag], loaded[tag]
        print(f"{tag}: {one.outcome} ({one.error}), then {other.outcome} ({other.error})")
    again = sum(finding.attempts > 1 for finding in loaded.values())
    print(f"{len(differing)} of {len(jobs)} verdicts differ at a load of {average:.0f}; {again} were tried again.")


if __name__ == "__main__":
    main()
