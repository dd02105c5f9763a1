"""Rows in the format of HumanEval and EvalPlus: a task, and a completion or a whole program, or a list of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ....analysis.extraction import Form
from ....schemas.jsonl import MAX_LINE_BYTES
from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from ..shapes import COMPLETIONS, SOLUTIONS
from ..values import values

IDS = ("task_id", "custom_id", "problem_id", "question_id", "name", "id", "task", "_id", "doc_id")
INDICES = ("sample_index", "sample_idx", "completion_id")
PROMPTS = ("prompt", "question", "instruction", "input", "query", "problem", "text")


def read_rows_of_programs(document: Document) -> Iterator[Found]:
    """Yield the answers of HumanEval's and EvalPlus's rows: of a solution beside a completion, the solution."""
    return answers_of_rows(document, _answers)


def _answers(place: Place, row: Mapping[str, Any]) -> Iterator[Found]:
    forms: tuple[tuple[Form, tuple[str, ...]], ...] = (("solution", SOLUTIONS), ("completion", COMPLETIONS))
    for form, names in forms:
        for name in names:
            texts = texts_of(row.get(name))
            if texts is None or (not any(texts) and _says_something(row)):
                continue
            clues = clues_of(row)
            kept = {key: value for key, value in row.items() if key not in (*IDS[:1], name)}
            several = isinstance(row[name], list)
            for number, text in enumerate(texts):
                within = Place(
                    place.line, place.member, f"{place.within}.{name}[{number}]" if several else place.within
                )
                index = number if several else index_of(row)
                if text is None:
                    yield without_text(within, row)
                else:
                    yield Answer(within, text, form, clues, "none", row, index, kept)
            return
    yield Fault(place, "no_text", f"no text in {', '.join((*COMPLETIONS[:1], *SOLUTIONS[:1]))}", row)


def _says_something(row: Mapping[str, Any]) -> bool:
    return any(any(texts_of(row.get(name)) or ()) for name in (*SOLUTIONS, *COMPLETIONS))


def answers_of_rows(document: Document, read: Callable[[Place, Mapping[str, Any]], Iterable[Found]]) -> Iterator[Found]:
    """Yield what `read` finds in each object of a file, those of an array one by one; faults for what is none."""
    for value in values(document):
        if value.fault:
            yield Fault(Place(value.line), value.reason, value.fault, value.data)
            continue
        several = isinstance(value.data, list)
        for number, row in enumerate(value.data if several else [value.data]):
            place = Place(value.line, within=f"[{number}]" if several else "")
            if isinstance(row, Mapping):
                yield from read(place, row)
            else:
                yield Fault(place, "other_shape", f"an object is needed, and this is {kind(row)}", row)


def texts_of(value: Any) -> Sequence[str | None] | None:
    """Return the texts in a field: one, or those of a list, with None for an entry that is none; None for no text."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and any(isinstance(one, str) for one in value):
        return [one if isinstance(one, str) else None for one in value]
    return None


def without_text(place: Place, row: Any) -> Fault:
    """Return the fault of an entry of a list that is to be a text, and is none."""
    return Fault(place, "no_text", "no text at this place of the list", row)


def clues_of(row: Mapping[str, Any]) -> Clues:
    """Return what the fields of a row say of its task; those in `metadata` come after its own."""
    more = row.get("metadata")
    places = [row, more] if isinstance(more, Mapping) else [row]
    names = [_name(one[name]) for one in places for name in IDS if _is_name(one.get(name))]
    entries = [one["entry_point"] for one in places if isinstance(one.get("entry_point"), str)]
    prompts = [one[name] for one in places for name in PROMPTS if isinstance(one.get(name), str)]
    lists = [one["test_list"] for one in places if isinstance(one.get("test_list"), list)]
    prompts += ["\n".join(str(test) for test in tests) for tests in lists]
    return Clues(tuple(names), tuple(prompts), tuple(entries), index_in_name=True)


def _is_name(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) < 1000
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _name(value: str | float) -> str | int:
    return int(value) if isinstance(value, float) else value  # a table with a gap makes 2.0 of 2


def index_of(row: Mapping[str, Any]) -> int | None:
    """Return the number of a sample that a row gives: an integer, or one written as a string."""
    value = next((row[name] for name in INDICES if row.get(name) is not None), None)
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_LINE_BYTES else None


def kind(value: Any) -> str:
    """Return what a JSON value is, in words."""
    words = {dict: "an object", list: "a list", str: "a string", type(None): "null", bool: "true or false"}
    return words.get(type(value), "a number")
