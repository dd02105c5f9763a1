"""Adapters of the library `peft`, trained on requests and then turned into changes of the weights that they adapt.

What LoRA and AdaLoRA share: the layers that are adapted, the loss, the steps, and a model that has no adapter left.
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from ...schemas.errors import EnvironmentFault, InputError
from ..context import EditContext, Step
from ..edits.edit import Edit
from ..edits.low_rank import LowRank
from ..model.forward import read
from ..model.parameters import frozen
from ..requests import EditRequest, need_requests
from .target_tokens import Profile, Taught, following

NAME = "default"  # what peft calls an adapter that nobody named
NOT_LEARNED = -100  # the label of a position that no target stands at


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterHparams:
    """Hyperparameters, under EasyEdit's names.

    An adapter of rank `rank` is added to each linear layer whose path ends with one of `target_modules`, in `layers`
    or, where these are empty, in all; its output is multiplied by `lora_alpha` over the rank, and its input loses a
    share of `lora_dropout` in training. `num_steps` epochs of Adam at `lr` with `weight_decay`, over `batch_size`
    requests at a time; an epoch whose mean loss is below `stop_loss` is the last (0: none is). `profile`: see
    `target_tokens.join`.
    """

    target_modules: list[str]
    rank: int
    lora_alpha: float
    num_steps: int
    lr: float
    lora_dropout: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 128
    layers: list[int] = field(default_factory=list)
    stop_loss: float = 0.0
    profile: Profile = "easyedit"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        for name in ("rank", "num_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("lora_alpha", "lr", "weight_decay", "stop_loss"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number from 0 up, not {getattr(self, name)}")
        if not 0 <= self.lora_dropout < 1:
            raise ValueError(f"lora_dropout must be from 0 to below 1, not {self.lora_dropout}")
        if not self.target_modules:
            raise ValueError("target_modules must name at least one kind of layer")

    def config(self, kind: Any, model: nn.Module, **more: Any) -> Any:
        """Return the configuration of peft, of the class `kind`, for the layers of `model` that are adapted."""
        paths = find_targets(model, self)
        return kind(
            target_modules=paths,
            lora_alpha=self.lora_alpha,
            lora_dropout=self.lora_dropout,
            fan_in_fan_out=isinstance(model.get_submodule(paths[0]), Conv1D),
            **more,
        )


def need_peft() -> Any:
    """Return the library. Raises EnvironmentFault where it is not installed."""
    try:
        return import_module("peft")
    except ImportError as error:
        raise EnvironmentFault(
            f"The methods lora and adalora need the library peft ({error}). Install it: pip install 'edittool[peft]'"
        ) from None


def check_adapters(model: nn.Module, hparams: AdapterHparams) -> tuple[str, ...]:
    """Raise InputError where the hyperparameters name no layer of the model, EnvironmentFault without peft.

    No covariance is needed.
    """
    need_peft()
    find_targets(model, hparams)
    return ()


def find_targets(model: Any, hparams: AdapterHparams) -> list[str]:
    """Return the paths of the linear layers of `model` that are adapted.

    Raises InputError for a name that no linear layer has, a layer that there is not, and the head where it shares its
    weight with the embeddings: a change of that weight would change what is read, too.
    """
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    for target in hparams.target_modules:
        if not any(_ends_with(name, target) for name in linear):
            known = ", ".join(sorted({name.rpartition(".")[2] for name in linear}))
            raise InputError(
                f'Hyperparameter "target_modules": this model has no linear layer {target!r}. Its linear layers are '
                f"called {known}."
            )
    named = [name for name in linear if any(_ends_with(name, target) for target in hparams.target_modules)]
    for layer in hparams.layers:
        if not any(_layer_of(name) == layer for name in named):
            there = sorted({number for name in named if (number := _layer_of(name)) is not None})
            has = f"has layers {there[0]} to {there[-1]}" if there else "numbers none"
            raise InputError(f'Hyperparameter "layers": there is no layer {layer} to adapt; this model {has}.')
    found = [name for name in named if not hparams.layers or _layer_of(name) in hparams.layers]
    shared = model.get_input_embeddings().weight
    for name in found:
        if model.get_submodule(name).weight is shared:
            raise InputError(
                f'Hyperparameter "target_modules": {name} shares its weight with the embeddings of this model, so a '
                "change of it would change how texts are read. Leave it out."
            )
    return found


def _ends_with(name: str, target: str) -> bool:
    return f".{name}".endswith(f".{target}")


def _layer_of(name: str) -> int | None:
    """Return the first number in the path of a module: that of its layer."""
    return next((int(part) for part in name.split(".") if part.isdigit()), None)


def measure_adapters(
    model: Any, tokenizer: Any, request: EditRequest, hparams: AdapterHparams, context: EditContext
) -> int:
    """Return how many tokens are read for a request. Raises InputError where it has nothing to teach in tokens."""
    return len(following(tokenizer, request, hparams.profile).row.ids)


def teach_adapters(
    method: str,
    model: Any,
    tokenizer: Any,
    requests: Sequence[EditRequest],
    hparams: AdapterHparams,
    context: EditContext,
    make: Callable[[Any, int], Any],
    factors: Callable[[Any], tuple[Tensor, Tensor]],
    penalty: Callable[[Any], Tensor | float] = lambda tuner: 0.0,
    after_step: Callable[[Any, int], None] = lambda tuner, step: None,
) -> Edit:
    """Teach `model` the `requests` by adapters and return the edit, applied. Its `losses` are each epoch's mean loss.

    `make(model, steps)` puts adapters into the model and returns peft's tuner, for so many steps in all; `factors` has
    what an adapted layer adds to its weight, (out, rank) and (in, rank). `penalty(tuner)` is added to the loss, and
    `after_step(tuner, step)` is called after each step of the optimiser, counted from 1. The seed of `context` decides
    the first adapters and the dropout; the state of PyTorch's generators is left as it was, and the model in
    evaluation mode. Raises InputError as `find_targets` does, and where a target has no tokens.
    """
    need_requests(method, requests)
    find_targets(model, hparams)
    taught = [following(tokenizer, request, hparams.profile) for request in requests]
    parts = [taught[start : start + hparams.batch_size] for start in range(0, len(taught), hparams.batch_size)]
    model.eval()
    with _seeded(context.seed, model.device), frozen(model), _adapted(model):
        chunks = [_Chunk(model, part) for part in parts]
        tuner = make(model, hparams.num_steps * len(chunks))
        adapted = {name: module for name, module in model.named_modules() if hasattr(module, "lora_dropout")}
        for module in adapted.values():
            module.eval()
            module.lora_dropout.train()
        losses = _optimise(tuner, chunks, hparams, penalty, after_step, context.watch)
        deltas = {f"{name}.weight": _change(module, factors) for name, module in adapted.items()}
    return Edit(method.lower(), deltas, losses).apply(model, touched_only=context.speedups.touched_only)


@contextlib.contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let PyTorch draw by `seed`, and go on afterwards as if it had not."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield


@contextlib.contextmanager
def _adapted(model: nn.Module) -> Iterator[None]:
    """Give `model` back the modules that it has now, and no attribute more, whatever becomes of it in between."""
    before = [(module, list(module.named_children())) for module in model.modules()]
    attributes = vars(model).keys() - {"training"}
    try:
        yield
    finally:
        for module, children in before:
            for name, child in children:
                if getattr(module, name) is not child:
                    setattr(module, name, child)
        for name in vars(model).keys() - attributes - {"training"}:
            delattr(model, name)


class _Chunk:
    """Requests that are learned in one step, as a batch for `model`."""

    def __init__(self, model: Any, taught: Sequence[Taught]):
        self.requests, self._model, self._batch = len(taught), model, read(model, [one.row for one in taught])
        places = sorted({position for one in taught for position in one.positions})
        column = {position: number for number, position in enumerate(places)}
        labels = torch.full((len(taught), len(places)), NOT_LEARNED)
        for row, one in enumerate(taught):
            labels[row, [column[position] for position in one.positions]] = torch.tensor(one.targets)
        self._labels, self._places = labels.to(model.device), torch.tensor(places, device=model.device)
        # The head is the dearest layer of a small model, and its output the largest: only where something is learned.
        self._selects = "logits_to_keep" in inspect.signature(model.forward).parameters

    def loss(self) -> Tensor:
        """Return the mean of -log p over all target tokens."""
        wanted = {"logits_to_keep": self._places} if self._selects else {}
        ids, mask = self._batch.ids, self._batch.mask
        logits = self._model(input_ids=ids, attention_mask=mask, use_cache=False, **wanted).logits
        logits = logits if self._selects else logits.index_select(1, self._places)
        return nn.functional.cross_entropy(
            logits.float().flatten(0, 1), self._labels.flatten(), ignore_index=NOT_LEARNED
        )


def _optimise(
    tuner: Any,
    chunks: Sequence[_Chunk],
    hparams: AdapterHparams,
    penalty: Callable[[Any], Tensor | float],
    after_step: Callable[[Any, int], None],
    watch: Callable[[Step], None],
) -> list[float]:
    """Return the mean loss of each epoch, before its updates and without the penalty; `watch` hears of each chunk."""
    trained = [parameter for parameter in tuner.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=hparams.lr, weight_decay=hparams.weight_decay)
    losses: list[float] = []
    step, requests = 0, sum(chunk.requests for chunk in chunks)
    for epoch in range(1, hparams.num_steps + 1):
        total, passed = 0.0, 0
        for chunk in chunks:
            step += 1
            with torch.enable_grad():
                loss = chunk.loss()
                (loss + penalty(tuner)).backward()  # type: ignore[no-untyped-call]  # torch has no types here
            optimizer.step()
            after_step(tuner, step)
            optimizer.zero_grad()
            total += loss.item() * chunk.requests
            passed += chunk.requests
            done = (epoch - 1 + passed / requests) / hparams.num_steps
            watch(Step(passed, requests, epoch, hparams.num_steps, loss.item(), done))
        losses.append(total / requests)
        if losses[-1] < hparams.stop_loss:
            break
    return losses


def _change(module: Any, factors: Callable[[Any], tuple[Tensor, Tensor]]) -> LowRank:
    """Return what the adapter of `module` adds to its weight, in the weight's shape."""
    change = LowRank.of(*factors(module))
    return change.transposed() if isinstance(module.get_base_layer(), Conv1D) else change
