"""What different requests teach: NLL and greedy targets, on what was taught and on calls that nobody taught.

    python perf/requests.py --model tiny                              # all changes of the built-in benchmark
    python perf/requests.py --model FOLDER --changes math.sqrt,str.split --method ft,grace

For each method, kind of request and subject, each change is taught alone and taken back. Of the targets taught, and of
the first call of the new API in each problem for generalization (which nobody taught), it prints the NLL per token
before and after, and the share that the edited model writes greedily, whole and up to the replacement's name. The calls
are asked for after all that stands before them in the updated solution: does the model write the new API there?

Hyperparameters are the preset METHOD-MODEL; where there is none, that of CodeLlama-7B with its layers at the same
relative depth, and FT without its clamp. Covariances are those of the benchmark's own solutions. FT and GRACE read no
subject: they are run once for each kind of request. All is printed as a table, and written as rows of JSON (`--out`).
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from edittool.benchmark.builtin import load_builtin
from edittool.editing import Edit, EditContext, EditRequest, apply
from edittool.editing.covariance.one_pass import Checkpoint, Reading, second_moments
from edittool.editing.edits.codebook import looking_at
from edittool.editing.methods.hparams import Hparams, preset_names, read_hparams
from edittool.editing.methods.table import find_method
from edittool.editing.model.families import input_widths
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.requests import KINDS, SUBJECTS, request_of, requests_for
from edittool.schemas.bench import Bench
from edittool.schemas.changes import Change
from edittool.schemas.errors import InputError

METHODS = "ft,grace,rome,memit,pmet"
DEEP = 32  # the layers of CodeLlama-7B


class Reach(NamedTuple):
    """Of some targets: NLL per token, the share of tokens, of whole targets and of names that are written greedily."""

    nll: float
    tokens: float
    whole: float
    named: float


@dataclass(frozen=True, slots=True)
class Tried:
    """One way to teach, over all changes: how many requests in all, and what it does to them and to unseen calls."""

    method: str
    requests: str
    subject: str
    count: int
    seconds: float
    taught: Reach
    taught_before: Reach
    unseen: Reach
    unseen_before: Reach


def main() -> None:
    """Try every way, and print a row as soon as it is known."""
    options = parse()
    torch.set_num_threads(options.threads)
    bench = load_builtin()
    model, tokenizer = load_model(options.model, options.device, lessons=lessons_of(bench))
    changes = [bench.changes[one] for one in (options.changes.split(",") if options.changes else sorted(bench.changes))]
    table = Table(
        *"method requests subject count seconds".split(),
        "taught NLL",
        "written",
        "whole",
        "unseen NLL",
        "written",
        "named",
        "whole",
    )
    for method in options.method.split(","):
        hparams = hparams_for(method, options.model, model)
        context = context_for(method, hparams, model, tokenizer, bench)
        known: dict[Any, Tried] = {}
        for requests in options.requests.split(","):
            for subject in options.subjects.split(",") if find_method(method).keyed else ["function"]:
                asked = {"requests": requests, "subject": subject, "per_change": options.per_change}
                lessons = {change: requests_for(bench, change, **asked) for change in changes}
                same = tuple(map(tuple, lessons.values()))  # where no prompt names the API, subjects are the same
                if same not in known:
                    known[same] = try_out(method, lessons, bench, model, tokenizer, hparams, context)
                tried = replace(known[same], requests=requests, subject=subject if find_method(method).keyed else "")
                print(json.dumps(asdict(tried)), flush=True)
                table.add_row(*shown(tried))
                if options.out:
                    with options.out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"model": options.model, **asdict(tried)}) + "\n")
    Console(width=160).print(table)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--method", default=METHODS)
    parser.add_argument("--changes")
    parser.add_argument("--requests", default=",".join([*KINDS, "all"]))
    parser.add_argument("--subjects", default=",".join(SUBJECTS))
    parser.add_argument("--per-change", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="append rows of JSON here")
    return parser.parse_args()


def hparams_for(method: str, name: str, model: Any) -> Hparams:
    """Return the preset of the model, or CodeLlama's at the same relative depth, FT without a clamp."""
    chosen = find_method(method)
    if f"{method}-{Path(name).name.lower()}" in preset_names():
        return read_hparams(None, chosen, name)
    read = read_hparams(f"{method}-codellama-7b", chosen)
    layers = model.config.num_hidden_layers

    def height(layer: int) -> int:
        return min(layers - 1, round(layer * layers / DEEP))

    values = read.values
    if method == "grace":
        [place] = values.inner_params
        before, _, after = place.partition("[")
        number, _, after = after.partition("]")
        return replace(read, values=replace(values, inner_params=[f"{before}[{height(int(number))}]{after}"]))
    values = replace(values, layers=sorted({height(layer) for layer in values.layers}))
    own = {"norm_constraint": False} if method == "ft" else {"v_loss_layer": layers - 1}
    return replace(read, values=replace(values, **own))


def context_for(method: str, hparams: Hparams, model: Any, tokenizer: Any, bench: Bench) -> EditContext:
    """Return what the method needs besides: covariances of the benchmark's own solutions."""
    modules = find_method(method).check(model, hparams.values)
    if not modules:
        return EditContext()
    documents = [problem.solution for problem in bench.problems.values()]
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint.of(Path(folder), {})
        reading = Reading(256, 4096, torch.float32)
        sums, count = second_moments(model, tokenizer, input_widths(model, modules), documents, reading, checkpoint)
    return EditContext(covariance={module: total / count for module, total in sums.items()})


def try_out(
    method: str,
    lessons: Mapping[Change, Sequence[EditRequest]],
    bench: Bench,
    model: Any,
    tokenizer: Any,
    hparams: Hparams,
    context: EditContext,
) -> Tried:
    """Teach each change alone, look, and take it back."""
    figures: dict[str, list[Reach]] = {"taught": [], "taught_before": [], "unseen": [], "unseen_before": []}
    seconds = 0.0
    for change, taught in lessons.items():
        parts = {"taught": taught, "unseen": list(unseen_calls(bench, change))}
        for name, part in parts.items():
            figures[f"{name}_before"] += [reach(model, tokenizer, one, change) for one in part]
        start = time.monotonic()
        edit: Edit = apply(method, model, tokenizer, taught, hparams, context)
        seconds += time.monotonic() - start
        with edit:
            for name, part in parts.items():
                figures[name] += [reach(model, tokenizer, one, change) for one in part]
    means = {name: Reach(*map(fmean, zip(*found, strict=True))) for name, found in figures.items()}
    return Tried(method, "", "", sum(map(len, lessons.values())), seconds, **means)


def unseen_calls(bench: Bench, change: Change) -> Iterator[EditRequest]:
    """Yield the first call of the replacement in each problem for generalization."""
    for problem in sorted(bench.problems.values(), key=lambda one: one.task_id):
        if problem.change_id == change.change_id and problem.subset == "generalization":
            try:
                yield request_of(problem, change, "call", "last_word")
            except InputError:
                continue  # it hands the replacement on, and calls it nowhere


def reach(model: Any, tokenizer: Any, request: EditRequest, change: Change) -> Reach:
    """Return what the model makes of one request, reading prompt and target in one pass."""
    before = tokenizer(request.prompt)["input_ids"]
    both = tokenizer(request.prompt + request.target)["input_ids"]
    if both[: len(before)] != before:  # the two are joined token by token, as they are sampled
        both = before + tokenizer(request.target, add_special_tokens=False)["input_ids"]
    start = len(before)
    with torch.no_grad(), looking_at(start - 1):
        scores = model(torch.tensor([both], device=model.device)).logits[0, start - 1 : -1].float().log_softmax(-1)
    targets = torch.tensor(both[start:], device=scores.device)
    nll = -scores.gather(1, targets[:, None]).mean().item()
    right = scores.argmax(-1) == targets
    name = len(
        tokenizer(request.prompt + request.target.partition(change.replacement)[0] + change.replacement)["input_ids"]
    )
    return Reach(nll, right.float().mean().item(), float(right.all()), float(right[: max(1, name - start)].all()))


def shown(tried: Tried) -> list[str]:
    """Return a row of the table."""
    taught, before, unseen, unseen_before = tried.taught, tried.taught_before, tried.unseen, tried.unseen_before
    return [
        tried.method,
        tried.requests,
        tried.subject or "(none)",
        str(tried.count),
        f"{tried.seconds:.0f}",
        f"{before.nll:.2f} -> {taught.nll:.2f}",
        f"{before.tokens:.0%} -> {taught.tokens:.0%}",
        f"{before.whole:.0%} -> {taught.whole:.0%}",
        f"{unseen_before.nll:.2f} -> {unseen.nll:.2f}",
        f"{unseen_before.tokens:.0%} -> {unseen.tokens:.0%}",
        f"{unseen_before.named:.0%} -> {unseen.named:.0%}",
        f"{unseen_before.whole:.0%} -> {unseen.whole:.0%}",
    ]


if __name__ == "__main__":
    main()
