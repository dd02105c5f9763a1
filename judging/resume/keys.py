"""Keys of jobs and settings, digests of all that decides a finding: equal keys, equal findings."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from ...schemas.changes import Change
from ...schemas.problems import Problem
from ..sandbox.job import Job
from ..sandbox.options import SandboxOptions

_DECIDING_PACKAGES = ("analysis", "judging", "schemas")  # beside the sandbox, which the image's digest stands for


class JobKeys:
    """Makes the keys of jobs: SHA-256 (32 bytes) over program, problem as far as it decides, and world.

    Problems and worlds are few and large, so their digests are kept.
    """

    def __init__(self) -> None:
        self._problems: dict[int, tuple[Problem, str]] = {}
        self._worlds: dict[tuple[Change, ...], str] = {}

    def of(self, job: Job) -> bytes:
        """Return the key of `job`. The problem's own change, and its reference, count where that is active.

        The label speaks of the change, and its detail holds the program against the reference.
        """
        own = job.problem.change_id
        active = any(change.change_id == own for change in job.changes)
        labelled = [own, job.problem.solution] if active else None
        decisive = [job.program, self._problem(job.problem), labelled, list(job.traced), self._world(job.changes)]
        return _digest(decisive)

    def _problem(self, problem: Problem) -> str:
        known = self._problems.get(id(problem))
        if known is None:
            tests = [[test.setup, test.code] for test in problem.tests]
            digest = _digest([problem.entry_point, problem.helpers, tests]).hex()
            known = self._problems[id(problem)] = (problem, digest)  # held, so that its id stays its own
        return known[1]

    def _world(self, changes: tuple[Change, ...]) -> str:
        if changes not in self._worlds:
            decisive = [
                [one.change_id, one.deprecated, *one.adopted, one.shim, one.old_signature, one.kind] for one in changes
            ]
            self._worlds[changes] = _digest(decisive).hex()
        return self._worlds[changes]


def setting_digest(options: SandboxOptions, image: str, runtime: str) -> bytes:
    """Return the SHA-256 (32 bytes) of all that decides a finding beside the job: image, runtime, limits, our code."""
    decisive = [
        image,
        runtime,
        asdict(options.limits),
        options.cpus,
        options.hash_seed,
        options.isolation,
        code_digest(),
    ]
    return _digest(decisive)


def finding_key(setting: bytes, job_key: bytes) -> bytes:
    """Return the key (32 bytes) of what is found of a job under a setting."""
    return hashlib.sha256(setting + job_key).digest()


@cache
def code_digest() -> str:
    """Return the SHA-256 of the code that makes a finding of what the sandbox reports: labels follow from it."""
    digest = hashlib.sha256()
    for package in _DECIDING_PACKAGES:
        folder = files(f"{__package__.partition('.')[0]}.{package}")
        for name, content in sorted(_sources(folder, package)):
            digest.update(f"{name}\0".encode())
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _sources(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    """Yield the code and the queries in `folder` and below, by their paths from `name` on."""
    for entry in folder.iterdir():
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _sources(entry, path)
        elif path.endswith((".py", ".scm")):
            yield path, entry.read_bytes()


def _digest(decisive: Sequence[Any]) -> bytes:
    return hashlib.sha256(json.dumps(decisive, ensure_ascii=True).encode("ascii")).digest()
