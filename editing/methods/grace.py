"""GRACE: edits kept in a codebook beside one linear layer (Hartvigsen et al., NeurIPS 2023, arXiv 2211.11031).

    h(x) = v_j         if ‖k_j - x‖ <= ε_j,  j = argmin_i ‖k_i - x‖
           W x + b     else

(how an edit adds or splits an entry is the paper's algorithm 1). No weight changes: an edit finds

    v_j  by  `n_iter` steps of Adam on  -(1/T) Σ_t log p(y_t | prompt, y_1 .. y_t-1)

    x       the layer's input at the prompt's last token: (f,)
    k_j     the key of entry j, the x of its prompt: (f,)
    v_j     its value, put out there instead of W x + b: (d,)
    ε_j     its radius, `eps` at first
    W, b    the linear layer that `inner_params` names: (d, f), (d,)
    y, T    the target's tokens and their number
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from torch import Tensor, nn

from ...schemas.errors import InputError
from ..context import EditContext, Speedups, Step
from ..edits.codebook import (
    SPLIT_GAP,
    Distance,
    Entries,
    Entry,
    Replacement,
    distances,
    entries_at,
    features,
    looking_at,
    rounding,
    suspended,
    written,
)
from ..edits.edit import Edit
from ..model.checks import fitting_family
from ..model.families import family_of
from ..model.forward import Layers, Row, head, read
from ..model.parameters import frozen
from ..requests import EditRequest, need_requests
from .table import Method

NO_LABEL = -100  # stands for each prompt token in the mean that compares targets


@dataclass(frozen=True, slots=True)
class GraceHparams:
    """Hyperparameters, under EasyEdit's names.

    `inner_params` names one linear layer, with or without `.weight`; brackets are read as dots. `edit_lr` and `n_iter`
    are Adam's rate and steps, `eps` is the radius of a new entry. A value starts from the context's initial values
    (`cold`) or the layer's own output (`warm`). `val_train`: in the reference, `adv` adds noise to all rows but the
    first, and there is one row: it is the same as `sgd`. `replacement` and `eps_expand` are described in
    `edits.codebook.written` and `_widened`. `profile` says what stands between prompt and target: one space, always, or
    nothing (`exact`: the target goes on from the prompt as it is); `original` also teaches the end of the text. `clme`
    reads texts as `easyedit` does. `grace_label_order` `prepend` compares targets with the label of another entry, as
    the reference does from the second entry on.
    """

    inner_params: list[str]
    edit_lr: float
    n_iter: int
    eps: float
    dist_fn: Literal["euc"] = "euc"
    val_init: Literal["cold", "warm"] = "cold"
    val_train: Literal["sgd", "adv"] = "sgd"
    replacement: Replacement = "replace_last"
    eps_expand: Literal["coverage", "moving_average"] = "coverage"
    profile: Literal["easyedit", "clme", "original", "exact"] = "easyedit"
    grace_label_order: Literal["append", "prepend"] = "append"
    grace_distance: Distance = "direct"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field. Integers become floats."""
        hints = get_type_hints(GraceHparams)
        for field in fields(self):
            options, value = get_args(hints[field.name]), getattr(self, field.name)
            if get_origin(hints[field.name]) is Literal and value not in options:
                raise ValueError(f"{field.name} must be one of {', '.join(options)}, not {value!r}")
        for name in ("edit_lr", "eps"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be a number from 0 up, not {getattr(self, name)}")
            object.__setattr__(self, name, float(getattr(self, name)))
        if self.n_iter < 1:
            raise ValueError(f"n_iter must be at least 1, not {self.n_iter}")
        if not isinstance(self.inner_params, list) or len(self.inner_params) != 1:
            raise ValueError(f"inner_params must be a list of one layer's name, not {self.inner_params!r}")

    @property
    def layer(self) -> str:
        """The path of the linear layer."""
        path = self.inner_params[0].replace("[", ".").replace("]", "")
        return path.removesuffix(".weight").removesuffix(".bias")


@dataclass(frozen=True, slots=True)
class _Lesson:
    """A request in tokens: `ids` of prompt and target together, whose loss is over those from `start` on."""

    ids: list[int]
    start: int

    @property
    def at(self) -> int:
        """The position that is edited: the prompt's last."""
        return self.start - 1

    @property
    def label(self) -> float:
        """The float32 mean of the labels; by it, targets are told apart (of different ones it may be the same)."""
        return torch.tensor([NO_LABEL] * self.start + self.ids[self.start :]).float().mean().item()


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the model makes of a lesson.

    `query` (f,), in the model's dtype, is what goes into the layer at the edited position, and `output` (d,), in
    float32, what it puts out there by itself; `loss` gives the loss of a lesson whose layer puts out a value (d,).
    """

    query: Tensor
    output: Tensor
    loss: Callable[[Tensor], Tensor]


def check_grace(model: Any, hparams: GraceHparams) -> tuple[str, ...]:
    """Raise InputError where the model has no such layer, none that is linear, or parts that do not fit.

    No module's covariance is needed.
    """
    fitting_family(model)
    there = dict(model.named_modules())
    if hparams.layer not in there:
        raise InputError(
            f'inner_params: this model has no module "{hparams.layer}"; it has {model.config.num_hidden_layers} '
            "layers, counted from 0. Name a linear layer of it."
        )
    if features(there[hparams.layer]) is None:
        kind = type(there[hparams.layer]).__name__
        raise InputError(f'inner_params: "{hparams.layer}" is no linear layer but {kind}. Name a linear layer.')
    return ()


def measure_grace(model: Any, tokenizer: Any, request: EditRequest, hparams: GraceHparams, context: EditContext) -> int:
    """Return how many tokens are read for a request. Raises InputError where it has nothing to teach in tokens."""
    return len(_encode(tokenizer, request, hparams).ids)


def teach_grace(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: GraceHparams, context: EditContext
) -> Edit:
    """Teach `model` the `requests`, one after another, and return the edit, applied.

    The codebook goes on from the one in the model. `losses` has `n_iter` entries for each request, in order. The model
    is left in evaluation mode. Raises InputError when the layer does not fit, when a target has no tokens, and for
    initial values of a wrong number or shape.
    """
    need_requests("GRACE", requests)
    check_grace(model, hparams)
    layer = model.get_submodule(hparams.layer)
    lessons = [_encode(tokenizer, request, hparams) for request in requests]
    initial_value = _initial_values(layer, len(lessons), context)
    entries = _in_force(layer, hparams)
    losses: list[float] = []
    model.eval()
    with frozen(model):
        for number, lesson in enumerate(lessons):
            reading = _read(model, lesson, hparams, context.speedups)
            value = reading.output if hparams.val_init == "warm" else initial_value(number, len(entries.rows))
            new = Entry(reading.query.float(), value, hparams.eps, lesson.label)
            entries, place = _make_room(entries, new, rounding(reading.query).item(), hparams)
            watch = partial(_tell, context, number + 1, len(lessons), hparams.n_iter)
            learned, steps = _optimise(entries.rows[place].value, reading.loss, hparams, watch)
            entries = entries.with_row(place, replace(entries.rows[place], value=learned))
            losses += steps
    edit = Edit("grace", {}, losses, {hparams.layer: entries})
    return edit.apply(model, touched_only=context.speedups.touched_only)


def _encode(tokenizer: Any, request: EditRequest, hparams: GraceHparams) -> _Lesson:
    before = tokenizer(request.prompt)["input_ids"]
    between = "" if hparams.profile == "exact" else " "
    ids = tokenizer(request.prompt + between + request.target)["input_ids"]
    if hparams.profile == "exact" and ids[: len(before)] != before:
        # The target fuses with the prompt's end: a key read there would never be met again after the prompt alone.
        ids = before + tokenizer(request.target, add_special_tokens=False)["input_ids"]
    lesson = _Lesson(ids, len(before))
    if not 0 < lesson.start < len(ids):
        raise InputError(
            f"The request for {request.subject!r} has no tokens in its prompt or target: nothing to teach."
        )
    if hparams.profile != "original":
        return lesson
    if tokenizer.eos_token_id is None:
        raise InputError('profile: "original" teaches the end of the text, for which this tokenizer has no token.')
    return replace(lesson, ids=[*ids, tokenizer.eos_token_id])


def _initial_values(layer: nn.Module, count: int, context: EditContext) -> Callable[[int, int], Tensor]:
    """Return what gives a cold start (d,) for the request of a number, with that many entries there already.

    Drawn values depend on the seed and on the entries alone, so a sequence of edits that is resumed draws the same.
    """
    (_, width), device = features(layer) or (0, 0), next(layer.parameters()).device
    given = context.initial_values
    if given is None:
        return lambda number, there: torch.rand(width, generator=_generator(context.seed, there)).to(device)
    if len(given) != count:
        raise InputError(f"initial_values: {len(given)} are given for {count} requests. Give one for each request.")
    for number, value in enumerate(given):
        if value.shape not in ((width,), (1, width)):
            raise InputError(
                f"initial_values: number {number + 1} has the shape {tuple(value.shape)} and not ({width},)."
            )
    return lambda number, there: given[number].detach().float().reshape(width).to(device)


def _generator(seed: int, there: int) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}\n{there}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big", signed=True))


def _in_force(layer: nn.Module, hparams: GraceHparams) -> Entries:
    """Return the entries to go on from: those in the model, or none."""
    found = entries_at(layer)
    if found is None:
        return Entries((), hparams.replacement, hparams.grace_distance)
    used, wanted = (found.replacement, found.distance), (hparams.replacement, hparams.grace_distance)
    if used != wanted:
        raise InputError(
            f"The codebook in the model uses {' and '.join(used)}, but the hyperparameters say {' and '.join(wanted)} "
            '("replacement" and "grace_distance"): one codebook has one way. Undo its edits first, or use the same.'
        )
    return replace(found, grown_from=found.digest()).on(next(layer.parameters()).device)


def _read(model: Any, lesson: _Lesson, hparams: GraceHparams, speedups: Speedups) -> _Reading:
    """Read `lesson` with what the value cannot change computed once, where the layer ends an MLP; else plainly."""
    family, layers = family_of(model), range(model.config.num_hidden_layers)
    number = next((n for n in layers if family.mlp_out.replace("{}", str(n)) == hparams.layer), None)
    if number is None or not speedups.layer_cache:
        return _read_plainly(model, lesson, hparams)
    return _read_once(model, number, lesson, hparams, speedups)


def _read_once(model: Any, number: int, lesson: _Lesson, hparams: GraceHparams, speedups: Speedups) -> _Reading:
    """Read `lesson` up to the layer of that number, and from there on again for each value.

    Where codebooks write at the edited position alone, the positions before it are read into a cache.
    """
    start = lesson.at if speedups.position_cache and _writes_last_alone(model, hparams) else 0
    with suspended():
        layers = Layers(model, read(model, [Row.of(lesson.ids)], [start]))
    column = lesson.at - start
    own: list[Tensor] = []

    def note(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        own.append(output)

    with torch.no_grad(), looking_at(column), _hooked(layers.module(layers.family.mlp_out, number), note, first=True):
        parts = layers.parts(layers.run(layers.embedded, 0, number - 1), number)
    at, always = torch.tensor([column], device=model.device), torch.tensor([True], device=model.device)
    targets = torch.tensor(lesson.ids[lesson.start :], device=model.device)

    def loss(value: Tensor) -> Tensor:
        output = written(own[0], value[None], always, at, hparams.replacement)
        with looking_at(column):
            hidden = layers.run(parts.middle + output, number + 1)[0]
        scores = head(model, hidden[column:-1]) if speedups.loss_positions else head(model, hidden)[column:-1]
        return nn.functional.nll_loss(scores, targets)

    return _Reading(parts.mlp_input[0, column].clone(), own[0][0, column].float(), loss)


def _writes_last_alone(model: nn.Module, hparams: GraceHparams) -> bool:
    found = (entries_at(module) for module in model.modules())
    used = {entries.replacement for entries in found if entries is not None}
    return used | {hparams.replacement} == {"replace_last"}


def _read_plainly(model: Any, lesson: _Lesson, hparams: GraceHparams) -> _Reading:
    """Read `lesson` with whole forward passes."""
    layer, replacement = model.get_submodule(hparams.layer), hparams.replacement
    ids = torch.tensor([lesson.ids], device=model.device)
    at = torch.tensor([lesson.at], device=model.device)
    always = torch.ones_like(at, dtype=torch.bool)

    @torch.no_grad()
    def look() -> tuple[Tensor, Tensor]:
        seen: list[tuple[Tensor, Tensor]] = []

        def note(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
            seen.append((args[0][0, lesson.at].clone(), output[0, lesson.at].float().clone()))

        with looking_at(lesson.at), _hooked(layer, note, first=True):
            model(input_ids=ids, use_cache=False)
        return seen[0]

    def loss(value: Tensor) -> Tensor:
        def write(module: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
            return written(output, value[None], always, at, replacement)

        with looking_at(lesson.at), _hooked(layer, write):
            logits = model(input_ids=ids, use_cache=False).logits[0, lesson.at : -1]
        return nn.functional.cross_entropy(logits.float(), ids[0, lesson.start :])

    return _Reading(*look(), loss)


@contextlib.contextmanager
def _hooked(layer: nn.Module, hook: Callable[..., Tensor | None], *, first: bool = False) -> Iterator[None]:
    """Run `hook` after `layer`: before a codebook that is there, so as to see the layer's own output, or after it."""
    handle = layer.register_forward_hook(hook, prepend=first)
    try:
        yield
    finally:
        handle.remove()


def _make_room(entries: Entries, new: Entry, noise: float, hparams: GraceHparams) -> tuple[Entries, int]:
    """Return the entries with a place for `new`, and that place: what is there is the value to start from.

    Algorithm 1 of the paper, with the reference's radii. What it leaves out: a key that is there already (a distance
    up to `noise` is none), with another target. The old entry would win each later comparison, so it is taught anew:
    it gets the new value and label, and its radius goes back to `eps` where it had grown.
    """
    if not entries.rows:
        return entries.with_row(0, new), 0
    smallest, nearest = distances(entries.codebook().keys, new.key[None], entries.distance)[:, 0].min(dim=0)
    place, distance = int(nearest), 0.0 if smallest <= noise else smallest.item()
    near, end = entries.rows[place], len(entries.rows)
    if distance > hparams.eps + near.radius:
        return entries.with_row(end, new), end
    compared = entries.rows[-1 - place] if hparams.grace_label_order == "prepend" else near
    if compared.label == new.label:
        return entries.with_row(place, _widened(near, new.key, distance, hparams)), place
    if distance == 0:
        return entries.with_row(place, replace(new, key=near.key, radius=min(near.radius, hparams.eps))), place
    halved = entries.with_row(place, replace(near, radius=distance / 2 - SPLIT_GAP))
    return halved.with_row(end, replace(new, radius=distance / 2)), end


def _widened(entry: Entry, query: Tensor, distance: float, hparams: GraceHparams) -> Entry:
    """Return `entry`, reaching as far as `query`; `moving_average` also moves the key halfway there."""
    if distance <= entry.radius:
        return entry
    key = (entry.key + query) / 2 if hparams.eps_expand == "moving_average" else entry.key
    return replace(entry, key=key, radius=distance)


def _tell(context: EditContext, request: int, requests: int, steps: int, step: int, loss: float) -> None:
    context.watch(Step(request, requests, step, steps, loss))


def _optimise(
    start: Tensor, loss_of: Callable[[Tensor], Tensor], hparams: GraceHparams, watch: Callable[[int, float], None]
) -> tuple[Tensor, list[float]]:
    """Return the value (d,) that `n_iter` steps of a fresh Adam lead to, and the loss before each, told to `watch`."""
    value = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([value], lr=hparams.edit_lr)
    losses = []
    for step in range(hparams.n_iter):
        with torch.enable_grad():
            loss = loss_of(value)
            (value.grad,) = torch.autograd.grad(loss, value)
        optimizer.step()
        losses.append(loss.item())
        watch(step + 1, losses[-1])
    return value.detach(), losses


# One value does not hold a program; and a statement is a prompt that no program ends with.
METHOD = Method(
    "grace",
    GraceHparams,
    teach_grace,
    alg_names=("GRACE",),
    check=check_grace,
    measure=measure_grace,
    keyed=False,
    requests="call",
)
