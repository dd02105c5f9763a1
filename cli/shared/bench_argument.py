"""The BENCH argument of several commands, a folder or the name of one that is shipped, and the task ids in it."""

import difflib
from pathlib import Path

from ...benchmark.shipped import SHIPPED
from ...schemas.bench import Bench
from ...schemas.errors import InputError
from ...schemas.problems import Problem


def open_bench(name: str) -> Bench:
    """Return the benchmark in the folder `name`, or the one that comes with edittool under that name."""
    return SHIPPED[name].load() if name in SHIPPED else Bench.load(Path(name))


def find_problem(bench: Bench, task: str) -> Problem:
    """Return the problem called `task`. Raises InputError, with the nearest names, when there is none."""
    problem = bench.find(task)
    if problem is not None:
        return problem
    near = difflib.get_close_matches(task, bench.problems, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise InputError(f"{bench.name} has no task {task!r}.{hint} `edittool bench show BENCH --tasks` lists them.")
