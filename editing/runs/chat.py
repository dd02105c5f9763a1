"""Chats: what a model is asked for a problem, in the words of its tokenizer's own chat template."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import TemplateError

from ...schemas.errors import InputError
from ...schemas.problems import Problem

Message = dict[str, str]  # `role` and `content`, in OpenAI's form
Messages = Callable[[Problem], list[Message]]

# Some templates write today's date. Samples must be the same tomorrow, so that is the day which Llama's names itself.
_DAY = "26 Jul 2024"
_DATE = {"%d": "26", "%-d": "26", "%b": "Jul", "%B": "July", "%m": "07", "%Y": "2024", "%y": "24", "%a": "Fri"}
_DATE |= {"%A": "Friday", "%H": "00", "%I": "12", "%M": "00", "%S": "00", "%p": "AM", "%F": "2024-07-26"}
_REPLACED = "".join(f"|replace('{code}', '{value}')" for code, value in _DATE.items())
_CALENDAR = f"{{% macro strftime_now(format) %}}{{{{ format{_REPLACED} }}}}{{% endmacro %}}{{{{ '' }}}}"


class Chat:
    """Writes the chats that ask a model for problems. `template_sha256` is the digest of the template's text.

    Raises InputError for a tokenizer without a chat template.
    """

    def __init__(self, tokenizer: Any, messages: Messages):
        try:
            template: str = tokenizer.get_chat_template()
        except ValueError:
            raise InputError(
                "The model's tokenizer has no chat template (chat_template.jinja, or `chat_template` in "
                "tokenizer_config.json), as base models have none. Leave out --chat, or give the instruct model."
            ) from None
        self.template_sha256 = hashlib.sha256(template.encode("utf-8")).hexdigest()
        self._template = _CALENDAR + template if "strftime_now" in template else template
        self._tokenizer, self._messages = tokenizer, messages

    def text(self, problem: Problem) -> str:
        """Return what the model reads for `problem`, special tokens included, up to where its answer begins.

        Raises InputError where the template refuses the messages.
        """
        try:
            text: str = self._tokenizer.apply_chat_template(
                self._messages(problem),
                chat_template=self._template,
                tokenize=False,
                add_generation_prompt=True,
                date_string=_DAY,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise InputError(
                f"The chat template of the model's tokenizer cannot write the prompt of {problem.task_id}: {error}. "
                "Leave out --chat, or mend the template."
            ) from error
        return text


def messages_sha256(messages: Sequence[Message]) -> str:
    """Return the digest of `messages`, as `edittool sample` and `edittool prompts` have it for a chat."""
    return hashlib.sha256(json.dumps(messages).encode("ascii")).hexdigest()


def read_ids(tokenizer: Any, prompt: str, chat: str | None) -> list[int]:
    """Return the tokens that a model reads: those of `chat`, in which a template has put all special ones, or `prompt`.

    To `prompt` the tokenizer adds its own (a BOS, for most).
    """
    ids: list[int] = tokenizer(prompt if chat is None else chat, add_special_tokens=chat is None)["input_ids"]
    return ids


def ids_of(tokenizer: Any, problem: Problem, chat: Chat | None) -> list[int]:
    """Return the tokens that a model reads for `problem`: in `chat`, or of its prompt alone."""
    return read_ids(tokenizer, problem.prompt, None if chat is None else chat.text(problem))
