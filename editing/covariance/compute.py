"""The statistics of a model over a corpus: computed where they are not there yet, one process at a time."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.whole_files import lock, unlock, write_faults
from ..model.digests import model_digest, tokenizer_digest
from ..model.families import input_widths
from ..model.limits import context_length
from .corpora import Corpus, Sample
from .files import Moment, model_folder_name, read_about, read_count, stats_cache, write_moment
from .one_pass import GROUP, SECONDS, Checkpoint, Observer, Reading, second_moments

VERSION = 1  # counts up when something else is computed from the same inputs


@dataclass(frozen=True, slots=True)
class Settings:
    """How statistics are computed.

    `samples` documents, each cut to `max_tokens`; `dtype` is EasyEdit's `mom2_dtype`: products and files have it.
    `batch_tokens` bounds the tokens of a batch, padding included; it changes rounding alone.
    """

    samples: int = 100_000
    max_tokens: int = 4096
    dtype: Literal["float32", "float64"] = "float32"
    batch_tokens: int = 3 * 4096

    def __post_init__(self) -> None:
        """Raise InputError for values without meaning."""
        for name in ("samples", "max_tokens", "batch_tokens"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.dtype not in ("float32", "float64"):
            raise InputError(f"mom2_dtype must be float32 or float64, not {self.dtype}: sums overflow in float16.")


@dataclass(frozen=True, slots=True)
class Computed:
    """The statistics of `module` in `path`, over `tokens` inputs; `new` says that this call computed them."""

    module: str
    path: Path
    tokens: int
    new: bool


def compute_statistics(
    model_name: str,
    model: Any,
    tokenizer: Any,
    modules: Sequence[str],
    corpus: Corpus,
    settings: Settings | None = None,
    *,
    folder: Path | None = None,
    observe: Observer = lambda done, total: None,
    seconds: float = SECONDS,
) -> list[Computed]:
    """Compute the sums of x xᵀ over the inputs x of each of `modules`, linear layers of `model`; return their files.

    The reference is ROME's `layer_stats` (Meng et al., arXiv 2202.05262): all tokens of the sampled documents count,
    the tokenizer's own special tokens too, padding does not. Files lie in `folder` (default: the cache, under a digest
    of everything that matters) in EasyEdit's layout; what is there is not computed again. Interrupted at any moment,
    the same call goes on from a checkpoint, one every `seconds`, to the same bits. `model` has to hold the weights it
    was loaded with, and is left in evaluation mode. `observe` gets the numbers of finished and of all documents.

    Raises InputError for modules that are not there, a folder in use by another process, files of something else, and a
    model that computes no numbers; EnvironmentFault for a folder that cannot be written and too little memory.
    """
    settings = settings or Settings()
    widths = input_widths(model, modules)
    sample = corpus.sample(settings.samples)
    reading = Reading(
        min(settings.max_tokens, context_length(model)),
        settings.batch_tokens,
        getattr(torch, settings.dtype),
    )
    key = _key(model, tokenizer, sample, reading)
    place = (folder or stats_cache() / _digest(key)) / model_folder_name(model_name) / f"{sample.corpus}_stats"
    files = {module: place / _file_name(module, model, settings, reading) for module in widths}
    missing = [module for module, path in files.items() if not _is_there(path, key)]
    if missing:
        with _held(place):
            lacking = {module: widths[module] for module in missing if not _is_there(files[module], key)}
            if lacking:  # else another process has ended in the meantime
                _check_room(place, lacking.values())
                checkpoint = Checkpoint.of(place, {"key": key, **_rounding(model, reading)})
                sums, tokens = second_moments(
                    model, tokenizer, lacking, sample.documents, reading, checkpoint, observe=observe, seconds=seconds
                )
                about = {"key": key, "model": model_name, "corpus": sample.corpus, "versions": _versions()}
                for module, total in sums.items():
                    write_moment(files[module], Moment(total, tokens, about | {"module": module}), settings.samples)
                checkpoint.remove()
    return [Computed(module, path, read_count(path), module in missing) for module, path in files.items()]


def _key(model: Any, tokenizer: Any, sample: Sample, reading: Reading) -> dict[str, Any]:
    """Return everything that the sums depend on, but for rounding."""
    return {
        "version": VERSION,
        "model": model_digest(model),
        "tokenizer": tokenizer_digest(tokenizer),
        "corpus": sample.digest,
        "documents": len(sample.documents),
        "max_tokens": reading.max_tokens,
        "mom2_dtype": _name(reading.dtype),
        "forward_dtype": _name(model.dtype),
    }


def _rounding(model: Any, reading: Reading) -> dict[str, Any]:
    """Return what changes the last bits of the sums, and no more: one pass keeps to it from begin to end."""
    return {
        "group": GROUP,
        "batch_tokens": reading.batch_tokens,
        "device": model.device.type,
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("edittool", "torch", "transformers")}


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _digest(key: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode("ascii")).hexdigest()[:24]


def _file_name(module: str, model: Any, settings: Settings, reading: Reading) -> str:
    cut = f"_t{reading.max_tokens}" if reading.max_tokens < context_length(model) else ""
    return f"{module}_{settings.dtype}_mom2{cut}_{settings.samples}.npz"


def _is_there(path: Path, key: Mapping[str, Any]) -> bool:
    if not path.exists():
        return False
    about = read_about(path)
    told = about.get("key") if about else None
    if told == key:
        return True
    others = [name for name in key if told.get(name) != key[name]] if isinstance(told, dict) else []
    what = f"of another {', another '.join(others)}" if others else "that do not say what they are of"
    raise InputError(f"{path} holds statistics {what}. It is left as it is: choose another folder, or remove it.")


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, which is made. Raises InputError where another process does."""
    with contextlib.ExitStack() as held:
        with write_faults(folder, note="Choose it with -o, or for the cache by EDITTOOL_CACHE."):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            held.callback(os.close, descriptor)
            lock(descriptor, folder, "Wait for it to end: its statistics will serve here too.")
            held.callback(unlock, descriptor)
        yield


def _check_room(folder: Path, widths: Iterable[int]) -> None:
    """Raise EnvironmentFault where the disk has no room for two checkpoints, one of which is being written."""
    needed = sum(2 * 8 * width**2 for width in widths)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise EnvironmentFault(
            f"The statistics need {needed / 2**30:.3g} GiB in {folder} while they are computed, and {free / 2**30:.3g} "
            "GiB are free. Free some space, choose another folder, or compute fewer layers at once."
        )
