"""What is written on: a text in the making, how its tokens are chosen, and what the writing took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from .luck import choose


class Writing(Protocol):
    """A text in the making: the tokens it goes on from, those it has got, the key of its luck, whether it has ended."""

    new_ids: list[int]

    @property
    def prompt_ids(self) -> Sequence[int]: ...  # noqa: D102 - the class says what it is
    @property
    def key(self) -> int: ...  # noqa: D102
    @property
    def done(self) -> bool: ...  # noqa: D102

    def take(self, token: int) -> None:
        """Append `token`, or end."""

    def draft(self) -> Sequence[int]:
        """Return a guess at the tokens that the text will get; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Choosing:
    """How tokens are chosen: see `luck.choose`."""

    temperature: float
    top_p: float

    def tokens(self, logits: Tensor, keys: Sequence[int], steps: Sequence[int]) -> list[int]:
        """Return a token for each row of `logits` (rows, vocabulary)."""
        places = torch.tensor([keys, steps], device=logits.device)
        chosen: list[int] = choose(logits, places[0], places[1], self.temperature, self.top_p).tolist()
        return chosen

    def give(self, texts: Sequence[Writing], logits: Tensor) -> None:
        """Let each of `texts` take its next token after its row of `logits`."""
        steps = [len(text.new_ids) for text in texts]
        for text, token in zip(texts, self.tokens(logits, [text.key for text in texts], steps), strict=True):
            text.take(token)


@dataclass(slots=True)
class Tally:
    """What writing took: passes through the model; tokens of drafts, and how many of them were right."""

    passes: int = 0
    drafted: int = 0
    accepted: int = 0
