"""The batch that is filled again writes what each text would get alone, in as few passes as there is work for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from edittool.editing.context import EditContext
from edittool.editing.methods.grace import GraceHparams, teach_grace
from edittool.editing.requests import EditRequest
from edittool.editing.sampling.luck import NO_TOKEN, choose
from edittool.editing.sampling.rows import can_refill
from edittool.editing.sampling.texts import Choosing, Tally
from edittool.editing.sampling.writing import write

from ..conftest import FAMILY_NAMES, SMALL, make_model

FAMILIES_OF_CACHES: dict[str, Any] = {
    "windows": (transformers.MistralForCausalLM, transformers.MistralConfig, {"sliding_window": 8}),
    "some windows": (
        transformers.Gemma3ForCausalLM,
        transformers.Gemma3TextConfig,
        {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"], "head_dim": 8},
    ),
}


@dataclass(eq=False)
class Asked:
    """A text that ends after `length` tokens."""

    prompt_ids: list[int]
    length: int
    key: int = 0
    guess: list[int] = field(default_factory=list)
    new_ids: list[int] = field(default_factory=list)
    done: bool = False

    def take(self, token: int) -> None:
        assert not self.done
        self.new_ids.append(token)
        self.done = len(self.new_ids) == self.length or token == NO_TOKEN

    def draft(self) -> list[int]:
        return self.guess


def asked(lengths: Sequence[int], seed: int = 0) -> list[Asked]:
    """Return texts of these lengths after prompts of various lengths, some of which are equal."""
    source = torch.Generator().manual_seed(seed)
    prompts = [
        torch.randint(3, 300, (int(size),), generator=source).tolist()
        for size in torch.randint(1, 40, (len(lengths) // 2 + 1,), generator=source)
    ]
    return [Asked(prompts[n // 2], length, key=seed * 1000 + n) for n, length in enumerate(lengths)]


@torch.no_grad()
def alone(model: Any, text: Asked, choosing: Choosing) -> list[int]:
    """Return the tokens of a text in a batch of its own: with transformers' own cache and nothing to pad."""
    ids, cache, found = torch.tensor([text.prompt_ids]), transformers.DynamicCache(config=model.config), list[int]()
    while len(found) < text.length:
        logits = model(input_ids=ids, past_key_values=cache, use_cache=True).logits[:, -1]
        place = torch.tensor([text.key]), torch.tensor([len(found)])
        found.append(int(choose(logits, *place, choosing.temperature, choosing.top_p)))
        ids = torch.tensor([found[-1:]])
    return found


def written(model: Any, texts: Sequence[Asked], size: int, choosing: Choosing, tally: Tally | None = None) -> Any:
    for _ in write(model, texts, size, choosing, 2, tally):
        pass
    assert all(text.done for text in texts)
    return [text.new_ids for text in texts]


RADII = {"llama": 13.0, "qwen2": 10.0, "gpt2": 11.0}  # so that one place in twenty is within
LENGTHS = [1, 30, 2, 5, 17, 3, 3, 1, 60, 4, 9, 12, 2, 2, 25, 1]


def edited(family: str, grace: bool) -> Any:
    model = make_model(family)
    if grace:
        layer = "transformer.h.1.mlp.c_proj" if family == "gpt2" else "model.layers[1].mlp.down_proj"
        hparams = GraceHparams([layer], edit_lr=1.0, n_iter=2, eps=RADII[family])
        teach_grace(model, _Letters(), [EditRequest("abcd", "d", "efg")], hparams, EditContext())
    return model


class _Letters:
    """A tokenizer, as far as teaching asks for one: a token for each letter."""

    pad_token_id, eos_token_id, bos_token_id = 2, 1, 0

    def __call__(self, text: str, **options: Any) -> Any:
        return {"input_ids": [3 + ord(letter) % 250 for letter in text]}


@pytest.mark.parametrize("temperature", [0, 0.8])
@pytest.mark.parametrize("grace", [False, True], ids=["plain", "grace"])
@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_each_text_gets_what_it_gets_alone(family: str, grace: bool, temperature: float) -> None:
    model, choosing = edited(family, grace), Choosing(temperature, 0.95)
    wanted = [alone(model, text, choosing) for text in asked(LENGTHS)]
    assert len({tuple(tokens) for tokens in wanted}) > 10
    for size in (1, 4, 16):
        assert written(model, asked(LENGTHS), size, choosing) == wanted


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_the_codebook_of_these_tests_is_hit_in_some_texts(family: str) -> None:
    """Otherwise the tests here would say nothing of GRACE."""
    plain, grace = edited(family, False), edited(family, True)
    choosing = Choosing(0, 1)
    differ = [alone(plain, text, choosing) != alone(grace, text, choosing) for text in asked(LENGTHS)]
    assert any(differ)
    assert not all(differ)


@pytest.mark.parametrize("kind", FAMILIES_OF_CACHES)
def test_a_model_that_forgets_is_not_refilled_and_writes_the_same(kind: str) -> None:
    cls, config, more = FAMILIES_OF_CACHES[kind]
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2}
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = cls(config(**SMALL, **sizes, **more, num_hidden_layers=2, max_position_embeddings=256)).eval()
    choosing = Choosing(0.8, 0.95)
    assert not can_refill(model)
    assert written(model, asked(LENGTHS), 4, choosing) == [alone(model, text, choosing) for text in asked(LENGTHS)]


def counted(model: Any) -> list[int]:
    """Return a list that grows with each pass through `model`: the rows in it."""
    passes: list[int] = []
    model.register_forward_pre_hook(
        lambda module, args, given: passes.append(given["input_ids"].shape[0]), with_kwargs=True
    )
    return passes


def test_a_batch_stays_full(llama: Any) -> None:
    passes, tally = counted(llama), Tally()
    lengths = [7, 3, 50, 4, 4, 9, 21, 2, 30, 8, 6, 5] * 6
    texts = asked(lengths)
    written(llama, texts, 8, Choosing(0.8, 0.95), tally)
    assert tally.passes == len(passes)
    reading = len(lengths) // 8
    work = sum(length - 1 for length in lengths)  # the first token comes with the prompt
    assert len(passes) - reading <= work / 8 + max(lengths)
    assert max(passes) == 8
    fixed = sum(max(lengths[n : n + 8]) for n in range(0, len(lengths), 8))
    assert len(passes) < 0.7 * fixed


def test_equal_prompts_are_read_once(llama: Any) -> None:
    passes = counted(llama)
    texts = [Asked([5, 6, 7], 2, key) for key in range(6)]
    written(llama, texts, 6, Choosing(0.8, 0.95))
    assert passes == [1, 6]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=14), st.integers(1, 5), st.data())
@settings(max_examples=15, deadline=None)
def test_any_lengths_any_batch_any_drafts(lengths: list[int], size: int, data: Any) -> None:
    model, choosing = make_model("llama", layers=1), Choosing(0.8, 0.95)
    wanted = written(model, asked(lengths), len(lengths), choosing)
    texts = asked(lengths)
    for text, tokens in zip(texts, wanted, strict=True):
        right = data.draw(st.integers(0, len(tokens)))
        text.guess = tokens[:right] + data.draw(st.lists(st.integers(3, 299), max_size=3))
        del text.guess[text.length :]
    assert written(model, texts, size, choosing) == wanted


class Broken(Asked):
    """A text that goes on with a token whose embedding is no number, whatever the model says."""

    def take(self, token: int) -> None:
        super().take(7)


def test_a_text_that_is_no_numbers_leaves_nothing_to_the_next(llama: Any) -> None:
    with torch.no_grad():
        llama.get_input_embeddings().weight[7] = torch.nan
        llama.get_output_embeddings().weight[7] = llama.get_output_embeddings().weight[6]  # so 6 is chosen
    good = asked([9, 3, 5, 4, 8, 2, 6])
    for text in good:
        text.prompt_ids = [token if token != 7 else 8 for token in text.prompt_ids[:3]]
    wanted = [alone(llama, text, Choosing(0, 1)) for text in good]
    bad = [Broken([9, 8, 9] * 12, 12) for _ in range(3)]
    assert written(llama, [*bad, *good], 3, Choosing(0, 1))[3:] == wanted


class TestDrafts:
    @pytest.mark.parametrize("temperature", [0, 0.8])
    @pytest.mark.parametrize("grace", [False, True], ids=["plain", "grace"])
    @pytest.mark.parametrize("family", FAMILY_NAMES)
    def test_change_nothing(self, family: str, grace: bool, temperature: float) -> None:
        """Those of the unedited model, whole, cut short, and too long; in a batch with texts that have none."""
        model, choosing = edited(family, grace), Choosing(temperature, 0.95)
        guesses = [alone(edited(family, False), text, choosing) for text in asked(LENGTHS)]
        wanted = [alone(model, text, choosing) for text in asked(LENGTHS)]
        texts, tally = asked(LENGTHS), Tally()
        for number, (text, guess) in enumerate(zip(texts, guesses, strict=True)):
            text.guess = [guess, guess[:5], [], guess[:-1]][number % 4]
        assert written(model, texts, 5, choosing, tally) == wanted
        right = sum(len(_common(text.guess, tokens)) for text, tokens in zip(texts, wanted, strict=True))
        assert (tally.drafted, tally.accepted) == (sum(len(text.guess) for text in texts), right)
        assert (right == tally.drafted) == (not grace)

    def test_that_are_right_save_passes(self, llama: Any) -> None:
        choosing = Choosing(0.8, 0.95)
        wanted = written(llama, asked(LENGTHS), 4, choosing)
        texts, passes = asked(LENGTHS), counted(llama)
        for text, guess in zip(texts, wanted, strict=True):
            text.guess = guess
        assert written(llama, texts, 4, choosing) == wanted
        assert len(passes) == 2 * 4  # the prompts, then the drafts

    def test_are_read_in_parts_where_their_logits_are_many(self, llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("edittool.editing.sampling.reader._LOGITS", 300 * 60)
        choosing = Choosing(0.8, 0.95)
        wanted = written(llama, asked(LENGTHS), 4, choosing)
        texts, passes = asked(LENGTHS), counted(llama)
        for text, guess in zip(texts, wanted, strict=True):
            text.guess = guess
        assert written(llama, texts, 16, choosing) == wanted
        assert len(passes) > 10


def _common(one: Sequence[int], other: Sequence[int]) -> list[int]:
    end = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return list(one[:end])
