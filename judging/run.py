"""Runs jobs in the sandbox, a fresh container for each by default, and yields what was found as it is found."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from docker import DockerClient

from .container import Container, RunnerLostError
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
        waiting: set[Future[list[tuple[Job, Finding]]]] = set()
        for batch in _batches(jobs, options.jobs_per_container):
            pool.expect()
            waiting.add(executor.submit(_judge, batch, pool, options))
            if len(waiting) >= options.pool_size + options.workers:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from _results(done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from _results(done)


def _batches(jobs: Iterable[Job], size: int) -> Iterator[list[Job]]:
    """Yield `jobs` in lists of `size`; the last may be shorter."""
    remaining = iter(jobs)
    while batch := list(islice(remaining, size)):
        yield batch


def _results(done: Iterable[Future[list[tuple[Job, Finding]]]]) -> Iterator[tuple[Job, Finding]]:
    for future in done:
        yield from future.result()


def _judge(jobs: list[Job], pool: Pool, options: SandboxOptions) -> list[tuple[Job, Finding]]:
    """Judge `jobs` one after the other in one container; after a loss the rest goes on in another one."""
    found: list[tuple[Job, Finding]] = []
    attempt = 1
    while len(found) < len(jobs):
        if attempt > 1 or found:
            pool.expect()
        before = len(found)
        try:
            with pool.container() as container:
                for job in jobs[before:]:
                    found.append((job, _judge_one(job, container, options, attempt)))
                    attempt = 1
        except RunnerLostError as loss:
            shared = len(found) > before  # perhaps the next job is only a victim of those that ran here before it
            if loss.reason == "fault" and (shared or attempt < options.attempts):
                attempt = 1 if shared else attempt + 1
                continue
            job = jobs[len(found)]
            finding = find_fault(job, str(loss), attempt) if loss.reason == "fault" else find_lost(job, loss)
            found.append((job, finding.tried(attempt)))
            attempt = 1
    return found


def _judge_one(job: Job, container: Container, options: SandboxOptions, attempt: int) -> Finding:
    result = container.run(_message(job, options), options.limits.wall_seconds)
    if result["fault"]:
        return find_fault(job, result["fault"], attempt, "tests")
    return find(job, result, options.limits).tried(attempt)


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
