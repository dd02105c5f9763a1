"""Holds samples of `edittool edit` at temperature 0 against what transformers' own `generate` writes.

    edittool edit BENCH -o samples.jsonl --model FOLDER --method none -n 1 --temperature 0 [--chat]
    python perf/generate.py BENCH samples.jsonl --model FOLDER

`generate` gets the prompts in batches, padded on the left, and goes on until a row has as much text as the sample:
`edittool edit` ends one where its function is complete. A text that differs is a tie where the two tokens at which the
texts part have logits within 1e-3 of each other, read without a batch: rounding decides between them, and rounding is
another in another batch. Everything else is a difference. The exit code is 1 where there is one.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from edittool.cli.shared.bench_argument import open_bench
from edittool.editing.model.loading import load_model
from edittool.editing.runs.asking import Chat, read
from edittool.editing.sampling.stops import find_stops
from edittool.samples.prompts import PromptMaker
from edittool.schemas.bench import Bench
from edittool.schemas.jsonl import read_rows

TIE = 1e-3  # of two logits in float32


@dataclass(frozen=True, slots=True)
class Sample:
    """What `edittool edit` wrote: the tokens that the model read, and the text that came of them."""

    task_id: str
    prompt: list[int]
    text: str


class LongEnough(StoppingCriteria):
    """Ends a row of `generate` whose text is as long as its sample's."""

    def __init__(self, tokenizer: Any, width: int, samples: Sequence[Sample]):
        self.tokenizer, self.width, self.samples = tokenizer, width, samples

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Return which rows have ended, a bool for each."""
        texts = decoded(self.tokenizer, input_ids[:, self.width :].tolist())
        ended = [len(text) > len(sample.text) + 8 for text, sample in zip(texts, self.samples, strict=True)]
        return torch.tensor(ended, device=input_ids.device)


def main() -> int:
    options = parse()
    torch.set_num_threads(options.threads)
    model, tokenizer = load_model(options.model, options.device)
    bench = open_bench(options.bench)
    samples = list(samples_of(options.samples, bench, tokenizer))
    started, ties, differences = time.monotonic(), 0, 0
    for number, (sample, text) in enumerate(generated(model, tokenizer, samples, options), 1):
        if not sample_is_in(sample, text):
            gap, place = parting(model, tokenizer, sample, text)
            ties, differences = ties + (gap <= TIE), differences + (gap > TIE)
            told = f"{'a tie' if gap <= TIE else 'DIFFERENT'}, logits {gap:.2g} apart at character {place}"
            ours, theirs = sample.text[place : place + 20], text[place : place + 20]
            print(f"{sample.task_id}: {told}: {ours!r}, {theirs!r}", flush=True)
        if number % 20 == 0:
            print(f"{number} of {len(samples)}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    equal = len(samples) - ties - differences
    print(f"{equal} of {len(samples)} equal, {ties} ties, {differences} different; {time.monotonic() - started:.0f} s")
    return 1 if differences else 0


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="a benchmark folder, or builtin")
    parser.add_argument("samples", type=Path, help="what `edittool edit` wrote at temperature 0")
    parser.add_argument("--model", required=True, help="the folder of the same model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--max-new-tokens", type=int, default=512, help="as it was given to `edittool edit`")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def samples_of(path: Path, bench: Bench, tokenizer: Any) -> Iterator[Sample]:
    """Yield the samples of a file, with what was read for them. A row has no `raw` where all of it is the program."""
    maker_of = cache(lambda style, docs: PromptMaker(bench, style, docs))
    chat_of = cache(lambda style: Chat(tokenizer) if style == "chat" else None)
    for row in (line.data for line in read_rows(path, "sample")):
        style = row.get("style", "complete")
        problem = bench.problems[row["task_id"]]
        question = maker_of(style, row.get("docs", "none")).make(problem)
        if question.sha256() != row["prompt_sha256"]:
            raise SystemExit(f"{row['task_id']}: the prompt of this benchmark is not the one that the model read")
        asked = read(question, problem, chat_of(style))
        yield Sample(problem.task_id, asked.ids(tokenizer), row["raw"] if "raw" in row else row["completion"])


def generated(
    model: Any, tokenizer: Any, samples: Sequence[Sample], options: argparse.Namespace
) -> Iterator[tuple[Sample, str]]:
    """Yield each of `samples` with what `generate` writes, those of like length together."""
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    stops = sorted(find_stops(model.generation_config, tokenizer).ids)
    # In place of the model's own, which may have penalties and a temperature.
    model.generation_config = GenerationConfig(
        do_sample=False, max_new_tokens=options.max_new_tokens, eos_token_id=stops, pad_token_id=pad
    )
    ordered = sorted(samples, key=lambda sample: len(sample.text))
    for start in range(0, len(ordered), options.batch_size):
        batch = ordered[start : start + options.batch_size]
        width = max(len(sample.prompt) for sample in batch)
        ids = torch.tensor([[pad] * (width - len(one.prompt)) + one.prompt for one in batch], device=model.device)
        mask = torch.tensor(
            [[0] * (width - len(one.prompt)) + [1] * len(one.prompt) for one in batch], device=model.device
        )
        ending = StoppingCriteriaList([LongEnough(tokenizer, width, batch)])
        with torch.no_grad():
            rows = model.generate(input_ids=ids, attention_mask=mask, stopping_criteria=ending)
        yield from zip(batch, decoded(tokenizer, rows[:, width:].tolist()), strict=True)


def decoded(tokenizer: Any, rows: Sequence[Sequence[int]]) -> list[str]:
    """Return the texts of `rows` of new tokens, without special tokens."""
    texts: list[str] = tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return texts


def sample_is_in(sample: Sample, text: str) -> bool:
    """Say whether `text` begins as the sample; white space at the sample's end is cut by `edittool edit`."""
    return text.startswith(sample.text.rstrip())


def parting(model: Any, tokenizer: Any, sample: Sample, text: str) -> tuple[float, int]:
    """Return how far the logits of the two tokens are apart at which the texts part, and the character."""
    ids = [tokenizer(one, add_special_tokens=False)["input_ids"] for one in (sample.text, text)]
    same = next((at for at, pair in enumerate(zip(*ids, strict=False)) if pair[0] != pair[1]), min(map(len, ids)))
    place = next(
        (at for at, pair in enumerate(zip(sample.text, text, strict=False)) if pair[0] != pair[1]),
        min(len(sample.text), len(text)),
    )
    with torch.no_grad():
        logits = model(torch.tensor([[*sample.prompt, *ids[0][:same]]], device=model.device)).logits[0, -1]
    best = logits.topk(2).values
    return float(best[0] - best[1]), place


if __name__ == "__main__":
    sys.exit(main())
