"""The options of the commands that ask a model: which problems, with which documentation, in which words."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from ...samples.prompts import FIELDS, Docs, PromptMaker, PromptTemplate, Style
from ...schemas.bench import SUBSETS, Bench
from ...schemas.errors import InputError
from ...schemas.problems import Problem
from .bench_argument import find_problem

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--docs",
        type=click.Choice(get_args(Docs)),
        default="none",
        show_default=True,
        help="Documentation in front of each prompt: none, of the problem's own change, or of all changes.",
    ),
    click.option(
        "--template",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=f"The words around the prompt, with the fields {', '.join(f'${name}' for name in FIELDS)}.",
    ),
    click.option("--subset", "subsets", multiple=True, type=click.Choice(SUBSETS), help="These alone. Repeatable."),
    click.option("--task", "tasks", multiple=True, metavar="TASK_ID", help="This problem alone. Repeatable."),
)


def prompt_options(command: Command) -> Command:
    """Add the options to `command`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_output(output: Path) -> None:
    """Raise InputError for `-`, which elsewhere is standard output: a file is written whole, or gone on with."""
    if str(output) == "-":
        raise InputError("-o needs a file: what is written is not for standard output. Give it a name.")


def make_maker(bench: Bench, style: Style, docs: Docs, template: Path | None) -> PromptMaker:
    """Return the maker of prompts that the command line asks for."""
    return PromptMaker(bench, style, docs, None if template is None else PromptTemplate.read(template, style, docs))


def choose_problems(bench: Bench, subsets: Sequence[str], tasks: Sequence[str]) -> list[Problem]:
    """Return the problems of `bench` that are asked, in its order. Raises InputError for none, and an unknown task."""
    wanted = {find_problem(bench, task).task_id for task in tasks}
    chosen = [
        problem
        for problem in bench.problems.values()
        if (not wanted or problem.task_id in wanted) and (not subsets or problem.subset in subsets)
    ]
    if not chosen:
        raise InputError(f"{bench.name} has no problem that --subset and --task both leave. Leave one of them out.")
    return chosen
