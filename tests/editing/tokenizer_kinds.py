"""Tokenizers of the kinds that code models have, trained on a little code, in the files that those models come with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from edittool.editing.model.tokenizers import CODE

VOCABULARY = 500
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]  # SentencePiece's words for what is in no other word
CORPUS = [text for text in CODE for _ in range(4)]

LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")
DEEPSEEK_BOS = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"
DEEPSEEK = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"[一-龥ࠀ-一가-퟿]+")


def code_qwen(folder: Path, texts: list[str] = CORPUS) -> None:
    """CodeQwen1.5: SentencePiece in a `PreTrainedTokenizerFast`, no BOS, nothing put before a text; a `qwen2` model."""
    tokenizer = _sentence_piece(texts, ["<unk>", "<|endoftext|>"], prefix=False)
    _save(tokenizer, folder, "qwen2", "PreTrainedTokenizerFast", eos_token="<|endoftext|>", unk_token="<unk>")


def code_llama(folder: Path, texts: list[str] = CORPUS, *, after: str | None = None) -> None:
    """CodeLlama: SentencePiece with a space put before every text, and BOS; `after` is put after every text."""
    tokenizer = _sentence_piece(texts, ["<unk>", "<s>", "</s>"], prefix=True)
    tokenizer.post_processor = _within("<s>", tokenizer, after)
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    _save(tokenizer, folder, "llama", "CodeLlamaTokenizer", **tokens, add_bos_token=True)


def llama_3(folder: Path) -> None:
    """Llama 3: bytes, digits in threes, and BOS."""
    opening, ending = "<|begin_of_text|>", "<|end_of_text|>"
    tokenizer = _byte_level([opening, ending], [pre_tokenizers.Split(Regex(LLAMA_3), "isolated")])
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), _within(opening, tokenizer)]
    )
    _save(tokenizer, folder, "llama", "PreTrainedTokenizerFast", bos_token=opening, eos_token=ending)


def deepseek(folder: Path) -> None:
    """DeepSeek-Coder: bytes, digits one by one, BOS by its class alone, which is said to be Llama's."""
    opening, ending = DEEPSEEK_BOS, DEEPSEEK_BOS.replace("begin", "end")
    parts = [pre_tokenizers.Split(Regex(part), "isolated") for part in DEEPSEEK]
    tokenizer = _byte_level([opening, ending], [*parts, pre_tokenizers.Digits(individual_digits=True)])
    tokens = {"bos_token": opening, "eos_token": ending, "pad_token": ending}
    _save(tokenizer, folder, "llama", "LlamaTokenizerFast", **tokens, add_bos_token=True, add_eos_token=False)


def qwen_2(folder: Path) -> None:
    """Qwen2.5: bytes, composed Unicode, digits one by one, no BOS."""
    tokenizer = _byte_level(["<|endoftext|>"], [pre_tokenizers.Split(Regex(QWEN_2), "isolated")])
    tokenizer.normalizer = normalizers.NFC()
    _save(tokenizer, folder, "qwen2", "Qwen2Tokenizer", eos_token="<|endoftext|>", pad_token="<|endoftext|>")


KINDS: dict[str, Callable[[Path], None]] = {
    "code_qwen": code_qwen,
    "code_llama": code_llama,
    "llama_3": llama_3,
    "deepseek": deepseek,
    "qwen_2": qwen_2,
}


def _sentence_piece(texts: list[str], special: list[str], *, prefix: bool) -> Tokenizer:
    """Return a BPE tokenizer as SentencePiece makes them: spaces are ▁, what is in no word becomes bytes."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, show_progress=False)
    trained.train_from_iterator([line for text in texts for line in text.splitlines()], trainer)
    model = json.loads(trained.to_str())["model"]
    words = [*special, *BYTES, *model["vocab"]]
    vocabulary = {word: number for number, word in enumerate(words)}
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    spaces = [normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), *spaces] if prefix else spaces)
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    tokenizer.decoder = decoders.Sequence([*parts, decoders.Strip(" ", 1, 0)] if prefix else parts)
    tokenizer.add_special_tokens([AddedToken(word, normalized=False, special=True) for word in special])
    return tokenizer


def _byte_level(special: list[str], splits: list[Any]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def _within(before: str, tokenizer: Tokenizer, after: str | None = None) -> Any:
    tokens = [before, after] if after else [before]
    special = [(token, tokenizer.token_to_id(token)) for token in tokens]
    return processors.TemplateProcessing(single=[before, "$A", *tokens[1:]], special_tokens=special)


def _save(tokenizer: Tokenizer, folder: Path, model_type: str, named: str, **settings: Any) -> None:
    """Write the files of the tokenizer, whose class is `named` there, and a config.json of that type beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    make: Any = PreTrainedTokenizerFast  # untyped
    make(tokenizer_object=tokenizer, **settings).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = settings | {"tokenizer_class": named, "clean_up_tokenization_spaces": False, "model_max_length": 4096}
    (folder / "tokenizer_config.json").write_text(json.dumps(about), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), encoding="utf-8")
