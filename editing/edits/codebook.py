"""GRACE's codebook: values that replace a linear layer's output where its input is near a key (arXiv 2211.11031).

The layer, its weights and its name stay as they are: the codebook is looked up by a forward hook.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

Replacement = Literal["replace_last", "replace_prompt", "replace_all"]
Distance = Literal["direct", "cdist"]

# The same tokens are read a little differently in a longer text or a larger batch: sums in another order. The smallest
# distance that counts for that is twice what a split takes from a radius, so that no radius falls below 0.
ROUNDING = 1e-5
SPLIT_GAP = 1e-5


class Codebook(NamedTuple):
    """Float32: keys (n, f), the layer's inputs; values (n, d), its outputs; radii (n,). The oldest entry is first."""

    keys: Tensor
    values: Tensor
    radii: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One key (f,), its value (d,), its radius, and the mean that stands for the target it was taught with."""

    key: Tensor
    value: Tensor
    radius: float
    label: float


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """All entries of a layer, the oldest first, and how they are used.

    They are never changed, only followed by others, so that edits share the tensors of what they leave as it was.
    `grown_from` is the digest of the entries that these go on from, or empty.
    """

    rows: tuple[Entry, ...]
    replacement: Replacement = "replace_last"
    distance: Distance = "direct"
    grown_from: str = ""

    def codebook(self) -> Codebook:
        """Return the entries as tensors of their own. There has to be one entry at least."""
        keys, values = (torch.stack([getattr(row, name) for row in self.rows]) for name in ("key", "value"))
        return Codebook(keys, values, torch.tensor([row.radius for row in self.rows], device=keys.device))

    def labels(self) -> Tensor:
        """Return the labels, (n,) in float32."""
        return torch.tensor([row.label for row in self.rows])

    def with_row(self, place: int, row: Entry) -> "Entries":
        """Return these entries with `row` at `place`, which may be one past the last."""
        return replace(self, rows=(*self.rows[:place], row, *self.rows[place + 1 :]))

    def on(self, device: torch.device) -> "Entries":
        """Return these entries with their tensors on `device`."""
        rows = (replace(row, key=row.key.to(device), value=row.value.to(device)) for row in self.rows)
        return replace(self, rows=tuple(rows))

    def digest(self) -> str:
        """Return SHA-256 over everything that decides what the entries do and how they grow."""
        digest = hashlib.sha256(f"{self.replacement} {self.distance}".encode())
        for tensor in (*self.codebook(), self.labels()):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def distances(keys: Tensor, queries: Tensor, how: Distance) -> Tensor:
    """Return the Euclidean distances (n, rows) of float32 `keys` (n, f) and `queries` (rows, f).

    `cdist` is torch's default: above 25 keys or rows it multiplies matrices, and the distance of a vector to itself
    may come out as 0.1. `direct` sums squared differences.
    """
    mode = "donot_use_mm_for_euclid_dist" if how == "direct" else "use_mm_for_euclid_dist_if_necessary"
    found: Tensor = torch.cdist(keys, queries, compute_mode=mode)
    return found


def rounding(queries: Tensor) -> Tensor:
    """Return, for each of `queries` (rows, f) in the model's dtype, the distance that rounding alone can make."""
    relative = max(ROUNDING, torch.finfo(queries.dtype).eps)
    sizes: Tensor = torch.linalg.vector_norm(queries.float(), dim=-1)
    return (relative * sizes).clamp(min=2 * SPLIT_GAP)


_position: ContextVar[int | Tensor | None] = ContextVar("position", default=None)
_each: ContextVar[bool] = ContextVar("each", default=False)
_ends: ContextVar[Tensor | None] = ContextVar("ends", default=None)
_suspended: ContextVar[bool] = ContextVar("suspended", default=False)


@contextlib.contextmanager
def looking_at(position: int | Tensor) -> Iterator[None]:
    """Look codebooks up at this column of every forward pass; a tensor (rows,) has one for each row.

    Without it, each pass is looked up at its last column: the end of left-padded prompts, then each new token. It is
    needed for right padding, and for passes over prompt and continuation together. Beyond the last column it is that.
    """
    token = _position.set(position)
    try:
        yield
    finally:
        _position.reset(token)


@contextlib.contextmanager
def looking_at_each() -> Iterator[None]:
    """Look codebooks up at every column by itself: as passes do that read these tokens one after the other."""
    token = _each.set(True)
    try:
        yield
    finally:
        _each.reset(token)


@contextlib.contextmanager
def looking_after(ends: Tensor) -> Iterator[None]:
    """Look codebooks up as in writing: at the prompt's last column, which `ends` (rows,) has, then at each by itself.

    One pass over prompts and what follows them so computes what one over the prompts and one for each later token do.
    """
    token = _ends.set(ends)
    try:
        yield
    finally:
        _ends.reset(token)


@contextlib.contextmanager
def suspended() -> Iterator[None]:
    """Look no codebook up: for reading the beginning of a text whose lookup comes later."""
    token = _suspended.set(True)
    try:
        yield
    finally:
        _suspended.reset(token)


def written(output: Tensor, values: Tensor, hits: Tensor, at: Tensor, replacement: Replacement) -> Tensor:
    """Return `output` (rows, width, d) with `values` (rows, d) in the rows of `hits` (rows,), as `replacement` says.

    That is at the column `at` (rows,), at all columns before it, or everywhere; all else keeps its bits.
    """
    columns = torch.arange(output.shape[1], device=output.device)
    if replacement == "replace_all":
        there = hits[:, None].expand(output.shape[:2])
    else:
        chosen = columns == at[:, None] if replacement == "replace_last" else columns < at[:, None]
        there = hits[:, None] & chosen
    return torch.where(there[..., None], values[:, None].to(output.dtype), output)


class Lookup:
    """The forward hook. It is an object and no closure, so that a deep copy of the model gets one of its own."""

    def __init__(self, entries: Entries):
        self.hold(entries)

    def hold(self, entries: Entries) -> None:
        """Look up in `entries` from now on."""
        self.entries = entries
        self._codebook = entries.codebook()

    def __call__(self, layer: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        """Return the layer's `output` (rows, width, d) with values where its input is within a radius of their keys."""
        if _suspended.get():
            return output
        rows, width = output.shape[:2]
        if _each.get():
            return self._each_by_itself(args[0], output)
        ends = _ends.get()
        if ends is None:
            return self._looked_up(args[0], output, _columns(rows, width, output.device))
        later = torch.arange(width, device=output.device) > ends[:, None]
        prompts = self._looked_up(args[0], output, ends)
        return torch.where(later[..., None], self._each_by_itself(args[0], output), prompts)

    def _each_by_itself(self, inputs: Tensor, output: Tensor) -> Tensor:
        alone = inputs.flatten(0, 1)[:, None]
        at = torch.zeros(len(alone), dtype=torch.long, device=output.device)
        return self._looked_up(alone, output.flatten(0, 1)[:, None], at).reshape(output.shape)

    def _looked_up(self, inputs: Tensor, output: Tensor, at: Tensor) -> Tensor:
        rows = len(output)
        keys, values, radii = self._on(output.device)
        queries = inputs.detach()[torch.arange(rows, device=output.device), at]
        nearest, which = distances(keys, queries.float(), self.entries.distance).min(dim=0)
        # A radius may end exactly at a prompt that was taught; rounding must not leave it outside.
        hits = nearest <= radii[which] + rounding(queries)
        return written(output, values[which], hits, at, self.entries.replacement)

    def _on(self, device: torch.device) -> Codebook:
        if self._codebook.keys.device != device:
            self._codebook = Codebook(*(tensor.to(device) for tensor in self._codebook))
        return self._codebook


def _columns(rows: int, width: int, device: torch.device) -> Tensor:
    position = _position.get()
    last = width - 1
    return torch.as_tensor(last if position is None else position, device=device).clamp(max=last).expand(rows)


def features(layer: nn.Module) -> tuple[int, int] | None:
    """Return the input and output width of a linear layer (GPT-2's is called Conv1D); None for any other module."""
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    if isinstance(layer, Conv1D):
        return layer.weight.shape[0], layer.weight.shape[1]
    return None


def entries_at(layer: nn.Module) -> Entries | None:
    """Return the entries in force at `layer`, if there are any."""
    hook = _hook(layer)
    return hook.entries if hook else None


def install(layer: nn.Module, entries: Entries) -> Callable[[], None]:
    """Put `entries` in force at `layer`, and return what puts back the state before."""
    hook = _hook(layer)
    if hook is None:
        return layer.register_forward_hook(Lookup(entries)).remove
    before = hook.entries
    hook.hold(entries)
    return partial(hook.hold, before)


def _hook(layer: nn.Module) -> Lookup | None:
    return next((hook for hook in layer._forward_hooks.values() if isinstance(hook, Lookup)), None)


def pack(entries: Entries) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the settings that `unpack` makes the same entries from."""
    tensors = entries.codebook()._asdict() | {"labels": entries.labels()}
    names = ("replacement", "distance", "grown_from")
    return tensors, {name: getattr(entries, name) for name in names}


def unpack(tensors: Mapping[str, Tensor], settings: Mapping[str, str]) -> Entries:
    """Return the entries that `pack` was given. Raises ValueError or KeyError for anything else."""
    keys, values, radii, labels = (tensors[name].float() for name in ("keys", "values", "radii", "labels"))
    whole = (keys.dim(), values.dim()) == (2, 2) and len(keys) == len(values) > 0
    if not whole or radii.shape != (len(keys),) or labels.shape != (len(keys),):
        raise ValueError("keys, values, radii and labels do not fit together")
    if settings["replacement"] not in get_args(Replacement) or settings["distance"] not in get_args(Distance):
        raise ValueError("unknown replacement or distance")
    rows = zip(keys, values, radii.tolist(), labels.tolist(), strict=True)
    return Entries(tuple(Entry(*row) for row in rows), **settings)  # type: ignore[arg-type]
