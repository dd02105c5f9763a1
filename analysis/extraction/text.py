"""A program among prose that no fence sets apart."""

import json
import keyword
import re
from collections.abc import Sequence
from textwrap import dedent

from ..statements import MAX_STATEMENTS, Names, Statement, defines, split
from .task import Task

_TITLE = re.compile(r"[\r\n]*+(?:[-*+>][ \t]++)?(?P<word>[^\W\d]\w*+)[ \t]*+\r?\n(?:[ \t]*+\r?\n)*+(?=\S)")
_MAX_JSON, _MAX_JSON_DEPTH = 1_000_000, 3
_COMMANDS = re.compile(r"(?:\s*+[%!][^\n]*+\n)+")  # of a notebook
_CODE = ("code", "solution", "program", "completion", "answer", "response", "final_answer", "arguments", "parameters")
_COMPOUND = re.compile(r"(?:async|class|def|if|for|while|with|try|elif|else|except|finally)\b")


def without_title(text: str, task: Task) -> str:
    """Return `text` without a first line that is one word, as in `python` or `Solution`: a name that nothing gives.

    A notebook's commands at its beginning are no Python either.
    """
    text = text[found.end() :] if (found := _COMMANDS.match(text)) else text
    found = _TITLE.match(text)
    if not found or keyword.iskeyword(found["word"]):
        return text
    rest = text[found.end() :]
    return rest if task.defined_in(rest) else text


def text_in_json(text: str) -> str | None:
    """Return the text of the field that has the code, where `text` is a JSON object with one; None for others."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _MAX_JSON:
        return None
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    for _ in range(_MAX_JSON_DEPTH):
        value = next((value[name] for name in _CODE if value.get(name)), None) if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def indented_program(text: str, task: Task) -> str | None:
    """Return the lines around the entry point without their indentation, where prose has it indented as a whole."""
    lines = text.splitlines(keepends=True)
    defined = re.compile(rf"[ \t]+(?:async[ \t]+def|def|class)[ \t]+{re.escape(task.root)}\b")
    place = next((number for number, line in enumerate(lines) if defined.match(line)), None)
    if place is None:
        return None
    first, last = place, place + 1
    while first > 0 and _is_within(lines[first - 1]):
        first -= 1
    while last < len(lines) and _is_within(lines[last]):
        last += 1
    if first > 0 and _COMPOUND.match(lines[first - 1]):  # a method of a class, say
        return None
    return dedent("".join(lines[first:last]))


def _is_within(line: str) -> bool:
    return not line.strip() or line[0] in " \t"


def program_in_text(text: str, task: Task, *, by_name: bool = True) -> tuple[str, bool] | None:
    """Return the statements of `text` around its entry point, and whether text was left out; None without any.

    They are those that stand together with the last statement that binds the entry point, and those elsewhere that
    bind what it needs. Without `by_name` any definition counts: a program, though not the one that was asked for.
    """
    if by_name and task.root not in text:
        return None
    statements = split(text)
    if len(statements) > MAX_STATEMENTS:
        return None
    if by_name:
        found = [place for place in defines(statements, task.entry_point) if statements[place].facts.kind != "broken"]
    else:
        found = [place for place, one in enumerate(statements) if one.facts.kind == "definition"]
    if not found:
        return None
    whole = [place for place in found if not statements[place].facts.stub] or found
    first = last = whole[-1]
    while first > 0 and _is_code(statements[first - 1]):
        first -= 1
    while last + 1 < len(statements) and _is_code(statements[last + 1]):
        last += 1
    places = set(range(first, last + 1))
    for _ in range(10):
        block = [statements[place] for place in sorted(places)]
        names = Names(block)
        missing = names.missing(names.reached([task.root]))
        more = {place for place in range(len(statements)) if place not in places and _gives(statements[place], missing)}
        if not more:
            break
        places |= more
    program = _text_of([statements[place] for place in sorted(places)], text)
    return program, len(program.strip()) < len(text.strip())


def _is_code(statement: Statement) -> bool:
    """Say whether a statement reads as code rather than as prose that happens to parse."""
    facts = statement.facts
    if facts.kind in ("broken", "comment"):
        return False
    if facts.kind != "expression":
        return True
    return "(" in statement.text or statement.text.startswith(('"""', "'''"))


def _gives(statement: Statement, missing: set[str]) -> bool:
    return not missing.isdisjoint(statement.facts.binds) and _is_code(statement)


def _text_of(statements: Sequence[Statement], text: str) -> str:
    """Return the text of `statements`, with what stands between neighbours."""
    parts: list[str] = []
    for one, following in zip(statements, [*statements[1:], None], strict=True):
        joined = following is not None and not text[one.end : following.start].strip()
        parts.append(text[one.start : following.start if joined and following else one.stop])
    return "".join(part if part.endswith(("\n", "\r")) else f"{part}\n" for part in parts[:-1]) + parts[-1]
