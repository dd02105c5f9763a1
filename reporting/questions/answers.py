"""The short answer for each change, whether the model writes the new API."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import polars as pl

from ..count.comparison import Named, Study, numbers
from ..table.table import Column, Estimate, Row, Table
from .columns import IDENTITY, PROBLEMS, STEP_DETAIL, identify
from .overview import TAUGHT

Answer = Literal["yes", "sometimes", "no", "too few samples"]
ANSWERS: tuple[Answer, ...] = ("yes", "sometimes", "no", "too few samples")

FEW_SAMPLES = 5
YES_FROM = 0.5
NO_UP_TO = 0.05
MOST_ROWS = 15  # on a terminal

RULE = (
    "yes: the lower end of the interval is at least 50 %, and so are the shares in reliability and in generalization, "
    "where there are samples. no: at most 5 % of the programs adopted. too few samples: fewer than 5 of them, or all "
    "of one problem, which says nothing about others. sometimes: what is left. Adopted means that a program passed and "
    "needed what the replacement returned to it."
)


def answer_of(adopted: Estimate, by_subset: Iterable[float | None], samples: int, problems: int) -> Answer:
    """Return the word for the share of `samples` programs of `problems` problems that `adopted`; RULE says it.

    `by_subset` are the shares in the subsets, None where one has no samples.
    """
    if adopted.value is None or samples < FEW_SAMPLES or problems < 2:
        return "too few samples"
    lowest = min([adopted.value, *(share for share in by_subset if share is not None)])
    if adopted.low is not None and min(adopted.low, lowest) >= YES_FROM:
        return "yes"
    return "no" if adopted.value <= NO_UP_TO else "sometimes"


def answer_table(study: Study) -> Table:
    """Return the answer of every setting for each change that it has labelled samples of."""
    rows = [row for named in study.ends for row in _rows(study, named)]
    return Table(
        "answers",
        "overview",
        "Does the model write the new API?",
        (*IDENTITY, STEP_DETAIL, *_COLUMNS),
        tuple(rows),
        tuple(_notes(study, rows)),
        brief=_brief(study, rows),
    )


_COLUMNS = (
    Column("change", "change", "text", "The change: the deprecated API's qualified name."),
    Column("replacement", "new API", "text", "What replaces it."),
    Column("adopted", "adopted", "percent", "Correct adoption, of the labelled samples.", interval=True),
    Column("answer", "answer", "text", RULE),
    *(Column(f"adopted_{name}", f"in {name}", "percent", f"adopted, of {name} alone.") for name in TAUGHT),
    Column("samples", "samples", "count", "Judged samples that have a label."),
    PROBLEMS,
)


def _rows(study: Study, named: Named) -> Iterator[Row]:
    units = study.units(named).filter(pl.col("change").is_not_null(), pl.col("labelled") > 0)
    for change in sorted(units["change"].unique()):
        part = units.filter(pl.col("change") == change)
        labelled = numbers(part, "labelled")
        shares = study.ratios(part, {"adopted": (numbers(part, "correct_adoption"), labelled)})
        samples, problems = int(labelled.sum()), part["task"].n_unique()
        by_subset = {f"adopted_{name}": _share(part.filter(pl.col("subset") == name)) for name in TAUGHT}
        yield {
            **identify(named),
            "step": named.setting.step,
            "change": change,
            "replacement": study.bench.changes[change].replacement,
            **shares,
            "answer": answer_of(shares["adopted"], by_subset.values(), samples, problems),
            **by_subset,
            "samples": samples,
            "problems": problems,
        }


def _share(units: pl.DataFrame) -> float | None:
    return float(numbers(units, "correct_adoption").sum() / numbers(units, "labelled").sum()) if len(units) else None


def _notes(study: Study, rows: Sequence[Row]) -> Iterator[str]:
    if not rows:
        yield (
            "No sample has a label: none ran with its problem's change active."
            if study.bench.changes
            else "The benchmark has no API changes."
        )
        return
    yield RULE
    if any(row[f"adopted_{name}"] is None for row in rows for name in TAUGHT):
        yield "A subset that has no labelled sample of a change is empty there."
    missing = len(study.bench.changes) - len({row["change"] for row in rows})
    if missing:
        yield f"{missing} of {len(study.bench.changes)} changes have no labelled sample: they are not listed."


def _brief(study: Study, rows: Sequence[Row]) -> tuple[Row, ...] | None:
    """Return the rows for a terminal: of the models that are held against others, if there are such."""
    compared = [identify(named) for named in study.ends if study.is_compared(named.setting)]
    asked = [row for row in rows if any(row.items() >= one.items() for one in compared)] or rows
    return None if len(rows) <= MOST_ROWS else tuple(asked[:MOST_ROWS])
