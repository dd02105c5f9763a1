"""Every way around a removal that we know is closed, or seen in a watched run, and said in the verdict."""

import tomllib
from pathlib import Path
from typing import Any

import docker
import pytest

from edittool.judging.sandbox.job import Job
from edittool.judging.sandbox.options import SandboxOptions
from edittool.judging.sandbox.run_jobs import run_jobs
from edittool.sandbox_images.python.boundary.bypasses import CODES, UNWATCHABLE
from edittool.sandbox_images.python.boundary.runs import FIRST, WATCHED, WATCHED_AS_IT_IS
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

TABLE = Path(__file__).with_name("bypasses.toml")
BYPASSES = tomllib.loads(TABLE.read_text(encoding="utf-8"))["bypass"]
ERRORS = {"NameError", "AttributeError", "KeyError", "ImportError", "IndexError", "TypeError"}
SHIMS = {
    "sorted": "def NAME(*, values):\n    return sorted(values)\n",
    "len": "def NAME(*, value):\n    return len(value)\n",
    "int": "def NAME(*, value):\n    return int(value)\n",
    "open": "def NAME(*, path):\n    return open(path)\n",
    "str.split": "def NAME(*, text):\n    return text.split()\n",
    "list.append": "def NAME(*, items, item):\n    items.append(item)\n",
    "dict.fromkeys": "def NAME(*, keys):\n    return dict.fromkeys(keys)\n",
    "math.floor": "import math\ndef NAME(*, x):\n    return math.floor(x)\n",
    "math.pi": "import math\ndef NAME():\n    return math.pi\n",
    "os.path.join": "import os\ndef NAME(*, parts):\n    return os.path.join(*parts)\n",
    "statistics.median": "import statistics\ndef NAME(*, data):\n    return statistics.median(data)\n",
    "heapq.merge": "import heapq\ndef NAME(*, parts):\n    return heapq.merge(*parts)\n",
    "heapq.heappop": "import heapq\ndef NAME(*, heap):\n    return heapq.heappop(heap)\n",
    "collections.deque": "import collections\ndef NAME(*, items):\n    return collections.deque(items)\n",
    "collections.Counter": "import collections\ndef NAME(*, items):\n    return collections.Counter(items)\n",
    "collections.Counter.most_common": "def NAME(*, counter):\n    return counter.most_common()\n",
    "datetime.date.isoformat": "def NAME(*, date):\n    return date.isoformat()\n",
    "decimal.Decimal": "import decimal\ndef NAME(*, text):\n    return decimal.Decimal(text)\n",
}

REACHED = Problem(
    "worlds/bypass", "", "f", "def f():\n    return 1\n", (Test("", "candidate()"),), "reliability", "sorted"
)


def change(name: str) -> Change:
    replacement = "my_" + name.replace(".", "_")
    return Change(name, name, replacement, "keyword_only", "", SHIMS[name].replace("NAME", replacement), "")


def run_all(run_in_worlds: Any, run: str, unrelated: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Return the reply of each program in its world, where what is in `unrelated` takes the place of the change's."""
    names = ("deprecated", "replacement", "shim")
    jobs = [
        {
            "changes": [{name: getattr(change(bypass["removed"]), name) for name in names} | (unrelated or {})],
            "program": bypass["program"],
            "call": True,
            "run": run,
        }
        for bypass in BYPASSES
    ]
    return dict(zip((bypass["name"] for bypass in BYPASSES), run_in_worlds(jobs), strict=True))


@pytest.fixture(scope="module")
def replies(run_in_worlds: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the replies of each program in its first run and in both watched ones."""
    runs = [run_all(run_in_worlds, run) for run in (FIRST, WATCHED, WATCHED_AS_IT_IS)]
    return {name: [run[name] for run in runs] for name in runs[0]}


@pytest.fixture(scope="module")
def unhindered(run_in_worlds: Any) -> dict[str, dict[str, Any]]:
    return run_all(run_in_worlds, FIRST, {"deprecated": "calendar.isleap"})


def test_the_table_has_no_name_twice_and_every_code_in_it() -> None:
    assert len({bypass["name"] for bypass in BYPASSES}) == len(BYPASSES)
    assert {bypass["expected"] for bypass in BYPASSES} - ERRORS == set(CODES)


@pytest.mark.parametrize("bypass", BYPASSES, ids=lambda bypass: bypass["name"])
def test_a_way_around_is_closed_or_recorded(replies: dict[str, list[dict[str, Any]]], bypass: dict[str, Any]) -> None:
    first, *watched = replies[bypass["name"]]
    if bypass["expected"] in ERRORS:
        assert "error" in first, "the removed API was reached"
        assert first["error"]["type"] == bypass["expected"], first["error"]
        assert first["bypass"] == []
    else:
        assert "error" not in first, first
        seen = [run["bypass"] for run in watched if "error" not in run or run["bypass"]] or [[UNWATCHABLE]]
        assert bypass["expected"] in [*first["bypass"], *seen[0]]


@pytest.mark.parametrize("bypass", BYPASSES, ids=lambda bypass: bypass["name"])
def test_the_way_leads_there_while_the_api_is_not_removed(
    unhindered: dict[str, dict[str, Any]], bypass: dict[str, Any]
) -> None:
    error = unhindered[bypass["name"]].get("error")
    assert (error is not None) == bypass.get("never_open", False), error


def test_the_sandbox_says_the_same_of_one_for_each_end(docker_client: docker.DockerClient) -> None:
    """A container is what costs time: one for each code, and for each error."""
    chosen = {bypass["expected"]: bypass for bypass in BYPASSES}
    jobs = [Job(bypass["program"], REACHED, (change(bypass["removed"]),), end) for end, bypass in chosen.items()]
    for job, found in run_jobs(jobs, SandboxOptions(), docker_client):
        if job.tag in ERRORS:
            assert (found.error or {}).get("type") == job.tag, (job.program, found)
        else:
            assert found.outcome == "passed"
            assert job.tag in found.bypass, (job.program, found)
