"""bigcode-evaluation-harness's generations.json: a list with the programs of each task, in the order of the tasks.

A task may have one program without a list around it.
"""

from collections.abc import Iterator

from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from ..values import values
from .rows import kind, texts_of, without_text


def read_bigcode(document: Document) -> Iterator[Found]:
    """Yield the programs in order, each with the place of its list among all of them."""
    for value in values(document):
        if value.fault or not isinstance(value.data, list):
            what = value.fault or f"a list of lists is needed, and this is {kind(value.data)}"
            yield Fault(Place(value.line), value.reason if value.fault else "other_shape", what, value.data)
            continue
        for position, entry in enumerate(value.data):
            texts = texts_of(entry)
            place = Place(value.line, within=f"[{position}]")
            if texts is None:
                what = "no program" if entry == [] else f"a list of programs is needed, and this is {kind(entry)}"
                yield Fault(place, "no_text", what, entry)
                continue
            for number, text in enumerate(texts):
                clues = Clues(position=(position, len(value.data)))
                within = Place(value.line, within=f"[{position}][{number}]") if isinstance(entry, list) else place
                if text is None:
                    yield without_text(within, entry)
                else:
                    yield Answer(within, text, "solution", clues, "none", text, number)
