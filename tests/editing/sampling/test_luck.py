import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest
from torch import Tensor

from edittool.editing.sampling.luck import NO_TOKEN, choose, key_of, noise

MASK = 2**64 - 1


def mixed(state: int) -> int:
    """SplitMix64's output, in Python's own numbers."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def plain_noise(key: int, step: int, token: int) -> float:
    begun = mixed((key + step * 0x9E3779B97F4A7C15) & MASK)
    bits = mixed((begun + (token + 1) * 0xD1B54A32D192ED03) & MASK) >> 11
    return -math.log(-math.log((bits + 0.5) / 2**53))


def plain_choice(logits: list[float], key: int, step: int, temperature: float, top_p: float) -> int:
    """One row, token by token: what `choose` documents."""
    most = max(logits)
    weights = [math.exp((logit - most) / temperature) for logit in logits]
    chances = [weight / math.fsum(weights) for weight in weights]
    kept = [t for t, chance in enumerate(chances) if math.fsum(p for p in chances if p > chance) < top_p]
    return max((t for t in kept if chances[t]), key=lambda t: math.log(chances[t]) + plain_noise(key, step, t))


def chosen(logits: Tensor, steps: int, temperature: float = 1.0, top_p: float = 1.0, key: int = 12345) -> Tensor:
    """Return the tokens of one draw at its first steps, each with the same `logits`."""
    keys = torch.full((steps,), key)
    return choose(logits.expand(steps, -1), keys, torch.arange(steps), temperature, top_p)


def test_the_noise_is_what_it_says() -> None:
    keys, steps = torch.tensor([key_of(0, "t/1", 0), -1, 2**62]), torch.tensor([0, 3, 511])
    tokens = torch.tensor([[0, 1, 2], [5, 31999, 7], [152063, 0, 1]])
    wanted = [
        [plain_noise(key, step, token) for token in row]
        for key, step, row in zip(keys.tolist(), steps.tolist(), tokens.tolist(), strict=True)
    ]
    assert torch.allclose(noise(keys, steps, tokens), torch.tensor(wanted, dtype=torch.float64), rtol=1e-12)


def test_the_noise_is_pinned() -> None:
    """Who changes these numbers changes all samples: LUCK needs another name then."""
    assert key_of(0, "HumanEval/0", 0) == 5219779098238031351
    found = noise(torch.tensor([key_of(0, "HumanEval/0", 0)]), torch.tensor([1]), torch.tensor([[0, 1, 2]]))
    assert found[0].tolist() == pytest.approx([2.0760278050381693, -0.20511792556071828, -0.628642985226581], abs=1e-12)


@pytest.mark.parametrize("axis", ["keys", "steps", "tokens"])
def test_the_noise_is_standard_gumbel_along_each_axis(axis: str) -> None:
    count = 20_000
    some, one = torch.arange(count), torch.full((count,), 7)
    made = {name: some if name == axis else one for name in ("keys", "steps", "tokens")}
    found = noise(made["keys"], made["steps"], made["tokens"][:, None])[:, 0].numpy()
    assert kstest(found, "gumbel_r").pvalue > 1e-3
    assert abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("temperature", "top_p", "kept"), [(1.0, 1.0, 8), (0.8, 0.95, 5), (0.5, 0.7, 2), (1.0, 0.3, 1), (3.0, 0.9, 7)]
)
def test_tokens_come_as_often_as_their_probability_says(temperature: float, top_p: float, kept: int) -> None:
    logits = torch.tensor([2.0, 1.5, 1.0, 0.3, 0.0, -0.5, -1.0, -4.0])[torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])]
    chances = torch.softmax(logits.double() / temperature, -1)
    ordered = chances.sort(descending=True).values
    least = ordered[:kept].min()
    assert ordered[: kept - 1].sum() < top_p <= ordered[:kept].sum() + 1e-12
    wanted = torch.where(chances >= least, chances, 0)
    counts = torch.bincount(chosen(logits, 40_000, temperature, top_p), minlength=8)
    assert (counts[wanted == 0] == 0).all()
    some = wanted > 0
    if kept > 1:
        expected = (wanted / wanted.sum())[some] * 40_000
        assert chisquare(counts[some].numpy(), expected.numpy()).pvalue > 1e-3


@given(
    st.lists(st.floats(-8, 8, width=16), min_size=1, max_size=200),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 4000),
    st.sampled_from([0.2, 0.8, 1.0, 5.0]),
    st.sampled_from([0.05, 0.5, 0.95, 1.0]),
)
@settings(max_examples=200, deadline=None)
def test_a_choice_is_that_of_the_plain_rule(
    logits: list[float], key: int, step: int, temperature: float, top_p: float
) -> None:
    found = choose(torch.tensor([logits]), torch.tensor([key]), torch.tensor([step]), temperature, top_p).item()
    try:
        wanted = plain_choice(logits, key, step, temperature, top_p)
    except ValueError:  # no chance is above 0
        return
    if found != wanted:  # only where the border of the nucleus is a matter of rounding
        near = [plain_choice(logits, key, step, temperature, p) for p in (top_p - 1e-12, top_p + 1e-12)]
        assert found in near


@pytest.mark.parametrize("vocabulary", [50, 64, 65, 1024, 5000])
@pytest.mark.parametrize("spread", [0.0, 0.1, 3.0])
def test_how_many_tokens_are_looked_at_does_not_matter(
    vocabulary: int, spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = spread * torch.randn(40, vocabulary, generator=torch.Generator().manual_seed(1))
    logits = logits.bfloat16()  # so that many are equal
    given = (torch.arange(40), torch.arange(40), 0.8, 0.95)
    found = choose(logits, *given)
    monkeypatch.setattr("edittool.editing.sampling.luck._CANDIDATES", vocabulary)
    assert torch.equal(found, choose(logits, *given))


def test_a_row_does_not_depend_on_those_beside_it() -> None:
    logits = torch.randn(30, 3000, generator=torch.Generator().manual_seed(2)) * torch.arange(30)[:, None] / 5
    keys, steps = torch.arange(30) * 977, torch.arange(30) % 7
    together = choose(logits, keys, steps, 0.8, 0.95)
    alone = [choose(logits[n : n + 1], keys[n : n + 1], steps[n : n + 1], 0.8, 0.95).item() for n in range(30)]
    assert together.tolist() == alone


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_rows_that_are_no_numbers(temperature: float) -> None:
    logits = torch.tensor([[1.0, 2.0, 0.0], [torch.nan, 0, 0], [0, torch.inf, 0], [0, 0, 9.0], [-torch.inf, 1, 0]])
    keys = torch.arange(5)
    found = choose(logits, keys, keys, temperature, 0.9)
    assert found.tolist()[1:3] == [NO_TOKEN, NO_TOKEN]
    whole = [0, 3, 4]
    assert found[whole].tolist() == choose(logits[whole], keys[whole], keys[whole], temperature, 0.9).tolist()


def differing(scale: float, seed: int = 0) -> float:
    """Return the share of tokens in which two models differ whose logits differ by little."""
    source = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(4000, 1000, generator=source)
    other = logits + 0.007 * torch.randn(4000, 1000, generator=source)
    keys, steps = torch.arange(4000) // 50 * 7919, torch.arange(4000) % 50
    one, two = (choose(given, keys, steps, 0.8, 0.95) for given in (logits, other))
    return float((one != two).double().mean())


@pytest.mark.parametrize(("scale", "most"), [(2.0, 0.01), (6.0, 0.005)], ids=["flat", "peaked"])
def test_models_that_are_near_choose_the_same(scale: float, most: float) -> None:
    assert 0 < differing(scale) < most


def test_keys_differ() -> None:
    keys: set[Any] = {key_of(seed, f"t/{task}", index) for seed in range(3) for task in range(50) for index in range(5)}
    assert len(keys) == 750
