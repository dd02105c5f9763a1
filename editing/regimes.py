"""Regimes: which edits a model gets, and which problems are sampled from it; every sample goes to a file at once."""

import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.jsonl import JsonlAppender, Row, read_rows
from ..schemas.problems import Problem
from .context import EditContext
from .edit import Edit
from .hparams import Hparams
from .methods import Method
from .requests import requests_for
from .sampling import Draw, Sampling, sample

Regime = Literal["none", "instant"]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that decides what the samples are, besides the benchmark and the model's weights.

    `changes` limits the instant regime to these ids; `specificity_per_change` limits how many specificity problems
    each edit is sampled on.
    """

    model: str
    method: Method
    hparams: Hparams
    regime: Regime
    sampling: Sampling
    dtype: str = "float32"
    changes: tuple[str, ...] | None = None
    specificity_per_change: int | None = None

    def __post_init__(self) -> None:
        """Raise InputError for a method and a regime that do not go together, and for a negative number."""
        if (self.method.name == "none") != (self.regime == "none"):
            raise InputError(
                f"Method {self.method.name} and regime {self.regime} do not go together: the unedited model is "
                "`--method none --regime none`, and `instant` needs a method that edits."
            )
        if self.specificity_per_change is not None and self.specificity_per_change < 0:
            raise InputError(f"specificity_per_change must be 0 or more, not {self.specificity_per_change}.")

    def identity(self) -> dict[str, Any]:
        """Return the fields that are the same in every row of one output file."""
        hashed = {} if self.method.name == "none" else {"hparams_sha256": self.hparams.sha256()}
        return {
            "model": self.model,
            "dtype": self.dtype,
            "method": self.method.name,
            "regime": self.regime,
            **hashed,
            "seed": self.sampling.seed,
            "samples_per_problem": self.sampling.n,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "max_new_tokens": self.sampling.max_new_tokens,
            "specificity_per_change": self.specificity_per_change,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """One state of the model: edited with `change`, or unedited, and the problems sampled from it."""

    change: Change | None
    problems: tuple[Problem, ...]

    @property
    def edited(self) -> tuple[str, ...]:
        """Return the ids of the changes the model was edited with."""
        return () if self.change is None else (self.change.change_id,)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: samples in the file and in all, and what goes on, in words."""

    done: int
    total: int
    doing: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: new samples, those that were there before, edits made, changes that teach nothing."""

    new: int
    found: int
    edits: int
    untaught: tuple[str, ...]


Observer = Callable[[Progress], None]
Key = tuple[tuple[str, ...], str, int]  # the changes edited with, the task id, the sample's index


def plan(bench: Bench, run: Run) -> list[Stage]:
    """Return the stages of `run`, in the order of the change ids.

    Raises InputError for an unknown change. A change without reliability problems cannot be taught: it has no stage.
    """
    problems = sorted(bench.problems.values(), key=lambda problem: problem.task_id)
    if run.regime == "none":
        return [Stage(None, tuple(problems))]
    _refuse_unknown(bench, run.changes)
    stages = []
    for place, change_id in enumerate(sorted(bench.changes)):
        own = [problem for problem in problems if problem.change_id == change_id]
        chosen = run.changes is None or change_id in run.changes
        if chosen and any(problem.subset == "reliability" for problem in own):
            others = [problem for problem in problems if problem.subset == "specificity"]
            stages.append(Stage(bench.changes[change_id], (*own, *_share(others, place, run))))
    return stages


def _refuse_unknown(bench: Bench, changes: Sequence[str] | None) -> None:
    unknown = sorted(set(changes or ()) - bench.changes.keys())
    if unknown:
        raise InputError(
            f"The benchmark {bench.name} has no change {unknown[0]!r}. Its changes: {', '.join(sorted(bench.changes))}."
        )


def _share(problems: Sequence[Problem], place: int, run: Run) -> list[Problem]:
    """Return the specificity problems of the `place`-th change: the next k of a shuffled ring, so that all get a turn.

    The place is that among all changes, so a change keeps its share when only some changes are run.
    """
    k = run.specificity_per_change
    if k is None or k >= len(problems):
        return list(problems)
    ring = list(problems)
    random.Random(run.sampling.seed).shuffle(ring)  # noqa: S311 - a choice to repeat, no secret
    return [ring[(place * k + step) % len(ring)] for step in range(k)]


def run_regime(
    model: Any,
    tokenizer: Any,
    bench: Bench,
    run: Run,
    out: Path,
    *,
    save_edits: Path | None = None,
    observe: Observer = lambda progress: None,
) -> Summary:
    """Sample every stage of `run` into the JSONL file `out`; what stands there already is not done again.

    Each batch is on the disk before the next begins, so any interruption keeps it. With `save_edits`, each edit that
    is made is saved in that folder. Raises InputError when `out` is of another run or benchmark.
    """
    stages = plan(bench, run)
    with JsonlAppender(out) as file:
        found = _read_done(out, bench, run)
        wanted = {_key(stage, draw) for stage in stages for draw in _draws(stage, run.sampling.n)}
        total, done, edits = len(wanted), len(wanted & found), 0
        before = done
        for stage in stages:
            pending = [draw for draw in _draws(stage, run.sampling.n) if _key(stage, draw) not in found]
            if not pending:
                continue
            observe(Progress(done, total, _doing(stage, "editing")))
            with _edited(model, tokenizer, bench, stage, run) as edit:
                edits += edit is not None
                if edit is not None and save_edits is not None:
                    _save(edit, stage, run, save_edits)
                for batch in sample(model, tokenizer, pending, run.sampling):
                    file.append(*(_row(bench, stage, draw, completion, run) for draw, completion in batch))
                    done += len(batch)
                    observe(Progress(done, total, _doing(stage, "sampling")))
    return Summary(done - before, before, edits, _untaught(bench, run, stages))


def _draws(stage: Stage, n: int) -> list[Draw]:
    return [Draw(problem.task_id, problem.prompt, index) for problem in stage.problems for index in range(n)]


def _key(stage: Stage, draw: Draw) -> Key:
    return stage.edited, draw.task_id, draw.index


def _doing(stage: Stage, what: str) -> str:
    return "sampling the unedited model" if stage.change is None else f"{what} {stage.change.change_id}"


def _untaught(bench: Bench, run: Run, stages: Sequence[Stage]) -> tuple[str, ...]:
    if run.regime == "none":
        return ()
    wanted = bench.changes.keys() if run.changes is None else set(run.changes)
    return tuple(sorted(wanted - {change_id for stage in stages for change_id in stage.edited}))


@contextlib.contextmanager
def _edited(model: Any, tokenizer: Any, bench: Bench, stage: Stage, run: Run) -> Iterator[Edit | None]:
    if stage.change is None:
        yield None
        return
    requests = requests_for(bench, stage.change)
    with run.method.teach(model, tokenizer, requests, run.hparams.values, EditContext()) as edit:
        yield edit


def _save(edit: Edit, stage: Stage, run: Run, folder: Path) -> None:
    (change_id,) = stage.edited
    about = {"change_id": change_id, "model": run.model, "hparams_sha256": run.hparams.sha256()}
    edit.save(folder / f"{quote(change_id, safe='')}.safetensors", about)


def _row(bench: Bench, stage: Stage, draw: Draw, completion: str, run: Run) -> dict[str, Any]:
    world = {} if stage.change is None else {"active_changes": list(stage.edited)}
    return {
        "task_id": draw.task_id,
        "completion": completion,
        "sample_index": draw.index,
        **world,
        **run.identity(),
        "step": len(stage.edited),
        "edited": list(stage.edited),
        "prompt_sha256": _sha256(draw.prompt),
        "edittool": version("edittool"),
    }


def _read_done(out: Path, bench: Bench, run: Run) -> set[Key]:
    """Return what `out` holds, after checking that each row is of this run and of this benchmark."""
    if out.stat().st_size == 0:
        return set()
    identity = run.identity()
    keys = Counter(_checked(row, out, bench, identity) for row in read_rows(out, "sample"))
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise InputError(f"{out} holds sample {twice[0][2]} of {twice[0][1]} twice. Choose another output file.")
    return set(keys)


def _checked(row: Row, out: Path, bench: Bench, identity: Mapping[str, Any]) -> Key:
    for name, value in identity.items():
        if row.data.get(name) != value:
            raise InputError(
                f'{out}, line {row.line} is of another run: its "{name}" is {row.data.get(name)!r}, and here it is '
                f"{value!r}. Choose another output file, or repeat that run's options."
            )
    problem = bench.problems.get(row.data["task_id"])
    if problem is None or row.data.get("prompt_sha256") != _sha256(problem.prompt):
        raise InputError(
            f"{out}, line {row.line} is of another benchmark: {row.data['task_id']!r} with that prompt is not in "
            f"{bench.name}. Choose another output file."
        )
    return tuple(row.data.get("edited", ())), row.data["task_id"], row.data.get("sample_index", 0)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
