"""Hyperparameters from a preset or a YAML file, with EasyEdit's fields read as they are."""

import hashlib
import json
import re
from dataclasses import MISSING, asdict, dataclass, fields
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from ..schemas.errors import InputError
from .methods import Method

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

# EasyEdit's files carry them; here the command line says them.
INFORMATIVE = frozenset({"alg_name", "model_name", "device", "model_parallel"})


@dataclass(frozen=True, slots=True)
class Hparams:
    """Checked hyperparameters of a method (an instance of its dataclass), where from, and the fields left unread."""

    values: Any
    source: str
    ignored: tuple[str, ...] = ()

    def sha256(self) -> str:
        """Return SHA-256 over the values that the method uses, defaults included."""
        return hashlib.sha256(json.dumps(asdict(self.values), sort_keys=True).encode("ascii")).hexdigest()


def preset_names() -> list[str]:
    """Return the names of the presets that come with edittool."""
    names = (entry.name for entry in files(__package__).joinpath("presets").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def read_hparams(name: str | None, method: Method, model: str = "") -> Hparams:
    """Return the hyperparameters of `method` from the preset or YAML file `name`.

    Without a name: none where the method has none to set, else the preset called METHOD-MODEL. Raises InputError,
    naming file and field, for a file that is missing, no YAML, for another method, or with a value of a wrong type.
    """
    if name is None and not fields(method.hparams):
        return Hparams(method.hparams(), "none needed")
    source, text = _find(name or f"{method.name}-{Path(model).name.lower()}", method)
    given = _parse(source, text)
    _check_method(source, given, method)
    known = {field.name for field in fields(method.hparams)}
    ignored = tuple(sorted(map(str, given.keys() - known - INFORMATIVE)))
    return Hparams(_build(source, method.hparams, {key: given[key] for key in given if key in known}), source, ignored)


def _find(name: str, method: Method) -> tuple[str, str]:
    if name in preset_names():
        return f"preset {name}", files(__package__).joinpath("presets", f"{name}.yaml").read_text(encoding="utf-8")
    try:
        return name, Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fitting = [preset for preset in preset_names() if preset.startswith(f"{method.name}-")]
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise InputError(
            f"Hyperparameters {name}: neither a preset nor a file that can be read ({reason}). "
            f"Give --hparams a YAML file, or a preset: {', '.join(fitting) or 'there is none for this method'}."
        ) from None


def _parse(source: str, text: str) -> dict[str, Any]:
    try:
        given = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{source}{line}: broken YAML ({error.problem}). Repair the file.") from None
    except yaml.YAMLError as error:
        raise InputError(f"{source}: broken YAML ({error}). Repair the file.") from None
    if not isinstance(given, dict):
        raise InputError(f"{source}: hyperparameters are a YAML mapping, one `field: value` a line.")
    return given


def _check_method(source: str, given: dict[str, Any], method: Method) -> None:
    named = given.get("alg_name")
    if named is not None and str(named).casefold() not in {
        name.casefold() for name in (method.name, *method.alg_names)
    }:
        raise InputError(f'{source}: field "alg_name" says {named!r}, but the method is {method.name}. Use --method.')


def _build(source: str, kind: type, given: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    missing = [field.name for field in fields(kind) if field.default is MISSING and field.name not in given]
    if missing:
        raise InputError(f'{source} lacks the field "{missing[0]}". Add a line `{missing[0]}: ...`.')
    try:
        return kind(**{name: _convert(name, value, hints[name]) for name, value in given.items()})
    except ValueError as error:
        raise InputError(f"{source}: field {error}.") from None


def _convert(name: str, value: Any, hint: Any) -> Any:
    """Return `value` as a `hint`. PyYAML leaves numbers such as 5e-1 as strings: those are numbers here."""
    origin, options = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _one_of(name, value, options)
    if origin is list:
        return [_convert(f"{name}[{i}]", item, options[0]) for i, item in enumerate(_listed(name, value))]
    kinds = options if origin in (Union, UnionType) else (hint,)
    if isinstance(value, str) and str not in kinds and NUMBER.fullmatch(value):
        value = float(value) if re.search("[.eE]", value) else int(value)
    if type(value) in kinds:
        return value
    if kinds == (float,) and type(value) is int:
        return float(value)
    raise ValueError(f"{name} must be {_words(kinds)}, not {value!r}")


def _one_of(name: str, value: Any, options: tuple[Any, ...]) -> Any:
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, not {value!r}")
    return value


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, such as [21], not {value!r}")
    return value


def _words(kinds: tuple[Any, ...]) -> str:
    words = {float: "a number", int: "an integer", bool: "true or false", str: "text"}
    return " or ".join(words[kind] for kind in kinds)
