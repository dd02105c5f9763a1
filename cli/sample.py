"""`edittool sample`: a benchmark and a server in, samples out."""

import math
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from ..analysis.extraction import Mode
from ..samples.prompts import Docs, Style
from ..samples.requests import Sampling, parse_extra_body
from ..schemas.errors import EnvironmentFault, InputError
from .shared.bench_argument import open_bench
from .shared.console import plain, progress, talk
from .shared.exit_codes import DONE, UNANSWERED
from .shared.observer import Observer
from .shared.prompt_options import check_output, choose_problems, make_maker, prompt_options

if TYPE_CHECKING:
    from ..samples.endpoint.client import Endpoint
    from ..samples.endpoint.run import Summary

Api = Literal["chat", "completions"]
KEY = "OPENAI_API_KEY"
_STYLES: dict[Api, Style] = {"chat": "chat", "completions": "complete"}
_EXTRACT: dict[Api, Mode] = {"chat": "auto", "completions": "cut"}


class _Seconds(click.FloatRange):
    """A number of seconds: a bound on a wait is none where it is NaN or infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return `value` as a number, or fail as click's own types do."""
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


@click.command
@click.argument("bench")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file of samples."
)
@click.option("--base-url", required=True, metavar="URL", help="The server, as in http://localhost:8000/v1.")
@click.option("--model", required=True, help="The name under which the server has the model.")
@click.option(
    "--api",
    type=click.Choice(get_args(Api)),
    default="chat",
    show_default=True,
    help="A chat, or a text that a base model goes on with.",
)
@prompt_options
@click.option("-n", "--samples", "n", type=click.IntRange(1), default=5, show_default=True, help="Samples a problem.")
@click.option("--temperature", default=0.8, show_default=True, help="0 takes the likeliest token (with -n 1).")
@click.option("--top-p", default=0.95, show_default=True, help="Share of the likeliest tokens to draw from.")
@click.option("--max-tokens", default=2048, show_default=True, help="Longest answer, in tokens.")
@click.option(
    "--seed", type=int, help="Sample i of a problem is asked for with this seed + i.  [default: none is sent]"
)
@click.option("--extra-body", metavar="JSON", help="Further fields of each request; one that is null is left out.")
@click.option(
    "--extract",
    type=click.Choice(get_args(Mode)),
    help="How the program is taken from the answer.  [default: auto for chat, cut for completions]",
)
@click.option("--concurrency", type=click.IntRange(1, 1024), default=8, show_default=True, help="Requests at once.")
@click.option("--timeout", type=_Seconds(0.1), default=600.0, show_default=True, help="Seconds for one whole answer.")
@click.option(
    "--retries",
    type=click.IntRange(0, 100),
    default=8,
    show_default=True,
    help="Further tries of a request that fails.",
)
@click.option(
    "--patience",
    type=_Seconds(0),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest time that one request waits because the server asks for it (Retry-After).",
)
def sample(
    bench: str,
    output: Path,
    base_url: str,
    api: Api,
    docs: Docs,
    template: Path | None,
    subsets: Sequence[str],
    tasks: Sequence[str],
    n: int,
    extract: Mode | None,
    extra_body: str | None,
    timeout: float,
    retries: int,
    patience: float,
    concurrency: int,
    **drawn: Any,
) -> int:
    """Sample programs from an OpenAI-compatible server: vLLM, llama.cpp, transformers serve, OpenAI's own, ...

    BENCH is a folder, `builtin` or `numpy2`. A key comes from the variable OPENAI_API_KEY alone; servers without one
    are asked without. Each answer is on the disk as soon as it is there: the same command again goes on where it
    stopped, and one with a larger -n asks for what is missing. Refused and truncated answers are rows that say so
    (`finish_reason`, `failure`). Ends with 1 where the server failed on some requests for good, of which there is no
    row, or refused a prompt. docs/sampling.md describes the rows, and what proxy variables do.

    \b
    edittool sample builtin -o samples.jsonl --base-url http://localhost:8000/v1 --model Qwen/Qwen3-8B
    edittool sample BENCH -o base.jsonl --api completions --base-url http://localhost:8080/v1 --model base --seed 1
    edittool sample BENCH -o told.jsonl --docs change --base-url http://localhost:8000/v1 --model Qwen/Qwen3-8B
    OPENAI_API_KEY=... edittool sample BENCH -o s.jsonl --base-url https://api.openai.com/v1 --model gpt-4.1-mini
    """
    check_output(output)
    sampling = Sampling(**drawn, extra_body=parse_extra_body(extra_body))
    sampling.check_seeds(n)
    if sampling.temperature == 0 and n > 1:
        raise InputError(f"At --temperature 0 all {n} samples of a problem are meant to be equal. Use -n 1.")
    endpoint = _open_endpoint(base_url, timeout=timeout, retries=retries, patience=patience, concurrency=concurrency)
    from ..samples.endpoint.run import sample_endpoint

    loaded = open_bench(bench)
    maker = make_maker(loaded, _STYLES[api], docs, template)
    problems = choose_problems(loaded, subsets, tasks)
    started = time.monotonic()
    with progress() as bar:
        observer = Observer(bar)
        summary = sample_endpoint(
            output,
            loaded,
            problems,
            n,
            maker,
            sampling,
            endpoint,
            extract or _EXTRACT[api],
            observe=lambda done, total: observer.show(done, total, f"sampling {sampling.model}"),
            tell=lambda line: talk.print(plain(line, "yellow"), soft_wrap=True),
        )
    _tell(summary, output, time.monotonic() - started)
    return UNANSWERED if summary.unanswered or summary.failed["bad_request"] else DONE


def _open_endpoint(base_url: str, **given: Any) -> "Endpoint":
    try:
        from ..samples.endpoint.client import Endpoint, check_base_url, check_key
    except ImportError as error:
        raise EnvironmentFault(
            f"`edittool sample` needs an HTTP client ({error}). Install it: pip install 'edittool[sample]'"
        ) from None
    endpoint = Endpoint(check_base_url(base_url), check_key(os.environ.get(KEY)), **given)
    if endpoint.shows_the_key:
        through = "" if endpoint.proxy is None else f", through the proxy of the variable {endpoint.proxy.variable}"
        line = f"the key in {KEY} goes to {endpoint.host} unencrypted (http://){through}"
        talk.print(plain(line, "yellow"), soft_wrap=True)
    return endpoint


def _tell(summary: "Summary", output: Path, seconds: float) -> None:
    there = f" ({summary.found} were there before)" if summary.found else ""
    again = f", {summary.tries_again} tries again" if summary.tries_again else ""
    talk.print(plain(f"{output}: {summary.new} new samples{there}{again}, {seconds:.0f} s"), soft_wrap=True)
    for title, counts in (("ended with", summary.finished), ("extracted", summary.extracted)):
        if counts:
            talk.print(plain(f"{title}: {_in_words(counts)}"), soft_wrap=True)
    if summary.failed:
        talk.print(plain(f"without a program to judge: {_in_words(summary.failed)}", "yellow"), soft_wrap=True)
    if summary.unanswered:
        talk.print(
            plain(
                f"not answered: {_in_words(summary.unanswered)} ({summary.example}). There are no samples of these: "
                "the same command asks again.",
                "yellow",
            ),
            soft_wrap=True,
        )


def _in_words(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
