"""What stands around an answer and is none of it: thinking, and the special tokens of chat templates and models."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..tree.tokens import TOKEN

_KINDS = (
    "think|thinking|thought|thoughts|reasoning|reason|reflection|scratchpad|analysis|inner_monologue|seed:think|"
    "antthinking"
)
_THINKING = re.compile(
    rf"""
      (?P<open>  < (?:{_KINDS}) > | \u25c1think\u25b7 | \[THINK\] | <\|(?:begin_of_thought|START_THINKING)\|> )
    | (?P<close> </ (?:{_KINDS}) > | \u25c1/think\u25b7 | \[/THINK\] | <\|(?:end_of_thought|END_THINKING)\|> )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_WRAPPER = re.compile(
    r"^[ \t]*(?:</?(?:answer|solution|response|final|code|output)>|<\|(?:begin|end)_of_solution\|>|"
    r"\[/?(?:PYTHON|ANSWER|BEGIN|CODE)\])[ \t]*$",
    re.MULTILINE,
)
_WRAPPED = re.compile(
    r"\s*+<(?P<tag>answer|solution|response|final|code|output)>(?P<text>.*?)(?:</(?P=tag)>\s*+)?\Z",
    re.DOTALL | re.IGNORECASE,
)
_NEXT_TURN = re.compile(r"^(?:Human|User|\#\#\# ?(?:Human|User|Instruction|Question|Input|Task)) ?:", re.MULTILINE)
_FEW_SHOT = re.compile(r"^\[/?(?:DONE|BEGIN|PYTHON|ANSWER|CODE)\][ \t]*\r?$", re.MULTILINE)
_FENCE = re.compile("```|~~~")
_LINE = 500  # characters of a line that are looked at before a tag
# None of these is Python where it stands outside strings and comments.
_SPECIAL = re.compile(
    r"""
      <\|[^|<>\r\n]{1,40}+\|>
    | <\uff5c[^\uff5c<>\r\n]{1,40}+\uff5c>
    | </s> | <eos> | <EOT> | <EOS> | <EOD> | <end_of_turn> | <start_of_turn> | <end_of_text>
    | <(?:file_sep|repo_name|reponame|filename|gh_stars|empty_output|issue_(?:start|comment|closed)
        |commit_(?:before|msg|after)|jupyter_\w{1,20}|fim[-_](?:prefix|middle|suffix|pad)|PRE|SUF|MID|bos|pad|unk)>
    | \[/?INST\] | ^\[DONE\]
    """,
    re.VERBOSE | re.MULTILINE,
)
_LEADING = re.compile(rf"(?:\s*+(?:{_SPECIAL.pattern}|<s>))+", re.VERBOSE)
_TURN = re.compile(
    r"""
      <\|im_start\|>[ ]?assistant\b | <\|start_header_id\|>assistant<\|end_header_id\|> | <\|assistant\|>
    | <start_of_turn>model\b | \[/INST\] | <\uff5cAssistant\uff5c> | <\|start\|>assistant\b | <\|CHATBOT_TOKEN\|>
    | <\|start_of_role\|>assistant<\|end_of_role\|>
    """,
    re.VERBOSE,
)
_FINAL = re.compile(r"<\|channel\|>\s*final[^<\r\n]{0,60}<\|message\|>")
_CHANNEL = re.compile(r"<\|channel\|>")
_FINAL_UNMARKED = re.compile(r"\s*analysis(?:(?!assistantfinal).)*+assistantfinal", re.DOTALL)


class Bare(NamedTuple):
    """An answer without what stood around it, and the words for what was taken away."""

    text: str
    removed: tuple[str, ...]


def may_be_marked(answer: str) -> bool:
    """Say whether `answer` has a line that examples in a prompt end with, and that Python takes for a list."""
    return bool(_FEW_SHOT.search(answer))


def take_off(answer: str, name: str, *, ending: bool = True) -> Bare:
    """Return `answer` without thinking, special tokens, and what follows a token that ends the text.

    Of a whole conversation it is the turn of the assistant after `name`, the function's, was first heard of. Thinking
    that never ends takes all that follows with it. Tokens in string literals stay. Without `ending`, no token ends the
    text: each is taken out where it stands.
    """
    answer, said = _final_channel(answer)
    answer, turned = _own_turn(answer, name)
    text = _without_thinking(answer)
    thinking = said or text != answer
    ended, cut = cut_at_end_token(text) if ending else _without_tokens(text)
    own = _before_next_turn(ended, name)
    unwrapped = own if _FENCE.search(own) else _unwrapped(own)  # fences tell by themselves what is inside
    words = {"thinking": thinking, "tokens": turned or cut, "turns": own != ended, "tags": unwrapped != own}
    return Bare(unwrapped, tuple(word for word, holds in words.items() if holds))


def _before_next_turn(text: str, name: str) -> str:
    """Return `text` up to where the model goes on with a question of its own, once it has spoken of the function."""
    for turn in _NEXT_TURN.finditer(text):
        if name in text[: turn.start()]:
            return text[: turn.start()]
    return text


def _unwrapped(text: str) -> str:
    whole = _WRAPPED.match(text)
    return whole["text"] if whole else _WRAPPER.sub("", text)


def cut_at_end_token(text: str) -> tuple[str, bool]:
    """Return `text` up to its first special token outside string literals, without those it begins with."""
    leading = _LEADING.match(text)
    start = leading.end() if leading else 0
    if start and re.match(r"\s*(?:assistant|model)[ \t]*\r?\n", text[start:]):
        start = text.index("\n", start) + 1
    first = next(_specials(text, start), None)
    return (text[start:], start > 0) if first is None else (text[start : first.start()], True)


def _without_tokens(text: str) -> tuple[str, bool]:
    """Return `text` without its special tokens outside string literals and comments."""
    parts, place = [], 0
    for found in _specials(text, 0, comments=True):
        parts.append(text[place : found.start()])
        place = found.end()
    return "".join([*parts, text[place:]]), bool(parts)


def _specials(text: str, start: int, *, comments: bool = False) -> Iterator[re.Match[str]]:
    """Yield the special tokens from `start` on that stand in no string that is closed, nor in `comments`."""
    if not _SPECIAL.search(text, start):
        return
    strings = _closed_strings(text, start, comments)
    current = next(strings, None)
    for found in _SPECIAL.finditer(text, start):
        while current is not None and current[1] <= found.start():
            current = next(strings, None)
        if current is None or not current[0] < found.start():
            yield found


def _closed_strings(text: str, start: int, comments: bool) -> Iterator[tuple[int, int]]:
    """Yield where string literals stand that end where they should, and `comments`."""
    for token in TOKEN.finditer(text, start):
        if comments and token.lastgroup == "comment":
            yield token.span()
        if token.lastgroup == "string":
            literal = token[0]
            quote = literal[:3] if literal[:3] in ('"""', "'''") and len(literal) >= 6 else literal[:1]
            if len(literal) >= 2 * len(quote) and literal.endswith(quote):
                yield token.span()


def _own_turn(answer: str, name: str) -> tuple[str, bool]:
    """Return the assistant's turn where the answer begins as a whole conversation does.

    It is the first one after `name` was first heard of: those before answer examples, those after other questions.
    """
    if not _LEADING.match(answer):
        return answer, False
    turn = _TURN.search(answer, max(0, answer.find(name))) or _TURN.search(answer)
    return (answer[turn.end() :], True) if turn else (answer, False)


def _final_channel(answer: str) -> tuple[str, bool]:
    """Return the final message of a harmony answer; where it has only other channels, nothing."""
    finals = list(_FINAL.finditer(answer))
    if finals and not _in_string(answer, finals[-1].start()):
        return answer[finals[-1].end() :], True
    channel = _CHANNEL.search(answer)
    if channel and not answer[: channel.start()].strip().removeprefix("<|start|>assistant").strip():
        return "", True
    unmarked = _FINAL_UNMARKED.match(answer)
    return (answer[unmarked.end() :], True) if unmarked else (answer, False)


def _without_thinking(answer: str) -> str:
    """Return `answer` without its thinking: what tags enclose, and all before a closing tag that stands alone."""
    kept: list[str] = []
    place, opened = 0, False
    for tag in _THINKING.finditer(answer):
        if tag.lastgroup == "open":
            if not opened and _begins_line(answer, tag.start()):
                kept.append(answer[place : tag.start()])
                opened = True
        elif opened:
            place, opened = tag.end(), False
        elif not _in_string(answer, tag.start()) and not _in_prose(answer, tag):
            kept, place = [], tag.end()
    return "".join(kept if opened else [*kept, answer[place:]])


def _begins_line(text: str, place: int) -> bool:
    line = text[_line_start(text, place) : place]
    return not _SPECIAL.sub("", line).replace("<s>", "").strip()


def _in_prose(text: str, tag: re.Match[str]) -> bool:
    """Say whether words stand on both sides of `tag` on its line: it is spoken of."""
    after = text[tag.end() : tag.end() + _LINE].lstrip(" \t")
    return not _begins_line(text, tag.start()) and after[:1] not in ("", "\r", "\n", "<", "`", "[")


def _in_string(text: str, place: int) -> bool:
    """Say whether `place` is in a quoted part of its line, as a program has it."""
    before = text[_line_start(text, place) : place]
    return any(before.count(quote) % 2 for quote in "\"'`")


def _line_start(text: str, place: int) -> int:
    """Return where the line of `place` starts, or what is read of a long one."""
    first = max(0, place - _LINE)
    found = max(text.rfind("\n", first, place), text.rfind("\r", first, place))
    return found + 1 if found >= 0 else first
