"""The output of OpenAI's batches, which other engines write too: a request's id, and the response or an error."""

from collections.abc import Iterator, Mapping
from typing import Any

from ....analysis.extraction import Mode
from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from .choices import choices_of
from .rows import answers_of_rows


def read_openai_batch(document: Document) -> Iterator[Found]:
    """Yield the answers of chat completions, completions and responses; a request that failed is a fault."""
    return answers_of_rows(document, _answers)


def _answers(place: Place, row: Mapping[str, Any]) -> Iterator[Found]:
    response = row.get("response")
    body = response.get("body") if isinstance(response, Mapping) else None
    status = response.get("status_code") if isinstance(response, Mapping) else None
    error = row.get("error") or (body.get("error") if isinstance(body, Mapping) else None)
    if error or (isinstance(status, int) and status >= 400) or not isinstance(body, Mapping):
        yield Fault(place, "request_failed", _in_words(error, status), row)
        return
    name = row.get("custom_id")
    names = (name,) if isinstance(name, str | int) else ()
    shared = {"model": body["model"]} if isinstance(body.get("model"), str) else {}
    choices = list(choices_of(body))
    for choice in choices:
        within = Place(place.line, within=f"{place.within}.choices[{choice.index}]")
        if choice.text is None:
            yield Fault(within, "no_text", "a choice without text", row)
            continue
        mode: Mode = "none" if choice.form == "completion" else "auto"
        carried = {"custom_id": name, **shared, **choice.carried}
        index = choice.index if len(choices) > 1 else None  # of one answer, the request's id tells the number
        clues = Clues(names, index_in_name=True)
        yield Answer(within, choice.text, choice.form, clues, mode, row, index, carried)
    if not choices:
        yield Fault(place, "no_text", "no choices in the response", row)


def _in_words(error: Any, status: Any) -> str:
    message = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    told = f"status {status}" if status is not None else "no response"
    return f"{told}: {str(message)[:200]}" if message else told
