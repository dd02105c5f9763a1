"""The file of a run's samples: it appends rows, and knows the samples that an earlier call has written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ...analysis.extraction import Form, extract
from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.jsonl import JsonlAppender, Row, read_rows
from ...schemas.problems import Problem
from ..success.record import EditRecord
from .drafts import Drafts
from .plan import Stage
from .sampling import Draw
from .settings import Run

Key = tuple[tuple[str, ...], str, int]  # the changes edited with, the task id, the sample's index
Identity = Mapping[str, Any]  # fields that are the same in every row of a run


class SampleWriter:
    """Writes the samples of `run`'s `stages` to `out`, each batch synced to disk, and knows what stands there already.

    A context manager. `total` counts the samples that are wanted, `done` those of them in the file. Raises InputError
    on opening for a row of another run (`identity`, the fields that all rows share) or benchmark, and for one that
    stands twice; see also `JsonlAppender`.
    """

    def __init__(
        self,
        out: Path,
        bench: Bench,
        stages: Sequence[Stage],
        run: Run,
        identity: Identity,
        drafts: Drafts | None = None,
    ):
        self.sampling, self._run = run.sampling, run
        self._bench, self._identity, self._drafts = bench, identity, drafts or {}
        self._file = JsonlAppender(out, first=["task_id"])
        try:
            self._found = _read_found(out, bench, identity, run)
        except BaseException:
            self._file.close()
            raise
        wanted = {_key(stage, draw) for stage in stages for draw in self._draws(stage)}
        self.total, self.done = len(wanted), len(wanted & self._found)

    def missing(self, stage: Stage) -> list[Draw]:
        """Return the draws of `stage` that the file lacks."""
        return [draw for draw in self._draws(stage) if _key(stage, draw) not in self._found]

    def add(
        self,
        stage: Stage,
        batch: Sequence[tuple[Draw, str]],
        undone: Sequence[str] = (),
        records: Sequence[EditRecord] = (),
    ) -> None:
        """Write `batch`. Raises EnvironmentFault when the disk refuses.

        `undone` has the changes of the stage whose edit was taken out of the model again, `records` are those of its
        edits, in their order: a row has that of its problem's own change, else that of the newest.
        """
        told = _Told(stage, undone, records)
        self._file.append(*(self._row(stage, draw, answer, told) for draw, answer in batch))
        self.done += len(batch)

    def _draws(self, stage: Stage) -> list[Draw]:
        """Return the draws of `stage`: the longest draft first, so that none goes on when all others have ended.

        Those without a draft follow by the length of their prompts: what is read together then has little padding.
        """
        problems = sorted(stage.problems, key=lambda problem: (len(problem.prompt), problem.task_id))
        draws = [
            Draw(
                problem.task_id,
                problem.prompt,
                index,
                problem.entry_point,
                self._drafts.get((problem.task_id, index), ""),
            )
            for problem in problems
            for index in range(self.sampling.n)
        ]
        return sorted(draws, key=lambda draw: -len(draw.draft))

    def _row(self, stage: Stage, draw: Draw, answer: str, told: "_Told") -> dict[str, Any]:
        problem = self._bench.problems[draw.task_id]
        question = self._run.question(problem, stage.edited)
        form: Form | None = "completion" if self._run.style == "complete" else None
        found = extract(answer, draw.prompt, draw.entry_point, self.sampling.extract, form)
        program = {name: value for name, value in found.to_fields().items() if name != "raw" or value != found.program}
        world = stage.world(problem)
        return {
            "task_id": draw.task_id,
            **program,
            "sample_index": draw.index,
            **({} if world is None else {"active_changes": list(world)}),
            **self._identity,
            "step": len(stage.edited),
            "edited": list(stage.edited),
            **told.of(problem),
            **({"docs_of": list(question.documented)} if self._run.method.told else {}),
            "prompt_sha256": question.sha256(),
            "edittool": version("edittool"),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


class _Told:
    """What the rows of a stage say of its edits."""

    def __init__(self, stage: Stage, undone: Sequence[str], records: Sequence[EditRecord]):
        self._stage: dict[str, Any] = {"undone": list(undone)} if undone else {}
        if (taught := stage.taught) is not None:
            self._stage["taught"] = taught
        self._newest = records[-1].to_fields() if records else None
        self._own = {change: record.to_fields() for record in records for change in record.changes}

    def of(self, problem: Problem) -> dict[str, Any]:
        """Return the fields of a row on `problem`."""
        record = self._own.get(problem.change_id or "", self._newest)
        return self._stage if record is None else {**self._stage, "edit": record}


def _key(stage: Stage, draw: Draw) -> Key:
    return stage.edited, draw.task_id, draw.index


def _read_found(out: Path, bench: Bench, identity: Identity, run: Run) -> set[Key]:
    if out.stat().st_size == 0:
        return set()
    keys = Counter(_checked(row, out, bench, identity, run) for row in read_rows(out, "sample"))
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise InputError(f"{out} holds sample {twice[0][2]} of {twice[0][1]} twice. Choose another output file.")
    return set(keys)


def _checked(row: Row, out: Path, bench: Bench, identity: Identity, run: Run) -> Key:
    if "luck" in identity and "luck" not in row.data:
        raise InputError(
            f"{out}, line {row.line} was sampled by an earlier edittool, whose random numbers were others: the same "
            "seed would go on with another luck. Choose another output file, or finish this one with that version."
        )
    if "requests" in identity and "target" in row.data:
        raise InputError(
            f"{out}, line {row.line} is of another run, by an earlier edittool: it says what was taught in the field "
            '"target", which is "requests" today. Choose another output file, or finish this one with that version.'
        )
    if "context_sha256" in identity and "edit" not in row.data:
        raise InputError(
            f"{out}, line {row.line} was sampled by an earlier edittool, which did not see whether edits took. Choose "
            "another output file, or finish this one with that version."
        )
    for name, value in identity.items():
        if row.data.get(name) != value:
            raise InputError(
                f'{out}, line {row.line} is of another run: its "{name}" is {row.data.get(name)!r}, and here it is '
                f"{value!r}. Choose another output file, or repeat that run's options."
            )
    extracted, mode = row.data.get("extraction", {}).get("mode"), run.sampling.extract
    if extracted != mode:
        raise InputError(
            f"{out}, line {row.line} is of another run: its program was extracted by {extracted!r}, and here it is "
            f"{mode!r}. Choose another output file, or repeat that run's --extract."
        )
    problem, edited = bench.problems.get(row.data["task_id"]), tuple(row.data.get("edited", ()))
    if problem is None or row.data.get("prompt_sha256") != run.question(problem, edited).sha256():
        raise InputError(
            f"{out}, line {row.line} is of another benchmark: {row.data['task_id']!r} with that prompt is not in "
            f"{bench.name}. Choose another output file."
        )
    return edited, row.data["task_id"], row.data.get("sample_index", 0)
