"""Judging onto a disk that is full: what was judged is kept, as whole rows, and the rest follows when there is room."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import docker
import pytest

from edittool.judging.sandbox.pool import OWNER_LABEL

from ..disks import enlarge, small_disk

SIZE = 256 * 1024  # the journal takes its part
PROGRAMS = [f"# {n} {'x' * 16000}\ndef count(items):\n    return len(items)\n" for n in range(20)]  # more than SIZE


@pytest.mark.parametrize("more", [(), ("--samples-per-container", "4")], ids=["strict", "recycled"])
def test_a_full_disk_ends_the_run_and_the_rest_follows(
    bench_folder: Path,
    write_samples: Callable[[Iterable[str]], Path],
    tmp_path: Path,
    docker_client: docker.DockerClient,
    more: tuple[str, ...],
) -> None:
    samples = write_samples(PROGRAMS)
    with small_disk(tmp_path / "disk", SIZE) as disk:
        output = disk / "verdicts.jsonl"
        command = [sys.executable, "-m", "edittool.cli", "judge", bench_folder, samples, "-o", output, *more]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 3, said
        # Whichever is refused first, verdicts or journal: the disk is theirs together.
        assert re.search(rf"{disk}/\S*verdicts\S* cannot be written: ", said), said
        assert "the same command, started again, goes on from here" in said
        assert "Traceback" not in said
        found = docker_client.api.containers(all=True, filters={"label": OWNER_LABEL})
        assert str(process.pid) not in [one["Labels"][OWNER_LABEL].split(":")[2] for one in found]

        assert output.read_bytes().endswith(b"}\n")
        kept = [json.loads(line) for line in output.read_text().splitlines()]
        assert 0 < len(kept) < len(PROGRAMS)
        enlarge(disk)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        verdicts = [json.loads(line) for line in output.read_text().splitlines()]
    assert verdicts[: len(kept)] == kept
    assert sorted(verdict["sample_index"] for verdict in verdicts) == list(range(len(PROGRAMS)))
