"""Limits read from outside: the groups of a process in either version, and the refusal where they cannot be had."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.sandbox.outer_limits import groups_in, read_outer_limits
from edittool.schemas.errors import EnvironmentFault

VERSION_1 = """\
12:pids:/docker/0a1b
5:cpu,cpuacct:/docker/0a1b
4:memory:/docker/0a:1b
1:name=systemd:/docker/0a1b
0::/docker
"""


def test_each_controller_has_its_group() -> None:
    groups = groups_in(VERSION_1)
    assert [groups[name] for name in ("pids", "cpu", "cpuacct", "memory", "")] == [
        "/docker/0a1b",
        "/docker/0a1b",
        "/docker/0a1b",
        "/docker/0a:1b",
        "/docker",
    ]


def test_version_2_has_one_group() -> None:
    assert groups_in("0::/system.slice/docker-0a1b.scope\n") == {"": "/system.slice/docker-0a1b.scope"}


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(isinstance(group, str) for group in groups_in(text).values())


@pytest.mark.parametrize("process", [0, os.getpid(), 2**22 + 1], ids=["none", "our own", "no such"])
def test_a_process_that_is_not_this_containers_is_refused(process: int) -> None:
    with pytest.raises(EnvironmentFault, match="Run edittool on the engine's own machine"):
        read_outer_limits("f" * 64, process)
