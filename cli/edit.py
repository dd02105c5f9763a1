"""`edittool edit`: a benchmark and a model in, samples out."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..editing.methods.table import find_method, method_names
from ..samples.prompts import PromptMaker
from ..schemas.bench import Bench
from ..schemas.errors import InputError
from .shared.bench_argument import open_bench
from .shared.console import plain, progress, talk
from .shared.edits_told import EditsTold
from .shared.models import open_model, require_torch
from .shared.observer import Observer

if TYPE_CHECKING:
    from ..analysis.extraction import Mode
    from ..editing.requests import RequestRule, SubjectRule
    from ..editing.runs.asking import Ask
    from ..editing.runs.execute import Summary
    from ..editing.runs.plan import Stage
    from ..editing.runs.settings import Run

# What is left of an edit after rounding, measured on weights of standard deviation 0.02.
_LOST = {
    "bfloat16": "of changes of 1e-5, 90 % is lost, of 1e-6 99 %",
    "float16": "of changes of 1e-5, 39 % is lost, of 1e-6 92 %",
}


@click.command
@click.argument("bench")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of samples."
)
@click.option("--model", required=True, help="tiny, a folder, or a model's id on the Hugging Face Hub.")
@click.option("--method", default="ft", show_default=True, help=f"One of: {', '.join(method_names())}.")
@click.option("--hparams", help="A preset or a YAML file with EasyEdit's fields.  [default: the preset METHOD-MODEL]")
@click.option(
    "--regime",
    type=click.Choice(["instant", "sequential", "batch", "none"]),
    help="One edit at a time, one on top of the other, all changes in one edit, or the unedited model.  "
    "[default: none for the method none, else instant]",
)
@click.option("--batch", is_flag=True, help="The same as --regime batch.")
@click.option("--steps", metavar="N,...", help="Sequential: sample after so many edits.  [default: 1,2,5,10,20,50,...]")
@click.option(
    "--requests",
    type=click.Choice(["solution", "call", "statement", "all"]),
    help="What is taught: the rest of updated solutions, their first call of the new API, statements of the change, or "
    "all three.  [default: what measured best for the method]",
)
@click.option("--target", type=click.Choice(["solution", "call"]), hidden=True)  # the name of --requests before
@click.option(
    "--requests-per-change",
    type=click.IntRange(min=1),
    metavar="N",
    help="At most so many requests for each change, of all kinds in turn.  [default: all of them]",
)
@click.option(
    "--subject",
    type=click.Choice(["api", "function", "last_word"]),
    help="What edits are keyed on in a prompt: the API's name (where it is not named, the function's), the function's "
    "name, or what follows its last space.  [default: what measured best for the method]",
)
@click.option(
    "--stats",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where `edittool stats` wrote.",
)
@click.option("-n", "--samples", "n", default=5, show_default=True, help="Samples for each problem.")
@click.option("--temperature", default=0.8, show_default=True, help="0 takes the likeliest token (with -n 1).")
@click.option("--top-p", default=0.95, show_default=True, help="Share of the likeliest tokens to draw from.")
@click.option("--max-new-tokens", default=512, show_default=True, help="Longest program, in tokens.")
@click.option(
    "--chat",
    is_flag=True,
    help="Ask for each problem in a chat, by the template of the model's tokenizer: for instruct models.",
)
@click.option(
    "--extract",
    type=click.Choice(["none", "auto", "fence", "cut"]),
    help="How programs are taken from what the model writes: as it is; from fences, text or its beginning; from fences "
    "alone; its beginning, up to where the function is complete.  [default: cut; auto with --chat]",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the sampling, and of what a method draws.")
@click.option(
    "--batch-size",
    type=int,
    help="Programs that are sampled at once.  [default: what a GPU has memory for, up to 256; 32 on a CPU]",
)
@click.option(
    "--drafts",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Samples of the unedited model: what an edited one writes as well is checked in one pass, not written anew.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:NUMBER.")
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Type of the weights. Small edits are lost to rounding in the 16-bit ones.",
)
@click.option(
    "--engine",
    type=click.Choice(["transformers", "vllm"]),
    default="transformers",
    show_default=True,
    help="What samples: the edited model itself, or a vLLM engine that is given each edit's weights (not for grace).",
)
@click.option(
    "--changes",
    metavar="ID,...",
    help="Edit with these changes only; the method none is then sampled on what such edits are.",
)
@click.option(
    "--specificity-per-change",
    type=int,
    metavar="K",
    help="Specificity problems for each edited model.  [default: all]",
)
@click.option(
    "--save-edits", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep each edit here."
)
@click.option("--dense", is_flag=True, help="Keep whole tensors of edits, not the factors of those of low rank.")
@click.option("--shard", metavar="I/N", help="Instant: the I-th of N equal parts of the changes, from 1/N to N/N.")
def edit(
    bench: str,
    output: Path,
    device: str,
    stats: Path | None,
    save_edits: Path | None,
    dense: bool,
    drafts: Path | None,
    **given: Any,
) -> None:
    """Edit a model with API changes and sample programs from it.

    BENCH is a folder, `builtin` or `numpy2`. The model is taught a change by its reliability problems and by statements
    of it (--requests), and sampled on the change's problems and on the specificity problems: after each change alone
    (instant), after more and more of them in the benchmark's order (sequential), or after all of them in one edit
    (batch). It is put back exactly as it was. The method docs edits nothing: each prompt documents the changes instead.
    Samples are appended as they come: the same command again goes on where it stopped.

    \b
    edittool edit builtin -o baseline.jsonl --model tiny --method none
    edittool edit builtin -o ft.jsonl --model tiny --method ft --drafts baseline.jsonl
    edittool edit builtin -o many.jsonl --model tiny --method ft --regime sequential --steps 1,5,10 --save-edits edits
    edittool edit BENCH -o docs.jsonl --model FOLDER --method docs
    edittool edit BENCH -o chat.jsonl --model FOLDER --method none --chat
    edittool edit BENCH -o all.jsonl --model FOLDER --method memit --batch --stats STATS
    edittool edit BENCH -o ft.jsonl --model codellama/CodeLlama-7b-hf --hparams ft-codellama-7b --device cuda
    edittool edit BENCH -o ft.jsonl --model FOLDER --hparams ft.yaml --changes math.sqrt,sorted -n 10
    edittool edit BENCH -o rome.jsonl --model FOLDER --hparams rome.yaml --requests statement --subject api
    edittool edit BENCH -o part-3.jsonl --model FOLDER --hparams ft.yaml --shard 3/8
    """
    require_torch("edittool edit")
    loaded = open_bench(bench)
    run = make_run(loaded, **given)
    started = time.monotonic()
    if dense and save_edits is None:
        raise click.UsageError("--dense says how --save-edits writes: give a folder for the edits, or leave it out.")
    if save_edits is not None and run.method.told:
        raise click.UsageError(f"The method {run.method.name} makes no edit: there is none to keep by --save-edits.")
    if drafts is not None and run.engine == "vllm":
        raise click.UsageError("--drafts are checked by edittool's own sampler: leave them out, or --engine.")
    summary = _edit(loaded, run, device, output, stats, save_edits, dense, drafts)
    _tell(summary, run, output, time.monotonic() - started)


def make_run(
    bench: Bench,
    *,
    model: str,
    method: str,
    hparams: str | None,
    regime: str | None,
    batch: bool,
    steps: str | None,
    requests: "RequestRule | None",
    target: "RequestRule | None",
    subject: "SubjectRule | None",
    changes: str | None,
    shard: str | None,
    n: int,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    chat: bool,
    extract: "Mode | None",
    seed: int,
    batch_size: int | None,
    **as_they_are: Any,
) -> "Run":
    """Return the run that the options of `edittool edit` ask for. Raises InputError for what cannot be."""
    from ..editing.methods.hparams import read_hparams
    from ..editing.runs.sampling import Sampling
    from ..editing.runs.settings import Run, taught_by_default

    if requests and target and requests != target:
        raise click.UsageError("--target is the name that --requests had before: give --requests alone.")
    chosen = find_method(method)
    read = read_hparams(hparams, chosen, model)
    usual_requests, usual_subject = taught_by_default(chosen, read)
    return Run(
        model=model,
        method=chosen,
        hparams=read,
        requests=requests or target or usual_requests,
        subject=subject or usual_subject,
        regime=_regime(method, regime, batch),
        sampling=Sampling(
            n, temperature, top_p, max_new_tokens, seed, batch_size, extract or ("auto" if chat else "cut")
        ),
        style="chat" if chat else "complete",
        ask=_ask(bench, chat, chosen.told),
        steps=_numbers(steps),
        changes=_ids(changes),
        shard=_shard(shard),
        **as_they_are,
    )


def _ask(bench: Bench, chat: bool, told: bool) -> "Ask":
    """Return what asks for a problem of `bench`: in the words of `edittool prompts`, with documentation if `told`."""
    return PromptMaker(bench, "chat" if chat else "complete", "change" if told else "none").make


def _regime(method: str, regime: str | None, batch: bool) -> Any:
    if batch and regime not in (None, "batch"):
        raise click.UsageError(f"--batch means --regime batch: it does not go with --regime {regime}.")
    return "batch" if batch else regime or ("none" if method == "none" else "instant")


def _numbers(steps: str | None) -> tuple[int, ...] | None:
    try:
        return None if steps is None else tuple(int(part) for part in _parts(steps))
    except ValueError:
        raise InputError(f"--steps takes numbers with commas between them, 1,2,5, not {steps!r}.") from None


def _ids(changes: str | None) -> tuple[str, ...] | None:
    if changes is None:
        return None
    ids = _parts(changes)
    if not ids:
        raise InputError("--changes names no change. Give change ids with commas between them: --changes math.sqrt,len")
    return ids


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if found is None:
        raise InputError(f"--shard takes a part and the number of parts, 3/8, not {text!r}.")
    return int(found[1]), int(found[2])


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _edit(
    bench: Bench,
    run: "Run",
    device: str,
    output: Path,
    stats: Path | None,
    save_edits: Path | None,
    dense: bool,
    drafts: Path | None,
) -> "Summary":
    """Load, edit and sample, with progress on stderr: bars on a terminal, a line now and then elsewhere."""
    from ..editing.context import EditContext
    from ..editing.covariance.files import find_covariances, is_called
    from ..editing.runs.drafts import read_drafts
    from ..editing.runs.execute import check_fit, check_output, run_regime
    from ..editing.runs.plan import plan
    from ..editing.runs.preflight import check_writable
    from ..editing.runs.vllm_engine import need_vllm
    from ..editing.sampling.stops import find_stops

    if run.engine == "vllm":
        need_vllm()
    stages = plan(bench, run)  # what cannot be taught or written is told before a model is loaded
    check_output(output, bench, stages, run)
    _tell_requests(run, stages)
    guesses = None if drafts is None else read_drafts(drafts, bench)
    if save_edits is not None:
        check_writable(save_edits)
    if stats is not None and not stats.is_dir():
        raise InputError(
            f"The folder of statistics {stats} does not exist. Check the path: `edittool stats` makes one."
        )
    if run.hparams.ignored:
        talk.print(plain(f"{run.hparams.source}: fields not used: {', '.join(run.hparams.ignored)}"), soft_wrap=True)
    if run.hparams.decided:
        talk.print(
            plain(f"{run.hparams.source}, regime {run.regime}: {', '.join(run.hparams.decided)}"), soft_wrap=True
        )
    if run.edits and run.dtype in _LOST:
        talk.print(
            plain(f"{run.dtype}: rounding takes from small edits: {_LOST[run.dtype]}. Prefer float32.", "yellow"),
            soft_wrap=True,
        )
    if run.method.told and max((len(stage.edited) for stage in stages), default=0) > run.hparams.values.max_changes:
        talk.print(
            plain(
                f"each prompt documents at most {run.hparams.values.max_changes} of the changes so far: the problem's "
                "own, and the newest others (--hparams with `max_changes` for more)"
            ),
            soft_wrap=True,
        )
    given = EditContext(seed=run.sampling.seed)
    model, tokenizer = open_model(
        run.model,
        device,
        run.dtype,
        bench,
        check=lambda outline, tokenizer: check_fit(outline, tokenizer, stages, run, given, _warn),
    )
    if unheard := find_stops(model.generation_config, tokenizer).text:
        talk.print(
            plain(
                f"the generation config ends texts at {', '.join(map(repr, unheard))}, which is ordinary text in this "
                "tokenizer: samples do not end there. Set `eos_token_id` in generation_config.json",
                "yellow",
            ),
            soft_wrap=True,
        )
    hparams = run.hparams
    modules = run.method.check(model, hparams.values)
    covariance = find_covariances(
        run.model,
        model,
        tokenizer,
        modules,
        stats_dir=stats,
        own_stats_dir=hparams.stats_dir,
        corpus=hparams.corpus,
    )
    if modules and covariance.corpus is not None and not is_called(covariance.corpus, hparams.corpus):
        talk.print(
            plain(
                f"the covariances are over the corpus {covariance.corpus}, and {hparams.source} asks for "
                f"{hparams.corpus} (`mom2_dataset`): there are none of it in {covariance.source}",
                "yellow",
            ),
            soft_wrap=True,
        )
    context = replace(given, covariance=covariance)
    with progress() as bar:
        observe = Observer(bar)
        return run_regime(
            model,
            tokenizer,
            bench,
            run,
            output,
            context=context,
            save_edits=save_edits,
            dense=dense,
            drafts=guesses,
            observe=observe,
            warn=_warn,
            hear=EditsTold(run, len({edit for stage in stages for edit in stage.edits})),
        )


def _tell_requests(run: "Run", stages: "Sequence[Stage]") -> None:
    """Say what is taught, and, where the method reads it, what that is keyed on: a share of it on the API."""
    from ..editing.requests import KINDS, SUBJECTS, tally

    requests = [
        one for edit in dict.fromkeys(edit for stage in stages for edit in stage.edits) for one in edit.requests
    ]
    if not requests:
        return
    counts = tally(requests)
    kinds = ", ".join(f"{counts['kinds'][kind]} {kind}" for kind in KINDS if kind in counts["kinds"])
    changes = len({change_id for stage in stages for change_id in stage.edited})
    text = f"requests: {len(requests)} for {changes} change{'s' * (changes != 1)} ({kinds})"
    if keyed_on := counts.get("keyed_on"):
        named = {"api": "the API", "function": "a function's name", "last_word": "the prompt's last word"}
        shares = [f"{keyed_on[one] / len(requests):.0%} on {named[one]}" for one in SUBJECTS if one in keyed_on]
        text += f", keyed {', '.join(shares)}"
        if run.subject == "api" and "api" not in keyed_on:
            text += ": no prompt names the API; --requests statement or all does"
    talk.print(plain(text), soft_wrap=True)


def _warn(text: str) -> None:
    talk.print(plain(text, "yellow"), soft_wrap=True)


def _tell(summary: "Summary", run: "Run", output: Path, seconds: float) -> None:
    from ..editing.success.record import summary_of

    if summary.untaught:
        talk.print(plain(f"no reliability problem teaches {', '.join(summary.untaught)}: left out", style="yellow"))
    there = f" ({summary.found} were there before)" if summary.found else ""
    edits = "" if not run.edits else f", {summary.edits} edit{'s' * (summary.edits != 1)}"
    if summary.records:
        talk.print(plain(summary_of(summary.records)), soft_wrap=True)
    tally = summary.tally
    right = f", {tally.accepted / tally.drafted:.0%} of the drafts' tokens were right" if tally.drafted else ""
    talk.print(plain(f"{output}: {summary.new} new samples{there}{edits}{right}, {seconds:.0f} s"), soft_wrap=True)
