"""One table of a container's flags: what is asked for, what is compared, what is promised and what the page says."""

from collections import Counter
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from docker.types import Ulimit

from edittool.judging.engine.engine import LIMIT_FIELDS
from edittool.judging.sandbox.flags import (
    FIRST_UID,
    FLAGS,
    READERS,
    UIDS,
    confinement,
    container_flags,
    engine_flags,
    find_weaker,
    flags,
    insert_flags,
)
from edittool.judging.sandbox.job import Limits
from edittool.judging.sandbox.options import SandboxOptions
from edittool.sandbox_images.python.trusted.confinement import describe_confinement

PAGE = Path(__file__).parents[3] / "docs" / "security.md"
OPTIONS = SandboxOptions(
    limits=Limits(memory_mib=128), cpus=0.5, jobs_per_container=4, hash_seed=7, runtime="crun", worlds=False
)
REPORT = {
    "uid": FIRST_UID + 5,
    "capabilities": 0,
    "no_new_privileges": True,
    "seccomp": True,
    "dumpable": False,
    "memory_bytes": 131 << 20,
    "swap": False,
    "pids": 35,
    "cpus": 0.5,
    "nofile": 73,
    "fsize": 16 << 20,
    "core": 0,
    "msgqueue": 0,
    "memlock": 0,
}
IN_GVISOR = replace(OPTIONS, runtime="runsc", gvisor=True)
REPORT_OF_GVISOR = {**REPORT, "memory_bytes": (128 + 3 * 6 + 64) << 20, "pids": 256 + 2 * 35, "nproc": 35}


def test_the_page_is_up_to_date():
    page = PAGE.read_text(encoding="utf-8")
    assert insert_flags(page) == page


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="lacks"):
        insert_flags("# Security\n")


def test_every_flag_reaches_the_engine_once():
    asked = confinement(OPTIONS)
    options = ["no-new-privileges", FLAGS["system calls"].value(OPTIONS, 0)]
    assert asked["security_opt"] == options
    assert asked["tmpfs"] == {"/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=16m,nr_inodes=1024"}
    assert asked["ulimits"] == [
        Ulimit(name=name, soft=REPORT[name], hard=REPORT[name])
        for name in ("nofile", "fsize", "core", "msgqueue", "memlock")
    ]
    assert (asked["mem_limit"], asked["memswap_limit"], asked["pids_limit"]) == (131 << 20, 131 << 20, 35)
    assert (asked["nano_cpus"], asked["runtime"], asked["network_mode"]) == (500_000_000, "crun", "none")
    assert container_flags(OPTIONS, 5)["user"] == f"{FIRST_UID + 5}:{FIRST_UID + 5}"
    assert container_flags(OPTIONS, 5)["environment"]["PYTHONHASHSEED"] == "7"
    given = [*asked, *container_flags(OPTIONS, 5), *engine_flags(OPTIONS)]
    of_lists = {"security_opt": 2, "ulimits": 5, "tmpfs": 2}
    own = Counter(
        flag.place if flag.place in of_lists else flag.key for flag in flags(OPTIONS) if flag.place != "image"
    )
    assert own == Counter(given) | Counter(of_lists)


def test_gvisor_is_asked_for_what_it_needs_and_for_nothing_that_it_lacks():
    asked, elsewhere = confinement(IN_GVISOR), confinement(OPTIONS)
    assert asked["group_add"] == [READERS]
    assert asked["tmpfs"] == {
        "/tmp": "rw,noexec,nosuid,nodev,mode=1777,size=16m",
        "/proc": "ro,noexec,nosuid,nodev,size=4k",
    }
    assert {limit["Name"]: limit["Hard"] for limit in asked["ulimits"]}["nproc"] == REPORT_OF_GVISOR["nproc"]
    assert (asked["mem_limit"], asked["pids_limit"]) == (
        REPORT_OF_GVISOR["memory_bytes"],
        REPORT_OF_GVISOR["pids"],
    )
    same = elsewhere.keys() - {"tmpfs", "ulimits", "mem_limit", "memswap_limit", "pids_limit", "runtime"}
    assert {name: asked[name] for name in same} == {name: elsewhere[name] for name in same}
    assert engine_flags(IN_GVISOR) == engine_flags(OPTIONS)
    assert "group_add" not in elsewhere


def test_the_runner_reports_what_is_compared():
    # Run here, outside any container: the names are what matters.
    told = {flag.reported for flag in FLAGS.values() if flag.reported}
    assert set(describe_confinement()) == told == set(REPORT_OF_GVISOR)


def test_a_report_as_asked_for_has_nothing_weaker():
    assert find_weaker(REPORT, OPTIONS, 5) == []
    assert find_weaker(REPORT_OF_GVISOR, IN_GVISOR, 5) == []


@pytest.mark.parametrize(("options", "report"), [(OPTIONS, REPORT), (IN_GVISOR, REPORT_OF_GVISOR)])
def test_a_weaker_report_is_named(options, report):
    for name, wanted in report.items():
        assert find_weaker({**report, name: 2**40}, options, 5) == [f"{name} is {2**40!r}, not {wanted!r}"]
        missing = {other: value for other, value in report.items() if other != name}
        assert find_weaker(missing, options, 5) == [f"{name} is None, not {wanted!r}"]


def test_a_limit_that_an_engine_may_lack_is_asked_for_by_a_flag():
    assert [flag.engine_limit for flag in FLAGS.values() if flag.engine_limit] == list(LIMIT_FIELDS)


def test_the_interpreters_mode_is_the_one_that_the_image_gives_it():
    stripper = files("edittool.sandbox_images.python").joinpath("image", "strip_base.py").read_text(encoding="utf-8")
    assert f"EXECUTE_ONLY = {FLAGS['interpreter'].value(OPTIONS, 0):#o} " in stripper
    assert f"READERS = {READERS:_} " in stripper
    assert READERS not in range(FIRST_UID, FIRST_UID + UIDS)


def test_a_flag_without_a_promise_has_none():
    with pytest.raises(ValueError, match="no promise about the stop signal"):
        FLAGS["stop signal"].promised(OPTIONS)


def test_promises_name_the_values():
    promised = {flag.promised(OPTIONS) for flag in FLAGS.values() if flag.promise}
    assert promised >= {"memory limited to 131 MiB", "processes limited to 35", "CPU limited to 0.5"}
    assert promised >= {"open files limited to 73", "size of a file limited to 16,777,216 bytes"}
