"""Small random models of every family, a tokenizer, and a small benchmark; all real, none trained."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers

from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

# Families whose configurations have Llama's fields: model and configuration.
LIKE_LLAMA = {
    "llama": (transformers.LlamaForCausalLM, transformers.LlamaConfig),
    "qwen2": (transformers.Qwen2ForCausalLM, transformers.Qwen2Config),
}
FAMILY_NAMES = (*LIKE_LLAMA, "gpt2")
SMALL = {"vocab_size": 300, "initializer_range": 0.3, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}


def _llama(cls: Any, config: Any, **settings: Any) -> Any:
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    sizes["head_dim"] = 8  # Llama's own default; some families have another
    return cls(config(**{**sizes, **settings}, max_position_embeddings=256))


def make_model(family: str, layers: int = 3, **changes: Any) -> Any:
    settings = {**SMALL, "num_hidden_layers": layers, **changes}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        if family == "gpt2":
            config = transformers.GPT2Config(n_embd=32, n_head=4, n_positions=256, **settings)
            model: Any = transformers.GPT2LMHeadModel(config)
        else:
            model = _llama(*LIKE_LLAMA[family], **settings)
        with torch.no_grad():  # Hugging Face zeroes the pad embedding, which would hide padding errors
            model.get_input_embeddings().weight[2].normal_()
    return model.eval()


@pytest.fixture(params=FAMILY_NAMES)
def model(request: pytest.FixtureRequest) -> Any:
    return make_model(request.param)


@pytest.fixture
def llama() -> Any:
    return make_model("llama")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny model's folder, hardly trained: for its tokenizer, and where any model will do."""
    settings = TinySettings(vocabulary=300, layers=2, hidden=32, mlp=48, heads=2, context=256, epochs=1)
    return tiny_model(LESSONS, settings, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def tokenizer(tiny_folder: Any) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_folder)


LESSONS = Lessons((Text("def f(x):\n", "    return sorted(x)\n"), Text("def root(x):\n", "    return x ** 0.5\n")))


def problem(name: str, subset: Any, change_id: str | None) -> Problem:
    prompt = f"def {name}(x):\n"
    updated = None if change_id is None else f"{prompt}    return new_{change_id}(x)\n"
    test = Test("", f"assert {name}(1)")
    return Problem(f"t/{name}", prompt, name, f"{prompt}    return x\n", (test,), subset, change_id, "", updated)


def change(name: str) -> Change:
    return Change(name, name, f"new_{name}", "renamed", "(x)", f"def new_{name}(x): return x", "doc")


@pytest.fixture
def bench() -> Bench:
    problems = [problem("a1", "reliability", "len"), problem("a2", "generalization", "len")]
    problems += [problem("b1", "reliability", "max"), problem("c1", "generalization", "min")]
    problems += [problem(f"s{i}", "specificity", None) for i in range(4)]
    return Bench("small", {p.task_id: p for p in problems}, {name: change(name) for name in ("len", "max", "min")})


@pytest.fixture
def checksum() -> Callable[[Any], bytes]:
    return lambda model: hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).digest()
