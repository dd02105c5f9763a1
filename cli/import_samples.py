"""`edittool import`: samples as people publish them in, samples.jsonl out."""

import json
from pathlib import Path
from typing import get_args

import click
from rich.progress import TextColumn

from ..analysis.extraction import Mode
from ..samples.importing.run import Request, Summary, run_import
from ..samples.importing.shapes import SHAPE_NAMES, WORDS
from ..samples.prompts import Docs
from ..schemas.errors import InputError
from .shared.bench_argument import open_bench
from .shared.console import plain, progress, results, talk
from .shared.exit_codes import BAD_INPUT, DONE

_REASONS = {
    "broken_json": "lines that are no JSON",
    "no_text": "rows without an answer",
    "no_task": "for no problem of the benchmark",
    "ambiguous_task": "that may be for several problems",
    "left_out": "for problems that the benchmark left out",
    "request_failed": "requests that failed",
    "not_utf8": "programs that are not UTF-8",
    "too_long": "too long",
    "other_shape": "of another shape than their file",
}


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER...")
@click.option("--bench", required=True, metavar="BENCH", help="The benchmark: a folder, or `builtin`.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The samples.jsonl to write."
)
@click.option(
    "--from",
    "shape",
    type=click.Choice(["auto", *SHAPE_NAMES]),
    default="auto",
    show_default=True,
    help="The shape of the files. auto: each file tells its own.",
)
@click.option(
    "--extract",
    "mode",
    type=click.Choice(get_args(Mode)),
    help="How programs are had from answers.  [default: auto for answers of a chat, none for programs]",
)
@click.option("--model", metavar="NAME", help="The model that made them; else what the rows say.")
@click.option("--method", metavar="NAME", help="How the model was edited, a name for reports; else what the rows say.")
@click.option(
    "--docs",
    type=click.Choice(get_args(Docs)),
    help="The prompts were those of `edittool prompts --docs ...`: the samples get its method and worlds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def import_samples(
    files: tuple[Path, ...],
    bench: str,
    output: Path,
    shape: str,
    mode: Mode | None,
    model: str | None,
    method: str | None,
    docs: Docs | None,
    as_json: bool,
) -> int:
    """Turn samples as people publish them into samples.jsonl, for `edittool judge`.

    FILES are .jsonl, .json, .eval and .py, packed with gzip or in a .zip, or folders of these: rows of HumanEval and
    EvalPlus, EvalPlus's folders and results, generations of bigcode, samples of lm-evaluation-harness, logs of Inspect,
    OpenAI's batch output, chats, and plain folders of programs. docs/samples.md says what is read of each.

    The problem of an answer is found by its id in any spelling, by a number where that is one problem's alone, else by
    the prompt or the function. What finds none goes to NAME.rejected.jsonl beside the output, with the reason: no row
    is lost. A row says where it came from (`imported`), and fields that edittool does not know are kept.

    Exit code 2 means that no sample could be taken; an old output then stays as it was. An output that holds anything
    but samples that this command wrote is refused.

    \b
    edittool import generations.json --bench BENCH -o samples.jsonl
    edittool import runs/ more.zip --bench BENCH -o samples.jsonl --model my-model
    edittool import answers.jsonl.gz --bench BENCH -o samples.jsonl --from chat
    edittool import samples.jsonl --bench BENCH -o programs.jsonl --extract auto
    edittool import batch_output.jsonl --bench BENCH -o told.jsonl --docs change
    """
    opened = open_bench(bench)
    request = Request(
        paths=files,
        bench=opened,
        output=output,
        shape=next((name for name in SHAPE_NAMES if name == shape), None),
        mode=mode,
        model=model,
        method=method,
        docs=docs,
    )
    with progress(TextColumn("{task.completed} answers")) as bar:
        task = bar.add_task("reading", total=None)
        try:
            summary = run_import(request, lambda read: bar.update(task, completed=read))
        except KeyboardInterrupt:
            raise click.Abort("nothing was written; give the same command again to start anew") from None
    _tell(summary)
    if summary.read == 0:
        raise InputError("There is nothing to import in what was given: no row of samples, and no program.")
    if as_json:
        click.echo(json.dumps(summary.to_json()))
    elif summary.taken:
        results.print(plain(f"{summary.taken} samples of {summary.read} read: {output}"), soft_wrap=True)
    if not summary.taken:
        talk.print(plain(f"error: no sample was taken, and {output} was not written", style="red"), soft_wrap=True)
        return BAD_INPUT
    return DONE


def _tell(summary: Summary) -> None:
    """Say on stderr what was read, how programs were had, what was rejected and why, and what to know."""
    for file in summary.files.values():
        _say(f"read {_count(file.read, 'answer')} from {file.name} ({file.shape}: {WORDS[file.shape]})")
    for reason, names in summary.passed.names.items():
        _say(f"passed over {_count(len(names), 'file')} ({reason}), such as {names[0]}")
    weak = [f"{word} ({summary.matched[by]})" for by, word in _MATCHED.items() if summary.matched[by]]
    if weak:
        _say(f"problems were found not by their ids but by {', '.join(weak)}")
    for mode, shapes in sorted(summary.modes.items()):
        how = "taken as they are" if mode == "none" else f"extracted (--extract {mode})"
        _say(f"programs of {', '.join(sorted(shapes))} are {how}")
    kinds = {kind: count for kind, count in sorted(summary.kinds.items()) if kind != "not extracted"}
    if kinds:
        _say(f"what was extracted: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}")
    for note in summary.notes:
        _say(f"note: {note}", "yellow")
    for reason, count in sorted(summary.rejected.items()):
        _say(f"rejected {count}: {_REASONS[reason]}", "yellow")
        for example in summary.examples[reason]:
            _say(f"  {example[:400]}", "yellow")
        if count > len(summary.examples[reason]):
            _say(f"  and {count - len(summary.examples[reason])} more", "yellow")
    if summary.rejected:
        _say(f"all {summary.rejected.total()} are in {summary.rejected_file}", "yellow")


_MATCHED = {"number": "number", "prompt": "prompt", "entry_point": "function", "position": "place in a list"}


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _say(text: str, style: str = "") -> None:
    """Say one line; a line end in it, such as one in the name of a file, is shown as one."""
    talk.print(plain(text.replace("\n", "\\x0a"), style=style), soft_wrap=True)
