"""What different requests teach: NLL and greedy targets, on what was taught and on calls that nobody taught.

    python perf/requests.py --model tiny                              # all changes of the built-in benchmark
    python perf/requests.py --model FOLDER --changes math.sqrt,str.split --method ft,grace
    python perf/requests.py --model FOLDER --bench MAIN --dtype bfloat16 --method memit,emmet --stats STATS
    python perf/requests.py --model FOLDER --method rome --set layers=[4] --set layers=[8] --set v_lr=0.1
    python perf/requests.py --model FOLDER --method memit,alphaedit --changes math.sqrt,sorted --sequence --others 3
    python perf/requests.py --model FOLDER --method lora --hparams lora.yaml --set num_steps=10 --unseen 3

For each method, kind of request and subject, each change is taught alone and taken back; with `--sequence` one on top
of the other, and all are taken back at the end. Of the targets taught, and of the first call of the new API in each
problem for generalization (which nobody taught), it prints the NLL per token before and after, and the share that the
edited model writes greedily, whole and up to the replacement's name. The calls are asked for after all that stands
before them in the updated solution: does the model write the new API there? With `--others N`, the solutions of N
problems for specificity too: what an edit does to their NLL, it does to all programs.

Hyperparameters are those of `--hparams`, else the preset METHOD-MODEL; where there is none, that of CodeLlama-7B with
its layers at the same relative depth, and FT without its clamp. `--set FIELD=VALUE` changes one of them; of a field
that is set several times each value is tried, in all combinations with the others. Covariances are those of `--stats`,
which `edittool stats` wrote, else of the benchmark's own solutions. Methods that read no subject (FT and GRACE among
them) are run once for each kind of request. All is printed as a table, and written as rows of JSON (`--out`). Seconds
are of learning, on the clock and of the CPU; the first edit's have what all share: covariances factored, templates
drawn.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import islice, product
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import torch
import yaml
from rich.console import Console
from rich.table import Table

from edittool.cli.shared.bench_argument import open_bench
from edittool.editing import EditContext, EditRequest, apply
from edittool.editing.covariance.files import find_covariances
from edittool.editing.covariance.one_pass import Checkpoint, Reading, second_moments
from edittool.editing.edits.codebook import looking_at
from edittool.editing.methods.hparams import Hparams, hparams_of, preset_names, read_hparams
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
    settings: Mapping[str, Any]
    count: int
    seconds: float
    cpu_seconds: float
    taught: Reach
    taught_before: Reach
    unseen: Reach
    unseen_before: Reach
    others: Reach | None = None
    others_before: Reach | None = None


def main() -> None:
    """Try every way, and print a row as soon as it is known."""
    options = parse()
    torch.set_num_threads(options.threads)
    bench = open_bench(options.bench)
    dtype = getattr(torch, options.dtype)
    model, tokenizer = load_model(options.model, options.device, dtype, lessons=lessons_of(bench))
    changes = [bench.changes[one] for one in (options.changes.split(",") if options.changes else sorted(bench.changes))]
    table = Table(
        *"method settings requests subject count seconds CPU".split(),
        "taught NLL",
        "written",
        "named",
        "whole",
        "unseen NLL",
        "written",
        "named",
        "whole",
        "others NLL",
    )
    look = Look(model, tokenizer, bench, options)
    for method in options.method.split(","):
        read = hparams_for(method, options.hparams, options.model, model)
        context = EditContext()
        for settings in grid(options.set):
            hparams = changed(method, read, settings).for_regime("sequential" if options.sequence else "instant")
            context = context_for(method, hparams, model, tokenizer, bench, options, context)
            known: dict[Any, Tried] = {}
            for requests in options.requests.split(","):
                for subject in options.subjects.split(",") if find_method(method).keyed else ["function"]:
                    asked = {"requests": requests, "subject": subject, "per_change": options.per_change}
                    lessons = {change: requests_for(bench, change, **asked) for change in changes}
                    same = tuple(map(tuple, lessons.values()))  # where no prompt names the API, subjects are the same
                    try:
                        if same not in known:
                            known[same] = try_out(method, lessons, look, hparams, context)
                    except InputError as error:  # a threshold of AlphaEdit that frees no direction, say
                        print(f"{method} {settings} {requests}: {error}", file=sys.stderr, flush=True)
                        continue
                    subject = subject if find_method(method).keyed else ""
                    tried = replace(known[same], requests=requests, subject=subject, settings=settings)
                    print(json.dumps(asdict(tried)), flush=True)
                    table.add_row(*shown(tried))
                    if options.out:
                        with options.out.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({"model": options.model, **asdict(tried)}) + "\n")
    Console(width=200).print(table)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="tiny")
    parser.add_argument("--bench", default="builtin", help="a benchmark's folder, or builtin")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--method", default=METHODS)
    parser.add_argument("--hparams", help="a preset or a YAML file, for one method")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="repeat it for a grid")
    parser.add_argument("--stats", type=Path, help="a folder of `edittool stats`")
    parser.add_argument("--changes")
    parser.add_argument("--requests", default=",".join([*KINDS, "all"]))
    parser.add_argument("--subjects", default=",".join(SUBJECTS))
    parser.add_argument("--per-change", type=int)
    parser.add_argument("--unseen", type=int, help="look at so many unseen calls of a change, at most")
    parser.add_argument("--others", type=int, default=0, help="look at so many solutions for specificity")
    parser.add_argument("--sequence", action="store_true", help="one change on top of the other; look at the end")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="append rows of JSON here")
    return parser.parse_args()


def grid(settings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield all combinations of `FIELD=VALUE`, values read as YAML: one without fields where there is nothing to set.

    >>> list(grid(["layers=[4]", "layers=[8]", "v_lr=0.1"]))
    [{'layers': [4], 'v_lr': 0.1}, {'layers': [8], 'v_lr': 0.1}]
    """
    values: dict[str, list[Any]] = {}
    for setting in settings:
        field, _, value = setting.partition("=")
        values.setdefault(field, []).append(yaml.safe_load(value))
    for chosen in product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def changed(method: str, read: Hparams, settings: Mapping[str, Any]) -> Hparams:
    """Return the hyperparameters with other values for some fields, checked as those of a file are."""
    return hparams_of(asdict(read.values) | dict(settings), find_method(method), read.source) if settings else read


def hparams_for(method: str, given: str | None, name: str, model: Any) -> Hparams:
    """Return those given, or the preset of the model, or CodeLlama's at the same relative depth, FT without a clamp."""
    chosen = find_method(method)
    if given is not None or f"{method}-{Path(name).name.lower()}" in preset_names():
        return read_hparams(given, chosen, name)
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


def context_for(
    method: str,
    hparams: Hparams,
    model: Any,
    tokenizer: Any,
    bench: Bench,
    options: argparse.Namespace,
    earlier: EditContext,
) -> EditContext:
    """Return what the method needs besides, `earlier` where that will do: covariances, read or of the benchmark's own.

    Of a context, what edits share is computed once: so the same covariances are one context for all of a method.
    """
    modules = find_method(method).check(model, hparams.values)
    if all(module in earlier.covariance for module in modules):
        return earlier
    if options.stats is not None:
        found = find_covariances(options.model, model, tokenizer, modules, stats_dir=options.stats)
        return replace(earlier, covariance={**earlier.covariance, **{module: found[module] for module in modules}})
    documents = [problem.solution for problem in bench.problems.values()]
    with TemporaryDirectory() as folder:
        checkpoint = Checkpoint.of(Path(folder), {})
        reading = Reading(256, 4096, torch.float32)
        sums, count = second_moments(model, tokenizer, input_widths(model, modules), documents, reading, checkpoint)
    own = {module: total / count for module, total in sums.items()}
    return replace(earlier, covariance={**earlier.covariance, **own})


class Look:
    """A model that is looked at: what it makes of requests, which is kept of those before an edit."""

    def __init__(self, model: Any, tokenizer: Any, bench: Bench, options: argparse.Namespace):
        self.model, self.tokenizer, self.sequence = model, tokenizer, options.sequence
        self._bench, self._unseen = bench, options.unseen
        self._others = list(islice(other_solutions(bench), options.others))
        self._before: dict[EditRequest, Reach] = {}

    def parts(self, change: Change, taught: Sequence[EditRequest]) -> dict[str, list[EditRequest]]:
        """Return what is looked at of a change: what is taught, calls that are not, and solutions without them."""
        unseen = list(islice(unseen_calls(self._bench, change), self._unseen))
        return {"taught": list(taught), "unseen": unseen, "others": self._others}

    def before(self, request: EditRequest, change: Change) -> Reach:
        """Return what the model makes of a request before any edit."""
        if request not in self._before:
            self._before[request] = self.now(request, change)
        return self._before[request]

    def now(self, request: EditRequest, change: Change) -> Reach:
        """Return what the model makes of a request as it is."""
        return reach(self.model, self.tokenizer, request, change)


def try_out(
    method: str, lessons: Mapping[Change, Sequence[EditRequest]], look: Look, hparams: Hparams, context: EditContext
) -> Tried:
    """Teach each change alone, look, and take it back; or all in a sequence, look at the end, and take them back."""
    figures: dict[str, list[Reach]] = defaultdict(list)
    seconds, cpu_seconds = 0.0, 0.0
    for change, taught in lessons.items():
        for name, part in look.parts(change, taught).items():
            figures[f"{name}_before"] += [look.before(one, change) for one in part]
    with ExitStack() as edits:
        for number, (change, taught) in enumerate(lessons.items(), 1):
            start, cpu = time.monotonic(), time.process_time()
            edits.enter_context(apply(method, look.model, look.tokenizer, taught, hparams, context))
            seconds += time.monotonic() - start
            cpu_seconds += time.process_time() - cpu
            if look.sequence and number < len(lessons):
                continue
            for one, its in lessons.items() if look.sequence else [(change, taught)]:
                for name, part in look.parts(one, its).items():
                    figures[name] += [look.now(request, one) for request in part]
            edits.close()
    means = {name: Reach(*map(fmean, zip(*found, strict=True))) for name, found in figures.items() if found}
    return Tried(method, "", "", {}, sum(map(len, lessons.values())), seconds, cpu_seconds, **means)


def unseen_calls(bench: Bench, change: Change) -> Iterator[EditRequest]:
    """Yield the first call of the replacement in each problem for generalization."""
    for problem in sorted(bench.problems.values(), key=lambda one: one.task_id):
        if problem.change_id == change.change_id and problem.subset == "generalization":
            try:
                yield request_of(problem, change, "call", "last_word")
            except InputError:
                continue  # it hands the replacement on, and calls it nowhere


def other_solutions(bench: Bench) -> Iterator[EditRequest]:
    """Yield the solution of each problem for specificity, after its prompt: no edit is to touch it."""
    for problem in sorted(bench.problems.values(), key=lambda one: one.task_id):
        if problem.subset == "specificity" and problem.solution.startswith(problem.prompt):
            yield EditRequest(problem.prompt, "", problem.solution.removeprefix(problem.prompt))


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
    others, others_before = tried.others, tried.others_before
    return [
        tried.method,
        " ".join(f"{field}={value}" for field, value in tried.settings.items()),
        tried.requests,
        tried.subject or "(none)",
        str(tried.count),
        f"{tried.seconds:.0f}",
        f"{tried.cpu_seconds:.0f}",
        f"{before.nll:.2f} -> {taught.nll:.2f}",
        f"{before.tokens:.0%} -> {taught.tokens:.0%}",
        f"{before.named:.0%} -> {taught.named:.0%}",
        f"{before.whole:.0%} -> {taught.whole:.0%}",
        f"{unseen_before.nll:.2f} -> {unseen.nll:.2f}",
        f"{unseen_before.tokens:.0%} -> {unseen.tokens:.0%}",
        f"{unseen_before.named:.0%} -> {unseen.named:.0%}",
        f"{unseen_before.whole:.0%} -> {unseen.whole:.0%}",
        f"{others_before.nll:.2f} -> {others.nll:.2f}" if others and others_before else "",
    ]


if __name__ == "__main__":
    main()
