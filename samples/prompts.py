"""Prompts: what a model is asked for each problem, as a text to go on with or as a chat, and with which docs."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Literal, Self

from ..schemas.bench import Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from ..schemas.samples import TOLD
from .change_docs import ChangeDocs

Style = Literal["complete", "chat"]
Docs = Literal["none", "change", "all"]

# No program has these at the start of a line before it is complete. `\ndef ` and `\nclass ` are not among them: a
# helper may follow the function that calls it. Four, for OpenAI takes no more.
STOP = ("\nif __name__", "\nprint(", "\nassert ", "\n```")

FIELDS = {
    "prompt": "the problem's prompt, which the program has to go on from",
    "docs": "the documentation that --docs asks for, with a blank line after it, or nothing",
    "entry_point": "the name of the function that the tests call",
    "task_id": "the problem's name",
    "fence": "backquotes, more than stand together in the prompt: three or more",
}
MAX_TEMPLATE_BYTES = 2**20
_COMPLETE = "$docs$prompt"
_CHAT = """\
${docs}Complete this Python program, so that `$entry_point` does what is described. Answer with the whole program in \
one fenced block of code.

${fence}python
$prompt
$fence"""


def method_of(docs: Docs) -> str:
    """Return the method of samples whose prompts showed `docs`: beside `none`, one that a report holds against it."""
    return TOLD.get(docs, "none")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked for `problem`: `text` to go on with (complete), or the message of a user (chat).

    `documented` are the ids of the changes whose documentation stands in it.
    """

    problem: Problem
    style: Style
    text: str
    docs: Docs
    documented: tuple[str, ...]

    @property
    def messages(self) -> list[dict[str, str]]:
        """Return the chat that asks, in OpenAI's form."""
        return [{"role": "user", "content": self.text}]

    @property
    def stop(self) -> tuple[str, ...]:
        """Return the stop words: a chat has none, for its answer may hold anything before the program."""
        return STOP if self.style == "complete" else ()

    def sha256(self) -> str:
        """Return the digest of what the model sees: the text in UTF-8, or the messages as Python's `json` writes them.

        `edittool edit` writes the same digest for the same prompt.
        """
        seen = self.text if self.style == "complete" else json.dumps(self.messages)
        return hashlib.sha256(seen.encode("utf-8", "surrogatepass")).hexdigest()

    def to_row(self, index: int) -> dict[str, Any]:
        """Return the row of a prompt file that asks for sample `index`."""
        asked = {"messages": self.messages} if self.style == "chat" else {"prompt": self.text}
        place = {"task_id": self.problem.task_id, "sample_index": index, "style": self.style}
        return {**place, **asked, "stop": list(self.stop), **self.sample_fields()}

    def sample_fields(self) -> dict[str, Any]:
        """Return the fields that a sample made from this prompt has: its world, and what it is compared by."""
        return {**self.docs_fields(), "prompt_sha256": self.sha256()}

    def docs_fields(self) -> dict[str, Any]:
        """Return those of `sample_fields` that the documentation decides, whatever the words around it.

        The world of a problem without a change is that of the change that was documented to the model.
        """
        active = {"active_changes": list(self.documented)} if self._foreign_docs() else {}
        shown = {"docs_of": list(self.documented)} if self.docs == "change" else {}
        return {**active, "method": method_of(self.docs), "regime": "none", "docs": self.docs, **shown}

    def _foreign_docs(self) -> bool:
        return self.docs == "change" and self.problem.change_id is None


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """The text around a prompt, with the fields of FIELDS written `$prompt` or `${prompt}`, and `$$` for a dollar."""

    text: str
    sha256: str | None = None

    @classmethod
    def default(cls, style: Style) -> Self:
        """Return the template that is used where none is given."""
        return cls(_COMPLETE if style == "complete" else _CHAT)

    @classmethod
    def read(cls, path: Path, style: Style, docs: Docs) -> Self:
        """Read the template at `path`; a byte order mark and one line end at its end do not count.

        Raises InputError, naming file and line, for what is no template in UTF-8, for a field that there is not, and
        for a template that leaves out the prompt or the documentation, or goes on after the prompt that is completed.
        """
        try:
            with path.open("rb") as file:
                data = file.read(MAX_TEMPLATE_BYTES + 1)
            text = data.decode("utf-8-sig").replace("\r\n", "\n").removesuffix("\n")
        except OSError as error:
            raise InputError(f"The template {path} cannot be read: {error.strerror}. Check the path.") from None
        except UnicodeDecodeError:
            raise InputError(f"The template {path} is not UTF-8. Save the file as UTF-8.") from None
        if len(data) > MAX_TEMPLATE_BYTES:
            raise InputError(f"The template {path} is longer than 1 MiB. Is that the right file?")
        _check_template(path, text, style, docs)
        return cls(text, hashlib.sha256(text.encode("utf-8")).hexdigest())


def _check_template(path: Path, text: str, style: Style, docs: Docs) -> None:
    used = set()
    last = 0
    for found in Template.pattern.finditer(text):
        where = f"{path}, line {text.count(chr(10), 0, found.start()) + 1}"
        name = found["named"] or found["braced"]
        if found["invalid"] is not None:
            raise InputError(f"{where}: a $ without the name of a field. Write $$ for a dollar.")
        if name is not None and name not in FIELDS:
            fields = ", ".join(f"${field}" for field in FIELDS)
            raise InputError(f"{where}: there is no field ${name}. The fields are {fields}; $$ is a dollar.")
        used.add(name)
        last = found.end() if name == "prompt" else last
    if "prompt" not in used:
        raise InputError(f"{path} does not have the field $prompt: the model would not see the problem. Put it in.")
    if docs != "none" and "docs" not in used:
        raise InputError(
            f"{path} does not have the field $docs, so --docs {docs} would change nothing. Put it in, or leave out "
            "--docs."
        )
    if style == "complete" and last != len(text):
        line = text.count("\n", 0, last) + 1
        raise InputError(
            f"{path}, line {line}: text after $prompt. A completion is judged right after the problem's prompt, so a "
            "template to complete ends with $prompt. Move that text before it, or ask in the style chat."
        )


class PromptMaker:
    """Makes the prompts of the problems of `bench`, the same for the same arguments.

    Raises InputError where documentation is asked for and the benchmark has no changes.
    """

    def __init__(self, bench: Bench, style: Style, docs: Docs = "none", template: PromptTemplate | None = None):
        if docs != "none" and not bench.changes:
            raise InputError(f"The benchmark {bench.name} has no changes: there is nothing for --docs {docs} to show.")
        self.style: Style = style
        self.docs: Docs = docs
        self.template = template or PromptTemplate.default(style)
        self._template, self._docs = Template(self.template.text), ChangeDocs(bench)
        self._changes, self._by_id = sorted(bench.changes.values(), key=_in_order), bench.changes
        unchanged = sorted(one.task_id for one in bench.problems.values() if one.change_id is None)
        self._turns = {task_id: turn for turn, task_id in enumerate(unchanged)}

    def make(self, problem: Problem, documented: Sequence[str] | None = None) -> Prompt:
        """Return the prompt of `problem`.

        With `docs` "change", the ids `documented` say which changes it documents, in this order; where there are none
        given, it is the problem's own, or for a problem without one each in its turn.
        """
        changes = self._documented(problem) if documented is None else [self._by_id[one] for one in documented]
        fields = {
            "prompt": problem.prompt,
            "docs": self._docs_text(changes, problem),
            "entry_point": problem.entry_point,
            "task_id": problem.task_id,
            "fence": "`" * max(3, 1 + max(map(len, re.findall("`+", problem.prompt)), default=0)),
        }
        ids = tuple(change.change_id for change in changes)
        return Prompt(problem, self.style, self._template.substitute(fields), self.docs, ids)

    def _documented(self, problem: Problem) -> list[Change]:
        """Return the changes that are documented: for a problem without one, each in its turn.

        So it is seen whether the documentation of a change disturbs what has nothing to do with it.
        """
        if self.docs != "change":
            return self._changes if self.docs == "all" else []
        if problem.change_id is None:
            return [self._changes[self._turns[problem.task_id] % len(self._changes)]]
        return [change for change in self._changes if change.change_id == problem.change_id]

    def _docs_text(self, changes: list[Change], problem: Problem) -> str:
        lines = self._docs.lines(changes, problem)
        if not lines:
            return ""
        mark = "# " if self.style == "complete" else ""
        return "".join(f"{mark}{line}\n" for line in lines) + "\n"


def _in_order(change: Change) -> tuple[Any, ...]:
    return (change.order is None, change.order or 0, change.change_id)
