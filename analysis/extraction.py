"""The program in a model's answer."""

from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["none", "auto", "fence", "cut"]
Kind = Literal["as_is", "fence", "open_fence", "text", "cut", "no_program"]
Form = Literal["completion", "solution"]


@dataclass(frozen=True, slots=True)
class Extraction:
    """The program that was found in an answer, and how.

    `form` says what `program` is: a completion, to be appended to the problem's prompt, or a whole program.
    `fences` is how many fences the answer has, `taken` which of them the program was made of, counted from 1.
    `removed` names what was taken away around it; `cut` is how many characters were cut from its end.
    """

    answer: str
    program: str
    form: Form
    mode: Mode
    kind: Kind
    fences: int = 0
    taken: tuple[int, ...] = ()
    removed: tuple[str, ...] = field(default=())
    cut: int = 0

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of a sample: `completion` or `solution`, `raw` and `extraction`."""
        how: dict[str, Any] = {"mode": self.mode, "kind": self.kind, "fences": self.fences, "taken": list(self.taken)}
        how |= {"removed": list(self.removed), "cut": self.cut}
        return {self.form: self.program, "raw": self.answer, "extraction": how}


def extract(answer: str, prompt: str, entry_point: str, mode: Mode, form: Form | None = None) -> Extraction:
    """Return the program that `answer` gives for the problem with `prompt` and `entry_point`.

    `form` is what the answer was published as; None where it is an answer of a chat, of which nothing is known.
    """
    return Extraction(answer, answer, form or "solution", mode, "as_is")
