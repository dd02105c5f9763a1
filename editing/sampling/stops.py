"""The tokens that end a sample: ends of text and of turns, and those that only begin something else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# Names of tokens after which no program goes on, as tokenizers have them. Where a tokenizer has a name as ordinary
# text alone, it is no stop. U+FF5C and U+2581 are the wide bar and the low line of DeepSeek's and CodeLlama's names.
_ENDS = (
    *"</s> <eos> <EOT> \u2581<EOT> <|EOT|> <|endoftext|> <|end_of_text|>".split(),
    *"<\uff5cend\u2581of\u2581sentence\uff5c>".split(),
    *"<|im_end|> <|eot_id|> <|eom_id|> <|eot|> <|end|> <|return|> <end_of_turn> <|END_OF_TURN_TOKEN|>".split(),
)
_TURNS = (
    *"<|im_start|> <|start_header_id|> <|start_of_role|> <start_of_turn> <|START_OF_TURN_TOKEN|> [INST]".split(),
    *"<|user|> <|assistant|> <|system|> <\uff5cUser\uff5c> <\uff5cAssistant\uff5c>".split(),
)
_GAPS = (
    *"<|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> <|code_prefix|> <|code_middle|> <|code_suffix|>".split(),
    *"<fim_prefix> <fim_middle> <fim_suffix> <fim_pad> <fim-prefix> <fim-middle> <fim-suffix> <fim-pad>".split(),
    *"\u2581<PRE> \u2581<MID> \u2581<SUF> <PRE> <MID> <SUF> [PREFIX] [MIDDLE] [SUFFIX]".split(),
    *"<\uff5cfim\u2581begin\uff5c> <\uff5cfim\u2581hole\uff5c> <\uff5cfim\u2581end\uff5c>".split(),
)
_FILES = (
    *"<|file_sep|> <|file_separator|> <|repo_name|> <file_sep> <repo_name> <reponame> <filename> <gh_stars>".split(),
    *"<issue_start> <issue_comment> <issue_closed> <commit_before> <commit_msg> <commit_after> <empty_output>".split(),
    *"<jupyter_start> <jupyter_text> <jupyter_code> <jupyter_output> <jupyter_script>".split(),
)
STOPS = frozenset((*_ENDS, *_TURNS, *_GAPS, *_FILES))

# In harmony (gpt-oss), an answer is several messages, each with a channel, and this ends the first of them.
_MESSAGE_END, _CHANNEL = "<|end|>", "<|channel|>"


@dataclass(frozen=True, slots=True)
class Stops:
    """The tokens that end a sample: their `ids`, and their `names` in the order of the ids.

    `text` has what the generation config calls an end and the tokenizer has as ordinary text: it ends nothing.
    """

    ids: frozenset[int]
    names: tuple[str, ...]
    text: tuple[str, ...] = ()


def find_stops(generation_config: Any, tokenizer: Any) -> Stops:
    """Return the stops of a model with this generation config and tokenizer.

    They are the ends of text that both declare, and the tokens of STOPS that the tokenizer has as added tokens. A
    config without an end of its own has its architecture's default, which in another tokenizer is any word.
    """
    added = {number: (token.content, token.special) for number, token in tokenizer.added_tokens_decoder.items()}
    names = {number: name for number, (name, _) in added.items() if name in STOPS}
    if _CHANNEL in (name for name, _ in added.values()):
        names = {number: name for number, name in names.items() if name != _MESSAGE_END}
    text: dict[int, str] = {}
    for number in _declared(generation_config.eos_token_id):
        name, special = added.get(number, (_ordinary(tokenizer, number), False))
        if name is None or special or name in STOPS:
            names[number] = name or f"token {number}"
        else:
            text[number] = name
    if tokenizer.eos_token_id is not None:
        names[tokenizer.eos_token_id] = tokenizer.eos_token
    return Stops(frozenset(names), _in_order(names.items()), _in_order(text.items()))


def _declared(ids: int | list[int] | None) -> Iterator[int]:
    if ids is not None:
        yield from ids if isinstance(ids, list) else [ids]


def _ordinary(tokenizer: Any, number: int) -> str | None:
    """Return the text of an ordinary token; None where the tokenizer has no such token."""
    name: str | None = tokenizer.convert_ids_to_tokens(number) if 0 <= number < len(tokenizer) else None
    return name


def _in_order(names: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(name for _, name in sorted(names))
