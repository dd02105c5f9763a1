"""`edittool bench show`: what a benchmark holds, and one problem of it."""

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from ...benchmark.shipped import SHIPPED
from ...schemas.bench import Bench, load_rejections
from ...schemas.changes import Change
from ...schemas.problems import Problem
from ...schemas.rejections import Rejection
from ..shared.bench_argument import find_problem, open_bench
from ..shared.console import plain, print_whole, results, talk
from .build import in_words


@click.command()
@click.argument("name", metavar="BENCH")
@click.option("--task", metavar="ID", help="Show this one problem, and how its solution changes.")
@click.option("--tasks", is_flag=True, help="List the problems: task, subset, change; one line each.")
@click.option("--rejected", is_flag=True, help="List what was left out, and why.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; it can go with each of the others.")
def show(name: str, task: str | None, tasks: bool, rejected: bool, as_json: bool) -> None:
    """Show what a benchmark holds.

    \b
    edittool bench show builtin
    edittool bench show numpy2
    edittool bench show builtin --tasks
    edittool bench show builtin --task builtin/dot_product
    edittool bench show bench --rejected
    edittool bench show bench --json
    """
    if (task is not None) + tasks + rejected > 1:
        raise click.UsageError("--task, --tasks and --rejected show different things: give one of them.")
    made = open_bench(name)
    if rejected:
        _print_rejections(made, [] if name in SHIPPED else load_rejections(Path(name)), as_json)
    elif task is not None:
        problem = find_problem(made, task)
        print_json(_problem_json(made, problem)) if as_json else _print_problem(made, problem)
    elif tasks:
        _print_tasks(made, as_json)
    elif as_json:
        changes = [change.to_row() | {"problems": _subset_counts(made, change)} for change in made.changes.values()]
        print_json({"manifest": dict(made.manifest), "sha256": made.digest(), "changes": changes})
    else:
        print_bench(made)


def _print_tasks(made: Bench, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {"task_id": problem.task_id, "subset": problem.subset, "change_id": problem.change_id}
                for problem in made.problems.values()
            ]
        )
        return
    for problem in made.problems.values():
        _print_fields(problem.task_id, problem.subset, problem.change_id or "-")


def _print_fields(*fields: str) -> None:
    click.echo(plain("\t".join(" ".join(field.split()) for field in fields)).plain)


def _problem_json(made: Bench, problem: Problem) -> dict[str, object]:
    change = None if problem.change_id is None else made.changes[problem.change_id].to_row()
    return {"problem": problem.to_row(), "change": change}


def _subset_counts(made: Bench, change: Change) -> dict[str, int]:
    own = [problem.subset for problem in made.problems.values() if problem.change_id == change.change_id]
    return {"reliability": own.count("reliability"), "generalization": own.count("generalization")}


def print_json(data: object) -> None:
    """Print `data` as JSON."""
    click.echo(json.dumps(data, indent=2))


def print_bench(made: Bench) -> None:
    """Print what a benchmark holds: per subset, kind of API and change, and what of it is certified."""
    results.print(plain(f"{made.name}: {in_words(made)}", "bold"), soft_wrap=True)
    results.print(plain(f"sha256 {made.digest()}", "dim"), soft_wrap=True)
    if not made.changes:
        return
    print_whole(_kind_table(made))
    print_whole(_change_table(made))
    if certification := made.manifest.get("certification"):
        results.print()
        print_whole(certification_table(certification["conditions"]))
    else:
        results.print(plain("\nno certification is recorded: `edittool bench verify` makes one", "dim"))


def _table(*headings: str, numbers: int) -> Table:
    """Return an empty table; its last `numbers` columns are aligned to the right."""
    table = Table(box=None, header_style="bold", pad_edge=False, title_justify="left")
    for place, heading in enumerate(headings):
        right = place >= len(headings) - numbers
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    return table


def _kind_table(made: Bench) -> Table:
    table = _table("kind of API", "changes", "rel.", "gen.", numbers=3)
    kinds = sorted({change.kind or "unknown" for change in made.changes.values()})
    for kind in kinds:
        own = [change for change in made.changes.values() if (change.kind or "unknown") == kind]
        counts = [_subset_counts(made, change) for change in own]
        numbers = [len(own), *(sum(count[subset] for count in counts) for subset in ("reliability", "generalization"))]
        table.add_row(kind, *map(str, numbers))
    return table


def _change_table(made: Bench) -> Table:
    table = _table("\ndeprecated", "\nreplacement", "\nusage", "\nrel.", "\ngen.", numbers=2)
    for change in made.changes.values():
        numbers = [str(count) for count in _subset_counts(made, change).values()]
        table.add_row(plain(change.deprecated), plain(change.replacement), change.usage, *numbers)
    return table


def certification_table(conditions: Mapping[str, Any]) -> Table:
    """Return, for each condition, how many checks ended in each state."""
    table = _table("certified", "holds", "violated", "unknown", "unchecked", numbers=4)
    for condition, states in conditions.items():
        table.add_row(
            plain(condition), *(str(states[state]) for state in ("holds", "violated", "unknown", "unchecked"))
        )
    return table


def _print_rejections(made: Bench, rejections: list[Rejection], as_json: bool) -> None:
    if as_json:
        print_json([rejection.to_row() for rejection in rejections])
        return
    for rejection in rejections:
        _print_fields(rejection.task_id or rejection.change_id or "", rejection.reason, rejection.detail)
    counts = Counter(("task" if one.task_id else "API", one.reason) for one in rejections)
    for (what, reason), count in sorted(counts.items()):
        talk.print(plain(f"{reason}: {count} {what}{'s' * (count > 1)}"))
    if not rejections:
        talk.print(plain(f"{made.name}: nothing was left out"))


def _print_problem(made: Bench, problem: Problem) -> None:
    results.print(plain(problem.task_id, "bold"), plain(problem.subset))
    if problem.change_id is not None:
        change = made.changes[problem.change_id]
        text = f"{change.deprecated} -> {change.signature} ({change.usage})\n{change.doc}"
        results.print(plain(text), soft_wrap=True)
    results.print()
    for line in _solution_lines(problem):
        results.print(line, soft_wrap=True)
    results.print(plain(f"\n{len(problem.tests)} tests", "bold"))
    for test in problem.tests:
        results.print(plain("\n".join(part for part in (test.setup, test.code) if part)), soft_wrap=True)


_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def _solution_lines(problem: Problem) -> Iterator[Text]:
    """Yield the solution, as a diff to the updated one where there is one."""
    old = problem.solution.splitlines()
    if problem.updated_solution is None or problem.needs_change:
        yield from (plain(line) for line in old)
        return
    new = problem.updated_solution.splitlines()
    for line in difflib.unified_diff(old, new, "solution", "updated_solution", n=len(old), lineterm=""):
        yield plain(line, "bold" if line[:3] in ("---", "+++") else _DIFF_STYLES.get(line[:1], ""))
