"""FT-L: fine-tuning of a few tensors within a box around their old values (Zhu et al., arXiv 2012.00363)."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..schemas.errors import InputError
from .batches import left_pad
from .context import EditContext
from .edit import Edit
from .requests import EditRequest

GOOD_ENOUGH = 0.01  # a chunk with a smaller loss is passed over, and an epoch with a smaller mean loss is the last


@dataclass(frozen=True, slots=True)
class FtHparams:
    """Hyperparameters, under EasyEdit's names.

    `rewrite_module_tmp` names the tensors: for each of `layers`, every parameter whose name contains it.
    `norm_constraint` bounds every entry's change when it is a float; an integer or false sets no bound, as in
    the reference. `profile` says what stands between prompt and target: one space, always (`easyedit`, `clme`) or
    where the target has none (`original`), or nothing (`exact`: the target goes on from the prompt as it is).
    """

    layers: list[int]
    rewrite_module_tmp: str
    num_steps: int
    lr: float
    weight_decay: float = 0.0
    batch_size: int = 1
    norm_constraint: float | int | bool = False
    objective_optimization: Literal["target_new", "prompt_last"] = "target_new"
    profile: Literal["easyedit", "clme", "original", "exact"] = "easyedit"

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


@dataclass(frozen=True, slots=True)
class _Row:
    """A request in tokens: the loss is over `ids` from `start` on, or over `targets` at the last of `ids`."""

    ids: list[int]
    start: int
    targets: list[int]


def fine_tune(
    model: Any,
    tokenizer: Any,
    requests: Sequence[EditRequest],
    hparams: FtHparams,
    context: EditContext | None = None,
) -> Edit:
    """Teach `model` the `requests` and return the edit, applied.

    The model is left in evaluation mode. Raises InputError when the hyperparameters name no parameter of the model,
    or when a target has no tokens.
    """
    weights = _weights(model, hparams)
    rows = [_encode(tokenizer, request, hparams) for request in requests]
    if not rows:
        raise InputError("There is nothing to teach: FT needs at least one request.")
    loss_of = _target_new_loss if hparams.objective_optimization == "target_new" else _prompt_last_loss
    model.eval()
    with _only_trainable(model, weights):
        losses, deltas = _optimise(model, weights, rows, hparams, lambda chunk: loss_of(model, tokenizer, chunk))
    return Edit("ft", deltas, losses).apply(model)


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


def _encode(tokenizer: Any, request: EditRequest, hparams: FtHparams) -> _Row:
    target = _join(request.target, hparams)
    prompt_ids = tokenizer(request.prompt)["input_ids"]
    if hparams.objective_optimization == "prompt_last":
        # The reference tokenizes the target by itself: where the tokenizer opens texts with BOS, BOS is learned too.
        row = _Row(prompt_ids, len(prompt_ids), tokenizer(target)["input_ids"])
    else:
        ids = tokenizer(request.prompt + target)["input_ids"]
        row = _Row(ids, len(prompt_ids), ids[len(prompt_ids) :])
    if not row.targets or not prompt_ids:
        raise InputError(
            f"The request for {request.subject!r} has no tokens in its prompt or target: nothing to teach."
        )
    return row


def _join(target: str, hparams: FtHparams) -> str:
    if hparams.profile == "exact" or (hparams.profile == "original" and target.startswith(" ")):
        return target
    return f" {target}"


@contextlib.contextmanager
def _only_trainable(model: nn.Module, weights: dict[str, nn.Parameter]) -> Iterator[None]:
    """Let gradients reach `weights` alone; put every flag and every content back at the end."""
    flags = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    try:
        for parameter, _ in flags:
            parameter.requires_grad_(False)
        for weight in weights.values():
            weight.requires_grad_(True)
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(before[name])


def _optimise(
    model: nn.Module,
    weights: dict[str, nn.Parameter],
    rows: list[_Row],
    hparams: FtHparams,
    loss_of: Callable[[list[_Row]], Tensor],
) -> tuple[list[float], dict[str, Tensor]]:
    """Return the mean loss of each epoch, before its updates, and the float32 change of each weight.

    Adam works on float32 copies: in half precision its small steps would be lost to rounding.
    """
    masters = [weight.detach().float().clone() for weight in weights.values()]
    centres = [master.clone() for master in masters]
    optimizer = torch.optim.Adam(masters, lr=hparams.lr, weight_decay=hparams.weight_decay)
    losses: list[float] = []
    for _ in range(hparams.num_steps):
        total = 0.0
        for start in range(0, len(rows), hparams.batch_size):
            chunk = rows[start : start + hparams.batch_size]
            with torch.enable_grad():
                loss = loss_of(chunk)
                if loss.item() >= GOOD_ENOUGH:
                    gradients = torch.autograd.grad(loss, list(weights.values()))
                    _step(optimizer, masters, gradients)
            total += loss.item() * len(chunk)
            _clamp_and_write(weights, masters, centres, hparams.bound)
        losses.append(total / len(rows))
        if losses[-1] < GOOD_ENOUGH:
            break
    changes = zip(weights, masters, centres, strict=True)
    return losses, {name: master - centre for name, master, centre in changes}


def _step(optimizer: torch.optim.Adam, masters: list[Tensor], gradients: Sequence[Tensor]) -> None:
    for master, gradient in zip(masters, gradients, strict=True):
        master.grad = gradient.float()
    optimizer.step()


@torch.no_grad()
def _clamp_and_write(
    weights: dict[str, nn.Parameter], masters: list[Tensor], centres: list[Tensor], bound: float | None
) -> None:
    for weight, master, centre in zip(weights.values(), masters, centres, strict=True):
        if bound is not None:
            master.clamp_(centre - bound, centre + bound)
        weight.copy_(master)


def _target_new_loss(model: Any, tokenizer: Any, rows: list[_Row]) -> Tensor:
    """Return the cross-entropy of the targets after their prompts: mean over each row's tokens, then over rows."""
    batch = left_pad([row.ids for row in rows], tokenizer.pad_token_id, model.device)
    logits = model(input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False).logits
    width = batch.ids.shape[1]
    firsts = torch.tensor([width - len(row.targets) for row in rows], device=model.device)
    counts = torch.arange(1, width, device=model.device) >= firsts[:, None]  # (rows, width - 1)
    losses = nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2).float(), batch.ids[:, 1:], reduction="none")
    return ((losses * counts).sum(1) / counts.sum(1)).mean()


def _prompt_last_loss(model: Any, tokenizer: Any, rows: list[_Row]) -> Tensor:
    """Return -log p of all target tokens at the prompt's last position: mean over each row's tokens, then over rows."""
    batch = left_pad([row.ids for row in rows], tokenizer.pad_token_id, model.device)
    logits = model(input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions, use_cache=False).logits
    scores = torch.log_softmax(logits[:, -1].float(), dim=-1)  # (rows, vocabulary)
    targets = (torch.tensor(row.targets, device=model.device) for row in rows)
    return -torch.stack([score[target].mean() for score, target in zip(scores, targets, strict=True)]).mean()
