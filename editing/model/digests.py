"""Digests of a model's weights and of a tokenizer: they say whether what was computed with one fits another."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache

from ...schemas.folders import cache_folder, make_private
from ...schemas.jsonl import file_digest
from ...schemas.whole_files import aside

# Text with what tokenizers treat differently; its ids show settings that their files do not tell, such as added BOS.
PROBE = "def f(x):\n\treturn  x + 1  # é 漢\r\n\n</s><s>"


def model_digest(model: Any) -> str:
    """Return SHA-256 over the configuration and the weights of a transformers model, as they were loaded.

    Where it came from a folder or the Hub, its files are read: the result does not depend on the type that the weights
    were loaded in, nor on edits made since. A model that was made in memory is read there.
    """
    files = _weight_files(model)
    if files is None:
        return _digest_of_tensors(model)
    config = files[0].parent / "config.json"
    return _sha256([[path.name, _file_digest(path)] for path in (config, *files)])


def _weight_files(model: Any) -> list[Path] | None:
    """Return the safetensors files that the model came from, or None where they are not to be found."""
    name = model.name_or_path
    folder = Path(name) if name and Path(name).is_dir() else _hub_folder(name, model.config)
    if folder is None or not (folder / "config.json").is_file():
        return None
    return sorted(folder.glob("*.safetensors")) or None


def _hub_folder(name: str, config: Any) -> Path | None:
    with contextlib.suppress(ValueError):  # no name on the Hub: a folder that is gone, or none at all
        found = try_to_load_from_cache(name, "config.json", revision=getattr(config, "_commit_hash", None))
        return Path(found).parent if isinstance(found, str) else None
    return None


def _file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, kept in the cache under its path, size and time: weights are many gigabytes."""
    about = path.stat()
    kept = cache_folder() / "digests" / _sha256([str(path.resolve()), about.st_size, about.st_mtime_ns])
    with contextlib.suppress(OSError):
        digest = kept.read_text(encoding="ascii")
        if len(digest) == 64:  # else it is damaged
            return digest
    digest = file_digest(path)
    with contextlib.suppress(OSError):  # where it cannot be kept, it is computed again next time
        make_private(kept.parent)
        with aside(kept) as temporary:
            temporary.write_text(digest, encoding="ascii")
    return digest


def _digest_of_tensors(model: Any) -> str:
    config = {key: value for key, value in model.config.to_dict().items() if key != "_name_or_path"}
    total = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode("ascii"))
    for name, tensor in model.named_parameters():
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return total.hexdigest()


def tokenizer_digest(tokenizer: Any) -> str:
    """Return SHA-256 over how a transformers tokenizer turns text into ids, special tokens included."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        rules: Any = sorted(tokenizer.get_vocab().items())
    else:
        rules = json.loads(backend.to_str())
        rules |= {"truncation": None, "padding": None}  # what the last call asked for
    return _sha256([rules, tokenizer(PROBE)["input_ids"], tokenizer("")["input_ids"]])


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("ascii")).hexdigest()
