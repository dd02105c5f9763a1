"""The end of an entry point: for cutting sampled completions and for stopping early.

The decision is made statement by statement, and what was decided for a text holds for all that begin with it: cutting
a completion that was stopped early cuts at the same place as cutting the one that was not.
"""

from collections.abc import Sequence

from .statements import Names, Statement, defines, root_of, split

_MAX_STATEMENTS = 2000  # after the entry point; what no model writes is not read to its end


def cut_at_function_end(prompt: str, completion: str, entry_point: str) -> str:
    """Return the beginning of `completion` up to where the entry point and all that it reaches are complete.

    The entry point is the function that `prompt` opened, once the completion has a line of its body, else the first
    statement of the completion that binds its name; what stands before that is kept. It ends at the next statement at
    column 0. What follows is kept up to the last statement that defines a name which the entry point reaches and
    which nothing before gives, and so are statements right after it that change the entry point or what it reaches
    (`f = cache(f)`, `@f.register`, `sys.setrecursionlimit(...)`). Where the entry point is never bound, all is kept;
    where the prompt opened it and the completion has no line of a body, nothing.
    """
    return completion[: _find_end(prompt, completion, entry_point)[0]]


def is_function_complete(prompt: str, completion: str, entry_point: str) -> bool:
    """Say whether generation may stop: the entry point is complete, all that it reaches is there, another line too.

    Whatever follows, `cut_at_function_end` then returns the same.
    """
    return _find_end(prompt, completion, entry_point)[1]


def opens_function(prompt: str, entry_point: str) -> bool:
    """Say whether `prompt` ends in the entry point, for a completion to go on with."""
    statements = split(prompt)
    return bool(statements) and defines(statements[-1:], entry_point) == [0]


def has_body(prompt: str, completion: str, entry_point: str) -> bool:
    """Say whether `completion` has a line of the body of the entry point that `prompt` opened."""
    return opens_function(prompt, entry_point) and _opened(prompt, completion, split(prompt + completion)) is not None


def _find_end(prompt: str, completion: str, entry_point: str) -> tuple[int, bool]:
    """Return where in `completion` the entry point ends, and whether nothing that follows can change that."""
    joint = len(prompt)
    statements = split(prompt + completion)
    opens = opens_function(prompt, entry_point)
    place = _opened(prompt, completion, statements) if opens else None
    if place is None:
        after = sum(one.start < joint if opens else one.end <= joint for one in statements)
        found = defines(statements[after:], entry_point)
        if not found:
            return (_end_of_header(statements, joint) if opens else len(completion)), False
        place = after + found[0]
    end, final = _follow(statements, place, root_of(entry_point))
    return max(0, end - joint), final


def _opened(prompt: str, completion: str, statements: Sequence[Statement]) -> int | None:
    """Return the place of the statement that `prompt` opened, if the completion has a line of its body."""
    joint = len(prompt)
    last = next((i for i in reversed(range(len(statements))) if statements[i].start < joint), None)
    if last is None or statements[last].end <= joint:
        return None
    added = completion[: statements[last].end - joint]
    lines = added.splitlines()
    if lines and not prompt.endswith(("\n", "\r")) and lines[0].strip():
        return last
    return last if any(line.strip() and not line.lstrip().startswith("#") for line in lines) else None


def _end_of_header(statements: Sequence[Statement], joint: int) -> int:
    """Return where the completion leaves a function without a body: at its first line at column 0."""
    return next((one.stop - joint for one in statements if one.stop >= joint), 0)


def _follow(statements: Sequence[Statement], place: int, root: str) -> tuple[int, bool]:
    """Return where what `root` needs ends, from the statement at `place` on, and whether that is final."""
    last, waiting = place, place + 1
    names = Names(statements[: last + 1])
    reached = names.reached([root])
    own, missing = names.own(reached), names.missing(reached)
    while waiting < min(len(statements), place + _MAX_STATEMENTS):
        statement = statements[waiting]
        closed = waiting + 1 < len(statements)
        line = statement.first_line()
        keep = not missing.isdisjoint(statement.facts.binds)
        if line is not None and not keep:
            keep = _changes(line, reached, own, root)
        if not keep and not missing:
            if line is None:
                break
            if not line.startswith(("import ", "from ")):
                return statements[last].stop, True
        if keep:
            for one in statements[last + 1 : waiting + 1]:
                names.add(one)
            last, facts = waiting, statement.facts
            more = names.reached(facts.reads | facts.annotations, reached | facts.binds) - reached
            reached |= more
            own |= names.own(more | facts.binds)
            missing = (missing - names.binders.keys() - names.given) | names.missing(more)
            if not closed:
                break
        waiting += 1
    return statements[last].stop, False


def _changes(line: str, reached: set[str], own: set[str], root: str) -> bool:
    """Say whether a statement that begins with `line` changes what the entry point reaches."""
    first = next(iter(split(line)), None)
    if first is None or line.startswith(("def ", "class ", "async ", "if ", "print")):
        return False
    if line.startswith("@"):
        return bool(split(f"{line}def _(): pass")[0].facts.changes & own)
    facts = first.facts
    if first.is_setting:
        return True
    if facts.kind == "assignment":
        return bool((facts.binds & reached and facts.reads & own) or facts.stores & own)
    return facts.kind == "expression" and root in facts.changes and line.startswith(f"{root}.register")
