"""Columns that several tables have: those of the setting that a row speaks of, its step, subset and problems."""

from dataclasses import replace

from ..count.comparison import Named
from ..table.table import Cell, Column

IDENTITY = (
    Column("model", "model", "text", "Name of the model; empty where the verdicts name none."),
    Column("method", "method", "text", "Editing method, with what tells it from others of that name; or unedited."),
    Column("regime", "regime", "text", "Editing regime: none, instant, sequential, batch."),
    Column("world", "world", "text", "Changes active while the programs ran: own (the problem's own), none, ..."),
    Column("subject", "subject", "text", "What the edits were keyed on.", detail=True),
    Column("target", "target", "text", "What the edits taught, in rows of earlier versions.", detail=True),
    Column("requests", "requests", "text", "What the edits taught.", detail=True),
    Column("style", "style", "text", "How the model was asked: complete (a program), chat.", detail=True),
    Column("hparams_sha256", "hparams", "text", "SHA-256 of the method's hyperparameters.", detail=True),
)
STEP = Column("step", "edits", "count", "How many changes the model was edited with.")
STEP_DETAIL = replace(STEP, detail=True)
SUBSET = Column("subset", "subset", "text", "Subset of the benchmark; all is the three together.")
PROBLEMS = Column("problems", "problems", "count", "Problems that count in this row.")
AGAINST = Column(
    "against", "against", "text", "World of the baseline: same world, or no change, where the old API still is."
)


def identify(named: Named) -> dict[str, Cell]:
    """Return the cells of IDENTITY."""
    setting = named.setting
    return {
        "model": setting.model,
        "method": named.name,
        "regime": setting.regime,
        "world": setting.world,
        "subject": setting.subject,
        "target": setting.target,
        "requests": setting.requests,
        "style": setting.style,
        "hparams_sha256": setting.hparams_sha256,
    }
