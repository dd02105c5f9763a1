"""The texts in what an OpenAI-compatible engine answers: chat completions, completions, and responses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....analysis.extraction import Form


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a body: its number, its text, None where it has none, and what is said of it."""

    index: int
    text: str | None
    form: Form | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)


def choices_of(body: Mapping[str, Any]) -> Iterator[Choice]:
    """Yield the answers in a response's body.

    A refusal is an answer, with the words of the refusal; an answer that the engine ended before it said anything is
    an empty one.
    """
    shared = {name: body[name] for name in ("usage",) if body.get(name) is not None}
    if isinstance(body.get("output"), list) and "choices" not in body:  # /v1/responses
        yield _response(body, shared)
        return
    listed = body.get("choices")
    for place, choice in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(choice, Mapping):
            continue
        index = choice.get("index")
        number = index if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else place
        yield _choice(choice, number, shared)


def _choice(choice: Mapping[str, Any], number: int, shared: Mapping[str, Any]) -> Choice:
    carried = {**shared}
    reason = choice.get("finish_reason") or choice.get("stop_reason")
    if reason is not None:
        carried["finish_reason"] = reason
    message = choice.get("message")
    if not isinstance(message, Mapping):
        text = choice.get("text")
        return Choice(number, text if isinstance(text, str) else None, "completion", carried)
    for name in ("refusal", "reasoning_content", "reasoning", "tool_calls"):
        if message.get(name):
            carried[name] = message[name]
    text = text_of(message.get("content"))
    if not text and isinstance(message.get("refusal"), str):
        text = message["refusal"]
    if text is None and (reason is not None or message.get("tool_calls")):
        text = ""
    return Choice(number, text, None, carried)


def _response(body: Mapping[str, Any], shared: Mapping[str, Any]) -> Choice:
    carried = {**shared}
    texts = []
    for item in body["output"]:
        if not isinstance(item, Mapping) or item.get("type") != "message":
            continue
        for part in item["content"] if isinstance(item.get("content"), list) else ():
            if isinstance(part, Mapping) and part.get("refusal"):
                carried["refusal"] = part["refusal"]
        texts.append(text_of(item.get("content")))
    details = body.get("incomplete_details")
    if isinstance(details, Mapping) and details.get("reason"):
        carried["finish_reason"] = "length" if details["reason"] == "max_output_tokens" else details["reason"]
    elif body.get("status") is not None:
        carried["finish_reason"] = "stop" if body["status"] == "completed" else body["status"]
    said = [text for text in texts if text is not None]
    refusal = carried.get("refusal")
    text = "".join(said) or (refusal if isinstance(refusal, str) else "" if carried.get("finish_reason") else None)
    return Choice(0, text, None, carried)


def text_of(content: Any) -> str | None:
    """Return the text of a message's content: a string, or parts of which some are text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [part if isinstance(part, str) else part.get("text") for part in content if isinstance(part, str | Mapping)]
    said = [text for text in texts if isinstance(text, str)]
    return "".join(said) if said else None
