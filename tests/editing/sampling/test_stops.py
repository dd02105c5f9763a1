import os
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, GenerationConfig, PreTrainedTokenizerFast

from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.sampling.stops import Stops, find_stops

from ..conftest import make_model

TEXTS = ["def f(x):\n    return x\n", "</s> and <|end|> and <file_sep> in the text of a program"] * 3
BAR, LOW = "\uff5c", "\u2581"


def trained(*added: str, eos: str | None = None, plain: Collection[str] = ()) -> Any:
    """Return a byte-level tokenizer trained on TEXTS; of `added`, those in `plain` are not marked as special."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "removed") if eos is None else pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet))
    tokens = [AddedToken(name, special=name not in plain, normalized=False) for name in added]
    tokenizer.add_tokens([token for token in tokens if not token.special])
    tokenizer.add_special_tokens([token for token in tokens if token.special])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **({} if eos is None else {"eos_token": eos}))


def stops_of(tokenizer: Any, *eos: str) -> Stops:
    ids = tokenizer.convert_tokens_to_ids(list(eos))
    return find_stops(GenerationConfig(eos_token_id=ids or None), tokenizer)


QWEN = "<|endoftext|> <|im_start|> <|im_end|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|repo_name|>"
STARCODER2 = "<|endoftext|> <fim_prefix> <fim_middle> <fim_suffix> <fim_pad> <repo_name> <file_sep> <jupyter_start>"
LLAMA3 = "<|end_of_text|> <|start_header_id|> <|eot_id|> <|eom_id|>"
CODELLAMA = f"</s> {LOW}<PRE> {LOW}<MID> {LOW}<SUF> {LOW}<EOT>"
SENTENCE_END = f"<{BAR}end{LOW}of{LOW}sentence{BAR}>"
DEEPSEEK = f"{SENTENCE_END} <|EOT|> <{BAR}fim{LOW}begin{BAR}> <{BAR}fim{LOW}hole{BAR}> <{BAR}fim{LOW}end{BAR}>"
SMOLLM2 = "<|endoftext|> <|im_start|> <|im_end|> <repo_name> <file_sep> <filename> <issue_comment> <jupyter_output>"
# By kind: the added tokens that are stops, those that are none, and the end of text.
KINDS = {
    "qwen2.5": (f"{QWEN} <|file_sep|>", "<|object_ref_start|> <tool_call>", "<|endoftext|>"),
    "starcoder2": (STARCODER2, "<gh_dummy>", "<|endoftext|>"),
    "llama3": (LLAMA3, "<|begin_of_text|> <|reserved_special_token_0|>", "<|end_of_text|>"),
    "codellama": (CODELLAMA, "<s> <unk>", "</s>"),
    "deepseek": (DEEPSEEK, f"<{BAR}begin{LOW}of{LOW}sentence{BAR}>", SENTENCE_END),
    "phi3": ("<|endoftext|> <|end|> <|user|> <|assistant|>", "<|placeholder1|>", "<|endoftext|>"),
    "harmony": ("<|endoftext|> <|return|>", "<|channel|> <|end|> <|start|> <|message|>", "<|endoftext|>"),
    "smollm2": (SMOLLM2, "<pad>", "<|im_end|>"),
}


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_special_token_that_no_program_goes_on_after_is_a_stop(kind: str, special: bool) -> None:
    wanted, others, eos = KINDS[kind]
    tokenizer = trained(
        *others.split(), *wanted.split(), eos=eos, plain=() if special else [*wanted.split(), *others.split()]
    )
    found = stops_of(tokenizer)
    assert set(found.names) == set(wanted.split())
    assert found.ids == set(tokenizer.convert_tokens_to_ids(wanted.split()))
    assert found.text == ()


def test_the_generation_config_may_declare_several_ends_with_names_of_their_own() -> None:
    tokenizer = trained("<my_end>", "<|reserved_7|>", "<pad>", eos="</s>")
    assert set(stops_of(tokenizer, "<my_end>", "<|reserved_7|>").names) == {"</s>", "<my_end>", "<|reserved_7|>"}
    number = tokenizer.convert_tokens_to_ids("<my_end>")
    assert set(find_stops(GenerationConfig(eos_token_id=number), tokenizer).names) == {"</s>", "<my_end>"}


def test_ordinary_text_is_never_a_stop() -> None:
    tokenizer = trained("  ", plain=["  "])
    words = ["</s>", "<|end|>", "<file_sep>"]
    ids = tokenizer.convert_tokens_to_ids(words)
    assert None not in ids
    assert not tokenizer.added_tokens_decoder.keys() & set(ids)
    assert stops_of(tokenizer) == Stops(frozenset(), ())
    found = stops_of(tokenizer, "return", "  ")
    assert (found.ids, set(found.text)) == (set(), {"return", "  "})


def test_an_end_that_is_declared_and_has_the_name_of_one_need_not_be_marked() -> None:
    tokenizer = trained()
    found = stops_of(tokenizer, "</s>")
    assert (found.names, found.text) == (("</s>",), ())
    assert "</s>" not in tokenizer.added_tokens_encoder


def test_an_end_beyond_the_tokenizers_vocabulary_is_one() -> None:
    tokenizer = trained(eos="</s>")
    found = find_stops(GenerationConfig(eos_token_id=[len(tokenizer) + 5]), tokenizer)
    assert len(tokenizer) + 5 in found.ids
    assert f"token {len(tokenizer) + 5}" in found.names


@pytest.mark.parametrize("special", [True, False])
def test_a_stop_ends_a_sample(tokenizer: Any, special: bool) -> None:
    draw = Draw("t", 'def f(x):\n    """', 0, "f")
    greedy = Sampling(n=1, temperature=0, max_new_tokens=12)
    written = make_model("llama", vocab_size=len(tokenizer) + 1)
    with torch.no_grad():
        ((_, whole),) = next(sample(written, tokenizer, [draw], greedy))
        ids = written.generate(
            torch.tensor([tokenizer(draw.prompt)["input_ids"]]), max_new_tokens=3, do_sample=False, eos_token_id=None
        )[0, -3:]
        other = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
        other.add_tokens([AddedToken("<|file_sep|>", special=special, normalized=False)])
        third, stop = int(ids[2]), other.convert_tokens_to_ids("<|file_sep|>")
        assert third not in ids[:2].tolist()
        written.lm_head.weight[stop] = written.lm_head.weight[third] * 1.01
        ((_, ended),) = next(sample(written, other, [draw], greedy))
    assert ended == tokenizer.decode(ids[:2])
    assert whole.startswith(ended)
    assert len(whole) > len(ended)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("qwen2.5-coder-0.5b", f"{QWEN} <|file_sep|>"),
        ("smollm2-135m", SMOLLM2),
    ],
)
def test_real_tokenizers(name: str, wanted: str) -> None:
    folder = Path(os.environ.get("EDITTOOL_MODELS", "")) / name
    if not (folder / "tokenizer_config.json").is_file():
        pytest.skip(f"no model {name}: EDITTOOL_MODELS names a folder of models, and {folder} is none")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = find_stops(SimpleNamespace(eos_token_id=None), tokenizer)
    assert set(found.names) >= set(wanted.split())
    assert all(len(tokenizer(stop)["input_ids"]) == 1 for stop in found.names)
