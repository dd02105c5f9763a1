"""Texts are read before they are written on: their prompts, and in one more pass the drafts of what may follow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from .reading import Prompts, read_on, read_prompts
from .rows import Text, can_refill
from .texts import Choosing, Tally, Writing

# Logits after drafts that are held at once, in numbers: 1 GiB in float32. More drafts take several passes.
_LOGITS = 2**28


@dataclass(frozen=True, slots=True)
class Ready:
    """A text with its first token, or more, and where that was read; `width` columns, padding included."""

    text: Writing
    kept: Text
    width: int


class Reader:
    """Reads texts for `model`, gives each its first token, and those that its draft has right."""

    def __init__(self, model: Any, choosing: Choosing, pad: int, tally: Tally):
        self._model, self._choosing, self._pad, self._tally = model, choosing, pad, tally
        self._takes_drafts = can_refill(model)

    def read(self, texts: Sequence[Writing]) -> list[Ready]:
        """Read `texts`, equal prompts once, and return those that have not ended."""
        places = {prompt: place for place, prompt in enumerate({tuple(text.prompt_ids): None for text in texts})}
        prompts = read_prompts(self._model, list(places), self._pad)
        self._tally.passes += 1
        which = [places[tuple(text.prompt_ids)] for text in texts]
        self._choosing.give(texts, prompts.logits[torch.tensor(which, device=prompts.logits.device)])
        found = self._check_drafts(texts, which, prompts) if self._takes_drafts else {}
        return [
            Ready(text, found.get(number) or _kept(text, prompts, prompts.cache, place), prompts.width)
            for number, (text, place) in enumerate(zip(texts, which, strict=True))
            if not text.done
        ]

    def _check_drafts(self, texts: Sequence[Writing], which: Sequence[int], prompts: Prompts) -> dict[int, Text]:
        """Let texts take from their drafts what they would have got, and return, by number, where they were read."""
        drafts = {number: draft for number, text in enumerate(texts) if (draft := text.draft())}
        begun = [number for number, draft in drafts.items() if texts[number].new_ids[:1] == [draft[0]]]
        going = [number for number in begun if not texts[number].done]
        longest = max((len(drafts[number]) for number in going), default=1)
        found = {}
        at_once = max(1, _LOGITS // (longest * prompts.logits.shape[-1]))
        for some in (going[start : start + at_once] for start in range(0, len(going), at_once)):
            guesses = [drafts[number] for number in some]
            cache, logits = read_on(self._model, prompts, [which[number] for number in some], guesses)
            self._tally.passes += 1
            for place, (number, guess) in enumerate(zip(some, guesses, strict=True)):
                self._follow(texts[number], guess, logits[place, : len(guess)])
                found[number] = _kept(texts[number], prompts, cache, place)
        self._tally.drafted += sum(map(len, drafts.values()))
        self._tally.accepted += sum(_agreeing(texts[number].new_ids, draft) for number, draft in drafts.items())
        return found

    def _follow(self, text: Writing, guess: Sequence[int], logits: Tensor) -> None:
        """Let `text`, which has the first token of `guess`, take those that follow, up to the first that differs."""
        chosen = self._choosing.tokens(logits, [text.key] * len(guess), range(1, len(guess) + 1))
        for token, guessed in zip(chosen, (*guess[1:], None), strict=True):
            text.take(token)
            if text.done or token != guessed:
                return


def _kept(text: Writing, prompts: Prompts, cache: DynamicCache, place: int) -> Text:
    """Return where `text` stands in `cache` but for its newest token, which is yet to be read."""
    prompt = len(text.prompt_ids)
    return Text(cache, place, prompts.width - prompt, prompt + len(text.new_ids) - 1)


def _agreeing(tokens: Sequence[int], draft: Sequence[int]) -> int:
    """Return how many tokens `draft` has right from its beginning on."""
    pairs = enumerate(zip(tokens, draft, strict=False))
    return next((number for number, (token, guess) in pairs if token != guess), min(len(tokens), len(draft)))
