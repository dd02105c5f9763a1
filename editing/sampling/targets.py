"""The tokens of a request as a sampler has them: it reads the prompt's own, and the target's are those it may write."""

from collections.abc import Sequence
from typing import Any

from ..requests import EditRequest


def encode(tokenizer: Any, request: EditRequest) -> tuple[list[int], list[int]]:
    """Return the tokens of the prompt, with the tokenizer's special ones, and those of the target that follow them.

    These are what follows the prompt's tokens where both texts are encoded together. Where the target's beginning fuses
    with the prompt's end into one token, a sampler, which has read the prompt alone, cannot write that token: the
    target is then encoded by itself, in the first way that comes back as its text after the prompt.
    """
    before: list[int] = tokenizer(request.prompt)["input_ids"]
    both: list[int] = tokenizer(request.prompt + request.target)["input_ids"]
    if both[: len(before)] == before:
        return before, both[len(before) :]
    ways = [_plainly(tokenizer, request.target), *(_after(tokenizer, anchor, request.target) for anchor in ("\n", "="))]
    right = (way for way in ways if text_after(tokenizer, before, way) == request.target)
    return before, next(right, ways[0])


def text_after(tokenizer: Any, before: Sequence[int], tokens: Sequence[int]) -> str:
    """Return the text of `tokens` after those `before`: decoded together, for some tokenizers strip a first space."""
    settings = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
    whole: str = tokenizer.decode([*before, *tokens], **settings)
    return whole[len(tokenizer.decode(list(before), **settings)) :]


def _plainly(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _after(tokenizer: Any, anchor: str, text: str) -> list[int]:
    """Return the tokens of `text` after `anchor`: some tokenizers put a space before a text, which is the anchor's."""
    before, both = _plainly(tokenizer, anchor), _plainly(tokenizer, anchor + text)
    return both[len(before) :] if both[: len(before)] == before else []
