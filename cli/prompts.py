"""`edittool prompts`: a benchmark in, what to ask a model out."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import click

from ..samples.prompts import Docs, Prompt, Style
from ..samples.requests import Sampling, batch_row, parse_extra_body
from ..schemas.jsonl import write_rows
from ..schemas.whole_files import in_folder
from .shared.bench_argument import open_bench
from .shared.console import plain, talk
from .shared.prompt_options import check_output, choose_problems, make_maker, prompt_options

Format = Literal["edittool", "openai-batch", "messages"]


@click.command
@click.argument("bench")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of prompts."
)
@click.option(
    "--style",
    type=click.Choice(get_args(Style)),
    help="A text to go on with, for base models, or a chat.  [default: complete; chat for messages]",
)
@prompt_options
@click.option("-n", "--samples", "n", type=click.IntRange(1), default=1, show_default=True, help="Rows a problem.")
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Format)),
    default="edittool",
    show_default=True,
    help="Rows with all that a sample needs, the input of OpenAI's batches, or messages alone.",
)
@click.option("--model", help="openai-batch: the name of the model.")
@click.option("--temperature", type=float, help="openai-batch: 0 takes the likeliest token.")
@click.option("--top-p", type=float, help="openai-batch: share of the likeliest tokens to draw from.")
@click.option("--max-tokens", type=int, help="openai-batch: longest answer, in tokens.")
@click.option("--seed", type=int, help="openai-batch: sample i of a problem gets this seed + i.")
@click.option("--extra-body", metavar="JSON", help="openai-batch: further fields of each request.")
def prompts(
    bench: str,
    output: Path,
    style: Style | None,
    docs: Docs,
    template: Path | None,
    subsets: Sequence[str],
    tasks: Sequence[str],
    n: int,
    form: Format,
    extra_body: str | None,
    **drawn: Any,
) -> None:
    """Write what to ask a model for each problem of a benchmark, for whatever engine there is.

    BENCH is a folder, `builtin` or `numpy2`. With --docs change, the signature, the documentation and a usage example
    of the new API stand in front: what a model does that was told, to hold edits against. The file is written whole,
    and the same command writes the same bytes. docs/sampling.md describes the rows and how their answers become
    samples; `edittool sample` asks a server itself.

    \b
    edittool prompts builtin -o prompts.jsonl
    edittool prompts BENCH -o prompts.jsonl --docs change -n 10
    edittool prompts BENCH -o batch.jsonl --style chat --format openai-batch --model gpt-4.1-mini --max-tokens 2048
    edittool prompts BENCH -o chats.jsonl --format messages --template ask.txt --subset generalization
    """
    check_output(output)
    style = style or ("chat" if form == "messages" else "complete")
    if form == "messages" and style == "complete":
        raise click.UsageError("--format messages is a chat: it does not go with --style complete.")
    _check_options(form, extra_body, drawn)
    loaded = open_bench(bench)
    maker = make_maker(loaded, style, docs, template)
    problems = choose_problems(loaded, subsets, tasks)
    sampling = Sampling(**drawn, extra_body=parse_extra_body(extra_body)) if form == "openai-batch" else None
    if sampling is not None:
        sampling.check_seeds(n)
    asked = ((maker.make(problem), index) for problem in problems for index in range(n))
    with in_folder(output.parent, "the folder of the prompts"):
        write_rows(output, _rows(asked, form, sampling))
    talk.print(plain(f"{output}: {len(problems) * n} prompts for {len(problems)} problems"), soft_wrap=True)


def _check_options(form: Format, extra_body: str | None, drawn: dict[str, Any]) -> None:
    given = [name for name, value in {**drawn, "extra_body": extra_body}.items() if value is not None]
    if form == "openai-batch" and drawn["model"] is None:
        raise click.UsageError("--format openai-batch needs --model NAME: each request names its model.")
    if form != "openai-batch" and given:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is for --format openai-batch alone. Leave it out.")


def _rows(asked: Iterator[tuple[Prompt, int]], form: Format, sampling: Sampling | None) -> Iterator[dict[str, Any]]:
    for prompt, index in asked:
        if sampling is not None:
            yield batch_row(prompt, index, sampling)
        elif form == "messages":
            yield {"task_id": prompt.problem.task_id, "sample_index": index, "messages": prompt.messages}
        else:
            yield prompt.to_row(index)
