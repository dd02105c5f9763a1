"""The end of the function that a prompt opened: for cutting sampled completions and for stopping early.

A scan for strings, comments and brackets is enough, and unlike a tree it gives the same answer for a text and for its
beginning: cutting a completion that was stopped early cuts at the same place as cutting the one that was not.
"""

import re
from collections.abc import Iterator

# Possessive throughout: no input makes these backtrack.
_TOKEN = re.compile(
    r"""
      (?P<comment> \#[^\r\n]*+ )
    | (?P<string>  \"\"\" (?:[^\\"] | \\(?:.|\Z) | "(?!""))*+ (?:\"\"\")?+
                 | \'\'\' (?:[^\\'] | \\(?:.|\Z) | '(?!''))*+ (?:\'\'\')?+
                 | "      (?:[^\\"\r\n] | \\(?:\r\n|.|\Z))*+ "?+
                 | '      (?:[^\\'\r\n] | \\(?:\r\n|.|\Z))*+ '?+ )
    | (?P<joined>  \\(?:\r\n|\r|\n) )
    | (?P<newline> \r\n|\r|\n )
    | (?P<open>    [(\[{] )
    | (?P<close>   [)\]}] )
    | (?P<other>   [^\#"'\\\r\n()\[\]{}]++ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENS = re.compile(r"(?:async[ \t]+def|def|class)[ \t]")
# No bracket can hold these words: one that was never closed must not swallow what follows.
_STATEMENT = re.compile(r"(?:def|class|import|while|with|return|assert|del|raise)[ \t]")
_BLANK = re.compile(r"[ \t\f]*(?:[\r\n]|\Z)")


def cut_at_function_end(prompt: str, completion: str) -> str:
    """Return the beginning of `completion` that belongs to the function that `prompt` opened.

    The function ends at the first line at column 0 that is outside strings, brackets and continuations; a comment
    there counts once the completion has a line of the body. Where the prompt opens no function, the first one that
    the completion opens counts, and what stands before it is kept.
    """
    end = _find_end(prompt, completion)
    return completion if end is None else completion[: end[0]]


def is_function_complete(prompt: str, completion: str) -> bool:
    """Say whether generation may stop: a line at column 0 has begun, after at least one line of the body.

    Whatever follows, `cut_at_function_end` then returns the same.
    """
    end = _find_end(prompt, completion)
    return end is not None and end[1]


def _find_end(prompt: str, completion: str) -> tuple[int, bool] | None:
    """Return where in `completion` the function ends, and whether it has a line of the body before that."""
    text, joint = prompt + completion, len(prompt)
    opened, body, previous = False, False, 0
    for start in _line_starts(text):
        if previous < joint < start:  # the line that the prompt began and the completion ended
            body = bool(text[joint:start].strip())
        previous = start
        if _BLANK.match(text, start):
            continue
        first = text[start]
        if first in " \t\f":
            body = body or start >= joint
        elif start < joint or not opened:
            opened = bool(_OPENS.match(text, start)) or (opened and first in "#@")
        elif body or first != "#":
            return start - joint, body
    return None


def _line_starts(text: str) -> Iterator[int]:
    """Yield where the lines of `text` start, leaving out those inside a string, a bracket or a continuation."""
    depth = 0
    yield 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif token.lastgroup == "newline":
            depth = 0 if _STATEMENT.match(text, token.end()) else depth
            if depth == 0:
                yield token.end()
