"""The tiny model: a Llama of about 3 M parameters that knows one benchmark by heart, so that a laptop can edit.

What it learns is in `tiny_lessons`: that of the built-in benchmark is shipped, trained by the code below. Its tokenizer
knows the parts of the new names as words, though no text it learns has such a name: a model of this size cannot spell,
in a program it was not edited with, a word that it has met once.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from ...schemas.errors import InputError
from ...schemas.folders import cache_folder, make_private
from ...schemas.whole_files import aside, write_faults
from .tiny_lessons import Lessons, Text

VERSION = 2  # counts up when the code below trains another model from the same settings
SHIPPED = Path(__file__).parent / "shipped"  # written by perf/tiny_model.py
BOS, EOS, PAD = "<s>", "</s>", "<pad>"
OFTEN = 40  # times that a name is shown to the tokenizer: enough for each of its parts to become one token

# A line end is a token of its own, and so is an indentation step: the tokens of prompt + completion are then those of
# the prompt followed by those of the completion, wherever the prompt ends at a line end.
WORDS = Regex(r"\n| {4}| ?_?[A-Za-z]+|_+|[0-9]| ?[^\sA-Za-z0-9_]+|\s")


@dataclass(frozen=True, slots=True)
class TinySettings:
    """Everything that decides which tiny model comes out, besides the texts; see VERSION."""

    vocabulary: int = 1024
    layers: int = 6
    hidden: int = 192
    mlp: int = 512
    heads: int = 6
    context: int = 1024
    epochs: int = 8
    batch_size: int = 8
    learning_rate: float = 2e-3
    initializer_range: float = 0.07
    seed: int = 0


def tiny_model(
    lessons: Lessons,
    settings: TinySettings | None = None,
    *,
    cache: Path | None = None,
    observe: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> Path:
    """Return the folder of the tiny model for `lessons`, in Hugging Face's format; train it unless it is there.

    Weights are float16: training rounds them in the end. The model of the built-in benchmark comes with the package,
    others are cached. `observe` gets the number of finished epochs, that of all epochs and the last epoch's mean loss.
    Any number of processes may ask at once: the folder appears whole, or not at all. Raises InputError for no texts or
    one that is longer than the context, EnvironmentFault where the cache cannot be written.
    """
    settings = settings or TinySettings()
    if not lessons.texts:
        raise InputError("The tiny model learns from reference solutions, and this benchmark has none it can use.")
    name = f"tiny-{_key(lessons, settings)}"
    if cache is None and (shipped := SHIPPED / name).is_dir():
        return shipped
    folder = (cache or cache_folder()) / name
    if not folder.is_dir():
        with write_faults(folder.parent, SafetensorError, note="EDITTOOL_CACHE names another folder for the cache."):
            make_private(folder.parent)
            try:
                with aside(folder) as temporary:
                    temporary.mkdir()
                    _make(lessons, settings, temporary, observe)
            except OSError:
                if not folder.is_dir():  # else another process was faster: the same model, from the same lessons
                    raise
    return folder


def _key(lessons: Lessons, settings: TinySettings) -> str:
    what = {"version": VERSION, "settings": asdict(settings), "lessons": asdict(lessons)}
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode("ascii")).hexdigest()[:24]


def _make(lessons: Lessons, settings: TinySettings, folder: Path, observe: Callable[[int, int, float], None]) -> None:
    tokenizer = train_tokenizer(lessons, settings)
    model = _new_model(tokenizer, settings)
    _train(model, [_encode(tokenizer, text, settings) for text in lessons.texts], settings, observe)
    rounded: Any = model  # its `to` is untyped
    rounded.to(torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def train_tokenizer(lessons: Lessons, settings: TinySettings) -> Any:
    """Return a byte-level BPE tokenizer that knows the words of `lessons`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(WORDS, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    words = [text.prompt + text.completion for text in lessons.texts]
    words += [f"{name} {name}" for name in lessons.names] * OFTEN
    tokenizer.train_from_iterator(words, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    make: Any = PreTrainedTokenizerFast  # untyped
    return make(
        tokenizer_object=tokenizer, bos_token=BOS, eos_token=EOS, pad_token=PAD, clean_up_tokenization_spaces=False
    )


def _new_model(tokenizer: Any, settings: TinySettings) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=settings.mlp,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=settings.context,
        initializer_range=settings.initializer_range,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    with torch.random.fork_rng(devices=[]):  # transformers initialises from the global generator
        torch.manual_seed(settings.seed)
        return LlamaForCausalLM(config)


def _encode(tokenizer: Any, text: Text, settings: TinySettings) -> list[int]:
    ids = [*tokenizer(text.prompt + text.completion)["input_ids"], tokenizer.eos_token_id]
    if len(ids) > settings.context:
        raise InputError(
            f"A reference solution has {len(ids)} tokens and the tiny model reads {settings.context}: "
            f"{text.prompt[:60]!r}... Use a benchmark with shorter problems (`builtin`), or another model."
        )
    return ids


def _train(
    model: Any,
    rows: list[list[int]],
    settings: TinySettings,
    observe: Callable[[int, int, float], None],
) -> None:
    """Train with AdamW, a short warm-up and a cosine down to a hundredth; prompts are learned with their programs."""
    shuffler = random.Random(settings.seed)  # noqa: S311 - the order of texts, no secret
    steps = settings.epochs * math.ceil(len(rows) / settings.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    model.train()
    for epoch in range(1, settings.epochs + 1):
        shuffler.shuffle(rows)
        losses = []
        for start in range(0, len(rows), settings.batch_size):
            loss: Any = _loss(model, rows[start : start + settings.batch_size])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        observe(epoch, settings.epochs, sum(losses) / len(losses))
    model.eval()


def _rate(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    return (step + 1) / warm if step < warm else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps))


def _loss(model: LlamaForCausalLM, rows: list[list[int]]) -> Tensor:
    """Return the mean cross-entropy over all tokens of `rows`, right-padded."""
    width = max(map(len, rows))
    ids = torch.tensor([row + [model.config.pad_token_id] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    labels = ids.masked_fill(mask == 0, -100)[:, 1:]
    return nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten())
