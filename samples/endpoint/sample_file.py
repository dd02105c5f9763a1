"""The file of a run's samples: it appends rows, and knows the samples that an earlier call has written."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ...analysis.extraction import Form, Mode, extract
from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.jsonl import JsonlAppender, Row, read_rows
from ...schemas.problems import Problem
from ..prompts import PromptMaker, method_of
from ..requests import Sampling, digest
from .answers import Answer


@dataclass(frozen=True, slots=True)
class Draw:
    """A sample that is wanted: which one, counted from 0, of which problem."""

    problem: Problem
    index: int


class EndpointSamples:
    """Writes the samples of `problems` to `out`, each synced to disk, and knows what stands there already.

    A context manager. `found` counts the samples in the file that are wanted. Raises InputError on opening for a row
    of other settings or another benchmark, naming the first that differs, and for a sample that stands twice; see also
    `JsonlAppender`. A file that was not there, and gets no row, is removed,
    with the folders that were made for it.
    """

    def __init__(
        self,
        out: Path,
        bench: Bench,
        maker: PromptMaker,
        sampling: Sampling,
        mode: Mode,
        host: str,
    ):
        self._out, self._bench, self._maker, self._mode, self._host = out, bench, maker, mode, host
        self._settings = _settings(maker, sampling, mode)
        self._file = JsonlAppender(out, first=["task_id"])
        try:
            self._found = self._read_found()
        except BaseException:
            self._file.close()
            raise

    @property
    def has_rows(self) -> bool:
        """Tell whether the file has a sample, which a server has answered with these settings."""
        return bool(self._found)

    def missing(self, problems: Sequence[Problem], n: int) -> Iterator[Draw]:
        """Yield what is wanted and not in the file, problem by problem."""
        for problem in problems:
            for index in range(n):
                if (problem.task_id, index) not in self._found:
                    yield Draw(problem, index)

    def count_missing(self, problems: Sequence[Problem], n: int) -> int:
        """Return how many samples `missing` yields."""
        return sum(1 for _ in self.missing(problems, n))

    def add(self, draw: Draw, answer: Answer) -> Mapping[str, Any]:
        """Write the sample that `answer` gives, and return its row. Raises EnvironmentFault when the disk refuses."""
        row = self._row(draw, answer)
        self._file.append(row)
        self._found.add((draw.problem.task_id, draw.index))
        return row

    def _row(self, draw: Draw, answer: Answer) -> dict[str, Any]:
        problem, prompt = draw.problem, self._maker.make(draw.problem)
        form: Form | None = "completion" if prompt.style == "complete" else None
        program = extract(answer.text, problem.prompt, problem.entry_point, self._mode, form).to_fields()
        return {
            "task_id": problem.task_id,
            **program,
            "sample_index": draw.index,
            **prompt.sample_fields(),
            **self._settings,
            "step": 0,
            **answer.to_fields(),
            "endpoint": self._host,
            "edittool": version("edittool"),
        }

    def _read_found(self) -> set[tuple[str, int]]:
        if self._out.stat().st_size == 0:
            return set()
        keys = Counter(self._checked(row) for row in read_rows(self._out, "sample"))
        twice = [key for key, count in keys.items() if count > 1]
        if twice:
            raise InputError(
                f"{self._out} holds sample {twice[0][1]} of {twice[0][0]} twice. Choose another output file."
            )
        return set(keys)

    def _checked(self, row: Row) -> tuple[str, int]:
        """Return the key of `row`. Raises InputError where it is of another run."""
        data, where = row.data, f"{self._out}, line {row.line}"
        for name in dict.fromkeys((*self._settings, *_ALWAYS)):
            wanted = self._settings.get(name)
            if data.get(name) != wanted:
                raise InputError(
                    f'{where} is of another run: its "{name}" is {data.get(name)!r}, and here it is {wanted!r}. '
                    "Choose another output file, or repeat that run's options."
                )
        problem = self._bench.problems.get(data["task_id"])
        if problem is None or data.get("prompt_sha256") != self._maker.make(problem).sha256():
            raise InputError(
                f"{where} is of another benchmark: {data['task_id']!r} with that prompt is not in {self._bench.name}. "
                "Choose another output file."
            )
        return data["task_id"], data.get("sample_index", 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.discard()  # still locked: nobody else can have begun to write it
        self._file.close()


# Settings that are looked at in a row also where this run leaves them out.
_ALWAYS = ("temperature", "top_p", "max_tokens", "seed", "extra_body_sha256", "template_sha256", "sampling_sha256")


def _settings(maker: PromptMaker, sampling: Sampling, mode: Mode) -> dict[str, Any]:
    """Return the fields that are the same in every row of a file; the last is their digest."""
    template = maker.template.sha256
    settings = {
        **sampling.settings(maker.style),
        "method": method_of(maker.docs),
        "docs": maker.docs,
        "api": "chat" if maker.style == "chat" else "completions",
        **({} if template is None else {"template_sha256": template}),
        "extract": mode,
    }
    return settings | {"sampling_sha256": digest(settings)}
