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

from ..analysis.extraction import Mode
from ..judging.judge import Observer, Request, Summary
from ..judging.judge import judge as judge_samples
from ..judging.places import check_arguments, check_output
from ..judging.sandbox.options import MAX_JOBS_PER_CONTAINER
from ..judging.world_choice import WorldChoice, read_worlds
from ..schemas.verdicts import OUTCOMES_IN_WORDS, Verdict
from .shared.bench_argument import open_bench
from .shared.console import PLAIN_SECONDS, plain, progress, results, talk
from .shared.exit_codes import DONE, UNJUDGED
from .shared.notices import naming_the_importer, notices_in_words
from .shared.sandbox_options import make_options, sandbox_options
from .shared.shipped_images import image_of


@click.command
@click.argument("bench")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of verdicts."
)
@click.option(
    "--world",
    type=click.Choice(get_args(WorldChoice)),
    help="Which changes are active: as the sample says (else its problem's own), own, none, or all. Default: sample.",
)
@click.option(
    "--worlds-of",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Judge each sample in every world in which the samples or verdicts of this file run for its problem. "
    "Repeatable; not with --world.",
)
@click.option(
    "--samples-per-container",
    type=click.IntRange(1, MAX_JOBS_PER_CONTAINER),
    default=1,
    show_default=True,
    help="More than 1 is several times faster and isolates less: see above.",
)
@click.option(
    "--cache/--no-cache",
    "cached",
    default=True,
    show_default=True,
    help="Use what earlier runs found for the same program, tests, world, limits and image, and remember this run's.",
)
@click.option(
    "--extract",
    "mode",
    type=click.Choice(get_args(Mode)),
    help="Take the program out of what each sample has: from fences, text or its beginning (auto), from fences alone, "
    "its beginning up to where the function is complete (cut), or all of it (none).  [default: none]",
)
@click.option(
    "--skip-unknown",
    is_flag=True,
    help="Pass over samples of problems that the benchmark left out or never had: counted, with the reason.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@sandbox_options
def judge(
    bench: str,
    samples: Path,
    output: Path,
    world: WorldChoice | None,
    worlds_of: tuple[Path, ...],
    samples_per_container: int,
    cached: bool,
    mode: Mode | None,
    skip_unknown: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Run samples in containers of their own and say what each one did.

    BENCH is a folder, `builtin` or `numpy2`; SAMPLES is JSONL with `task_id` and either `completion` or `solution`,
    as HumanEval and EvalPlus write it, as it is or packed with gzip; `edittool import` makes it of anything else.
    Verdicts are appended as they come, synced to the disk in small batches: the same command again goes on where it
    stopped. Exit code 1 means that the sandbox could not judge some samples.

    Programs run as they stand, which is what HumanEval's own judge does. Answers of a chat, with text and fences around
    the program, are counted on stderr; --extract takes the programs out, and each verdict keeps the answer ("raw") and
    says how that was done ("extraction"). A sample that says so already stays as it is without --extract.

    Samples that are the same program for the same tests in the same world run once; what ran in an earlier run of the
    judge is taken from its cache, unless --no-cache says otherwise. A verdict says so ("reused"). Never reused is what
    the machine's load may have decided: timeouts, and faults of the sandbox.

    With --samples-per-container, programs share a container one after the other: each in a process of its own, forked
    before any test was read and out of reach of the others, and everything it leaves is wiped before the next. They
    still share that container's kernel objects; where that is too much, leave it at 1. Every verdict says how it was
    made ("isolation").

    An edited model is compared with the unedited one in the same worlds. With --worlds-of, a sample is judged once for
    each set of active changes that its problem has in the files given; the verdict says which ("active_changes").
    Samples of problems that those files do not have are left out.

    \b
    edittool judge builtin samples.jsonl -o verdicts.jsonl
    edittool judge BENCH answers.jsonl.gz -o verdicts.jsonl --extract auto
    edittool judge BENCH humaneval.jsonl -o verdicts.jsonl --skip-unknown
    edittool judge BENCH samples.jsonl -o baseline.jsonl --world none
    edittool judge BENCH unedited.jsonl -o baseline.jsonl --worlds-of rome.jsonl --worlds-of memit.jsonl
    edittool judge BENCH samples.jsonl -o verdicts.jsonl --workers 8 --runtime crun
    edittool judge BENCH samples.jsonl -o verdicts.jsonl --samples-per-container 256
    """
    if world is not None and worlds_of:
        raise click.UsageError("--worlds-of and --world both choose the worlds: give one of them.")
    check_arguments(bench, samples)
    check_output(output, samples, worlds_of)
    opened = open_bench(bench)
    options["image"] = image_of(bench, options["image"])
    sandbox = replace(make_options(**options), jobs_per_container=samples_per_container)
    with naming_the_importer(bench):
        worlds = read_worlds(worlds_of, opened, skip_unknown) if worlds_of else world or "sample"
        request = Request(opened, samples, output, worlds, sandbox, cached, mode, skip_unknown)
        summary = run_with_progress(request)
    if as_json:
        click.echo(json.dumps(summary.to_json()))
    else:
        results.print(summary_table(summary))
    if summary.reused:
        talk.print(_reuse_in_words(summary.reused))
    unjudged = summary.outcomes["sandbox_error"]
    if unjudged:
        talk.print(f"{unjudged} samples could not be judged: their verdicts say why", style="red")
    return UNJUDGED if unjudged else DONE


def run_with_progress(request: Request) -> Summary:
    """Judge, with progress on stderr: a live bar on a terminal, a line now and then elsewhere."""
    bar = progress(TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    with bar:
        observer = _Progress(bar.add_task("judging", total=None, rate=""), bar.update)
        return judge_samples(request, observer)


class _Progress(Observer):
    """Shows how far the judge is. The rate is that of this run, without what an earlier one had judged."""

    def __init__(self, task: TaskID, update: Any):
        self._task, self._update = task, update
        self._started = self._last_line = time.monotonic()

    def reading(self, samples: int) -> None:
        self._update(self._task, description="reading", completed=samples)
        if self._is_time_for_a_line():
            talk.print(f"read {samples} samples")

    def starting(self, summary: Summary) -> None:
        self._started = time.monotonic()
        self._show(summary)
        if summary.removed_bytes:
            talk.print("the last verdict was cut short by an interruption: its sample is judged again", style="yellow")
        if summary.already_judged:
            rest = summary.already_judged < summary.wanted
            talk.print(f"{summary.already_judged} samples are judged already{'; going on with the rest' * rest}")
        if summary.left_out:
            what = "samples are of problems that the files of --worlds-of do not have: left out"
            talk.print(f"{summary.left_out} {what}", style="yellow")
        if summary.repeated:
            talk.print(f"{summary.repeated} samples repeat another one, index included: judged once", style="yellow")
        if summary.strangers:
            talk.print(f"the output also holds {summary.strangers} verdicts of other samples", style="yellow")
        for line in notices_in_words(summary.noticed):
            talk.print(plain(line, style="yellow"), soft_wrap=True)

    def judged(self, summary: Summary, verdict: Verdict) -> None:
        rate = self._show(summary)
        if self._is_time_for_a_line():
            finished = summary.already_judged + summary.judged
            left = (summary.wanted - finished) / max(rate, 1e-9)
            talk.print(f"judged {finished} of {summary.wanted}, {rate:.1f}/s, about {left:.0f} s left")

    def warn(self, text: str) -> None:
        talk.print(plain(text), style="yellow")

    def _show(self, summary: Summary) -> float:
        """Move the bar; return how many samples are judged in a second."""
        finished = summary.already_judged + summary.judged
        rate = summary.judged / max(time.monotonic() - self._started, 1e-9)
        self._update(self._task, description="judging", total=summary.wanted, completed=finished, rate=f"{rate:.1f}/s")
        return rate

    def _is_time_for_a_line(self) -> bool:
        """Tell whether a line is due, where there is no bar to look at."""
        if talk.is_terminal or time.monotonic() - self._last_line <= PLAIN_SECONDS:
            return False
        self._last_line = time.monotonic()
        return True


def _reuse_in_words(reused: Counter[str]) -> str:
    parts = {"cache": "answered from the cache", "duplicate": "the same as another sample"}
    told = [f"{reused[name]} {words}" for name, words in parts.items() if reused[name]]
    return f"nothing ran for {reused.total()} samples: {', '.join(told)}"


def summary_table(summary: Summary) -> Table:
    """Return outcomes and labels with counts and shares, and the ways around a removal that were taken, as a table."""
    table = Table(title=f"{sum(summary.outcomes.values())} samples judged", title_justify="left")
    table.add_column("outcome")
    table.add_column("samples", justify="right")
    table.add_column("share", justify="right")
    _add_rows(table, summary.outcomes, [name for name in reversed(OUTCOMES_IN_WORDS) if summary.outcomes[name]])
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
