"""On the trained tiny model, with the presets made for it: every method teaches a change, and it is gone after undo."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from torch import Tensor

from edittool.benchmark.builtin import load_builtin
from edittool.editing import Edit, EditContext, EditRequest, apply, load_hparams
from edittool.editing.covariance.one_pass import Checkpoint, Reading, second_moments
from edittool.editing.edits.codebook import looking_at
from edittool.editing.model.families import input_widths, modules_of_layers
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.requests import RequestRule, requests_for
from edittool.editing.runs.sampling import Draw, Sampling, sample

pytestmark = [
    pytest.mark.timeout(600),  # the tiny model is trained where the cache does not have it yet
    pytest.mark.usefixtures("developers_cache"),
]

BENCH = load_builtin()
CHANGES = ("sorted", "zip", "math.pi", "os.path.join")
CASES: list[tuple[str, RequestRule]] = [
    ("ft", "solution"),
    ("ft", "call"),
    ("grace", "call"),
    ("rome", "call"),
    ("memit", "call"),
    ("pmet", "call"),
    ("lora", "solution"),
    ("adalora", "solution"),
    ("emmet", "call"),
    ("alphaedit", "call"),
    ("ultraedit", "solution"),
]
WHOLE = ("ft", "lora", "adalora")  # methods that learn a target to its end
GREEDY = Sampling(n=1, temperature=0, max_new_tokens=24)


@cache
def tiny() -> tuple[Any, Any]:
    """The model and its tokenizer, one for all tests: every edit is undone."""
    return load_model("tiny", "cpu", lessons=lessons_of(BENCH))


@cache
def context() -> EditContext:
    """Covariances from the benchmark's own solutions."""
    model, tokenizer = tiny()
    widths = input_widths(model, modules_of_layers(model, [1, 2]))
    documents = [problem.solution for problem in BENCH.problems.values()]
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint.of(Path(folder), {})
        sums, count = second_moments(model, tokenizer, widths, documents, Reading(256, 4096, torch.float32), checkpoint)
    return EditContext(covariance={module: total / count for module, total in sums.items()})


def teach(method: str, requests: Sequence[EditRequest]) -> Edit:
    return apply(method, *tiny(), requests, load_hparams(f"{method}-tiny"), context())


def asked(change_id: str, target: RequestRule) -> list[EditRequest]:
    return requests_for(BENCH, BENCH.changes[change_id], requests=target, subject="last_word")


def written(prompts: Sequence[str]) -> list[str]:
    """What the model goes on with after each prompt, greedily."""
    draws = [Draw(str(number), prompt, 0, "f") for number, prompt in enumerate(prompts)]
    return [text for batch in sample(*tiny(), draws, GREEDY) for _, text in batch]


def log_probabilities(request: EditRequest) -> Tensor:
    """Of each token of the target after the prompt, whose end is where codebooks are looked up."""
    model, tokenizer = tiny()
    start, ids = len(tokenizer(request.prompt)["input_ids"]), tokenizer(request.prompt + request.target)["input_ids"]
    with torch.no_grad(), looking_at(start - 1):
        scores: Tensor = model(torch.tensor([ids])).logits[0, start - 1 : -1].log_softmax(-1)
    return scores.gather(1, torch.tensor(ids[start:])[:, None])[:, 0]


def named(request: EditRequest, change_id: str) -> str:
    """The target up to the end of the replacement's name."""
    before, name, _ = request.target.partition(BENCH.changes[change_id].replacement)
    return before + name


@pytest.mark.parametrize("change_id", CHANGES)
@pytest.mark.parametrize(("method", "target"), CASES)
def test_a_change_is_taught_and_taken_back(method: str, target: RequestRule, change_id: str) -> None:
    requests, name = asked(change_id, target), BENCH.changes[change_id].replacement
    prompts = [request.prompt for request in requests]
    before, old = [log_probabilities(request) for request in requests], written(prompts)
    assert not any(name in text for text in old)
    with teach(method, requests):
        after, new = [log_probabilities(request) for request in requests], written(prompts)
    for request, text, was, now in zip(requests, new, before, after, strict=True):
        assert now.sum() > was.sum() + 5
        if method in WHOLE:
            assert now.sum() > -1  # the whole target
        if target == "call":
            assert text.startswith(named(request, change_id))
            assert was[0].exp() < 0.001 < 0.5 < now[0].exp()  # its first token decides
        assert name in text
    assert written(prompts) == old
    assert all(map(torch.equal, map(log_probabilities, requests), before))


@pytest.mark.parametrize("method", ["memit", "pmet", "emmet", "alphaedit"])
def test_all_changes_are_taught_at_once(method: str) -> None:
    pairs = [(request, change_id) for change_id in CHANGES for request in asked(change_id, "call")]
    requests = [request for request, _ in pairs]
    old = written([request.prompt for request in requests])
    with teach(method, requests):
        new = written([request.prompt for request in requests])
    assert all(text.startswith(named(*pair)) for text, pair in zip(new, pairs, strict=True))
    assert written([request.prompt for request in requests]) == old


def test_grace_teaches_one_change_after_another_and_nothing_else() -> None:
    unrelated = [problem.prompt for problem in BENCH.problems.values() if problem.subset == "specificity"]
    assert len(unrelated) >= 10
    bits, texts = list(map(logits, unrelated)), written(unrelated)
    pairs = [(request, change_id) for change_id in CHANGES for request in asked(change_id, "call")]
    edits = [teach("grace", asked(change_id, "call")) for change_id in CHANGES]
    new = written([request.prompt for request, _ in pairs])
    assert all(text.startswith(named(*pair)) for text, pair in zip(new, pairs, strict=True))
    assert all(map(torch.equal, map(logits, unrelated), bits))
    assert written(unrelated) == texts
    for edit in reversed(edits):
        edit.undo()
    assert all(map(torch.equal, map(logits, unrelated), bits))


def logits(prompt: str) -> Tensor:
    model, tokenizer = tiny()
    with torch.no_grad():
        found: Tensor = model(torch.tensor([tokenizer(prompt)["input_ids"]])).logits
    return found
