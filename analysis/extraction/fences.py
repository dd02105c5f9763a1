"""The fences of an answer: blocks of code between lines of backticks or tildes, as models write them."""

import re
from typing import NamedTuple

_OPENS = re.compile(
    r"(?P<lead>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}+|~{3,}+)[ \t]*(?P<info>[^\r\n]*)"
)
# A fence that opens behind prose says its language: without one, it may as well close.
_OPENS_BEHIND = re.compile(
    r"(?P<lead>)[^`~\r\n]*+(?P<fence>`{3,}+)[ \t]*(?P<info>(?:python3?|py)[ \t]*)\r?\n?\Z", re.IGNORECASE
)
_CLOSES = re.compile(r"(?P<lead>[ \t>]*)(?P<fence>`{3,}+|~{3,}+)[ \t]*(?P<info>[^\r\n]*)")
_GLUED = re.compile(r"[ \t]*(?P<fence>`{3,}+|~{3,}+)[ \t]*$")
_LANGUAGE = re.compile(r"[{.]*([\w+#-]+)")
_ONE_WORD = re.compile(r"[{]?[.]?[A-Za-z][\w+#.-]*[}]?")
_INSIDE = re.compile(
    r"""
      \#.*+ | (?P<three>\"\"\"|\'\'\') | "(?:[^\\"]|\\.)*+"?+ | '(?:[^\\']|\\.)*+'?+
    | (?P<ticks>`{3,}+|~{3,}+) | [^\#"'`~]++ | .
    """,
    re.VERBOSE,
)
PYTHON = frozenset({"", "python", "py", "python3", "py3", "python2", "ipython", "ipython3", "sage", "cython", "code"})
_TEXT = frozenset({"markdown", "md", "text", "txt", "plaintext"})
_MAX_NESTING = 3
_LOOK_AHEAD = 1  # times the answer's lines: what may be read beyond a fence that looks closed


class Fence(NamedTuple):
    """A fenced block: the `language` of its first line (lower case), its text without the fences' indentation.

    `start` and `end` are where the block stands in the answer, the lines of the fences included.
    """

    language: str
    text: str
    closed: bool
    start: int
    end: int

    @property
    def is_python(self) -> bool:
        """Say whether it may hold Python, after its language."""
        return self.language in PYTHON


def find_fences(text: str, depth: int = 0) -> list[Fence]:
    """Return the fences of `text` in their order; of nested ones, those inside.

    A line of backticks in a string that began inside the fence closes it only if no other line does.
    """
    lines = text.splitlines(keepends=True)
    places = [0]
    for line in lines:
        places.append(places[-1] + len(line))
    found: list[Fence] = []
    number, ahead = 0, _LOOK_AHEAD * len(lines)
    while number < len(lines):
        opens = _OPENS.match(lines[number]) or _OPENS_BEHIND.match(lines[number])
        if not opens or ("`" in opens["info"] and opens["fence"][0] == "`"):
            number += 1
            continue
        inside, last, closed, following, read = _read_block(lines, number, opens, ahead > 0)
        ahead -= read
        fence = Fence(_language(opens["info"]), "".join(inside), closed, places[number], places[last])
        nested = depth < _MAX_NESTING and (fence.language in _TEXT or len(opens["fence"]) > 3)
        within = find_fences(fence.text, depth + 1) if nested and "\n" in fence.text else []
        found += [one._replace(start=fence.start, end=fence.end) for one in within] or [fence]
        number = following
    return found


def _read_block(
    lines: list[str], number: int, opens: re.Match[str], patient: bool
) -> tuple[list[str], int, bool, int, int]:
    """Return the block that opens at line `number`: its lines, the line behind it, whether it is closed.

    Then the line to go on with, and how many lines were read in vain beyond the one that closes it.
    """
    mark, width = opens["fence"][0], len(opens["fence"])
    quoted = ">" in opens["lead"]
    indent = len(opens["lead"].expandtabs(4))
    python = _language(opens["info"]) in PYTHON
    inside: list[str] = []
    state: str | None = None
    doubtful: tuple[int, int] | None = None  # the line and the lines before it
    for place in range(number + 1, len(lines)):
        line = lines[place]
        closes = _CLOSES.match(line)
        if closes and closes["fence"][0] == mark and len(closes["fence"]) >= width:
            reopens = bool(_ONE_WORD.fullmatch(closes["info"].strip()))
            shallow = len(closes["lead"].expandtabs(4)) <= indent + 3
            plain = not closes["info"].strip()
            if state is None and (python or plain):
                return inside, place + (not reopens), True, place + (not reopens), 0
            if state is not None and plain and shallow and doubtful is None:
                if not patient:
                    return inside, place + 1, True, place + 1, 0
                doubtful = place, len(inside)
        stripped = _dedent(line, indent, quoted)
        if python:
            state, glued = _after(stripped, state, mark, width)
            if glued is not None:
                return [*inside, stripped[:glued] + "\n"], place + 1, True, place + 1, 0
        inside.append(stripped)
    if doubtful is not None:
        place, count = doubtful
        return inside[:count], place + 1, True, place + 1, len(lines) - place
    return inside, len(lines), False, len(lines), 0


def _after(line: str, state: str | None, mark: str, width: int) -> tuple[str | None, int | None]:
    """Return the quotes of the string that is open after `line`, and where a fence closes at the end of its code."""
    place = 0
    while place < len(line):
        if state is not None:
            end = _end_of_string(line, place, state)
            if end is None:
                return state, None
            place, state = end, None
            continue
        token = _INSIDE.match(line, place)
        if token is None:  # a line end
            place += 1
            continue
        if token["three"]:
            state = token["three"]
        elif token["ticks"] and token["ticks"][0] == mark and len(token["ticks"]) >= width and _ends(line, place):
            return None, place
        place = token.end()
    return state, None


def _ends(line: str, place: int) -> bool:
    """Say whether the fence at `place` ends a line of code."""
    return place > 0 and _GLUED.match(line.rstrip("\r\n"), place) is not None


def _end_of_string(line: str, place: int, quotes: str) -> int | None:
    while (end := line.find(quotes, place)) >= 0:
        slashes = len(line[place:end]) - len(line[place:end].rstrip("\\"))
        if slashes % 2 == 0:
            return end + 3
        place = end + 1
    return None


def _dedent(line: str, indent: int, quoted: bool) -> str:
    if quoted:
        line = re.sub(r"^[ \t]*(?:>[ ]?)+", "", line)
        indent = 0
    blanks = len(line) - len(line.lstrip(" "))  # a tab behind them is the program's own
    return line[min(indent, blanks) :]


def _language(info: str) -> str:
    found = _LANGUAGE.match(info.strip())
    return found[1].lower() if found else ""
