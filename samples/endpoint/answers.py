"""Answers of a server: what is kept of a response's body, which can be anything."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
_MAX_NAME = 200  # characters of a word of the server's, such as finish_reason


class MalformedError(Exception):
    """A response that is none of OpenAI's API; the message says what is wrong with it."""


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
    """What a server answered: `text` is "" where there is a `failure`, and beside the refusal of a model.

    `usage` are the server's counts of tokens; `served_model` is how it calls the model.
    """

    text: str = ""
    finish_reason: str | None = None
    failure: Failure | None = None
    reasoning: str | None = None
    usage: Mapping[str, Any] | None = None
    served_model: str | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of a sample that say how the model ended; what is not known is left out."""
        fields = {
            "finish_reason": self.finish_reason,
            "failure": self.failure and self.failure.to_field(),
            "usage": self.usage,
            "reasoning": self.reasoning,
            "served_model": self.served_model,
        }
        return {name: value for name, value in fields.items() if value is not None}


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`. Raises MalformedError for anything else."""
    try:
        value = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        shown = " ".join(body[:400].decode("utf-8", "replace").split())
        raise MalformedError(f"no JSON: {shown[:200]!r}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"a JSON {type(value).__name__} where an object is due")
    return value


def read_answer(response: Mapping[str, Any], style: Style) -> Answer:
    """Return the first choice of `response`, the JSON object that a server sent. Raises MalformedError without one."""
    choices = response.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise MalformedError(f"no choices; its fields are {sorted(map(str, response))[:8]}")
    choice, model = choices[0], response.get("model")
    message = choice.get("message") if style == "chat" else choice
    if not isinstance(message, dict):
        raise MalformedError("a choice without a message: is this the address of --api chat?")
    text = _text(message.get("content")) if style == "chat" else _text(message.get("text"))
    reasoning = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    refusal = _text(message.get("refusal"))
    finish_reason = _word(choice.get("finish_reason"))
    failure = _failure(text, refusal, finish_reason)
    return Answer(
        text="" if failure and failure.kind == "too_long" else text,
        finish_reason=finish_reason,
        failure=failure,
        reasoning=reasoning[:MAX_REASONING] or None,
        usage=_usage(response.get("usage")),
        served_model=_word(model),
    )


def _failure(text: str, refusal: str, finish_reason: str | None) -> Failure | None:
    if len(text) > MAX_TEXT:
        return Failure("too_long", f"{len(text)} characters")
    if refusal:
        return Failure("refusal", refusal[:2000])
    if not text.strip():
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
    return value[:_MAX_NAME] if isinstance(value, str) and value else None


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
