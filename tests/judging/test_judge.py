"""The judge from samples to verdicts: what a verdict says, resuming, and what is left after any end."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.judge import Request, judge
from edittool.judging.sandbox.pool import OWNER_LABEL
from edittool.schemas.bench import Bench
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import JsonlAppender
from edittool.schemas.validation import find_fault

pytestmark = pytest.mark.usefixtures("docker_client")

WriteSamples = Callable[[Iterable[str]], Path]

STALE = "def count(items):\n    return len(items)\n"
ADOPTED = "def count(items):\n    return my_builtin_len(value=items)\n"
ILL_CALLED = "def count(items):\n    return my_builtin_len(items)\n"
BY_HAND = "def count(items):\n    return sum(1 for _ in items)\n"
SLOW = [f"import time\ntime.sleep(0.3 + {number} * 1e-6)\n{BY_HAND}" for number in range(12)]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def command(bench_folder: Path, samples: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "edittool.cli", "judge", str(bench_folder), str(samples), "-o", str(output), *more]


def containers_of(client: docker.DockerClient, pid: int) -> list[str]:
    found = client.api.containers(all=True, filters={"label": OWNER_LABEL})
    return [entry["Id"] for entry in found if entry["Labels"][OWNER_LABEL].split(":")[2] == str(pid)]


def test_verdicts_say_what_happened(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    programs = [STALE, ADOPTED, ILL_CALLED, BY_HAND, "def count(items:\n", "raise OSError('no')\n"]
    summary = judge(Request(bench, write_samples(programs), tmp_path / "verdicts.jsonl"))
    verdicts = sorted(read(tmp_path / "verdicts.jsonl"), key=lambda verdict: verdict["sample_index"])
    found = [(v["outcome"], v["label"], v["compiles"], v["tests_passed"]) for v in verdicts]
    assert found == [
        ("failed", "no_adoption", False, 0),
        ("passed", "correct_adoption", True, 3),
        ("failed", "misuse", False, 0),
        ("passed", "workaround", True, 3),
        ("syntax_error", "no_adoption", False, 0),
        ("load_error", "no_adoption", False, 0),
    ]
    assert verdicts[1]["calls"] == {"my_builtin_len": 3}
    assert verdicts[0]["error"]["kind"] == "missing_name"
    assert verdicts[0]["error"]["line"] == 2
    assert verdicts[2]["label_detail"] == "wrong_arguments"
    assert summary.outcomes == Counter(failed=2, passed=2, syntax_error=1, load_error=1)
    for verdict in verdicts:
        assert verdict["isolation"] == "container"
        assert verdict["image"].startswith("sha256:")
        assert verdict["bench_sha256"] == bench.digest()


def test_a_way_around_the_removal_is_said_and_counted(
    bench: Bench, write_samples: WriteSamples, tmp_path: Path
) -> None:
    around = "def count(items):\n    for o in gc.get_objects():\n        if getattr(o, '__name__', 0) == 'len':\n"
    around = "import gc\n" + around + "            return o(items)\n    return sum(1 for _ in items)\n"
    output = tmp_path / "verdicts.jsonl"
    summary = judge(Request(bench, write_samples([around, BY_HAND]), output))
    verdicts = sorted(read(output), key=lambda verdict: verdict["sample_index"])
    assert [verdict["outcome"] for verdict in verdicts] == ["passed", "passed"]
    assert [verdict.get("bypass") for verdict in verdicts] == [["gc"], None]
    assert summary.to_json()["bypasses"] == {"gc": 1}
    again = judge(Request(bench, write_samples([around, BY_HAND]), output))
    assert again.judged == 0
    assert again.bypasses == summary.bypasses


def test_the_world_can_be_chosen(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    samples = write_samples([STALE])
    judge(Request(bench, samples, tmp_path / "none.jsonl", "none"))
    (verdict,) = read(tmp_path / "none.jsonl")
    assert (verdict["outcome"], verdict["label"], verdict["active_changes"]) == ("passed", None, [])


def test_samples_of_other_tools_are_taken_and_carried(bench: Bench, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    rows = [
        {"task_id": "COUNT", "completion": "    return my_builtin_len(value=items)\n", "temperature": 0.8},
        {"task_id": "count", "solution": ADOPTED, "_identifier": "x", "outcome": "theirs"},
    ]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    judge(Request(bench, samples, tmp_path / "verdicts.jsonl"))
    verdicts = {v.get("temperature"): v for v in read(tmp_path / "verdicts.jsonl")}
    assert verdicts[0.8]["label"] == verdicts[None]["label"] == "correct_adoption"
    assert verdicts[None]["_identifier"] == "x"
    assert verdicts[None]["carried"]["outcome"] == "theirs"


def test_a_sample_cannot_bring_facts_of_its_own(bench: Bench, tmp_path: Path) -> None:
    samples = tmp_path / "samples.jsonl"
    claims = {"bypass": ["gc"], "output": {"a": 1}, "disagreement": 3, "opaque": True, "label_detail": "mine"}
    samples.write_text(json.dumps({"task_id": "count", "solution": ADOPTED, **claims}) + "\n", encoding="utf-8")
    summary = judge(Request(bench, samples, tmp_path / "verdicts.jsonl"))
    (verdict,) = read(tmp_path / "verdicts.jsonl")
    assert verdict["label_detail"] == "clean"
    assert not verdict.keys() & {"bypass", "output", "disagreement", "opaque"}
    assert verdict["carried"] == claims
    assert find_fault(verdict, "verdict") is None
    assert not summary.bypasses


def test_a_second_run_judges_nothing_twice(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    samples, output = write_samples([ADOPTED, STALE, STALE]), tmp_path / "verdicts.jsonl"
    first = judge(Request(bench, samples, output))
    before = output.read_bytes()
    second = judge(Request(bench, samples, output))
    assert (first.judged, second.judged, second.already_judged) == (3, 0, 3)
    assert second.outcomes == first.outcomes
    assert output.read_bytes() == before


def test_a_broken_line_stops_before_anything_is_judged(
    bench_folder: Path, write_samples: WriteSamples, tmp_path: Path
) -> None:
    samples, output = write_samples([ADOPTED] * 9), tmp_path / "verdicts.jsonl"
    lines = samples.read_text(encoding="utf-8").splitlines(keepends=True)
    samples.write_text("".join([*lines[:6], '{"task_id": "count", "solution": \n', *lines[7:]]), encoding="utf-8")
    broken = subprocess.run(command(bench_folder, samples, output), capture_output=True, text=True, check=False)
    assert broken.returncode == 2
    assert f"{samples}, line 7" in broken.stderr.replace("\n", "")
    assert "broken JSON" in broken.stderr
    assert "Traceback" not in broken.stderr
    assert not output.exists() or not output.read_bytes()
    samples.write_text("".join(lines), encoding="utf-8")
    subprocess.run(command(bench_folder, samples, output), capture_output=True, check=True)
    assert sorted(v["sample_index"] for v in read(output)) == list(range(9))


def test_kill_9_loses_nothing_and_leaves_nothing(
    bench_folder: Path, write_samples: WriteSamples, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    samples, output = write_samples(SLOW), tmp_path / "verdicts.jsonl"
    process = subprocess.Popen(command(bench_folder, samples, output), stderr=subprocess.DEVNULL)
    wait_for_verdicts(output, 2)
    process.kill()
    process.wait()
    kept = read(output)
    again = subprocess.run(command(bench_folder, samples, output, "--json"), capture_output=True, text=True, check=True)
    verdicts = read(output)
    assert verdicts[: len(kept)] == kept
    assert sorted(v["sample_index"] for v in verdicts) == list(range(12))
    assert json.loads(again.stdout)["already_judged"] == len(kept)
    assert containers_of(docker_client, process.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("more", [(), ("--samples-per-container", "4")], ids=["strict", "recycled"])
def test_an_interruption_removes_every_container_and_keeps_verdicts(
    bench_folder: Path,
    write_samples: WriteSamples,
    tmp_path: Path,
    docker_client: docker.DockerClient,
    more: tuple[str, ...],
    number: signal.Signals,
) -> None:
    samples, output = write_samples(SLOW), tmp_path / "verdicts.jsonl"
    process = subprocess.Popen(command(bench_folder, samples, output, *more), stderr=subprocess.PIPE, text=True)
    wait_for_verdicts(output, 1)
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in talk
    assert "Traceback" not in talk
    assert containers_of(docker_client, process.pid) == []
    assert len(read(output)) >= 1


def test_a_torn_last_line_is_judged_again(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    samples, output = write_samples([ADOPTED, STALE]), tmp_path / "verdicts.jsonl"
    judge(Request(bench, samples, output))
    whole = output.read_bytes()
    output.write_bytes(whole[:-20])
    summary = judge(Request(bench, samples, output))
    assert (summary.already_judged, summary.judged) == (1, 1)
    assert sorted(v["sample_index"] for v in read(output)) == [0, 1]


def test_two_judges_on_one_output(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    output = tmp_path / "verdicts.jsonl"
    with JsonlAppender(output), pytest.raises(InputError, match="another edittool"):
        judge(Request(bench, write_samples([ADOPTED]), output))


def test_another_benchmarks_verdicts_are_not_mixed(bench: Bench, write_samples: WriteSamples, tmp_path: Path) -> None:
    samples, output = write_samples([ADOPTED]), tmp_path / "verdicts.jsonl"
    judge(Request(bench, samples, output))
    (verdict,) = read(output)
    output.write_text(json.dumps(verdict | {"bench_sha256": "0" * 64}) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1: .*another benchmark"):
        judge(Request(bench, samples, output))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": "other", "solution": "x"}, r'line 1: field .task_id. names a problem .* "other" \(not known'),
        (
            {"task_id": "count", "solution": "x", "active_changes": ["sum"]},
            r"line 1: field .active_changes. names 'sum'",
        ),
    ],
)
def test_unknown_names_are_refused(bench: Bench, tmp_path: Path, row: dict[str, Any], message: str) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        judge(Request(bench, samples, tmp_path / "verdicts.jsonl"))


def test_no_engine_is_an_environment_fault(
    bench: Bench, write_samples: WriteSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(EnvironmentFault, match="no Docker Engine"):
        judge(Request(bench, write_samples([ADOPTED]), tmp_path / "verdicts.jsonl"))


def wait_for_verdicts(output: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while not output.exists() or output.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, "no verdict within a minute"
        time.sleep(0.02)


def test_the_host_environment_stays_outside(
    bench: Bench, write_samples: WriteSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITTOOL_SECRET", "of the host")
    monkeypatch.chdir(tmp_path)
    program = "import os\nprint(sorted(os.environ), os.getcwd(), os.listdir('/'))\n" + ADOPTED
    judge(Request(bench, write_samples([program]), tmp_path / "verdicts.jsonl"))
    (verdict,) = read(tmp_path / "verdicts.jsonl")
    assert "EDITTOOL_SECRET" not in verdict["output"]
    assert tmp_path.name not in verdict["output"]
