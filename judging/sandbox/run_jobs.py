"""Runs jobs in the sandbox, a fresh container for each by default, and yields each finding as soon as there is one."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from math import ceil
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from docker import DockerClient

from ...schemas.verdicts import Outcome
from ..engine.engine import connect, engine_faults
from ..image.build import find_image
from .container import RunnerLostError
from .job import Finding, Job
from .options import SandboxOptions
from .outcome import find, find_fault, find_lost, find_too_large
from .pool import EngineLostError, Pool
from .runtimes import for_engine
from .time_limits import REMEDY, TRIALS_ALONE, SpareCpu, require_cpu
from .turns import Turns

Item = TypeVar("Item")


BYTES_A_PLACE: Final = 2**16  # of programs: larger ones take up the places of several, so that few are held at once


def batches(
    items: Iterable[Item], size: int, workers: int, places: Callable[[Item], int] = lambda item: 1
) -> Iterator[list[Item]]:
    """Yield `items` in order, in lists of `size`; the last `size * workers` or less in equal lists, one per worker.

    Reads `size * workers` items ahead: how many there are need not be known. An item that takes several `places` counts
    for so many.
    """
    ahead: deque[Item] = deque()
    held = 0
    for item in items:
        ahead.append(item)
        held += places(item)
        while held >= size * workers:
            batch, taken = [], 0
            while taken < size and ahead:
                batch.append(ahead.popleft())
                taken += places(batch[-1])
            held -= taken
            yield batch
    for waiting in range(workers, 0, -1):
        share = [ahead.popleft() for _ in range(ceil(len(ahead) / waiting))]
        if share:
            yield share


Result = tuple[Job, Finding]

# What a program could make of the next one in its container, were there a way to reach the process that waits for it:
# these count of the first program of a container only, unless that process was at work itself.
DOUBTFUL: Final[frozenset[Outcome]] = frozenset({"timeout", "out_of_memory", "crashed"})
AT_WORK: Final = 0.5  # of the CPU time that a program may take

MAX_OUTAGES = 10  # of the engine, on the same job: perhaps it is the job that ends it


@dataclass(frozen=True, slots=True)
class SandboxIdentity:
    """What ran the programs: goes into every verdict."""

    image: str
    runtime: str


def identify(client: DockerClient, options: SandboxOptions) -> SandboxIdentity:
    """Return the image and the runtime that `options` mean on this engine. Raises EnvironmentFault without an image."""
    with engine_faults():
        runtime = options.runtime or str(client.info().get("DefaultRuntime", "runc"))
    return SandboxIdentity(find_image(client, options.image), runtime)


def run_jobs(
    jobs: Iterable[Job],
    options: SandboxOptions,
    client: DockerClient | None = None,
    on_start: Callable[[Job], object] = lambda job: None,
) -> Generator[Result, None, None]:
    """Run each of `jobs` and yield it with its finding, in order of completion.

    `jobs` is read as the sandbox gets on, a few containers' worth ahead; `on_start` is called, in a worker's thread,
    whenever one is about to be tried. However this ends, no container is left. An engine that is lost meanwhile is
    waited for, as long as the options say; what it was at is done again.
    Raises EnvironmentFault when there is no engine or no image, when the engine does not come back, and when containers
    can no longer be started.
    """
    if client is None:
        with closing(connect()) as own_client:
            yield from run_jobs(jobs, options, own_client, on_start)
        return
    image = find_image(client, options.image)
    options = for_engine(options, client)
    # The pool is left first, which ends what the workers wait for.
    with ThreadPoolExecutor(options.workers, "judge") as executor, Pool(client, image, options) as pool:
        found: SimpleQueue[Result | Future[None]] = SimpleQueue()
        turns, at_work = Turns(), 0
        for whole in batches(jobs, options.jobs_per_container, options.workers, _places):
            batch = []
            for job in whole:
                if excess := job.excess():
                    yield job, find_too_large(job, excess)
                else:
                    batch.append(job)
            if not batch:
                continue
            pool.expect(len(batch))
            executor.submit(_judge, batch, pool, turns, options, found.put, on_start).add_done_callback(found.put)
            at_work += 1
            if at_work >= options.pool_size + options.workers:
                yield from _until_a_batch_ends(found)
                at_work -= 1
        for _ in range(at_work):
            yield from _until_a_batch_ends(found)


def _places(job: Job) -> int:
    return 1 + len(job.program) // BYTES_A_PLACE


def _until_a_batch_ends(found: SimpleQueue[Result | Future[None]]) -> Iterator[Result]:
    """Yield what is found until one of the batches at work has ended. Raises what ended it before its time."""
    while not isinstance(item := found.get(), Future):
        yield item
    item.result()


def _judge(
    jobs: list[Job],
    pool: Pool,
    turns: Turns,
    options: SandboxOptions,
    tell: Callable[[Result], None],
    on_start: Callable[[Job], object],
) -> None:
    """Judge `jobs` one after the other in one container; after a loss or a doubt the rest goes on in another one."""
    rest, expected = deque(jobs), True
    attempt, alone, outages = 1, 0, 0  # of the first of `rest`: its trial, how many were alone, and the engine's losses
    while rest:
        if not expected:
            pool.expect(len(rest))
        expected, fresh, fault = False, True, None
        try:
            with turns.taken(alone=alone > 0), pool.container() as container:
                messages = [job.message(options.limits) for job in islice(rest, 1 if alone else None)]
                for number, sent in enumerate(messages, 1):
                    on_start(rest[0])
                    spare = SpareCpu()
                    result = container.run(sent, options.limits.wall_seconds, islice(messages, number, None))
                    require_cpu(result, alone=alone > 0, spare=spare, used_outside=container.cpu_seconds)
                    finding = _find(rest[0], result, options, attempt)
                    if not fresh and _is_doubtful(finding, options):
                        break
                    tell((rest.popleft(), finding))
                    fresh, attempt, alone, outages = False, 1, 0, 0
                    if not container.takes_more:
                        break
        except EngineLostError as loss:
            outages += 1
            if outages == MAX_OUTAGES:
                fault = find_fault(rest[0], f"the engine was lost {outages} times: {loss}", attempt)
        except RunnerLostError as loss:
            if alone < TRIALS_ALONE.get(loss.reason, 0):
                alone, attempt = alone + 1, attempt + 1
                continue
            if not fresh:
                continue  # perhaps this job is only a victim of those that ran here before it
            if loss.reason != "fault" or attempt == options.attempts:
                fault = _find_loss(rest[0], loss, attempt)
            attempt += 1
        if fault is not None:
            tell((rest.popleft(), fault))
            attempt, alone, outages = 1, 0, 0


def _find_loss(job: Job, loss: RunnerLostError, attempt: int) -> Finding:
    if loss.reason in TRIALS_ALONE:
        return find_fault(job, f"{loss}; {REMEDY}", attempt)
    finding = find_fault(job, str(loss), attempt) if loss.reason == "fault" else find_lost(job, loss)
    return finding.tried(attempt)


def _is_doubtful(finding: Finding, options: SandboxOptions) -> bool:
    worked = finding.cpu_ms >= AT_WORK * options.limits.cpu_seconds * 1000
    return finding.outcome in DOUBTFUL and not worked


def _find(job: Job, result: Mapping[str, Any], options: SandboxOptions, attempt: int) -> Finding:
    if result["fault"]:
        return find_fault(job, result["fault"], attempt, "tests")
    return find(job, result, options.limits).tried(attempt)
