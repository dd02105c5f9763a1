"""Changes of an API to propose from two versions of a package: names gone, calls changed, names deprecated."""

import ast
import builtins
import difflib
import keyword
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType
from typing import Literal

from .public_api import Api, PublicApi

Sort = Literal["gone", "signature", "deprecated"]
SORTS: tuple[Sort, ...] = ("gone", "signature", "deprecated")
_ALIKE = 0.6  # of names that are new in the place of the old one
_ALIKE_ELSEWHERE = 0.85  # of those that were there before, or stand in another module
_MOST = 3  # replacements to choose from
_SAYABLE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")  # what the schema takes for a name
_LONGEST_VALUE = 20
_CALLABLE = ("function", "class", "method")
_CUE = re.compile(r"\b(?:use|instead|replaced|renamed|favou?r|prefer|see|moved)\b", re.IGNORECASE)
_NAMED = re.compile(
    r":\w+:`(?:[^`<]*<)?~?\.?(?P<role>[A-Za-z_][\w.]*)"
    r"|[`'\"]+~?\.?(?P<quoted>[A-Za-z_][\w.]*)(?:\([^`'\"]*\))?[`'\"]"
    r"|\b(?P<called>[A-Za-z_][\w.]*)\("
    r"|\b(?P<dotted>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)"
    r"|\b(?:use|by|to|with|of|prefer)\s+(?P<bare>[A-Za-z_]\w*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that a person may choose. One in place has the name as its only replacement, and both signatures."""

    sort: Sort
    deprecated: str
    replacements: tuple[str, ...]  # the likeliest first
    why: str
    certainty: float
    old_signature: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The proposals, most certain first, and what is gone or deprecated with nothing to propose in its place."""

    proposals: tuple[Proposal, ...]
    without: tuple[str, ...]


def compare(old: PublicApi, new: PublicApi) -> Comparison:
    """Return what changed from `old` to `new`, as far as a program can notice it."""
    proposals: dict[str, Proposal] = {}
    without: list[str] = []
    for api in old.apis:
        if hasattr(builtins, api.path.partition(".")[0]):
            continue  # a change of that name would be one of Python's own
        if not new.has(api.path):
            place = new.by_path.get(api.place)
            if place is not None or api.kind != "method":  # with a class goes all that it has
                _add(_gone(api, old, new), api, proposals, without)
        elif (now := new.by_path.get(api.path)) and now.deprecated is None and (changed := _changed(api, now)):
            proposals[api.path] = changed
    for api in new.apis:
        if api.deprecated is not None and not hasattr(builtins, api.path.partition(".")[0]):
            _add(_deprecated(api, new), api, proposals, without)
    sayable = [
        each for each in proposals.values() if all(map(_SAYABLE.fullmatch, (each.deprecated, *each.replacements)))
    ]
    ordered = sorted(sayable, key=lambda each: (-each.certainty, each.deprecated))
    return Comparison(tuple(ordered), tuple(sorted(set(without) - proposals.keys())))


def _add(found: Proposal | None, api: Api, proposals: dict[str, Proposal], without: list[str]) -> None:
    if found is not None:
        proposals[api.path] = found
    elif api.kind in _CALLABLE or api.name.isupper():  # what else is assigned is rarely meant for others
        without.append(api.path)


# Names that are gone, or going


def _gone(api: Api, old: PublicApi, new: PublicApi) -> Proposal | None:
    named = _named(api, api.deprecated or "", new)
    if named:
        why = _with_words("gone; the old version called it deprecated", api.deprecated or "")
        return Proposal("gone", api.path, tuple(named), why, 1.0)
    if api.kind not in _CALLABLE:
        return None
    others = [path for path in api.paths[1:] if (found := new.by_path.get(path)) and found.kind in _CALLABLE]
    if others:
        return Proposal("gone", api.path, (others[0],), "gone from here; its other path leads to it still", 0.95)
    moved = _moved(api, new)
    if moved:
        return Proposal("gone", api.path, moved, "gone from here; the same name stands elsewhere", 0.9)
    alike = _alike(api, old, new)
    if not alike:
        return None
    certainty, paths, why = alike
    return Proposal("gone", api.path, paths, why, certainty)


def _deprecated(api: Api, new: PublicApi) -> Proposal | None:
    words = api.deprecated or ""
    named = _named(api, words, new)
    if named:
        return Proposal(
            "deprecated", api.path, tuple(named), _with_words("called deprecated in the new version", words), 0.98
        )
    moved = _moved(api, new)
    if moved:
        why = _with_words("called deprecated in the new version; the same name stands elsewhere", words)
        return Proposal("deprecated", api.path, moved, why, 0.75)
    return None


def _with_words(why: str, words: str) -> str:
    return f"{why}: {' '.join(words.split())}" if words else why


def _named(api: Api, words: str, new: PublicApi) -> list[str]:
    """Return the APIs that the words of a deprecation name, those after "use" or "instead of" first."""
    cue = _CUE.search(words)
    start = cue.start() if cue else 0
    words_after = words[start:]
    found: list[str] = []
    for text in (words_after, words[:start]):
        for match in _NAMED.finditer(text):
            token = next(group for group in match.groups() if group).strip(".")
            path = _look_up(token, api, new, said_plainly=match["bare"] is not None)
            if path is None and match["bare"] is None and text is words_after and _is_of_python(token):
                path = token
            if path is not None and path != api.path and path not in api.paths and path not in found:
                found.append(path)
    return found[:_MOST]


def _look_up(token: str, api: Api, new: PublicApi, *, said_plainly: bool) -> str | None:
    """Return the API that `token` names for one who reads of `api`: by its end, the nearest place first."""
    parts = token.split(".")
    place = api.place
    while place and len(parts) < api.path.count(".") + 2:  # from the class of the API outwards
        near = new.by_path.get(f"{place}.{token}")
        if near is not None and near.kind in _CALLABLE and near.path != api.path:
            return near.path
        place = place.rpartition(".")[0]
    if token in new.by_path:
        return _callable_path(new.by_path[token])
    for length in range(len(parts), 1, -1):
        ending = "." + ".".join(parts[-length:])
        found = {each.path for path, each in new.by_path.items() if path.endswith(ending) and each.kind in _CALLABLE}
        if found:
            return min(found, key=lambda path: (path.count("."), path))
    if len(parts) == 1 and not said_plainly:
        found = {each.path for each in new.apis if each.name == token and each.kind in ("function", "class")}
        return found.pop() if len(found) == 1 else None
    return None


def _is_of_python(token: str) -> bool:
    """Say whether `token` is a builtin function, or a dotted name in the standard library; that is not imported."""
    root, _, rest = token.partition(".")
    if not rest:
        return isinstance(getattr(builtins, token, None), BuiltinFunctionType)
    return root in sys.stdlib_module_names and not any(map(keyword.iskeyword, rest.split(".")))


def _callable_path(api: Api) -> str | None:
    return api.path if api.kind in _CALLABLE else None


def _moved(api: Api, new: PublicApi) -> tuple[str, ...]:
    """Return what has the same name and sort in other modules."""
    if api.kind == "method":
        return ()
    found = [each for each in new.apis if each.name == api.name and each.kind == api.kind and each.path != api.path]
    found.sort(key=lambda each: (_bare(each) != _bare(api), each.path.count("."), each.path))
    return tuple(each.path for each in found if each.deprecated is None)[:_MOST]


def _alike(api: Api, old: PublicApi, new: PublicApi) -> tuple[float, tuple[str, ...], str] | None:
    """Return the APIs whose names are most like that of `api`, and how certain the best is."""
    scores: list[tuple[float, str]] = []
    place = new.by_path.get(api.place)
    here = place.path if place is not None else api.place
    for other in new.apis:
        if other.kind not in _CALLABLE or (other.kind == "method") != (api.kind == "method") or other.deprecated:
            continue
        near = other.place == here or f"{here}.{other.name}" in other.paths
        if not near and api.kind == "method":
            continue
        is_new = not old.has(other.path)
        likeness = _likeness(api.name, other.name)
        if likeness < (_ALIKE if near and is_new else _ALIKE_ELSEWHERE):
            continue
        same = api.parameters is not None and other.parameters is not None and _bare(api) == _bare(other)
        scores.append((likeness + 0.1 * same + 0.1 * is_new + 0.05 * near - 0.25, other.path))
    scores.sort(key=lambda each: (-each[0], each[1]))
    if not scores:
        return None
    best = scores[0][0]
    paths = tuple(path for score, path in scores if score > best - 0.2)[:_MOST]
    said = "gone; the new version has a name like it" + (", and others" if len(paths) > 1 else "")
    return min(best, 0.94), paths, said


def _likeness(one: str, other: str) -> float:
    """Return how alike two names are, from 0 to 1; underscores and capitals make little difference."""
    bare = one.replace("_", "").lower(), other.replace("_", "").lower()
    if bare[0] == bare[1] and bare[0]:
        return 1.0
    words = [set(re.findall(r"[a-z]+|[A-Z][a-z]*|\d+", name)) for name in (one, other)]
    ratio = difflib.SequenceMatcher(None, bare[0], bare[1]).ratio()
    return (
        ratio if len(min(bare, key=len)) > 3 or words[0] & words[1] else ratio - 0.2
    )  # short ones are alike by chance


# Calls that changed


def _changed(old: Api, new: Api) -> Proposal | None:
    """Return the change of a signature that a call can notice; None where none can."""
    if old.kind != new.kind or old.parameters is None or new.parameters is None:
        return None
    reasons = list(_differences(old.parameters, new.parameters))
    if not reasons:
        return None
    certainty = max(certainty for certainty, _ in reasons)
    why = "called in another way: " + "; ".join(dict.fromkeys(reason for _, reason in reasons))
    before, after = (_signature(api.name, api.parameters) for api in (old, new) if api.parameters is not None)
    return Proposal("signature", old.path, (old.path,), why, certainty, before, after)


def _differences(old: ast.arguments, new: ast.arguments) -> Iterator[tuple[float, str]]:
    """Yield what a call written for `old` meets in `new`, with how many calls are likely to notice."""
    before, after = _Parameters(old), _Parameters(new)
    if before.is_open or after.is_open:
        return
    lost = [name for name in before.names if name not in after.names and name not in before.by_place]
    lost = [name for name in lost if not (after.keywords and name not in before.required)]
    added = [name for name in after.names if name not in before.names]
    swapped = {name: after.at(before.order.index(name)) for name in lost if name in before.order}
    swapped = {name: other for name, other in swapped.items() if other in added}
    unseen = {after.at(place) for place, name in enumerate(before.order) if name in before.by_place}
    for name in lost:
        if name in swapped:
            yield 0.6, f"{name} is called {swapped[name]}"
        else:
            yield 0.8, f"{name} is gone"
    for name in added:
        if name in after.required and name not in swapped.values() and name not in unseen:
            yield 0.85, f"{name} is needed"
    kept = [name for name in before.order if name in after.names]
    for name in kept:
        if name not in after.order:
            yield 0.8, f"{name} is given by name alone"
        elif name in after.by_place and name not in before.by_place and before.order.index(name) > 0:
            yield 0.4, f"{name} is given by place alone"
        elif name in after.required and name not in before.required:
            yield 0.7, f"{name} has no default any more"
    placed = [name for name in kept if name in after.order]
    if placed != sorted(placed, key=after.order.index):
        yield 0.75, f"another order: {', '.join(sorted(placed, key=after.order.index))}"
    elif moved := [name for name in placed if before.order.index(name) < after.order.index(name)]:
        yield 0.5, f"{moved[0]} stands further back"
    if before.rest and not after.rest:
        yield 0.65, f"*{before.rest} is gone"
    if before.keywords and not after.keywords:
        yield 0.5, f"**{before.keywords} is gone"


class _Parameters:
    """The parameters of a signature by the ways in which a call can give them."""

    def __init__(self, arguments: ast.arguments) -> None:
        self.by_place = {each.arg for each in arguments.posonlyargs}
        self.order = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        self.names = [*self.order, *(each.arg for each in arguments.kwonlyargs)]
        needed = self.order[: len(self.order) - len(arguments.defaults)]
        by_name = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        self.required = {*needed, *(each.arg for each, default in by_name if default is None)}
        self.rest = arguments.vararg.arg if arguments.vararg else ""
        self.keywords = arguments.kwarg.arg if arguments.kwarg else ""
        self.is_open = bool(self.rest and self.keywords)  # what it takes is said elsewhere

    def at(self, place: int) -> str:
        """Return the name at a place; "" where there is none."""
        return self.order[place] if place < len(self.order) else ""


def _bare(api: Api) -> Sequence[str] | None:
    return _Parameters(api.parameters).names if api.parameters is not None else None


def _signature(name: str, arguments: ast.arguments) -> str:
    """Return the signature without annotations; defaults that are long or no plain values stand as `...`."""

    def bare(parameter: ast.arg | None) -> ast.arg | None:
        return parameter and ast.arg(parameter.arg)

    shown = ast.arguments(
        posonlyargs=[ast.arg(each.arg) for each in arguments.posonlyargs],
        args=[ast.arg(each.arg) for each in arguments.args],
        vararg=bare(arguments.vararg),
        kwonlyargs=[ast.arg(each.arg) for each in arguments.kwonlyargs],
        kw_defaults=[value and _short(value) for value in arguments.kw_defaults],
        kwarg=bare(arguments.kwarg),
        defaults=[_short(value) for value in arguments.defaults],
    )
    return f"{name}({ast.unparse(shown)})"


def _short(value: ast.expr) -> ast.expr:
    plain = isinstance(value, ast.Constant) and isinstance(value.value, str | bytes | bool | float | int | None)
    return value if plain and len(ast.unparse(value)) <= _LONGEST_VALUE else ast.Constant(...)
