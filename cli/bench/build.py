"""`edittool bench build`: a benchmark from data sets, own problems, own changes."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ...benchmark.sources.data_sets import SOURCES
from ...schemas.bench import SUBSETS, Bench
from ...schemas.jsonl import JsonlAppender
from ..shared.bench_argument import open_bench
from ..shared.console import plain, talk
from ..shared.exit_codes import DONE
from ..shared.observer import show_stages
from ..shared.sandbox_options import make_options, new_image, sandbox_options, two_images

if TYPE_CHECKING:
    from ...benchmark.build import Contents
    from ...benchmark.make_changes import Plan
    from ...benchmark.progress import Progress
    from ...benchmark.trials import Trials
    from ...judging.sandbox.options import SandboxOptions
    from ...schemas.changes import Change
    from ...schemas.problems import Problem
    from ...schemas.rejections import Rejection

_PLAN = ("preset", "apis", "min_problems", "seed", "order")  # how changes are made
_WITH_CHANGES = ("changes", "code_update_arena")  # files that bring changes of their own
_FILE = click.Path(path_type=Path, dir_okay=False)


def data_set_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` an option for each data set of the table SOURCES, in its order."""
    for name, source in reversed([*SOURCES.items()]):
        command = click.option(f"--{name}", type=_FILE, metavar="FILE", help=source.help)(command)
    return command


@click.command()
@data_set_options
@click.option(
    "--code-update-arena", type=_FILE, metavar="FILE", help="Updates of CodeUpdateArena: changes, with their problems."
)
@click.option("--problems", type=_FILE, metavar="FILE", help="Your own problems (YAML, JSONL).")
@click.option("--changes", type=_FILE, metavar="FILE", help="Your own changes (YAML, JSONL) to go with --problems.")
@click.option("--builtin", is_flag=True, help="The problems and changes that come with edittool.")
@click.option("--no-changes", is_flag=True, help="Ordinary problems only: no API is removed.")
@click.option(
    "--preset",
    type=click.Choice(["main", "full"]),
    default="main",
    show_default=True,
    help="main: APIs with 3 problems or more, len and range left alone. full: every API with 2 problems or more.",
)
@click.option("--apis", metavar="NAMES", help="Change these APIs only: names separated by commas.")
@click.option("--min-problems", type=click.IntRange(2), help="Problems that a change needs.  [default: the preset's]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the split and of the order.")
@click.option(
    "--order",
    type=click.Choice(["chance", "frequency"]),
    default="chance",
    show_default=True,
    help="Order of the changes in the sequential regime: drawn, or most problems first.",
)
@click.option("--no-certify", is_flag=True, help="Own changes: leave certification to `edittool bench verify`.")
@click.option("--name", help="Name of the benchmark.  [default: named after its sources]")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="BENCH",
    help="Folder to write; a benchmark that is there already is replaced.",
)
@two_images
@sandbox_options
def build(output: Path, builtin: bool, no_changes: bool, no_certify: bool, name: str | None, **given: Any) -> int:
    """Build a benchmark, and certify each of its API changes in the sandbox.

    Finds the APIs that the reference solutions use, makes a change of each that enough problems can show, rewrites the
    solutions, and keeps what is certified: the reference passes, it fails once the API is gone, the rewritten one
    passes with its own change and with all of them, and a mere rename is refused. What is left out stands, with the
    reason, in BENCH/rejected.jsonl. Interrupted, the same command goes on.

    \b
    Your own problems in YAML (JSONL has every field of docs/formats.md, one problem a line):
      - task_id: own/second_largest
        change_id: sorted             # left out in specificity
        subset: reliability           # or generalization, specificity
        prompt: |
          def second_largest(values):
              '''Return the second largest of the distinct values.'''
        completion: |                 # or solution: a whole program
          return sorted(set(values))[-2]
        updated_completion: |         # or updated_solution
          return my_builtin_sorted(values=set(values))[-2]
        tests: |                      # each assert is a test
          assert candidate([3, 9, 4, 9]) == 4

    \b
    edittool bench build --humaneval HumanEval.jsonl --mbpp mbpp.jsonl -o bench
    edittool bench build --mbpp mbpp.jsonl --apis sorted,str.split,sum -o three
    edittool bench build --humaneval HumanEval.jsonl --mbpp mbpp.jsonl --preset full -o full
    edittool bench build --problems problems.yaml --changes changes.yaml -o own
    edittool bench build --humaneval HumanEval.jsonl --no-changes -o plain
    """
    from ...benchmark.build import prepare_folder, write_contents

    files = {option: given.pop(option) for option in [*map(_key, SOURCES), "code_update_arena", "problems", "changes"]}
    files = {option: path for option, path in files.items() if path is not None}
    plan = {option: given.pop(option) for option in _PLAN}
    old_image = given.pop("old_image")
    _check_options(files, builtin, no_changes, no_certify)
    if old_image and "changes" not in files:
        raise click.UsageError("--old-image goes with --changes: it has the library before them.")
    new_image(given)
    contents = _collect(files, plan, builtin, no_changes, no_certify, output, make_options(**given), old_image)
    contents = replace(contents, name=name or _default_name(files, plan, contents))
    with JsonlAppender(prepare_folder(output)):  # refuses where another build is at work
        made = write_contents(output, contents, files.values())
    talk.print(plain(f"{output}: {in_words(made)}", "green"), soft_wrap=True)
    folder = shlex.quote(str(output))
    if contents.rejections:
        talk.print(plain(f"{_left_out(contents)}; why: edittool bench show {folder} --rejected"), soft_wrap=True)
    following = "show" if contents.certification else "verify"
    talk.print(plain(f"next: edittool bench {following} {folder}"), soft_wrap=True)
    return DONE


def _key(source: str) -> str:
    return source.replace("-", "_")


def _check_options(files: dict[str, Path], builtin: bool, no_changes: bool, no_certify: bool) -> None:
    if not files and not builtin:
        raise click.UsageError(
            "Nothing to build from: give --humaneval, --mbpp, --problems, --code-update-arena or --builtin."
        )
    if builtin and (files or no_changes):
        raise click.UsageError("--builtin is a benchmark of its own: give it alone.")
    if "changes" in files and ("problems" not in files or no_changes):
        raise click.UsageError("--changes goes with --problems, and not with --no-changes.")
    if "code_update_arena" in files and no_changes:
        raise click.UsageError("--code-update-arena brings changes of its own: leave --no-changes out.")
    for data_set in ("humaneval", "mbpp"):
        if data_set in files and f"{data_set}_plus" in files:
            raise click.UsageError(
                f"--{data_set} and --{data_set}-plus are the same problems with other tests: give one of them."
            )
    kept = "--builtin" if builtin else "--no-changes" if no_changes else None
    kept = kept or next((f"--{name.replace('_', '-')}" for name in _WITH_CHANGES if name in files), None)
    if kept and (unused := _given(_PLAN)):
        raise click.UsageError(f"{unused} say how changes are made, and with {kept} none are: leave one of them out.")
    if no_certify and not any(name in files for name in _WITH_CHANGES):
        raise click.UsageError(
            "--no-certify goes with --changes or --code-update-arena: changes that are made here are always certified."
        )


def _given(options: tuple[str, ...]) -> str:
    """Return which of `options` were given on the command line."""
    context = click.get_current_context()
    given = [name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    return ", ".join(f"--{name.replace('_', '-')}" for name in given)


def _collect(
    files: dict[str, Path],
    plan: dict[str, Any],
    builtin: bool,
    no_changes: bool,
    no_certify: bool,
    output: Path,
    options: "SandboxOptions",
    old_image: str | None,
) -> "Contents":
    from ...benchmark.build import Contents, check_unique

    if builtin:
        made = open_bench("builtin")
        return Contents("builtin", list(made.problems.values()), list(made.changes.values()))
    problems, changes, rejections, updates = _load(files)
    check_unique(problems)
    if no_changes or no_certify:
        return Contents("", problems, changes, rejections)
    if any(name in files for name in _WITH_CHANGES):
        return _certify(problems, changes, rejections, updates, output, options, old_image)
    return _generate(problems, _make_plan(plan), rejections, output, options)


def _load(files: dict[str, Path]) -> tuple[list["Problem"], list["Change"], list["Rejection"], frozenset[str]]:
    """Return the problems, changes and rejections of `files`, and the ids of the changes that are updates of a set."""
    from ...benchmark.own.changes import load_changes
    from ...benchmark.own.problems import load_problems
    from ...benchmark.sources.code_update_arena import load_code_update_arena
    from ...benchmark.sources.data_sets import load_sources
    from ...schemas.errors import InputError

    changes = load_changes(files["changes"]) if "changes" in files else []
    problems, rejections = load_sources({name: files[_key(name)] for name in SOURCES if _key(name) in files})
    if "problems" in files:
        problems += load_problems(files["problems"], changes)
    if "code_update_arena" not in files:
        return problems, changes, rejections, frozenset()
    updates = load_code_update_arena(files["code_update_arena"])
    ids = frozenset(one.change_id for one in updates.changes)
    if twice := ids & {one.change_id for one in changes}:
        raise InputError(f"the change {min(twice)!r} stands twice in what you gave. Remove one.")
    return [*problems, *updates.problems], [*changes, *updates.changes], [*rejections, *updates.rejections], ids


def _make_plan(given: dict[str, Any]) -> "Plan":
    from ...benchmark.make_changes import PRESETS, check_apis

    plan = replace(PRESETS[given["preset"]], seed=given["seed"], order=given["order"])
    if given["apis"] is not None:
        apis = frozenset(name.strip() for name in given["apis"].split(",") if name.strip())
        if not apis:
            raise click.UsageError("--apis names no API: give names like sorted,str.split,math.sqrt.")
        plan = replace(plan, apis=apis, untouched=plan.untouched - apis)
        check_apis(plan)
    return replace(plan, min_problems=given["min_problems"] or plan.min_problems)


def _generate(
    problems: list["Problem"], plan: "Plan", rejections: list["Rejection"], output: Path, options: "SandboxOptions"
) -> "Contents":
    from ...benchmark.build import Contents
    from ...benchmark.make_changes import certification_record, generate

    with _sandbox(options, output) as (trials, progress):
        made = generate(problems, plan, trials, progress)
    return Contents(
        plan.name,
        list(made.bench.problems.values()),
        list(made.bench.changes.values()),
        [*rejections, *made.rejections],
        certification_record(made.certificate, trials.image, plan),
        plan.seed,
    )


def _certify(
    problems: list["Problem"],
    changes: list["Change"],
    rejections: list["Rejection"],
    updates: frozenset[str],
    output: Path,
    options: "SandboxOptions",
    old_image: str | None,
) -> "Contents":
    """Certify own changes, where what fails is an error, and `updates` of a set, which are left out where they fail."""
    from ...benchmark.build import Contents
    from ...benchmark.certify import certify, keep_certified
    from ...benchmark.make_changes import certification_record
    from ...benchmark.sources.code_update_arena import divide, without_worlds
    from ...judging.world_check import check_worlds, find_faults

    with _sandbox(options, output) as (trials, progress):
        check_worlds([one for one in changes if one.change_id not in updates], options)
        ours = [one for one in changes if one.change_id in updates]
        faults = dict(zip([one.change_id for one in ours], find_faults(ours, options), strict=True))
        problems, gone = without_worlds(problems, faults)
        changes = [one for one in changes if faults.get(one.change_id) is None]
        rejections = [*rejections, *gone]
        old = trials.beside(old_image) if old_image else None
        while True:
            _require_problems(problems, rejections)
            bench = Bench("", {one.task_id: one for one in problems}, {one.change_id: one for one in changes})
            certificate = certify(bench, trials, progress=progress, old=old)
            kept, failed = keep_certified(bench, certificate, updates)
            lone = {one.change_id for one in failed if one.change_id is not None}
            if not lone:
                break
            # The world of all changes, which some problems are asked in, is another without these.
            changes = [one for one in changes if one.change_id not in lone]
            problems = [one for one in problems if one.change_id not in lone]
            dropped = {one.task_id for one in bench.problems.values() if one.change_id in lone}
            rejections += [one for one in failed if one.change_id in lone or one.task_id in dropped]
    kept = [
        *(one for one in kept if one.change_id not in updates),
        *divide([one for one in kept if one.change_id in updates]),
    ]
    record = certification_record(certificate, trials.image) | ({"old_image": old_image} if old_image else {})
    return Contents("", kept, changes, [*rejections, *failed], record)


def _require_problems(problems: list["Problem"], rejections: list["Rejection"]) -> None:
    """Raise InputError where nothing is left to certify, with what was said of the first that was left out."""
    from ...schemas.errors import InputError

    if not problems:
        reasons = [f"{one.task_id or one.change_id}, {one.reason}: {one.detail}" for one in rejections[:5]]
        raise InputError("no problem is left of what you gave:\n" + "\n".join(f"  {reason}" for reason in reasons))


@contextmanager
def _sandbox(options: "SandboxOptions", output: Path) -> "Iterator[tuple[Trials, Progress]]":
    """Give what runs programs, keeping in `output` what they showed. Where nothing ran, nothing stays there."""
    from ...benchmark.build import prepare_folder
    from ...benchmark.trials import open_trials

    is_new = not output.exists()
    log = prepare_folder(output)
    try:
        with open_trials(options, log) as trials:  # nobody else writes the log
            try:
                with show_stages() as progress:
                    yield trials, progress
            finally:
                if log.stat().st_size == 0:
                    log.unlink()
    finally:
        if is_new:
            with suppress(OSError):  # not empty
                output.rmdir()


def _default_name(files: dict[str, Path], plan: dict[str, Any], contents: "Contents") -> str:
    if not files:
        return contents.name
    names = [path.stem if option == "problems" else option.replace("_", "-") for option, path in files.items()]
    names = [name for option, name in zip(files, names, strict=True) if option != "changes"]
    return "+".join(names) + (f"-{plan['preset']}" if contents.seed is not None else "")


def _left_out(contents: "Contents") -> str:
    tasks = sum(rejection.task_id is not None for rejection in contents.rejections)
    apis = len(contents.rejections) - tasks
    counts = [f"{count} {what}{'s' * (count > 1)}" for count, what in ((tasks, "task"), (apis, "API")) if count]
    return f"left out: {' and '.join(counts)}"


def in_words(made: Bench) -> str:
    """Return the numbers of a benchmark in a line."""
    counts = made.manifest["counts"]
    subsets = ", ".join(f"{counts[subset]} {subset}" for subset in SUBSETS)
    return f"{counts['problems']} problems ({subsets}), {counts['changes']} changes"
