"""`edittool explain`: why one sample got its verdict."""

import json
from pathlib import Path

import click

from ..reporting.explain.explanation import explain as explain_verdict
from ..reporting.explain.pick import pick_verdict
from ..reporting.explain.text import render_explanation
from ..schemas.whole_files import write_faults
from .shared.bench_argument import open_bench
from .shared.console import plain, results


@click.command
@click.argument("bench")
@click.argument("verdicts", type=click.Path(path_type=Path))
@click.option(
    "--sample", required=True, metavar="ID", help="A sample_id or the start of one, TASK_ID, or TASK_ID:INDEX."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict and its reasons as one JSON object.")
def explain(bench: str, verdicts: Path, sample: str, as_json: bool) -> None:
    """Say why one sample got its verdict.

    BENCH is the benchmark that the sample was judged with, a folder, `builtin` or `numpy2`; VERDICTS is a file that
    `edittool judge` wrote. Shown are the program with its uses of the old and the new API marked, what the world
    refused, each test's result, and the rules that gave the outcome and the label.

    \b
    edittool explain builtin verdicts.jsonl --sample 3fa9c1
    edittool explain BENCH verdicts.jsonl --sample HumanEval/0:2 --json
    """
    explanation = explain_verdict(pick_verdict(verdicts, sample), open_bench(bench))
    with write_faults("The explanation"):
        if as_json:
            click.echo(json.dumps(explanation.to_json(), indent=2, allow_nan=False))
        else:
            for line in render_explanation(explanation, plain):
                results.print(line, soft_wrap=True)
