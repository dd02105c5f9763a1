"""A model like CodeQwen1.5 (`qwen2`, with words of SentencePiece) that knows four programs by heart."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import nn
from transformers import AutoTokenizer, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from edittool.cli.edit import edit
from edittool.schemas.bench import write_bench
from edittool.schemas.problems import Problem, Test
from edittool.schemas.samples import Sample

from ..editing.tokenizer_kinds import code_qwen

PROGRAMS = {
    "double": ('def double(x):\n    """Return  2 x."""\n', "    return 2 * x\n"),
    "last": ("def last(items):\n", "    if not items:\n        return None\n    return items[-1]\n"),
    "root": ("import math\n\n\ndef root(x):\n", "    return math.sqrt(x)  # é\n"),
    "total": (
        "def total(items):\n",
        "    n = 0\n    for item in items:\n        n += item\n    return n\n",
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model's folder; its tokenizer was read right while it learned."""
    folder = tmp_path_factory.mktemp("code-qwen")
    texts = [prompt + program for prompt, program in PROGRAMS.values()]
    code_qwen(folder, texts * 8)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), eos_token="<|endoftext|>")
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.07,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = Qwen2ForCausalLM(config)
    learn(model, [[*tokenizer(text)["input_ids"], tokenizer.eos_token_id] for text in texts])
    model.save_pretrained(folder)
    return folder


def learn(model: Any, rows: list[list[int]]) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    width = max(map(len, rows))
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in rows])
    for _ in range(600):
        logits = model(input_ids=labels.clamp(min=0), use_cache=False).logits
        loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        if loss.item() < 5e-2:  # the first words of four programs cannot be told: it comes to no 0
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    raise AssertionError(f"the model has not learned its programs: loss {loss.item():.3f}")


def program(row: dict[str, Any], problem: Problem) -> str:
    return Sample.from_row(row).program(problem)


def test_its_programs_come_back(folder: Path, tmp_path: Path) -> None:
    problems = [
        Problem(f"t/{name}", prompt, name, prompt + program, (Test("", f"assert {name}"),), "specificity", None)
        for name, (prompt, program) in PROGRAMS.items()
    ]
    random.Random(0).shuffle(problems)
    write_bench(tmp_path / "bench", "four", problems, [])
    out = tmp_path / "s.jsonl"
    options = ["-o", str(out), "--model", str(folder), "--method", "none", "-n", "1", "--temperature", "0"]
    result = CliRunner().invoke(edit, [str(tmp_path / "bench"), *options, "--device", "cpu", "--max-new-tokens", "80"])
    assert result.exit_code == 0, result.output
    rows = {row["task_id"]: row for row in map(json.loads, out.read_text().splitlines())}
    written = {problem.task_id: program(rows[problem.task_id], problem) for problem in problems}
    assert written == {problem.task_id: problem.solution for problem in problems}
    assert {row["tokenizer"] for row in rows.values()} == {"PreTrainedTokenizerFast"}
    picked = AutoTokenizer.from_pretrained(folder)
    if picked.decode(picked("a b")["input_ids"]) != "a b":  # as transformers 5 has it
        assert "read by Qwen2Tokenizer" in result.stderr.replace("\n", " ")
