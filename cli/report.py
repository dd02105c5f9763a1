"""`edittool report`: tables from verdicts."""

import json
from pathlib import Path

import click
from rich.console import Console

from ..reporting.export import report_as_json
from ..reporting.reading import VerdictReader
from ..reporting.tables import build_report
from ..reporting.terminal import render_report
from ..schemas.errors import EnvironmentFault
from .bench_argument import open_bench
from .console import plain, results, talk

WIDTH = 100  # columns of a report that goes to a file or a pipe


@click.command
@click.argument("bench")
@click.argument("verdicts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print every number, unrounded, as one JSON object.")
def report(bench: str, verdicts: tuple[Path, ...], as_json: bool) -> None:
    """Turn verdicts into tables.

    BENCH is a benchmark folder or `builtin`; VERDICTS are files that `edittool judge` wrote. There is one block for
    each model, method, regime and world. Verdicts that repeat a sample are counted once; samples that the sandbox
    could not judge are in no share.

    \b
    edittool report builtin verdicts.jsonl               the tables
    edittool report BENCH ft.jsonl rome.jsonl            several files in one report
    edittool report BENCH verdicts.jsonl --json > r.json the numbers
    """
    reader = VerdictReader(open_bench(bench), verdicts)
    tables = build_report(reader.bench, reader)
    for note in reader.notes():
        talk.print(plain(f"note: {note}", style="yellow"), soft_wrap=True)
    try:
        if as_json:
            click.echo(json.dumps(report_as_json(tables, reader), indent=2, allow_nan=False))
        else:
            console = results if results.is_terminal else Console(highlight=False, width=WIDTH)
            console.print(render_report(tables, plain))
    except OSError as error:
        raise EnvironmentFault(f"The report cannot be written: {error.strerror}. Free some space.") from error
