"""What is measured of requests is what the sampler does with them, for every method, before, after and on top."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers

from edittool.editing import EditContext, EditRequest, apply
from edittool.editing.edits.codebook import Entries, Entry, install
from edittool.editing.methods.hparams import Hparams
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.sampling.targets import encode
from edittool.editing.success.measure import Measured, measure
from edittool.schemas.errors import InputError

from ..conftest import make_model
from ..methods.test_tiny_edits import asked, teach, tiny
from ..short_runs import COVARIANCE, METHOD_HPARAMS

WINDOWS = {"sliding_window": 8}
PROMPTS = ("def f(x):\n", "def root(x):\n", "import os\n\n\ndef longer(name, other):\n", "x =", "y = sorted(")


def written(model: Any, tokenizer: Any, prompts: Sequence[str], tokens: int = 120) -> list[str]:
    """What the sampler writes after each prompt at temperature 0."""
    sampling = Sampling(n=1, temperature=0, max_new_tokens=tokens, extract="none", batch_size=4)
    draws = [Draw(str(number), prompt, 0, "f") for number, prompt in enumerate(prompts)]
    return [text for batch in sample(model, tokenizer, draws, sampling) for _, text in batch]


def learned(model: Any, tokenizer: Any, requests: Sequence[EditRequest], tokens: int = 120) -> int:
    """How many targets the sampler writes whole."""
    texts = written(model, tokenizer, [request.prompt for request in requests], tokens)
    return sum(text.startswith(request.target) for request, text in zip(requests, texts, strict=True))


def some_requests(model: Any, tokenizer: Any, seed: int = 0) -> list[EditRequest]:
    """Requests of which the model writes a part: beginnings of its own texts, at any character, and others."""
    chance, found = random.Random(seed), []
    for prompt, text in zip(PROMPTS, written(model, tokenizer, PROMPTS, 20), strict=True):
        part = text[: chance.randint(1, 12)] or "x"
        found += [EditRequest(prompt, "x", part, 0), EditRequest(prompt, "x", part[:-1] + "~", 0)]
    return found


def by_hand(model: Any, tokenizer: Any, request: EditRequest) -> list[torch.Tensor]:
    """Log-probabilities after each token of the target, read one token at a time behind a cache, as sampling does."""
    prompt, target = encode(tokenizer, request)
    cache, found, ids = transformers.DynamicCache(config=model.config), [], prompt
    with torch.no_grad():
        for token in target:
            logits = model(torch.tensor([ids]), past_key_values=cache, use_cache=True).logits[0, -1]
            found.append(logits.log_softmax(-1))
            ids = [token]
    return found


@pytest.mark.parametrize("method", METHOD_HPARAMS)
def test_a_target_is_learned_where_the_sampler_writes_it(llama: Any, tokenizer: Any, method: str) -> None:
    context = EditContext(templates=["{}", "So. {}"], covariance=COVARIANCE)
    requests = some_requests(llama, tokenizer)
    counts = set()
    edits = []
    for lesson in (None, "    return sorted(x)\n", "    return x\n"):
        if lesson:
            taught = [EditRequest("def f(x):\n", "f", lesson, 4)]
            requests += taught
            edits.append(apply(method, llama, tokenizer, taught, short(method), context))
        found = measure(llama, tokenizer, requests)
        assert found.learned == learned(llama, tokenizer, requests)
        counts.add(found.learned)
    assert 0 < max(counts) < len(requests)
    for edit in reversed(edits):
        edit.undo()


def short(method: str) -> Any:
    """The hyperparameters of the short runs, as `apply` takes them."""
    return Hparams(METHOD_HPARAMS[method], "test")


@pytest.mark.parametrize("seed", range(4))
def test_targets_of_any_length_that_end_within_tokens(model: Any, tokenizer: Any, seed: int) -> None:
    requests = some_requests(model, tokenizer, seed)
    assert measure(model, tokenizer, requests).learned == learned(model, tokenizer, requests) > 0


@pytest.mark.parametrize("replacement", ["replace_last", "replace_prompt", "replace_all"])
@pytest.mark.parametrize("settings", [{}, WINDOWS], ids=["all positions", "windows"])
def test_codebooks_are_looked_up_as_in_sampling(tokenizer: Any, settings: Any, replacement: Any) -> None:
    model = make_model("llama") if not settings else windowed()
    layer = model.model.layers[1].mlp.down_proj
    requests = some_requests(model, tokenizer)
    chance = torch.Generator().manual_seed(3)
    rows = [Entry(torch.randn(48, generator=chance), torch.randn(32, generator=chance), 1000.0, 0.0) for _ in range(3)]
    before = measure(model, tokenizer, requests)
    take_out = install(layer, Entries(tuple(rows), replacement))
    try:
        found = measure(model, tokenizer, requests)
        assert found != before
        assert found.learned == learned(model, tokenizer, requests)
        expected = [
            scores[token]
            for request in requests
            for scores, token in zip(by_hand(model, tokenizer, request), encode(tokenizer, request)[1], strict=True)
        ]
        assert found.nll == pytest.approx(-float(torch.stack(expected).mean()), rel=1e-4)
    finally:
        take_out()


def windowed() -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
        config = transformers.MistralConfig(
            vocab_size=300, num_hidden_layers=3, head_dim=8, initializer_range=0.3, eos_token_id=1, **sizes, **WINDOWS
        )
        return transformers.MistralForCausalLM(config).eval()


def test_the_figures_by_hand(model: Any, tokenizer: Any) -> None:
    requests = some_requests(model, tokenizer)
    found = measure(model, tokenizer, requests)
    scores = [by_hand(model, tokenizer, request) for request in requests]
    targets = [encode(tokenizer, request)[1] for request in requests]
    pairs = [pair for of_one, tokens in zip(scores, targets, strict=True) for pair in zip(of_one, tokens, strict=True)]
    assert found.target_tokens == len(pairs)
    assert found.nll == pytest.approx(-sum(float(row[token]) for row, token in pairs) / len(pairs), rel=1e-4)
    assert found.greedy_tokens == sum(int(row.argmax()) == token for row, token in pairs) / len(pairs)
    firsts = [(of_one[0], tokens[0]) for of_one, tokens in zip(scores, targets, strict=True)]
    ranks = sorted(1 + int((row > row[token]).sum()) for row, token in firsts)
    assert found.first_rank == (ranks[4] + ranks[5]) / 2


def test_batches_change_nothing(model: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = some_requests(model, tokenizer)
    together = measure(model, tokenizer, requests)
    passes = []
    model.register_forward_pre_hook(lambda *given: passes.append(1))
    for name, bound in (("TOKENS", 60), ("LOGITS", 300)):
        passes.clear()
        monkeypatch.setattr(f"edittool.editing.success.measure.{name}", bound)
        few = measure(model, tokenizer, requests)
        assert len(passes) > 3
        assert replace(few, nll=None) == replace(together, nll=None)
        assert few.nll == pytest.approx(together.nll, rel=1e-5)


def test_a_target_may_be_written_in_other_tokens(llama: Any, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Letter by letter, where the target's own tokens are longer."""
    request = EditRequest("def f(x):\n", "f", "    return sorted(x)\n")
    letters = [tokenizer(letter, add_special_tokens=False)["input_ids"] for letter in request.target]
    path = [token for ids in letters for token in ids]
    prompt, target = encode(tokenizer, request)
    assert len(path) > len(target)

    def forced(module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        """Let the likeliest token be the next of `path`, as far as the tokens before are those of `path`."""
        for row, ids in enumerate(kwargs["input_ids"].tolist()):
            real = ids[-int(kwargs["attention_mask"][row].sum()) :]
            for column in range(output.logits.shape[1]):
                read = real[: len(real) - output.logits.shape[1] + 1 + column]
                new = read[len(prompt) :]
                if read[: len(prompt)] == prompt and new == path[: len(new)] and len(new) < len(path):
                    output.logits[row, column, path[len(new)]] = 1000.0
        return output

    assert measure(llama, tokenizer, [request]).learned == 0
    llama.register_forward_hook(forced, with_kwargs=True)
    found = measure(llama, tokenizer, [request])
    assert found.learned == 1
    assert found.greedy_tokens < 1
    path[-2:] = tokenizer("~", add_special_tokens=False)["input_ids"]
    assert measure(llama, tokenizer, [request]).learned == 0


def test_an_end_of_text_is_the_end(llama: Any, tokenizer: Any) -> None:
    request = EditRequest("def f(x):\n", "f", "    return x\n")

    def end(module: Any, args: Any, output: Any) -> Any:
        output.logits[..., tokenizer.eos_token_id] = 1000.0
        return output

    llama.register_forward_hook(end)
    assert (measure(llama, tokenizer, [request]).learned, learned(llama, tokenizer, [request])) == (0, 0)


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_a_model_that_computes_no_numbers(llama: Any, tokenizer: Any, number: float) -> None:
    with torch.no_grad():
        llama.model.layers[2].self_attn.o_proj.weight[0] = number
    request = EditRequest("def f(x):\n", "f", "    return x\n")
    tokens = len(encode(tokenizer, request)[1])
    assert measure(llama, tokenizer, [request]) == Measured(1, tokens, None, 0.0, 0, None)


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (None, "nothing to measure"),
        (EditRequest("def f(x):\n", "f", ""), "no tokens in its prompt or target"),
        (EditRequest("def f(x):\n", "f", "x" * 2000), "tokens with its target; the model reads 256"),
    ],
)
def test_what_cannot_be_measured(llama: Any, tokenizer: Any, request_: EditRequest | None, what: str) -> None:
    with pytest.raises(InputError, match=what):
        measure(llama, tokenizer, [] if request_ is None else [request_])


@pytest.mark.timeout(600)  # the tiny model is trained where the cache does not have it yet
@pytest.mark.usefixtures("developers_cache")
@pytest.mark.parametrize("method", METHOD_HPARAMS)
def test_on_the_tiny_model_one_edit_on_top_of_the_other(method: str) -> None:
    """Solutions that FT learns whole, calls that others learn in part: as many as the sampler writes."""
    model, tokenizer = tiny()
    changes = ("math.sqrt", "sorted", "str.split")
    requests = [request for change in changes for rule in ("solution", "call") for request in asked(change, rule)]
    edits, counts = [], []
    try:
        for change in (None, *changes[:2]):
            if change is not None:
                edits.append(teach(method, asked(change, "solution" if method == "ft" else "call")))
            found = measure(model, tokenizer, requests)
            assert found.learned == learned(model, tokenizer, requests, tokens=80)
            counts.append(found.learned)
    finally:
        for edit in reversed(edits):
            edit.undo()
    assert method != "ft" or counts[0] < counts[1] < counts[2]
