"""`edittool judge`: samples in, verdicts out."""

import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import click
from rich.progress import TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..judging.jobs import Outcome
from ..judging.judge import Request, Summary
from ..judging.judge import judge as judge_samples
from ..judging.options import MAX_JOBS_PER_CONTAINER
from ..judging.samples import WorldChoice
from .bench_argument import open_bench
from .console import PLAIN_SECONDS, plain, progress, results, talk
from .exit_codes import DONE, UNJUDGED
from .sandbox_options import make_options, sandbox_options


@click.command
@click.argument("bench")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of verdicts."
)
@click.option(
    "--world",
    type=click.Choice(get_args(WorldChoice)),
    default="sample",
    show_default=True,
    help="Which changes are active: as the sample says (else its problem's own), own, none, or all.",
)
@click.option(
    "--samples-per-container",
    type=click.IntRange(1, MAX_JOBS_PER_CONTAINER),
    default=1,
    show_default=True,
    help="More than 1 is several times faster and isolates less: see above.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@sandbox_options
def judge(
    bench: str,
    samples: Path,
    output: Path,
    world: WorldChoice,
    samples_per_container: int,
    as_json: bool,
    **options: Any,
) -> int:
    """Run samples in containers of their own and say what each one did.

    BENCH is a benchmark folder or `builtin`; SAMPLES is JSONL with `task_id` and either `completion` or `solution`,
    as HumanEval and EvalPlus write it. Verdicts are appended as they come, each one synced to the disk: the same
    command again goes on where it stopped. Exit code 1 means that the sandbox could not judge some samples.

    With --samples-per-container, programs share a container one after the other: each in a process of its own, forked
    before any test was read, and everything it leaves is wiped before the next. One that stops or kills the process of
    a later one makes that be tried again in a fresh container. Against a program that sets out to falsify the verdict
    of a later one, only a container for each sample protects. Every verdict says how it was made ("isolation").

    \b
    edittool judge builtin samples.jsonl -o verdicts.jsonl
    edittool judge BENCH samples.jsonl -o baseline.jsonl --world none
    edittool judge BENCH samples.jsonl -o verdicts.jsonl --workers 8 --runtime crun
    edittool judge BENCH samples.jsonl -o verdicts.jsonl --samples-per-container 16
    """
    sandbox = replace(make_options(**options), jobs_per_container=samples_per_container)
    request = Request(open_bench(bench), samples, output, world, sandbox)
    summary = run_with_progress(request)
    if as_json:
        click.echo(json.dumps(summary.to_json()))
    else:
        results.print(summary_table(summary))
    unjudged = summary.outcomes["sandbox_error"]
    if unjudged:
        talk.print(f"{unjudged} samples could not be judged: their verdicts say why", style="red")
    return UNJUDGED if unjudged else DONE


def run_with_progress(request: Request) -> Summary:
    """Judge, with progress on stderr: a live bar on a terminal, a line now and then elsewhere."""
    bar = progress(TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with bar:
        observer = _Observer(bar.add_task("judging", total=None, rate=""), bar.update)
        return judge_samples(request, observer)


class _Observer:
    """Shows how far the judge is. The rate is that of this run, without what an earlier one had judged."""

    def __init__(self, task: TaskID, update: Any):
        self._task, self._update = task, update
        self._started = self._last_line = time.monotonic()

    def __call__(self, summary: Summary, verdict: dict[str, Any] | None) -> None:
        finished = summary.already_judged + summary.judged
        total = summary.samples - summary.repeated
        rate = summary.judged / max(time.monotonic() - self._started, 1e-9)
        self._update(self._task, total=total, completed=finished, rate=f"{rate:.1f}/s")
        if verdict is None:
            self._greet(summary)
        elif not talk.is_terminal and time.monotonic() - self._last_line > PLAIN_SECONDS:
            self._last_line = time.monotonic()
            left = (total - finished) / max(rate, 1e-9)
            talk.print(f"judged {finished} of {total}, {rate:.1f}/s, about {left:.0f} s left")

    def _greet(self, summary: Summary) -> None:
        if summary.removed_bytes:
            talk.print("the last verdict was cut short by an interruption: its sample is judged again", style="yellow")
        if summary.already_judged:
            rest = summary.already_judged < summary.samples - summary.repeated
            talk.print(f"{summary.already_judged} samples are judged already{'; going on with the rest' * rest}")
        if summary.repeated:
            talk.print(f"{summary.repeated} samples repeat another one, index included: judged once", style="yellow")
        if summary.strangers:
            talk.print(f"the output also holds {summary.strangers} verdicts of other samples", style="yellow")


def summary_table(summary: Summary) -> Table:
    """Return outcomes and labels with counts and shares, and the ways around a removal that were taken, as a table."""
    table = Table(title=f"{sum(summary.outcomes.values())} samples judged", title_justify="left")
    table.add_column("outcome")
    table.add_column("samples", justify="right")
    table.add_column("share", justify="right")
    _add_rows(table, summary.outcomes, [name for name in reversed(get_args(Outcome)) if summary.outcomes[name]])
    if summary.labels:
        table.add_section()
        _add_rows(table, summary.labels, sorted(summary.labels))
    if summary.bypasses:
        table.add_section()
        names = sorted(summary.bypasses)
        # One sample can take several: these are shares of all samples, and do not add up to 100 %.
        _add_rows(table, summary.bypasses, names, sum(summary.outcomes.values()), prefix="bypass: ")
    return table


def _add_rows(table: Table, counts: Counter[str], names: list[str], total: int | None = None, prefix: str = "") -> None:
    for name in names:
        share = counts[name] / (total or counts.total())
        table.add_row(plain(prefix + name), str(counts[name]), f"{share:.1%}")
