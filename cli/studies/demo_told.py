"""What happened in the demo, in three sentences, counted in its files of verdicts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...schemas.bench import Bench
from ...schemas.jsonl import read_rows

DOCUMENTED = "docs"  # the method that edits nothing, and documents the change in the prompt


@dataclass(slots=True)
class Count:
    """Programs: how many, how many passed, and how many adopted the replacement."""

    programs: int = 0
    passed: int = 0
    adopted: int = 0

    def add(self, outcome: str, label: str | None) -> None:
        """Count one."""
        self.programs += 1
        self.passed += outcome == "passed"
        self.adopted += label == "correct_adoption"


@dataclass(slots=True)
class Counts:
    """Those of one file, by the subset of their problems."""

    by_subset: dict[str, Count] = field(default_factory=dict)

    def adopted(self, subset: str) -> float:
        """Return the share of the programs for `subset` that adopted the replacement, from 0 to 1."""
        count = self.by_subset.get(subset, Count())
        return count.adopted / count.programs if count.programs else 0.0

    def passed(self, *subsets: str) -> float:
        """Return the share of the programs for `subsets` that passed, from 0 to 1."""
        counts = [count for subset, count in self.by_subset.items() if subset in subsets]
        programs = sum(count.programs for count in counts)
        return sum(count.passed for count in counts) / programs if programs else 0.0


def count(path: Path, bench: Bench) -> Counts:
    """Count the verdicts in a file, of a sequence those after its last edit; the sandbox's own errors are left out."""
    rows = [row.data for row in read_rows(path, "verdict")]
    last = max(row.get("step", 0) for row in rows)
    counts = Counts()
    for row in rows:
        if row.get("step", 0) == last and row["outcome"] != "sandbox_error":
            subset = bench.problems[row["task_id"]].subset
            counts.by_subset.setdefault(subset, Count()).add(row["outcome"], row["label"])
    return counts


def sentences(
    plain: Counts, worlds: Counts, methods: Mapping[str, Counts], sequences: Mapping[str, Counts]
) -> list[str]:
    """Say what happened: before the edits, in them, and what they cost.

    `plain` and `worlds` are of the unedited model, with no change active and in the worlds of the edits. `methods` are
    those that teach one change at a time, `sequences` one on top of the other.
    """
    edits = {name: counts for name, counts in methods.items() if name != DOCUMENTED}
    everything = ("reliability", "generalization", "specificity")
    before = (
        f"Before any edit, {_share(plain.passed(*everything))} of the tiny model's programs pass; once the old API is "
        f"gone, {_share(worlds.adopted('reliability'))} of them adopt the new one."
    )
    taught, unseen = (
        _each((name, counts.adopted(subset)) for name, counts in edits.items())
        for subset in ("reliability", "generalization")
    )
    told = methods.get(DOCUMENTED)
    in_prompts = (
        ""
        if told is None
        else (
            f"; with the documentation in its prompt, and no edit, in {_share(told.adopted('reliability'))} and "
            f"{_share(told.adopted('generalization'))}"
        )
    )
    learned = (
        f"Taught one change at a time, it adopts the new API on the problems that taught it in {taught}; on problems "
        f"that taught it nothing, in {unseen}{in_prompts}."
    )
    broken = [*edits.items(), *((f"{name} in a sequence", counts) for name, counts in sequences.items())]
    cost = (
        f"Of its programs for other problems, {_share(plain.passed('specificity'))} passed before; edited, "
        f"{_each((name, counts.passed('specificity')) for name, counts in broken)}."
    )
    return [before, learned, cost]


def _each(shares: Iterable[tuple[str, float]]) -> str:
    """Return shares with their names, those that are the same together, the largest first."""
    together: dict[str, list[str]] = {}
    for name, share in sorted(shares, key=lambda pair: -pair[1]):
        together.setdefault(_share(share), []).append(name)
    return "; ".join(f"{share} ({', '.join(names)})" for share, names in together.items())


def _share(share: float) -> str:
    """Return a share in percent; a little is not told as nothing, and not quite all not as all."""
    if 0 < share < 0.005:
        return "less than 1 %"
    if 0.995 <= share < 1:
        return "more than 99 %"
    return f"{share:.0%}".replace("%", " %")
