"""`edittool bench`: build, show and verify benchmarks."""

import difflib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from ..benchmark.build import build_bench
from ..judging.options import SandboxOptions
from ..schemas.bench import SUBSETS, Bench
from ..schemas.changes import Change
from ..schemas.errors import InputError
from ..schemas.problems import Problem
from .bench_argument import find_problem, open_bench
from .console import plain, progress, results, talk
from .exit_codes import BAD_INPUT, DONE, UNJUDGED
from .sandbox_options import make_options, sandbox_options

if TYPE_CHECKING:
    from ..benchmark.certify import Certificate

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def bench() -> None:
    """Build, show and verify benchmarks.

    A benchmark is a folder: problems.jsonl, changes.jsonl and manifest.json. BENCH is such a folder, or the word
    builtin for the benchmark that comes with edittool.

    \b
    edittool bench show builtin
    edittool bench build --humaneval HumanEval.jsonl --no-changes -o plain
    edittool bench verify plain
    """


@bench.command()
@click.option("--humaneval", type=_FILE, metavar="FILE", help="Problems of HumanEval (HumanEval.jsonl).")
@click.option("--mbpp", type=_FILE, metavar="FILE", help="Problems of MBPP (mbpp.jsonl).")
@click.option("--problems", type=_FILE, metavar="FILE", help="Your own problems, in edittool's format.")
@click.option("--changes", type=_FILE, metavar="FILE", help="Your own changes, which --problems belong to.")
@click.option("--builtin", is_flag=True, help="The problems and changes that come with edittool.")
@click.option("--no-changes", is_flag=True, help="Ordinary problems only: no API is removed.")
@click.option("--name", help="Name of the benchmark.  [default: named after its sources]")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BENCH",
    help="Folder to write; a benchmark that is there already is replaced.",
)
def build(
    humaneval: Path | None,
    mbpp: Path | None,
    problems: Path | None,
    changes: Path | None,
    builtin: bool,
    no_changes: bool,
    name: str | None,
    output: Path,
) -> None:
    """Build a benchmark.

    \b
    edittool bench build --builtin -o bench
    edittool bench build --humaneval HumanEval.jsonl --mbpp mbpp.jsonl --no-changes -o plain
    edittool bench build --problems problems.jsonl --changes changes.jsonl -o own
    """
    sources = {"humaneval": humaneval, "mbpp": mbpp, "problems": problems, "changes": changes}
    given = {option: path for option, path in sources.items() if path is not None}
    _check_options(given, builtin, no_changes)
    found_problems, found_changes = _collect(given, builtin)
    made = build_bench(output, name or _default_name(given), found_problems, found_changes, given.values())
    talk.print(plain(f"{output}: {_in_words(made)}", "green"), soft_wrap=True)
    talk.print(plain(f"next: edittool bench verify {output}"), soft_wrap=True)


def _check_options(given: dict[str, Path], builtin: bool, no_changes: bool) -> None:
    if not given and not builtin:
        raise click.UsageError("Nothing to build from: give --humaneval, --mbpp, --problems or --builtin.")
    if builtin and (given or no_changes):
        raise click.UsageError("--builtin is a benchmark of its own: give it alone.")
    if "changes" in given and ("problems" not in given or no_changes):
        raise click.UsageError("--changes goes with --problems, and not with --no-changes.")
    if not no_changes and given.keys() & {"humaneval", "mbpp"}:
        raise InputError(
            "building certified changes on HumanEval and MBPP is not there yet. Add --no-changes for a benchmark of "
            "ordinary problems, or use the benchmark that comes with edittool: builtin."
        )


def _collect(given: dict[str, Path], builtin: bool) -> tuple[list[Problem], list[Change]]:
    from ..benchmark.humaneval import load_humaneval
    from ..benchmark.mbpp import load_mbpp
    from ..benchmark.own import load_changes, load_problems

    if builtin:
        made = open_bench("builtin")
        return list(made.problems.values()), list(made.changes.values())
    changes = load_changes(given["changes"]) if "changes" in given else []
    problems: list[Problem] = []
    if "humaneval" in given:
        problems += load_humaneval(given["humaneval"])
    if "mbpp" in given:
        problems += load_mbpp(given["mbpp"])
    if "problems" in given:
        problems += load_problems(given["problems"], changes)
    return problems, changes


def _default_name(given: dict[str, Path]) -> str:
    names = [given[option].stem if option == "problems" else option for option in given if option != "changes"]
    return "+".join(names) or "builtin"


def _in_words(made: Bench) -> str:
    counts = made.manifest["counts"]
    subsets = ", ".join(f"{counts[subset]} {subset}" for subset in SUBSETS)
    return f"{counts['problems']} problems ({subsets}), {counts['changes']} changes"


@bench.command()
@click.argument("name", metavar="BENCH")
@click.option("--task", metavar="ID", help="Show this one problem, and how its solution changes.")
@click.option("--tasks", is_flag=True, help="List the problems: task, subset, change; one line each.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(name: str, task: str | None, tasks: bool, as_json: bool) -> None:
    """Show what a benchmark holds.

    \b
    edittool bench show builtin
    edittool bench show builtin --tasks
    edittool bench show builtin --task builtin/dot_product
    """
    made = open_bench(name)
    if task is not None:
        problem = find_problem(made, task)
        _print_json(_problem_json(made, problem)) if as_json else _print_problem(made, problem)
    elif tasks:
        for problem in made.problems.values():
            click.echo(plain(f"{problem.task_id}\t{problem.subset}\t{problem.change_id or '-'}").plain)
    elif as_json:
        changes = [change.to_row() | {"problems": _subset_counts(made, change)} for change in made.changes.values()]
        _print_json({"manifest": dict(made.manifest), "sha256": made.digest(), "changes": changes})
    else:
        _print_bench(made)


def _problem_json(made: Bench, problem: Problem) -> dict[str, object]:
    change = None if problem.change_id is None else made.changes[problem.change_id].to_row()
    return {"problem": problem.to_row(), "change": change}


def _subset_counts(made: Bench, change: Change) -> dict[str, int]:
    own = [problem.subset for problem in made.problems.values() if problem.change_id == change.change_id]
    return {"reliability": own.count("reliability"), "generalization": own.count("generalization")}


def _print_json(data: object) -> None:
    click.echo(json.dumps(data, indent=2))


def _print_bench(made: Bench) -> None:
    results.print(plain(f"{made.name}: {_in_words(made)}", "bold"), soft_wrap=True)
    results.print(plain(f"sha256 {made.digest()}", "dim"), soft_wrap=True)
    if not made.changes:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("deprecated", "replacement", "usage"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rel.", "gen."):
        table.add_column(heading, justify="right")
    for change in made.changes.values():
        numbers = [str(count) for count in _subset_counts(made, change).values()]
        table.add_row(plain(change.deprecated), plain(change.replacement), change.usage, *numbers)
    results.print(table)


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
    if problem.updated_solution is None:
        yield from (plain(line) for line in old)
        return
    new = problem.updated_solution.splitlines()
    for line in difflib.unified_diff(old, new, "solution", "updated_solution", n=len(old), lineterm=""):
        yield plain(line, "bold" if line[:3] in ("---", "+++") else _DIFF_STYLES.get(line[:1], ""))


@bench.command()
@click.argument("name", metavar="BENCH")
@click.option("--files-only", is_flag=True, help="Check the files alone: no sandbox is needed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sandbox_options
def verify(name: str, files_only: bool, as_json: bool, **sandbox: Any) -> int:
    """Check the files of a benchmark, then each problem in the sandbox.

    Files: hashes, schemas, unique ids. Sandbox: the reference passes, fails once its API is gone, and passes again
    when it is rewritten. Exit code 0 where all of it holds, 2 where something does not, 1 where the sandbox could not
    tell.

    \b
    edittool bench verify builtin
    edittool bench verify my-bench --json > certificate.json
    """
    made = open_bench(name)
    if files_only:
        _print_json({"bench": made.name, "sha256": made.digest()}) if as_json else _print_bench(made)
        return DONE
    return _certify(made, make_options(**sandbox), as_json)


def _certify(made: Bench, options: SandboxOptions, as_json: bool) -> int:
    from ..benchmark.certify import certify, plan

    with progress() as bar:
        task = bar.add_task("certifying", total=len(plan(made)[0]))
        certificate = certify(made, options, on_check=lambda check: bar.advance(task))
    _print_json(certificate.to_json()) if as_json else _print_certificate(certificate)
    if certificate.with_state("violated"):
        talk.print(plain(f"{made.name} is not certified: leave out or repair the problems named above.", "red"))
        return BAD_INPUT
    return UNJUDGED if certificate.with_state("unknown") else DONE


def _print_certificate(certificate: "Certificate") -> None:
    table = Table("condition", "holds", "violated", "unknown", "unchecked", box=None, header_style="bold")
    for condition, counts in certificate.counts().items():
        table.add_row(condition, *map(str, counts.values()))
    results.print(table)
    for check in (*certificate.with_state("violated"), *certificate.with_state("unknown")):
        results.print(plain(f"{check.state}: {check.task_id}, {check.condition}: {check.seen}"), soft_wrap=True)
