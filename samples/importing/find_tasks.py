"""The task of each answer of a file: by its own clues, and by what the file as a whole tells."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from ..task_ids import Known, TaskFinder, Text, Unknown, are_of_rows, count_families, numbers_in
from .answers import Answer, Found

_OF_ROWS: Final = (
    "the numbers of this file are none of problems: some rows have the prompt or function of another problem than "
    "their number's, and no row has its own; the text of this one tells no problem"
)


@dataclass(slots=True)
class FileTasks:
    """Finds the tasks of one file's answers.

    `read` reads the file anew: for what the whole file tells, it is read twice.

    `family` is the data set that bare numbers are of, where they are not those of rows; `places` are the tasks of a
    list with an entry for each task, and `displaced` counts its entries whose text tells another task than their place,
    which was taken.
    """

    finder: TaskFinder
    read: Callable[[], Iterator[Found]]
    displaced: int = 0
    _family: str | None = None
    _asked_for_family: bool = False
    _are_of_rows: bool | None = None
    _places: dict[int, Mapping[int, Known | Unknown]] = field(default_factory=dict)

    def find(self, answer: Answer) -> Known | Unknown:
        """Return the task of an answer of the file, or why there is none."""
        clues, texts = answer.clues, texts_of(answer)
        if clues.position is not None:
            return self._at(*clues.position)
        unknown: Unknown | None = None
        for name in clues.names:
            is_number = numbers_in(name) is not None
            if is_number and self._numbers_are_of_rows():
                continue
            if is_number and unknown is not None and unknown.reason == "ambiguous_task":
                continue  # another number says nothing of what the first one leaves open
            found = self.finder.by_name(name, texts, indexed=clues.index_in_name)
            if isinstance(found, Unknown) and found.reason == "ambiguous_task" and is_number:
                family = self._family_of_numbers()
                found = self.finder.by_name(name, texts, indexed=clues.index_in_name, family=family)
            if isinstance(found, Known):
                return found
            if found is not None and not is_number:
                return found  # an id that says what it is of: no text may say otherwise
            unknown = unknown or found
        if unknown is not None:
            asked = self.finder.by_text(texts)
            # A number may be that of a row; the prompt that was asked is no coincidence, as a function's name may be.
            return asked if isinstance(asked, Known) and asked.by == "prompt" else unknown
        for entry_point in clues.entry_points:
            by_entry = self.finder.by_entry_point(entry_point, texts)
            if by_entry is not None:
                return by_entry
        by_text = self.finder.by_text(texts)
        if by_text is not None:
            return by_text
        if self._are_of_rows:
            return Unknown("ambiguous_task", _OF_ROWS)
        named = f"{clues.names[0]!r} is no problem's id" if clues.names else "no id"
        return Unknown("no_task", f"{named}, and no problem's prompt or function stands in the text")

    def _family_of_numbers(self) -> str | None:
        if not self._asked_for_family:
            self._asked_for_family = True
            self._family = count_families(self.finder, self._numbered())
        return self._family

    def _numbers_are_of_rows(self) -> bool:
        if self._are_of_rows is None:
            self._are_of_rows = are_of_rows(self.finder, self._numbered())
        return self._are_of_rows

    def _numbered(self) -> Iterator[tuple[int, list[Text]]]:
        """Yield the first number that each answer of the file has among its names, with its texts."""
        for one in self.read():
            names = one.clues.names if isinstance(one, Answer) else ()
            number = next((found[0] for name in names if (found := numbers_in(name))), None)
            if isinstance(one, Answer) and number is not None:
                yield number, texts_of(one)

    def _at(self, position: int, length: int) -> Known | Unknown:
        if length not in self._places:
            firsts = [""] * length
            for one in self.read():
                if isinstance(one, Answer) and one.clues.position and one.clues.position[1] == length:
                    place = one.clues.position[0]
                    firsts[place] = firsts[place] or one.text
            self._places[length], displaced = self.finder.by_position(length, firsts)
            self.displaced += displaced
        found = self._places[length].get(position)
        if found is not None:
            return found
        return Unknown(
            "no_task",
            f"entry {position} of a list of {length}: that many are in no data set of the benchmark, and the text "
            "tells no problem, or several",
        )


def texts_of(answer: Answer) -> list[Text]:
    """Return what may tell the task of an answer: its prompts, then the answer."""
    prompts = (Text(prompt, is_prompt=True) for prompt in answer.clues.prompts)
    return [*prompts, Text(answer.text, is_prompt=False, is_body=answer.form == "completion")]
