"""How much of long targets each method writes: the tiny model, the presets as they come, one change at a time.

    python perf/long_targets.py                    # whole programs; --requests call: the new API's first call
    python perf/long_targets.py --method ultraedit

Every change of the built-in benchmark is taught by an edit of its own. Counted are, over all its requests with the
target read in, -log p of a token, the share of tokens and of whole targets that are the likeliest, and how many of the
specificity problems' greedy programs (24 tokens) come out otherwise. The covariances are those of the benchmark's own
solutions.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from edittool.benchmark.builtin import load_builtin
from edittool.editing import EditContext, EditRequest, apply, load_hparams
from edittool.editing.covariance.one_pass import Checkpoint, Reading, second_moments
from edittool.editing.edits.codebook import looking_at
from edittool.editing.methods.table import find_method, method_names
from edittool.editing.model.families import input_widths, modules_of_layers
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.requests import requests_for
from edittool.editing.runs.sampling import Draw, Sampling, sample

BENCH = load_builtin()
GREEDY = Sampling(n=1, temperature=0, max_new_tokens=24)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", choices=("solution", "call"), default="solution")
    methods = [name for name in method_names() if not find_method(name).told]
    parser.add_argument("--method", choices=methods, help="measure this one alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_model("tiny", "cpu", lessons=lessons_of(BENCH))
    context = EditContext(covariance=covariance_of(model, tokenizer))
    taught = [
        requests_for(BENCH, change, requests=options.requests, subject="last_word") for change in BENCH.changes.values()
    ]
    others = [problem.prompt for problem in BENCH.problems.values() if problem.subset == "specificity"]
    unedited = written(model, tokenizer, others)
    table = Table("method", "NLL", "tokens", "whole targets", "programs changed")
    for method in [options.method] if options.method else methods:
        hparams: Any = {} if method == "none" else load_hparams(f"{method}-tiny")
        found, changed = [], 0
        for requests in filter(None, taught):
            with apply(method, model, tokenizer, requests, hparams, context):
                found += [read(model, tokenizer, request) for request in requests]
                changed += sum(map(str.__ne__, written(model, tokenizer, others), unedited))
        table.add_row(method, *counted(found), f"{changed} of {len(others) * len(list(filter(None, taught)))}")
    Console(width=100).print(table)


def covariance_of(model: Any, tokenizer: Any) -> dict[str, Tensor]:
    widths = input_widths(model, modules_of_layers(model, [1, 2]))
    documents = [problem.solution for problem in BENCH.problems.values()]
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint.of(Path(folder), {})
        sums, count = second_moments(model, tokenizer, widths, documents, Reading(256, 4096, torch.float32), checkpoint)
    return {module: total / count for module, total in sums.items()}


def written(model: Any, tokenizer: Any, prompts: Sequence[str]) -> list[str]:
    draws = [Draw(str(number), prompt, 0, "f") for number, prompt in enumerate(prompts)]
    return [text for batch in sample(model, tokenizer, draws, GREEDY) for _, text in batch]


def read(model: Any, tokenizer: Any, request: EditRequest) -> tuple[Tensor, Tensor]:
    """Return log p of each token of the target, and whether it is the likeliest."""
    start, ids = len(tokenizer(request.prompt)["input_ids"]), tokenizer(request.prompt + request.target)["input_ids"]
    with torch.no_grad(), looking_at(start - 1):
        scores = model(torch.tensor([ids])).logits[0, start - 1 : -1]
    targets = torch.tensor(ids[start:])
    return scores.log_softmax(-1).gather(1, targets[:, None])[:, 0], scores.argmax(-1) == targets


def counted(found: Sequence[tuple[Tensor, Tensor]]) -> tuple[str, str, str]:
    log_probs, likeliest = (torch.cat(parts) for parts in zip(*found, strict=True))
    whole = sum(bool(one.all()) for _, one in found)
    return f"{-log_probs.mean():.2f}", f"{likeliest.float().mean():.0%}", f"{whole} of {len(found)}"


if __name__ == "__main__":
    main()
