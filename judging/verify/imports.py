"""Whether what an own image was built for can be imported: asked once, in the sandbox, before anything is judged there.

A package that does not import fails every program that needs it, and the verdicts would speak of the programs.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import docker

from ...schemas.errors import EdittoolError, EnvironmentFault
from ...schemas.problems import Problem, Test
from ..sandbox.job import Finding, Job, Limits
from ..sandbox.options import SandboxOptions
from ..sandbox.run_jobs import run_jobs

MEMORY_MIB: Final = (Limits().memory_mib, 512, 1024, 2048, 4096)  # tried one after the other
_CPU_SECONDS: Final = 120.0
_PROGRAM: Final = """
import importlib

def reason_against(name):
    try:
        importlib.import_module(name)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
"""


@dataclass(frozen=True, slots=True)
class Imported:
    """A distribution (NAME==VERSION) whose `modules` could be imported together, and those with a reason against it.

    `memory_mib` is the memory limit within which they could; `peak_mib` and `cpu_seconds` are what it took.
    """

    distribution: str
    modules: tuple[str, ...]
    failed: Mapping[str, str]
    memory_mib: int
    peak_mib: float
    cpu_seconds: float


def check_imports(
    client: docker.DockerClient, image: str, modules: Mapping[str, Sequence[str]], runtime: str | None = None
) -> list[Imported]:
    """Import in containers of `image` what each distribution has (`modules`), under the confinement of a sample.

    Raises EdittoolError, with the reason, for a distribution of which nothing can be imported, and EnvironmentFault
    when the sandbox fails.
    """
    return [_import(client, image, name, names, runtime) for name, names in modules.items() if names]


def _import(
    client: docker.DockerClient, image: str, distribution: str, names: Sequence[str], runtime: str | None
) -> Imported:
    tests = tuple(Test("", f"reason = candidate({name!r})\nassert reason is None, reason") for name in names)
    job = Job(_PROGRAM, Problem("edittool/imports", "", "reason_against", _PROGRAM, tests, "specificity", None))
    failed: dict[str, str] = {}
    for memory in MEMORY_MIB:
        limits = Limits(cpu_seconds=_CPU_SECONDS, wall_seconds=_CPU_SECONDS, memory_mib=memory)
        options = SandboxOptions(limits, workers=1, image=image, runtime=runtime, worlds=False)
        with closing(run_jobs([job], options, client)) as findings:
            _, finding = next(findings)
        if finding.outcome == "sandbox_error":
            raise EnvironmentFault(f"the sandbox failed: {(finding.error or {}).get('message')}. See `edittool doctor`")
        failed = _failed(finding, names)
        if len(failed) < len(names):
            taken = tuple(name for name in names if name not in failed)
            cpu, peak = finding.cpu_ms / 1000, finding.peak_memory_kib / 1024
            return Imported(distribution, taken, failed, memory, peak, cpu)
        if finding.outcome != "out_of_memory" and not any("Memory" in reason for reason in failed.values()):
            break
    name, reason = next(iter(failed.items()))
    raise EdittoolError(f"{distribution} cannot be imported in the sandbox: import {name}: {reason}. {_remedy(reason)}")


def _failed(finding: Finding, names: Sequence[str]) -> dict[str, str]:
    """Return the reason of each name that could not be imported."""
    return {
        name: str((test["error"] or finding.error or {}).get("message") or finding.outcome)
        for name, test in zip(names, finding.tests, strict=True)
        if not test["passed"]
    }


def _remedy(reason: str) -> str:
    if "cannot open shared object file" in reason:
        return (
            "No wheel brings that library, and the base of the image lacks it: build on a base that has it "
            "(--base IMAGE), or ask for the package that brings it."
        )
    if "No module named" in reason:
        return "Ask for the package that has it, with another --package."
    return "Ask for another version, or leave the package out."
