"""Did the edits take? What each edit did to its own targets, counted once however many rows say so."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl

from ..count.comparison import Named, Study, names_of
from ..read.edit_journals import EditCosts
from ..read.edits import TOOK, TOOK_IN_WORDS, EditRecord, Took
from ..read.settings import Setting
from ..table.table import Cell, Column, Kind, Row, Table
from .columns import IDENTITY, STEP, identify

EDIT_IDENTITY = tuple(column for column in IDENTITY if column.name != "world")
_WHEN = {"before": "before the edit", "after": "right after it", "now": "in a sequence, at this step"}


@dataclass(frozen=True, slots=True)
class Made:
    """The edits of one state of a model: one record for each set of changes, in their order.

    `named` is the setting that stands for them. `changes`: those that were edited, with a record or without.
    `disagreeing`: how many changes have several records, of which the first counts. `on_api`: the share of the
    requests that are keyed on the API, of those that are keyed on something.
    """

    named: Named
    records: tuple[EditRecord, ...]
    changes: int
    disagreeing: int
    on_api: float | None


def edits_made(study: Study) -> dict[Setting, Made]:
    """Return the edits of every state of an edited model, by the setting without its world."""
    states: dict[Setting, list[Named]] = {}
    for named in study.settings:
        if named.setting.edited:
            states.setdefault(named.setting.model_state, []).append(named)
    names = names_of(states)
    return {
        state: _made(study, Named(several[0].place, state, names[state]), several) for state, several in states.items()
    }


def _made(study: Study, named: Named, several: Sequence[Named]) -> Made:
    known, sets = study.observations.edits, study.observations.sets
    places = {place for one in several for place in study.rows(one)["edit"].drop_nulls().unique()}
    found: dict[tuple[str, ...], list[EditRecord]] = {}
    for record in sorted((known[place] for place in places), key=lambda record: (record.changes, repr(record))):
        found.setdefault(record.changes, []).append(record)
    edited = {name for one in several for place in study.rows(one)["edited"].unique() for name in sets[place]}
    return Made(
        named=named,
        records=tuple(records[0] for records in found.values()),
        changes=len(edited | {name for changes in found for name in changes}),
        disagreeing=sum(len(records) > 1 for records in found.values()),
        on_api=_keyed_on_api(study, several),
    )


def _keyed_on_api(study: Study, several: Sequence[Named]) -> float | None:
    """Return the share over all edits: every row counts those of its model, so each edited model counts once."""
    rows = pl.concat([study.rows(one).select("edited", "subjects", "api_subjects") for one in several])
    known = rows.drop_nulls().group_by("edited").max()
    return _share(int(known["api_subjects"].sum()), int(known["subjects"].sum()))


def edit_rows(made: Mapping[Setting, Made], costs: EditCosts) -> dict[Setting, Row]:
    """Return the rows of the table of edits, by the state of the model that each speaks of."""
    return {state: _row(one, costs) for state, one in made.items()}


def edit_table(study: Study, made: Mapping[Setting, Made], rows: Mapping[Setting, Row], costs: EditCosts) -> Table:
    """Return how the edits of every state of a model took; a terminal shows the last step of each sequence."""
    ends = {named.setting.model_state for named in study.ends}
    return Table(
        "edits",
        "edits",
        "Did the edits take? What they did to their own targets",
        (*EDIT_IDENTITY, STEP, *EDIT_COLUMNS),
        tuple(rows.values()),
        tuple(_notes(study, made, costs)),
        brief=_last_steps([row for state, row in rows.items() if state in ends]),
    )


def _last_steps(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the last of `rows` of each sequence: its samples may end at another step in another world."""
    last: dict[tuple[Cell, ...], Row] = {}
    for row in sorted(rows, key=lambda one: one["step"] if isinstance(one["step"], int) else 0):
        last[tuple(row[column.name] for column in EDIT_IDENTITY)] = row
    return tuple(row for row in rows if any(row is one for one in last.values()))


def _three(name: str, header: str, kind: Kind, description: str, shown: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of what was measured before the edit, after it, and now; those not `shown` are details."""
    return tuple(
        Column(f"{name}_{when}", f"{header} {when}", kind, f"{description}, {words}.", detail=when not in shown)
        for when, words in _WHEN.items()
    )


_TARGETS = (
    Column("targets", "targets", "count", "Requests that the edits were taught by, each with a target to be written."),
    *_three("learned", "learned", "count", "Targets that the model writes whole, greedily", tuple(_WHEN)),
    *_three("nll", "NLL", "ratio", "Negative log-likelihood per target token, in nats", tuple(_WHEN)),
    *_three("greedy_tokens", "greedy tokens", "percent", "Target tokens that are the model's first choice", ["after"]),
    *_three("first_rank", "first rank", "ratio", "Rank of a target's first token, 1 for the first choice; median", []),
    Column("norm", "norm", "percent", "Norm of the change, of that of the weights it is in; the median over edits."),
    Column("rounded", "rounded", "percent", "What rounding to the weights' type took, of the change; the median."),
)
_COSTS = (
    Column("seconds", "seconds", "ratio", "Seconds that an edit took, the median; from --edits."),
    Column("peak_memory_mib", "memory MiB", "ratio", "Most GPU memory that an edit took, in MiB; from --edits."),
)
_TOOK_COLUMNS: dict[Took, str] = {"wholly": "took_wholly", "in part": "took_in_part", "not": "took_not"}
EDIT_COLUMNS = (
    Column("changes", "changes", "count", "Changes that the model was edited with, at one time or another."),
    Column(
        "edits", "edits made", "count", "Edits with a record; one that teaches several changes is one.", detail=True
    ),
    *(
        Column(name, word if word != "wholly" else "took wholly", "count", f"Edits after which {TOOK_IN_WORDS[word]}.")
        for word, name in _TOOK_COLUMNS.items()
    ),
    *(
        Column(f"{name}_share", f"{word}, share", "percent", f"{name} of the edits made.", detail=word != "wholly")
        for word, name in _TOOK_COLUMNS.items()
    ),
    Column("targets_per_change", "targets a change", "ratio", "Targets of an edit, by its changes; mean.", detail=True),
    Column("keyed_on_api", "keyed on API", "percent", "Requests keyed on the API, of those keyed on something."),
    *_TARGETS,
    Column("learned_share", "learned, share", "percent", "learned_after of the targets.", detail=True),
    Column("kept_share", "kept, share", "percent", "learned_now of the targets, in a sequence.", detail=True),
    Column("not_finite", "not finite", "count", "Edits after which the NLL is NaN or infinite.", detail=True),
    *_COSTS,
)


def _row(made: Made, costs: EditCosts) -> Row:
    records = made.records
    counts = Counter(record.took for record in records)
    cells = _targets(records)
    return {
        **_identity(made.named),
        "changes": made.changes,
        "edits": len(records),
        **{name: counts[word] if records else None for word, name in _TOOK_COLUMNS.items()},
        **{f"{name}_share": _share(counts[word], len(records)) for word, name in _TOOK_COLUMNS.items()},
        "targets_per_change": _mean([record.requests / len(record.changes) for record in records]),
        "keyed_on_api": made.on_api,
        **cells,
        "learned_share": _share(cells["learned_after"], cells["targets"]),
        "kept_share": _share(cells["learned_now"], cells["targets"]),
        "not_finite": sum(record.nll_after is None for record in records) if records else None,
        **_costs(made.named, records, costs),
    }


def _identity(named: Named) -> dict[str, Cell]:
    return {name: cell for name, cell in identify(named).items() if name != "world"} | {"step": named.setting.step}


def _targets(records: Sequence[EditRecord]) -> dict[str, int | float | None]:
    """Return the cells of _TARGETS over `records`: sums, means over target tokens, medians over edits."""
    cells: dict[str, int | float | None] = {"targets": sum(r.requests for r in records) if records else None}
    for when in _WHEN:
        learned = _known(records, f"learned_{when}")
        cells[f"learned_{when}"] = int(sum(learned)) if learned else None
        for name in ("nll", "greedy_tokens"):
            cells[f"{name}_{when}"] = _over_tokens(records, name, when)
    for name in (*(f"first_rank_{when}" for when in _WHEN), "norm", "rounded"):
        cells[name] = _median(_known(records, name))
    return cells


def _costs(named: Named, records: Sequence[EditRecord], costs: EditCosts) -> dict[str, Cell]:
    found = [cost for record in records if (cost := costs.of(named.setting, record))]
    memory = [cost.peak_memory_mib for cost in found if cost.peak_memory_mib is not None]
    return {
        "seconds": _median([cost.seconds for cost in found if cost.seconds is not None]),
        "peak_memory_mib": max(memory, default=None),
    }


def _known(records: Sequence[EditRecord], name: str) -> list[float]:
    return [value for record in records if (value := getattr(record, name)) is not None]


def _over_tokens(records: Sequence[EditRecord], name: str, when: str) -> float | None:
    """Return the mean over the target tokens of the records that have the number at all times: the same ones at each.

    An edit after which it is not finite would else be in the mean before, and not in the one after.
    """
    known = [record for record in records if _is_whole(record, name) and getattr(record, f"{name}_{when}") is not None]
    tokens = sum(record.target_tokens for record in known)
    return (
        sum(getattr(record, f"{name}_{when}") * record.target_tokens for record in known) / tokens if tokens else None
    )


def _is_whole(record: EditRecord, name: str) -> bool:
    times = [when for when in _WHEN if when != "now" or record.learned_now is not None]
    return all(getattr(record, f"{name}_{when}") is not None for when in times)


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _median(values: Sequence[float]) -> float | None:
    return float(median(values)) if values else None


def _notes(study: Study, made: Mapping[Setting, Made], costs: EditCosts) -> Iterator[str]:
    if not made:
        yield "No edited model is among the verdicts."
        return
    silent = [one.named.name for one in made.values() if not one.records]
    if silent:
        yield (
            f"Not known of {len(silent)} of {len(made)} edited models ({_listed(silent)}): their verdicts have no edit "
            "record. Samples of an earlier version lack it; edit and sample again to have it."
        )
    if len(silent) == len(made):
        return
    yield (
        "An edit took wholly where the edited model writes all of its targets greedily, in part where some. A target "
        "is what a request asks the edit to teach; one learned before was known already."
    )
    partial = [one for one in made.values() if one.records and one.changes > _recorded(one)]
    if partial:
        yield (
            f"Of {sum(one.changes - _recorded(one) for one in partial)} of the edited changes no verdict says how "
            "their edit took, for none is on a problem of theirs: they are in `changes` alone."
        )
    if infinite := sum(record.nll_after is None for one in made.values() for record in one.records):
        edits = sum(len(one.records) for one in made.values())
        yield f"After {infinite} of {edits} edits the NLL is NaN or infinite: these are in no mean, before or after."
    if disagreeing := sum(one.disagreeing for one in made.values()):
        yield f"Edits with several records in one setting (several runs), of which one counts: {disagreeing}."
    if unreadable := study.observations.unreadable_edits:
        yield f"Verdicts with a field `edit` that is no edit record, and is not read: {unreadable}."
    if not costs.sources:
        yield "Seconds and memory are in the journals beside the samples: give them with --edits STEM.edits.jsonl."


def _recorded(made: Made) -> int:
    return len({name for record in made.records for name in record.changes})


def _listed(names: Sequence[str]) -> str:
    several = list(dict.fromkeys(names))
    return ", ".join(several[:5]) + (f" and {len(several) - 5} more" if len(several) > 5 else "")


def change_edit_table(study: Study, made: Mapping[Setting, Made], costs: EditCosts) -> Table:
    """Return how each edit took, of each sequence at its last sampled step."""
    ends = {named.setting.model_state for named in study.ends}
    rows = [
        _record_row(one.named, record, costs) for state, one in made.items() if state in ends for record in one.records
    ]
    columns = (*EDIT_IDENTITY, STEP, *_OF_CHANGE, *_TARGETS, *_COSTS)
    return Table(
        "edits_by_change", "edits", "How each edit took", columns, tuple(rows), () if rows else (NO_RECORD,), brief=()
    )


NO_RECORD = "No verdict of an edited model has an edit record."
_OF_CHANGE = (
    Column("change", "change", "text", "The change; of an edit that taught several at once, all of them."),
    Column("took", "took", "text", "; ".join(f"{word}: {TOOK_IN_WORDS[word]}" for word in TOOK) + "."),
)


def _record_row(named: Named, record: EditRecord, costs: EditCosts) -> Row:
    return {
        **_identity(named),
        "change": ", ".join(record.changes),
        "took": record.took,
        **_targets([record]),
        **{f"nll_{when}": getattr(record, f"nll_{when}") for when in _WHEN},  # of an edit that left NaN too
        **_costs(named, [record], costs),
    }
