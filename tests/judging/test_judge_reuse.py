"""What the judge runs once: equal samples of one file, and what an earlier run found; and when it runs again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.image.build import find_image
from edittool.judging.judge import Observer, Request, Summary, judge
from edittool.judging.resume.journal import journal_path
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.pool import OWNER_LABEL, owner_of_this_process
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.errors import InputError
from edittool.schemas.folders import cache_folder
from edittool.schemas.problems import Test
from edittool.schemas.validation import find_fault

from .conftest import COUNT, LENGTH

pytestmark = pytest.mark.usefixtures("docker_client")

STALE = "def count(items):\n    return len(items)\n"
ADOPTED = "def count(items):\n    return my_builtin_len(value=items)\n"
BY_HAND = "def count(items):\n    return sum(1 for _ in items)\n"
HANGING = "while True: pass\n"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def found(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return what was found, without what says whose and how often."""
    return {name: value for name, value in verdict.items() if name not in ("sample_id", "sample_index", "reused")}


@contextmanager
def containers_created(client: docker.DockerClient) -> Iterator[list[str]]:
    """Give a list that holds, at the end, the containers that this process had made meanwhile."""
    created: list[str] = []
    since = time.time()
    yield created
    mine = {"event": "create", "label": f"{OWNER_LABEL}={owner_of_this_process()}"}
    events = client.events(since=since, until=time.time() + 0.1, filters=mine, decode=True)
    created += [event["id"] for event in events]


def test_equal_samples_run_once(
    bench: Bench, write_samples: Any, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    samples, output = write_samples([ADOPTED, STALE, ADOPTED, ADOPTED]), tmp_path / "verdicts.jsonl"
    judge(Request(bench, write_samples([BY_HAND]), tmp_path / "worlds checked"))
    samples = write_samples([ADOPTED, STALE, ADOPTED, ADOPTED])
    with containers_created(docker_client) as created:
        summary = judge(Request(bench, samples, output))
    assert len(created) == 2 + 1  # and one for the worlds of the benchmark
    first, *others = [verdict for verdict in read(output) if verdict["outcome"] == "passed"]
    assert "reused" not in first
    assert [verdict["reused"] for verdict in others] == ["duplicate"] * 2
    assert [found(verdict) for verdict in others] == [found(first)] * 2
    assert sorted(verdict["sample_index"] for verdict in read(output)) == [0, 1, 2, 3]
    assert all(find_fault(verdict, "verdict") is None for verdict in read(output))
    assert (summary.judged, summary.reused) == (4, {"duplicate": 2})


def test_what_an_earlier_run_found_needs_no_container(
    bench: Bench, write_samples: Any, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    samples = write_samples([ADOPTED, STALE, BY_HAND, "def count(items:\n", "raise SystemExit\n"])
    judge(Request(bench, samples, tmp_path / "first.jsonl"))
    with containers_created(docker_client) as created:
        summary = judge(Request(bench, samples, tmp_path / "second.jsonl"))
    assert created == []
    assert summary.reused == {"cache": 5}
    first, second = ({v["sample_id"]: v for v in read(tmp_path / f"{name}.jsonl")} for name in ("first", "second"))
    assert {name: found(verdict) for name, verdict in first.items()} == {
        name: found(verdict) for name, verdict in second.items()
    }
    assert {verdict["reused"] for verdict in second.values()} == {"cache"}


def test_without_the_cache_everything_runs_and_nothing_is_kept(
    bench: Bench, write_samples: Any, tmp_path: Path
) -> None:
    samples = write_samples([ADOPTED])
    judge(Request(bench, samples, tmp_path / "a.jsonl", cached=False))
    assert not cache_folder().exists()
    judge(Request(bench, samples, tmp_path / "b.jsonl"))
    judge(Request(bench, samples, tmp_path / "c.jsonl", cached=False))
    assert all("reused" not in read(tmp_path / f"{name}.jsonl")[0] for name in "abc")


def test_the_cache_answers_for_the_same_world_tests_and_limits_alone(
    bench: Bench, write_samples: Any, tmp_path: Path
) -> None:
    samples = write_samples([STALE])
    tests = (*COUNT.tests, Test("", "assert candidate('ab') == 2"))
    more_tests = write_bench(tmp_path / "tests", "counting", [replace(COUNT, tests=tests)], [LENGTH])
    shim = "def my_builtin_len(*, value):\n    return value.__len__()\n"
    other_shim = write_bench(tmp_path / "shim", "counting", [COUNT], [replace(LENGTH, shim=shim)])
    limits = SandboxOptions(limits=Limits(cpu_seconds=2.0))
    requests = [
        Request(bench, samples, tmp_path / "0"),
        Request(bench, samples, tmp_path / "1", "none"),
        Request(more_tests, samples, tmp_path / "2"),
        Request(other_shim, samples, tmp_path / "3"),
        Request(bench, samples, tmp_path / "4", options=limits),
        Request(bench, samples, tmp_path / "5", options=SandboxOptions(jobs_per_container=2)),
    ]
    summaries = [judge(request) for request in requests]
    assert [dict(summary.reused) for summary in summaries] == [{}] * len(requests)
    again = judge(replace(requests[0], output=tmp_path / "again"))
    assert again.reused == {"cache": 1}


def test_the_cache_does_not_answer_for_another_image(
    bench: Bench, write_samples: Any, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    samples = write_samples([STALE])
    judge(Request(bench, samples, tmp_path / "first"))
    container = docker_client.containers.create(find_image(docker_client))
    name = f"edittool-test-{os.getpid()}"
    try:
        other = container.commit(name, changes=["LABEL other=yes"])
        summary = judge(Request(bench, samples, tmp_path / "second", options=SandboxOptions(image=name)))
    finally:
        container.remove()
        docker_client.images.remove(name, force=True)
    (verdict,) = read(tmp_path / "second")
    assert verdict["image"] == other.id
    assert not summary.reused


def test_a_timeout_is_never_taken_from_the_cache(bench: Bench, write_samples: Any, tmp_path: Path) -> None:
    options = SandboxOptions(limits=Limits(cpu_seconds=0.5))
    for name in ("first", "second"):
        summary = judge(Request(bench, write_samples([HANGING]), tmp_path / name, options=options))
        assert summary.outcomes == {"timeout": 1}
        assert not summary.reused


class Listener(Observer):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def test_a_cache_that_others_can_write_to_is_told_and_gives_no_verdict(
    bench: Bench, write_samples: Any, tmp_path: Path
) -> None:
    samples, listener = write_samples([ADOPTED]), Listener()
    judge(Request(bench, samples, tmp_path / "first.jsonl"), listener)
    assert listener.warnings == []
    cache_folder().chmod(0o777)
    summary = judge(Request(bench, samples, tmp_path / "second.jsonl"), listener)
    assert (summary.outcomes, summary.reused) == ({"passed": 1}, {})
    [warning] = listener.warnings
    assert f"is not used: {cache_folder()} can be written by others (mode 777); `chmod go-w" in warning
    cache_folder().chmod(0o755)
    assert judge(Request(bench, samples, tmp_path / "third.jsonl"), listener).reused == {"cache": 1}


def test_a_cache_that_cannot_be_used_is_told_and_costs_no_verdict(
    bench: Bench, write_samples: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EDITTOOL_CACHE", str(tmp_path / "file"))
    listener = Listener()
    summary = judge(Request(bench, write_samples([ADOPTED]), tmp_path / "verdicts.jsonl"), listener)
    assert summary.outcomes == {"passed": 1}
    assert [str(tmp_path / "file") in warning for warning in listener.warnings] == [True]


def test_the_journal_is_gone_when_all_is_judged(bench: Bench, write_samples: Any, tmp_path: Path) -> None:
    output = tmp_path / "verdicts.jsonl"
    judge(Request(bench, write_samples([ADOPTED, STALE]), output))
    judge(Request(bench, write_samples([ADOPTED, STALE]), output))
    assert [path.name for path in tmp_path.glob(".verdicts*")] == []


class Interrupting(Observer):
    """Calls a function at the first verdict, and interrupts."""

    def __init__(self, action: Any):
        self._action = action

    def judged(self, summary: Summary, verdict: Any) -> None:
        self._action()
        raise KeyboardInterrupt


def test_an_interrupted_judge_leaves_its_journal_and_goes_on_by_it(
    bench: Bench, write_samples: Any, tmp_path: Path
) -> None:
    programs = [f"{ADOPTED}# {number}\n" for number in range(6)]
    request = Request(bench, write_samples(programs), tmp_path / "verdicts.jsonl", cached=False)
    with pytest.raises(KeyboardInterrupt):
        judge(request, Interrupting(lambda: None))
    kept = len(read(request.output))
    assert journal_path(request.output).exists()
    assert 1 <= kept < 6
    summary = judge(request)
    assert (summary.already_judged, summary.judged) == (kept, 6 - kept)
    assert sorted(verdict["sample_index"] for verdict in read(request.output)) == list(range(6))


def test_verdicts_taken_out_of_the_output_are_judged_again(bench: Bench, write_samples: Any, tmp_path: Path) -> None:
    programs = [f"{ADOPTED}# {number}\n" for number in range(6)]
    request = Request(bench, write_samples(programs), tmp_path / "verdicts.jsonl", cached=False)
    with pytest.raises(KeyboardInterrupt):
        judge(request, Interrupting(lambda: None))
    request.output.write_text("")
    summary = judge(request)
    assert (summary.already_judged, summary.judged) == (0, 6)


def test_a_sample_file_that_is_written_to_meanwhile_is_named(bench: Bench, write_samples: Any, tmp_path: Path) -> None:
    programs = [f"{ADOPTED}# {number}\n" for number in range(40)]
    samples = write_samples(programs)

    class Spoiling(Observer):
        def judged(self, summary: Summary, verdict: Any) -> None:
            if summary.judged == 1:
                text = samples.read_text()
                samples.write_text(text.replace("# 39", "# xx"))

    output = tmp_path / "verdicts.jsonl"
    with pytest.raises(InputError, match=r"line 40 was changed while it was being judged"):
        judge(Request(bench, samples, output), Spoiling())
    samples = write_samples(programs)
    judge(Request(bench, samples, output))
    assert sorted(verdict["sample_index"] for verdict in read(output)) == list(range(40))


def test_a_pipe_is_refused_by_name(bench: Bench, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is no ordinary file"):
        judge(Request(bench, tmp_path / "pipe", tmp_path / "verdicts.jsonl"))


# The judge, with a fault in its own code that one program brings out: its process ends at once.
DYING = """
import os
import edittool.judging.sandbox.run_jobs as run
find = run.find
run.find = lambda job, *more: os._exit(9) if "DEADLY" in job.program else find(job, *more)
from edittool.cli.main import main
main()
"""


def test_a_program_that_ends_the_judge_itself_is_found_and_reported(
    bench_folder: Path, write_samples: Any, tmp_path: Path
) -> None:
    samples = write_samples([f"{ADOPTED}# {number}\n" for number in range(3)] + [f"{STALE}# DEADLY\n", STALE])
    output = tmp_path / "verdicts.jsonl"
    command = [sys.executable, "-c", DYING, "judge", str(bench_folder), str(samples), "-o", str(output), "--no-cache"]
    ends = []
    while not ends or ends[-1] == 9:
        ends.append(subprocess.run(command, capture_output=True, check=False).returncode)
        assert len(ends) < 12
    assert ends == [9] * 7 + [1]
    verdicts = {verdict["sample_index"]: verdict for verdict in read(output)}
    assert [verdicts[n]["outcome"] for n in range(5)] == ["passed"] * 3 + ["sandbox_error", "failed"]
    assert "the judge itself ended 5 times" in verdicts[3]["error"]["message"]


# The process's own peak: ru_maxrss would count what the tests' process held when it started this one.
MEASURED = """
import atexit
from edittool.cli.main import main
atexit.register(lambda: print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0]))
main()
"""


def peak_memory_kib(bench_folder: Path, samples: Path, output: Path) -> int:
    command = [sys.executable, "-c", MEASURED, "judge", str(bench_folder), str(samples), "-o", str(output), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def test_more_samples_take_no_more_memory(bench_folder: Path, write_samples: Any, tmp_path: Path) -> None:
    few = peak_memory_kib(bench_folder, write_samples([ADOPTED, STALE]), tmp_path / "few")
    many = peak_memory_kib(bench_folder, write_samples([ADOPTED, STALE] * 8000), tmp_path / "many")
    assert (tmp_path / "many").read_bytes().count(b"\n") == 16000
    assert many < few + 12 * 1024  # the file's rows, held in memory, take more


def test_duplicates_of_a_large_row_are_written_a_few_at_a_time(bench_folder: Path, tmp_path: Path) -> None:
    samples, note = tmp_path / "samples.jsonl", "n" * 1_500_000

    def peak(rows: int) -> int:
        with samples.open("w") as file:
            file.writelines(
                json.dumps({"task_id": "count", "solution": STALE, "note": note}) + "\n" for _ in range(rows)
            )
        return peak_memory_kib(bench_folder, samples, tmp_path / f"{rows}.jsonl")

    few, many = peak(2), peak(24)
    assert many < few + 24 * 1024  # all of them, held until they are written, take 90 MiB more
