"""Hostile programs in gVisor, where the trusted process is hidden and limited in another way: it holds as well.

What looks for the tests, for other programs and for the host runs in a shared container; what comes closest to the
trusted process runs alone as well. With EDITTOOL_ALL_ATTACKS=1 in the environment every case runs in both ways, which
takes ten minutes.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from edittool.judging.sandbox.job import Finding, Limits

from ..later_engines import later_engine
from .cases import Case, read_cases
from .suite import OPTIONS, check_case, judge_all

pytestmark = [pytest.mark.timeout(1800), pytest.mark.slow]

EVERY: Final = bool(os.environ.get("EDITTOOL_ALL_ATTACKS"))
FAMILIES: Final = {1: {"theft"}, 16: {"theft", "leak", "escape"}}  # by the number of programs in a container
# A system call takes several times as long there.
LIMITED: Final = Limits(cpu_seconds=2.0, total_cpu_seconds=2.0, wall_seconds=120.0)
OPTIONS_THERE: Final = replace(OPTIONS, limits=LIMITED, runtime="runsc")


def cases(shared: int) -> list[Case]:
    return [case for case in read_cases() if EVERY or case.family in FAMILIES[shared]]


@pytest.fixture(scope="module")
def findings(sandbox_archive: Path) -> Iterator[Mapping[int, Mapping[str, Finding]]]:
    """Judge the cases, alone and sharing containers."""
    with later_engine(sandbox_archive) as engine, closing(engine.client()) as client:
        yield {shared: judge_all(cases(shared), OPTIONS_THERE, shared, client) for shared in FAMILIES}
        assert engine.container_ids() == []


@pytest.mark.parametrize(
    ("shared", "case"),
    [
        pytest.param(shared, case, id=f"{case.name}-{'container' if shared == 1 else 'recycled'}")
        for shared in FAMILIES
        for case in cases(shared)
    ],
)
def test_the_attack_is_named_finds_no_test_and_leaves_the_next_program_alone(
    shared: int, case: Case, findings: Mapping[int, Mapping[str, Finding]]
) -> None:
    check_case(case, findings[shared], "container" if shared == 1 else "recycled", "gvisor")
