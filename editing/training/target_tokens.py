"""Requests as training reads them: a text in tokens, and which of its tokens are to be learned at which positions."""

from dataclasses import dataclass
from typing import Any, Literal

from ...schemas.errors import InputError
from ..model.forward import Row
from ..requests import EditRequest
from ..sampling.targets import encode as targets_of

Profile = Literal["easyedit", "clme", "original", "exact"]


@dataclass(frozen=True, slots=True)
class Taught:
    """A request in tokens: at each of `positions`, the row is to predict the target of the same place."""

    row: Row
    positions: list[int]
    targets: list[int]


def join(target: str, profile: Profile) -> str:
    """Return what follows the prompt: the target, behind one space where the profile wants one.

    `easyedit` and `clme` always do, `original` where the target has none; with `exact` it goes on as it is.
    """
    if profile == "exact" or (profile == "original" and target.startswith(" ")):
        return target
    return f" {target}"


def encode(tokenizer: Any, text: str, profile: Profile) -> list[int]:
    """Return the tokens of `text`, with the tokenizer's special ones but for `clme`."""
    ids: list[int] = tokenizer(text, add_special_tokens=profile != "clme")["input_ids"]
    return ids


def following(tokenizer: Any, request: EditRequest, profile: Profile) -> Taught:
    """Return `request` with its target behind its prompt, each token learned from those before it.

    With `exact` these are tokens that a sampler can write: where the target fuses with the prompt's end, it has read
    the prompt alone. Raises InputError where prompt or target has no tokens.
    """
    if profile == "exact":
        prompt_ids, targets = targets_of(tokenizer, request)
        ids = prompt_ids + targets
    else:
        prompt_ids = encode(tokenizer, request.prompt, profile)
        ids = encode(tokenizer, request.prompt + join(request.target, profile), profile)
    taught = Taught(Row.of(ids), list(range(len(prompt_ids) - 1, len(ids) - 1)), ids[len(prompt_ids) :])
    return checked(taught, request, prompt_ids)


def checked(taught: Taught, request: EditRequest, prompt_ids: list[int]) -> Taught:
    """Return `taught`. Raises InputError where there is no token to learn, or none to learn it from."""
    if not taught.targets or not prompt_ids:
        raise InputError(
            f"The request for {request.subject!r} has no tokens in its prompt or target: nothing to teach."
        )
    return taught
