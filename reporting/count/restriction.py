"""Restricting a report to changes whose edit took, or problems that the unedited model solves; what that leaves out."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from ...schemas.errors import InputError
from ..options import Options
from ..read.verdict_frame import Observations
from .comparison import Named, Study


def restricted(observations: Observations, options: Options) -> tuple[Observations, tuple[str, ...]]:
    """Return the observations that `options` leave for the tables, and sentences that say what they leave out.

    Raises InputError where no verdict tells what is asked for, or nothing is left.
    """
    notes: list[str] = []
    for wanted, restrict in ((options.only_taken, _to_taken), (options.solved_by_baseline, _to_solved)):
        if wanted:
            frame, said = restrict(Study(observations, options))
            observations = _with_rows(observations, frame)
            notes += said
    if notes and observations.frame.is_empty():
        raise InputError("Nothing is left to report. " + " ".join(notes))
    return observations, tuple(notes)


def _with_rows(observations: Observations, frame: pl.DataFrame) -> Observations:
    """Return `observations` with the rows of `frame` alone, and without the settings that have none there."""
    places = sorted(frame["setting"].unique())
    ranks = pl.col("setting").replace_strict(places, range(len(places)), return_dtype=pl.UInt32)
    settings = tuple(observations.settings[place] for place in places)
    return replace(observations, frame=frame.with_columns(ranks) if places else frame, settings=settings)


def _to_taken(study: Study) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows of unedited models, and those of edited ones whose edit took wholly.

    A row on a problem of an edited change speaks of the edit of that change. Any other row has the record of the newest
    edit: one of a specificity problem counts with that in the instant regime. In a sequence its model has many edits,
    and it counts whatever became of the newest.
    """
    if not study.observations.edits:
        raise InputError(
            "--only-taken: no verdict says whether its edit took (the field `edit`). Samples of an earlier version "
            "lack it: edit and sample again, or leave the option out."
        )
    records = study.observations.edits
    wholly = {place for place, record in enumerate(records) if record.took == "wholly"}
    took = pl.col("edit").is_in(sorted(wholly)).fill_null(False)
    edited = [named.place for named in study.settings if named.setting.edited]
    in_sequence = [named.place for named in study.settings if named.setting.edited and named.setting.in_sequence]
    kept = took | ~pl.col("setting").is_in(edited)
    kept |= pl.col("setting").is_in(in_sequence) & pl.col("change").is_null()
    return study.frame.filter(kept), list(_taken_notes(study, wholly))


def _taken_notes(study: Study, wholly: set[int]) -> Iterator[str]:
    said = [_share_taken(study, named, wholly) for named in study.ends if named.setting.edited]
    yield (
        "Only edits that took wholly are in the tables of the research questions (--only-taken). Left of the changes "
        f"with verdicts: {'; '.join(dict.fromkeys(said)) or 'no edited model is among the verdicts'}."
    )
    yield "Settings with other changes left cannot be held against each other: each has its own."


def _share_taken(study: Study, named: Named, wholly: set[int]) -> str:
    rows = study.rows(named).filter(pl.col("change").is_not_null())
    taken = rows.filter(pl.col("edit").is_in(sorted(wholly)))["change"].n_unique()
    model = f"{named.setting.model} " if named.setting.model else ""
    return f"{model}{named.name} ({named.setting.regime or 'no regime'}) {taken} of {rows['change'].n_unique()}"


def _to_solved(study: Study) -> tuple[pl.DataFrame, list[str]]:
    """Return the rows on problems that the unedited model of their setting passes with no change active."""
    solved = {named.place: study.solved(named.setting) for named in study.settings}
    if all(tasks is None for tasks in solved.values()):
        raise InputError(
            "--solved-by-baseline: no verdict says what the unedited model does with no change active. Judge its "
            "samples so (`edittool judge BENCH UNEDITED -o FILE --world none`) and give that file too."
        )
    pairs = [(place, task) for place, tasks in solved.items() for task in sorted(tasks or ())]
    left = pl.DataFrame(pairs, schema={"setting": pl.UInt32, "task": pl.String}, orient="row")
    frame = study.frame.join(left, on=["setting", "task"], how="semi", maintain_order="left")
    before, after = study.frame["task"].n_unique(), frame["task"].n_unique()
    notes = [
        "Only problems that the unedited model passes with no change active, in at least half of its samples, are in "
        f"the tables (--solved-by-baseline): {after} of {before} with verdicts."
    ]
    if silent := sum(tasks is None for tasks in solved.values()):
        notes.append(f"{silent} settings have no such verdicts of their unedited model, and are left out.")
    return frame, notes
