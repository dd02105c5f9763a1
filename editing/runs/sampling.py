"""Sampling of programs: many rows in one left-padded batch, each row the same whatever it is batched with."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from ...analysis.extraction import Mode
from ...analysis.functions import is_function_complete
from ...schemas.errors import InputError
from .chat import read_ids
from .stops import find_stops

NO_TOKEN = -1  # chosen where an edit has left a model that computes no numbers


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: `n` programs a problem, `batch_size` rows at once. Temperature 0 takes the likeliest token.

    `extract` is how programs are taken from what the model writes; with `cut`, it is stopped where nothing that follows
    can matter.
    """

    n: int = 5
    temperature: float = 0.8
    top_p: float = 0.95
    max_new_tokens: int = 512
    seed: int = 0
    batch_size: int = 32
    extract: Mode = "cut"

    def __post_init__(self) -> None:
        """Raise InputError for values without meaning."""
        for name in ("n", "max_new_tokens", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.temperature < float("inf"):
            raise InputError(f"The temperature must be a number from 0 up, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        if self.temperature == 0 and self.n > 1:
            raise InputError(f"At temperature 0 all {self.n} samples of a problem are the same. Use -n 1.")


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample to draw: the `index`-th for the problem `task_id`.

    `chat` is what the model reads in place of the prompt, where it is asked in a chat.
    """

    task_id: str
    prompt: str
    index: int
    entry_point: str
    chat: str | None = None


def sample(model: Any, tokenizer: Any, draws: Sequence[Draw], sampling: Sampling) -> Iterator[list[tuple[Draw, str]]]:
    """Yield each batch of draws with what the model wrote, up to where it was stopped.

    Every draw has its own stream of random numbers, seeded by (seed, task id, index) alone: batches, order and what
    was drawn before do not matter (rounding apart), and two models are compared on the same luck. Raises InputError
    for a prompt that leaves the model no room.
    """
    for start in range(0, len(draws), sampling.batch_size):
        rows = [Program.start(draw, model, tokenizer, sampling) for draw in draws[start : start + sampling.batch_size]]
        _fill(model, tokenizer, rows, sampling)
        yield [(row.draw, row.completion(tokenizer)) for row in rows]


@dataclass(slots=True)
class Program:
    """A program in the making: its prompt's tokens, the new ones, how many may come, and its random numbers."""

    draw: Draw
    prompt_ids: list[int]
    room: int
    luck: Tensor  # float64 in [0, 1), one per new token
    stops_early: bool
    new_ids: list[int] = field(default_factory=list)
    done: bool = False

    @classmethod
    def start(cls, draw: Draw, model: Any, tokenizer: Any, sampling: Sampling) -> "Program":
        """Return a program without tokens. Raises InputError for a prompt that leaves the model no room."""
        prompt_ids = read_ids(tokenizer, draw.prompt, draw.chat)
        room = min(sampling.max_new_tokens, model.config.max_position_embeddings - len(prompt_ids))
        if not prompt_ids or room < 1:
            raise InputError(
                f"The prompt of {draw.task_id} has {len(prompt_ids)} tokens; the model reads from 1 to "
                f"{model.config.max_position_embeddings - 1}. Leave the problem out, or use another model."
            )
        seed = hashlib.sha256(f"{sampling.seed}\n{draw.task_id}\n{draw.index}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(seed[:8], "big", signed=True))
        luck = torch.rand(room, generator=generator, dtype=torch.float64)
        return cls(draw, prompt_ids, room, luck, sampling.extract == "cut")

    def take(self, token: int, stops: frozenset[int], tokenizer: Any) -> None:
        """Append `token`, and see whether the program ends with it."""
        if token in stops or token == NO_TOKEN:
            self.done = True
            return
        self.new_ids.append(token)
        may_end = self.stops_early and "\n" in tokenizer.decode([token])
        ended = may_end and is_function_complete(self.draw.prompt, self.completion(tokenizer), self.draw.entry_point)
        self.done = ended or len(self.new_ids) == self.room

    def completion(self, tokenizer: Any) -> str:
        """Return the text of the new tokens; decoded after the prompt, for some tokenizers strip a first space."""
        settings = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        whole: str = tokenizer.decode(self.prompt_ids + self.new_ids, **settings)
        return whole[len(tokenizer.decode(self.prompt_ids, **settings)) :]


@torch.inference_mode()
def _fill(model: Any, tokenizer: Any, rows: list[Program], sampling: Sampling) -> None:
    """Complete `rows`. Equal prompts are read once; rows that are done leave the batch."""
    stops = _stops(model, tokenizer)
    cache, logits, mask = _read_prompts(model, tokenizer, rows)
    active = rows
    while True:
        luck = torch.stack([row.luck[len(row.new_ids)] for row in active]).to(logits.device)
        tokens = _choose(logits, luck, sampling)
        for row, token in zip(active, tokens.tolist(), strict=True):
            row.take(token, stops, tokenizer)
        keep = [i for i, row in enumerate(active) if not row.done]
        if not keep:
            return
        if len(keep) < len(active):
            kept = torch.tensor(keep, device=mask.device)
            cache.batch_select_indices(kept)
            active, mask, tokens = [active[i] for i in keep], mask[kept], tokens[kept]
        mask = torch.cat([mask, mask.new_ones(len(active), 1)], dim=1)
        logits = model(
            input_ids=tokens[:, None],
            attention_mask=mask,
            position_ids=mask.sum(1, keepdim=True) - 1,
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    return find_stops(model.generation_config, tokenizer).ids


def _read_prompts(model: Any, tokenizer: Any, rows: list[Program]) -> tuple[Any, Tensor, Tensor]:
    """Return the cache after the prompts, the logits that follow (rows, vocabulary) and the attention mask."""
    prompts = {tuple(row.prompt_ids): None for row in rows}
    places = {prompt: place for place, prompt in enumerate(prompts)}
    batch = left_pad(list(prompts), tokenizer.pad_token_id or 0, model.device)
    cache = DynamicCache(config=model.config)
    logits = model(
        input_ids=batch.ids,
        attention_mask=batch.mask,
        position_ids=batch.positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    ).logits[:, -1]
    which = torch.tensor([places[tuple(row.prompt_ids)] for row in rows], device=model.device)
    cache.batch_select_indices(which)
    return cache, logits[which], batch.mask[which]


@dataclass(frozen=True, slots=True)
class Batch:
    """Left-padded rows, each an int64 tensor of shape (rows, width).

    `mask` is 1 on real tokens. `positions` count the real tokens from 0, so that models with absolute positions
    (GPT-2) see each row as if it stood alone.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor


def left_pad(rows: Sequence[Sequence[int]], pad: int, device: torch.device) -> Batch:
    """Return `rows` as a batch on `device`, each row at the right edge."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    return Batch(ids, mask, (mask.cumsum(1) - 1).clamp(min=0))


def _choose(logits: Tensor, luck: Tensor, sampling: Sampling) -> Tensor:
    """Return a token for each row of `logits` (rows, vocabulary): where `luck` falls in the row's nucleus.

    The nucleus is the smallest set of likeliest tokens whose probabilities reach top_p (Holtzman et al., 2020).
    """
    broken = ~torch.isfinite(logits.amax(dim=-1))
    if sampling.temperature == 0:
        return logits.argmax(dim=-1).masked_fill(broken, NO_TOKEN)
    probabilities = torch.softmax(logits.double() / sampling.temperature, dim=-1)
    ordered, tokens = probabilities.sort(dim=-1, descending=True, stable=True)
    kept = ordered * (ordered.cumsum(-1) - ordered < sampling.top_p)
    total = kept.cumsum(-1)
    places = torch.searchsorted(total, luck[:, None] * total[:, -1:], right=True)
    places = torch.minimum(places, (kept > 0).sum(-1, keepdim=True) - 1).clamp(min=0)
    return tokens.gather(1, places)[:, 0].masked_fill(broken, NO_TOKEN)
