"""What a program needs: where the last statement stands that its entry point reaches, and which names it lacks."""

import re
from collections.abc import Sequence

from ..statements import MAX_STATEMENTS, Names, Statement, defines, root_of, split

_ROUNDS = 10
# What these do to a module is seen in no name that they bind.
_BY_NAME = re.compile(
    r"(?:setattr|delattr|exec)\s*\(|(?:globals|locals|vars)\s*\([^()]*\)\s*(?:\[|\.\s*(?:update|setdefault)\b)"
)
_SHOWS = ("print", "assert", "doctest", "unittest", "pytest", "sys.exit", "exit(", "quit(")


def end_of_program(text: str, entry_point: str) -> int:
    """Return where the last statement of `text` ends that its entry point needs: what follows only uses or tests it.

    The whole text where nothing binds the entry point, or it is longer than programs are.
    """
    statements = split(text)
    if len(statements) > MAX_STATEMENTS:
        return len(text)
    found = [place for place in defines(statements, entry_point) if statements[place].facts.kind != "broken"]
    return _end(statements, {root_of(entry_point)}, found[-1], text) if found else len(text)


def end_of_names(text: str, wanted: set[str]) -> int:
    """Return where the last statement of `text` ends that the names `wanted` need."""
    statements = split(text)
    binders = [place for place, one in enumerate(statements) if one.facts.binds & wanted]
    return _end(statements, wanted, binders[-1], text) if binders else len(text)


def _end(statements: Sequence[Statement], roots: set[str], last: int, text: str) -> int:
    names = Names(statements)
    reached = names.reached(roots)
    for _ in range(_ROUNDS):
        before = last
        for place in range(last + 1, len(statements)):
            if _matters(statements[place], names, reached, roots):
                last = place
                facts = statements[place].facts
                reached |= names.reached(facts.reads | facts.annotations)
        if last == before:
            break
    return statements[last].stop if last + 1 < len(statements) or statements[last].stop < len(text) else len(text)


def _matters(statement: Statement, names: Names, reached: set[str], roots: set[str]) -> bool:
    """Say whether the roots behave otherwise without `statement`, which follows them."""
    facts = statement.facts
    if facts.kind in ("assert", "main", "broken", "comment"):
        return False
    if facts.binds & reached or statement.is_setting:
        return True
    own = names.own(reached)
    data = {name for name in own - roots if _is_data(name, names)}
    if facts.kind in ("definition", "import"):
        registers = facts.changes if statement.text.startswith("@") else frozenset()
        return bool(facts.changes & own) or _reaches(registers, data, names)
    if statement.text.startswith(_SHOWS) or "input" in facts.reads:
        return False
    if _BY_NAME.match(statement.text):
        return True
    if facts.stores & own or facts.changes & (own - roots):
        return True
    if any(f"{root}.register" in statement.text or _fills(statement, root) for root in roots):
        return True
    if facts.reads & roots:  # a use of the entry point
        return False
    return _reaches(facts.reads, data, names)


def _fills(statement: Statement, root: str) -> bool:
    """Say whether a statement puts something into an attribute of `root`, as into a table."""
    into = r"(?:\[[^\]\n]*\]\s*=(?!=)|\.\s*(?:append|extend|insert|add|update|setdefault)\s*\()"
    return re.search(rf"\b{re.escape(root)}\.\w+\s*{into}", statement.text) is not None


def _reaches(used: frozenset[str], data: set[str], names: Names) -> bool:
    """Say whether one of the names `used` is that of something which uses `data`."""
    return any(bool(names.reached([name]) & data) for name in used & names.binders.keys())


def _is_data(name: str, names: Names) -> bool:
    return any(names.statements[place].facts.kind in ("assignment", "block") for place in names.binders[name])


def lacks(text: str, entry_point: str, *, everywhere: bool = False) -> set[str]:
    """Return the names that the entry point of `text` reaches, or all statements read, and nothing in `text` gives."""
    statements = split(text)
    if len(statements) > MAX_STATEMENTS:
        return set()
    names = Names(statements)
    if everywhere:
        return names.missing({name for one in statements for name in one.facts.reads | one.facts.annotations})
    return names.missing(names.reached([root_of(entry_point)]))
