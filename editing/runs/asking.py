"""What a model is asked for a problem, and the text that it reads: a prompt, or a chat by its tokenizer's template."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jinja2 import TemplateError

from ...schemas.errors import InputError
from ...schemas.problems import Problem

Message = Mapping[str, str]  # `role` and `content`, in OpenAI's form
Style = Literal["complete", "chat"]

# Some templates write today's date. Samples must be the same tomorrow, so that is the day which Llama's names itself.
_DAY = "26 Jul 2024"
_DATE = {"%d": "26", "%-d": "26", "%b": "Jul", "%B": "July", "%m": "07", "%Y": "2024", "%y": "24", "%a": "Fri"}
_DATE |= {"%A": "Friday", "%H": "00", "%I": "12", "%M": "00", "%S": "00", "%p": "AM", "%F": "2024-07-26"}
_REPLACED = "".join(f"|replace('{code}', '{value}')" for code, value in _DATE.items())
_CALENDAR = f"{{% macro strftime_now(format) %}}{{{{ format{_REPLACED} }}}}{{% endmacro %}}{{{{ '' }}}}"


class Question(Protocol):
    """What a model is asked for a problem: `text` to go on from, in the style complete, or the `messages` of a chat.

    `documented` has the ids of the changes whose documentation stands in it.
    """

    @property
    def text(self) -> str:
        """The text to go on from."""

    @property
    def messages(self) -> Sequence[Message]:
        """The chat that asks."""

    @property
    def documented(self) -> Sequence[str]:
        """The ids of changes."""

    def sha256(self) -> str:
        """Return the digest of what is asked: the text in UTF-8, or the messages as Python's `json` writes them."""


Ask = Callable[[Problem, Sequence[str]], Question]  # a problem, and the ids of the changes to document


@dataclass(frozen=True, slots=True)
class GoOn:
    """A question without words of its own: the model goes on from the problem's prompt, `text`."""

    text: str
    messages: tuple[Message, ...] = ()
    documented: tuple[str, ...] = ()

    def sha256(self) -> str:
        """Return the digest of the prompt in UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def go_on(problem: Problem, documented: Sequence[str]) -> GoOn:
    """Ask for `problem` by its prompt alone, which documents nothing."""
    if documented:
        raise ValueError("a prompt alone documents no change: give the run a function that asks (`ask`)")
    return GoOn(problem.prompt)


@dataclass(frozen=True, slots=True)
class Asked:
    """The text that a model reads for a problem; `templated`: a chat template wrote it, with all special tokens."""

    text: str
    templated: bool = False

    def ids(self, tokenizer: Any) -> list[int]:
        """Return its tokens. To a text that is not `templated` the tokenizer adds its own (a BOS, for most)."""
        ids: list[int] = tokenizer(self.text, add_special_tokens=not self.templated)["input_ids"]
        return ids

    def __add__(self, answer: str) -> "Asked":
        """Return the text with the beginning of an answer behind it."""
        return Asked(self.text + answer, self.templated)


class Chat:
    """Writes chats by a tokenizer's own template. `template_sha256` is the digest of the template's text.

    Raises InputError for a tokenizer without a chat template.
    """

    def __init__(self, tokenizer: Any):
        try:
            template: str = tokenizer.get_chat_template()
        except ValueError:
            raise InputError(
                "The model's tokenizer has no chat template (chat_template.jinja, or `chat_template` in "
                "tokenizer_config.json), as base models have none. Leave out --chat, or give the instruct model."
            ) from None
        self.template_sha256 = hashlib.sha256(template.encode("utf-8")).hexdigest()
        self._template = _CALENDAR + template if "strftime_now" in template else template
        self._tokenizer = tokenizer

    def text(self, messages: Sequence[Message], task_id: str) -> str:
        """Return what the model reads for `messages`, special tokens included, up to where its answer begins.

        Raises InputError where the template refuses the messages.
        """
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=True,
                date_string=_DAY,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise InputError(
                f"The chat template of the model's tokenizer cannot write the prompt of {task_id}: {error}. "
                "Leave out --chat, or mend the template."
            ) from error
        return text


def read(question: Question, problem: Problem, chat: Chat | None) -> Asked:
    """Return what the model reads for `question` about `problem`: in `chat`, or its text."""
    if chat is None:
        return Asked(question.text)
    return Asked(chat.text(question.messages, problem.task_id), templated=True)
