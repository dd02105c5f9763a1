"""`edittool bench`: begin, build, show and verify benchmarks, and fetch what they are built from."""

import click

from .build import build
from .fetch import fetch
from .new import new
from .show import show
from .verify import verify


@click.group()
def bench() -> None:
    """Build, show and verify benchmarks.

    A benchmark is a folder: problems.jsonl, changes.jsonl, rejected.jsonl and manifest.json. BENCH is such a folder, or
    the word builtin for the benchmark that comes with edittool.

    \b
    edittool bench show builtin
    edittool bench fetch -o data
    edittool bench build --humaneval data/HumanEval.jsonl --mbpp data/mbpp.jsonl -o bench
    edittool bench verify bench
    edittool bench new own
    """


for command in (build, fetch, new, show, verify):
    bench.add_command(command)
