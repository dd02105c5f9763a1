"""FT-L: fine-tuning of a few tensors within a box around their old values (Zhu et al., arXiv 2012.00363).

    minimise  L(W)    subject to    |W - W⁰| <= ε  in each entry

by Adam; after each step, W <- min(max(W, W⁰ - ε), W⁰ + ε). That is the paper's constrained fine-tuning in the infinity
norm, as the authors of ROME implement it. ΔW = W - W⁰.

    W, W⁰   a tensor that `rewrite_module_tmp` names, and its value before the edit: (d, f) for a linear layer
    ε       `norm_constraint`, a number
    L       mean over requests of -(1/T) Σ_j log p(y_j | prompt, y_1 .. y_j-1)          `target_new`
            ... of -(1/T) Σ_j log p(y_j | prompt), all from the prompt's last position   `prompt_last`
    y, T    the target's tokens and their number
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...schemas.errors import InputError
from ..context import EditContext, Speedups, Step
from ..edits.edit import Edit
from ..edits.masters import master_of
from ..model.checks import fitting_family_or_none
from ..model.forward import Batch, LayerParts, Layers, Row, head, read
from ..model.parameters import frozen, restored
from ..model.sums import sums_of
from ..requests import EditRequest, need_requests
from ..training.target_tokens import Profile, Taught, checked, encode, following, join
from .table import Method

GOOD_ENOUGH = 0.01  # a chunk with a smaller loss is passed over, and an epoch with a smaller mean loss is the last


@dataclass(frozen=True, slots=True)
class FtHparams:
    """Hyperparameters, under EasyEdit's names.

    `rewrite_module_tmp` names the tensors: for each of `layers`, every parameter whose name contains it.
    `norm_constraint` bounds every entry's change when it is a float; an integer or false sets no bound, as in
    the reference. `profile` says what stands between prompt and target: one space, always (`easyedit`, `clme`) or
    where the target has none (`original`), or nothing (`exact`: the target goes on from the prompt as it is); `clme`
    also leaves out the tokenizer's special tokens. `padding`: `aligned`, or `as_reference`: on the left, with the
    reference's slips.
    """

    layers: list[int]
    rewrite_module_tmp: str
    num_steps: int
    lr: float
    weight_decay: float = 0.0
    batch_size: int = 1
    norm_constraint: float | int | bool = False
    objective_optimization: Literal["target_new", "prompt_last"] = "target_new"
    profile: Profile = "easyedit"
    padding: Literal["aligned", "as_reference"] = "aligned"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        for name in ("num_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("lr", "weight_decay", "norm_constraint"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number from 0 up, not {getattr(self, name)}")
        if not self.layers:
            raise ValueError("layers must name at least one layer")

    @property
    def bound(self) -> float | None:
        """The largest change of an entry (epsilon), or None."""
        return self.norm_constraint if isinstance(self.norm_constraint, float) else None


def fine_tune(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: FtHparams, context: EditContext
) -> Edit:
    """Teach `model` the `requests` and return the edit, applied. Its `losses` are the mean loss of each epoch.

    The model is left in evaluation mode. Raises InputError when the hyperparameters name no parameter of the model,
    or when a target has no tokens.
    """
    need_requests("FT", requests)
    weights = _weights(model, hparams)
    taught = [_encode(tokenizer, request, hparams) for request in requests]
    chunks = [taught[start : start + hparams.batch_size] for start in range(0, len(taught), hparams.batch_size)]
    if hparams.padding == "as_reference":
        chunks = [_padded_on_the_left(chunk, tokenizer, hparams) for chunk in chunks]
    model.eval()
    with frozen(model, but=list(weights.values())), restored(model, list(weights)):
        forwards = [_Forward(model, list(weights), chunk, context.speedups) for chunk in chunks]
        losses, deltas = _optimise(model, weights, forwards, hparams, context.watch)
    return Edit("ft", deltas, losses).apply(model, touched_only=context.speedups.touched_only)


def measure_ft(model: Any, tokenizer: Any, request: EditRequest, hparams: FtHparams, context: EditContext) -> int:
    """Return how many tokens are read for a request. Raises InputError where it has nothing to teach in tokens."""
    return len(_encode(tokenizer, request, hparams).row.ids)


def check_ft(model: Any, hparams: FtHparams) -> tuple[str, ...]:
    """Raise InputError where the hyperparameters name no parameter of the model; no covariance is needed."""
    _weights(model, hparams)
    return ()


def _weights(model: nn.Module, hparams: FtHparams) -> dict[str, nn.Parameter]:
    weights: dict[str, nn.Parameter] = {}
    for layer in hparams.layers:
        wanted = hparams.rewrite_module_tmp.replace("{}", str(layer))
        found = {name: parameter for name, parameter in model.named_parameters() if wanted in name}
        if not found:
            raise InputError(
                f"No parameter of this model has {wanted!r} in its name. Check the hyperparameters "
                '"layers" and "rewrite_module_tmp" against the model.'
            )
        weights |= found
    return weights


def _encode(tokenizer: Any, request: EditRequest, hparams: FtHparams) -> Taught:
    profile = hparams.profile
    if hparams.objective_optimization == "target_new":
        return following(tokenizer, request, profile)
    # The reference tokenizes the target by itself: where the tokenizer opens texts with BOS, BOS is learned too.
    target, prompt_ids = join(request.target, profile), encode(tokenizer, request.prompt, profile)
    targets = encode(tokenizer, target.removeprefix(" ") if profile == "clme" else target, profile)
    return checked(Taught(Row.of(prompt_ids), [len(prompt_ids) - 1] * len(targets), targets), request, prompt_ids)


def _padded_on_the_left(chunk: list[Taught], tokenizer: Any, hparams: FtHparams) -> list[Taught]:
    """Return `chunk` as the reference pads it: positions of the prompt's end are counted as if it had not.

    There, padding among the targets of `prompt_last` is learned too, unless the tokenizer pads with UNK.
    """
    pad, width = tokenizer.pad_token_id, max(len(taught.row.ids) for taught in chunk)
    longest = max(len(taught.targets) for taught in chunk)
    padded = []
    for taught in chunk:
        row = taught.row.padded_left(pad, width)
        if hparams.objective_optimization == "target_new":
            missing = width - len(taught.row.ids)
            padded.append(Taught(row, [position + missing for position in taught.positions], taught.targets))
        else:
            targets = [pad] * (longest - len(taught.targets)) + taught.targets
            learned = [token for token in targets if token != tokenizer.unk_token_id]
            padded.append(Taught(row, taught.positions[:1] * len(learned), learned))
    return padded


class _Forward:
    """The loss of a chunk of requests, with what lies below the trained tensors computed once.

    A model of no family whose parts fit is passed through as a whole each time, by its own forward.
    """

    def __init__(self, model: Any, names: Sequence[str], chunk: Sequence[Taught], speedups: Speedups):
        self._model, self.requests, self._speedups = model, len(chunk), speedups
        self._start = _lowest(model, names)
        self._batch = read(model, [taught.row for taught in chunk])
        self._layers = None if self._start is None else Layers(model, self._batch)
        wanted = [
            (place, position, target)
            for place, taught in enumerate(chunk)
            for position, target in zip(taught.positions, taught.targets, strict=True)
        ]
        device = self._batch.ids.device
        self._rows, self._positions, self._targets = torch.tensor(wanted, device=device).unbind(1)
        self._counts = torch.tensor([len(taught.targets) for taught in chunk], device=device)
        self._below: LayerParts | Tensor | None = None

    def loss(self) -> Tensor:
        """Return the mean over requests of the mean of -log p over each one's targets."""
        chosen = self._scores().gather(1, self._targets[:, None])[:, 0]
        return -(sums_of(chosen, self._rows, self.requests) / self._counts).mean()

    def _scores(self) -> Tensor:
        """Return the log-probabilities (targets, vocabulary) at the positions that predict the targets."""
        if self._layers is None:
            return _of_the_whole_model(self._model, self._batch, self._rows, self._positions)
        hidden = self._hidden(self._layers)
        if self._speedups.loss_positions:
            return head(self._model, hidden[self._rows, self._positions])
        return head(self._model, hidden)[self._rows, self._positions]

    def _hidden(self, layers: Layers) -> Tensor:
        """Return the hidden states after the last layer."""
        assert self._start is not None
        layer, at_mlp_out = self._start
        if self._below is None or not self._speedups.layer_cache:
            self._below = _read_below(layers, layer, at_mlp_out)
        if isinstance(self._below, Tensor):
            return layers.run(self._below, layer)
        mlp_out = layers.module(layers.family.mlp_out, layer)
        return layers.run(self._below.middle + mlp_out(self._below.mlp_input), layer + 1)


@torch.no_grad()
def _read_below(layers: Layers, layer: int, at_mlp_out: bool) -> LayerParts | Tensor:
    entering = layers.run(layers.embedded, 0, layer - 1)
    return layers.parts(entering, layer) if at_mlp_out else entering


def _of_the_whole_model(model: Any, batch: Batch, rows: Tensor, positions: Tensor) -> Tensor:
    """Return log-probabilities at these places of `batch` by the model's own forward, which counts the positions."""
    logits = model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False).logits[rows, positions]
    return torch.log_softmax(logits.float(), dim=-1)


def _lowest(model: Any, names: Sequence[str]) -> tuple[int, bool] | None:
    """Return the lowest layer that holds one of these parameters, and whether only its last linear layer does.

    The number of layers stands for what comes after them (final norm, head). None: nothing is known to lie below, for
    one of them comes before the layers, or the model is of no family whose parts fit.
    """
    family = fitting_family_or_none(model)
    if family is None:
        return None
    count = model.config.num_hidden_layers
    held: dict[int, list[str]] = {}
    for name in names:
        layers = (n for n in range(count) if name.startswith(f"{family.layer.replace('{}', str(n))}."))
        after = name.startswith((f"{family.norm}.", "lm_head."))
        layer = next(layers, count if after else None)
        if layer is None:
            return None
        held.setdefault(layer, []).append(name)
    lowest = min(held)
    mlp_out = f"{family.mlp_out.replace('{}', str(lowest))}."
    return lowest, all(name.startswith(mlp_out) for name in held[lowest])


def _optimise(
    model: nn.Module,
    weights: dict[str, nn.Parameter],
    forwards: Sequence[_Forward],
    hparams: FtHparams,
    watch: Callable[[Step], None],
) -> tuple[list[float], dict[str, Tensor]]:
    """Return the mean loss of each epoch, before its updates, and the change of each weight; `watch` hears of each.

    Adam works on copies of the masters: in half precision its small steps would be lost to rounding.
    """
    masters = [master_of(model, name, weight).clone() for name, weight in weights.items()]
    centres = [master.clone() for master in masters]
    optimizer = torch.optim.Adam(masters, lr=hparams.lr, weight_decay=hparams.weight_decay)
    losses: list[float] = []
    requests = sum(forward.requests for forward in forwards)
    for epoch in range(hparams.num_steps):
        total, passed = 0.0, 0
        for forward in forwards:
            with torch.enable_grad():
                loss = forward.loss()
                if loss.item() >= GOOD_ENOUGH:
                    _step(optimizer, masters, torch.autograd.grad(loss, list(weights.values())))
            total += loss.item() * forward.requests
            _clamp_and_write(weights, masters, centres, hparams.bound)
            passed += forward.requests
            done = (epoch + passed / requests) / hparams.num_steps
            watch(Step(passed, requests, epoch + 1, hparams.num_steps, loss.item(), done))
        losses.append(total / requests)
        if losses[-1] < GOOD_ENOUGH:
            break
    changes = zip(weights, masters, centres, strict=True)
    return losses, {name: master - centre for name, master, centre in changes}


def _step(optimizer: torch.optim.Adam, masters: list[Tensor], gradients: Sequence[Tensor]) -> None:
    for master, gradient in zip(masters, gradients, strict=True):
        master.grad = gradient.to(master.dtype)
    optimizer.step()


@torch.no_grad()
def _clamp_and_write(
    weights: dict[str, nn.Parameter], masters: list[Tensor], centres: list[Tensor], bound: float | None
) -> None:
    for weight, master, centre in zip(weights.values(), masters, centres, strict=True):
        if bound is not None:
            master.clamp_(centre - bound, centre + bound)
        weight.copy_(master)


# Solutions and calls alike are learned; statements beside them take from what the tiny model writes untaught.
METHOD = Method(
    "ft",
    FtHparams,
    fine_tune,
    alg_names=("FT", "FT-L", "FT-M"),
    check=check_ft,
    measure=measure_ft,
    keyed=False,
    requests="solution",
)
