"""Judging that is killed at 50 random moments, from its start-up to near its end, and goes on each time."""

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.sandbox.pool import OWNER_LABEL

Verdicts = dict[str, dict[str, Any]]

VARYING = ("duration_ms", "cpu_ms", "peak_memory_kib", "reused")
BODIES = (
    "def count(items):\n    return my_builtin_len(value=items)\n",
    "def count(items):\n    return len(items)\n",
    "def count(items):\n    return sum(1 for _ in items)\n",
    "def count(items:\n",
)
RECYCLED = ("--samples-per-container", "16")


class Judge:
    """`edittool judge` over `samples` with `options`, in a folder of its own with a cache of its own."""

    def __init__(self, bench: Path, samples: Path, folder: Path, options: tuple[str, ...]):
        folder.mkdir()
        self.output = folder / "verdicts.jsonl"
        command = ["-m", "edittool.cli", "judge", str(bench), str(samples), "-o", str(self.output), *options]
        self._command = [sys.executable, *command]
        self._environment = os.environ | {"EDITTOOL_CACHE": str(folder / "cache")}
        self.killed: list[int] = []

    def finish(self) -> None:
        """Run to the end; fails when that is not a good one."""
        done = subprocess.run(self._command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def kill_after(self, seconds: float) -> bool:
        """Run and kill after `seconds`; return whether it was killed, not finished already."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": self._environment}
        with subprocess.Popen(self._command, **options) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        if process.returncode == 0:
            return False
        assert process.returncode == -9
        self.killed.append(process.pid)
        return True

    def verdicts(self) -> Verdicts:
        """Return the verdicts without what is measured, or came out of the cache; fails where a sample has two."""
        rows = [json.loads(line) for line in self.output.read_text(encoding="utf-8").splitlines()]
        verdicts = {row["sample_id"]: {k: v for k, v in row.items() if k not in VARYING} for row in rows}
        assert len(verdicts) == len(rows)
        return verdicts


def write_samples(path: Path, number: int) -> Path:
    """Write as many samples, no two of the same program."""
    rows = [{"task_id": "count", "solution": f"N = {n}\n{BODIES[n % len(BODIES)]}"} for n in range(number)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def chains(bench: Path, folder: Path, seed: int, kills: int, number: int, options: tuple[str, ...]) -> list[int]:
    """Kill `kills` runs, on one output after the other, and check each output; return the processes killed."""
    folder.mkdir()
    samples = write_samples(folder / "samples.jsonl", number)
    began = time.monotonic()
    undisturbed = Judge(bench, samples, folder / "undisturbed", options)
    undisturbed.finish()
    expected, seconds = undisturbed.verdicts(), time.monotonic() - began
    assert len(expected) == number

    moments, killed = random.Random(seed), []
    for chain in count():
        judge = Judge(bench, samples, folder / f"{chain}", options)
        while len(killed) + len(judge.killed) < kills:
            if not judge.kill_after(moments.uniform(0, seconds)):
                break
        else:
            judge.finish()
        assert judge.verdicts() == expected
        killed += judge.killed
        if len(killed) == kills:
            return killed
    raise AssertionError


@pytest.mark.slow  # 50 kills, and about as many starts of the command and of containers
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_twice_and_no_container_is_left(
    bench_folder: Path, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    with ThreadPoolExecutor() as executor:
        recycled = executor.submit(chains, bench_folder, tmp_path / "recycled", 1, 30, 64, RECYCLED)
        strict = executor.submit(chains, bench_folder, tmp_path / "strict", 2, 20, 8, ())
        killed = recycled.result() + strict.result()
    assert len(killed) == 50
    found = docker_client.api.containers(all=True, filters={"label": OWNER_LABEL})
    owners = {int(one["Labels"][OWNER_LABEL].split(":")[2]) for one in found}
    assert not owners.intersection(killed)
