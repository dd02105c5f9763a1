"""The options of a sandbox: its size, its limits and its runtime."""

import os
from dataclasses import dataclass, field, replace
from typing import Self

from ...sandbox_images.python.boundary.runs import AGAIN
from ...schemas.verdicts import Isolation
from .job import Limits

MAX_JOBS_PER_CONTAINER = 256  # starting a container takes as long as running twenty programs


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Options of a sandbox; the defaults suit a machine that nobody shares.

    `workers` judge at the same time, and up to `pool` containers exist at once: those at work, and a few started
    ahead of need. A job that the sandbox failed, not the program, is tried `attempts` times.
    """

    limits: Limits = field(default_factory=Limits)
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    pool: int = 0  # 0: two more than workers
    runtime: str | None = None  # None: the engine's default
    cpus: float = 1.0  # cores that one container may use
    image: str | None = None  # None: the image built from the sources in this package
    start_seconds: float = 30.0
    attempts: int = 3
    engine_patience: float = 120.0  # seconds to wait for an engine that was lost
    jobs_per_container: int = 1  # more: faster, and programs of one container can get into each other's way
    hash_seed: int = 0  # Python's, for the order of sets of strings
    worlds: bool = True  # programs run in worlds with changes: one that passes runs again
    gvisor: bool = False  # the runtime is gVisor, whose containers are confined in a way of their own; see for_engine

    def __post_init__(self) -> None:
        if not 1 <= self.jobs_per_container <= MAX_JOBS_PER_CONTAINER:
            raise ValueError(f"a container serves 1 to {MAX_JOBS_PER_CONTAINER} jobs")

    @property
    def isolation(self) -> Isolation:
        """Return what a verdict says about who else was in the container: nobody ever, or others before and after."""
        return "container" if self.jobs_per_container == 1 else "recycled"

    @property
    def runs(self) -> int:
        """Return how many runs one program may take, each in a process of its own."""
        return 1 + AGAIN if self.worlds else 1

    @property
    def processes(self) -> int:
        """Return how many processes a container has waiting: for its jobs, and for what runs again."""
        jobs = self.jobs_per_container
        return self.runs if jobs == 1 else jobs + (jobs + AGAIN if self.worlds else 0)

    def for_jobs(self, count: int) -> Self:
        """Return these options for a container that is to serve `count` jobs, or as many as one may."""
        return replace(self, jobs_per_container=min(count, self.jobs_per_container))

    @property
    def pool_size(self) -> int:
        """Return how many containers may exist at once."""
        return self.pool or self.workers + 2
