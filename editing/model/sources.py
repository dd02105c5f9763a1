"""Where a model comes from: a folder or a name on the Hub, and what is refused for what its files show it to be."""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers.utils.hub import cached_file

from ...schemas.errors import InputError

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
ADAPTER = "adapter_config.json"
PICKLED = ("*.bin", "*.pt", "*.pth")  # nothing reads these here: a pickle runs what it likes


def checked_source(name: str) -> str:
    """Return the folder or the Hub id called `name`.

    Raises InputError for what is neither, and for a folder or repository whose files show that it is no whole model:
    an adapter, alone or beside a model, GGUF files, pickled weights alone.
    """
    place = Path(name).expanduser()
    if place.suffix == ".gguf" and place.is_file():
        raise _only_gguf(name, place)
    if not place.is_dir():
        if place.exists() or not HUB_ID.fullmatch(name):
            raise InputError(f"{name} is neither a folder with a model, nor a Hub id (OWNER/NAME), nor `tiny`.")
        _refuse_adapter(name, name)
        return name
    _refuse_adapter(name, str(place))
    if not any(place.glob("*.safetensors")):
        _refuse_other_weights(name, place)
    if not (place / "config.json").is_file():
        raise InputError(f"{name} holds no config.json: a model folder as written by `save_pretrained` is needed.")
    return str(place)


def file_of(source: str, name: str) -> Path | None:
    """Return the file called `name` of a folder or of a model on the Hub; None where there is none to be had."""
    if Path(source).is_dir():
        path = Path(source) / name
        return path if path.is_file() else None
    found: str | None = None
    with contextlib.suppress(OSError, ValueError):  # the Hub is out of reach: the configuration's loading says so
        found = cached_file(
            source,
            name,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
    return None if found is None else Path(found)


def refuse_quantised(name: str, config: Any) -> None:
    """Raise InputError where the configuration says that the weights are quantised: no method can add to those."""
    for field in ("quantization_config", "compression_config"):
        about = getattr(config, field, None)
        if about:
            raise InputError(
                f'The model {name} is quantised ({_quantisation(about)}, "{field}" of its config.json): its weights '
                "are packed integers or scaled floats, which an edit cannot be added to. Use the model that it was "
                "made from; --dtype bfloat16 halves the memory of float32."
            )


def _quantisation(about: Any) -> str:
    fields: Mapping[str, Any] = about if isinstance(about, Mapping) else vars(about)
    bits = next((n for n, field in ((4, "load_in_4bit"), (8, "load_in_8bit")) if fields.get(field)), fields.get("bits"))
    method = fields.get("quant_method")
    method = str(getattr(method, "value", method) or "method unknown")
    return f"{method}, {bits} bits" if bits else method


def _refuse_adapter(name: str, source: str) -> None:
    """Raise InputError where there is an adapter: transformers applies it if peft is there, else passes over it."""
    path = file_of(source, ADAPTER)
    if path is None:
        return
    base = _base_model(path)
    if file_of(source, "config.json") is None:
        raise InputError(
            f"{name} is an adapter, no model: what it changes is {base}. Merge it into that first, with peft: "
            "`PeftModel.from_pretrained(model, ADAPTER).merge_and_unload().save_pretrained(FOLDER)`, save the "
            "tokenizer beside it, and give FOLDER as the model."
        )
    raise InputError(
        f"{name} holds an adapter beside a model ({ADAPTER}, for {base}), and which of the two is meant cannot be "
        "known. For the model with the adapter, merge the two (peft: `merge_and_unload`) and save that to another "
        "folder; for the model without, give a folder without the adapter's files."
    )


def _base_model(path: Path) -> str:
    about = None
    with contextlib.suppress(OSError, ValueError):
        about = json.loads(path.read_text(encoding="utf-8"))
    base = about.get("base_model_name_or_path") if isinstance(about, dict) else None
    return str(base) if base else "a base model that it does not name"


def _refuse_other_weights(name: str, folder: Path) -> None:
    """Raise InputError for a folder whose weights are none that are read here."""
    if found := next(folder.glob("*.gguf"), None):
        raise _only_gguf(name, found)
    pickled = next((path for pattern in PICKLED for path in folder.glob(pattern)), None)
    if pickled is not None:
        raise InputError(
            f"{name} has pickled weights alone ({pickled.name}), and reading a pickle can run any code. Convert them "
            "where you trust them: `AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(OTHER)` writes "
            "safetensors."
        )


def _only_gguf(name: str, path: Path) -> InputError:
    return InputError(
        f"{name} is a GGUF file, or has no other weights ({path.name}): those are quantised, for other engines. Use "
        "the model that it was made from, or write an ordinary one: `AutoModelForCausalLM.from_pretrained(FOLDER, "
        "gguf_file=FILE).save_pretrained(OTHER)`, the tokenizer likewise."
    )
