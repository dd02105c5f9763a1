"""Tokenizers that give texts back: which class reads a model's files right, and what is held of it before an edit.

transformers picks a class by the model's type and the name in tokenizer_config.json. Some classes take the vocabulary
out of tokenizer.json and pass over the rest of it: CodeQwen1.5 (SentencePiece) read as `Qwen2Tokenizer` loses every
space, and nothing is said. So the class that was picked is held against texts, and against tokenizer.json read plainly.
"""

import contextlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import transformers
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.models.auto.tokenization_auto import get_tokenizer_config, tokenizer_class_from_name

from ...schemas.errors import InputError
from .sources import file_of

Tell = Callable[[str], None]

# What code is made of, and what tokenizers are known to lose: runs of spaces, tabs, line ends, spaces before
# punctuation, other scripts. All is in Unicode's composed form, which some tokenizers (Qwen's) bring text into.
CODE = (
    "def f(x):\n    if x  !=  1 :\n        return  x + 1\n\n\n    return None\n",
    "class A:\n\tdef g(self, *args, **kwargs):\n\t\tself.x = {'a': [1, 2.50, 0x1F], \"b\": r'\\d+'}\n",
    "x = 1234567  # it 's n't so , is it ? Yes ! ...   \ny=[i for i in range(10)if i%2]",
    'def h(s):\n    """Naïve café: Δ, 漢字, привет, 🙂.\n\n    >>> h(" a  b ")\n    \'a b\'\n    """\n',
    "one\r\ntwo\r\n",
    "    return math.sqrt(x)\n",  # a target by itself: the spaces that it begins with are Python's
)

# What a tokenizer is read from, by one class or another.
_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "tekken.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "qwen.tiktoken",
)


def load_tokenizer(name: str, source: str, tell: Tell = lambda text: None) -> Any:
    """Return the tokenizer of the model called `name` from `source`, a folder or a Hub id, read by a class that fits.

    That is the one that transformers picks, if `CODE` comes back from its tokens, and they are those that
    tokenizer.json, read plainly, gives, where that is there and gives texts back. Else it is that plain reading, else
    the class that tokenizer_config.json names, if they do; `tell` is told. Raises InputError where no class gives the
    texts back, or there are no files of a tokenizer.
    """
    if not any(file_of(source, file) for file in _FILES):
        raise InputError(
            f"{name} has no tokenizer ({', '.join(_FILES[:3])} ...). Copy the tokenizer's files of the same model "
            "beside the weights, or save them there with `tokenizer.save_pretrained`."
        )
    about: Mapping[str, Any] = get_tokenizer_config(source)
    tokenizer = _read(name, source, about, tell)
    _begin_with_bos(name, tokenizer, about, tell)
    return tokenizer


def _read(name: str, source: str, about: Mapping[str, Any], tell: Tell) -> Any:
    picked = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    lost = first_loss(picked, CODE)
    tried = [picked]
    for other in _others(source, about, type(picked)):
        if lost is None and type(other) is not PreTrainedTokenizerFast:
            break  # only the file itself says more than a class that loses nothing
        tried.append(other)
        if first_loss(other, CODE) is None:
            why = lost.in_words() if lost else _difference(picked, other)
            if why:
                tell(f"{name}: read by {reader_of(picked)}, {why}; read by {reader_of(other)} instead")
            return other if why else picked
    if lost is None:
        return picked
    raise InputError(
        f"The tokenizer of {name} does not give texts back: read by {' or '.join(map(reader_of, tried))}, "
        f"{lost.in_words()}. Prompts and programs would be others, so nothing is edited. Get the model's own "
        f"tokenizer.json, or use another version of transformers (this is {transformers.__version__})."
    )


def _others(source: str, about: Mapping[str, Any], picked: type) -> Iterator[Any]:
    """Yield the tokenizer read by other classes than `picked`, as far as they can: tokenizer.json plainly, its own."""
    own = str(about.get("tokenizer_class") or "")
    classes = [PreTrainedTokenizerFast] if file_of(source, "tokenizer.json") else []
    classes += [kind for kind in map(tokenizer_class_from_name, (own, own.removesuffix("Fast"))) if kind is not None]
    for kind in dict.fromkeys(classes):
        if kind is not picked:
            with contextlib.suppress(Exception):  # whatever a class raises at files that are not its own
                yield kind.from_pretrained(source, trust_remote_code=False)


def _difference(picked: Any, plain: Any) -> str | None:
    """Return in words where the tokens of `CODE` differ, special ones left out."""
    text = next((text for text in CODE if _inner(picked, text) != _inner(plain, text)), None)
    return None if text is None else f"{text[:40]!r} becomes other tokens than by its tokenizer.json"


def _begin_with_bos(name: str, tokenizer: Any, about: Mapping[str, Any], tell: Tell) -> None:
    """Put BOS before texts where tokenizer_config.json says so, and the class that did it is not the one that reads.

    DeepSeek's tokenizer.json does not have it: Llama's class put it there, in transformers 4.
    """
    by_class = "Llama" in str(about.get("tokenizer_class")) and about.get("add_bos_token") is True
    if by_class and tokenizer.bos_token_id is not None and not _around(tokenizer)[0]:
        _put_before(tokenizer, [tokenizer.bos_token_id])
        tell(f"{name}: {tokenizer.bos_token} is put before texts, as its tokenizer_config.json has it")


def _put_before(tokenizer: Any, special: list[int]) -> None:
    """Let these tokens stand before every text, and nothing behind it."""
    tokens = list(zip(tokenizer.convert_ids_to_tokens(special), special, strict=True))
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=[*(f"{token}:0" for token, _ in tokens), "$A:0"], special_tokens=tokens
    )


def _inner(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def reader_of(tokenizer: Any) -> str:
    """Return the name of the class that read the tokenizer, as rows of samples have it."""
    # transformers 5 has a new name for what reads tokenizer.json plainly.
    return "PreTrainedTokenizerFast" if type(tokenizer) is PreTrainedTokenizerFast else type(tokenizer).__name__


@dataclass(frozen=True, slots=True)
class Loss:
    """A text that a tokenizer does not give back as it is, and what comes back."""

    text: str
    back: str

    def in_words(self) -> str:
        """Return where the two part, in words."""
        place = next((n for n, (a, b) in enumerate(zip(self.text, self.back, strict=False)) if a != b), None)
        at = max(0, (min(len(self.text), len(self.back)) if place is None else place) - 10)
        return f"{self.text[at : at + 40]!r} comes back as {self.back[at : at + 40]!r}"

    @property
    def harmless(self) -> str | None:
        """What is lost, in words, where edits and samples can do with it; None where they cannot."""
        if self.text.startswith(" ") and self.text[1:] == self.back:
            return "loses the space that it begins with"
        forms = [unicodedata.normalize("NFKC", text) for text in (self.text, self.back)]
        return "comes back in another Unicode form" if forms[0] == forms[1] else None


def losses(tokenizer: Any, texts: Iterable[str]) -> Iterator[Loss]:
    """Yield those of `texts` that do not come back from their tokens exactly, a leading BOS aside.

    Texts go in and come back as in sampling: with the tokenizer's own special tokens, which decoding skips.
    """
    for text in texts:
        back = tokenizer.decode(
            tokenizer(text)["input_ids"], skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        if back != text:
            yield Loss(text, back)


def first_loss(tokenizer: Any, texts: Iterable[str]) -> Loss | None:
    """Return the first of `texts` that does not come back and that cannot be done without, if there is one."""
    return next((loss for loss in losses(tokenizer, texts) if loss.harmless is None), None)


def fit_tokenizer(name: str, tokenizer: Any, outline: Any, tell: Tell = lambda text: None) -> None:
    """Make `tokenizer` fit the model of which `outline` has the shapes: no EOS after a text, and a token to pad with.

    `tell` hears of what was changed, and of a tokenizer without EOS. Raises InputError for a vocabulary that is larger
    than the model's embeddings, and for an EOS after every text that cannot be left out.
    """
    rows = embedded(outline)
    _check_vocabulary(name, tokenizer, rows)
    _leave_out_eos(name, tokenizer, tell)
    eos, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    if eos is None or eos >= rows:
        tell(f"{name}: the tokenizer has no token that ends a text: programs end where they are cut, or at the limit")
    if pad is None or pad >= rows:
        stand_in = next((t for t in _special(tokenizer) if tokenizer.convert_tokens_to_ids(t) < rows), None)
        if pad is not None:
            tell(f"{name}: the model has no embedding of {tokenizer.pad_token!r}; {stand_in!r} pads, and is masked")
        tokenizer.pad_token = stand_in


def embedded(model: Any) -> int:
    """Return of how many tokens the model has an embedding."""
    count: int = model.get_input_embeddings().weight.shape[0]
    return count


def _special(tokenizer: Any) -> list[str]:
    """Return the tokens that can stand in for padding: no text is lost where they are skipped."""
    return [token for token in (tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token) if token is not None]


def _check_vocabulary(name: str, tokenizer: Any, rows: int) -> None:
    """Raise InputError where a word of the vocabulary has no embedding. Tokens added later are seen to in texts."""
    added = tokenizer.get_added_vocab()
    words = {token: number for token, number in tokenizer.get_vocab().items() if token not in added}
    used = {token: number for text in CODE for number, token in _tokens(tokenizer, text)}
    beyond = sorted((number, token) for token, number in {**words, **used}.items() if number >= rows)
    if beyond:
        raise InputError(
            f"The tokenizer of {name} does not fit the model: {len(beyond)} of its tokens, the first {beyond[0][1]!r} "
            f"with the id {beyond[0][0]}, have no embedding, for the model has {rows}. Get weights and tokenizer of "
            "the same model, or resize the model (`model.resize_token_embeddings(len(tokenizer))`) and train it."
        )


def _tokens(tokenizer: Any, text: str) -> Iterator[tuple[int, str]]:
    ids = tokenizer(text)["input_ids"]
    return zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True)


def _leave_out_eos(name: str, tokenizer: Any, tell: Tell) -> None:
    """Let nothing stand after a text's own tokens: a program goes on where its prompt ends."""
    before, after = _around(tokenizer)
    if not after:
        return
    named = " ".join(tokenizer.convert_ids_to_tokens(after))
    with contextlib.suppress(AttributeError, ValueError):  # a tokenizer that is not of the library `tokenizers`
        _put_before(tokenizer, before)
    if _around(tokenizer) != (before, []):
        raise InputError(
            f"The tokenizer of {name} puts {named} after every text, and a model that reads it after a prompt writes "
            'no program. Set "add_eos_token" to false in its tokenizer_config.json.'
        )
    tell(f"{name}: the tokenizer puts {named} after every text; that is left out, for programs go on from prompts")


def _around(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the special tokens before and after a text's own."""
    inner, whole = _inner(tokenizer, CODE[0]), tokenizer(CODE[0])["input_ids"]
    start = next((n for n in range(len(whole)) if whole[n : n + len(inner)] == inner), 0)
    return whole[:start], whole[start + len(inner) :]


def check_texts(tokenizer: Any, model: Any, texts: Iterable[tuple[str, str]]) -> list[str]:
    """Return what there is to say of `texts`, each with what it is called, where they come back changed a little.

    Raises InputError for one that does not come back, that ends with EOS, or that holds a token without an embedding.
    """
    rows, notes = embedded(model), dict[str, list[str]]()
    for called, text in texts:
        _check_ids(tokenizer, rows, called, text)
        for loss in losses(tokenizer, [text]):
            special = next((token for token in tokenizer.all_special_tokens if token in text), None)
            note = loss.harmless if special is None else f"holds {special!r}, a special token of this tokenizer"
            if note is None:
                raise InputError(
                    f"{called} does not come back from its tokens: {loss.in_words()}. Leave the problem out, or use "
                    "another model."
                )
            notes.setdefault(note, []).append(called)
    return [
        f"{called[0]}{f' and {len(called) - 1} more' if called[1:] else ''}: the text {note}"
        for note, called in notes.items()
    ]


def _check_ids(tokenizer: Any, rows: int, called: str, text: str) -> None:
    ids = tokenizer(text)["input_ids"]
    if ids and ids[-1] == tokenizer.eos_token_id and not text.endswith(tokenizer.eos_token):
        raise InputError(
            f"{called}: the tokenizer puts {tokenizer.eos_token} after it, and the model would go on from an end. Load "
            "the tokenizer with `edittool.editing.model.loading.load_model`, which leaves that out."
        )
    if ids and max(ids) >= rows:
        raise InputError(
            f"{called} holds {tokenizer.convert_ids_to_tokens(max(ids))!r}, token {max(ids)}, and the model has "
            f"embeddings of {rows} tokens. Leave the problem out, or use the tokenizer of the same model."
        )
