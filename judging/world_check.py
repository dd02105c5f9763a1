"""Checks, before anything is judged, that the worlds of the changes can be made in the image.

Where an API that is to be removed does not exist, or a shim needs a package that the image lacks, every program would
end in a crash that is not its own.
"""

from collections.abc import Collection
from contextlib import closing
from importlib.resources import files

from docker import DockerClient

from ..schemas.changes import Change
from ..schemas.errors import EnvironmentFault, InputError
from ..schemas.problems import Problem, Test
from .image.build import image_tag
from .sandbox.job import Finding, Job
from .sandbox.options import SandboxOptions
from .sandbox.run_jobs import run_jobs


def check_worlds(changes: Collection[Change], options: SandboxOptions, client: DockerClient | None = None) -> None:
    """Ask the sandbox, in one container, whether the world of each of `changes` can be made.

    Raises InputError where an API does not exist or a shim cannot be loaded, and EnvironmentFault where the image lacks
    a package, or there is no sandbox.
    """
    reasons = find_faults(changes, options, client)
    for change, reason in zip(changes, reasons, strict=True):
        if reason is not None:
            raise _fault(change, reason, options.image or image_tag())


def find_faults(
    changes: Collection[Change], options: SandboxOptions, client: DockerClient | None = None
) -> list[str | None]:
    """Return for each of `changes` what is in the way of its world. Raises EnvironmentFault without a sandbox."""
    if not changes:
        return []
    program = files(__package__).joinpath("world_probe.py").read_text(encoding="utf-8")
    tests = tuple(Test("", _ask(change)) for change in changes)
    problem = Problem("edittool/worlds", "", "probe", program, tests, "specificity", None)
    with closing(run_jobs([Job(program, problem)], options, client)) as findings:
        _, finding = next(findings)
    if finding.outcome == "sandbox_error":
        raise EnvironmentFault(f"the sandbox failed: {(finding.error or {}).get('message')}. See `edittool doctor`")
    return _reasons(finding)


def _ask(change: Change) -> str:
    arguments = f"{change.form!r}, {change.deprecated!r}, {list(change.adopted)!r}, {change.shim!r}"
    return f"reason = candidate({arguments})\nassert reason is None, reason"


def _reasons(finding: Finding) -> list[str | None]:
    """Return for each change what is in the way of its world."""
    return [None if test["passed"] else str((test["error"] or finding.error or {}).get("message", finding.outcome))
            for test in finding.tests]  # fmt: skip


def _fault(change: Change, reason: str, image: str) -> InputError | EnvironmentFault:
    what = f"the change {change.change_id!r} cannot be made in the sandbox image {image}: {reason}."
    if reason.startswith("ModuleNotFoundError"):
        return EnvironmentFault(
            f"{what} Give an image that has the package with --image; "
            "`edittool image build --package NAME==VERSION` makes one."
        )
    fields = '"deprecated" or "shim"' if change.form == "synthetic" else '"replacement", "adopt" or "shim"'
    return InputError(f"{what} Correct {fields}, or the version of the package in the image.")
