"""A small set of verdicts of which every figure can be worked out on paper.

`python -m tests.reporting.known_truth DIR` writes the benchmark, DIR/bench, and the files of verdicts, DIR/*.jsonl.

A letter is a sample. What the letters of a problem come to is in `expected/`, a file for each table of the report, with
the letters beside the figures; `slow_reference.py` works the figures and their intervals out once more, in loops.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.jsonl import write_rows
from edittool.schemas.problems import Problem, Test

TESTS = 4

# change: kind of API (None: the benchmark does not say), usage, place in the sequence
CHANGES = {
    "len": ("builtin_function", "renamed", 1),
    "os.path.join": ("module_function", "keyword_only", 2),
    "str.split": (None, "renamed", 3),
}

# problem: subset, change. No verdict is about G/split.
PROBLEMS = {
    "R/len": ("reliability", "len"),
    "R/join": ("reliability", "os.path.join"),
    "R/split": ("reliability", "str.split"),
    "G/len": ("generalization", "len"),
    "G/join": ("generalization", "os.path.join"),
    "G/split": ("generalization", "str.split"),
    "S/a": ("specificity", None),
    "S/b": ("specificity", None),
}


@dataclass(frozen=True)
class Letter:
    """What is known of a sample: label and detail count only where its problem's change is active.

    `failure` is the category of FAILURES that it belongs to; `passed` of TESTS tests passed.
    """

    outcome: str
    compiles: bool
    passed: int
    failure: str | None = None
    label: str | None = None
    detail: str | None = None
    kind: str | None = None  # of the error that the verdict begins with
    test_kind: str | None = None  # of the error of each test that did not pass
    called: str | None = "not_called"  # how the replacement was called; None where that is not known


LETTERS = {
    "A": Letter("passed", True, TESTS, None, "correct_adoption", "clean", called="right"),
    "M": Letter("passed", True, TESTS, None, "correct_adoption", "mixed", called="right"),
    "W": Letter("passed", True, TESTS, None, "workaround", "other_api"),
    "w": Letter("passed", True, TESTS, None, "workaround", called=None),
    "P": Letter("passed", True, TESTS),
    "p": Letter("partial", True, 1, "wrong_result", "misuse", "wrong_result", test_kind="assertion", called="right"),
    "r": Letter("failed", True, 0, "wrong_result", "misuse", "wrong_result", test_kind="assertion", called="right"),
    "x": Letter("partial", True, 3, "exception", "no_adoption", "other", test_kind="exception"),
    "n": Letter("failed", False, 0, "missing_api", "no_adoption", "stale_use", test_kind="missing_name"),
    "b": Letter(
        "partial", False, 2, "ill_called_api", "misuse", "wrong_arguments", test_kind="bad_call", called="ill_called"
    ),
    "e": Letter("load_error", False, 0, "missing_entry_point", "no_adoption", "other", kind="missing_entry_point"),
    "N": Letter("load_error", False, 0, "no_program", "no_adoption", "other", kind="no_program"),
    "l": Letter("load_error", False, 0, "load", "no_adoption", "does_not_compile", kind="exception"),
    "s": Letter("syntax_error", False, 0, "syntax", "no_adoption", "does_not_compile", kind="syntax"),
    "t": Letter("timeout", True, 0, "timeout", "misuse", "timeout", kind="timeout", called=None),
    "m": Letter("out_of_memory", True, 0, "out_of_memory", "no_adoption", "out_of_memory", kind="out_of_memory"),
    "o": Letter("output_limit", True, 0, "output_limit", "no_adoption", "output_limit", kind="output_limit"),
    "c": Letter("crashed", True, 0, "crashed", "misuse", "crashed", kind="exit", called="right"),
    "u": Letter("failed", True, 0, "unknown", "no_adoption", "other"),
    "!": Letter("sandbox_error", False, 0, kind="sandbox"),
}


@dataclass(frozen=True)
class Group:
    """The samples of one state of a model in one kind of world: a string of LETTERS for each problem.

    `setting` is what the tests call the setting by. A problem of a change ran in its own world, or with `own` False
    with no change active; one without a change in the world `background`. `same` holds fields of all its verdicts.
    """

    setting: str
    file: str
    same: dict[str, Any]
    letters: dict[str, str]
    edited: tuple[str, ...] = ()
    background: tuple[str, ...] = ()
    own: bool = True

    def active(self, task: str) -> tuple[str, ...]:
        """Return the changes that are active for what was sampled on `task`."""
        change = PROBLEMS[task][1]
        return self.background if change is None else (change,) if self.own else ()


def edit(
    learned: str, nll: str, rank: str, *, tokens: int = 8, norm: float | None = 0.5, rounded: float = 0.25
) -> dict[str, Any]:
    """Return an edit record: numbers before, after and now, each with blanks between, "-" for none."""
    requests = 4
    made: dict[str, Any] = {"requests": requests, "target_tokens": tokens, "norm": norm, "rounded": rounded}
    for when, found, loss, place in zip(
        ("before", "after", "now"), learned.split(), nll.split(), rank.split(), strict=False
    ):
        made |= {
            f"learned_{when}": int(found),
            f"nll_{when}": None if loss == "-" else float(loss),
            f"greedy_tokens_{when}": int(found) / requests,
            f"first_rank_{when}": float(place),
        }
    return made


# What each edit did to its own targets, by setting and change; of several changes at once, by all of them. The second
# step of the sequence says of the first change what is left of it. beta's verdicts were made by an earlier version.
EDITS: dict[tuple[str, str], dict[str, Any]] = {
    ("alpha ft", "len"): edit("0 4", "4 0.5", "9 1"),
    ("alpha ft", "os.path.join"): edit("1 3", "5 1", "3 1", tokens=24, norm=0.25),
    ("alpha ft", "str.split"): edit("0 0", "6 -", "7 5", rounded=0.75),
    ("alpha rome 1", "len"): edit("0 4 4", "4 0.5 0.5", "9 1 1"),
    ("alpha rome 2", "len"): edit("0 4 2", "4 0.5 2.5", "9 1 2"),
    ("alpha rome 2", "os.path.join"): edit("1 4 4", "5 1 1", "3 1 1", tokens=24),
    ("alpha rome 3", "len"): edit("0 4 0", "4 0.5 6", "9 1 8"),
    ("alpha rome 3", "os.path.join"): edit("1 4 1", "5 1 5", "3 1 4", tokens=24),
    ("alpha rome 3", "str.split"): edit("0 1 1", "6 3 3", "7 2 2"),
    ("alpha batch", "len, os.path.join, str.split"): edit("0 1", "5 3", "8 4", tokens=32, norm=None),
}


@dataclass(frozen=True)
class Unit:
    """Samples of one problem, from one state of a model in one world."""

    task: str
    active: tuple[str, ...]
    edited: tuple[str, ...]
    letters: str

    @property
    def subset(self) -> str:
        return PROBLEMS[self.task][0]

    @property
    def change(self) -> str | None:
        return PROBLEMS[self.task][1]


_UNEDITED = {"method": "none", "regime": "none"}
_FT = {"method": "ft", "regime": "instant", "step": 1, "hparams_sha256": "f" * 64}
_ROME = {"method": "rome", "subject": "call", "target": "call", "hparams_sha256": "e" * 64}
_ALPHA, _BETA = {"model": "alpha"}, {"model": "beta"}


def _sequence(step: int, letters: dict[str, str]) -> Group:
    edited = tuple(CHANGES)[:step]
    same = _ALPHA | _ROME | {"regime": "sequential", "step": step}
    return Group(f"alpha rome {step}", "rome", same, letters, edited, edited[-1:])


def _instant(change: str, letters: dict[str, str]) -> Group:
    return Group("alpha ft", "ft", _ALPHA | _FT, letters, (change,), (change,))


_WITHOUT_CHANGE = {"S/a": "PPPr", "S/b": "PPu"}  # the same in both worlds: each verdict stands in two files
_REPEATED = "repeated"  # the setting of what stands in another file too

GROUPS = (
    Group(
        "alpha own",
        "unedited",
        _ALPHA | _UNEDITED,
        {"R/len": "nnnWn", "R/join": "nWr", "G/len": "Wp", "G/join": "n"},
    ),
    Group(_REPEATED, "unedited", _ALPHA | _UNEDITED, _WITHOUT_CHANGE),
    # the unedited model's samples in the worlds of two of the edits
    Group("alpha own", "unedited", _ALPHA | _UNEDITED, {"S/a": "PPPn"}, background=("len",)),
    Group("alpha own", "unedited", _ALPHA | _UNEDITED, {"S/a": "PPPP"}, background=("os.path.join",)),
    Group(
        "alpha none",
        "none",
        _ALPHA | _UNEDITED,
        {"R/len": "PPPPP", "R/join": "PPr", "R/split": "PP", "G/len": "Px", "G/join": "P", **_WITHOUT_CHANGE},
        own=False,
    ),
    _instant("len", {"R/len": "AAbrA", "G/len": "AW", "S/a": "PPrr", "S/b": "Pnn"}),
    _instant("os.path.join", {"R/join": "tmo", "G/join": "cs", "S/a": "PPPP", "S/b": "PPP"}),
    _instant("str.split", {"R/split": "A!l", "S/a": "eeeN", "S/b": "!!"}),
    _sequence(1, {"R/len": "AAAA", "G/len": "AA", "S/a": "PPPP", "S/b": "PPP"}),
    _sequence(2, {"R/len": "AArr", "R/join": "AA", "G/len": "Ap", "G/join": "A", "S/a": "PPrr", "S/b": "Prr"}),
    _sequence(
        3,
        {"R/len": "bbbb", "R/join": "Ab", "R/split": "A", "G/len": "ss", "G/join": "b", "S/a": "rrrr", "S/b": "nnn"},
    ),
    Group(
        "alpha batch",
        "rome",
        _ALPHA | _ROME | {"regime": "batch", "step": 3},
        {"R/len": "MMb", "R/join": "w", "G/len": "r", "S/a": "PP", "S/b": "P"},
        tuple(CHANGES),
    ),
    Group("beta own", "beta", _BETA | _UNEDITED, {"R/len": "n", "S/a": "P"}),
    Group("beta ft", "beta", _BETA | _FT, {"R/len": "A", "G/len": "W", "S/a": "r"}, ("len",), ("len",)),
)


def units_of(setting: str) -> list[Unit]:
    """Return the units of a setting; what counts in two worlds is in both."""
    return [
        Unit(task, group.active(task), group.edited, letters)
        for group in GROUPS
        if group.setting == setting
        for task, letters in group.letters.items()
    ]


def write_truth_bench(folder: Path) -> Bench:
    """Write the benchmark to `folder` and return it."""
    tests = tuple(Test("", f"assert candidate({i}) == {i}") for i in range(TESTS))
    problems = [
        Problem(task, "def f(x):\n", "f", "def f(x):\n    return x\n", tests, subset, change)
        for task, (subset, change) in PROBLEMS.items()
    ]
    return write_bench(folder, "known truth", problems, [_change(name) for name in CHANGES])


def _change(name: str) -> Change:
    kind, usage, order = CHANGES[name]
    new = f"my_{name.replace('.', '_')}"
    return Change(name, name, new, usage, f"{new}(x)", f"{new} = abs\n", "", order=order, kind=kind)


def truth_files(bench: Bench) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each file of verdicts, by the file's name."""
    files: dict[str, list[dict[str, Any]]] = {}
    for group in GROUPS:
        files.setdefault(f"{group.file}.jsonl", []).extend(_verdicts(group, bench))
    return files


def _verdicts(group: Group, bench: Bench) -> Iterator[dict[str, Any]]:
    for task, letters in group.letters.items():
        for index, letter in enumerate(letters):
            sample = " ".join([*map(str, group.same.values()), *group.edited, task, str(index)])
            about = {
                "sample_id": sample,
                "task_id": task,
                "sample_index": index,
                "solution": f"def f(x):\n    return x  # {letter}\n",
                "active_changes": list(group.active(task)),
                "edited": list(group.edited),
                "bench_sha256": bench.digest(),
            }
            yield (
                group.same
                | about
                | _edit(group, task)
                | _found(LETTERS[letter], PROBLEMS[task][1] in group.active(task))
            )


def _edit(group: Group, task: str) -> dict[str, Any]:
    """Return the record that a row has: of its own problem's edit, else of the newest."""
    change = PROBLEMS[task][1]
    one = [change] if change in group.edited else list(group.edited[-1:])
    for changes in (one, list(group.edited)):
        if record := EDITS.get((group.setting, ", ".join(map(str, changes)))):
            return {"edit": {"changes": changes, **record}}
    return {}


def _found(letter: Letter, with_label: bool) -> dict[str, Any]:
    error = None if letter.kind is None else {"type": "Error", "message": "what went wrong", "kind": letter.kind}
    test_error = letter.test_kind and {"type": "Error", "message": "what went wrong", "kind": letter.test_kind}
    detail = {"label_detail": letter.detail} if with_label and letter.detail else {}
    called = {"called": letter.called} if with_label and letter.called and letter.kind != "sandbox" else {}
    return (
        detail
        | called
        | {
            "compiles": letter.compiles,
            "tests_passed": letter.passed,
            "tests_total": TESTS,
            "outcome": letter.outcome,
            "label": letter.label if with_label else None,
            "error": error,
            "tests": [{"passed": True}] * letter.passed
            + [{"passed": False, "error": test_error}] * (TESTS - letter.passed),
        }
    )


def write_truth(folder: Path) -> tuple[Bench, list[Path]]:
    """Write the benchmark and the files of verdicts to `folder`; return the benchmark and the files' paths."""
    bench = write_truth_bench(folder / "bench")
    files = truth_files(bench)
    for name, rows in files.items():
        write_rows(folder / name, rows)
    return bench, [folder / name for name in files]


if __name__ == "__main__":
    for path in write_truth(Path(sys.argv[1]))[1]:
        print(path)
