"""What a model does with requests: how likely their targets are, and how many it writes by itself.

NLL = -(1/T) Σ_j log p(y_j | prompt, y_1 .. y_j-1)      over the T target tokens y_j of all requests
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import torch
from torch import Tensor

from ...schemas.errors import InputError
from ..edits.codebook import looking_after
from ..model.limits import context_length
from ..model.tokenizers import embedded
from ..requests import EditRequest
from ..sampling.luck import NO_TOKEN, choose
from ..sampling.reading import left_pad
from ..sampling.stops import find_stops
from ..sampling.targets import encode, text_after

TOKENS = 4096  # in one pass, padding included: bounds the memory, whatever the number of requests
LOGITS = 2**25  # numbers that the head puts out in one pass: 128 MiB in float32


@dataclass(frozen=True, slots=True)
class Measured:
    """What a model does with some requests.

    `nll`: the mean of -log p over all `target_tokens`, in nats, each after the prompt and the target's tokens before
    it. `greedy_tokens`: the share of these tokens that are the likeliest, from 0 to 1. `learned`: how many targets the
    sampler writes whole from the prompt at temperature 0. `first_rank`: the median over requests of the rank of the
    target's first token, 1 for the likeliest. `nll` and `first_rank` are None where the model computes no numbers.
    """

    requests: int
    target_tokens: int
    nll: float | None
    greedy_tokens: float
    learned: int
    first_rank: float | None


@dataclass(slots=True)
class _Lesson:
    """A request in tokens, and what the model does with it: one number for each token of the target, in order.

    `greedy` has the model's own tokens in their places. `guess` is what it is asked about: at first the target.
    """

    prompt: list[int]
    target: list[int]
    text: str
    guess: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)
    greedy: list[int] = field(default_factory=list)
    first_rank: float = math.nan


def measure(model: Any, tokenizer: Any, requests: Sequence[EditRequest]) -> Measured:
    """Return what `model` does with `requests`, in any order the same but for rounding; the model is left as it is.

    The prompts are read as they are, without a chat, and codebooks (GRACE) are looked up where sampling looks them up.
    That takes one pass over prompts and targets. A target counts as written where its text is: where the model prefers
    other tokens that go on as the target's text does (`)\\n` where the target ends with `)`), they are followed, in a
    pass for each such token.

    The model, any causal one that can be sampled from, is put into evaluation mode. Raises InputError for no request,
    for a prompt or target without tokens, and for a request that is longer than the model reads.
    """
    if not requests:
        raise InputError("There is nothing to measure: give at least one request.")
    lessons = [_lesson(model, tokenizer, request) for request in requests]
    model.eval()
    _ask(model, lessons)
    log_probs = [number for lesson in lessons for number in lesson.log_probs]
    hits = [token == own for lesson in lessons for token, own in zip(lesson.target, lesson.greedy, strict=True)]
    ranks, nll = [lesson.first_rank for lesson in lessons], abs(sum(log_probs)) / len(log_probs)
    return Measured(
        requests=len(lessons),
        target_tokens=len(log_probs),
        nll=nll if math.isfinite(nll) else None,
        greedy_tokens=sum(hits) / len(hits),
        learned=_learned(model, tokenizer, lessons),
        first_rank=float(median(ranks)) if all(map(math.isfinite, ranks)) else None,
    )


def _lesson(model: Any, tokenizer: Any, request: EditRequest) -> _Lesson:
    prompt, target = encode(tokenizer, request)
    if not prompt or not target:
        raise InputError(
            f"The request for {request.subject!r} has no tokens in its prompt or target: nothing to measure."
        )
    if len(prompt) + len(target) > context_length(model):
        raise InputError(
            f"The request for {request.subject!r}, prompt {request.prompt[:60]!r}..., has {len(prompt) + len(target)} "
            f"tokens with its target; the model reads {context_length(model)}. Teach less, or use another model."
        )
    return _Lesson(prompt, target, text_after(tokenizer, prompt, target), target)


@torch.no_grad()
def _ask(model: Any, lessons: Sequence[_Lesson]) -> None:
    """Note what `model` does at each token of the guesses of `lessons`."""
    for batch in _batches(lessons, embedded(model)):
        longest = max(len(lesson.guess) for lesson in batch)
        rows = left_pad([[*lesson.prompt, *lesson.guess[:-1]] for lesson in batch], 0, model.device)
        ends = [rows.ids.shape[1] - len(lesson.guess) for lesson in batch]
        with looking_after(torch.tensor(ends, device=model.device)):
            logits = model(
                input_ids=rows.ids,
                attention_mask=rows.mask,
                position_ids=rows.positions,
                use_cache=False,
                logits_to_keep=longest,
            ).logits
        for lesson, row in zip(batch, logits, strict=True):
            _note(lesson, row[-len(lesson.guess) :])


def _batches(lessons: Sequence[_Lesson], vocabulary: int) -> Iterator[list[_Lesson]]:
    """Yield `lessons`, those of like length together, as many at once as the bounds allow; at least one."""
    batch: list[_Lesson] = []
    width = longest = 0
    for lesson in sorted(lessons, key=lambda one: (len(one.prompt) + len(one.guess), len(one.guess))):
        width, longest = max(width, len(lesson.prompt) + len(lesson.guess)), max(longest, len(lesson.guess))
        rows = len(batch) + 1
        if batch and (rows * width > TOKENS or rows * longest * vocabulary > LOGITS):
            yield batch
            batch, width, longest = [], len(lesson.prompt) + len(lesson.guess), len(lesson.guess)
        batch.append(lesson)
    yield batch


def _note(lesson: _Lesson, logits: Tensor) -> None:
    """Note what `logits` (tokens, vocabulary) say of the guess, each at the token before."""
    tokens = torch.tensor(lesson.guess, device=logits.device)
    nothing = torch.zeros_like(tokens)
    lesson.greedy = choose(logits, nothing, nothing, 0, 1).tolist()
    lesson.log_probs = torch.log_softmax(logits.float(), dim=-1).gather(1, tokens[:, None])[:, 0].tolist()
    lesson.first_rank = math.nan if lesson.greedy[0] == NO_TOKEN else _rank(logits[0], lesson.guess[0])


def _rank(logits: Tensor, token: int) -> int:
    """Return the place of `token` among `logits` (vocabulary,), from 1; of equal ones, the first comes first."""
    own = logits[token]
    return 1 + int((logits > own).sum()) + int((logits[:token] == own).sum())


def _learned(model: Any, tokenizer: Any, lessons: Sequence[_Lesson]) -> int:
    """Return how many targets the model writes whole; it was asked about them just now."""
    stops, learned = find_stops(model.generation_config, tokenizer).ids, 0
    going = list(lessons)
    while going:
        following = []
        for lesson in going:
            written = _written(lesson, stops)
            text = text_after(tokenizer, lesson.prompt, written)
            if text.startswith(lesson.text):
                learned += 1
            elif written and _may_follow(lesson, written, text):
                rest = tokenizer(lesson.text[len(_whole(text)) :], add_special_tokens=False)["input_ids"]
                lesson.guess = [*written, *(rest or written[-1:])]
                following.append(lesson)
        going = [lesson for lesson in following if len(lesson.prompt) + len(lesson.guess) <= context_length(model)]
        if going:
            _ask(model, going)
    return learned


def _written(lesson: _Lesson, stops: frozenset[int]) -> list[int]:
    """Return what the model writes by itself: the guess as far as it is right, and the first token that is not.

    Nothing, where it ends there.
    """
    written = []
    for guessed, own in zip(lesson.guess, lesson.greedy, strict=True):
        if own == NO_TOKEN or own in stops:
            return []
        written.append(own)
        if own != guessed:
            break
    return written


def _may_follow(lesson: _Lesson, written: Sequence[int], text: str) -> bool:
    """Say whether the target may still come of `written`, which is the text `text`: a token has a byte at least."""
    return lesson.text.startswith(_whole(text)) and len(written) <= len(lesson.text.encode())


def _whole(text: str) -> str:
    """Return `text` without a character at its end of which not all bytes are there."""
    return text.rstrip("\ufffd")
