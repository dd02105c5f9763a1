"""Second moments of modules' inputs: the sums of x xᵀ, for all modules in one pass that can be killed at any time."""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.whole_files import aside, remove_leftovers, write_faults

GROUP = 256  # documents that are tokenized, and sorted by length, at once
SECONDS = 60.0  # between two checkpoints
WRITING = 9  # times as long as a checkpoint takes to write, the work goes on at least: large ones come less often

Observer = Callable[[int, int], None]  # finished documents, all documents
Rows = list[list[int]]  # of token ids


@dataclass(frozen=True, slots=True)
class Reading:
    """How documents are read: each cut to `max_tokens`, in batches of at most `batch_tokens`, padding included.

    Products are taken in `dtype`, float32 or float64.
    """

    max_tokens: int
    batch_tokens: int
    dtype: torch.dtype


@dataclass(slots=True)
class Position:
    """How far a pass is: all documents before `start`, of the next group `batches` batches, and `tokens` in all."""

    start: int = 0
    batches: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The file that a pass leaves behind; `identity` tells, as text, what decides the bits of its sums."""

    path: Path
    identity: str

    @classmethod
    def of(cls, folder: Path, identity: Mapping[str, Any]) -> "Checkpoint":
        """Return the place in `folder` for a pass with this identity."""
        text = json.dumps(identity, sort_keys=True)
        digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:12]
        return cls(folder / f"unfinished-{digest}.safetensors", text)

    def save(self, sums: Mapping[str, Tensor], position: Position) -> None:
        """Write the file as a whole. Raises EnvironmentFault when the disk or a permission refuses."""
        metadata = {"identity": self.identity, "position": json.dumps(asdict(position))}
        note = "The same command, started again, goes on from the last checkpoint."
        with write_faults(self.path, SafetensorError, note=note), aside(self.path) as temporary:
            save_file({module: total.cpu() for module, total in sums.items()}, temporary, metadata=metadata)

    def load(self, modules: Sequence[str], device: torch.device) -> tuple[dict[str, Tensor], Position] | None:
        """Return the sums of `modules`, on `device`, and the position; None where the file lacks them."""
        try:
            with safe_open(self.path, framework="pt", device=str(device)) as file:
                metadata = file.metadata() or {}
                if metadata.get("identity") != self.identity or not set(modules) <= set(file.keys()):
                    return None
                position = Position(**json.loads(metadata["position"]))
                return {module: file.get_tensor(module) for module in modules}, position
        except (OSError, SafetensorError):
            return None

    def remove(self) -> None:
        """Remove the file, and what a kill has left of one: what it was for is done."""
        self.path.unlink(missing_ok=True)
        remove_leftovers(self.path)


def second_moments(
    model: Any,
    tokenizer: Any,
    widths: Mapping[str, int],
    documents: Sequence[str],
    reading: Reading,
    checkpoint: Checkpoint,
    *,
    observe: Observer = lambda done, total: None,
    seconds: float = SECONDS,
) -> tuple[dict[str, Tensor], int]:
    """Return the sum of x xᵀ over the inputs x of each module of `widths` (f, by path), and the number of inputs.

    Sums are of shape (f, f) and in the dtype of `reading`. Each batch's product is taken in that dtype, and added up in
    float64: the sum of many batches is as exact as that of one. The pass begins at the checkpoint, if there is one, and
    leaves one every `seconds`, or less often where writing it takes long. Batches are the same wherever it begins.
    Raises InputError for inputs that are no numbers and for documents without tokens, EnvironmentFault for a disk
    or a memory that is full.
    """
    with _explained_memory(model.device):
        sums, at = checkpoint.load(list(widths), model.device) or (_zeros(widths, model.device), Position())
        due = time.monotonic() + seconds
        for done in _pass(model.eval(), tokenizer, documents, reading, sums, at):
            observe(done, len(documents))
            if time.monotonic() >= due:
                _check_numbers(model, sums)
                started = time.monotonic()
                checkpoint.save(sums, at)
                due = time.monotonic() + max(seconds, WRITING * (time.monotonic() - started))
        _check_numbers(model, sums)
        if not at.tokens:
            raise InputError("The documents of the corpus have no tokens at all. Give another corpus.")
        return {module: total.to(reading.dtype) for module, total in sums.items()}, at.tokens


def _zeros(widths: Mapping[str, int], device: torch.device) -> dict[str, Tensor]:
    return {module: torch.zeros(width, width, dtype=torch.float64, device=device) for module, width in widths.items()}


def _pass(
    model: Any, tokenizer: Any, documents: Sequence[str], reading: Reading, sums: dict[str, Tensor], at: Position
) -> Iterator[int]:
    """Add the documents from `at` on to `sums`; after each batch, `at` says how far, and the documents are yielded."""
    with _summing(model, sums, reading.dtype) as add:
        for start in range(at.start, len(documents), GROUP):
            batches = list(_batches(tokenizer, documents[start : start + GROUP], reading))
            done = start + sum(map(len, batches[: at.batches]))
            for batch in batches[at.batches :]:
                add(*_right_pad(batch, tokenizer.pad_token_id or 0, model.device))
                done += len(batch)
                at.batches, at.tokens = at.batches + 1, at.tokens + sum(map(len, batch))
                yield done
            at.start, at.batches = start + GROUP, 0


def _batches(tokenizer: Any, documents: Sequence[str], reading: Reading) -> Iterator[Rows]:
    """Yield `documents` as rows of ids, the longest first, a batch at a time."""
    rows = tokenizer(list(documents), truncation=True, max_length=reading.max_tokens)["input_ids"]
    batch: Rows = []
    for row in sorted(filter(None, rows), key=len, reverse=True):
        if batch and len(batch[0]) * (len(batch) + 1) > reading.batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _right_pad(rows: Rows, pad: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return ids (rows, width), and a mask that is True on real tokens; the longest of `rows` comes first."""
    width = len(rows[0])
    ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return ids, torch.arange(width, device=device) < lengths[:, None]


class _Enough(Exception):  # noqa: N818 - no error: it ends a forward pass
    """Every module has had its input: what follows in the model is not needed."""


@contextlib.contextmanager
def _summing(model: Any, sums: dict[str, Tensor], dtype: torch.dtype) -> Iterator[Callable[[Tensor, Tensor], None]]:
    """Give a function that runs ids through the model, as far as needed, and adds what the mask lets through."""
    waiting: set[str] = set()
    real: Tensor

    def take(module: str, _: Any, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0][real].to(dtype)  # (tokens, f)
        sums[module] += x.T @ x
        waiting.discard(module)
        if not waiting:
            raise _Enough

    @torch.no_grad()
    def add(ids: Tensor, mask: Tensor) -> None:
        nonlocal real
        real = mask
        waiting.update(sums)
        with contextlib.suppress(_Enough):
            # The model gets no mask: a token never sees what is to its right, and that is where the padding is.
            model(input_ids=ids, use_cache=False)

    hooks = [model.get_submodule(module).register_forward_pre_hook(partial(take, module)) for module in sums]
    try:
        yield add
    finally:
        for hook in hooks:
            hook.remove()


def _check_numbers(model: Any, sums: Mapping[str, Tensor]) -> None:
    for module, total in sums.items():
        if not bool(torch.isfinite(total.diagonal()).all()):
            raise InputError(
                f"The inputs of {module} are no numbers (infinite, or NaN) with weights in {model.dtype}. Use --dtype "
                "bfloat16 or float32."
            )


@contextlib.contextmanager
def _explained_memory(device: torch.device) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError on a GPU
        if not isinstance(error, torch.OutOfMemoryError) and "can't allocate memory" not in str(error):
            raise
        raise EnvironmentFault(
            f"The memory of {device} is too small for this. Use a smaller --batch-tokens, fewer layers at once, or "
            "--dtype bfloat16. What was computed up to the last checkpoint is kept."
        ) from None
