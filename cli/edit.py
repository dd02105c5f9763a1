"""`edittool edit`: a benchmark and a model in, samples out."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..schemas.bench import Bench
from ..schemas.errors import InputError
from .bench_argument import open_bench
from .console import plain, progress, talk
from .models import open_model, require_torch
from .observer import Observer

if TYPE_CHECKING:
    from ..editing.regimes import Run, Summary


@click.command
@click.argument("bench")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of samples."
)
@click.option("--model", required=True, help="tiny, a folder, or a model's id on the Hugging Face Hub.")
@click.option("--method", default="ft", show_default=True, help="How to edit: ft, or none.")
@click.option("--hparams", help="A preset or a YAML file with EasyEdit's fields.  [default: the preset METHOD-MODEL]")
@click.option(
    "--regime",
    type=click.Choice(["instant", "none"]),
    help="One edit at a time, or the unedited model.  [default: none for the method none, else instant]",
)
@click.option("-n", "--samples", "n", default=5, show_default=True, help="Samples for each problem.")
@click.option("--temperature", default=0.8, show_default=True, help="0 takes the likeliest token (with -n 1).")
@click.option("--top-p", default=0.95, show_default=True, help="Share of the likeliest tokens to draw from.")
@click.option("--max-new-tokens", default=512, show_default=True, help="Longest program, in tokens.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sampling.")
@click.option("--batch-size", default=32, show_default=True, help="Programs that are sampled at once.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:NUMBER.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Type of the weights. Small edits are lost to rounding in the 16-bit ones.",
)
@click.option("--changes", metavar="ID,...", help="Edit with these changes only.")
@click.option(
    "--specificity-per-change", type=int, metavar="K", help="Specificity problems for each edit.  [default: all]"
)
@click.option(
    "--save-edits", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep each edit here."
)
def edit(
    bench: str,
    output: Path,
    model: str,
    method: str,
    hparams: str | None,
    regime: str | None,
    n: int,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    seed: int,
    batch_size: int,
    device: str,
    dtype: str,
    changes: str | None,
    specificity_per_change: int | None,
    save_edits: Path | None,
) -> None:
    """Edit a model with each API change and sample programs from it.

    BENCH is a benchmark folder or `builtin`. For every change, the model is taught its reliability problems, sampled
    on the change's problems and on the specificity problems, and put back exactly as it was. Samples are appended
    as they come: the same command again goes on where it stopped.

    \b
    edittool edit builtin -o baseline.jsonl --model tiny --method none
    edittool edit builtin -o ft.jsonl --model tiny --method ft
    edittool edit BENCH -o ft.jsonl --model codellama/CodeLlama-7b-hf --hparams ft-codellama-7b --device cuda
    edittool edit BENCH -o ft.jsonl --model FOLDER --hparams ft.yaml --changes math.sqrt,sorted -n 10
    """
    require_torch("edittool edit")
    from ..editing.hparams import read_hparams
    from ..editing.methods import find_method
    from ..editing.regimes import Run
    from ..editing.sampling import Sampling

    chosen = find_method(method)
    run = Run(
        model=model,
        method=chosen,
        hparams=read_hparams(hparams, chosen, model),
        regime="none" if (regime or method) == "none" else "instant",
        sampling=Sampling(n, temperature, top_p, max_new_tokens, seed, batch_size),
        dtype=dtype,
        changes=_split(changes),
        specificity_per_change=specificity_per_change,
    )
    started = time.monotonic()
    summary = _edit(open_bench(bench), run, device, output, save_edits)
    _tell(summary, run, output, time.monotonic() - started)


def _split(changes: str | None) -> tuple[str, ...] | None:
    if changes is None:
        return None
    ids = tuple(part.strip() for part in changes.split(",") if part.strip())
    if not ids:
        raise InputError("--changes names no change. Give change ids with commas between them: --changes math.sqrt,len")
    return ids


def _edit(bench: Bench, run: "Run", device: str, output: Path, save_edits: Path | None) -> "Summary":
    """Load, edit and sample, with progress on stderr: bars on a terminal, a line now and then elsewhere."""
    from ..editing.regimes import plan, run_regime

    plan(bench, run)  # a change that does not exist is told before a model is loaded
    model, tokenizer = open_model(run.model, device, run.dtype, bench)
    with progress() as bar:
        return run_regime(model, tokenizer, bench, run, output, save_edits=save_edits, observe=Observer(bar))


def _tell(summary: "Summary", run: "Run", output: Path, seconds: float) -> None:
    if run.hparams.ignored:
        talk.print(plain(f"{run.hparams.source}: fields not used: {', '.join(run.hparams.ignored)}"))
    if summary.untaught:
        talk.print(plain(f"no reliability problem teaches {', '.join(summary.untaught)}: left out", style="yellow"))
    there = f" ({summary.found} were there before)" if summary.found else ""
    edits = f", {summary.edits} edits" if run.regime == "instant" else ""
    talk.print(plain(f"{output}: {summary.new} new samples{there}{edits}, {seconds:.0f} s"), soft_wrap=True)
