"""Texts and tokens of an edit: targets, rows, and where in a row the subject is looked up."""

from dataclasses import dataclass

from edittool.editing import EditRequest

from .given import Given


@dataclass(frozen=True)
class Row:
    """Token ids; delta is added at `lookup`; the last positions, as many as there are labels, predict the labels.

    `padding` counts padding tokens at the row's beginning: there are none, but for one of the mistakes.
    """

    ids: list[int]
    lookup: int
    labels: list[int]
    padding: int = 0


def encode(given: Given, text: str, special: bool = True) -> list[int]:
    """The tokenizer's own habit about BOS, which the study leaves out."""
    ids: list[int] = given.tokenizer(text, add_special_tokens=special and given["profile"] != "clme")["input_ids"]
    return ids


def decode(given: Given, ids: list[int]) -> str:
    return str(given.tokenizer.decode(ids, clean_up_tokenization_spaces=False))


def parted(given: Given, request: EditRequest) -> tuple[str, str, str]:
    """The prompt's text before the subject, the subject, and what follows; `clme` takes what the last space leaves."""
    subject, start = request.subject, request.at
    if given["profile"] == "clme":
        subject = request.prompt.split(" ")[-1]
        start = len(request.prompt) - len(subject)
    if start is None:
        start = request.prompt.index(subject)
    return request.prompt[:start], subject, request.prompt[start + len(subject) :]


def spaced_target(given: Given, request: EditRequest) -> str:
    """What stands before y: nothing (`exact`; `clme`, which puts a space into the text instead), or a space.

    `easyedit`: ROME always, unless y is one space; MEMIT where it is missing; PMET so too, but for GPT models only.
    `original`: where it is missing.
    """
    y, profile = request.target, given["profile"]
    if profile in ("exact", "clme") or given.wrong("no space before the target"):
        return y
    if profile == "easyedit" and given.method == "rome":
        return y if y == " " else f" {y}"
    if profile == "easyedit" and given.method == "pmet" and "gpt" not in given.model.name_or_path:
        return y
    return y if y.startswith(" ") else f" {y}"


def between(given: Given) -> str:
    """What stands in the text between prompt and y, besides what y itself begins with."""
    return " " if given["profile"] == "clme" else ""


def target_ids(given: Given, request: EditRequest) -> list[int]:
    """t: `text` encodes y alone, without special tokens; `ids` takes what follows the prompt in the joint encoding."""
    y = spaced_target(given, request)
    if given["target_join"] == "ids":
        return encode(given, request.prompt + between(given) + y)[len(encode(given, request.prompt)) :]
    return encode(given, y, special=given.wrong("BOS in the target"))


def lookup(given: Given, before: str, subject: str, after: str) -> int:
    """Where the subject is looked up in the encoding of `before + subject + after`."""
    last = len(encode(given, before + subject)) - 1
    place = {
        "subject_last": last,
        "subject_first": first_token(given, before, subject),
        "subject_first_after_last": last + 1 if after else last,
        "last": len(encode(given, before + subject + after)) - 1,
    }[given["fact_token"]]
    return place - 1 if given.wrong("lookup one too early") else place


def first_token(given: Given, before: str, subject: str) -> int:
    """The first token that holds some of the subject: the first after which `before` does not begin with the text."""
    ids = encode(given, before + subject)
    texts = [given.tokenizer.decode(ids[: n + 1], skip_special_tokens=True) for n in range(len(ids))]
    return next(n for n, text in enumerate(texts) if len(text) > len(before))


def row_of(given: Given, template: str, request: EditRequest) -> Row:
    """The template around the prompt, then the target without its last token."""
    before, subject, after = parted(given, request)
    head, tail = template.split("{}")
    t = target_ids(given, request)
    text = head + request.prompt + tail
    if given["target_join"] == "ids":
        ids = encode(given, text) + t[:-1]
    else:
        ids = encode(given, text + between(given) + decode(given, t[:-1]))
    return Row(ids, lookup(given, head + before, subject, after + tail), t)


def bare_row(given: Given, request: EditRequest, template: str = "{}") -> Row:
    """The template around the prompt alone: what keys and current outputs are read from."""
    before, subject, after = parted(given, request)
    head, tail = template.split("{}")
    ids = encode(given, head + request.prompt + tail)
    return Row(ids, lookup(given, head + before, subject, after + tail), [])


def kl_row(given: Given, request: EditRequest) -> Row:
    """ "s is a"; under `clme` the bare prompt."""
    if given["profile"] == "clme":
        return bare_row(given, request)
    _, subject, _ = parted(given, request)
    return Row(encode(given, f"{subject} is a"), lookup(given, "", subject, " is a"), [])
