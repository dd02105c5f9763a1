"""`edittool report`: tables, figures and a page from verdicts."""

import gc
import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import TextColumn

from ..reporting.bounds import METRICS, Bound, Outcome, parse_bound
from ..reporting.options import REFERENCES, Options, Reference
from ..reporting.read.edit_journals import EditCosts
from ..reporting.read.verdict_files import VerdictReader
from ..schemas.errors import EnvironmentFault
from ..schemas.verdicts import Verdict
from ..schemas.whole_files import write_faults
from .shared.bench_argument import open_bench
from .shared.console import plain, progress, results, talk
from .shared.exit_codes import BELOW, DONE

if TYPE_CHECKING:
    from ..reporting.page.bodies import Bodies
    from ..reporting.read.verdict_frame import Observations
    from ..reporting.report import Report

WIDTH = 100  # columns of a report that goes to a file or a pipe


@click.command
@click.argument("bench")
@click.argument("verdicts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A folder for the page, the tables and the figures."
)
@click.option(
    "--baseline", metavar="MODEL", help="The unedited model to hold the others against. Default: each its own."
)
@click.option(
    "--reference",
    "references",
    type=click.Choice(REFERENCES),
    multiple=True,
    help="Add published figures beside ours, or as context: of arXiv 2511.03182, its second version, EDAPIBench, "
    "CodeUpdateArena; may be repeated.",
)
@click.option(
    "--edits",
    "journals",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A journal that `edittool edit` wrote beside its samples (STEM.edits.jsonl), for the seconds and the memory "
    "of edits; may be repeated.",
)
@click.option("--only-taken", is_flag=True, help="Restrict the tables to changes whose edit took wholly.")
@click.option(
    "--solved-by-baseline",
    is_flag=True,
    help="Restrict the tables to problems that the unedited model passes with no change active.",
)
@click.option(
    "--resamples", type=click.IntRange(100, 100_000), default=2000, show_default=True, help="Bootstrap resamples."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the resampling.")
@click.option(
    "--fail-under",
    "fail_under",
    metavar="[SUBSET.]METRIC=SHARE",
    multiple=True,
    help="Exit with 1 where a metric is below a share from 0 to 1, after the report is made; may be repeated. "
    f"Metrics: {', '.join(METRICS)}.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every number, unrounded, as one JSON object.")
def report(
    bench: str,
    verdicts: tuple[Path, ...],
    output: Path | None,
    baseline: str | None,
    references: tuple[Reference, ...],
    journals: tuple[Path, ...],
    only_taken: bool,
    solved_by_baseline: bool,
    resamples: int,
    seed: int,
    fail_under: tuple[str, ...],
    as_json: bool,
) -> int:
    """Turn verdicts into tables, figures and a page to explore.

    BENCH is a folder, `builtin` or `numpy2`; VERDICTS are files that `edittool judge` wrote, of any mix of models,
    methods and regimes. Verdicts that repeat a sample are counted once; samples that the sandbox could not judge are
    in no rate. Changes are against the unedited model judged in the same world: give its verdicts too.

    With -o, a folder gets report.html (one page, no network: plots, tables, every sample), report.json, report.md,
    and each table as CSV and LaTeX and each figure as SVG and PNG. The same command again replaces them.

    Whether the edits took stands before all else: samples of this version say what each edit did to its own targets.
    --only-taken and --solved-by-baseline restrict every table after that, and the report says what they leave out.

    --fail-under is for CI. A bound is for each edited model (or each held against --baseline), where there are none for
    every model; of a sequence of edits for the last sampled step. Where there is no value, for lack of samples, it does
    not hold. SUBSET is reliability, generalization or specificity. A bound that does not hold has a line on stderr, and
    the exit code is 1.

    \b
    edittool report builtin verdicts.jsonl                      the tables
    edittool report BENCH unedited.jsonl ft.jsonl rome.jsonl -o report/
    edittool report BENCH verdicts.jsonl --reference paper      the published figures beside ours
    edittool report BENCH rome.jsonl --edits rome.edits.jsonl   with the time that each edit took
    edittool report BENCH *.jsonl --only-taken                  only changes whose edit took wholly
    edittool report BENCH base.jsonl tuned.jsonl --baseline base-7b
    edittool report BENCH verdicts.jsonl --json > r.json        the numbers
    edittool report BENCH v.jsonl --fail-under adopted=0.5 --fail-under generalization.adopted=0.4
    """
    _require_libraries()
    from ..reporting.write.folder import check_folder

    bounds = tuple(map(parse_bound, fail_under))
    if output is not None:
        check_folder(output)
    options = Options(resamples, seed, baseline, tuple(dict.fromkeys(references)), only_taken, solved_by_baseline)
    costs = EditCosts(journals)
    reader = VerdictReader(open_bench(bench), verdicts)
    made, observations, bodies = _build(reader, options, bounds, costs, with_bodies=output is not None)
    for note in made.notes:
        talk.print(plain(f"note: {note}", style="yellow"), soft_wrap=True)
    if output is not None:
        _write(output, made, observations, bodies)
    with write_faults("The report"):
        _print(made, as_json)
    return _say_bounds(made.outcomes)


def _say_bounds(outcomes: Sequence[Outcome]) -> int:
    """Name each bound that does not hold; return the exit code."""
    below = [outcome for outcome in outcomes if not outcome.held]
    for outcome in below:
        talk.print(plain(f"below its bound: {outcome}", style="red"), soft_wrap=True)
    if outcomes and not below:
        settings = len({(o.model, o.method, o.regime, o.world, o.step) for o in outcomes})
        talk.print(f"every bound holds, for {settings} of the settings", style="green")
    return BELOW if below else DONE


def _require_libraries() -> None:
    """Import the libraries of the extra `report`; raise EnvironmentFault where one is missing."""
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import plotly  # noqa: F401
        import polars  # noqa: F401
    except ImportError as error:
        raise EnvironmentFault(
            f"`edittool report` needs more libraries ({error}). Install them: pip install 'edittool[report]'"
        ) from None
    # Polars takes Ctrl-C with a handler of its own, after which a read from a pipe would wait on.
    signal.siginterrupt(signal.SIGINT, True)


def _build(
    reader: VerdictReader, options: Options, bounds: tuple[Bound, ...], costs: EditCosts, *, with_bodies: bool
) -> "tuple[Report, Observations, Bodies | None]":
    from ..reporting.build import build_report
    from ..reporting.page.bodies import Bodies
    from ..reporting.read.verdict_frame import observe

    bodies = Bodies() if with_bodies else None
    with progress(TextColumn("{task.fields[doing]}")) as bar:
        task = bar.add_task("reading verdicts", total=None, doing="")

        def counted() -> Iterator[Verdict]:
            yield from bar.track(reader, task_id=task)

        keep = (lambda verdict, problem: None) if bodies is None else bodies.add
        gc.disable()  # nothing that is read refers to itself: going through all of it again and again finds nothing
        try:
            observations = observe(reader.bench, counted(), keep)
        finally:
            gc.enable()
        bar.update(task, description="counting", doing="")
        made = build_report(observations, reader, options, bounds, costs)
    return made, observations, bodies


def _write(folder: Path, made: "Report", observations: "Observations", bodies: "Bodies | None") -> None:
    from ..reporting.page.page import write_page
    from ..reporting.write.folder import write_report

    assert bodies is not None
    with progress() as bar:
        bar.add_task(f"writing {folder}", total=None)
        write_report(folder, made, lambda path: write_page(path, made, observations, bodies))
    talk.print(plain(f"the report is in {folder}: open {folder / 'report.html'}", style="green"), soft_wrap=True)


def _print(made: "Report", as_json: bool) -> None:
    from ..reporting.write.json_file import report_as_json
    from ..reporting.write.terminal import render_report

    if as_json:
        click.echo(json.dumps(report_as_json(made), indent=2, allow_nan=False))
    else:
        console = results if results.is_terminal else Console(highlight=False, width=WIDTH)
        console.print(render_report(made, plain))
