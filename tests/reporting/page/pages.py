"""A benchmark, verdicts and a page of the tests' own, hostile in every text that a file can bring."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edittool.reporting.build import build_report
from edittool.reporting.options import Options
from edittool.reporting.page.bodies import Bodies
from edittool.reporting.page.page import write_page
from edittool.reporting.read.verdict_files import VerdictReader
from edittool.reporting.read.verdict_frame import Observations, observe
from edittool.reporting.report import Report
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test
from edittool.schemas.verdicts import Verdict

ATTACK = "</script><script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>"
HOSTILE = f"{ATTACK}<!--{{{{ 7 * 7 }}}}\u2028\u202e\x00\x1b[31mred\x1b[0m\u200b&lt;]]>'\"\\"
LONG_LINE = "x" * 100_000
HOSTILE_TASK = f'rel/0 "it\'s" {ATTACK} \u202eesrever \x1b[2J'
HOSTILE_MODEL = f"<b>=cmd()</b>{ATTACK}{'very-long-name-' * 12}"
METHODS = ("none", "ft", "rome")
PER_TASK = 5


@dataclass(frozen=True)
class Made:
    """A page and what it was made from; `verdicts` in the order in which they were read."""

    path: Path
    observations: Observations
    report: Report
    verdicts: list[Verdict]


def bench_in(folder: Path) -> Bench:
    """Return a benchmark of two changes, with 12 problems in each subset; the first one's name is hostile."""
    problems = [problem(subset, place) for subset in ("rel", "gen", "spe") for place in range(12)]
    return write_bench(folder, f"small {ATTACK}", problems, [change("len"), change("max")])


def problem(subset: str, place: int) -> Problem:
    name = HOSTILE_TASK if (subset, place) == ("rel", 0) else f"{subset}/{place}"
    word = ("len", "max")[place % 2]
    whole = {"rel": "reliability", "gen": "generalization", "spe": "specificity"}[subset]
    solution = f"def f(x):\n    # one\n    return {word}(x)\n"
    return Problem(
        task_id=name,
        prompt="def f(x):\n",
        entry_point="f",
        solution=solution,
        tests=(Test("", "assert f([1]) == 1"), Test("x = 2", f"assert f([x]) # {ATTACK}")),
        subset=whole,
        change_id=None if subset == "spe" else word,
        updated_solution=None if subset == "spe" else solution.replace(word, f"my_{word}"),
    )


def change(name: str) -> Change:
    return Change(
        name, name, f"my_{name}", "renamed", f"my_{name}(x)", f"my_{name} = {name}\n", f"In place of {ATTACK}"
    )


def verdicts_for(bench: Bench) -> Iterator[dict]:
    """Yield verdicts of three methods in two worlds, of all outcomes and labels in turn."""
    numbers = itertools.count()
    for method, world, task in itertools.product(METHODS, ("own", "none"), bench.problems.values()):
        if world == "none" and method != "none":
            continue
        for index in range(PER_TASK):
            yield verdict(bench, task, method, world, index, next(numbers))


def verdict(bench: Bench, task: Problem, method: str, world: str, index: int, number: int) -> dict:
    passed = (number * 7 + len(method)) % 3
    active = [task.change_id] if task.change_id and world == "own" else []
    error = {"type": "NameError", "message": HOSTILE, "line": 3, "kind": "missing_name"}
    labels = ("no_adoption", "misuse", "correct_adoption")
    return {
        "sample_id": f"{0 if task.change_id is None and method == 'none' else number:x}-{task.task_id}-{index}",
        "task_id": task.task_id,
        "completion": f"    # {HOSTILE}\n    return {number} # {LONG_LINE if number % 50 == 0 else ''}\n",
        "model": HOSTILE_MODEL,
        "method": method,
        "regime": "none" if method == "none" else "instant",
        "step": int(method != "none"),
        "edited": [] if method == "none" else [task.change_id or "len"],
        "active_changes": active or ([] if method == "none" else ["len"]),
        "sample_index": index,
        "compiles": passed > 0,
        "tests_passed": passed,
        "tests_total": 2,
        "tests": [{"passed": place < passed, "error": None if place < passed else error} for place in range(2)],
        "outcome": ("failed", "partial", "passed")[passed],
        "label": labels[passed] if active else None,
        "error": None if passed == 2 else error,
        "output": HOSTILE,
        "uses": [{"name": f"my_{task.change_id}", "kind": "call", "line": 2}] if task.change_id else [],
        "calls": {HOSTILE: 3},
        "disagreement": HOSTILE,
        "bench_sha256": bench.digest(),
    } | ({"label_detail": ("stale_use", "wrong_result", "clean")[passed]} if active else {})


def make_page(folder: Path, bench: Bench, verdicts: Iterable[dict]) -> Made:
    """Write `verdicts`, read them as the command does, and return the page made from them."""
    source = folder / "verdicts.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in verdicts), encoding="ascii")
    reader, bodies, kept = VerdictReader(bench, [source]), Bodies(), []

    def keep(found: Verdict, task: Problem) -> None:
        kept.append(found)
        bodies.add(found, task)

    observations = observe(bench, reader, keep)
    report = build_report(observations, reader, Options(resamples=100))
    path = folder / "report.html"
    write_page(path, report, observations, bodies)
    return Made(path, observations, report, kept)
