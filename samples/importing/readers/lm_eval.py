"""lm-evaluation-harness's samples_*.jsonl: the data set's row, what the model saw, and its responses."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ....analysis.extraction import Form, Mode
from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from .rows import answers_of_rows, clues_of, without_text

_DROPPED = ("doc", "arguments", "resps", "filtered_resps", "target")
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


def read_lm_eval(document: Document) -> Iterator[Found]:
    """Yield the responses of each row, else what the filters made of them.

    What the model saw says how a response is to be read: as the rest of the prompt, as the rest of an open fence, or
    as an answer.
    """
    return answers_of_rows(document, _answers)


def _answers(place: Place, row: Mapping[str, Any]) -> Iterator[Found]:
    doc = row.get("doc")
    doc = doc if isinstance(doc, Mapping) else {}
    found = clues_of(doc)
    seen = _seen(row.get("arguments"))
    # `doc_id` is no name: row 0 of MBPP's test split is its task 11.
    clues = Clues(found.names, (*found.prompts, *([seen] if seen else [])), found.entry_points)
    kept = {name: value for name, value in row.items() if name not in _DROPPED}
    responses, name = _responses(row.get("resps")), "resps"
    form, mode = _reading(doc, seen)
    if not any(map(_is_text, responses)):
        responses, name = _responses(row.get("filtered_resps")), "filtered_resps"
        form, mode = "solution", "auto"
    if not any(map(_is_text, responses)):
        responses = []
        yield Fault(place, "no_text", "no response in `resps` and `filtered_resps`", row)
    for number, text in enumerate(responses):
        within = Place(place.line, within=f"{place.within}.{name}[{number}]")
        if text is None:
            yield without_text(within, row)
        else:
            yield Answer(within, text, form, clues, mode, row, number, kept)


def _seen(arguments: Any) -> str:
    """Return the text that the model went on with: the first argument of the first request, in each of its writings."""
    if isinstance(arguments, Mapping):
        arguments = arguments.get("gen_args_0", arguments)
    if isinstance(arguments, Mapping):
        arguments = arguments.get("arg_0", "")
    while isinstance(arguments, list) and arguments:
        arguments = arguments[0]
    return arguments if isinstance(arguments, str) else ""


def _reading(doc: Mapping[str, Any], seen: str) -> tuple[Form | None, Mode]:
    """Return what a response is, and how its program is had."""
    prompt = doc.get("prompt")
    if isinstance(prompt, str) and "entry_point" in doc and (not seen or seen.rstrip().endswith(prompt.rstrip())):
        return "completion", "auto" if len(_FENCE.findall(seen)) % 2 else "none"
    return None, "auto"


def _responses(value: Any) -> Sequence[str | None]:
    """Return the texts in lists of lists of texts, in order, with None for what is no text."""
    if isinstance(value, list):
        return [text for one in value for text in _responses(one)]
    return [value if isinstance(value, str) else None]


def _is_text(value: str | None) -> bool:
    return value is not None
