"""The task of each answer of a file: by its own clues, and by what the file as a whole tells."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..task_ids import Known, TaskFinder, Text, Unknown, count_families, numbers_in
from .answers import Answer, Found


@dataclass(slots=True)
class FileTasks:
    """Finds the tasks of one file's answers.

    `read` reads the file anew: for what the whole file tells, it is read twice.

    `family` is the data set that bare numbers are of, `places` are the tasks of a list with an entry for each task, and
    `displaced` counts its entries whose text tells another task than their place, which was taken.
    """

    finder: TaskFinder
    read: Callable[[], Iterator[Found]]
    displaced: int = 0
    _family: str | None = None
    _asked_for_family: bool = False
    _places: dict[int, Mapping[int, Known | Unknown]] = field(default_factory=dict)

    def find(self, answer: Answer) -> Known | Unknown:
        """Return the task of an answer of the file, or why there is none."""
        clues, texts = answer.clues, texts_of(answer)
        if clues.position is not None:
            return self._at(*clues.position)
        unknown: Unknown | None = None
        for name in clues.names:
            is_number = numbers_in(name) is not None
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
        named = f"{clues.names[0]!r} is no problem's id" if clues.names else "no id"
        return Unknown("no_task", f"{named}, and no problem's prompt or function stands in the text")

    def _family_of_numbers(self) -> str | None:
        if not self._asked_for_family:
            self._asked_for_family = True
            answers = (one for one in self.read() if isinstance(one, Answer) and one.clues.names)
            pairs = ((numbers_in(one.clues.names[0]), texts_of(one)) for one in answers)
            self._family = count_families(self.finder, ((found[0], texts) for found, texts in pairs if found))
        return self._family

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
