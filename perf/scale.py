"""The cost of many samples for the judge: memory, the start of a resume, and what is answered from the cache.

    python perf/scale.py                             200,000 samples of 300 programs
    python perf/scale.py --samples 1000000           more of them

The samples are synthetic: the built-in benchmark's solutions, most of them again and again. Every run is the command
`edittool judge` in a process of its own; peak memory is what the kernel says of it at its end (VmHWM). The measure of
all times is the machine: "reading" is a plain loop over both files with `json.loads`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from edittool.benchmark.builtin import load_builtin
from edittool.judging.sandbox.options import MAX_JOBS_PER_CONTAINER

FEW = 1000
POLL_SECONDS = 0.02
# ru_maxrss would count what this process held when it started that one.
COMMAND = """
import atexit, sys
from edittool.cli.main import main
atexit.register(lambda: print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0]))
main()
"""


def synthetic_samples(count: int, programs: int) -> Iterator[dict[str, Any]]:
    problems = list(load_builtin().problems.values())
    for number in range(count):
        problem = problems[number % len(problems)]
        variant = number % programs // len(problems)
        yield {
            "task_id": problem.task_id,
            "solution": f"{problem.solution}# {variant}\n",
            "sample_index": number,
            "model": "synthetic",
        }


def write_samples(path: Path, count: int, programs: int) -> Path:
    with path.open("w", encoding="ascii") as file:
        file.writelines(json.dumps(sample) + "\n" for sample in synthetic_samples(count, programs))
    return path


class Judge:
    """`edittool judge` at work. `cache` is the folder of its cache."""

    def __init__(self, samples: Path, output: Path, cache: Path):
        self.output = output
        self.started = time.perf_counter()
        command = [sys.executable, "-c", COMMAND, "judge", "builtin", str(samples), "-o", str(output)]
        command += ["--samples-per-container", str(MAX_JOBS_PER_CONTAINER)]
        environment = os.environ | {"EDITTOOL_CACHE": str(cache)}
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def wait_for_verdicts(self, size: int) -> float:
        """Wait until the output has more than `size` bytes, and return the seconds since the start."""
        while self._process.poll() is None:
            if self.output.exists() and self.output.stat().st_size > size:
                break
            time.sleep(POLL_SECONDS)
        return time.perf_counter() - self.started

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def finish(self) -> tuple[float, float]:
        """Wait for the end; return seconds since the start and peak memory in MiB."""
        said, _ = self._process.communicate()
        assert self._process.returncode == 0
        return time.perf_counter() - self.started, int(said.split()[-1]) / 1024


def count_lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for _ in lines)


def read_plainly(*paths: Path) -> float:
    started = time.perf_counter()
    for path in paths:
        with path.open("rb") as lines:
            for line in lines:
                json.loads(line)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--programs", type=int, default=300)
    arguments = parser.parse_args()
    table = Table(title=f"{arguments.samples} samples of {arguments.programs} programs")
    for name in ("", "samples", "seconds", "peak memory, MiB"):
        table.add_column(name, justify="left" if not name else "right")

    def row(name: str, samples: int, seconds: float, peak: float | None = None) -> None:
        table.add_row(name, str(samples), f"{seconds:.2f}", "" if peak is None else f"{peak:.0f}")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = write_samples(folder / "few.jsonl", FEW, arguments.programs)
        many = write_samples(folder / "many.jsonl", arguments.samples, arguments.programs)
        row("few, nothing known", FEW, *Judge(few, folder / "few", folder / "cache-of-few").finish())
        killed = Judge(many, folder / "many", folder / "cache")
        killed.wait_for_verdicts(many.stat().st_size)  # verdicts are several times as long as their samples
        killed.kill()
        kept = (folder / "many").stat().st_size
        judged = count_lines(folder / "many")
        resumed = Judge(many, folder / "many", folder / "cache")
        row("resumed after kill -9: until the first verdict", judged, resumed.wait_for_verdicts(kept))
        row("resumed: to the end", arguments.samples, *resumed.finish())
        row("reading samples and verdicts", arguments.samples, read_plainly(many, folder / "many"))
        row("again, all from the cache", arguments.samples, *Judge(many, folder / "again", folder / "cache").finish())
    Console().print(table)


if __name__ == "__main__":
    main()
