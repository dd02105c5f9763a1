"""Seconds for an edit with the exact speed-ups and without them, by the same code, in one run.

    python perf/editing.py                                        # a random model of 12 layers, on the CPU
    python perf/editing.py --each                                 # what each speed-up brings by itself
    python perf/editing.py --subject function                     # keyed on the function's name, early in the prompt
    python perf/editing.py --shape llama-7b --device cuda --dtype bfloat16      # a GPU, real shapes, random weights

Edits are keyed on the last word of the prompt, as in the code-llmedit study: nearly all positions then lie before it.
Both ways teach the same requests to the same model, by turns; the ratio is that of the fastest rounds. The edits are
compared too: in float32, they have to agree. Tokens a second are those of `edittool edit`'s own sampling.
"""

import argparse
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from edittool.benchmark.builtin import load_builtin
from edittool.editing import EditContext, EditRequest, Speedups, apply
from edittool.editing.model.tiny import TinySettings, train_tokenizer
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.requests import SubjectRule, requests_for
from edittool.editing.runs.sampling import Draw, Sampling, sample

REQUESTS = 4  # at once, for MEMIT and PMET
WANTED = {"grace": 3.5, "ft": 1.8, "rome": 2.0, "memit": 3.0, "pmet": 3.0}  # ratios on the CPU


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a model with random weights."""

    family: str
    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    vocabulary: int


# The head of the small one weighs as much, against a layer, as that of CodeLlama.
SHAPES = {
    "small": Shape("llama", 12, 256, 688, 8, 8, 2048),
    "llama-7b": Shape("llama", 32, 4096, 11008, 32, 32, 32016),
    "qwen2-7b": Shape("qwen2", 32, 4096, 13440, 32, 4, 92416),
}


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    shape = SHAPES[options.shape]
    tokenizer = train_tokenizer(lessons_of(load_builtin()), TinySettings())
    model = random_model(shape, tokenizer, options.device, getattr(torch, options.dtype))
    covariance = {
        f"model.layers.{n}.mlp.down_proj": random_covariance(shape.mlp, options.device) for n in memit_layers(shape)
    }
    table = Table("method", "requests", "without", "with", "ratio", "wanted", "difference", "peak memory")
    for method, hparams in settings(shape).items():
        if options.method not in (None, method):
            continue
        requests = longest_requests(REQUESTS if method in ("memit", "pmet") else 1, options.subject)
        table.add_row(*measured(method, model, tokenizer, requests, hparams, covariance, options))
        if options.each:
            add_each(table, method, model, tokenizer, requests, hparams, covariance, options)
    Console().print(table)
    print(f"sampling: {tokens_a_second(model, tokenizer):.0f} tokens/s, 30 programs at once")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--method", choices=WANTED, help="measure this one alone")
    parser.add_argument("--subject", default="last_word", choices=["last_word", "function"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of the CPU; with several, what else runs disturbs more")
    parser.add_argument("--each", action="store_true", help="measure each speed-up by itself as well")
    return parser.parse_args()


def random_model(shape: Shape, tokenizer: PreTrainedTokenizerFast, device: str, dtype: torch.dtype) -> Any:
    """Return a model whose layers do something: with the usual small weights, an edit would hardly move it."""
    kinds: dict[str, tuple[Any, Any]] = {
        "llama": (LlamaConfig, LlamaForCausalLM),
        "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    }
    config, kind = kinds[shape.family]
    settings = config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=2048,
        initializer_range=1.5 / shape.hidden**0.5,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = kind(settings).eval()
    torch.set_default_dtype(torch.float32)
    return model


def random_covariance(size: int, device: str) -> Tensor:
    inputs = torch.randn(2 * size, size, generator=torch.Generator().manual_seed(1)).to(device)
    return inputs.T @ inputs / len(inputs)


def memit_layers(shape: Shape) -> list[int]:
    """Return the layers that MEMIT and PMET edit, at the same height as those of the published hyperparameters."""
    return [round(layer * shape.layers / 32) for layer in (4, 5, 6, 7, 8)] if shape.layers == 32 else [1, 2, 3]


def settings(shape: Shape) -> dict[str, dict[str, Any]]:
    """Return the published hyperparameters of each method, with layers at the same height of this model."""

    def height(layer: int) -> int:
        return min(shape.layers - 1, round(layer * shape.layers / 32))

    values = {"v_lr": 0.5, "v_weight_decay": 1e-3, "clamp_norm_factor": 4, "kl_factor": 0.0625}
    return {
        "ft": {
            "layers": [height(21)],
            "rewrite_module_tmp": "model.layers.{}.mlp.down_proj",
            "num_steps": 25,
            "lr": 5e-4,
            "norm_constraint": 1e-4,
        },
        "grace": {
            "inner_params": [f"model.layers[{height(27)}].mlp.down_proj.weight"],
            "edit_lr": 1.0,
            "n_iter": 30,
            "eps": 1.0,
        },
        "rome": {**values, "layers": [height(5)], "v_num_grad_steps": 25},
        "memit": {**values, "layers": memit_layers(shape), "v_num_grad_steps": 25, "mom2_update_weight": 15000.0},
        "pmet": {**values, "layers": memit_layers(shape), "v_num_grad_steps": 30, "mom2_update_weight": 15000.0},
    }


def longest_requests(number: int, subject: SubjectRule = "last_word") -> list[EditRequest]:
    """Return the requests of the built-in benchmark with the longest prompts: some 70 tokens, and 20 of the target."""
    bench = load_builtin()
    changes = bench.changes.values()
    requests = [request for change in changes for request in requests_for(bench, change, subject=subject)]
    return sorted(requests, key=lambda request: -len(request.prompt))[:number]


def measured(
    method: str,
    model: Any,
    tokenizer: Any,
    requests: list[EditRequest],
    hparams: Mapping[str, Any],
    covariance: Mapping[str, Tensor],
    options: argparse.Namespace,
) -> list[str]:
    """Return the table's row: the fastest of some rounds each way, taken by turns, and how far the edits differ."""
    plain, quick = context(covariance, Speedups.none()), context(covariance, Speedups())
    seconds: dict[bool, list[float]] = {False: [], True: []}
    results: dict[bool, dict[str, Tensor]] = {}
    peaks = {}
    for _ in range(options.rounds):
        for fast, given in ((False, plain), (True, quick)):
            taken, results[fast], peaks[fast] = timed(method, model, tokenizer, requests, hparams, given)
            seconds[fast].append(taken)
    slow, quickest = min(seconds[False]), min(seconds[True])
    wanted = f"{WANTED[method]:.1f}x" if options.device == "cpu" else ""
    return [
        method,
        str(len(requests)),
        f"{slow:.2f} s",
        f"{quickest:.2f} s",
        f"{slow / quickest:.1f}x",
        wanted,
        f"{difference(results[False], results[True]):.0e}",
        peaks[True],
    ]


def context(covariance: Mapping[str, Tensor], speedups: Speedups) -> EditContext:
    templates = [f"{opening} value of this is a number that. {{}}" for opening in ("The", "Thus", "As", "I", "You")]
    return EditContext(templates=templates, covariance=covariance, speedups=speedups)


def timed(
    method: str, model: Any, tokenizer: Any, requests: list[EditRequest], hparams: Mapping[str, Any], given: EditContext
) -> tuple[float, dict[str, Tensor], str]:
    """Return the seconds to edit and to undo, what the edit changed, and the memory that the GPU needed for it."""
    wait = torch.cuda.synchronize if model.device.type == "cuda" else lambda: None
    if model.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    wait()
    started = time.perf_counter()
    edit = apply(method, model, tokenizer, requests, dict(hparams), context=replace(given, seed=0))
    edit.undo()
    wait()
    taken = time.perf_counter() - started
    codebook = edit.codebook()
    changed = edit.deltas() if codebook is None else {"values": codebook.values}
    peak = f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" if model.device.type == "cuda" else ""
    return taken, changed, peak


def difference(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    missing = torch.stack([(one[name] - other[name]).norm() for name in one]).norm()
    return float(missing / torch.stack([tensor.norm() for tensor in one.values()]).norm())


def add_each(
    table: Table,
    method: str,
    model: Any,
    tokenizer: Any,
    requests: list[EditRequest],
    hparams: Mapping[str, Any],
    covariance: Mapping[str, Tensor],
    options: argparse.Namespace,
) -> None:
    """Add a row for each speed-up: all on, and all but this one."""

    def fastest(speedups: Speedups) -> float:
        given = context(covariance, speedups)
        return min(timed(method, model, tokenizer, requests, hparams, given)[0] for _ in range(options.rounds))

    best = fastest(Speedups())
    for switch in fields(Speedups):
        without = fastest(replace(Speedups(), **{switch.name: False}))
        table.add_row("", "", f"{without:.2f} s", f"{best:.2f} s", f"{without / best:.1f}x", "", switch.name, "")


def tokens_a_second(model: Any, tokenizer: Any, tokens: int = 64) -> float:
    """Return how many tokens `edittool edit` samples a second: five programs for each of some prompts.

    A docstring is left open at the end of each prompt, so that a program goes on for all its tokens.
    """
    prompts = [f'{request.prompt}    """Say' for request in longest_requests(6)]
    names = [re.findall(r"def (\w+)", prompt)[-1] for prompt in prompts]
    draws = [
        Draw(str(number), prompt, index, names[number]) for number, prompt in enumerate(prompts) for index in range(5)
    ]

    def written() -> int:
        batches = sample(model, tokenizer, draws, Sampling(max_new_tokens=tokens, batch_size=len(draws)))
        return sum(len(tokenizer(text)["input_ids"]) for batch in batches for _, text in batch)

    written()
    started = time.perf_counter()
    count = written()
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
