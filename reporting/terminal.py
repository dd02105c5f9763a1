"""The report for a terminal: two small tables for each setting, at most 100 columns wide, and their footnotes."""

from collections.abc import Callable, Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .metrics import LABELS, PassAtK
from .tables import KS, Block, Report, Setting, SubsetRow

Show = Callable[[str], Text]
"""Makes text from a file harmless to show."""

MAX_NAME = 60

_RULE = box.Box("    \n    \n ── \n    \n    \n    \n    \n    \n")  # one rule, below the head

_WORLDS = {
    "own": "the problem's own change",
    "none": "no change",
    "edited": "the edited changes",
    "all": "all changes",
    "other": "other changes",
}


def render_report(report: Report, show: Show) -> Group:
    """Return `report` for rich; every text that came from a file goes through `show`."""
    head = Text.assemble("benchmark ", (_one_line(report.bench_name, show), "bold"), f"  {report.bench_sha256[:12]}")
    return Group(head, *(part for block in report.blocks for part in _render_block(block, report.has_changes, show)))


def _render_block(block: Block, has_changes: bool, show: Show) -> Iterator[RenderableType]:
    yield Text()
    yield _title(block.setting, has_changes, show)
    yield Text()
    yield _result_table(block)
    if has_changes:
        yield Text()
        yield _label_table(block)
    yield from (Text(note, style="dim") for note in _footnotes(block))


def _title(setting: Setting, has_changes: bool, show: Show) -> Text:
    parts = [f"{name} {_one_line(value, show)}" for name, value in _identity(setting) if value is not None]
    if has_changes:
        parts.append(f"world: {_WORLDS[setting.world]}")
    return Text(" · ".join(parts) or "all verdicts", style="bold")


def _identity(setting: Setting) -> Iterator[tuple[str, str | None]]:
    yield "model", setting.model
    yield "method", setting.method
    yield "regime", setting.regime
    yield "step", None if setting.step is None else str(setting.step)
    yield "hparams", None if setting.hparams_sha256 is None else setting.hparams_sha256[:8]


def _one_line(text: str, show: Show) -> str:
    line = " ".join(text.split())
    return show(line if len(line) <= MAX_NAME else line[: MAX_NAME - 1] + "…").plain


def _table(*columns: str) -> Table:
    table = Table(box=_RULE, pad_edge=False, show_edge=False, padding=0)
    for index, header in enumerate(columns):
        table.add_column(header, justify="right" if index else "left", vertical="bottom")
    return table


def _result_table(block: Block) -> Table:
    with_unjudged = any(row.unjudged for row in block.rows)
    counts = ("problems", "samples", "unjudged")[: 2 + with_unjudged]
    table = _table("subset", *counts, "compile\n%", "partial\n%", "full\n%", *(f"pass@{k}\n%" for k in KS))
    for row in block.rows:
        numbers = (_problems(row), str(row.samples), str(row.unjudged))[: len(counts)]
        shares = (_percent(value) for value in (row.compiles, row.partial, row.full))
        estimates = (_estimate(estimate) for estimate in row.pass_at_k)
        table.add_row(row.subset, *numbers, *shares, *estimates)
    return table


def _label_table(block: Block) -> Table:
    labels = (f"{label.replace('_', chr(10))}\n%" for label in LABELS)
    passed = ("labelled\nand passed", "adoption\nin passed\n%", "workaround\nin passed\n%")
    table = _table("subset", "labelled", *labels, *passed)
    for row in block.rows:
        shares = (_percent((row.labels or {}).get(label)) for label in LABELS)
        passing = (_percent((row.labels_passing or {}).get(label)) for label in ("correct_adoption", "workaround"))
        table.add_row(row.subset, str(row.labelled), *shares, str(row.labelled_passing), *passing)
    return table


def _problems(row: SubsetRow) -> str:
    whole = row.problems == row.problems_in_bench
    return str(row.problems) if whole else f"{row.problems}/{row.problems_in_bench}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _estimate(estimate: PassAtK) -> str:
    if estimate.value is None:
        return "-" if estimate.too_few else ""
    return _percent(estimate.value) + ("*" if estimate.too_few else "")


def _footnotes(block: Block) -> Iterator[str]:
    for row in block.rows:
        if not row.problems_in_bench:
            yield f"{row.subset}: the benchmark has no such problems."
        elif not row.samples:
            yield f"{row.subset}: no verdicts."
    estimates = [estimate for row in block.rows for estimate in row.pass_at_k]
    if any(estimate.value is None and estimate.too_few for estimate in estimates):
        yield "-  no problem has k judged samples, which pass@k needs."
    if any(estimate.value is not None and estimate.too_few for estimate in estimates):
        yield "*  over the problems that have k judged samples; some have fewer."
    if any(row.problems < row.problems_in_bench for row in block.rows):
        yield "a/b problems: a have verdicts, of b in the benchmark."
    if any(row.unjudged for row in block.rows):
        yield "unjudged: the sandbox failed. These samples are in no share; judge them again to have them counted."
