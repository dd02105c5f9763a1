from typing import Any

import pytest
import torch

from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.schemas.errors import InputError

# Each leaves a docstring open, so that whatever a random model writes is kept.
PROMPTS = ['def f(x):\n    """', 'def longer(values, more):\n    """Text, and more', 'def g():\n    """Say']
DRAWS = [Draw(f"t/{i}", prompt, index, "f") for i, prompt in enumerate(PROMPTS) for index in range(3)]


def run(model: Any, tokenizer: Any, draws: list[Draw], **options: Any) -> dict[Draw, str]:
    sampling = Sampling(**{"n": 3, "temperature": 0.5, "max_new_tokens": 24, **options})
    return {draw: text for batch in sample(model, tokenizer, draws, sampling) for draw, text in batch}


def test_batches_and_order_do_not_matter(model: Any, tokenizer: Any) -> None:
    together = run(model, tokenizer, DRAWS, batch_size=9)
    assert len(set(together.values())) > 3
    assert run(model, tokenizer, DRAWS, batch_size=9) == together
    assert run(model, tokenizer, DRAWS[::-1], batch_size=2) == together
    assert run(model, tokenizer, DRAWS[4:5]) == {DRAWS[4]: together[DRAWS[4]]}


def test_the_seed_and_the_index_matter(llama: Any, tokenizer: Any) -> None:
    one = run(llama, tokenizer, DRAWS)
    assert run(llama, tokenizer, DRAWS, seed=1) != one
    assert one[DRAWS[0]] != one[DRAWS[1]]


def test_temperature_zero_takes_the_likeliest_token(model: Any, tokenizer: Any) -> None:
    draws = [Draw(str(i), prompt, 0, "f") for i, prompt in enumerate(PROMPTS)]
    texts = run(model, tokenizer, draws, n=1, temperature=0)
    for draw in draws:
        ids = tokenizer(draw.prompt)["input_ids"]
        start = len(ids)
        for _ in range(24):  # without a cache and without padding
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
            if ids[-1] == tokenizer.eos_token_id:
                break
        text = tokenizer.decode(ids[start:], skip_special_tokens=True)
        assert texts[draw] == text


def test_programs_come_in_the_order_of_the_draws(llama: Any, tokenizer: Any) -> None:
    sampling = Sampling(n=3, temperature=0.5, max_new_tokens=24, batch_size=2)
    parts = list(sample(llama, tokenizer, DRAWS, sampling))
    assert [draw for part in parts for draw, _ in part] == DRAWS
    assert len(parts) > 2


def test_nothing_to_draw(llama: Any, tokenizer: Any) -> None:
    assert list(sample(llama, tokenizer, [], Sampling())) == []


@pytest.mark.parametrize("temperature", [0, 0.8])
def test_a_model_that_computes_no_numbers_writes_nothing(llama: Any, tokenizer: Any, temperature: float) -> None:
    with torch.no_grad():
        llama.model.norm.weight.fill_(float("nan"))
    assert set(run(llama, tokenizer, DRAWS, n=1, temperature=temperature).values()) == {""}


def test_prompts_without_room(llama: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match=r"t/long has \d+ tokens"):
        run(llama, tokenizer, [Draw("t/long", "def f(x):\n" * 100, 0, "f")])


def test_the_context_ends_a_program(llama: Any, tokenizer: Any) -> None:
    prompt = "def f(" + "q" * 240
    used = len(tokenizer(prompt)["input_ids"])
    assert used < 256
    (text,) = run(llama, tokenizer, [Draw("t", prompt, 0, "f")], max_new_tokens=500).values()
    assert len(text) <= 20 * (256 - used)


@pytest.mark.parametrize(
    "bad", [{"n": 0}, {"temperature": -1.0}, {"top_p": 0.0}, {"temperature": 0, "n": 2}, {"batch_size": 0}]
)
def test_settings_without_meaning(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Sampling(**bad)
