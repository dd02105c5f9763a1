"""Requests in tokens, for ROME, MEMIT and the like: contexts around the prompt, where δ enters, what is learned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

from ...schemas.errors import InputError
from ..model.forward import Row
from ..requests import EditRequest

Profile = Literal["easyedit", "clme", "original", "exact"]
FactToken = Literal["subject_last", "subject_first", "subject_first_after_last", "last"]
Space = Literal["always", "missing", "never"]

BARE = "{}"  # the context that is the prompt alone


@dataclass(frozen=True, slots=True)
class LookupRow:
    """A row of tokens, and the position of the token at which an edit is looked up.

    `targets` are the tokens to learn; the last of them is predicted at the row's end, the first at `first`.
    """

    row: Row
    lookup: int
    targets: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """Return the position that predicts the first target; the lookup where there is nothing to learn.

        Padding counts for nothing, as for the lookup: that is where a reference that pads on the left goes wrong.
        """
        return sum(self.row.mask) - len(self.targets) if self.targets else self.lookup


@dataclass(frozen=True, slots=True)
class Reading:
    """How requests become rows.

    `profile` follows an implementation: `easyedit`, `clme` (code-llmedit), `original` (the methods' authors), or
    `exact`, which is `easyedit` with nothing between prompt and target. `space` says when a space goes before the
    target, `drops_bos` whether an opening BOS or UNK of the encoded target goes. `padding`: `aligned`, or
    `as_reference`: pad on the left where the reference does, with positions counted as if it did not. `target_join`:
    `text` decodes the target, joins the texts and encodes them again, as the references do; `ids` joins tokens, and
    learns those that follow the prompt when both are encoded together.
    """

    tokenizer: Any
    profile: Profile
    fact_token: FactToken
    space: Space
    drops_bos: bool = False
    left_padded: bool = False
    target_join: Literal["text", "ids"] = "text"

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a whole text, with the tokenizer's own special ones (`clme`: without)."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=self.profile != "clme")["input_ids"]
        return ids

    def value_rows(self, request: EditRequest, templates: Sequence[str]) -> list[LookupRow]:
        """Return the rows that a value is optimised on: one for each template, then that of the KL term.

        Raises InputError for a request whose subject or target cannot be found in tokens.
        """
        subject, place = self._subject(request)
        targets, joint = self._targets(request)
        written = joint + self._decode(targets[:-1])
        rows = []
        for template in templates:
            before, after = template.split(BARE)
            text = before + request.prompt + after
            ids = self.encode(text) + targets[:-1] if self.target_join == "ids" else self.encode(text + written)
            rest = request.prompt[place + len(subject) :] + after
            lookup = self._lookup(before + request.prompt[:place], subject, rest + written, rest, ids)
            rows.append(LookupRow(Row.of(ids), lookup, tuple(targets)))
        return self._pad_left([*rows, self._kl_row(request, subject, place)])

    def key_rows(self, requests: Sequence[EditRequest], templates: Sequence[str]) -> list[LookupRow]:
        """Return the rows that keys are read from: for each request, its prompt in each template.

        Raises InputError for a request whose subject cannot be found in tokens.
        """
        rows = []
        for request in requests:
            subject, place = self._subject(request)
            for template in templates:
                before, after = template.split(BARE)
                rest = request.prompt[place + len(subject) :] + after
                rows.append(self._plain_row(before + request.prompt[:place], subject, rest))
        return self._pad_left(rows)

    def _subject(self, request: EditRequest) -> tuple[str, int]:
        """Return the subject and its place; for code-llmedit it is what follows the prompt's last space."""
        if self.profile == "clme":
            place = request.prompt.rfind(" ") + 1
            if place == len(request.prompt):
                raise InputError(
                    f"The prompt {request.prompt[-60:]!r} ends with a space: the profile clme finds no subject in it. "
                    "Use another profile, or a prompt that ends with a word."
                )
            return request.prompt[place:], place
        return request.subject, request.place()

    def _targets(self, request: EditRequest) -> tuple[list[int], str]:
        """Return the tokens to learn, and the text that stands between prompt and target."""
        text, joint = request.target, " " if self.profile == "clme" else ""
        opens = text == " " if self.space == "always" else text.startswith(" ")
        text = text if self.space == "never" or opens else f" {text}"
        targets = self._continuing(request.prompt, joint + text) if self.target_join == "ids" else self._alone(text)
        if self.drops_bos and targets and targets[0] in (self.tokenizer.bos_token_id, self.tokenizer.unk_token_id):
            targets = targets[1:]
        if not request.target or not targets:
            raise InputError(f"The request for {request.subject!r} has no tokens in its target: nothing to teach.")
        return targets, joint

    def _alone(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _continuing(self, prompt: str, text: str) -> list[int]:
        """Return the tokens that follow those of `prompt`; those of `text` alone where the two merge."""
        before, both = self.encode(prompt), self.encode(prompt + text)
        return both[len(before) :] if both[: len(before)] == before else self._alone(text)

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)
        return text

    def _kl_row(self, request: EditRequest, subject: str, place: int) -> LookupRow:
        """Return the row whose next token should stay what it was: "SUBJECT is a", in code-llmedit the prompt."""
        if self.profile == "clme":
            return self._plain_row(request.prompt[:place], subject, request.prompt[place + len(subject) :])
        return self._plain_row("", subject, " is a")

    def _plain_row(self, before: str, subject: str, after: str) -> LookupRow:
        ids = self.encode(before + subject + after)
        return LookupRow(Row.of(ids), self._lookup(before, subject, after, after, ids))

    def _lookup(self, before: str, subject: str, after: str, prompt_after: str, ids: Sequence[int]) -> int:
        """Return the position of the lookup token in `ids`, the tokens of before + subject + after.

        `prompt_after` is that part of `after` which belongs to the prompt. Raises InputError where the subject's last
        token merges with what follows: no token would stand for the subject then.
        """
        if self.fact_token == "last":  # noqa: S105 - a token of a model, no secret
            return len(self.encode(before + subject + prompt_after)) - 1
        through = self.encode(before + subject)
        if list(ids[: len(through)]) != through:
            there = self._decode(ids[max(0, len(through) - 1) : len(through) + 1])
            raise InputError(
                f"The subject {subject!r} does not end with a token of its own: in the text it is followed by "
                f"{after[:20]!r}, and the tokens there are {there!r}. Choose another subject or prompt."
            )
        if self.fact_token == "subject_first":  # noqa: S105
            # A space before the subject may be part of its first token: go by where the tokens part.
            pairs = zip(self.encode(before), through[:-1], strict=False)
            return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        # The target does not count as text that follows: keys are read without it, at the same token.
        follows = self.fact_token == "subject_first_after_last" and prompt_after  # noqa: S105
        return len(through) if follows else len(through) - 1

    def _pad_left(self, rows: list[LookupRow]) -> list[LookupRow]:
        """Pad as a reference does that counts positions without its padding; else leave the rows as they are."""
        if not self.left_padded:
            return rows
        pad, width = self.tokenizer.pad_token_id, max(len(row.row.ids) for row in rows)
        return [replace(row, row=row.row.padded_left(pad, width)) for row in rows]
