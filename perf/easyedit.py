"""CPU seconds for an edit by EasyEdit itself and by edittool, side by side in one run, and how far the edits differ.

    git clone https://github.com/zjunlp/EasyEdit && git -C EasyEdit checkout 14cea8245f06715684592ab55184939b99d70784
    python perf/easyedit.py --easyedit EasyEdit                        # a random Llama of 12 layers, on the CPU
    python perf/easyedit.py --easyedit EasyEdit --method rome --rounds 1

EasyEdit cannot be installed whole (the package of that name is of 2023): its folder is given, and of its code the five
methods are imported, without editors, trainers and data sets. Both tools teach the same requests to the same model, by
turns, with the same hyperparameters, templates, covariances and initial values. An edit is made and undone; seconds are
those of the processor, so that what else runs counts little, and of the fastest round.

Two settings: EasyEdit's own way to teach (`--subject function --requests solution`: the edited position stands near the
beginning of the prompt, and much is read again in each step), and `--subject last_word --requests call`, as in the
code-llmedit study. The requests are those of the built-in benchmark with the longest prompts, less what EasyEdit
cannot read: braces, and a subject that stands in the prompt twice. For that, the examples in docstrings are cut off in
the first setting. The tokenizer pads on the right, as EasyEdit's editor has it for ROME and MEMIT: with padding on the
left, which it has for the others, lookups are off.
"""

import argparse
import contextlib
import io
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from editing import REQUESTS, SHAPES, memit_layers, random_covariance, random_model, settings
from edittool.benchmark.builtin import load_builtin
from edittool.editing import EditContext, EditRequest, apply
from edittool.editing.model.tiny import TinySettings, train_tokenizer
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.requests import RequestRule, SubjectRule, requests_for

TEMPLATES = [f"{opening} value of this is a number that. {{}}" for opening in ("The", "Thus", "As", "I", "You")]
SETTINGS: dict[str, tuple[SubjectRule, RequestRule]] = {
    "function, solution": ("function", "solution"),
    "last_word, call": ("last_word", "call"),
}
COUNTS = {"ft": (1,), "grace": (1,), "rome": (1,), "memit": (1, REQUESTS), "pmet": (1, REQUESTS)}

# What EasyEdit's hyperparameters have besides those of perf/editing.py.
MODULES = {
    "rewrite_module_tmp": "model.layers.{}.mlp.down_proj",
    "layer_module_tmp": "model.layers.{}",
    "mlp_module_tmp": "model.layers.{}.mlp",
    "attn_module_tmp": "model.layers.{}.self_attn",
    "ln_f_module": "model.norm",
    "lm_head_module": "lm_head",
    "device": "cpu",
    "model_name": "random",
}
LOCATING = MODULES | {
    "fact_token": "subject_last",
    "mom2_dataset": "wikipedia",
    "mom2_n_samples": 1000,
    "mom2_dtype": "float32",
    "stats_dir": "stats",
}
THEIRS: dict[str, dict[str, Any]] = {
    "ft": MODULES | {"weight_decay": 0, "kl_factor": 0, "objective_optimization": "target_new", "batch_size": 1},
    "grace": {
        "dist_fn": "euc",
        "val_init": "cold",
        "val_train": "sgd",
        "val_reg": None,
        "reg": "early_stop",
        "replacement": "replace_last",
        "eps_expand": "coverage",
        "num_pert": 8,
        "dropout": 0.0,
        "device": "cpu",
        "model_name": "random",
    },
    "rome": LOCATING | {"mom2_adjustment": False, "context_template_length_params": [[10, 5]]},
    "memit": LOCATING | {"mom2_adjustment": True, "layer_selection": "all"},
    "pmet": LOCATING
    | {
        "mom2_adjustment": True,
        "layer_selection": "all",
        "nll_loss_factor": 1.0,
        "rewrite_module_tmps": ["model.layers.{}.mlp.down_proj"],
        "mlp_module_tmp": "model.layers.{}.mlp.down_proj",
        "attn_module_tmp": "model.layers.{}.self_attn.o_proj",
    },
}
CLASSES = {"ft": "FT", "grace": "Grace", "rome": "ROME", "memit": "MEMIT", "pmet": "PMET"}


@dataclass(frozen=True, slots=True)
class Bench:
    """What both tools are given: the model, its tokenizer, hyperparameters of each method, and covariances."""

    model: Any
    tokenizer: Any
    hparams: Mapping[str, Mapping[str, Any]]
    covariance: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Made:
    """One edit: the seconds to make it and to undo it, and what was changed as it was in the model (GRACE: values)."""

    seconds: float
    changed: dict[str, Tensor]


Teach = Callable[[Bench, str, Sequence[EditRequest]], Made]


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    if options.easyedit is None:
        print("nothing to compare with: give --easyedit the folder of EasyEdit (how to get it: --help)")
        return
    import_easyedit(options.easyedit)
    bench = make_bench()
    table = Table("method", "requests", "setting", "EasyEdit", "edittool", "ratio", "difference")
    for method, counts in COUNTS.items():
        for count in counts if options.method in (None, method) else ():
            for name, (subject, rule) in SETTINGS.items():
                requests = readable_requests(count, subject, rule)
                table.add_row(method, str(count), name, *measured(bench, method, requests, options.rounds))
    Console(width=100).print(table)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--easyedit", type=Path, metavar="FOLDER", help="a checkout of EasyEdit")
    parser.add_argument("--method", choices=COUNTS, help="measure this one alone")
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


def import_easyedit(folder: Path) -> None:
    """Let `easyeditor.models.rome` and its like be imported from `folder`, but nothing else of what is there."""
    package = folder.expanduser().absolute() / "easyeditor"
    if not (package / "models" / "rome").is_dir():
        sys.exit(f"{folder} is no checkout of EasyEdit: it has no easyeditor/models/rome. How to get it: see --help.")
    for name in ("easyeditor", "easyeditor.models", "easyeditor.util"):
        module = ModuleType(name)
        module.__path__ = [str(package.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module
    try:
        import_module("datasets")
    except ImportError:  # it is for statistics, which are given here
        sys.modules["datasets"] = ModuleType("datasets")
        sys.modules["datasets"].load_dataset = None  # type: ignore[attr-defined]  # a module made here


def make_bench() -> Bench:
    """Return a random Llama, as perf/editing.py has it."""
    shape = SHAPES["small"]
    tokenizer = train_tokenizer(lessons_of(load_builtin()), TinySettings())
    tokenizer.padding_side = "right"
    model = random_model(shape, tokenizer, "cpu", torch.float32)
    model.config._name_or_path = "random"
    paths = [f"model.layers.{layer}.mlp.down_proj" for layer in memit_layers(shape)]
    hparams = {method: {**given, **_loss_layer(method, shape.layers)} for method, given in settings(shape).items()}
    return Bench(model, tokenizer, hparams, {path: random_covariance(shape.mlp, "cpu") for path in paths})


def _loss_layer(method: str, layers: int) -> dict[str, int]:
    return {"v_loss_layer": layers - 1} if method in ("rome", "memit", "pmet") else {}


def readable_requests(count: int, subject: SubjectRule, rule: RequestRule) -> list[EditRequest]:
    """Return the requests of the built-in benchmark with the longest prompts, of those that EasyEdit reads."""
    bench = load_builtin()
    requests = [
        without_examples(request) if subject == "function" else request
        for change in bench.changes.values()
        for request in requests_for(bench, change, subject=subject, requests=rule)
    ]
    taken = [
        request
        for request in requests
        if not set("{}") & set(request.prompt + request.target) and request.prompt.count(request.subject) == 1
    ]
    assert len(taken) >= count, f"EasyEdit reads {len(taken)} requests of {subject}, {rule}, and {count} are needed"
    return sorted(taken, key=lambda request: -len(request.prompt))[:count]


def without_examples(request: EditRequest) -> EditRequest:
    """Return `request` without the examples in its docstring: they repeat the function's name."""
    prompt = re.sub(r"\n\s*>>>.*?(?=\n\s*\"\"\")", "", request.prompt, flags=re.DOTALL)
    return EditRequest(prompt, request.subject, request.target)


def measured(bench: Bench, method: str, requests: Sequence[EditRequest], rounds: int) -> list[str]:
    """Return seconds of both, the fastest of `rounds` by turns, their ratio, and the distance of the edits."""
    before = {name: tensor.detach().clone() for name, tensor in bench.model.named_parameters()}
    made: dict[Teach, list[Made]] = {theirs: [], ours: []}
    for _ in range(rounds):
        for teach, found in made.items():
            found.append(teach(bench, method, requests))
            for name, tensor in bench.model.named_parameters():
                assert torch.equal(tensor, before[name]), f"{teach.__name__} left {name} changed"
    slow, quick = (min(one.seconds for one in found) for found in made.values())
    one, other = (found[-1].changed for found in made.values())
    apart = torch.stack([(one[name] - other[name]).norm() for name in one]).norm()
    whole = torch.stack([(tensor - before.get(name, torch.zeros(()))).norm() for name, tensor in one.items()]).norm()
    return [f"{slow:.2f} s", f"{quick:.2f} s", f"{slow / quick:.1f}x", f"{float(apart / whole):.0e}"]


def ours(bench: Bench, method: str, requests: Sequence[EditRequest]) -> Made:
    """Teach by edittool, with EasyEdit's reading of a request (the profile `easyedit`, the default)."""
    torch.manual_seed(0)
    width = bench.model.config.hidden_size
    context = EditContext(
        templates=TEMPLATES, covariance=bench.covariance, initial_values=[torch.rand(1, width) for _ in requests]
    )
    started = time.process_time()
    edit = apply(method, bench.model, bench.tokenizer, requests, bench.hparams[method], context)
    taken = time.process_time() - started
    book = edit.codebook()
    changed = (
        {"values": book.values}
        if book
        else {name: bench.model.get_parameter(name).detach().clone() for name in edit.deltas()}
    )
    started = time.process_time()
    edit.undo()
    return Made(taken + time.process_time() - started, changed)


def theirs(bench: Bench, method: str, requests: Sequence[EditRequest]) -> Made:
    """Teach by EasyEdit, as its editor does: the old weights are kept and put back."""
    module = import_module(f"easyeditor.models.{method}.{method}_main")
    hparams = getattr(module, f"{CLASSES[method]}HyperParams")(
        **{**THEIRS[method], **bench.hparams[method], "alg_name": method.upper()}
    )
    given = [{"prompt": one.prompt, "subject": one.subject, "target_new": one.target, "case_id": 0} for one in requests]
    flags = {parameter: parameter.requires_grad for parameter in bench.model.parameters()}
    _give(module, method, bench)
    torch.manual_seed(0)
    with quiet():
        started = time.process_time()
        teach = getattr(module, f"apply_{method}_to_model")
        edited, before = teach(bench.model, bench.tokenizer, given, hparams, copy=False, return_orig_weights=True)
        taken = time.process_time() - started
        if method == "grace":
            layer = hparams.inner_params[0].replace("[", ".").replace("]", "").removesuffix(".weight")
            changed = {"values": edited.model.get_submodule(layer).values.detach().clone()}
        else:
            changed = {name: bench.model.get_parameter(name).detach().clone() for name in before}
        started = time.process_time()
        _undo(bench.model, before)
        taken += time.process_time() - started
    for parameter, flag in flags.items():
        parameter.requires_grad_(flag).grad = None
    return Made(taken, changed)


def _give(module: Any, method: str, bench: Bench) -> None:
    """Put templates and covariances where EasyEdit keeps them, so that none are drawn or computed."""
    if method == "rome":
        module.CONTEXT_TEMPLATES_CACHE = ["{}", *TEMPLATES]
    elif method in ("memit", "pmet"):
        module.CONTEXT_TEMPLATES_CACHE = [["{}"], TEMPLATES]
        module.COV_CACHE.update({("random", path): tensor for path, tensor in bench.covariance.items()})


@torch.no_grad()
def _undo(model: Any, before: Any) -> None:
    """Do what EasyEdit's editor does after each edit: copy the old weights back; GRACE gives a function."""
    if callable(before):
        before()
    else:
        for name, tensor in before.items():
            model.get_parameter(name)[...] = tensor


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


if __name__ == "__main__":
    main()
