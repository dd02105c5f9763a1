"""Sampling of programs: many at once, each the same whatever it is batched with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...analysis.extraction import Mode
from ...analysis.functions import is_function_complete
from ...schemas.errors import InputError
from ..model.limits import context_length
from ..sampling.luck import NO_TOKEN, key_of
from ..sampling.memory import rows_at_once
from ..sampling.rows import can_refill
from ..sampling.stops import find_stops
from ..sampling.texts import Choosing, Tally
from ..sampling.writing import write
from .asking import Asked


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample: `n` programs a problem, `batch_size` rows at once. Temperature 0 takes the likeliest token.

    Without a `batch_size` there are as many rows as the memory of the model's device takes: see `rows_at_once`.
    `extract` is how programs are taken from what the model writes; with `cut`, it is stopped where nothing that follows
    can matter.
    """

    n: int = 5
    temperature: float = 0.8
    top_p: float = 0.95
    max_new_tokens: int = 512
    seed: int = 0
    batch_size: int | None = None
    extract: Mode = "cut"

    def __post_init__(self) -> None:
        """Raise InputError for values without meaning."""
        for name in ("n", "max_new_tokens", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, not {value}.")
        if not 0 <= self.temperature < float("inf"):
            raise InputError(f"The temperature must be a number from 0 up, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        if self.temperature == 0 and self.n > 1:
            raise InputError(f"At temperature 0 all {self.n} samples of a problem are the same. Use -n 1.")


@dataclass(frozen=True, slots=True)
class Draw:
    """One sample to draw: the `index`-th for the problem `task_id`; `draft` is a guess at what the model will write.

    `asked` is what the model reads in place of the prompt, where that is something else.
    """

    task_id: str
    prompt: str
    index: int
    entry_point: str
    draft: str = ""
    asked: Asked | None = None

    @property
    def reads(self) -> Asked:
        """What the model reads before it writes."""
        return self.asked or Asked(self.prompt)


def sample(
    model: Any, tokenizer: Any, draws: Sequence[Draw], sampling: Sampling, tally: Tally | None = None
) -> Iterator[list[tuple[Draw, str]]]:
    """Yield draws, in their order and some at once, with what the model wrote, up to where it was stopped.

    Every draw has its own luck, which (seed, task id, index) decides alone: batches, order, drafts and what was drawn
    before do not matter (rounding apart), and two models are compared on the same luck. Raises InputError for a prompt
    that leaves the model no room, and for drafts where the model cannot check them.
    """
    if not draws:
        return
    if any(draw.draft for draw in draws) and not can_refill(model):
        raise InputError(
            f"Drafts cannot be checked with a model of type {model.config.model_type!r}: some of its layers do not "
            "keep all that they have read. Leave out --drafts."
        )
    programs = begin(model, tokenizer, draws, sampling)
    size = sampling.batch_size or rows_at_once(model, max(len(one.prompt_ids) + one.room for one in programs))
    choosing = Choosing(sampling.temperature, sampling.top_p)
    written = 0
    for _ in write(model, programs, size, choosing, tokenizer.pad_token_id or 0, tally):
        ready = next((n for n in range(written, len(programs)) if not programs[n].done), len(programs))
        # Each part that is given out is synced to a disk: not one program at a time where many are written at once.
        if ready - written > size // 8 or ready == len(programs) > written:
            yield [(one.draw, one.completion()) for one in programs[written:ready]]
            written = ready


def begin(model: Any, tokenizer: Any, draws: Sequence[Draw], sampling: Sampling) -> list["Program"]:
    """Return the programs of `draws`, without a token. Raises InputError for a prompt that leaves no room for one."""
    stops = find_stops(model.generation_config, tokenizer).ids
    read = {asked: asked.ids(tokenizer) for asked in dict.fromkeys(draw.reads for draw in draws)}
    return [Program.start(draw, read[draw.reads], model, tokenizer, stops, sampling) for draw in draws]


@dataclass(slots=True)
class Program:
    """A program in the making: a text that the sampler writes on."""

    draw: Draw
    tokenizer: Any
    stops: frozenset[int]
    stops_early: bool
    prompt_ids: list[int]
    room: int
    key: int
    new_ids: list[int] = field(default_factory=list)
    done: bool = False

    @classmethod
    def start(
        cls, draw: Draw, prompt_ids: list[int], model: Any, tokenizer: Any, stops: frozenset[int], sampling: Sampling
    ) -> "Program":
        """Return the program of `draw`, without a token. Raises InputError where the prompt leaves no room for one."""
        room = min(sampling.max_new_tokens, context_length(model) - len(prompt_ids))
        if not prompt_ids or room < 1:
            raise InputError(
                f"The prompt of {draw.task_id} has {len(prompt_ids)} tokens; the model reads from 1 to "
                f"{context_length(model) - 1}. Leave the problem out, or use another model."
            )
        key = key_of(sampling.seed, draw.task_id, draw.index)
        return cls(draw, tokenizer, stops, sampling.extract == "cut", prompt_ids, room, key)

    def take(self, token: int) -> None:
        """Append `token`, and see whether the program ends with it."""
        if token in self.stops or token == NO_TOKEN:
            self.done = True
            return
        self.new_ids.append(token)
        may_end = self.stops_early and "\n" in self.tokenizer.decode([token])
        ended = may_end and is_function_complete(self.draw.prompt, self.completion(), self.draw.entry_point)
        self.done = ended or len(self.new_ids) == self.room

    def draft(self) -> list[int]:
        """Return the tokens of the draft, as many as there is room for."""
        if not self.draw.draft:
            return []
        whole = (self.draw.reads + self.draw.draft).ids(self.tokenizer)
        rest = whole[len(self.prompt_ids) :]
        if whole[: len(self.prompt_ids)] != self.prompt_ids:  # a token reaches across the end of the prompt
            rest = self.tokenizer(self.draw.draft, add_special_tokens=False)["input_ids"]
        return rest[: self.room]

    def completion(self) -> str:
        """Return the text of the new tokens; decoded after the prompt, for some tokenizers strip a first space."""
        settings = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        whole: str = self.tokenizer.decode(self.prompt_ids + self.new_ids, **settings)
        return whole[len(self.tokenizer.decode(self.prompt_ids, **settings)) :]
