"""Answers of a chat: conversations as OpenAI's and ShareGPT's rows have them, or a whole answer in one field."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from ..shapes import ANSWERS, COMPLETIONS, CONVERSATIONS, SOLUTIONS
from .choices import choices_of, text_of
from .rows import clues_of, index_of, rows_of, texts_of, without_text

_ROLES = ("role", "from", "speaker")
_CONTENTS = ("content", "value", "text")
_USERS = {"user", "human", "prompter", "system", "developer", "tool", "function"}


def read_chat(document: Document) -> Iterator[Found]:
    """Yield the answers of rows with a conversation, whose last turn is the answer, or with a field of ANSWERS."""
    for place, row in rows_of(document):
        if isinstance(row, Fault):
            yield row
            continue
        yield from _conversation(place, row) or _fields(place, row) or _body(place, row) or _task_names(place, row)


def _conversation(place: Place, row: Mapping[str, Any]) -> list[Found]:
    for name in CONVERSATIONS:
        turns = row.get(name)
        if not isinstance(turns, list) or not turns or not all(isinstance(turn, Mapping) for turn in turns):
            continue
        said = [(_role(turn), next((text_of(turn[key]) for key in _CONTENTS if key in turn), None)) for turn in turns]
        prompts = [text for role, text in said if role in _USERS and role != "system" and text]
        if said[-1][0] in _USERS or said[-1][1] is None:
            continue  # the prompt alone: the answer may stand in another field
        kept = {key: value for key, value in row.items() if key not in (name, "task_id")}
        kept[f"{name}_before"] = turns[:-1]
        clues = _with_prompts(clues_of(row), prompts)
        return [Answer(place, said[-1][1], None, clues, "auto", row, index_of(row), kept)]
    return []


def _role(turn: Mapping[str, Any]) -> str:
    return str(next((turn[name] for name in _ROLES if name in turn), "")).lower()


def _with_prompts(clues: Clues, prompts: Sequence[str]) -> Clues:
    return Clues(clues.names, (*clues.prompts, *reversed(prompts)), clues.entry_points, None, clues.index_in_name)


def _fields(place: Place, row: Mapping[str, Any]) -> list[Found]:
    clues = _with_prompts(clues_of(row), _asked(row))
    said = {name: texts for name in (*ANSWERS, *SOLUTIONS, *COMPLETIONS) if (texts := _said(row.get(name)))}
    found: list[Found] = []
    for name, texts in islice(said.items(), 1):
        kept = {key: one for key, one in row.items() if key not in (name, "task_id")}
        other = next((one for one in said if one in ANSWERS and said[one] != texts), None)
        several = isinstance(row[name], list)
        for number, text in enumerate(texts):
            within = Place(place.line, within=f"{place.within}.{name}[{number}]") if several else place
            if text is None:
                found.append(without_text(within, row))
                continue
            index = number if several else index_of(row)
            beside = (name, other) if other and not any(isinstance(one, Answer) for one in found) else None
            found.append(Answer(within, text, None, clues, "auto", row, index, kept, beside))
    return found


def _said(value: Any) -> Sequence[str | None]:
    """Return the texts in a field, nothing where they say nothing."""
    texts = texts_of(value) or []
    return texts if any(text and text.strip() for text in texts) else []


def _asked(row: Mapping[str, Any]) -> list[str]:
    turns: list[Any] = next((row[name] for name in CONVERSATIONS if isinstance(row.get(name), list)), [])
    said = [next((text_of(turn[key]) for key in _CONTENTS if key in turn), None) for turn in turns if _is_object(turn)]
    return [text for text in said if text]


def _body(place: Place, row: Mapping[str, Any]) -> list[Found]:
    """Return the answers of a response that an engine gave, in the row or as the row itself."""
    clues = _with_prompts(clues_of(row), _asked(row))
    for value in (row.get("response"), row.get("output"), row.get("body"), row):
        body = value.get("body", value) if isinstance(value, Mapping) else None
        choices = list(choices_of(body)) if isinstance(body, Mapping) else []
        if choices:
            inner = "choices" if value is row else "response"
            kept = {key: one for key, one in row.items() if key not in ("task_id", inner, "output", "body")}
            return [
                Fault(place, "no_text", "a choice without text", row)
                if choice.text is None
                else Answer(
                    place, choice.text, choice.form, clues, "auto", row, choice.index, kept | dict(choice.carried)
                )
                for choice in choices
            ]
    return []


def _task_names(place: Place, row: Mapping[str, Any]) -> list[Found]:
    """Return the answers of an object that maps the names of tasks to texts; a fault for any other."""
    found: list[Found] = []
    for name, value in row.items():
        texts = texts_of(value)
        if texts is None or not any(character.isdigit() for character in name):
            return [Fault(place, "no_text", "none of the fields that hold an answer", row)]
        for number, text in enumerate(texts):
            within = Place(place.line, within=f"{place.within}[{name!r}]")
            if text is None:
                found.append(without_text(within, {name: value}))
            else:
                found.append(Answer(within, text, None, Clues((name,)), "auto", {name: text}, number))
    return found or [Fault(place, "no_text", "an empty object", row)]


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)
