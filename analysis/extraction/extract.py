"""The program in a model's answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import dedent, indent
from typing import Any, Literal

from ..functions import cut_at_function_end, has_body
from ..statements import Statement, defines, exports, split
from .fences import Fence, find_fences
from .markers import Bare, cut_at_end_token, may_be_marked, take_off
from .reach import end_of_names, end_of_program, lacks
from .task import Task, parses, task_of
from .text import indented_program, program_in_text, text_in_json, without_title

Mode = Literal["none", "auto", "fence", "cut"]
Kind = Literal["as_is", "fence", "open_fence", "text", "cut", "no_program"]
Form = Literal["completion", "solution"]

_MAX_FENCES = 500  # of an answer that are read as programs: the last ones
_MAX_JOINED = 10
_BOM = "\ufeff"
_RETURNS = re.compile(r"^[ \t]*(?:return|yield|raise)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Extraction:
    """The program that was found in an answer, and how.

    `form` says what `program` is: a completion, to be appended to the problem's prompt, or a whole program.
    `fences` is how many fences the answer has, `taken` which of them the program was made of, counted from 1.
    `removed` names what was taken away around it; `cut` is how many characters were cut from its end; `added` names
    what was put to it: the prompt's `preamble`, or the `indent` of its first lines.
    """

    answer: str
    program: str
    form: Form
    mode: Mode
    kind: Kind
    fences: int = 0
    taken: tuple[int, ...] = ()
    removed: tuple[str, ...] = field(default=())
    cut: int = 0
    added: tuple[str, ...] = field(default=())

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of a sample: `completion` or `solution`, `raw` and `extraction`."""
        how: dict[str, Any] = {"mode": self.mode, "kind": self.kind, "fences": self.fences, "taken": list(self.taken)}
        how |= {"removed": list(self.removed), "cut": self.cut, "added": list(self.added)}
        return {self.form: self.program, "raw": self.answer, "extraction": how}


def extract(answer: str, prompt: str, entry_point: str, mode: Mode, form: Form | None = None) -> Extraction:
    """Return the program that `answer` gives for the problem with `prompt` and `entry_point`.

    `form` is what the answer was published as; None where it is an answer of a chat, of which nothing is known.
    `mode`: `none` leaves it as it is; `fence` takes what stands in fences, `cut` the beginning up to where the entry
    point is complete, and `auto` the first that applies: an answer that is a program as it stands, the last closed
    fence with the entry point and those it needs, an open fence, text that is a program, a cut. No text makes it fail,
    none is run, and equal arguments give equal extractions.
    """
    if mode == "none":
        return Extraction(answer, answer, form or "solution", mode, "as_is")
    found = _Finder(answer, task_of(prompt, entry_point), mode, form).find()
    if not found.program.strip():
        return replace(found, program="", form="solution", kind="no_program", taken=(), cut=0, added=())
    return found


@dataclass(slots=True)
class _Finder:
    """One extraction: what was asked for, and what has been found on the way."""

    answer: str
    task: Task
    mode: Mode
    form: Form | None
    fences: Sequence[Fence] = ()
    removed: tuple[str, ...] = ()

    def find(self) -> Extraction:
        answer = self.answer.removeprefix(_BOM)
        if self.mode == "cut":
            return self._cut_alone(answer)
        code = (text_in_json(answer) if self.mode == "auto" else None) or answer
        untitled = without_title(code, self.task) if self.mode == "auto" else answer
        about = {"tokens": answer != self.answer, "json": code != answer, "prose": untitled != code}
        self.removed = tuple(word for word, holds in about.items() if holds)
        if self.mode == "auto" and not may_be_marked(untitled) and (found := self._whole(untitled)):
            return found
        removed = self.removed
        found = self._within(take_off(untitled, self.task.root), removed)
        if "tokens" in found.removed and not self._is_sound(found):
            # A token that prose or a comment names ends nothing.
            other = self._within(take_off(untitled, self.task.root, ending=False), removed)
            return other if self._is_sound(other) else found
        return found

    def _cut_alone(self, answer: str) -> Extraction:
        """Return the beginning of `answer`, of which only special tokens are taken off."""
        text, ended = cut_at_end_token(answer)
        self.removed = ("tokens",) if ended or answer != self.answer else ()
        found = self._cut(text) or self._made(text, self.form or "solution", "text" if self.removed else "as_is")
        if ended and not self._is_sound(found):
            self.removed = ("tokens",) if answer != self.answer else ()
            other = self._cut(answer)
            return other if other and self._is_sound(other) else found
        return found

    def _is_sound(self, found: Extraction) -> bool:
        """Say whether what was found is a program with the entry point."""
        if found.form == "completion":
            return self.task.is_completed_by(found.program)
        return self.task.is_program(found.program) and not self.task.only_named_in(found.program)

    def _within(self, bare: Bare, removed: tuple[str, ...]) -> Extraction:
        """Return the program in `bare`, the answer without what was `removed` and what it names."""
        text, self.fences = bare.text, ()
        self.removed = tuple(dict.fromkeys((*removed, *bare.removed)))
        if not text.strip():
            return self._nothing()
        self.fences = [_opened(fence) for fence in find_fences(text)]
        if self.mode == "fence":
            return self._in_fences(text) or self._made(
                text, self.form or "solution", "text" if self.removed else "as_is"
            )
        if (text != self.answer or may_be_marked(text)) and (found := self._whole(text)):
            return found
        return self._begun(text) or self._in_fences(text) or self._in_text(text) or self._last(text)

    def _made(self, program: str, form: Form, kind: Kind, **more: Any) -> Extraction:
        removed = tuple(dict.fromkeys((*self.removed, *more.pop("removed", ()))))
        return Extraction(self.answer, program, form, self.mode, kind, len(self.fences), removed=removed, **more)

    def _nothing(self) -> Extraction:
        return self._made("", "solution", "no_program")

    # ---- the answer is a program

    def _whole(self, text: str) -> Extraction | None:
        """Return the program where `text` is one as it stands, or makes one of the prompt."""
        task = self.task
        forms: tuple[Form, ...] = (
            ("completion", "solution") if self.form == "completion" else ("solution", "completion")
        )
        for form in forms:
            if form == "completion" and self.form != "completion" and not task.opens:
                continue
            if task.is_completed_by(text) if form == "completion" else task.is_program(text):
                before = task.prompt if form == "completion" else ""
                end = max(0, end_of_program(before + text, task.entry_point) - len(before))
                return self._finished(text[:end], form, "as_is", cut=len(text) - end)
        return None

    def _finished(self, program: str, form: Form, kind: Kind, **more: Any) -> Extraction:
        """Return the program with what it needs of the prompt's preamble; `kind` of the answer as it is may change."""
        added = list(more.pop("added", ()))
        if form == "solution" and (lacks(program, self.task.entry_point, everywhere=True) & self.task.gives):
            program = _with_preamble(program, self.task.preamble)
            added.append("preamble")
        if kind == "as_is" and program != self.answer:
            kind = "cut" if more.get("cut") else "text"
        return self._made(program, form, kind, added=tuple(added), **more)

    # ---- fences

    def _in_fences(self, text: str) -> Extraction | None:
        """Return the program of the answer's fences."""
        if not self.fences:
            return None
        outside = _outside(text, self.fences)
        prose = ("prose",) if outside.strip() else ()
        numbered = list(enumerate(self.fences, 1))[-_MAX_FENCES:]
        closed = [(number, fence) for number, fence in numbered if fence.closed]
        chosen = self._choose(closed)
        if chosen and not self.task.only_named_in(chosen[1]):
            return self._joined(*chosen, closed, prose)
        if not self.fences[0].language and (begun := self._before_fence(text)):
            return begun
        still_open = [(number, fence) for number, fence in numbered if not fence.closed]
        if opened := self._choose(still_open):
            return self._joined(*opened, closed, prose, "open_fence")
        if body := self._body_in_fences(numbered, prose):
            return body
        return self._joined(*chosen, closed, prose) if chosen else self._other_name(numbered, prose)

    def _choose(self, numbered: Sequence[tuple[int, Fence]]) -> tuple[int, str] | None:
        """Return the last fence that defines the entry point: Python, neither stub nor quotation, if there is one."""
        second: tuple[int, str] | None = None
        for number, fence in reversed(numbered):
            for program in self._readings(fence.text):
                if not self.task.defined_in(program):
                    continue
                whole = parses(program) or parses(program[: end_of_program(program, self.task.entry_point)])
                quoted = any(_quotes(program, other.text) for before, other in numbered if before < number)
                if fence.is_python and whole and not quoted and not self.task.only_named_in(program):
                    return number, program
                second = second or ((number, program) if fence.is_python or whole else None)
        return second

    def _readings(self, text: str) -> Iterator[str]:
        """Yield the text of a fence as it is, and without the indentation that all its lines have."""
        text = without_title(text.removeprefix(_BOM), self.task)
        yield text
        if text.lstrip("\r\n")[:1] in (" ", "\t"):
            yield dedent(text)

    def _joined(
        self,
        number: int,
        program: str,
        closed: Sequence[tuple[int, Fence]],
        prose: tuple[str, ...],
        kind: Kind = "fence",
    ) -> Extraction:
        """Return the program of a fence, with the fences that define what it needs."""
        task = self.task
        alone = program
        if self.mode != "fence" and parses(program):  # what uses it must not come before what it needs
            program = program[: end_of_program(program, task.entry_point)]
        parts = {number: program}
        for _ in range(_MAX_JOINED):
            missing = lacks("\n\n".join(parts[place] for place in sorted(parts)), task.entry_point)
            others = [one for one in closed if one[0] not in parts and one[1].is_python]
            near = sorted(others, key=lambda one: (one[0] > number, abs(one[0] - number)))
            more = next((one for one in near if self._gives(one, number, missing)), None) if missing else None
            if more is None:
                break
            text = dedent(more[1].text)
            parts[more[0]] = text if self.mode == "fence" else text[: end_of_names(text, missing)]
        joined = _in_order(parts, number) if len(parts) > 1 else alone
        cut_before = len(alone) - len(program) if len(parts) > 1 else 0
        end = len(joined) if self.mode == "fence" else end_of_program(joined, task.entry_point)
        if kind == "fence" and not parses(joined[:end]):  # nothing is gained by less of it
            end = len(joined)
        return self._finished(
            joined[:end],
            "solution",
            kind,
            taken=tuple(sorted(parts)),
            cut=len(joined) - end + cut_before,
            removed=prose,
        )

    def _gives(self, other: tuple[int, Fence], number: int, missing: set[str]) -> bool:
        text = dedent(other[1].text)
        if other[0] > number and self.task.defined_in(text):
            return False
        named = any(name in text for name in missing)
        if named and any(one.facts.binds & missing and not one.facts.stub for one in split(text)):
            return True
        return "*" in text and any(exports(name) & missing for one in split(text) for name in one.facts.stars)

    def _before_fence(self, text: str) -> Extraction | None:
        """Return the program before the first fence, where the prompt had opened one that it closes."""
        before = text[: self.fences[0].start]
        found = self._whole(before)
        return replace(found, kind="cut", cut=len(text) - len(before) + found.cut) if found else None

    def _body_in_fences(self, numbered: Sequence[tuple[int, Fence]], prose: tuple[str, ...]) -> Extraction | None:
        """Return the body of the function that the prompt opened, where a fence has just that."""
        if not self.task.opens:
            return None
        for number, fence in reversed(numbered):
            if not fence.is_python or self.task.defined_in(fence.text):
                continue
            for body, added in self._bodies(fence.text):
                kind: Kind = "fence" if fence.closed else "open_fence"
                return self._made(body, "completion", kind, taken=(number,), added=added, removed=prose)
        return None

    def _bodies(self, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield `text` as a body of the prompt's function: as it is, and indented as the prompt is."""
        task = self.task
        own = [one for one in split(dedent(text)) if one.facts.kind not in ("definition", "import", "comment")]
        if not own:
            return  # a class is no body
        lead = "" if task.prompt.endswith(("\n", "\r")) or text.startswith(("\n", "\r")) else "\n"
        if task.is_completed_by(lead + text):
            yield lead + text, ()
        returns = any(_RETURNS.search(one.text) for one in own)
        for body in (task.indent + text.lstrip(), indent(dedent(text), task.indent), _expanded(text, task)):
            if returns and body != text and task.is_completed_by(lead + body):
                yield lead + body, ("indent",)

    def _other_name(self, numbered: Sequence[tuple[int, Fence]], prose: tuple[str, ...]) -> Extraction | None:
        """Return the last fence that defines anything: a program, though not the one that was asked for."""
        for number, fence in reversed(numbered):
            program = dedent(fence.text)
            if fence.is_python and any(_makes_names(one) for one in split(program)[:100]):
                kind: Kind = "fence" if fence.closed else "open_fence"
                return self._finished(program, "solution", kind, taken=(number,), removed=prose)
        return None

    # ---- text

    def _begun(self, text: str) -> Extraction | None:
        """Return the body that the answer begins with, up to where it ends."""
        first = next((line for line in text.splitlines() if line.strip()), "")
        if not self.task.opens or first[:1] not in (" ", "\t"):
            return None
        body = cut_at_function_end(self.task.prompt, text, self.task.entry_point)
        if self.task.is_completed_by(body):
            return self._made(body, "completion", "cut", cut=len(text) - len(body))
        return None

    def _in_text(self, text: str, *, by_name: bool = True) -> Extraction | None:
        """Return the program in an answer without useful fences."""
        found = program_in_text(text, self.task, by_name=by_name)
        if by_name and not (found and parses(found[0])) and (block := indented_program(text, self.task)):
            within = program_in_text(block, self.task)
            found = (within[0], True) if within and (not found or parses(within[0])) else found
        if not found:
            return None
        program, whole = found
        end = end_of_program(program, self.task.entry_point)
        if text.startswith(program[:end]):
            return self._finished(program[:end], "solution", "as_is", cut=len(text) - end)
        prose = ("prose",) if whole else ()
        return self._finished(program[:end], "solution", "text", cut=len(program) - end, removed=prose)

    def _last(self, text: str) -> Extraction:
        """Return the answer as a completion, with its indentation mended or cut; or nothing."""
        if self.task.opens:
            outside = text[: self.fences[0].start] if self.fences else text
            body = cut_at_function_end(self.task.prompt, outside, self.task.entry_point) or outside
            for mended, added in self._bodies(body):
                return self._made(mended, "completion", "cut", cut=len(text) - len(body), added=added)
        begins = self.task.opens and (
            self.form == "completion" or has_body(self.task.prompt, text, self.task.entry_point)
        )
        if not begins and (other := self._in_text(text, by_name=False)):
            return other
        if found := self._cut(text, strict=not begins):
            return found
        kinds = ("assignment", "block", "import")
        code = parses(text) and any(one.facts.kind in kinds or _makes_names(one) for one in split(text))
        return self._made(text, self.form or "solution", "as_is") if code else self._nothing()

    def _cut(self, text: str, *, strict: bool = False) -> Extraction | None:
        """Return the beginning of `text` up to where the entry point is complete.

        With `strict`, None where nothing says that `text` is code.
        """
        task, form = self.task, self.form
        completed = form == "completion" or (
            form is None and task.opens and has_body(task.prompt, text, task.entry_point)
        )
        if strict and not defines(split(text), task.entry_point):
            return None
        if not completed and task.is_program(text):  # of a whole program, the last definition is the one that counts
            program = text[: end_of_program(text, task.entry_point)]
        else:
            program = cut_at_function_end(task.prompt if completed else "", text, task.entry_point)
        kind: Kind = "cut" if len(program) < len(text) else "as_is" if text == self.answer else "text"
        return self._made(program, "completion" if completed else "solution", kind, cut=len(text) - len(program))


def _opened(fence: Fence) -> Fence:
    """Return a fence of JSON that has code in it as one of that code."""
    code = text_in_json(fence.text) if fence.language == "json" else None
    return fence if code is None else fence._replace(language="python", text=code)


def _quotes(program: str, other: str) -> bool:
    """Say whether `program` is no more than the beginning of `other`."""
    return len(program.strip()) < len(other.strip()) and other.strip().startswith(program.strip())


def _makes_names(statement: Statement) -> bool:
    return statement.facts.kind == "definition" or statement.text.startswith("exec(")


def _in_order(parts: Mapping[int, str], number: int) -> str:
    """Return the programs of fences as one: before that of fence `number` what it may need when it loads."""
    binds = {name for one in split(parts[number]) for name in one.facts.binds}
    first = "from __future__" in parts[number]
    after = {place for place in parts if place > number and (first or _reads_at_load(parts[place], binds))}
    order = sorted(parts, key=lambda place: (place in after, place == number, place))
    return "\n\n".join(parts[place].strip("\r\n") + "\n" for place in (sorted(parts) if first else order))


def _reads_at_load(program: str, names: set[str]) -> bool:
    statements = split(program)
    return any(one.facts.kind not in ("definition", "import") and one.facts.reads & names for one in statements)


def _outside(text: str, fences: Sequence[Fence]) -> str:
    places = [0, *(place for fence in fences for place in (fence.start, fence.end)), len(text)]
    return "".join(text[start:end] for start, end in zip(places[::2], places[1::2], strict=True))


def _with_preamble(program: str, preamble: str) -> str:
    """Return `program` behind `preamble`; imports from `__future__` stay first."""
    future = [one.stop for one in split(program) if one.text.startswith("from __future__")]
    place = future[-1] if future else 0
    ended = preamble if preamble.endswith(("\n", "\r")) else f"{preamble}\n"
    return program[:place] + ended + program[place:]


def _expanded(text: str, task: Task) -> str:
    """Return `text` with the tabs at the beginning of its lines as the prompt's indentation."""
    lines = text.splitlines(keepends=True)
    return "".join(task.indent * (len(line) - len(line.lstrip("\t"))) + line.lstrip("\t") for line in lines)
