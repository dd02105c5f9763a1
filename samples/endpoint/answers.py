"""Answers of a server: what is kept of a response's body, which can be anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...schemas.json_text import parse_json
from ..prompts import Style

FailureKind = Literal[
    "refusal",  # the model declined
    "empty",  # there is no text in the answer
    "too_long",  # the text is longer than MAX_TEXT: it is left out
    "bad_request",  # the server does not take this prompt: longer than the model's context, say
    "server_error",  # the server failed in every try; so it did in the three that follow
    "timeout",
    "connection_lost",
    "malformed_response",
]
# Of these no sample is made: they say nothing of the model, and another day there may be an answer.
UNANSWERED = frozenset({"server_error", "timeout", "connection_lost", "malformed_response"})

MAX_TEXT = 1_000_000  # characters of an answer: with room for every one to be escaped twice, a row stays below 16 MiB
MAX_REASONING = 400_000
MAX_REFUSAL = 2000
_MAX_NAME = 200  # characters of a word of the server's, such as finish_reason
_BROKEN_OFF = {"error", "abort"}  # a finish_reason with which the server, and not the model, ended


class MalformedError(Exception):
    """A response that is none of OpenAI's API; the message says what is wrong with it."""


class BrokenOffError(Exception):
    """An answer that the server broke off, whose text is not what the model had to say; the message is the server's."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no text to judge, in a word and in detail."""

    kind: FailureKind
    detail: str

    def to_field(self) -> dict[str, str]:
        """Return the field `failure` of a sample."""
        return {"kind": self.kind, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: `text` is "" where there is a `failure`; `refusal` are words of refusal beside a text.

    `usage` are the server's counts of tokens; `served_model` is how it calls the model.
    """

    text: str = ""
    finish_reason: str | None = None
    failure: Failure | None = None
    refusal: str | None = None
    reasoning: str | None = None
    usage: Mapping[str, Any] | None = None
    served_model: str | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of a sample that say how the model ended; what is not known is left out."""
        fields = {
            "finish_reason": self.finish_reason,
            "failure": self.failure and self.failure.to_field(),
            "refusal": self.refusal,
            "usage": self.usage,
            "reasoning": self.reasoning,
            "served_model": self.served_model,
        }
        return {name: value for name, value in fields.items() if value is not None}


def parse_object(body: bytes, hide: Callable[[str], str]) -> dict[str, Any]:
    """Return the JSON object in `body`, each string and name in it as `hide` returns it.

    A number that cannot be written again is None. Raises MalformedError for anything else.
    """
    try:
        value = parse_json(body, unfit=lambda number: None)
    except ValueError:
        shown = " ".join(hide(body[:4000].decode("utf-8", "replace")).split())
        raise MalformedError(f"no JSON: {shown[:200]!r}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"a JSON {type(value).__name__} where an object is due")
    return {hide(name): _hidden(one, hide) for name, one in value.items()}


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, list):
        return [_hidden(one, hide) for one in value]
    if isinstance(value, dict):
        return {hide(name): _hidden(one, hide) for name, one in value.items()}
    return value


def read_answer(response: Mapping[str, Any], style: Style) -> Answer:
    """Return the first choice of `response`, the JSON object that a server sent.

    Raises MalformedError without one, and BrokenOffError for one that is the server's failure.
    """
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedError(f"no choices; its fields are {sorted(map(str, response))[:8]}")
    choice, model = choices[0], response.get("model")
    finish_reason = _word(choice.get("finish_reason"))
    if choice.get("error") or finish_reason in _BROKEN_OFF:
        raise BrokenOffError(_reason(choice.get("error")))
    message = choice.get("message") if style == "chat" else choice
    if not isinstance(message, dict):
        raise MalformedError("a choice without a message: is this the address of --api chat?")
    text = _text(message.get("content")) if style == "chat" else _text(message.get("text"))
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    refusal = _text(message.get("refusal"))
    failure = _failure(text, refusal, finish_reason)
    return Answer(
        text="" if failure and failure.kind == "too_long" else text,
        finish_reason=finish_reason,
        failure=failure,
        refusal=(refusal[:MAX_REFUSAL] or None) if failure is None else None,
        reasoning=reasoning[:MAX_REASONING] or None,
        usage=_usage(response.get("usage")),
        served_model=_word(model),
    )


def _failure(text: str, refusal: str, finish_reason: str | None) -> Failure | None:
    if len(text) > MAX_TEXT:
        return Failure("too_long", f"{len(text)} characters")
    if not text.strip():
        if refusal:
            return Failure("refusal", refusal[:MAX_REFUSAL])
        return Failure("empty", f"no text in the answer, which ended with {finish_reason or 'no reason'}")
    return None


def _text(value: object) -> str:
    """Return the text that a field holds: as it is, or in the parts of a list."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(part["text"] for part in value if isinstance(part, dict) and isinstance(part.get("text"), str))
    return ""


def _word(value: object) -> str | None:
    """Return the beginning of `value` on one line; None where it is no text, or blank."""
    return " ".join(value[: 2 * _MAX_NAME].split())[:_MAX_NAME] or None if isinstance(value, str) else None


def _reason(error: object) -> str:
    """Return what the field `error` of a choice says."""
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else ""


def _usage(value: object, deeper: bool = True) -> dict[str, Any] | None:
    """Return the counts in `value`, and those one level below."""
    if not isinstance(value, dict):
        return None
    found: dict[str, Any] = {}
    for name, count in list(value.items())[:32]:
        if isinstance(count, int) and not isinstance(count, bool) and abs(count) < 2**63:
            found[name[:_MAX_NAME]] = count
        elif deeper and (inner := _usage(count, deeper=False)):
            found[name[:_MAX_NAME]] = inner
    return found or None
