"""A problem: a prompt, its reference solution and its tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from .validation import find_fault

# What a row of samples says that no problem does.
_OF_SAMPLES: Final = frozenset({"completion", "sample_index", "model", "method", "raw", "extraction", "imported"})
Subset = Literal["reliability", "generalization", "specificity"]


@dataclass(frozen=True, slots=True)
class Test:
    """One test: `setup` and `code` run in the trusted process; it passes when neither raises."""

    setup: str
    code: str

    __test__ = False  # pytest: a record, not a test class


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of BENCH/problems.jsonl; the fields are described in problem.schema.json."""

    task_id: str
    prompt: str
    entry_point: str
    solution: str
    tests: tuple[Test, ...]
    subset: Subset
    change_id: str | None
    helpers: str = ""
    updated_solution: str | None = None
    fully_updated_solution: str | None = None
    uses: tuple[str, ...] = ()
    source: str = ""
    opaque: bool = False
    tags: tuple[str, ...] = ()
    needs_change: bool = False

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Make the record of a valid row."""
        return cls(
            task_id=row["task_id"],
            prompt=row["prompt"],
            entry_point=row["entry_point"],
            solution=row["solution"],
            tests=tuple(Test(test["setup"], test["code"]) for test in row["tests"]),
            subset=row["subset"],
            change_id=row["change_id"],
            helpers=row.get("helpers", ""),
            updated_solution=row.get("updated_solution"),
            fully_updated_solution=row.get("fully_updated_solution"),
            uses=tuple(row.get("uses", ())),
            source=row.get("source", ""),
            opaque=row.get("opaque", False),
            tags=tuple(row.get("tags", ())),
            needs_change=row.get("needs_change", False),
        )

    def to_row(self) -> dict[str, Any]:
        """Return the JSON object of this problem; optional fields only where they say something."""
        row: dict[str, Any] = {
            "task_id": self.task_id,
            "prompt": self.prompt,
            "entry_point": self.entry_point,
            "solution": self.solution,
            "tests": [{"setup": test.setup, "code": test.code} for test in self.tests],
            "subset": self.subset,
            "change_id": self.change_id,
        }
        optional = {
            "helpers": self.helpers or None,
            "updated_solution": self.updated_solution,
            "fully_updated_solution": self.fully_updated_solution,
            "uses": list(self.uses) or None,
            "source": self.source or None,
            "opaque": self.opaque or None,
            "tags": list(self.tags) or None,
            "needs_change": self.needs_change or None,
        }
        return row | {name: value for name, value in optional.items() if value is not None}


def is_problem(row: Mapping[str, Any]) -> bool:
    """Say whether `row` is a problem, and no sample that carries the fields of one."""
    return not row.keys() & _OF_SAMPLES and find_fault(row, "problem") is None
