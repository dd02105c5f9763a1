"""Where commands write: results to stdout, talk to stderr.

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
from rich.text import Text

results = Console(highlight=False)
talk = Console(stderr=True, highlight=False)


def plain(text: str, style: str = "") -> Text:
    """Return `text` with every control character but newline and tab made visible, free of markup."""
    shown = "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    return Text(shown, style=style)


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
