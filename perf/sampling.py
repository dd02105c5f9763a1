"""What sampling takes: passes through the model with refilled batches and with fixed ones, luck, tokens a second.

    python perf/sampling.py                                  # lengths as of HumanEval's programs, drawn at random
    python perf/sampling.py --samples samples.jsonl --humaneval HumanEval.jsonl --tokenizer FOLDER     # of these
    python perf/sampling.py --speed --shape small            # tokens a second as well, of a random model on the CPU
    python perf/sampling.py --speed --shape llama-7b --device cuda --dtype bfloat16 --batch 32 128

The passes are counted at a small model that the sampler itself drives, with texts that end at the given lengths: those
of programs cut where `edittool edit` stops, in its order. They count the reading of prompts too. `fixed` is a batch
that nothing joins until all of it has ended: what the sampler does with models that forget what they have read.

The share of tokens that differ is between a model and itself after a change of each logit by noise of standard
deviation 0.007: by the noise that belongs to each token, and by one random number a step that falls into the running
sum of the likeliest tokens, as the sampler did before.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from editing import SHAPES, random_model
from edittool.analysis.functions import cut_at_function_end
from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.tiny import TinySettings, train_tokenizer
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.sampling import writing
from edittool.editing.sampling.luck import choose
from edittool.editing.sampling.texts import Choosing, Tally

LETTERS_PER_TOKEN = 3.3  # of code, with the tokenizers of code models
PROGRAMS, MEAN = 984, 54  # HumanEval, six programs each, of a model of 16 billion parameters
CHOOSING = Choosing(0.8, 0.95)
FLAT, PEAKED, NEAR = 2.0, 6.0, 0.007  # standard deviations of logits, and of what is added to them


@dataclass(eq=False, slots=True)
class Text:
    """A text that ends after `length` tokens, whatever they are."""

    prompt_ids: list[int]
    length: int
    key: int
    guess: list[int] = field(default_factory=list)
    new_ids: list[int] = field(default_factory=list)
    done: bool = False

    def take(self, token: int) -> None:
        self.new_ids.append(token)
        self.done = len(self.new_ids) >= self.length

    def draft(self) -> list[int]:
        return self.guess


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    lengths = lengths_of(options) if options.samples else drawn_lengths()
    print(f"{len(lengths)} programs of {sum(lengths) / len(lengths):.0f} tokens on average, {max(lengths)} at most")
    passes(lengths, options.batch)
    luck()
    if options.speed:
        speed(lengths[: options.programs], options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, help="JSONL with completions for HumanEval")
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl, for their prompts")
    parser.add_argument("--tokenizer", help="the folder of a model, to count tokens with  [default: 3.3 letters each]")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--speed", action="store_true", help="measure tokens a second too")
    parser.add_argument("--programs", type=int, default=200, help="of which tokens a second are measured")
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    options = parser.parse_args()
    if options.samples and not options.humaneval:
        parser.error("--samples needs --humaneval: the prompts of the programs")
    return options


def lengths_of(options: argparse.Namespace) -> list[int]:
    """Return how many tokens the model writes for each program, those with short prompts first."""
    problems = {row["task_id"]: row for row in rows_of(options.humaneval)}
    samples = sorted(
        rows_of(options.samples), key=lambda row: (len(problems[row["task_id"]]["prompt"]), row["task_id"])
    )
    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer) if options.tokenizer else None
    lengths = []
    for row in samples:
        problem = problems[row["task_id"]]
        program = cut_at_function_end(problem["prompt"], row["completion"], problem["entry_point"])
        tokens = len(tokenizer(program)["input_ids"]) if tokenizer else round(len(program) / LETTERS_PER_TOKEN)
        lengths.append(max(1, tokens))
    return lengths


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def drawn_lengths() -> list[int]:
    chance = random.Random(0)
    return [1 + min(511, round(chance.gammavariate(1.5, (MEAN - 1) / 1.5))) for _ in range(PROGRAMS)]


def texts_of(lengths: Sequence[int], prompt: int, vocabulary: int) -> list[Text]:
    """Return a text for each length, after prompts of `prompt` tokens, no two of which are equal."""
    source = torch.Generator().manual_seed(0)
    prompts = torch.randint(0, vocabulary, (len(lengths), prompt), generator=source).tolist()
    return [Text(ids, length, number) for number, (ids, length) in enumerate(zip(prompts, lengths, strict=True))]


def write(model: Any, texts: Sequence[Text], size: int, refill: bool) -> Tally:
    """Write `texts`; without `refill`, as with a model that cannot be."""
    tally, able = Tally(), writing.can_refill
    try:
        if not refill:
            writing.can_refill = lambda model: False
        for _ in writing.write(model, texts, size, CHOOSING, 0, tally):
            pass
    finally:
        writing.can_refill = able
    return tally


def passes(lengths: Sequence[int], sizes: Sequence[int]) -> None:
    """Print the passes through the model, and how many rows are at work in one."""
    sizes_of_model = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=16, **sizes_of_model)).eval()
    table = Table("batch", "passes, fixed", "passes, refilled", "rows at work", "ordered by length", "right drafts")
    for size in sizes:
        fixed = write(model, texts_of(lengths, 1, 16), size, refill=False).passes
        refilled = write(model, texts_of(lengths, 1, 16), size, refill=True).passes
        longest = write(model, texts_of(sorted(lengths, reverse=True), 1, 16), size, refill=True).passes
        drafted = texts_of(lengths, 1, 16)
        written = texts_of(lengths, 1, 16)
        write(model, written, size, refill=True)
        for text, right in zip(drafted, written, strict=True):
            text.guess = right.new_ids
        checked = write(model, drafted, size, refill=True).passes
        work = f"{sum(lengths) / fixed:.1f}, {sum(lengths) / refilled:.1f}"
        table.add_row(str(size), f"{fixed:,}", f"{refilled:,}", work, f"{longest:,}", f"{checked:,}")
    Console().print(table)


def luck() -> None:
    """Print the share of tokens that differ between two models that are near."""
    table = Table("distribution", "one number a step", "noise for each token")
    for name, scale in (("flat", FLAT), ("peaked", PEAKED)):
        source = torch.Generator().manual_seed(0)
        logits = scale * torch.randn(20_000, 1000, generator=source)
        other = logits + NEAR * torch.randn(20_000, 1000, generator=source)
        keys, steps = torch.arange(20_000) // 50, torch.arange(20_000) % 50
        numbers = torch.rand(20_000, generator=source, dtype=torch.float64)
        by_noise = differ(*(choose(given, keys, steps, 0.8, 0.95) for given in (logits, other)))
        by_number = differ(*(running_sum(given, numbers, 0.8, 0.95) for given in (logits, other)))
        table.add_row(name, f"{by_number:.2%}", f"{by_noise:.2%}")
    Console().print(table)


def differ(one: Tensor, other: Tensor) -> float:
    return float((one != other).double().mean())


def running_sum(logits: Tensor, numbers: Tensor, temperature: float, top_p: float) -> Tensor:
    """Return the token where each of `numbers` in [0, 1) falls in the running sum of the nucleus, likeliest first."""
    probabilities = torch.softmax(logits.double() / temperature, dim=-1)
    ordered, tokens = probabilities.sort(dim=-1, descending=True)
    total = (ordered * (ordered.cumsum(-1) - ordered < top_p)).cumsum(-1)
    places = torch.searchsorted(total, numbers[:, None] * total[:, -1:], right=True)
    return tokens.gather(1, places.clamp(max=logits.shape[-1] - 1))[:, 0]


def speed(lengths: Sequence[int], options: argparse.Namespace) -> None:
    """Print tokens a second of a random model of the given shape, after prompts of 150 tokens."""
    tokenizer = train_tokenizer(lessons_of(load_builtin()), TinySettings())
    model = random_model(SHAPES[options.shape], tokenizer, options.device, getattr(torch, options.dtype))
    wait = torch.cuda.synchronize if options.device != "cpu" else lambda: None
    vocabulary = model.config.vocab_size
    table = Table("batch", "fixed", "refilled", "refilled, right drafts", "peak memory")
    for size in options.batch:
        if options.device != "cpu":
            torch.cuda.reset_peak_memory_stats()
        seconds, right = [], []
        for refill, drafted in ((False, False), (True, False), (True, True)):
            texts = texts_of(lengths, 150, vocabulary)
            for text, guess in zip(texts, right if drafted else [], strict=False):
                text.guess = guess
            wait()
            started = time.perf_counter()
            write(model, texts, size, refill)
            wait()
            seconds.append(time.perf_counter() - started)
            right = [text.new_ids for text in texts]
        peak = f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if options.device != "cpu" else ""
        table.add_row(str(size), *(f"{sum(lengths) / taken:.0f} tokens/s" for taken in seconds), peak)
    Console().print(table)


if __name__ == "__main__":
    main()
