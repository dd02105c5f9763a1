"""The memory that an edit is said to take, against what PyTorch's allocator gave out while it was made."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import LlamaConfig, LlamaForCausalLM

from edittool.editing.context import EditContext
from edittool.editing.locate_then_edit.hparams import LocatingHparams
from edittool.editing.methods.hparams import Hparams
from edittool.editing.methods.table import find_method
from edittool.editing.model.memory import need_room
from edittool.editing.runs import memory
from edittool.editing.runs.memory import check_edit_memory, edit_memory
from edittool.editing.runs.plan import PlannedEdit
from edittool.editing.runs.settings import Run
from edittool.schemas.errors import EnvironmentFault

from ..parity_cases import BRACES, END, MIDDLE, TWICE, covariance_of, tokenizer_of
from ..short_runs import METHOD_HPARAMS, SAMPLING

GPU = torch.device("cuda")
MANY = PlannedEdit("edit", "edit", ("len",), (MIDDLE, END, BRACES, TWICE))


def eighth(dtype: torch.dtype) -> Any:
    """A random Llama of an eighth of the width of one of 7 B parameters, and fewer layers."""
    sizes = {"hidden_size": 512, "intermediate_size": 1376, "num_attention_heads": 4, "vocab_size": 4000}
    config = LlamaConfig(**sizes, num_hidden_layers=5, bos_token_id=0, eos_token_id=1, pad_token_id=2)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = LlamaForCausalLM(config)
    return model.to(dtype).eval()


def run_of(method: str) -> Run:
    values = METHOD_HPARAMS[method]
    if isinstance(values, LocatingHparams) and len(values.layers) > 1:
        values = replace(values, layers=[1, 2, 3])
    return Run("m", find_method(method), Hparams(values, "test"), "instant", SAMPLING)


def given_out(work: Callable[[], object]) -> int:
    """The most bytes that were given out at once and not given back, by the allocator's own records."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    records = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    now = peak = 0
    for record in sorted(records, key=lambda event: event.start_ns()):
        now += record.nbytes()
        peak = max(peak, now)
    assert peak > 0
    return peak


def teach(model: Any, run: Run, context: EditContext) -> Any:
    return run.method.teach(model, tokenizer_of("bytes"), list(MANY.requests), run.hparams.values, context)


@pytest.mark.parametrize(
    ("method", "dtype"), [*((method, torch.float32) for method in METHOD_HPARAMS), ("memit", torch.bfloat16)], ids=str
)
def test_is_what_the_edit_takes(method: str, dtype: torch.dtype) -> None:
    model, run = eighth(dtype), run_of(method)
    told = edit_memory(model.config, dtype, tokenizer_of("bytes"), MANY, run, EditContext())
    context = EditContext(covariance=covariance_of(model, run.method.check(model, run.hparams.values)))
    assert told == pytest.approx(given_out(lambda: teach(model, run, context)), rel=0.25)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("method", METHOD_HPARAMS)
def test_is_what_the_edit_takes_on_a_gpu(method: str) -> None:
    model, run = eighth(torch.float32).to(GPU), run_of(method)
    told = edit_memory(model.config, torch.float32, tokenizer_of("bytes"), MANY, run, EditContext())
    context = EditContext(covariance=covariance_of(model, run.method.check(model, run.hparams.values)))
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    teach(model, run, context)
    assert told == pytest.approx(torch.cuda.max_memory_allocated() - before, rel=0.25)


def test_knows_more_than_the_factors() -> None:
    """At the shape of 7 B parameters, of which nothing is made."""
    run = run_of("memit")
    config = LlamaConfig(
        hidden_size=4096, intermediate_size=11008, num_attention_heads=32, num_hidden_layers=6, vocab_size=32016
    )
    needed = edit_memory(config, torch.float32, tokenizer_of("bytes"), MANY, run, EditContext())
    factors, weights = 3 * 8 * 11008**2, 3 * 4 * 4096 * 11008
    assert factors + weights < needed < 2 * (factors + weights)
    with pytest.raises(EnvironmentFault, match=r"cuda:0 is too small: the tensors .* take \d\.\d GiB"):
        need_room(needed, factors, "the tensors of an edit by memit", "cuda:0")


def test_the_largest_edit_counts() -> None:
    long = replace(MANY, requests=(replace(END, target=" sorted(x)" * 9),) * 2)
    assert memory._largest([MANY, long, replace(MANY, requests=(END,))]) is long


def test_a_model_that_shapes_cannot_answer_for_is_not_held_up_and_that_is_told() -> None:
    def ask(*_: Any) -> None:
        raise NotImplementedError("a kernel without shapes")

    run = run_of("ft")
    broken = replace(run, method=replace(run.method, teach=ask))
    config = eighth(torch.float32).config
    assert edit_memory(config, torch.float32, None, MANY, broken, EditContext()) is None
    told: list[str] = []
    outline = SimpleNamespace(config=config, dtype=torch.float32, device=torch.device("cuda"))  # all it is asked
    check_edit_memory(outline, None, [MANY], broken, EditContext(), told.append)
    assert [text[:64] for text in told] == ["how much memory an edit takes cannot be said beforehand: this mo"]
