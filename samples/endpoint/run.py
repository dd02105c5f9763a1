"""A run: so many workers ask the server, and each answer is on the disk before its worker asks again."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...analysis.extraction import Mode
from ...schemas.bench import Bench
from ...schemas.errors import EdittoolError, EnvironmentFault
from ...schemas.problems import Problem
from ..prompts import PromptMaker
from ..requests import Sampling
from .answers import UNANSWERED, Answer, Failure
from .client import Client, Endpoint
from .sample_file import Draw, EndpointSamples

HELD = 8  # failures of the server, one after the other and beyond one for each worker, that end a run


@dataclass(slots=True)
class Summary:
    """What a run did: new samples by how they ended, and how many were there before.

    `finished` counts them by finish_reason, `failed` by the kind of failure, `extracted` by the kind of extraction.
    `unanswered` counts, by the kind of failure, requests that the server failed on for good, of which there is no
    sample; `example` is the first of them in words.
    """

    new: int = 0
    found: int = 0
    tries_again: int = 0
    finished: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    extracted: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    example: str = ""


def sample_endpoint(
    out: Path,
    bench: Bench,
    problems: Sequence[Problem],
    n: int,
    maker: PromptMaker,
    sampling: Sampling,
    endpoint: Endpoint,
    mode: Mode,
    *,
    observe: Callable[[int, int], object] = lambda done, total: None,
    tell: Callable[[str], object] = lambda line: None,
) -> Summary:
    """Sample `n` answers for each of `problems` into the JSONL file `out`; what stands there already is not done again.

    Each row is on the disk as soon as its answer is there, so any interruption keeps it. Of a request that the server
    failed on there is no row: the next call asks again. A prompt that it refuses becomes a row once it has answered
    another: a server that refuses everything has refused nothing by itself.

    Raises InputError for an `out` of another run and for a request that the server refuses whatever the prompt;
    EnvironmentFault for a server that is not there, busy for too long or fails on everything, and for a disk that
    refuses.
    """
    with EndpointSamples(out, bench, maker, sampling, mode, endpoint.host) as samples:
        total, missing = n * len(problems), samples.count_missing(problems, n)
        summary = Summary(found=total - missing)
        observe(total - missing, total)
        if missing:
            run = _Run(samples, summary, lambda done: observe(total - missing + done, total))
            asyncio.run(run.sample(samples.missing(problems, n), maker, sampling, endpoint, tell))
        return summary


class _Run:
    def __init__(self, samples: EndpointSamples, summary: Summary, observe: Callable[[int], object]):
        self._samples, self._summary, self._observe = samples, summary, observe
        self._held: list[tuple[Draw, Answer, Failure]] = []
        self._answered = False  # in this run: it is the server of now that has to work

    async def sample(
        self,
        draws: Iterator[Draw],
        maker: PromptMaker,
        sampling: Sampling,
        endpoint: Endpoint,
        tell: Callable[[str], object],
    ) -> None:
        fault: EdittoolError | None = None
        async with Client(endpoint, maker.style, tell, answered=self._samples.has_rows) as client:

            async def work() -> None:
                for draw in draws:  # one iterator for all workers
                    answer = await client.ask(sampling.body(maker.make(draw.problem), draw.index))
                    self._take(draw, answer, endpoint)

            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(endpoint.concurrency):
                        workers.create_task(work())
            except* EdittoolError as errors:
                fault = next(error for error in errors.exceptions if isinstance(error, EdittoolError))
            finally:
                self._summary.tries_again = client.tries_again
            if fault is not None:
                raise fault
            self._settle(endpoint)

    def _take(self, draw: Draw, answer: Answer, endpoint: Endpoint) -> None:
        failure = answer.failure
        refused = failure is not None and failure.kind == "bad_request"
        if failure is not None and (failure.kind in UNANSWERED or (refused and not self._knows_the_server())):
            self._held.append((draw, answer, failure))
            if len(self._held) >= HELD + endpoint.concurrency:
                raise self._nothing_works(endpoint)
            return
        self._write(draw, answer)
        if not refused:
            self._answered = True
            self._settle_held()

    def _knows_the_server(self) -> bool:
        return self._answered or self._samples.has_rows

    def _settle(self, endpoint: Endpoint) -> None:
        if self._held and not self._answered:
            raise self._nothing_works(endpoint)
        self._settle_held()

    def _nothing_works(self, endpoint: Endpoint) -> EnvironmentFault:
        task_ids = ", ".join(sorted({draw.problem.task_id for draw, _, _ in self._held})[:3])
        return EnvironmentFault(
            f"{endpoint.host} answered none of the last {len(self._held)} requests ({task_ids}, ...): "
            f"{self._held[-1][2].detail}. Look at the server's log. What was answered is kept: the same command goes "
            "on from here."
        )

    def _settle_held(self) -> None:
        """Write those that were refused, and count those that were not answered."""
        while self._held:
            draw, answer, failure = self._held[0]
            if failure.kind in UNANSWERED:
                self._summary.unanswered[failure.kind] += 1
                example = f"sample {draw.index} of {draw.problem.task_id}: {failure.detail}"
                self._summary.example = self._summary.example or example
            else:
                self._write(draw, answer)
            del self._held[0]

    def _write(self, draw: Draw, answer: Answer) -> None:
        row: Any = self._samples.add(draw, answer)
        self._summary.new += 1
        self._summary.extracted[row["extraction"]["kind"]] += 1
        if answer.failure is not None:
            self._summary.failed[answer.failure.kind] += 1
        else:
            self._summary.finished[answer.finish_reason or "no reason given"] += 1
        self._observe(self._summary.new)
