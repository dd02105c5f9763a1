"""The findings: one sentence for each row of the overview, made of the numbers that stand in it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ..count.comparison import Named, Study
from ..finding import Finding
from ..read.settings import Setting
from ..table.format import format_scalar
from ..table.layout import MAX_TEXT
from ..table.table import Cell, Column, Estimate, Row, Scalar, Table
from .answers import ANSWERS
from .columns import identify
from .edits import EDIT_COLUMNS

_WORLDS = {
    "own": "",
    "none": "with no change active",
    "edited": "with the edited changes active",
    "all": "with all changes active",
    "other": "with other changes active",
}


def findings(
    study: Study, overview: Table, answers: Table | None, edits: Mapping[Setting, Row] | None = None
) -> tuple[Finding, ...]:
    """Return the finding of each row of `overview`, in their order.

    `answers` has the words for single changes, `edits` the rows of the table of edits, by the state of the model.
    """
    columns = {column.name: column for column in (*overview.columns, *EDIT_COLUMNS)}
    words = list(answers.rows) if answers else []
    return tuple(
        _finding(study, named, row, columns, words, edits or {})
        for named, row in zip(study.ends, overview.rows, strict=True)
    )


def reading_of(overview: Table) -> str:
    """Return how the findings made of `overview` are to be read; "" where there are none."""
    if not overview.rows:
        return ""
    sentences = [
        "In brackets: 95 % intervals over problems, not over samples; none where no subset has two problems, and one "
        "without width where all problems of a subset came out alike, which is no proof that others would."
    ]
    if any(row["labelled"] for row in overview.rows):
        sentences.append(
            "Correctly means that a program passes and needs what the replacement returned: correct adoption."
        )
    return " ".join(sentences)


def _finding(
    study: Study,
    named: Named,
    row: Row,
    columns: Mapping[str, Column],
    answers: Sequence[Row],
    edits: Mapping[Setting, Row],
) -> Finding:
    setting = named.setting
    about = {**identify(named), "step": setting.step}
    words = Counter(str(one["answer"]) for one in answers if all(one[name] == about[name] for name in about))
    subject = ", ".join(_subject(named))
    found = "; ".join(_clauses(study, named, _Shown(row, columns), words))
    if setting.edited:
        took = _took(_Shown(edits.get(setting.model_state, {}), columns))
        found = f"{took}. {'It ' if found.startswith('correctly') else ''}{found}"
    text = f"{subject}: {found}."
    return Finding(
        model=setting.model,
        method=named.name,
        regime=setting.regime,
        world=setting.world,
        step=setting.step,
        edited=study.is_compared(setting),
        text=text[:1].upper() + text[1:],
    )


def _took(shown: "_Shown") -> str:
    """Return whether the edits took, in words: what comes before anything about adoption."""
    edits = shown.count("edits")
    if not edits:
        return "whether its edits took is not recorded"
    kinds = (("took_wholly", "took wholly"), ("took_in_part", "in part"), ("took_not", "not"))
    counts = [f"{shown.count(name)} {word}" for name, word in kinds if shown.count(name) or name == "took_wholly"]
    first, *rest = counts
    number, _, word = first.partition(" ")
    took = ", ".join([f"{number} of {_counted(edits, 'edit')} {word}", *rest])
    targets = f"{shown.count('learned_after'):,} of {_counted(shown.count('targets'), 'target')}"
    learned = f"{targets} learned, {shown.count('learned_before'):,} before"
    kept = f", {shown.count('learned_now'):,} still at this step" if shown.row.get("learned_now") is not None else ""
    return f"{took}: {learned}{kept}{_nll(shown)}"


def _nll(shown: "_Shown") -> str:
    if shown.row["nll_before"] is None or shown.row["nll_after"] is None:
        return "; their NLL after an edit is NaN or infinite" if shown.count("not_finite") else ""
    return f"; NLL per target token {shown.plain('nll_before')}, then {shown.plain('nll_after')}"


def _subject(named: Named) -> Iterator[str]:
    setting, world = named.setting, _WORLDS[named.setting.world]
    yield f"model {_cut(setting.model)}" if setting.model else "a model without a name"
    if setting.told:
        yield f"with {named.name}"
        yield from _regime(named)
    elif setting.edited:
        yield f"edited by {named.name}" if setting.method else f"edited by a method that is not named ({named.name})"
        yield from _regime(named)
    elif setting.method:
        yield named.name
    if world:
        yield world


def _regime(named: Named) -> Iterator[str]:
    setting = named.setting
    if setting.regime == "instant":
        yield "one change at a time"
    elif setting.in_sequence:
        yield f"after {_counted(setting.step or 0, 'edit')}, one on top of the other"
    elif setting.regime == "batch":
        yield f"with {_counted(setting.step, 'change')} at once" if setting.step else "with several changes at once"
    elif setting.regime not in (None, "", "none", "sequential"):
        yield f"regime {setting.regime}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """The cells of a row as tables show them."""

    row: Row
    columns: Mapping[str, Column]

    def plain(self, name: str) -> str:
        return self._shown(name, self._ends(name)[0])

    def count(self, name: str) -> int:
        value = self.row.get(name)
        return value if isinstance(value, int) else 0

    def has(self, name: str) -> bool:
        cell = self.row[name]
        return isinstance(cell, Estimate) and cell.value is not None

    def percent(self, name: str) -> str:
        return self._with_unit(name, "%")

    def points(self, name: str) -> str:
        return self._with_unit(name, "points")

    def share(self, name: str) -> str:
        """Return a share without its interval."""
        return f"{self._shown(name, self._ends(name)[0])} %"

    def _with_unit(self, name: str, unit: str) -> str:
        value, low, high = self._ends(name)
        bounds = None if low is None or high is None else f"[{self._shown(name, low)}, {self._shown(name, high)}]"
        return " ".join(part for part in (self._shown(name, value), unit, bounds) if part)

    def _ends(self, name: str) -> tuple[Scalar, Scalar, Scalar]:
        cell: Cell = self.row[name]
        return (cell.value, cell.low, cell.high) if isinstance(cell, Estimate) else (cell, None, None)

    def _shown(self, name: str, value: Scalar) -> str:
        return format_scalar(value, self.columns[name])


def _clauses(study: Study, named: Named, shown: _Shown, answers: Mapping[str, int]) -> Iterator[str]:
    samples, unjudged = shown.count("samples"), shown.count("unjudged")
    if samples == unjudged:
        yield f"the sandbox could judge none of its {_counted(samples, 'sample')}, so nothing is known"
        return
    if shown.count("labelled"):
        yield from _adoption(study, named, shown, answers)
    else:
        judged = study.units(named).filter(pl.col("n") > 0)["task"].n_unique()
        yield f"pass@1 is {shown.percent('full_at_1')} over {_counted(judged, 'problem')}"
        yield from _against(study, named, shown, "full_change")
    if unjudged:
        yield f"{unjudged:,} of {_counted(samples, 'sample')} could not be judged and are in no rate"


def _adoption(study: Study, named: Named, shown: _Shown, answers: Mapping[str, int]) -> Iterator[str]:
    labelled, passing = shown.count("labelled"), shown.count("passing")
    of_passing = f"{shown.percent('adopted_of_passing')} of the {passing:,} that pass" if passing else "none passes"
    programs = _counted(labelled, "program")
    yield f"correctly writes the new API in {shown.percent('adopted')} of {programs} ({of_passing})"
    if shown.has("called_right"):
        yield f"calls it rightly, whether it passes or not, in {shown.percent('called_right')}"
    subsets = [name for name in ("reliability", "generalization") if shown.has(f"adopted_{name}")]
    if len(subsets) > 1:
        yield ", ".join(f"in {name} {shown.share(f'adopted_{name}')}" for name in subsets)
    yield from _against(study, named, shown, "adopted_change")
    if shown.has("specificity_change"):
        yield f"on specificity problems pass@1 changes by {shown.points('specificity_change')}"
    if answers:
        words = ", ".join(f"{word} for {answers[word]:,}" for word in ANSWERS if answers.get(word))
        yield f"of {_counted(sum(answers.values()), 'change')}: {words}"


def _against(study: Study, named: Named, shown: _Shown, change: str) -> Iterator[str]:
    if not study.is_compared(named.setting):
        return
    other = f"model {_cut(study.options.baseline)}" if study.options.baseline else "the unedited model"
    if not shown.has(change):
        yield f"{other} has no verdicts to compare with in the same world"
        return
    units = study.units(named).filter(pl.col("labelled" if change == "adopted_change" else "n") > 0)
    known = units["task"].n_unique()
    compared = (
        shown.count("adopted_compared")
        if change == "adopted_change"
        else study.pairs(named, "same world")["task"].n_unique()
    )
    where = "" if compared == known else f", on the {compared:,} of {_counted(known, 'problem')} that can be compared"
    yield f"{shown.points(change)} against {other}{where}"


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _cut(name: str) -> str:
    return name if len(name) <= MAX_TEXT else f"{name[: MAX_TEXT - 1]}\u2026"
