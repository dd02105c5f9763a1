r"""Tables for a paper: booktabs, in UTF-8, and no text from a file that LaTeX would take for a command.

`\input{tables/NAME}` needs `\usepackage{booktabs}` and nothing else. Letters that pdfLaTeX has no font for are printed
by LuaLaTeX and XeLaTeX, with a font that has them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..printable import INVISIBLE, escaped, visible
from ..table.layout import Compact, Part, compact, split
from ..table.table import Column, Row, Table

MAX_LINES = 45  # of the rows on one page
PAGE_WIDTH = 96  # characters of \small across the text of a page
COLUMN_WIDTH = 44  # characters across a column of a page that has two
_GAP = 2  # characters, about 8 pt

_SPECIAL = {character: f"\\{character}" for character in "{}$&#_%"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # LaTeX's first choice of font has other signs in the places of these three.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",  # active under some languages of babel
    "`": r"\char96{}",  # else a quotation mark
}
_NUMBER = re.compile(r"[-+<]?[\d.]+( \[[-+]?[\d.]+, [-+]?[\d.]+\])?")
_LIGATURES = "-',?!`"  # two of these become another sign


def table_as_latex(table: Table) -> str:
    r"""Return the floats of `table`: what the terminal shows of it, its caption, and `\label{tab:NAME}`.

    A table too wide for a page stands in parts below one another, and one too long has further floats. Raises
    ValueError for NaN and infinity.
    """
    short = compact(table)
    pages = list(_pages(short)) or [()]
    floats = [
        "\n".join(_float(table, replace(short, rows=rows), number, len(pages))) for number, rows in enumerate(pages, 1)
    ]
    return "% Needs \\usepackage{booktabs}.\n" + "\n\n".join(floats) + "\n"


def _pages(short: Compact) -> Iterator[tuple[Row, ...]]:
    """Yield the rows of each float: as many as fit on a page, whose lines all parts of the table share."""
    parts = _parts(short)
    heights = [sum(max(map(len, part.rows[row])) for part in parts) for row in range(len(short.rows))]
    start, used = 0, 0
    for row, height in enumerate(heights):
        if used and used + height > MAX_LINES:
            yield short.rows[start:row]
            start, used = row, 0
        used += height
    if used:
        yield short.rows[start:]


def _parts(short: Compact) -> list[Part]:
    return split(short, PAGE_WIDTH, _GAP)


def escape(text: str) -> str:
    """Return LaTeX that shows `text` on one line as it is; characters that do not show are written out."""
    # Composed: pdfLaTeX knows letters with accents, and no accent alone.
    line = unicodedata.normalize("NFC", visible(text)).strip()
    shown = "".join(
        _escape_character(character) + ("{}" if character in _LIGATURES and after in _LIGATURES else "")
        for character, after in zip(line, f"{line[1:]} ", strict=False)
    )
    # Behind the end of a row, a bracket or a star would be its argument.
    return f"{{{shown[0]}}}{shown[1:]}" if line.startswith(("[", "*")) else shown


def _escape_character(character: str) -> str:
    if any(first <= ord(character) <= last for first, last in INVISIBLE):
        return "".join(_SPECIAL.get(each, each) for each in escaped(character))
    return _SPECIAL.get(character, character)


def _float(table: Table, short: Compact, number: int, count: int) -> Iterator[str]:
    parts = _parts(short)
    environment = "table" if all(part.width <= COLUMN_WIDTH for part in parts) else "table*"
    yield f"\\begin{{{environment}}}[tbp]"
    yield r"\centering\small\setlength{\tabcolsep}{4pt}"
    yield f"\\caption{{{_caption(table, short, number, count)}}}"
    if number == 1:
        yield f"\\label{{tab:{table.name}}}"
    for part in parts if short.rows else ():
        yield from _tabular(part)
    yield f"\\end{{{environment}}}"


def _caption(table: Table, short: Compact, number: int, count: int) -> str:
    sentences = [table.title]
    if count > 1:
        sentences.append(f"Part {number} of {count}")
    if short.caption:
        sentences.append(short.caption[:1].upper() + short.caption[1:])
    if not table.rows:
        sentences.append("Nothing to show")
    return " ".join(f"{escape(sentence).rstrip('.')}." for sentence in (*sentences, *table.notes))


def _tabular(part: Part) -> Iterator[str]:
    yield f"\\par\\medskip\n\\begin{{tabular}}{{@{{}}{''.join(map(_alignment, part.columns))}@{{}}}}"
    yield r"\toprule"
    yield _row(part.columns, part.headers, "b")
    yield r"\midrule"
    yield from (_row(part.columns, row, "t") for row in part.rows)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _row(columns: Sequence[Column], cells: Sequence[list[str]], position: str) -> str:
    texts = (_cell(lines, column, position) for column, lines in zip(columns, cells, strict=True))
    return " & ".join(texts) + r" \\"


def _cell(lines: list[str], column: Column, position: str) -> str:
    shown = [_number(line) if _NUMBER.fullmatch(line) else escape(line) for line in lines]
    if len(shown) == 1:
        return shown[0]
    head = f"\\begin{{tabular}}[{position}]{{@{{}}{_alignment(column)}@{{}}}}"
    return head + r" \\ ".join(shown) + r"\end{tabular}"


def _number(text: str) -> str:
    """Return a number, alone or with its interval, with its signs as mathematics sets them."""
    return re.sub("[-+<]", lambda sign: f"${sign[0]}$", text)


def _alignment(column: Column) -> str:
    return "l" if column.kind == "text" else "r"
