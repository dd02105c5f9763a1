"""The problem that an answer is for: what its prompt opened, and what it gives a program."""

import re
from dataclasses import dataclass
from functools import lru_cache

from ..functions import has_body, opens_function
from ..statements import MAX_STATEMENTS, Names, defines, root_of, split
from ..tree.syntax import is_python

# What stands for lines that stand elsewhere.
_OUTLINE = re.compile(
    r"^[ \t]*(?:\#[ \t]*(?:\.{3}|\u2026)|\.{3}[ \t]*$"
    r"|\#.*\b(?:as before|unchanged|existing code|your code|to be implemented)\b)",
    re.MULTILINE | re.IGNORECASE,
)
_MAX_PARSED = 300_000  # characters: beyond, Python's own parser takes seconds


@dataclass(frozen=True)
class Task:
    """A problem as extraction sees it: `opens` where its prompt ends in the entry point.

    `preamble` is what the prompt has before the entry point, and `gives` the names that it binds.
    """

    prompt: str
    entry_point: str
    root: str
    opens: bool
    preamble: str
    gives: frozenset[str]
    indent: str

    def defined_in(self, text: str) -> bool:
        """Say whether `text` binds the entry point."""
        return self.root in text and bool(defines(split(text), self.entry_point))

    def only_named_in(self, text: str) -> bool:
        """Say whether `text` only names the entry point: a stub, an outline, an import, or a value of a use of it."""
        statements = split(text)
        functions = any(one.facts.kind == "definition" or "lambda" in one.text for one in statements[:MAX_STATEMENTS])
        return all(
            statements[place].facts.stub
            or statements[place].facts.kind == "import"
            or not functions
            or _OUTLINE.search(statements[place].text)
            for place in defines(statements, self.entry_point)
        )

    def is_program(self, text: str) -> bool:
        """Say whether `text` is a whole program that defines the entry point."""
        return self.root in text and parses(text) and self.defined_in(text) and not _returns(text)

    def is_completed_by(self, text: str) -> bool:
        """Say whether the prompt and `text` make a program with the entry point."""
        if not text.strip() or text.lstrip().startswith("from __future__") or not parses(self.prompt + text):
            return False
        if _returns(self.prompt + text):
            return False
        return has_body(self.prompt, text, self.entry_point) or self.defined_in(text)


@lru_cache(maxsize=256)
def task_of(prompt: str, entry_point: str) -> Task:
    """Return the task with this prompt and entry point."""
    opens = opens_function(prompt, entry_point)
    statements = split(prompt)
    preamble = prompt[: statements[-1].start] if opens else prompt
    names = Names(split(preamble))
    gives = frozenset(names.binders) | (names.given - Names(()).given)
    last = next((line for line in reversed(prompt.splitlines()) if line.strip()), "")
    indent = last[: len(last) - len(last.lstrip(" \t"))] or "    "
    return Task(
        prompt, entry_point, root_of(entry_point), opens, preamble, gives if parses(preamble) else frozenset(), indent
    )


def _returns(text: str) -> bool:
    """Say whether a statement at column 0 returns, which Python refuses when it compiles."""
    return any(one.text.startswith("return") for one in split(text)[:MAX_STATEMENTS])


def parses(text: str) -> bool:
    """Say whether `text` is Python, and no longer than programs are."""
    return len(text) <= _MAX_PARSED and is_python(text)
