"""What the judge notices about samples while it reads them: answers of a chat, programs in the wrong field, and more.

Only words are looked for in every sample; what has one is parsed, for a program may hold any word in a string.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..analysis.extraction import Form, extract
from ..analysis.tree.syntax import is_python
from ..schemas.problems import Problem
from ..schemas.samples import Sample

_MARKS: Final = ("```", "~~~", "<|", "<\uff5c", "think", "</s>", "<end_of_turn>", "<eos>", "[INST]", "[/INST]")
_KINDS: Final = {
    "fences": re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE),
    "thinking": re.compile(r"</?(?:think|thinking|thought|reasoning)>", re.IGNORECASE),
    "tokens": re.compile(r"<\|[^|<>\s]{1,40}\|>|<\uff5c[^\uff5c<>\s]{1,40}\uff5c>|</s>|<end_of_turn>|<eos>|\[/?INST\]"),
}
_WHOLE: Final = re.compile(r"(?:async|def|class|import|from)\b|[@#]")  # how whole programs begin
_COUNTED: Final = ("looks", "foreign", "skipped", "extraction")
_EXTRACTED: Final = 500  # answers that extraction is tried on, to say what it would give
_PARSED: Final = 200_000  # characters: a longer text is not parsed to be noticed


@dataclass(slots=True)
class Noticed:
    """What was noticed about the samples of a file, counted in samples.

    `looks`: `answers` look like answers and do not parse, `fences`, `thinking` and `tokens` (end-of-text and the like)
    say of what kind; of the first of them, `tried` by extraction, `extracted` then parse. `with_prompt` are solutions
    that parse only behind the prompt, `without_prompt` completions that parse only without it, `stripped` completions
    that parse once their first line is indented, `unnamed` solutions that do not name the function under test, `marked`
    texts that begin with a byte order mark, which is no Python.
    `evalplus` are of EvalPlus's MBPP, judged by the original's tests; `verdicts` are rows of an earlier judge; `unfit`
    is how many numbers became text.
    `foreign` counts values of a foreign type by field, `skipped` samples without a problem by reason, `extraction`
    samples by how their program was extracted.
    """

    looks: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    extraction: Counter[str] = field(default_factory=Counter)
    _alone: dict[str, bool] = field(init=False, default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, counts: Mapping[str, Mapping[str, int]]) -> "Noticed":
        """Make the record of what `to_json` returned."""
        return cls(**{name: Counter(counts[name]) for name in _COUNTED})

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        return {name: dict(sorted((+getattr(self, name)).items())) for name in _COUNTED}

    def look(self, sample: Sample, problem: Problem) -> None:
        """Notice what there is to notice about `sample`, which answers `problem`."""
        how = sample.row.get("extraction")
        if how is not None:
            self.extraction[how["kind"]] += 1
        if sample.task_id.startswith("Mbpp/") and problem.source == "MBPP":
            self.looks["evalplus"] += 1
        if "sample_id" in sample.row and "outcome" in sample.row:
            self.looks["verdicts"] += 1
        if how is not None and how["kind"] == "no_program":
            return
        text = sample.completion if sample.solution is None else sample.solution
        if text is None or len(text) > _PARSED:
            return
        if text.startswith("\ufeff"):
            self.looks["marked"] += 1
            return
        for mark in _MARKS:
            if mark in text:
                if self._is_answer(text, sample, problem):
                    return
                break
        if sample.solution is None:
            self._look_at_completion(text, problem)
        else:
            self._look_at_solution(text, problem)

    def _is_answer(self, text: str, sample: Sample, problem: Problem) -> bool:
        kinds = [kind for kind, pattern in _KINDS.items() if pattern.search(text)]
        if not kinds or is_python(sample.program(problem)):
            return False
        self.looks.update(["answers", *kinds])
        if self.looks["tried"] < _EXTRACTED:
            form: Form = "completion" if sample.solution is None else "solution"
            found = extract(text, problem.prompt, problem.entry_point, "auto", form)
            program = problem.prompt + found.program if found.form == "completion" else found.program
            self.looks["tried"] += 1
            self.looks["extracted"] += found.kind != "no_program" and is_python(program)
        return True

    def _look_at_solution(self, text: str, problem: Problem) -> None:
        """Notice a body that belongs behind the prompt."""
        named = re.split(r"\W+", problem.entry_point)[-1] in text
        if named and not text.lstrip("\r\n")[:1].isspace():
            return
        if not is_python(text) and is_python(problem.prompt + text):
            self.looks["with_prompt"] += 1
        elif not named:
            self.looks["unnamed"] += 1

    def _look_at_completion(self, text: str, problem: Problem) -> None:
        """Notice a whole program that the prompt in front breaks, and a body whose first line lost its indentation."""
        whole = _WHOLE.match(text) is not None
        if text[:1].isspace() or not text or (whole and self._stands_alone(problem)):
            return
        if is_python(problem.prompt + text):
            return
        if is_python(text):
            self.looks["without_prompt"] += 1
        elif any(is_python(f"{problem.prompt}{indent}{text}") for indent in ("    ", "\t", "  ")):
            self.looks["stripped"] += 1

    def _stands_alone(self, problem: Problem) -> bool:
        if problem.task_id not in self._alone:
            self._alone[problem.task_id] = problem.prompt.endswith(("\n", "\r")) and is_python(problem.prompt)
        return self._alone[problem.task_id]
