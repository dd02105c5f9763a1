"""Answers of a chat: conversations as OpenAI's and ShareGPT's rows have them, or a whole answer in one field."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from ..shapes import ANSWERS, COMPLETIONS, CONVERSATIONS, SOLUTIONS
from .choices import choices_of, text_of
from .rows import answers_of_rows, clues_of, index_of, texts_of, without_text

_ROLES = ("role", "from", "speaker")
_CONTENTS = ("content", "value", "text")
_IN_OBJECTS = ("text", "content", "generated_text")
_USERS = {"user", "human", "prompter", "system", "developer", "tool", "function"}


def read_chat(document: Document) -> Iterator[Found]:
    """Yield the answers of rows with a conversation, whose last turn is the answer, or with a field of ANSWERS.

    Fields that are all empty are an empty answer.
    """
    return answers_of_rows(document, _answers)


def _answers(place: Place, row: Mapping[str, Any]) -> Iterable[Found]:
    found = _conversation(place, row) or _fields(place, row, _says_something) or _body(place, row)
    return found or _fields(place, row, bool) or _task_names(place, row)


def _conversation(place: Place, row: Mapping[str, Any]) -> list[Found]:
    # Where another field may have the answer, what the model said before the last turn may be an example.
    anywhere = not row.keys() & {*ANSWERS, *SOLUTIONS, *COMPLETIONS, "body"}
    for name in CONVERSATIONS:
        turns = row.get(name)
        if not isinstance(turns, list) or not turns or not all(isinstance(turn, Mapping) for turn in turns):
            continue
        said = [(_role(turn), next((text_of(turn[key]) for key in _CONTENTS if key in turn), None)) for turn in turns]
        answers = [(at, text) for at, (role, text) in enumerate(said) if role not in _USERS and text is not None]
        is_asked = said[-1][0] in _USERS
        if not answers or (answers[-1][0] < len(said) - 1 and not (is_asked and anywhere)):
            continue  # the prompt alone: the answer may stand in another field
        last, answer = answers[-1]
        prompts = [text for role, text in said[:last] if role in _USERS and role != "system" and text]
        kept = {key: value for key, value in row.items() if key not in (name, "task_id")}
        kept[f"{name}_before"] = turns[:last]
        if turns[last + 1 :]:
            kept[f"{name}_after"] = turns[last + 1 :]
        clues = _with_prompts(clues_of(row), prompts)
        return [Answer(place, answer, None, clues, "auto", row, index_of(row), kept)]
    return []


def _role(turn: Mapping[str, Any]) -> str:
    return str(next((turn[name] for name in _ROLES if name in turn), "")).lower()


def _with_prompts(clues: Clues, prompts: Sequence[str]) -> Clues:
    return Clues(clues.names, (*clues.prompts, *reversed(prompts)), clues.entry_points, None, clues.index_in_name)


def _fields(place: Place, row: Mapping[str, Any], is_answer: Callable[[Sequence[str | None]], bool]) -> list[Found]:
    """Return the answers of the first field whose texts are any, and a fault for each gap among them."""
    clues = _with_prompts(clues_of(row), _asked(row))
    said = {name: _texts(name, row.get(name)) for name in (*ANSWERS, *SOLUTIONS, *COMPLETIONS)}
    said = {name: texts for name, texts in said.items() if is_answer(texts)}
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
            ended = _how_it_ended(row[name][number]) if several else {}
            found.append(Answer(within, text, None, clues, "auto", row, index, kept | ended, beside))
    return found


def _texts(name: str, value: Any) -> Sequence[str | None]:
    """Return the texts in a field: itself, those of a list, or those of a list's objects; nothing where it has none."""
    if isinstance(value, list) and name != "choices":  # whose objects say more than their text
        value = [_text_in(one) if isinstance(one, Mapping) else one for one in value]
    return texts_of(value) or []


def _text_in(one: Mapping[str, Any]) -> Any:
    """Return the text of an object of a list of answers; None for what is a turn of a conversation."""
    is_turn = any(name in one for name in (*_ROLES, "type"))
    return None if is_turn else next((one[name] for name in _IN_OBJECTS if isinstance(one.get(name), str)), None)


def _how_it_ended(one: Any) -> dict[str, Any]:
    reason = one.get("finish_reason") if isinstance(one, Mapping) else None
    return {} if reason is None else {"finish_reason": reason}


def _says_something(texts: Sequence[str | None]) -> bool:
    return any(text and text.strip() for text in texts)


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
