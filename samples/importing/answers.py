"""What readers make of a file: answers, each with the clues to its task, and faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...analysis.extraction import Form, Mode

Reason = Literal[
    "broken_json",  # a line that is not JSON
    "no_text",  # no answer in the row
    "no_task",  # nothing says which problem it is for, or the benchmark has no such problem
    "ambiguous_task",  # it may be for several problems
    "left_out",  # for a problem that the benchmark left out
    "request_failed",  # the engine gave an error in place of an answer
    "not_utf8",
    "too_long",  # of more bytes than a row may have
    "other_shape",  # a row that is of another kind than its file
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a line, with the path within it ("[3].choices[0]"), or a file of an archive or folder."""

    line: int | None = None
    member: str | None = None
    within: str = ""


@dataclass(frozen=True, slots=True)
class Clues:
    """What may tell the task of an answer, each kind in the order of trust.

    `names` are ids as somebody wrote them, `prompts` what a model was asked, `entry_points` names of functions.
    `position` is the place in a list that has one entry for each task, and the length of that list.
    `index_in_name`: names may end with the number of a sample.
    """

    names: tuple[str | int, ...] = ()
    prompts: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()
    position: tuple[int, int] | None = None
    index_in_name: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a model, to be made a sample.

    `form` is what it was published as, None where it is an answer of a chat; `seen` what the model was shown and goes
    on with, where that is known. `carried` are the fields that its sample keeps, `row` the whole as it stood. `beside`
    names the field that was taken of a row, and another that has another answer; the first answer of a row has it.
    """

    place: Place
    text: str
    form: Form | None
    clues: Clues
    mode: Mode
    row: Any
    index: int | None = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A row, or a part of one, that gives no answer, and why."""

    place: Place
    reason: Reason
    detail: str
    row: Any


Found = Answer | Fault
