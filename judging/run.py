"""Runs jobs in the sandbox, a fresh container for each, and yields what was found in order of completion."""

from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from docker import DockerClient

from .container import RunnerLostError
from .engine import connect
from .findings import find, find_fault, find_lost
from .images import find_image
from .jobs import Finding, Job
from .options import SandboxOptions
from .pool import Pool


@dataclass(frozen=True, slots=True)
class SandboxIdentity:
    """What ran the programs: goes into every verdict."""

    image: str
    runtime: str


def identify(client: DockerClient, options: SandboxOptions) -> SandboxIdentity:
    """Return the image and the runtime that `options` mean on this engine. Raises EnvironmentFault without an image."""
    runtime = options.runtime or str(client.info().get("DefaultRuntime", "runc"))
    return SandboxIdentity(find_image(client, options.image), runtime)


def run_jobs(
    jobs: Iterable[Job], options: SandboxOptions, client: DockerClient | None = None
) -> Generator[tuple[Job, Finding], None, None]:
    """Run each of `jobs` and yield it with its finding, in order of completion.

    `jobs` is read as the sandbox gets on, a few ahead. However this ends, no container is left. Raises
    EnvironmentFault when there is no engine or no image, and when containers can no longer be started.
    """
    if client is None:
        with closing(connect()) as own_client:
            yield from run_jobs(jobs, options, own_client)
        return
    image = find_image(client, options.image)
    # The pool is left first, which ends what the workers wait for.
    with ThreadPoolExecutor(options.workers, "judge") as executor, Pool(client, image, options) as pool:
        waiting: set[Future[tuple[Job, Finding]]] = set()
        for job in jobs:
            pool.expect()
            waiting.add(executor.submit(_judge, job, pool, options))
            if len(waiting) >= options.pool_size + options.workers:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _judge(job: Job, pool: Pool, options: SandboxOptions) -> tuple[Job, Finding]:
    for attempt in range(1, options.attempts + 1):
        if attempt > 1:
            pool.expect()
        try:
            with pool.container() as container:
                result = container.run(_message(job, options), options.limits.wall_seconds)
        except RunnerLostError as loss:
            if loss.reason != "fault":
                return job, find_lost(job, loss).tried(attempt)
            message = str(loss)
            continue
        if result["fault"]:
            return job, find_fault(job, result["fault"], attempt)
        return job, find(job, result, options.limits).tried(attempt)
    return job, find_fault(job, message, options.attempts)


def _message(job: Job, options: SandboxOptions) -> dict[str, Any]:
    problem = job.problem
    return {
        "program": job.program,
        "changes": [
            {"deprecated": change.deprecated, "replacement": change.replacement, "shim": change.shim}
            for change in job.changes
        ],
        "traced": list(job.traced),
        "entry_point": problem.entry_point,
        "helpers": problem.helpers,
        "tests": [{"setup": test.setup, "code": test.code} for test in problem.tests],
        "cpu_seconds": options.limits.cpu_seconds,
        "wall_seconds": options.limits.wall_seconds,
    }
