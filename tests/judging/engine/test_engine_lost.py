"""An engine that stops, dies or loses the image in the middle of judging: nothing is lost, twice or different."""

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import APIError

from edittool.judging.image.build import image_tag

from ...engines import PrivateEngine, private_engine

# Engines are ended and started again, and each judge goes on as long as one is away.
pytestmark = pytest.mark.slow

Verdicts = dict[str, dict[str, Any]]

PROGRAMS = [
    "def count(items):\n    return my_builtin_len(value=items)\n",
    "def count(items):\n    return len(items)\n",
    "import time\ntime.sleep(0.2)\ndef count(items):\n    return sum(1 for _ in items)\n",
    "import os\nos._exit(3)\n",
    "def count(items:\n",
]
NO_FLAGS = pytest.mark.parametrize("engine", [()], ids=["containers-end"], indirect=True)
STRICT = pytest.mark.parametrize("options", [()], ids=["strict"], indirect=True)
VARYING = ("duration_ms", "cpu_ms", "peak_memory_kib", "reused")


@pytest.fixture(scope="module", params=[(), ("--live-restore",)], ids=["containers-end", "containers-live-on"])
def engine(request: pytest.FixtureRequest, sandbox_archive: Path) -> Iterator[PrivateEngine]:
    with private_engine(*request.param, image=sandbox_archive) as engine:
        yield engine


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lost") / "samples.jsonl"
    rows = ({"task_id": "count", "solution": f"N = {n}\n{PROGRAMS[n % len(PROGRAMS)]}"} for n in range(20))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=[(), ("--samples-per-container", "3")], ids=["strict", "recycled"])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Return the options of the mode; with the engine's, this makes each engine live through both modes."""
    return tuple(request.param)


@pytest.fixture(scope="module")
def undisturbed(bench_folder: Path, samples: Path, options: tuple[str, ...]) -> Verdicts:
    """Return the verdicts that the shared engine gives."""
    output = samples.with_name(f"{len(options)}.jsonl")
    with start(os.environ.get("DOCKER_HOST", ""), bench_folder, samples, output, *options) as process:
        assert process.wait(60) == 0, process.communicate()[1]
    return read(output)


def start(host: str, bench: Path, samples: Path, output: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edittool.cli", "judge", str(bench), str(samples), "-o", str(output), *more]
    environment = os.environ | {"DOCKER_HOST": host}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def read(path: Path) -> Verdicts:
    """Return the verdicts without what is measured, or came out of the cache; fails where a sample has two."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    verdicts = {row["sample_id"]: {k: v for k, v in row.items() if k not in VARYING} for row in rows}
    assert len(verdicts) == len(rows)
    return verdicts


def wait_for_verdicts(output: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not output.exists() or output.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline, "no verdict within a minute"
        time.sleep(0.01)


@pytest.mark.parametrize("end", [PrivateEngine.stop, PrivateEngine.kill], ids=["stopped", "killed"])
def test_an_engine_that_comes_back_changes_nothing(
    engine: PrivateEngine,
    bench_folder: Path,
    samples: Path,
    options: tuple[str, ...],
    undisturbed: Verdicts,
    tmp_path: Path,
    end: Callable[[PrivateEngine], None],
) -> None:
    output, moments = tmp_path / "verdicts.jsonl", random.Random(f"{end.__name__} {options}")
    process = start(engine.host, bench_folder, samples, output, *options)
    for count in (2, 9):
        wait_for_verdicts(output, count, process)
        time.sleep(moments.uniform(0, 0.1))
        end(engine)
        engine.start()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert read(output) == undisturbed
    assert engine.container_ids() == []
    assert "the Docker Engine" in said
    assert "Traceback" not in said


@NO_FLAGS
@STRICT
@pytest.mark.parametrize(
    "trouble",
    [lambda engine: engine.freeze(6), lambda engine: engine.restart_containerd(1.5)],
    ids=["frozen", "containerd-killed"],
)
def test_an_engine_in_trouble_is_no_programs_fault(
    engine: PrivateEngine,
    bench_folder: Path,
    samples: Path,
    undisturbed: Verdicts,
    tmp_path: Path,
    trouble: Callable[[PrivateEngine], None],
) -> None:
    """The engine is frozen for longer than a runner may take to answer."""
    output = tmp_path / "verdicts.jsonl"
    process = start(engine.host, bench_folder, samples, output, "--wall-seconds", "2")
    wait_for_verdicts(output, 3, process)
    trouble(engine)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    found = read(output)
    limits = next(iter(found.values()))["limits"]
    assert found == {name: verdict | {"limits": limits} for name, verdict in undisturbed.items()}
    assert engine.container_ids() == []


@NO_FLAGS
@STRICT
def test_an_engine_that_stays_away_ends_the_run_and_what_was_judged_is_kept(
    engine: PrivateEngine, bench_folder: Path, samples: Path, undisturbed: Verdicts, tmp_path: Path
) -> None:
    output = tmp_path / "verdicts.jsonl"
    process = start(engine.host, bench_folder, samples, output, "--engine-patience", "0.5")
    wait_for_verdicts(output, 3, process)
    engine.kill()
    _, said = process.communicate(timeout=60)
    kept = read(output)
    engine.start()
    assert process.returncode == 3, said
    assert "the Docker Engine was lost, and was not back within 0.5 s: no Docker Engine at unix:///tmp/" in said
    assert "What was judged is kept: the same command goes on from here." in said
    assert "Traceback" not in said
    again = start(engine.host, bench_folder, samples, output)
    assert f"{len(kept)} samples are judged already; going on with the rest\n" in again.communicate(timeout=60)[1]
    assert read(output) == undisturbed
    assert engine.container_ids() == []


@NO_FLAGS
@STRICT
def test_an_image_that_is_removed_is_named_and_what_was_judged_is_kept(
    engine: PrivateEngine,
    bench_folder: Path,
    samples: Path,
    undisturbed: Verdicts,
    sandbox_archive: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "verdicts.jsonl"
    process = start(engine.host, bench_folder, samples, output)
    wait_for_verdicts(output, 3, process)
    process.send_signal(signal.SIGSTOP)
    with closing(engine.client()) as client:
        remove_image(client)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert re.search(r"the sandbox image sha256:\w{64} is gone: it was removed while it was in use\.", said)
    assert "Build it again (`edittool image build`" in said
    assert engine.container_ids() == []
    kept = read(output)
    assert len(kept) >= 3
    engine.load(sandbox_archive)
    assert start(engine.host, bench_folder, samples, output).communicate(timeout=60)[1].startswith(f"{len(kept)} ")
    # Whoever removes containers makes their samples be tried once more.
    assert {name: verdict | {"attempts": 1} for name, verdict in read(output).items()} == undisturbed


def remove_image(client: docker.DockerClient) -> None:
    """Remove the sandbox image. The engine refuses that while a container of it runs: these go first."""
    deadline = time.monotonic() + 30
    while client.images.list():
        assert time.monotonic() < deadline
        for container in client.api.containers(all=True):
            with suppress(APIError):
                client.api.remove_container(container["Id"], force=True)
        for image in client.images.list():
            with suppress(APIError):
                client.images.remove(image.id, force=True)


@NO_FLAGS
@STRICT
def test_a_tag_that_moves_to_another_image_changes_nothing(
    engine: PrivateEngine,
    bench_folder: Path,
    samples: Path,
    undisturbed: Verdicts,
    sandbox_archive: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "verdicts.jsonl"
    process = start(engine.host, bench_folder, samples, output)
    wait_for_verdicts(output, 3, process)
    with closing(engine.client()) as client:
        dockerfile = io.BytesIO(f'FROM {image_tag()}\nENTRYPOINT ["/no/such/program"]\n'.encode())
        client.images.build(fileobj=dockerfile, tag=image_tag(), network_mode="none", rm=True)
        assert client.images.get(image_tag()).id not in {verdict["image"] for verdict in undisturbed.values()}
    assert len(read(output)) < len(undisturbed)
    _, said = process.communicate(timeout=60)
    engine.load(sandbox_archive)
    assert process.returncode == 0, said
    assert read(output) == undisturbed
