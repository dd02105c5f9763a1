"""The problem that an answer is for, by what people call it: its id in any spelling, a number, a prompt, a function.

A guess is never made: where the clues fit several problems, the answer says nothing, and the problems are named.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ..schemas.bench import Bench
from ..schemas.problems import Problem
from ..schemas.task_names import spell

By = Literal["name", "number", "prompt", "entry_point", "position"]
WhyNot = Literal["no_task", "ambiguous_task", "left_out"]

# What data sets are called besides; EvalPlus's ids on the original MBPP, whose functions differ, are noted by callers.
_FAMILIES: Final = {
    "humanevalplus": "humaneval",
    "openaihumaneval": "humaneval",
    "mbppplus": "mbpp",
    "mbppsanitized": "mbpp",
    "sanitizedmbpp": "mbpp",
}
_LAST_NUMBER = re.compile(r"(.*?)[^0-9a-z]*([0-9]+)\Z", re.DOTALL)
_WORD = re.compile(r"[^\W\d]\w*")
# What stands before the number of a sample in its name: HumanEval_1_sample_5, HumanEval_1_s2.
_COUNTERS = (
    "samples?|completions?|generations?|gen|responses?|answers?|outputs?|solutions?|attempt|try|trial|run|n|s|idx"
)
_COUNTED = re.compile(rf"(?:(?:[0-9]+/)*|(?:.*/)?(?:{_COUNTERS})/)([0-9]+)(?:/[^0-9]+)?", re.DOTALL)
_BLOCK = re.compile(
    r"[ \t]*(?:(?:async|def|class|if|elif|else|for|while|with|try|except|finally)\b|\)).*:\s*(?:#.*)?"
    r"|[ \t]*(?:```|~~~).*"
)
_RETURN = re.compile(r"[ \t]+return\b")
_DEFINITION = re.compile(r"[ \t]*(?:(?:async[ \t]+def|def|class)[ \t]+(\w+)|(\w+)[ \t]*=(?!=)[ \t]*(lambda\b)?)")
_MAX_NAMED = 5
_MIN_CORE = 20  # characters
_MAX_NAME = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """The task that was found, by what, and the number of a sample that its name ended with."""

    problem: Problem
    by: By
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Why no task was found."""

    reason: WhyNot
    detail: str


@dataclass(frozen=True, slots=True)
class Text:
    """Something that may tell a task: whether it is a prompt, which shows the task, or an answer.

    `is_body`: what it defines at a depth stands within the function that it completes.
    """

    text: str
    is_prompt: bool
    is_body: bool = False


class TaskFinder:
    """Finds the tasks of a benchmark, with those that it left out."""

    def __init__(self, bench: Bench):
        self._problems = bench.problems
        self._left_out = bench.left_out()
        ids = [*bench.problems, *self._left_out]
        self._names = bench.names
        self._spelled = _unique((spell(task_id), task_id) for task_id in ids)
        self._by_number: dict[int, list[str]] = {}
        self._families: dict[str, dict[int, str]] = {}
        for task_id in ids:
            found = _LAST_NUMBER.match(spell(task_id))
            if found and len(found[2]) < 10:
                self._by_number.setdefault(int(found[2]), []).append(task_id)
                self._families.setdefault(found[1], {})[int(found[2])] = task_id
        self._by_entry: dict[str, list[Problem]] = {}
        for problem in bench.problems.values():
            self._by_entry.setdefault(entry_name(problem), []).append(problem)
        self._by_length = sorted({*self._families, *_FAMILIES, *_FAMILIES.values()} - {""}, key=len, reverse=True)
        self._cores = {problem.task_id: _core(problem.prompt) for problem in bench.problems.values()}

    def by_name(
        self, name: str | int, texts: Sequence[Text] = (), *, indexed: bool = False, family: str | None = None
    ) -> Known | Unknown | None:
        """Return the task that `name` means; None where it means nothing here.

        A number means the problem of that number, and where there are several, the one that `texts` speak of, else the
        one of `family`. With `indexed`, the name may end with the number of a sample, as in HumanEval/0#3 and
        HumanEval_0-3.
        """
        text = str(name).strip()
        if isinstance(name, bool) or not text:
            return None
        if (number := as_number(name)) is not None:
            return self.by_number(number, texts, family)
        if len(text) > _MAX_NAME:
            return None
        if text in self._problems or text in self._left_out:
            return self._known(text, "name")
        stem, mark, last = text.rpartition("#")
        if indexed and mark and last.isdecimal() and last.isascii():  # as `edittool prompts` writes it
            found = self.by_name(stem, texts, family=family)
            if isinstance(found, Known):
                return Known(found.problem, found.by, int(last[:9]))
            if found is not None:
                return found
        task_id = self._names.find(text) or self._spelled.get(spell(text))
        if task_id is not None:
            return self._known(task_id, "name")
        found = self._decorated(text)
        if found is not None or not indexed:
            return found
        if (numbers := numbers_in(text)) is not None:
            # A number that no problem has is something else, such as a date.
            of_number = self.by_number(numbers[0], texts, family) if numbers[0] in self._by_number else None
            return Known(of_number.problem, of_number.by, numbers[1]) if isinstance(of_number, Known) else of_number
        stem, last = _split_number(text)
        found = self.by_name(stem, texts) if stem else None
        return Known(found.problem, found.by, int(last[:9])) if isinstance(found, Known) else found

    def _decorated(self, text: str) -> Known | Unknown | None:
        """Return the task whose family and number stand in `text`, with something around them."""
        spelled = spell(text)
        for family in self._by_length:
            if family not in spelled:
                continue
            place = re.search(rf"(?:^|/){re.escape(family)}/([0-9]+)(?:/(.*))?\Z", spelled, re.DOTALL)
            if place is None:
                continue
            task_id = self._families.get(_FAMILIES.get(family, family), {}).get(int(place[1][:12]))
            if task_id is None:
                return Unknown("no_task", f"the benchmark has no problem {text!r}")
            counted = _COUNTED.fullmatch(place[2] or "")
            return self._known(task_id, "name", int(counted[1][:9]) if counted else None)
        return None

    def by_number(self, number: int, texts: Sequence[Text] = (), family: str | None = None) -> Known | Unknown:
        """Return the problem of this number: the only one, else the one of `family`, or the one `texts` speak of.

        What the texts say counts: a number whose problem they do not know, while they define another's function, is
        taken for the number of something else.
        """
        ids = self._by_number.get(number, [])
        if not ids:
            return Unknown("no_task", f"the benchmark has no problem of number {number}")
        here = [self._problems[task_id] for task_id in ids if task_id in self._problems]
        meant = self._spoken_of(here, texts)
        if len(meant) == 1:
            return Known(meant[0], "number")
        nearly = {entry_name(one).casefold() for one in here}  # MBPP has left_rotate and left_Rotate
        defined = [] if meant else self._defined(texts, values=True)
        others = [one for one in defined if entry_name(one).casefold() not in nearly]
        if others:
            what = f"{_named(ids)} has the number {number}, and the answer is one for "
            return Unknown("ambiguous_task", what + _named(one.task_id for one in others))
        if family is not None and (task_id := self._families.get(family, {}).get(number)):
            return self._known(task_id, "number")
        if len(ids) > 1:
            return Unknown("ambiguous_task", f"the number {number} may be {_named(ids)}")
        return self._known(ids[0], "number")

    def bears_out(self, number: int, texts: Sequence[Text]) -> bool | None:
        """Say whether `texts` show or define a problem of this number: False where they do so for others alone.

        None where they show and define no problem, or no problem has the number.
        """
        here = [self._problems.get(task_id) for task_id in self._by_number.get(number, ())]
        nearly = {entry_name(one).casefold() for one in here if one}
        shown = [one for text in texts for one in self._prompts_in(text.text)]
        told = [*shown, *(problem for text in texts for problem in self._defined([text]))]
        if not told or not nearly:
            return None
        return any(entry_name(one).casefold() in nearly for one in told)

    def family_of(self, problem: Problem) -> str | None:
        """Return what the ids of the data set of `problem` begin with; None where they end with no number."""
        found = _LAST_NUMBER.match(spell(problem.task_id))
        return found[1] if found else None

    def by_text(self, texts: Sequence[Text]) -> Known | Unknown | None:
        """Return the only task whose prompt stands in `texts`, else whose function they define; None for no task."""
        for text in texts:
            found = self._prompts_in(text.text)
            if len(found) > 1:  # a prompt with examples before it: the answer is for one of them
                defined = self._defined([one for one in texts if not one.is_prompt])
                found = [one for one in found if one in defined] if defined else found
            if len(found) == 1:
                return Known(found[0], "prompt")
            if found:
                return _several(found)
        found = self._defined(texts)
        if len(found) == 1:
            return Known(found[0], "entry_point")
        if found:
            return _several(self._spoken_of(found, [text for text in texts if text.is_prompt]) or found)
        asked = [one for text in texts if text.is_prompt for one in self._mentioned(text.text) if _calls(text, one)]
        called = list({one.task_id: one for one in asked}.values())
        if len(called) == 1:
            return Known(called[0], "entry_point")
        return _several(called) if called else None

    def by_entry_point(self, name: str, texts: Sequence[Text] = ()) -> Known | Unknown | None:
        """Return the only task with the entry point `name`, or the one of several whose prompt stands in `texts`."""
        found = self._by_entry.get(_bare(name), [])
        if len(found) > 1:
            found = [one for one in found if any(self._shows(text, one) for text in texts)] or found
        if len(found) == 1:
            return Known(found[0], "entry_point")
        return _several(found) if found else None

    def by_position(self, length: int, texts: Sequence[str]) -> tuple[Mapping[int, Known | Unknown], int]:
        """Return the tasks of a list that has one entry for each task, by place, and how many texts tell another one.

        `texts` are the first texts of the entries, `length` how many there are. The place alone tells a task where the
        length is that of a data set, and of ten texts that tell a problem no more than one tells another than that of
        its place.
        """
        known: dict[int, Known | Unknown] = {}
        for place, text in enumerate(texts):
            found = self.by_text([Text(text, is_prompt=False)])
            if isinstance(found, Known):
                known[place] = found
        for ids in self._lists_of(length):
            here = {place: self._known(task_id, "position") for place, task_id in enumerate(ids) if task_id}
            agreed = {place: found for place, found in known.items() if _are_same(found, here.get(place))}
            if 10 * len(agreed) >= 9 * len(known):
                return here | agreed, len(known) - len(agreed)
        return known, 0

    def has_length(self, length: int) -> bool:
        """Say whether a list of this length may have one entry for each task of the benchmark, or of a data set."""
        return any(True for _ in self._lists_of(length))

    def _lists_of(self, length: int) -> Iterator[list[str]]:
        """Yield the data sets, as lists of ids in their own order, that have `length` problems."""
        if length == len(self._problems):
            yield list(self._problems)
        for family, numbers in self._families.items():
            ids = [numbers[number] for number in sorted(numbers)]
            if len(ids) == length:
                yield ids
            if family == "mbpp" and length == 500:  # its test split
                yield [numbers.get(number, "") for number in range(11, 511)]
            if family == "humaneval" and length == 164:
                yield [numbers.get(number, "") for number in range(164)]

    def _known(self, task_id: str, by: By, index: int | None = None) -> Known | Unknown:
        problem = self._problems.get(task_id)
        if problem is not None:
            return Known(problem, by, index)
        why = self._left_out[task_id]
        return Unknown("left_out", f"the benchmark left {task_id} out: {why.reason} ({why.detail})")

    def _prompts_in(self, text: str) -> list[Problem]:
        """Return the problems whose prompt stands in `text`, without those whose prompt is a part of another's."""
        folded = _fold(text)
        found = [one for one in self._mentioned(text) if self._has_core(one) and self._cores[one.task_id] in folded]
        cores = {self._cores[one.task_id] for one in found}
        parts = {core for core in cores if any(core != other and core in other for other in cores)}
        return [one for one in found if self._cores[one.task_id] not in parts]

    def _defined(self, texts: Sequence[Text], *, values: bool = False) -> list[Problem]:
        """Return the problems whose entry point a text defines; the first text that defines any decides.

        With `values`, any value that a name gets counts as a definition.
        """
        for text in texts:
            names = _definitions(text)
            named = names.functions | names.values if values else names.functions
            found = [problem for name in sorted(named) for problem in self._by_entry.get(name, ())]
            if found:
                return found
        return []

    def _mentioned(self, text: str) -> list[Problem]:
        """Return the problems whose entry point is a word of `text`."""
        words = set(_WORD.findall(text))
        names = [name for name in self._by_entry if name in words] if len(words) > len(self._by_entry) else words
        return [problem for name in sorted(names) for problem in self._by_entry.get(name, ())]

    def _has_core(self, problem: Problem) -> bool:
        """Say whether the prompt of `problem` is long enough to be told from any text."""
        return len(self._cores[problem.task_id]) >= _MIN_CORE

    def _spoken_of(self, candidates: Sequence[Problem], texts: Sequence[Text]) -> list[Problem]:
        """Return those of `candidates` that the texts speak of most clearly: by prompt, definition, or call."""
        for speaks in (self._shows, _defines, _calls):
            found = [one for one in candidates if any(speaks(text, one) for text in texts)]
            if found:
                return found
        return []

    def _shows(self, text: Text, problem: Problem) -> bool:
        known = self._has_core(problem) and entry_name(problem) in text.text
        return known and self._cores[problem.task_id] in _fold(text.text)


def entry_name(problem: Problem) -> str:
    """Return the name that a program for `problem` defines: of `Solution().f`, f."""
    return _bare(problem.entry_point)


def count_families(finder: TaskFinder, numbered: Iterable[tuple[int, Sequence[Text]]]) -> str | None:
    """Return the data set that the numbers of a file are of, where the texts beside them speak of one alone."""
    counts: Counter[str] = Counter()
    for number, texts in numbered:
        found = finder.by_number(number, texts)
        if isinstance(found, Known) and finder._spoken_of([found.problem], texts):
            counts[str(finder.family_of(found.problem))] += 1
    best = counts.most_common(2)
    # A few answers call functions that have the name of another data set's.
    return best[0][0] if best and (len(best) == 1 or best[0][1] >= 10 * best[1][1]) else None


def are_of_rows(finder: TaskFinder, numbered: Iterable[tuple[int, Sequence[Text]]]) -> bool:
    """Say whether the numbers of a file are none of problems.

    The texts beside them contradict two or more, and bear none out.
    """
    contradicted = 0
    for number, texts in numbered:
        told = finder.bears_out(number, texts)
        if told:
            return False
        contradicted += told is False
    return contradicted > 1


def as_number(name: str | int) -> int | None:
    """Return the number that a name is; of one too long to be a task's, its first digits."""
    text = str(name).strip()
    return int(text.lstrip("0")[:12] or 0) if text.isdecimal() and text.isascii() else None


def numbers_in(name: str | int) -> tuple[int, int | None] | None:
    """Return the number that a name is, and the number of a sample behind it: of 8-345, 8 and 345; None for others."""
    if (number := as_number(name)) is not None:
        return number, None
    stem, last = _split_number(str(name).strip())
    number = as_number(stem)
    return None if number is None else (number, int(last[:9]))


def _defines(text: Text, problem: Problem) -> bool:
    return entry_name(problem) in _definitions(text).functions


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of functions and classes that a text defines, and of what else it gives a value."""

    functions: frozenset[str]
    values: frozenset[str]


@lru_cache(maxsize=8)
def _definitions(text: Text) -> _Names:
    """Return the names that a text defines: at any depth, as in the items of a list, but in no block."""
    lines = list(_lines_in_no_block(text.text))
    is_body = text.is_body or any(map(_RETURN.match, lines))  # in a fence, say, and nothing else
    found = [one for line in lines if (one := _DEFINITION.match(line)) and not (is_body and line[0].isspace())]
    functions = {one[1] or one[2] for one in found if one[1] or one[3]}
    return _Names(frozenset(functions), frozenset(one[2] for one in found if one[2] and not one[3]))


def _lines_in_no_block(text: str) -> Iterator[str]:
    """Yield the lines that stand in no function, class or other block of Python, however far they are indented.

    What is indented more than the fence around it stands in a function too.
    """
    above: list[tuple[int, bool]] = []  # the lines that this one may be a part of: indentation, whether in a block
    for line in text.splitlines():
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        if not line.strip():
            continue
        while above and above[-1][0] >= indent:
            above.pop()
        inside = bool(above) and above[-1][1]
        if not inside:
            yield line
        above.append((indent, inside or _BLOCK.fullmatch(line) is not None))


def _calls(text: Text, problem: Problem) -> bool:
    return re.search(rf"\b{re.escape(entry_name(problem))}\s*\(", text.text) is not None


def _are_same(one: Known | Unknown, other: Known | Unknown | None) -> bool:
    return isinstance(one, Known) and isinstance(other, Known) and one.problem is other.problem


def _bare(entry_point: str) -> str:
    names = _WORD.findall(entry_point)
    return names[-1] if names else entry_point


def _several(problems: Sequence[Problem]) -> Known | Unknown:
    return Unknown("ambiguous_task", f"it may be for {_named(problem.task_id for problem in problems)}")


def _named(ids: Iterable[str]) -> str:
    named = list(ids)
    more = f" and {len(named) - _MAX_NAMED} more" if len(named) > _MAX_NAMED else ""
    return " or ".join(named[:_MAX_NAMED]) + more


def _split_number(text: str) -> tuple[str, str]:
    """Return what stands before the number of a sample at the end of a name, and that number; of any other, nothing."""
    pattern = rf"(.*?[^_.\-:/# ])[_.\-:/# ]+(?:(?:{_COUNTERS})[_.\-:/# ]*)?([0-9]+)"
    found = re.fullmatch(pattern, text, re.DOTALL | re.ASCII | re.IGNORECASE)
    return (found[1], found[2]) if found else ("", "")


def _core(prompt: str) -> str:
    return _fold(prompt).strip("'\" ")


def _fold(text: str) -> str:
    return " ".join(text.split())


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: next(iter(ids)) for key, ids in found.items() if len(ids) == 1}
