"""Finds the problems of samples, and keeps account of samples whose problem the benchmark does not have."""

import difflib
import json
from collections import Counter
from typing import Final

from ..schemas.bench import Bench
from ..schemas.errors import InputError
from ..schemas.problems import Problem

NOT_IN_BENCHMARK: Final = "not_in_benchmark"  # the reason where the benchmark has no record of one
REMEDY: Final = (
    "Give the benchmark that the samples were made for, or leave these samples out, counted, with --skip-unknown."
)
_NAMED: Final = 5  # ids that an error names of each reason
_KEPT: Final = 10_000  # ids that are kept apart


class Tasks:
    """The problems of `bench`, for the samples of one file.

    `unknown` counts the samples without a problem by the reason for which the benchmark left it out.
    """

    def __init__(self, bench: Bench):
        self._bench = bench
        self.unknown: Counter[str] = Counter()
        self._first = ""  # where the first of them stands
        self._samples: Counter[str] = Counter()  # by the id that they have

    def find(self, task_id: str, where: str) -> Problem | None:
        """Return the problem that a sample answers; None, and counted, where the benchmark lacks it.

        Raises InputError, saying `where`, for a name or number that may mean several.
        """
        problem = self._bench.find(task_id)
        if problem is None:
            several = self._bench.candidates(task_id)
            if several:
                raise InputError(
                    f'{where}: field "task_id" is {json.dumps(task_id)}, which may be {" or ".join(several)}. Write '
                    "the whole id, or have `edittool import` find it by prompt and entry point."
                )
            self._first = self._first or where
            self.unknown[self._reason(task_id)] += 1
            if task_id in self._samples or len(self._samples) < _KEPT:
                self._samples[task_id] += 1
        return problem

    def _reason(self, task_id: str) -> str:
        rejection = self._bench.rejection(task_id)
        return NOT_IN_BENCHMARK if rejection is None else rejection.reason

    def check(self, remedy: str) -> None:
        """Raise InputError, naming ids and reasons and ending in `remedy`, where samples have no problem."""
        if not self.unknown:
            return
        by_reason: dict[str, list[str]] = {}
        for task_id in self._samples:
            by_reason.setdefault(self._reason(task_id), []).append(task_id)
        kinds = "; ".join(self._describe(reason, ids) for reason, ids in sorted(by_reason.items()))
        more = f", the first of {self.unknown.total()} such samples" * (self.unknown.total() > 1)
        raise InputError(
            f'{self._first}{more}: field "task_id" names a problem that the benchmark {self._bench.name!r} does not '
            f"have: {kinds}. {remedy}"
        )

    def _describe(self, reason: str, ids: list[str]) -> str:
        names = ", ".join(map(json.dumps, ids[:_NAMED])) + (f" and {len(ids) - _NAMED} more" * (len(ids) > _NAMED))
        if reason == NOT_IN_BENCHMARK:
            return f"{names} (not known to it{self._hint(ids[0])})"
        first = self._bench.rejection(ids[0])
        return f"{names} (left out when it was built: {reason}{f', {first.detail}' if first else ''})"

    def _hint(self, task_id: str) -> str:
        if spelled := self._bench.names.nearest(task_id):
            return f": did you mean {spelled}? `edittool import` reads such spellings"
        near = difflib.get_close_matches(task_id, self._bench.problems, n=1, cutoff=0.7)
        return f": did you mean {near[0]}?" if near else ""
