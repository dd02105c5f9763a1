"""The judge on other engines: verdicts beside this machine's own, and the rate of each beside its bare containers.

    python perf/engines.py --humaneval HumanEval.jsonl --samples S.jsonl [--strict 200] [--recycled 984]

This machine's engine is the reference. Beside it are measured Debian 13's Docker with runc and with gVisor and its
Podman, as the tests start them (`make engines` makes them; root starts them). The engines take turns, in rounds: only
the shares of bare containers compare, and those only within one run.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from judge import Meter, load_jobs, run_bare
from rich.console import Console
from rich.table import Table

from edittool.judging.engine.engine import connect, engine_host
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.judging.sandbox.runtimes import for_engine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests.engines import save_sandbox_image
from tests.judging.engine.podmans_own import load_image
from tests.later_engines import later_engine, later_podman

BARE = 30  # bare containers in a round
ROUND = 328  # programs of shared containers in a round
MODES = {"strict": 1, "recycled": 16}


@dataclass
class Engine:
    """An engine with a runtime, and what was measured there."""

    name: str
    host: str
    runtime: str | None
    meters: dict[str, Meter] = field(default_factory=lambda: {mode: Meter() for mode in ("bare", *MODES)})


@contextmanager
def engines(only: Sequence[str]) -> Iterator[list[Engine]]:
    """Start the engines that there are beside this machine's own."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))  # which the other root has as well
        os.environ["EDITTOOL_CACHE"] = folder  # Podman reads the seccomp profile there
        archive = Path(folder, "sandbox.tar")
        save_sandbox_image(connect(), archive)
        docker = stack.enter_context(later_engine(archive))
        podman = stack.enter_context(later_podman())
        load_image(podman.host, archive)
        found = [
            Engine("this machine's", engine_host(), None),
            Engine("Docker 26.1, runc", docker.host, "runc"),
            Engine("Docker 26.1, gVisor", docker.host, "runsc"),
            Engine("Podman 5.4", podman.host, None),
        ]
        yield [engine for engine in found if not only or any(word in engine.name for word in only)]


def measure(engine: Engine, jobs: dict[str, list[Job]]) -> None:
    """Give `engine` its turn of a round."""
    os.environ["DOCKER_HOST"] = engine.host
    client = connect()
    options = for_engine(SandboxOptions(runtime=engine.runtime, worlds=False), client)
    engine.meters["bare"].measure(run_bare, BARE, options)
    for mode, shared in MODES.items():
        meter = engine.meters[mode]
        meter.measure(_judge, jobs[mode], replace(options, jobs_per_container=shared), meter)
    client.close()


def _judge(jobs: list[Job], options: SandboxOptions, meter: Meter) -> int:
    # As they were before for_engine, which run_jobs calls itself.
    asked = replace(options, start_seconds=SandboxOptions().start_seconds)
    for job, finding in run_jobs(jobs, asked):
        meter.verdicts[job.tag] = (finding.outcome, finding.tests_passed)
    return len(jobs)


def print_table(found: list[Engine]) -> None:
    reference = found[0].meters
    table = Table(title="programs per second, the engines in turns")
    for name in ("engine", "bare", *MODES, "strict of bare", "recycled of bare", "other verdicts"):
        table.add_column(name, justify="left" if name == "engine" else "right")
    for engine in found:
        bare, *others = (engine.meters[mode].rate for mode in ("bare", *MODES))
        differing = {
            mode: [
                tag for tag, verdict in engine.meters[mode].verdicts.items() if verdict != reference[mode].verdicts[tag]
            ]
            for mode in MODES
        }
        told = ", ".join(f"{len(tags)} of {len(engine.meters[mode].verdicts)}" for mode, tags in differing.items())
        rates = [f"{rate:.2f}" for rate in (bare, *others)]
        table.add_row(engine.name, *rates, *(f"{rate / bare:.2f}" for rate in others), told)
        for mode, tags in differing.items():
            for tag in tags:
                here, there = engine.meters[mode].verdicts[tag], reference[mode].verdicts[tag]
                print(f"{engine.name}, {mode}, {tag}: {here}, not {there}")
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humaneval", type=Path, required=True, help="HumanEval.jsonl")
    parser.add_argument("--samples", type=Path, required=True, help="samples for it, with completions")
    parser.add_argument("--strict", type=int, default=200, help="how many to judge in containers of their own")
    parser.add_argument("--recycled", type=int, default=10**6, help="how many to judge in shared containers")
    parser.add_argument("--engine", action="append", default=[], metavar="WORD", help="only engines with this word")
    arguments = parser.parse_args()
    all_jobs, _ = load_jobs(arguments)
    # Spread over all problems.
    picked = {
        mode: all_jobs[:: max(1, len(all_jobs) // most)][:most]
        for mode, most in vars(arguments).items()
        if mode in MODES
    }
    rounds = max(1, round(len(picked["recycled"]) / ROUND))
    with engines(arguments.engine) as found:
        for number in range(rounds):
            some = {mode: jobs[number::rounds] for mode, jobs in picked.items()}
            for engine in found:
                measure(engine, some)
                rates = ", ".join(f"{mode} {meter.rate:.2f}/s" for mode, meter in engine.meters.items())
                print(f"round {number + 1} of {rounds}, {engine.name}: {rates}", flush=True)
        print_table(found)


if __name__ == "__main__":
    main()
