"""UltraEdit: one gradient, normalised over all edits so far, written by ridge regression (Gu et al., arXiv 2505.14679).

    ΔW = Vᵀ (H Hᵀ + I)⁻¹ H,    v_i = -η ‖ĥ_i‖² ĝ_i

for each linear layer that `inner_params` names (the paper's closed form, (Hᵀ H + I)⁻¹ Hᵀ V, transposed and with the
inverse on the smaller side). Nothing is optimised: a forward and a backward pass give all that is needed, at every
position of prompt and target, so that a long target is taught as a whole.

    W       the layer's weight: (d, f)
    H       its inputs h_i at all n positions of the edit's requests: (n, f)
    g_i     the gradient of the loss with respect to the layer's output at position i: (d,)
    ĥ, ĝ    h and g less their mean, divided by their standard deviation, feature by feature, where both are those of
            everything seen in this edit and in UltraEdit's earlier ones in the model, in all layers of W's shape
            ("lifelong normalisation")
    V       the values v_i wanted at those positions: (n, d)
    η       `lr`
    loss    of some requests at once, `batch_size_once` of them: the mean of -log p over all their target tokens
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ...schemas.errors import InputError
from ..context import EditContext, Step
from ..edits.codebook import features
from ..edits.edit import Change, Edit
from ..edits.low_rank import LowRank
from ..edits.states import State, states_of
from ..locate_then_edit.hparams import need_number
from ..model.checks import fitting_family_or_none
from ..model.forward import Batch, Row, read
from ..model.parameters import frozen
from ..requests import EditRequest, need_requests
from .table import Method

EPSILON = torch.finfo(torch.float32).eps  # added to standard deviations, as the reference computes in float32
WORTH = 4  # a change is kept as factors where these are so many times smaller: multiplying them takes a while


@dataclass(frozen=True, slots=True)
class UltraEditHparams:
    """Hyperparameters, under EasyEdit's names.

    `inner_params` names linear layers, with or without `.weight`; brackets are read as dots. `lr` is η. `token`: the
    positions that are taught, which are all (`mask`). `batch_size_once` requests are read at once. `profile` says what
    stands between prompt and target: a space where the target has none, or nothing (`exact`); `clme` and `original`
    read texts as `easyedit` does.
    """

    inner_params: list[str]
    lr: float
    token: Literal["mask"] = "mask"  # noqa: S105 - a token of a model, no secret
    batch_size_once: int = 10
    profile: Literal["easyedit", "clme", "original", "exact"] = "easyedit"

    def __post_init__(self) -> None:
        """Refuse values without meaning: ValueError, beginning with the field."""
        need_number("lr", self.lr, above_zero=True)
        if self.batch_size_once < 1:
            raise ValueError(f"batch_size_once must be at least 1, not {self.batch_size_once}")
        if not self.inner_params or len(set(self.layers)) < len(self.inner_params):
            raise ValueError(f"inner_params must name one or more different layers, not {self.inner_params}")

    @property
    def layers(self) -> list[str]:
        """The paths of the linear layers."""
        return [name.replace("[", ".").replace("]", "").removesuffix(".weight") for name in self.inner_params]


@dataclass(frozen=True, slots=True)
class _Lesson:
    """A request in tokens: `ids` of prompt and target together, of which those from `start` on are learned."""

    ids: list[int]
    start: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one layer had at n positions, float64: its inputs (n, f), and the gradients of its outputs (n, d)."""

    inputs: Tensor
    gradients: Tensor


@dataclass(slots=True)
class _Statistics:
    """Running mean and variance of features (f + d,), float64; `spread` is the sum of squares around the mean.

    The variance of what comes in at once is the unbiased one, times how much it is: as the reference has it.
    """

    count: float
    mean: Tensor
    spread: Tensor

    @classmethod
    def of(cls, state: State, shape: tuple[int, int], device: torch.device) -> "_Statistics":
        """Return the statistics of layers of `shape` that `state` holds; those of nothing where it has none."""
        name = _name(shape)
        if f"{name}.count" not in state:
            nothing = torch.zeros(sum(shape), dtype=torch.float64, device=device)
            return cls(0.0, nothing, nothing.clone())
        mean, spread = (state[f"{name}.{part}"].to(device) for part in ("mean", "spread"))
        return cls(state[f"{name}.count"].item(), mean.clone(), spread.clone())

    def state(self, shape: tuple[int, int]) -> dict[str, Tensor]:
        """Return the tensors that `of` makes the same statistics from."""
        count = torch.tensor(self.count, dtype=torch.float64)
        return {f"{_name(shape)}.{part}": value for part, value in self._parts(count).items()}

    def _parts(self, count: Tensor) -> dict[str, Tensor]:
        return {"count": count, "mean": self.mean, "spread": self.spread}

    def add(self, values: Tensor) -> None:
        """Take `values` (n, f + d) in."""
        new = len(values)
        total = self.count + new
        apart = values.mean(0) - self.mean
        self.mean = self.mean + apart * (new / total)
        self.spread = self.spread + values.var(0) * new + apart**2 * (self.count * new / total)
        self.count = total

    def normalised(self, values: Tensor) -> Tensor:
        """Return `values` (n, f + d) less the mean, divided by the standard deviation."""
        deviation = (self.spread / (self.count - 1 + EPSILON)).sqrt()
        return (values - self.mean) / (deviation + EPSILON)


def _name(shape: tuple[int, int]) -> str:
    return f"{shape[0]}x{shape[1]}"


def teach_ultraedit(
    model: Any, tokenizer: Any, requests: Sequence[EditRequest], hparams: UltraEditHparams, context: EditContext
) -> Edit:
    """Teach `model` all requests at once and return the edit, applied; its state is the statistics after it.

    Its `losses` are the mean of -log p over all target tokens before and after. The model is left in evaluation mode.
    Raises InputError for hyperparameters that name no linear layer of the model, and a request without tokens in its
    prompt or target.
    """
    need_requests("UltraEdit", requests)
    layers = _layers(model, hparams)
    lessons = [_encode(tokenizer, request, hparams) for request in requests]
    model.eval()
    chunks = _chunks(lessons, hparams.batch_size_once)
    # Asked before layers are listened to: the answer takes a pass through the model.
    few = context.speedups.loss_positions and fitting_family_or_none(model) is not None
    before: State = next(reversed(states_of(model, "ultraedit")), {})
    with frozen(model), torch.enable_grad():
        seen, loss = _read_all(model, layers, chunks, few, context.watch)
    state, statistics = _take_in(seen, layers, before)
    changes: dict[str, Change] = {}
    for path, (layer, shape) in layers.items():
        found = _Seen(*(torch.cat([getattr(one[path], part) for one in seen]) for part in ("inputs", "gradients")))
        changes[f"{path}.weight"] = _change(found, statistics[shape], hparams.lr, isinstance(layer, nn.Linear))
    edit = Edit("ultraedit", changes, [loss], state=state)
    edit.apply(model, touched_only=context.speedups.touched_only)
    try:
        edit.losses.append(_loss_of(model, chunks, few))
    except BaseException:  # an interruption leaves no edit behind that nobody has
        edit.undo()
        raise
    return edit


def check_ultraedit(model: Any, hparams: UltraEditHparams) -> tuple[str, ...]:
    """Raise InputError where the hyperparameters name no linear layer of the model; no covariance is needed."""
    _layers(model, hparams)
    return ()


def measure_ultraedit(
    model: Any, tokenizer: Any, request: EditRequest, hparams: UltraEditHparams, context: EditContext
) -> int:
    """Return how many tokens are read for a request. Raises InputError where it has nothing to teach in tokens."""
    return len(_encode(tokenizer, request, hparams).ids)


def _layers(model: Any, hparams: UltraEditHparams) -> dict[str, tuple[nn.Module, tuple[int, int]]]:
    """Return each layer by its path, with the widths of its input and its output."""
    there = dict(model.named_modules())
    layers = {}
    for path in hparams.layers:
        shape = features(there[path]) if path in there else None
        if shape is None:
            raise InputError(
                f'Hyperparameter "inner_params": the model has no linear layer {path!r}. Name some that it has, such '
                "as model.layers.18.mlp.down_proj."
            )
        layers[path] = there[path], shape
    return layers


def _encode(tokenizer: Any, request: EditRequest, hparams: UltraEditHparams) -> _Lesson:
    spaced = hparams.profile == "exact" or request.target.startswith(" ")
    prompt_ids = tokenizer(request.prompt)["input_ids"]
    ids = tokenizer(request.prompt + (request.target if spaced else f" {request.target}"))["input_ids"]
    if not request.target or not 0 < len(prompt_ids) < len(ids):
        raise InputError(
            f"The request for {request.subject!r} has no tokens in its prompt or target: nothing to teach."
        )
    return _Lesson(ids, len(prompt_ids))


def _chunks(lessons: Sequence[_Lesson], at_once: int) -> list[Sequence[_Lesson]]:
    """Return `lessons` in the order of the requests, some at a time, those with the most tokens first."""
    chunks = [lessons[start : start + at_once] for start in range(0, len(lessons), at_once)]
    return sorted(chunks, key=lambda chunk: -sum(len(lesson.ids) for lesson in chunk))


def _read_all(
    model: Any,
    layers: Iterable[str],
    chunks: Sequence[Sequence[_Lesson]],
    few: bool,
    watch: Callable[[Step], None],
) -> tuple[list[dict[str, _Seen]], float]:
    """Return what each layer had in each chunk, and the mean of -log p over all target tokens; `watch` hears of it."""
    seen, total, count, passed = [], 0.0, 0, 0
    requests = sum(map(len, chunks))
    for chunk in chunks:
        batch = read(model, [Row.of(lesson.ids) for lesson in chunk])
        shape = batch.ids.shape
        with _noted(model, layers, shape) as noted:
            scores = _log_probs(model, batch, chunk, few)
        if missing := [path for path in layers if path not in noted]:
            raise _misfit(missing[0])
        gradients = torch.autograd.grad(-scores.mean(), [change for _, change in noted.values()])
        places = [(row, place) for row, lesson in enumerate(chunk) for place in range(len(lesson.ids))]
        rows, columns = torch.tensor(places, device=batch.ids.device).unbind(1)
        found = {}
        for (path, (inputs, _)), gradient in zip(noted.items(), gradients, strict=True):
            found[path] = _Seen(*(one.reshape(*shape, -1)[rows, columns].double() for one in (inputs, gradient)))
        seen.append(found)
        total, count, passed = total - scores.detach().sum().item(), count + len(scores), passed + len(chunk)
        watch(Step(passed, requests, 1, 1, total / count))
    return seen, total / count


@contextlib.contextmanager
def _noted(model: Any, layers: Iterable[str], shape: torch.Size) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """Note each layer's input while the model reads a batch of `shape` (rows, width), and zeros added to its output.

    Their gradient is that of the output. Some models call layers with rows and width in one.
    """
    noted: dict[str, tuple[Tensor, Tensor]] = {}

    def note(path: str) -> Any:
        def hook(layer: nn.Module, args: tuple[Tensor, ...], output: Any) -> Tensor:
            if path in noted or args[0].shape[:-1] not in (shape, (shape.numel(),)) or not isinstance(output, Tensor):
                raise _misfit(path)  # such as a router of experts, or one of the experts
            noted[path] = args[0].detach(), torch.zeros_like(output, requires_grad=True)
            return output + noted[path][1]

        return hook

    handles = [model.get_submodule(path).register_forward_hook(note(path)) for path in layers]
    try:
        yield noted
    finally:
        for handle in handles:
            handle.remove()


def _misfit(path: str) -> InputError:
    return InputError(
        f'Hyperparameter "inner_params": the layer {path!r} does not read every position of a text, once. Name another.'
    )


@torch.no_grad()
def _loss_of(model: Any, chunks: Sequence[Sequence[_Lesson]], few: bool) -> float:
    """Return the mean of -log p over all target tokens, as the model is now."""
    read_in = [read(model, [Row.of(lesson.ids) for lesson in chunk]) for chunk in chunks]
    scores = [_log_probs(model, batch, chunk, few) for batch, chunk in zip(read_in, chunks, strict=True)]
    return -torch.cat(scores).mean().item()


def _log_probs(model: Any, batch: Batch, chunk: Sequence[_Lesson], few: bool) -> Tensor:
    """Return log p of every target token of `chunk`, one after the other, in float32.

    With `few`, the head runs on their positions alone.
    """
    wanted = [
        (number, place - 1, lesson.ids[place])
        for number, lesson in enumerate(chunk)
        for place in range(lesson.start, len(lesson.ids))
    ]
    rows, positions, targets = torch.tensor(wanted, device=batch.ids.device).unbind(1)
    given = {"input_ids": batch.ids, "attention_mask": batch.mask, "use_cache": False}
    if few:
        hidden = model.base_model(**given).last_hidden_state
        logits = model.get_output_embeddings()(hidden[rows, positions])
    else:
        logits = model(**given).logits[rows, positions]
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    return log_probs.gather(1, targets[:, None])[:, 0]


@torch.no_grad()
def _take_in(
    seen: Sequence[Mapping[str, _Seen]], layers: Mapping[str, tuple[nn.Module, tuple[int, int]]], before: State
) -> tuple[dict[str, Tensor], dict[tuple[int, int], _Statistics]]:
    """Return the state after `seen`, and the statistics of each shape of layers; `before` is left as it is."""
    first = next(iter(seen[0].values())).inputs
    shapes = dict.fromkeys(shape for _, shape in layers.values())
    statistics = {shape: _Statistics.of(before, shape, first.device) for shape in shapes}
    for chunk in seen:
        for path, (_, shape) in layers.items():
            statistics[shape].add(torch.cat([chunk[path].inputs, chunk[path].gradients], dim=1))
    state = dict(before)
    for shape, one in statistics.items():
        state |= one.state(shape)
    return state, statistics


@torch.no_grad()
def _change(seen: _Seen, statistics: _Statistics, lr: float, as_linear: bool) -> Change:
    """Return what is added to a layer's weight, stored as (d, f) or, where not `as_linear`, as (f, d)."""
    normal = statistics.normalised(torch.cat([seen.inputs, seen.gradients], dim=1))
    inputs, gradients = torch.split(normal, [seen.inputs.shape[1], seen.gradients.shape[1]], dim=1)
    values = -lr * (inputs**2).sum(1, keepdim=True) * gradients
    inner = seen.inputs @ seen.inputs.T
    inner.diagonal().add_(1)
    change = LowRank.of(values.T, torch.linalg.solve(inner, seen.inputs).T)
    change = change if as_linear else change.transposed()
    factors = change.left.numel() + change.right.numel()
    return change if WORTH * factors <= change.shape.numel() else change.left @ change.right.T


METHOD = Method(
    "ultraedit",
    UltraEditHparams,
    teach_ultraedit,
    alg_names=("ULTRAEDIT",),
    check=check_ultraedit,
    many=True,
    measure=measure_ultraedit,
    keyed=False,
    requests="solution",
)
