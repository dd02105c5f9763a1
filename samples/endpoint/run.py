"""A run: so many workers ask the server, and each answer is on the disk before its worker asks again."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
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
from .stopping import run_until_stopped

# So many failures without an answer between them, beyond one for each worker, and on so many problems, end a run.
HELD, HELD_PROBLEMS = 8, 4
HELD_BACK = UNANSWERED | {"bad_request"}  # a server that refuses everything has refused nothing by itself


@dataclass(slots=True)
class Summary:
    """What a run did: new samples by how they ended, and how many were there before.

    `finished` counts them by finish_reason, `failed` by the kind of failure, `extracted` by the kind of extraction.
    `unanswered` counts, by the kind of failure, requests of which there is no sample: the server failed on them for
    good, or refused them and answered no other. `example` is the first of them in words.
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
    failed on there is no row: the next call asks again. A prompt that it refuses becomes a row once this call has had
    an answer to another: after it, or before it and the call comes to its end.

    Raises InputError for an `out` of another run and for a request that the server refuses whatever the prompt;
    EnvironmentFault for a server that is not there, busy for too long or fails on everything, and for a disk that
    refuses.
    """
    with EndpointSamples(out, bench, maker, sampling, mode, endpoint.host) as samples:
        total, missing = n * len(problems), samples.count_missing(problems, n)
        summary = Summary(found=total - missing)
        observe(total - missing, total)
        if missing:
            run = _Run(samples, summary, endpoint, lambda done: observe(total - missing + done, total))
            run_until_stopped(run.sample(samples.missing(problems, n), maker, sampling, tell))
        return summary


@dataclass(frozen=True, slots=True)
class _Held:
    """A failure that no answer has followed yet."""

    draw: Draw
    answer: Answer
    failure: Failure


class _Run:
    """What was asked is `_waiting` to be answered, or failed and is `_held` until the server has answered another."""

    def __init__(
        self, samples: EndpointSamples, summary: Summary, endpoint: Endpoint, observe: Callable[[int], object]
    ):
        self._samples, self._summary, self._endpoint, self._observe = samples, summary, endpoint, observe
        self._waiting: deque[Draw] = deque()
        self._held: list[_Held] = []
        self._went_on = samples.has_rows
        self._answered = False  # in this run: it is the server of now that has to work

    async def sample(
        self, draws: Iterable[Draw], maker: PromptMaker, sampling: Sampling, tell: Callable[[str], object]
    ) -> None:
        fault: EdittoolError | None = None
        self._waiting.extend(draws)
        async with Client(self._endpoint, maker.style, tell, answered=self._went_on) as client:

            async def work() -> None:
                while self._waiting:
                    draw = self._waiting.popleft()
                    answer = await client.ask(sampling.body(maker.make(draw.problem), draw.index))
                    self._take(draw, answer)

            try:
                async with asyncio.TaskGroup() as workers:
                    for _ in range(self._endpoint.concurrency):
                        workers.create_task(work())
            except* EdittoolError as errors:
                fault = next(error for error in errors.exceptions if isinstance(error, EdittoolError))
            finally:
                self._summary.tries_again = client.tries_again
            if fault is not None:
                raise fault
            self._settle()

    def _take(self, draw: Draw, answer: Answer) -> None:
        failure = answer.failure
        if failure is None or failure.kind not in HELD_BACK:
            self._write(draw, answer)
            self._answered = True
            self._settle_held()
            return
        self._held.append(_Held(draw, answer, failure))
        self._put_off(draw.problem)
        many = len(self._held) >= HELD + self._endpoint.concurrency
        if many and len({held.draw.problem.task_id for held in self._held}) >= HELD_PROBLEMS:
            raise self._nothing_works()

    def _put_off(self, problem: Problem) -> None:
        """Ask for the rest of the samples of `problem` last: whether others fail too is then known soon."""
        rest = [draw for draw in self._waiting if draw.problem.task_id == problem.task_id]
        if rest and len(rest) < len(self._waiting):
            others = [draw for draw in self._waiting if draw.problem.task_id != problem.task_id]
            self._waiting = deque(others + rest)

    def _settle(self) -> None:
        if self._held and not self._answered and not self._went_on:
            raise self._nothing_works()
        self._settle_held()

    def _nothing_works(self) -> EnvironmentFault:
        task_ids = sorted({held.draw.problem.task_id for held in self._held})
        named = ", ".join(task_ids[:3]) + ", ..." * (len(task_ids) > 3)
        refused = all(held.failure.kind == "bad_request" for held in self._held)
        remedy = "The prompt may be longer than the model's context" if refused else "Look at the server's log"
        return EnvironmentFault(
            f"{self._endpoint.host} answered none of the last {len(self._held)} requests ({named}): "
            f"{self._held[-1].failure.detail.rstrip('.')}. {remedy}. What was answered is kept: the same command goes "
            "on from here."
        )

    def _settle_held(self) -> None:
        """Write those that a server which answers has refused, and count those that it did not answer."""
        while self._held:
            held = self._held[0]
            if held.failure.kind in UNANSWERED or not self._answered:
                self._summary.unanswered[held.failure.kind] += 1
                example = f"sample {held.draw.index} of {held.draw.problem.task_id}: {held.failure.detail}"
                self._summary.example = self._summary.example or example
            else:
                self._write(held.draw, held.answer)
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
