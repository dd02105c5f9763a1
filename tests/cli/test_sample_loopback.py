"""The whole way with a real server, `transformers serve`: what asks it is killed, and goes on; its rows are judged."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text

from .command import run, start

SERVE = "from transformers.cli.transformers import main; main()"
TASKS = [f"builtin/{name}" for name in ("second_largest", "is_anagram", "leaderboard", "dot_product", "caesar")]
SAMPLES = 6


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve a model; give the server's address and the model's name."""
    settings = TinySettings(vocabulary=300, layers=2, hidden=16, mlp=16, heads=2, context=1024, epochs=1)
    model = str(tiny_model(Lessons((Text("def f():\n", "    pass\n"),)), settings, cache=tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        SERVE,
        "serve",
        model,
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--device",
        "cpu",
    ]
    with (tmp_path / "server.log").open("wb") as log:
        offline = os.environ | {"HF_HUB_OFFLINE": "1"}
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path, env=offline)
    try:
        deadline = time.monotonic() + 120
        while server.poll() is None and time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                break
            time.sleep(0.2)
        else:
            pytest.fail((tmp_path / "server.log").read_text()[-2000:])
        yield f"http://127.0.0.1:{port}/v1", model
    finally:
        server.terminate()
        server.wait()


# A server that loads torch, two runs of the sandbox and eight of the command line.
@pytest.mark.slow
@pytest.mark.usefixtures("docker_client")
def test_asked_killed_twice_judged_and_reported(served: tuple[str, str], tmp_path: Path) -> None:
    url, model = served
    tasks = [part for task in TASKS for part in ("--task", task)]
    verdicts = []
    for docs in ("none", "change"):
        out = tmp_path / f"{docs}.jsonl"
        command = ["sample", "builtin", "-o", out, "--base-url", url, "--model", model, "--api", "completions"]
        command += ["--docs", docs, "-n", SAMPLES, "--max-tokens", 24, "--seed", 1, "--concurrency", 2, *tasks]
        for wanted in (5, 12):
            process = start(*command)
            while process.poll() is None and (not out.exists() or out.read_bytes().count(b"\n") < wanted):
                time.sleep(0.01)
            process.kill()
            process.communicate()
        done = run(*command)
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in out.read_text().splitlines()]
        keys = Counter((row["task_id"], row["sample_index"]) for row in rows)
        assert keys == {(task, index): 1 for task in TASKS for index in range(SAMPLES)}
        assert {row["finish_reason"] for row in rows} <= {"stop", "length"}
        assert not any("failure" in row for row in rows)
        verdicts.append(tmp_path / f"{docs}.verdicts.jsonl")
        judged = run("judge", "builtin", out, "-o", verdicts[-1], "--samples-per-container", 64)
        assert judged.returncode == 0, judged.stderr
    report = run("report", "builtin", *verdicts, "-o", tmp_path / "report", "--json")
    assert report.returncode == 0, report.stderr
    for named in ('"unedited"', '"documentation in the prompt'):
        assert named in report.stdout
