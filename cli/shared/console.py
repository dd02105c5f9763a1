"""The two consoles that commands write to: results on stdout, talk on stderr.

Text that came from a model or a file is shown through `plain`: it can hold terminal escapes and rich markup.
"""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import SegmentLines
from rich.table import Table
from rich.text import Text

results = Console(highlight=False)
talk = Console(stderr=True, highlight=False)

PLAIN_SECONDS = 15.0  # between two lines of progress where there is no terminal


def plain(text: str, style: str = "") -> Text:
    """Return `text` with every control character but newline and tab made visible, free of markup."""
    shown = "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return Text(shown, style=style)


def print_whole(table: Table) -> None:
    """Print a table of results with no cell cut short: a narrow terminal wraps its lines, and a pipe has no width."""
    lines = results.render_lines(table, results.options.update_width(1000), pad=False)
    results.print(SegmentLines(lines, new_lines=True), soft_wrap=True, end="")


def progress(*columns: ProgressColumn) -> Progress:
    """Return a progress display on stderr: a bar on a terminal, nothing elsewhere."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        *columns,
        console=talk,
        disable=not talk.is_terminal,
        transient=True,
    )
