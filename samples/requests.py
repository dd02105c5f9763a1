"""Requests in OpenAI's form: what is sent to a server, or written into a batch, to sample one answer to a prompt."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schemas.errors import InputError
from ..schemas.json_text import parse_json
from .prompts import Prompt, Style

PATHS: Mapping[Style, str] = {"chat": "/chat/completions", "complete": "/completions"}
# What a body has of its own: with another value, a row would not be what it says, or not be understood.
_OURS = {
    "model": "--model names the model.",
    "messages": "--template changes what is asked.",
    "prompt": "--template changes what is asked.",
    "n": "-n asks for several samples, one a request.",
    "best_of": "-n asks for several samples, one a request.",
    "stream": "Answers are read whole.",
    "echo": "The answer would begin with the prompt.",
    "suffix": "A program ends where the model ends it.",
    "seed": "--seed gives each sample a seed of its own.",
    "temperature": "--temperature gives it.",
    "top_p": "--top-p gives it.",
    "max_tokens": "--max-tokens gives it.",
}
_REMOVABLE = {"temperature", "top_p", "max_tokens"}
_SEEDS = 2**31  # servers take what a signed integer of 32 bits holds


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn: what a request says besides its prompt. None leaves a field to the server.

    The request for sample i of a problem has the seed `seed` + i. `extra_body` holds further fields; one that is null
    there is not sent. Raises InputError for numbers without meaning, and for a further field that is no business of
    `extra_body`.
    """

    model: str
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the numbers and the further fields."""
        if not self.model.strip():
            raise InputError("--model is empty. Give the name under which the server has the model.")
        if self.temperature is not None and not 0 <= self.temperature <= 100:
            raise InputError(f"--temperature must be 0 or more, not {self.temperature}.")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise InputError(f"--top-p must be more than 0 and at most 1, not {self.top_p}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InputError(f"--max-tokens must be 1 or more, not {self.max_tokens}.")
        if self.seed is not None and not 0 <= self.seed < _SEEDS:
            raise InputError(f"--seed must be 0 or more and less than 2^31, not {self.seed}.")
        for name, value in self.extra_body.items():
            if name in _OURS and not (name in _REMOVABLE and value is None):
                raise InputError(f'--extra-body has the field "{name}". {_OURS[name]} Leave it out there.')

    def body(self, prompt: Prompt, index: int) -> dict[str, Any]:
        """Return the body of the request for sample `index` of `prompt`."""
        asked: dict[str, Any] = {"messages": prompt.messages} if prompt.style == "chat" else {"prompt": prompt.text}
        body = {
            "model": self.model,
            **asked,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "stop": list(prompt.stop) or None,
            "seed": None if self.seed is None else self.seed + index,
            **self.extra_body,
        }
        return {name: value for name, value in body.items() if value is not None}

    def check_seeds(self, n: int) -> None:
        """Raise InputError where sample `n` - 1 would have a seed beyond those that there are."""
        if self.seed is not None and self.seed + n > _SEEDS:
            raise InputError(f"--seed must be at most 2^31 - {n} with {n} samples a problem, not {self.seed}.")

    def settings(self, style: Style) -> dict[str, Any]:
        """Return the fields of a sample that say how it was drawn; what was left to the server is left out."""
        drawn = {name: getattr(self, name) for name in ("model", "temperature", "top_p", "max_tokens", "seed")}
        removed = {name for name in _REMOVABLE if name in self.extra_body}
        known = {name: value for name, value in drawn.items() if value is not None and name not in removed}
        sent = {name for name in _REMOVABLE if drawn[name] is not None} | ({"stop"} if style == "complete" else set())
        extra = {name: value for name, value in self.extra_body.items() if value is not None or name in sent}
        return known | ({"extra_body_sha256": digest(extra)} if extra else {})


def digest(value: object) -> str:
    """Return the SHA-256 of `value` as JSON with its keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()


def parse_extra_body(text: str | None) -> dict[str, Any]:
    """Return the JSON object in `text`, what --extra-body was given. Raises InputError for anything else."""
    if text is None:
        return {}
    try:
        value = parse_json(text.encode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise InputError(f"--extra-body is no JSON ({error}). Give an object: '{{\"top_k\": 20}}'.") from None
    if not isinstance(value, dict):
        raise InputError("--extra-body is no JSON object. Give fields of the request: '{\"top_k\": 20}'.")
    return value


def batch_row(prompt: Prompt, index: int, sampling: Sampling) -> dict[str, Any]:
    """Return a line of the input of OpenAI's batches: `custom_id` is TASK_ID#INDEX."""
    return {
        "custom_id": f"{prompt.problem.task_id}#{index}",
        "method": "POST",
        "url": f"/v1{PATHS[prompt.style]}",
        "body": sampling.body(prompt, index),
    }
