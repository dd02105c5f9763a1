"""The tokens of a program that matter before it is a tree: comments, strings, brackets, line ends.

They are found in any text, whole or not, and so are runs of lines that cost tree-sitter the square of their number.
"""

import re
from typing import Final

# Possessive throughout: no input makes these backtrack.
TOKEN: Final = re.compile(
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
# Lines of nothing but a comment, and lines of nothing but a backslash: more than any person writes on end.
_COMMENTS: Final = re.compile(r"(?:^[ \t\f]*+(?:\#[^\n]*+)?\n){200}", re.MULTILINE)
_JOINED: Final = re.compile(r"(?:^[ \t\f]*+\\\n){200}", re.MULTILINE)


def without_long_runs(text: str) -> str:
    """Return `text`, whose lines end in newlines, so that tree-sitter reads it in time that grows with its length.

    Where lines of comments run on, every comment becomes as many blanks as it has bytes, so that nothing moves. What
    follows a run of lines that are only continued is left out.
    """
    if _COMMENTS.search(text):
        text = TOKEN.sub(_blank, text)
    joined = _JOINED.search(text)
    return text[: joined.start()] if joined else text


def _blank(token: re.Match[str]) -> str:
    return " " * len(token[0].encode("utf-8", "replace")) if token.lastgroup == "comment" else token[0]
