"""Gradient descent on the value δ: added at the subject's lookup position, it makes the model write the target.

ROME (Meng et al., arXiv 2202.05262, equation 4), MEMIT (arXiv 2210.07229, equation 16) and PMET (Li et al., arXiv
2308.08742, equation 12) minimise

    mean over contexts of -log p(target)  +  kl_factor KL(p_δ || p_0)  +  v_weight_decay ‖δ‖ / ‖h0‖²

They differ in where δ enters: after an MLP, after a layer, or after attention and MLP, each with a δ of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from ..context import Speedups, Step
from ..model.forward import ROWS_AT_ONCE, LayerParts, Layers, head, read
from ..model.parameters import frozen
from ..model.sums import added_at, repeated, sums_of
from .hparams import LocatingHparams
from .token_rows import LookupRow

GOOD_ENOUGH = 0.05  # a loss below this ends the optimisation
KL_GOOD_ENOUGH = 0.01  # PMET: so does a weighted KL term up to this, once every target token is the likeliest
SURE_FACTOR = 0.1  # PMET: the weight of -log p(target) from then on

Place = Literal["mlp", "layer", "attention_and_mlp"]


@dataclass(slots=True)
class Value:
    """A value of one request: float32 tensors of shape (d,), one or (attention first) two of each.

    `clean` is h0, what the model computes without an edit; `delta` is added to it. `losses` are those of each step.
    """

    clean: tuple[Tensor, ...]
    delta: tuple[Tensor, ...]
    losses: list[float] = field(default_factory=list)

    def target(self, number: int, dtype: torch.dtype | None = None) -> Tensor:
        """Return h0 + δ, in float32, or rounded to `dtype` in each part and in the sum as EasyEdit does."""
        clean, delta = self.clean[number], self.delta[number]
        return clean + delta if dtype is None else (clean.to(dtype) + delta.to(dtype)).float()


def find_values(
    model: Any,
    requests: Sequence[Sequence[LookupRow]],
    hparams: LocatingHparams,
    layer: int,
    place: Place,
    speedups: Speedups,
    *,
    nll_factor: float | None = None,
    watch: Callable[[Step], None] = lambda step: None,
) -> list[Value]:
    """Return the value of each request, whose rows are those of `token_rows.Reading.value_rows`, the KL row last.

    `nll_factor` is PMET's weight of -log p(target), with the stopping rule that goes with it. `watch` hears of each
    step, with the mean loss of the requests that are optimised together. The model's parameters are left as they are.
    """
    together = speedups.batched_requests and not any(row.row.padded for rows in requests for row in rows)
    at_once = max(1, ROWS_AT_ONCE // len(requests[0])) if together else 1
    values: list[Value] = []
    with frozen(model), torch.enable_grad():
        for start in range(0, len(requests), at_once):
            batch = requests[start : start + at_once]
            tell = partial(_tell, watch, start, len(batch), len(requests), hparams.v_num_grad_steps)
            values += _Search(_Tries(model, batch, hparams, layer, place, speedups), hparams, nll_factor).run(tell)
    return values


def _tell(
    watch: Callable[[Step], None], before: int, together: int, requests: int, steps: int, step: int, losses: list[float]
) -> None:
    done = (before + together * step / steps) / requests
    watch(Step(before + together, requests, step, steps, sum(losses) / len(losses), done))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one try gives for each request: (requests,) for all but `kl_log_probs`, (requests, vocabulary)."""

    nll: Tensor
    sure: Tensor  # whether every target token is the likeliest
    kl_log_probs: Tensor


class _Tries:
    """The rows of some requests, on which other δ are tried again and again."""

    def __init__(
        self,
        model: Any,
        requests: Sequence[Sequence[LookupRow]],
        hparams: LocatingHparams,
        layer: int,
        place: Place,
        speedups: Speedups,
    ):
        self.layer, self.place, self.speedups = layer, place, speedups
        self._requests = [list(rows) for rows in requests]
        # Among padding on the left, as a reference has it, positions do look ahead: at each other.
        cached = speedups.position_cache and not any(row.row.padded for row in self._rows)
        starts = [min(row.lookup, row.first) if cached else 0 for row in self._rows]
        # Nothing after its lookup reaches the KL term.
        tokens = [row.row.until(row.lookup + 1) if cached and not row.targets else row.row for row in self._rows]
        self._starts = starts
        self._layers = Layers(model, read(model, tokens, starts))
        last = self._layers.count - 1
        self._loss_layer = last if place == "mlp" else max(_or(hparams.v_loss_layer, last), layer)
        self._below: LayerParts | None = None
        self._index()

    @property
    def _rows(self) -> list[LookupRow]:
        return [row for rows in self._requests for row in rows]

    @property
    def _owned(self) -> list[int]:
        """Which request each row belongs to."""
        return [number for number, rows in enumerate(self._requests) for _ in rows]

    def _index(self) -> None:
        """Say in tensors where δ enters, where targets are predicted and which request a row belongs to."""
        device = self._layers.batch.ids.device
        rows = list(zip(self._rows, self._starts, strict=True))
        self._owners = torch.tensor(self._owned, device=device)
        self._lookups = torch.tensor([row.lookup - start for row, start in rows], device=device)
        self._kl_rows = torch.tensor([place for place, (row, _) in enumerate(rows) if not row.targets], device=device)
        wanted = [
            (place, row.first - start + offset, token)
            for place, (row, start) in enumerate(rows)
            for offset, token in enumerate(row.targets)
        ]
        self._wanted = torch.tensor(wanted, device=device).unbind(1)
        self._contexts = torch.tensor([len(rows) - 1 for rows in self._requests], device=device)
        self._target_tokens = torch.tensor([len(rows[0].targets) for rows in self._requests], device=device)

    def keep(self, which: Sequence[int]) -> None:
        """Go on with the requests of these numbers alone."""
        places = [place for place, owner in enumerate(self._owned) if owner in set(which)]
        self._requests = [self._requests[number] for number in which]
        self._starts = [self._starts[place] for place in places]
        self._layers = Layers(self._layers.model, self._layers.batch.select(places))
        if self._below is not None:
            self._below = self._below.select(places)
        self._index()

    def clean(self) -> list[tuple[Tensor, ...]]:
        """Return h0 of each request: what stands at the lookup of its first row, the bare prompt."""
        parts = self._parts()
        sources = {
            "mlp": (parts.mlp_output,),
            "layer": (parts.output,),
            "attention_and_mlp": (parts.attention_output, parts.mlp_output),
        }[self.place]
        owners = self._owned
        firsts = [owners.index(number) for number in range(len(self._requests))]
        return [tuple(source[row, self._lookups[row]].float().clone() for source in sources) for row in firsts]

    @torch.no_grad()
    def _parts(self) -> LayerParts:
        """Return what the edited layer computes without an edit."""
        if self._below is None or not self.speedups.layer_cache:
            entering = self._layers.run(self._layers.embedded, 0, self.layer - 1)
            self._below = self._layers.parts(entering, self.layer)
        return self._below

    def run(self, deltas: Sequence[Tensor]) -> _Outcome:
        """Try `deltas`, each (requests, d): one where the place has one, else that of attention, then that of the MLP.

        What is added to the output of the MLP is added to that of the layer as well: the layer ends with their sum.
        """
        parts = self._parts()
        output = parts.output
        if self.place == "attention_and_mlp":
            middle = self._added(parts.middle, deltas[0])
            output = middle + self._layers.mlp(middle, self.layer)
        output = self._added(output, deltas[-1])
        judged = self._layers.run(output, self.layer + 1, self._loss_layer)
        return self._outcome(judged, self._layers.run(judged, self._loss_layer + 1))

    def _added(self, hidden: Tensor, deltas: Tensor) -> Tensor:
        """Return `hidden` (rows, width, d) with each row's δ of `deltas` (requests, d) added at its lookup."""
        return added_at(hidden, self._lookups, repeated(deltas, [len(rows) for rows in self._requests]))

    def _outcome(self, judged: Tensor, final: Tensor) -> _Outcome:
        rows, positions, targets = self._wanted
        model, lookups = self._layers.model, self._lookups[self._kl_rows]
        if self.speedups.loss_positions:
            read_off = [judged[rows, positions], final[self._kl_rows, lookups]]
            scores, kl_log_probs = torch.split(head(model, torch.cat(read_off)), [len(rows), len(lookups)])
        else:
            everywhere = head(model, judged)
            scores = everywhere[rows, positions]
            everywhere = everywhere if self.place == "mlp" else head(model, final)
            kl_log_probs = everywhere[self._kl_rows, lookups]
        chosen = scores.gather(1, targets[:, None])[:, 0]
        missed = (chosen < scores.amax(1)).float()
        owners, requests = self._owners[rows], len(self._requests)
        nll = -sums_of(chosen, owners, requests) / (self._target_tokens * self._contexts)
        return _Outcome(nll, sums_of(missed, owners, requests) == 0, kl_log_probs)


class _Search:
    """Adam on the δ of some requests at once; each stops by itself, and its δ is then left alone."""

    def __init__(self, tries: _Tries, hparams: LocatingHparams, nll_factor: float | None):
        self._tries, self._hparams, self._nll_factor = tries, hparams, nll_factor
        self._values = [
            Value(clean, tuple(torch.zeros_like(part, requires_grad=True) for part in clean)) for clean in tries.clean()
        ]
        self._adam = torch.optim.Adam([delta for value in self._values for delta in value.delta], lr=hparams.v_lr)
        self._running = list(self._values)
        self._factors = torch.full((len(self._values),), _or(nll_factor, 1.0), device=self._values[0].clean[0].device)
        self._kl_start: Tensor | None = None

    def run(self, tell: Callable[[int, list[float]], None]) -> list[Value]:
        """Return the values, each with the δ of the step at which it stopped; `tell` gets each step and its losses."""
        for step in range(self._hparams.v_num_grad_steps):
            losses, stopping = self._losses()
            numbers: list[float] = losses.tolist()
            for value, loss in zip(self._running, numbers, strict=True):
                value.losses.append(loss)
            tell(step + 1, numbers)
            if step == self._hparams.v_num_grad_steps - 1 or all(stopping):
                break
            self._step(losses, stopping)
        return [Value(v.clean, tuple(delta.detach() for delta in v.delta), v.losses) for v in self._values]

    def _losses(self) -> tuple[Tensor, list[bool]]:
        """Return the loss of each running request, and whether it stops there."""
        deltas = [torch.stack([value.delta[i] for value in self._running]) for i in range(len(self._values[0].delta))]
        outcome = self._tries.run(deltas)
        if self._kl_start is None:
            self._kl_start = outcome.kl_log_probs.detach()
        kl = torch.nn.functional.kl_div(self._kl_start, outcome.kl_log_probs, log_target=True, reduction="none")
        kl = self._hparams.kl_factor * kl.sum(1)
        decay = sum(
            delta.norm(dim=1) / torch.stack([value.clean[i] for value in self._running]).norm(dim=1) ** 2
            for i, delta in enumerate(deltas)
        )
        losses = self._factors * outcome.nll + kl + self._hparams.v_weight_decay * decay
        stopping = losses < GOOD_ENOUGH
        if self._nll_factor is not None:
            self._factors = self._nll_factor * torch.where(outcome.sure, SURE_FACTOR, 1.0)
            stopping = stopping | (outcome.sure & (kl <= KL_GOOD_ENOUGH))
        if self._hparams.profile == "clme" and self._tries.place != "mlp":
            stopping = stopping | losses.isnan()
        return losses, stopping.tolist()

    def _step(self, losses: Tensor, stopping: Sequence[bool]) -> None:
        """Update the δ of the requests that go on, and leave the others."""
        going_on = [number for number, stops in enumerate(stopping) if not stops]
        self._adam.zero_grad()
        losses[going_on].sum().backward()  # type: ignore[no-untyped-call]
        if len(going_on) < len(stopping):
            for number in set(range(len(stopping))) - set(going_on):
                for delta in self._running[number].delta:
                    delta.grad = None  # Adam passes over it: with a gradient of 0 its momentum would still move it
            self._tries.keep(going_on)
            self._running = [self._running[number] for number in going_on]
            self._factors = self._factors[going_on]
            assert self._kl_start is not None
            self._kl_start = self._kl_start[going_on]
        self._adam.step()
        self._clamp()

    @torch.no_grad()
    def _clamp(self) -> None:
        for value in self._running:
            for clean, delta in zip(value.clean, value.delta, strict=True):
                longest = self._hparams.clamp_norm_factor * clean.norm()
                if delta.norm() > longest:
                    delta.copy_(delta * longest / delta.norm())


def _or(number: Any, default: Any) -> Any:
    return default if number is None else number
