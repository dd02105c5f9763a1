import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.tokenizers import (
    CODE,
    check_texts,
    fit_tokenizer,
    load_tokenizer,
    losses,
    reader_of,
)
from edittool.schemas.errors import InputError

from ..conftest import make_model
from ..tokenizer_kinds import DEEPSEEK_BOS, KINDS, code_llama, llama_3, qwen_2

# Real tokenizers: what the folder is called, and the kind of ours that stands beside it.
REAL = {"deepseek": "deepseek", "llama-3": "llama_3", "qwen2.5-coder-0.5b": "qwen_2"}
OPENED = {"code_llama": "<s>", "llama_3": "<|begin_of_text|>", "deepseek": DEEPSEEK_BOS}


def bench_texts() -> list[str]:
    problems = load_builtin().problems.values()
    return [text for problem in problems for text in (problem.prompt, problem.solution, problem.updated_solution or "")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("kinds")

    def folder(kind: str) -> Path:
        if not (root / kind).is_dir():
            KINDS[kind](root / kind)
        return root / kind

    return folder


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@functools.cache
def rules_of(folder: Path) -> Any:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def ids_of_file(folder: Path, text: str) -> list[int]:
    ids: list[int] = rules_of(folder).encode(text, add_special_tokens=False).ids
    return ids


def test_every_kind_gives_texts_back(kind: str, folders: Callable[[str], Path]) -> None:
    tokenizer = load_tokenizer("m", str(folders(kind)))
    assert [loss.in_words() for loss in losses(tokenizer, [*CODE, *bench_texts()])] == []


def test_every_kind_has_the_tokens_of_its_file(kind: str, folders: Callable[[str], Path]) -> None:
    tokenizer = load_tokenizer("m", str(folders(kind)))
    opening = [tokenizer.convert_tokens_to_ids(OPENED[kind])] if kind in OPENED else []
    for text in (*CODE, *bench_texts()):
        assert tokenizer(text)["input_ids"] == opening + ids_of_file(folders(kind), text)


@functools.cache
def loaded(folder: Path) -> Any:
    return load_tokenizer("m", str(folder))


TEXT = st.text(st.sampled_from("ab1 \t\n\r_(')\"#.,!?:é漢🙂▁"), max_size=30)


@given(text=TEXT)
def test_any_text_comes_back(text: str, folders: Callable[[str], Path]) -> None:
    for name in ("llama_3", "deepseek", "qwen_2"):  # SentencePiece has no ▁ of its own in a text
        assert not [*losses(loaded(folders(name)), [text])]
    for name in ("code_qwen", "code_llama"):
        assert not [*losses(loaded(folders(name)), [text.replace("▁", "")])]


def test_a_class_that_loses_spaces_is_left_for_one_that_does_not(folders: Callable[[str], Path]) -> None:
    folder, told = folders("code_qwen"), list[str]()
    picked = AutoTokenizer.from_pretrained(folder)
    assert [*losses(picked, CODE)], "transformers reads this kind right: this test holds nothing any more"
    tokenizer = load_tokenizer("m", str(folder), told.append)
    assert reader_of(tokenizer) == "PreTrainedTokenizerFast"
    (text,) = told
    assert text.startswith("m: read by Qwen2Tokenizer, ")
    assert "comes back as 'deff(x)" in text
    assert text.endswith("read by PreTrainedTokenizerFast instead")
    assert tokenizer.eos_token == "<|endoftext|>"
    assert tokenizer.pad_token is None


@pytest.mark.parametrize("kind", ["llama_3", "qwen_2"])
def test_nothing_is_said_where_the_class_that_was_picked_is_right(kind: str, folders: Callable[[str], Path]) -> None:
    told: list[str] = []
    tokenizer = load_tokenizer("m", str(folders(kind)), told.append)
    assert type(tokenizer) is type(AutoTokenizer.from_pretrained(folders(kind)))
    assert told == []


def test_a_plain_reading_is_not_left_for_the_class_that_the_files_name(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers 5.0 reads CodeLlama's tokenizer.json plainly; its class loses the space that a text begins with."""
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", PreTrainedTokenizerFast.from_pretrained)
    told: list[str] = []
    assert reader_of(load_tokenizer("m", str(folders("code_llama")), told.append)) == "PreTrainedTokenizerFast"
    assert told == []


def split_digits(folder: Path) -> None:
    """Let tokenizer.json part digits, as StarCoder2's does: GPT-2's class does not."""
    qwen_2(folder)
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    }
    rules["model"]["vocab"]["12"] = len(rules["model"]["vocab"])
    rules["model"]["merges"].append(["1", "2"])
    (folder / "tokenizer.json").write_text(json.dumps(rules))
    (folder / "config.json").write_text('{"model_type": "starcoder2"}')
    about = {"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def test_a_class_that_gives_texts_back_by_other_tokens(tmp_path: Path) -> None:
    split_digits(tmp_path)
    told: list[str] = []
    tokenizer = load_tokenizer("m", str(tmp_path), told.append)
    for text in CODE:
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == ids_of_file(tmp_path, text)
    assert [text for text in told if "becomes other tokens than by its tokenizer.json" in text]


def test_the_class_that_the_files_name(tmp_path: Path) -> None:
    """A tokenizer.json that loses spaces, and a class that is not picked and does not need it."""
    qwen_2(tmp_path)
    rules = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "vocab.json").write_text(json.dumps(rules["model"]["vocab"]))
    merges = [" ".join(merge) for merge in rules["model"]["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    rules["decoder"] = {"type": "Replace", "pattern": {"String": "\u0120"}, "content": ""}
    (tmp_path / "tokenizer.json").write_text(json.dumps(rules))
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    tokenizer = load_tokenizer("m", str(tmp_path))
    assert [*losses(tokenizer, CODE)] == []
    assert reader_of(tokenizer) != "PreTrainedTokenizerFast"


def test_no_class_gives_texts_back(tmp_path: Path) -> None:
    llama_3(tmp_path)
    rules = json.loads((tmp_path / "tokenizer.json").read_text())
    rules["decoder"] = {"type": "WordPiece", "prefix": "##", "cleanup": True}
    (tmp_path / "tokenizer.json").write_text(json.dumps(rules))
    with pytest.raises(InputError, match=r"of m does not give texts back: read by .*comes back as .*nothing is edited"):
        load_tokenizer("m", str(tmp_path))


def test_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "Qwen2Tokenizer"}')
    with pytest.raises(InputError, match=r"m has no tokenizer \(tokenizer\.json, .*Copy the tokenizer's files"):
        load_tokenizer("m", str(tmp_path))


@pytest.mark.parametrize("name", REAL)
def test_real_tokenizers(name: str, folders: Callable[[str], Path]) -> None:
    roots = [Path(os.environ[name]) for name in ("EDITTOOL_TOKENIZERS", "EDITTOOL_MODELS") if name in os.environ]
    found = next((root / name for root in roots if (root / name / "tokenizer.json").is_file()), None)
    if found is None:
        pytest.skip(f"no {name}/tokenizer.json in EDITTOOL_TOKENIZERS or EDITTOOL_MODELS: the kind is tested, not it")
    tokenizer = load_tokenizer(name, str(found))
    assert [loss.in_words() for loss in losses(tokenizer, [*CODE, *bench_texts()])] == []
    for text in CODE:
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == ids_of_file(found, text)


def outline(rows: int) -> Any:
    with torch.device("meta"):
        return make_model("llama", vocab_size=rows, layers=1)


def fitted(folder: Path, rows: int = 1000) -> tuple[Any, list[str]]:
    told: list[str] = []
    tokenizer = load_tokenizer("m", str(folder), told.append)
    told.clear()
    fit_tokenizer("m", tokenizer, outline(rows), told.append)
    return tokenizer, told


def test_no_eos_stands_after_a_prompt(tmp_path: Path) -> None:
    code_llama(tmp_path, after="</s>")
    ids = load_tokenizer("m", str(tmp_path))(CODE[0])["input_ids"]
    assert ids[-1] == 2, "the case holds nothing: no EOS stands there"
    tokenizer, told = fitted(tmp_path)
    assert tokenizer(CODE[0])["input_ids"] == ids[:-1]
    assert told == ["m: the tokenizer puts </s> after every text; that is left out, for programs go on from prompts"]


def test_bos_where_a_class_alone_has_it(folders: Callable[[str], Path]) -> None:
    told: list[str] = []
    tokenizer = load_tokenizer("m", str(folders("deepseek")), told.append)
    assert tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id
    assert told == [f"m: {DEEPSEEK_BOS} is put before texts, as its tokenizer_config.json has it"]


def test_padding_without_an_embedding(tmp_path: Path) -> None:
    code_llama(tmp_path)
    rows = max(Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab().values()) + 1
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    about = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(about | {"pad_token": "[PAD]"}))
    tokenizer, told = fitted(tmp_path, rows)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("</s>", 2)
    assert told == ["m: the model has no embedding of '[PAD]'; '</s>' pads, and is masked"]


def test_padding_that_is_not_named(tmp_path: Path) -> None:
    code_llama(tmp_path)
    tokenizer, told = fitted(tmp_path)
    assert (tokenizer.pad_token, told) == ("</s>", [])


def test_a_vocabulary_that_is_larger_than_the_embeddings(tmp_path: Path) -> None:
    code_llama(tmp_path)
    rows = len(Tokenizer.from_file(str(tmp_path / "tokenizer.json")).get_vocab())
    with pytest.raises(
        InputError, match=rf"of m does not fit the model: 3 of its tokens, the first .* has {rows - 3}\."
    ):
        fitted(tmp_path, rows - 3)
    fitted(tmp_path, rows)


def test_a_tokenizer_without_eos_is_told(tmp_path: Path) -> None:
    llama_3(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    _, told = fitted(tmp_path)
    assert told == ["m: the tokenizer has no token that ends a text: programs end where they are cut, or at the limit"]


class TestTextsOfARun:
    @pytest.fixture
    def tokenizer(self, tmp_path: Path) -> Any:
        qwen_2(tmp_path)
        return fitted(tmp_path)[0]

    def test_that_come_back(self, tokenizer: Any) -> None:
        assert check_texts(tokenizer, outline(1000), [("The prompt of t/1", text) for text in CODE]) == []

    @pytest.mark.parametrize(
        ("text", "note"),
        [
            ("x = 'e\u0301'", "comes back in another Unicode form"),
            ("x = '<|endoftext|>'", "holds '<|endoftext|>', a special token of this tokenizer"),
        ],
    )
    def test_that_are_changed_a_little(self, tokenizer: Any, text: str, note: str) -> None:
        texts = [("The prompt of t/1", text), ("The prompt of t/2", "x"), ("The prompt of t/3", text)]
        assert check_texts(tokenizer, outline(1000), texts) == [f"The prompt of t/1 and 1 more: the text {note}"]

    def test_that_do_not_come_back(self, tmp_path: Path) -> None:
        llama_3(tmp_path)
        rules = json.loads((tmp_path / "tokenizer.json").read_text())
        rules["normalizer"] = {"type": "Replace", "pattern": {"String": "§"}, "content": ""}
        (tmp_path / "tokenizer.json").write_text(json.dumps(rules))
        tokenizer = load_tokenizer("m", str(tmp_path))
        with pytest.raises(InputError, match=r"The prompt of t/1 does not come back .*'# § 1' comes back as '#  1'"):
            check_texts(tokenizer, outline(1000), [("The prompt of t/1", "# § 1")])

    def test_with_a_token_that_has_no_embedding(self, tokenizer: Any) -> None:
        tokenizer.add_tokens(["<extra>"], special_tokens=True)
        with pytest.raises(InputError, match=rf"t/1 holds '<extra>', token {len(tokenizer) - 1}, and the model has"):
            check_texts(tokenizer, outline(len(tokenizer) - 1), [("t/1", "<extra>")])

    def test_that_an_eos_is_put_after(self, tmp_path: Path) -> None:
        code_llama(tmp_path / "llama", after="</s>")
        tokenizer = load_tokenizer("m", str(tmp_path / "llama"))
        with pytest.raises(InputError, match=r"t/1: the tokenizer puts </s> after it.*load_model"):
            check_texts(tokenizer, outline(1000), [("t/1", "x")])
