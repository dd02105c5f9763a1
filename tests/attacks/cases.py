"""The hostile programs, each with what judging has to say of it; README.md says how a case looks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edittool.judging.sandbox.job import Job
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test

HERE: Final = Path(__file__).parent
FAMILIES: Final = ("denial", "ends", "escape", "forgery", "leak", "protocol", "text", "theft")
GOOD: Final = "def summarize(numbers):\n    return [sum(numbers), max(numbers, default=None)]\n"

MEAN: Final = Change(
    change_id="statistics.mean",
    deprecated="statistics.mean",
    replacement="my_statistics_mean",
    usage="renamed",
    signature="my_statistics_mean(data)",
    shim="import statistics\ndef my_statistics_mean(data):\n    return statistics.mean(data)\n",
    doc="Return the mean.",
)
# The right answers stand beside a mark that a thief can look for.
PROBLEM: Final = Problem(
    task_id="attacks/summarize",
    prompt="def summarize(numbers):\n",
    entry_point="summarize",
    solution=GOOD,
    helpers='MARK = "SECRET[in-the-helpers]"\n',
    tests=(
        Test("", 'assert candidate([3, 1, 2]) == [6, 3], "SECRET[in-the-first-test]"'),
        Test("", 'assert candidate([]) == [0, None], "SECRET[in-the-second-test]"'),
        Test("", "assert candidate([-5]) == [-5, -5], candidate([-5])"),
        Test("result = candidate([4, 4])", "assert type(result) is list and result == [8, 4]"),
        Test("", "assert sorted(candidate([10, 20])) == [20, 30]"),
        Test("numbers = [5, 6]", "assert candidate(numbers) == [sum(numbers), max(numbers)]"),
    ),
    subset="reliability",
    change_id=MEAN.change_id,
)


@dataclass(frozen=True)
class Case:
    """A hostile program, or two in a row: the second looks for what the first has left."""

    name: str
    programs: tuple[str, ...]
    verdict: Mapping[str, Any]

    @property
    def family(self) -> str:
        """Return the name of the folder that the case stands in."""
        return self.name.partition("/")[0]

    @property
    def waits(self) -> bool:
        """Tell whether it takes the limit on wall time to end the program, or the tests that it holds up."""
        return self.verdict.get("limit") in ("wall", "runner")

    def jobs(self) -> list[Job]:
        """Return the jobs of the programs, and that of the good one which comes after them."""
        changes = (MEAN,) if self.verdict.get("world") else ()
        names = (self.name, f"{self.name}: the next")
        hostile = [Job(program, PROBLEM, changes, name) for name, program in zip(names, self.programs, strict=False)]
        return [*hostile, Job(GOOD, PROBLEM, (), f"{self.name}: the good one")]

    def expected(self, isolation: str, runtime: str = "") -> dict[str, Mapping[str, Any]]:
        """Return what each program's finding has to be, by the name of its job. `runtime` is "gvisor" there."""
        verdict = {self.name: self.verdict}
        if "next" in self.verdict:
            verdict[f"{self.name}: the next"] = self.verdict["next"]
        return {
            name: {**facts, **facts.get(isolation, {}), **facts.get(runtime, {})} for name, facts in verdict.items()
        }


def read_cases() -> list[Case]:
    """Return all cases, sorted by name."""
    return [_read(path.parent) for path in sorted((HERE / "cases").glob("*/*/verdict.json"))]


def _read(folder: Path) -> Case:
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    programs = [_read_program(folder, name, verdict.get("prelude")) for name in ("program", "next")]
    name = folder.relative_to(HERE / "cases").as_posix()
    return Case(name, tuple(program for program in programs if program is not None), verdict)


def _read_program(folder: Path, name: str, prelude: str | None) -> str | None:
    if (folder / f"{name}.json").exists():
        text: str = json.loads((folder / f"{name}.json").read_text(encoding="ascii"))
        return text
    if not (folder / f"{name}.py").exists():
        return None
    before = (HERE / "preludes" / f"{prelude}.py").read_text(encoding="utf-8") + "\n\n" if prelude else ""
    return before + (folder / f"{name}.py").read_text(encoding="utf-8")
