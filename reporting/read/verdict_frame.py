"""The data frame of all verdicts, which the tables are counted from; programs and messages are left out."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from ...schemas.bench import Bench
from ...schemas.problems import Problem
from ...schemas.verdicts import Verdict
from .edits import EditRecord, Edits
from .failures import failure_of
from .settings import Setting, active_changes, setting_of
from .verdict_files import unknown_task

SCHEMA = {
    "verdict": pl.UInt32,  # number of the verdict, in the order of reading
    "setting": pl.UInt32,  # place in Observations.settings
    "problem": pl.UInt32,  # rank of the problem by subset and task
    "task": pl.String,
    "subset": pl.String,
    "change": pl.String,  # the problem's own; null in specificity
    "active": pl.UInt32,  # place in Observations.sets: the changes that were active
    "edited": pl.UInt32,  # place in Observations.sets: the changes in the model, in their order
    "index": pl.Int64,  # sample_index; null where the verdict does not say
    "judged": pl.Boolean,
    "compile": pl.Boolean,
    "partial": pl.Boolean,
    "full": pl.Boolean,
    "outcome": pl.String,
    "failure": pl.String,  # see schemas.verdicts.FAILURES; null where it passed or was not judged
    "label": pl.String,
    "detail": pl.String,
    "called": pl.String,  # how the replacement was called, see schemas.verdicts.CALLED; null where not known
    "edit": pl.UInt32,  # place in Observations.edits: what the edit did to its own targets; null where not said
    "subjects": pl.Int64,  # requests of all edits in the model that have a subject; null where the row does not say
    "api_subjects": pl.Int64,  # those of them whose subject is the API
    "undone": pl.Boolean,  # whether an edit was taken out of the model again, for it was not finite
    "extraction": pl.String,  # how the program was taken out of the answer; null where the sample does not say
}


@dataclass(frozen=True, slots=True)
class Observations:
    """All verdicts of one benchmark: `frame` has a row for each, and the columns of SCHEMA.

    What an unedited model did on problems without a change stands twice where its other problems were judged in two
    worlds, "own" and "none": for these problems the two are the same. `frame.unique("verdict")` has each once.
    `unreadable_edits` counts the verdicts with a field `edit` that is no edit record.
    """

    bench: Bench
    frame: pl.DataFrame
    settings: tuple[Setting, ...]
    sets: tuple[tuple[str, ...], ...]
    edits: tuple[EditRecord, ...] = ()
    unreadable_edits: int = 0


def observe(
    bench: Bench,
    verdicts: Iterable[Verdict],
    on_verdict: Callable[[Verdict, Problem], object] = lambda verdict, problem: None,
) -> Observations:
    """Return the observations of `verdicts`, each sample once (`verdict_files.VerdictReader` sees to both).

    Verdicts are taken as they come; none is kept. `on_verdict` gets each, with its problem. Raises InputError for a
    task that `bench` does not have.
    """
    settings: dict[Setting, int] = {}
    sets: dict[tuple[str, ...], int] = {}
    edits = Edits()
    ranks = problem_ranks(bench)
    columns: dict[str, list[Any]] = {name: [] for name in SCHEMA}
    for number, verdict in enumerate(verdicts):
        problem = bench.find(verdict.task_id)
        if problem is None:
            raise unknown_task(verdict, bench)
        on_verdict(verdict, problem)
        setting = setting_of(verdict, problem, bench.changes.keys())
        places = {
            "verdict": number,
            "setting": settings.setdefault(setting, len(settings)),
            "active": _place(active_changes(verdict, problem), sets),
            "edited": _place(tuple(verdict.edited), sets),
            "problem": ranks[problem.task_id],
            "edit": edits.place(verdict.row),
        }
        for name, value in (places | _facts(verdict, problem)).items():
            columns[name].append(value)
    frame = pl.DataFrame(columns, schema=SCHEMA)
    found = Observations(bench, frame, tuple(settings), tuple(sets), edits.records(), edits.unreadable)
    return _settle(_sort_sets(found))


def _sort_sets(observations: Observations) -> Observations:
    """Number the sets of changes in their own order: then sums over units do not depend on the order of verdicts."""
    order = sorted(range(len(observations.sets)), key=observations.sets.__getitem__)
    ranks = np.argsort(order).astype(np.uint32)
    columns = [pl.Series(name, ranks[observations.frame[name].to_numpy()]) for name in ("active", "edited")]
    sets = tuple(observations.sets[place] for place in order)
    return replace(observations, frame=observations.frame.with_columns(columns), sets=sets)


def problem_ranks(bench: Bench) -> dict[str, int]:
    """Return the rank of each problem of `bench` among all, by subset and task."""
    ordered = sorted(bench.problems.values(), key=lambda problem: (problem.subset, problem.task_id))
    return {problem.task_id: rank for rank, problem in enumerate(ordered)}


def _place(changes: tuple[str, ...], sets: dict[tuple[str, ...], int]) -> int:
    return sets.setdefault(changes, len(sets))


def _facts(verdict: Verdict, problem: Problem) -> dict[str, Any]:
    judged = verdict.outcome != "sandbox_error"
    return {
        "task": problem.task_id,
        "subset": problem.subset,
        "change": problem.change_id,
        "index": verdict.sample_index,
        "judged": judged,
        "compile": judged and verdict.compiles,
        "partial": judged and verdict.tests_passed >= 1,
        "full": judged and verdict.tests_passed >= verdict.tests_total,
        "outcome": verdict.outcome,
        "failure": failure_of(verdict),
        "label": verdict.label if judged else None,
        "detail": _encodable(verdict.label_detail) if judged else None,
        "called": verdict.called if judged else None,
        **_subjects(verdict),
        "undone": bool(verdict.undone),
        "extraction": (verdict.extraction or {}).get("kind"),
    }


def _subjects(verdict: Verdict) -> dict[str, int | None]:
    """Return how many requests of the edits in the model are keyed on something, and how many on the API."""
    taught = verdict.row.get("taught")
    keyed_on = taught.get("keyed_on") if isinstance(taught, Mapping) else None
    if not isinstance(keyed_on, Mapping) or not all(type(count) is int for count in keyed_on.values()):
        return {"subjects": None, "api_subjects": None}
    return {"subjects": sum(keyed_on.values()), "api_subjects": keyed_on.get("api", 0)}


def _encodable(text: str | None) -> str | None:
    """Return `text` with lone surrogates, which a column cannot hold, written out."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _settle(observations: Observations) -> Observations:
    """Replace the world "either" of each row by "own", "none" or both: the worlds of its setting's other problems."""
    settings, frame = observations.settings, observations.frame
    unchanged = set(frame.filter(pl.col("change").is_null())["setting"].unique())
    in_worlds_of_edits = {settings[place] for place in unchanged}
    targets = [_targets(setting, settings, in_worlds_of_edits) for setting in settings]
    order = sorted({target for found in targets for target in found}, key=Setting.order)
    ranks = {setting: rank for rank, setting in enumerate(order)}
    pairs = [(place, ranks[target]) for place, found in enumerate(targets) for target in found]
    moves = pl.DataFrame(pairs, schema={"setting": pl.UInt32, "settled": pl.UInt32}, orient="row")
    frame = frame.join(moves, on="setting", maintain_order="left")
    frame = frame.with_columns(pl.col("settled").alias("setting")).select(SCHEMA.keys())
    return replace(observations, frame=frame, settings=tuple(order))


def _targets(setting: Setting, settings: Collection[Setting], in_worlds_of_edits: Collection[Setting]) -> list[Setting]:
    """Return the settings that the rows of `setting` count in.

    For those of the world "either": "own" and "none" where there are such, "own" if neither is. Where the unedited
    model was judged in the worlds of the edits (`in_worlds_of_edits`), those verdicts are its "own".
    """
    if setting.world != "either":
        return [setting]
    own, none = replace(setting, world="own"), replace(setting, world="none")
    found = [twin for twin in (own, none) if twin in settings]
    if none in found and own in in_worlds_of_edits:
        found = [none]
    return found or [own]
