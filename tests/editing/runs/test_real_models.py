"""A real instruct model writes, from prompts and in chats, the programs that transformers' own `generate` writes."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.analysis.extraction import extract
from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.loading import load_model
from edittool.editing.runs.asking import Chat, read
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.sampling.stops import find_stops
from edittool.samples.prompts import PromptMaker
from edittool.schemas.problems import Problem

MODEL = "smollm2-135m"
LENGTH = 48
TIE = 1e-3  # between logits of about 20 that float32 adds up in another order


@pytest.fixture(scope="module")
def real() -> tuple[Any, Any]:
    folder = Path(os.environ.get("EDITTOOL_MODELS", "")) / MODEL
    if not (folder / "model.safetensors").is_file():
        pytest.skip(f"no model {MODEL}: EDITTOOL_MODELS names a folder of models, and {folder} is none")
    return load_model(str(folder), "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("style", ["complete", "chat"])
def test_a_real_model_writes_what_generate_writes(real: tuple[Any, Any], style: Any) -> None:
    model, tokenizer = real
    bench = load_builtin()
    maker, chat = PromptMaker(bench, style), Chat(tokenizer) if style == "chat" else None
    problems = [bench.problems[task_id] for task_id in sorted(bench.problems)[::25]]
    assert len(problems) == 3
    draws = [Draw(p.task_id, p.prompt, 0, p.entry_point, asked=read(maker.make(p), p, chat)) for p in problems]
    greedy = Sampling(1, 0, max_new_tokens=LENGTH, extract="auto" if style == "chat" else "cut")
    written = {draw.task_id: answer for batch in sample(model, tokenizer, draws, greedy) for draw, answer in batch}
    for problem, draw in zip(problems, draws, strict=True):
        other, tied = by_generate(model, tokenizer, draw.reads.ids(tokenizer))
        same = program(written[problem.task_id], problem, greedy) == program(other, problem, greedy)
        assert same or tied, f"{problem.task_id}: {written[problem.task_id]!r} is not {other!r}"


def program(answer: str, problem: Problem, sampling: Sampling) -> str:
    form: Any = "completion" if sampling.extract == "cut" else None
    return extract(answer, problem.prompt, problem.entry_point, sampling.extract, form).program


@torch.inference_mode()
def by_generate(model: Any, tokenizer: Any, prompt: list[int]) -> tuple[str, bool]:
    """Return what `generate` writes after `prompt`, and whether it ever chose between two tokens as good as equal."""
    stops = sorted(find_stops(model.generation_config, tokenizer).ids)
    plain = {"do_sample": False, "repetition_penalty": 1.0, "temperature": None, "top_p": None, "top_k": None}
    found = model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        max_new_tokens=LENGTH,
        eos_token_id=stops,
        pad_token_id=stops[0],
        output_logits=True,
        return_dict_in_generate=True,
        **plain,
    )
    best = torch.cat(found.logits).topk(2, dim=-1).values
    answer = tokenizer.decode(found.sequences[0, len(prompt) :], skip_special_tokens=True)
    return answer, bool((best[:, 0] - best[:, 1]).min() < TIE)
