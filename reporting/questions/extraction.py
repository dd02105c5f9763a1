"""How programs were taken out of answers, where the samples say so."""

from collections import Counter
from typing import get_args

from ...analysis.extraction import Kind
from ..count.comparison import Named, Study
from ..table.table import Column, Row, Table
from .columns import IDENTITY, STEP_DETAIL, identify

KINDS: tuple[Kind, ...] = get_args(Kind)
_MEANS: dict[Kind, str] = {
    "as_is": "The answer as it is.",
    "fence": "What stands in closed fences.",
    "open_fence": "What stands in a fence that is not closed.",
    "text": "The answer's text, which parses.",
    "cut": "The answer up to where the entry point is complete.",
    "no_program": "There is no program in the answer.",
}


def extraction_table(study: Study) -> Table:
    """Return how many programs of every setting were extracted in each way; no rows where no sample says."""
    rows = tuple(_row(study, named) for named in study.settings)
    said = tuple(row for row in rows if row["samples"])
    notes = []
    if len(said) < len(rows):
        notes.append("Settings whose samples do not say how their programs were extracted are left out.")
    if any(row["not_said"] for row in said):
        notes.append("not said: samples of the same setting that do not say it.")
    columns = (*IDENTITY, STEP_DETAIL, *_COLUMNS)
    return Table("extraction", "overview", "How programs were extracted from answers", columns, said, tuple(notes))


_COLUMNS = (
    Column("samples", "extracted", "count", "Samples that say how their program was extracted."),
    *(Column(kind, kind.replace("_", " "), "count", _MEANS[kind]) for kind in KINDS),
    Column("no_program_share", "no program, share", "percent", "no_program of samples."),
    Column("not_said", "not said", "count", "Samples that do not say how.", detail=True),
)


def _row(study: Study, named: Named) -> Row:
    found = Counter(study.rows(named)["extraction"].to_list())
    not_said = found.pop(None, 0)
    return {
        **identify(named),
        "step": named.setting.step,
        "samples": found.total(),
        **{kind: found[kind] for kind in KINDS},
        "no_program_share": found["no_program"] / found.total() if found else None,
        "not_said": not_said,
    }
