"""Hyperparameters from a preset or a YAML file, with EasyEdit's fields read as they are."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, fields, replace
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from ...schemas.errors import InputError
from .table import Method, all_methods

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")

# EasyEdit's files carry them; here the command line says them.
INFORMATIVE = frozenset({"alg_name", "lora_type", "model_name", "device", "model_parallel", "stats_dir", "fp16"})

# What EasyEdit's files have besides, for some method or other. A field that is neither known nor here may be a typo.
ELSEWHERE = frozenset(
    """batch_size batch_size_once class_name context_template_length_params dist_fn dropout editor_batch_size
    enable_prompt_keys enable_random_prefix_keys half kl_factor layer_selection max_length model_class mom2_adjustment
    mom2_dataset mom2_dtype mom2_n_samples mom2_update_weight no_grad_layers num_pert original_implementation P_loc
    reg results_dir rewrite_module_tmp rewrite_module_tmps silent token tokenizer_class tokenizer_name val_reg wd
    weight_decay""".split()
)
# What is in the names of models that have one shape: `Qwen2.5-Coder-0.5B-Instruct`, `CodeLlama-7b-Python-hf`.
VARIANT = re.compile(r"(-(base|chat|hf|instruct|python))+$")
ALIKE = 0.75  # difflib's ratio from which a name that is not known is taken for a misspelt one


@dataclass(frozen=True, slots=True)
class Hparams:
    """Checked hyperparameters of a method (an instance of its dataclass), where from, and the fields left unread.

    `stats_dir` is where their author keeps covariances: that place decides nothing, so it is not among the values.
    `decided` has what the regime of a run has set: see `for_regime`.
    """

    values: Any
    source: str
    ignored: tuple[str, ...] = ()
    stats_dir: Path | None = None
    decided: tuple[str, ...] = ()

    def for_regime(self, regime: str) -> "Hparams":
        """Return them as they are in `regime`: what they leave to it is decided, and told in `decided`."""
        if not hasattr(self.values, "for_regime"):
            return self
        values = self.values.for_regime(regime)
        before, after = asdict(self.values), asdict(values)
        told = tuple(f"{name}: {value}" for name, value in after.items() if value != before[name])
        return replace(self, values=values, decided=(*self.decided, *told))

    @property
    def corpus(self) -> str | None:
        """The name of the corpus that covariances are to be of, for methods that need them."""
        return getattr(self.values, "mom2_dataset", None)

    @property
    def needs_statistics(self) -> bool:
        """Whether the method needs covariances with these values; which ones, its `check` of a model says."""
        return self.corpus is not None and getattr(self.values, "mom2_adjustment", True)

    def sha256(self) -> str:
        """Return SHA-256 over the values that the method uses, defaults included."""
        return hashlib.sha256(json.dumps(asdict(self.values), sort_keys=True).encode("ascii")).hexdigest()


def preset_names() -> list[str]:
    """Return the names of the presets that come with edittool."""
    names = (entry.name for entry in files(__package__).joinpath("presets").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def read_hparams(name: str | None, method: Method, model: str = "") -> Hparams:
    """Return the hyperparameters of `method` from the preset or YAML file `name`.

    Without a name: the defaults where the method has one for every field, else the preset called METHOD-MODEL, MODEL
    being the name of its folder, with or without `-instruct` and the like. Raises InputError, naming file and field,
    for a file that is missing, no YAML, for another method, or with a value of a wrong type.
    """
    if name is None and not any(_is_needed(field) for field in fields(method.hparams)):
        return Hparams(method.hparams(), "the defaults")
    source, text = _find(name or _preset_for(method, model), method)
    return hparams_of(_parse(source, text), method, source)


def load_hparams(name: str | Path) -> Hparams:
    """Return the hyperparameters of a preset or YAML file that names its method in the field `alg_name`.

    Raises InputError as `read_hparams` does, and for a file without that field or with an unknown method in it.
    """
    source, text = _find(str(name), None)
    given = _parse(source, text)
    return hparams_of(given, method_of(given, source), source)


def method_of(given: Mapping[str, Any], source: str) -> Method:
    """Return the method that the field `alg_name` names. Raises InputError where it names none."""
    named = _named(given)
    for method in all_methods():
        if named.casefold() in {name.casefold() for name in (method.name, *method.alg_names)}:
            return method
    known = ", ".join(alg_name for method in all_methods() for alg_name in method.alg_names)
    raise InputError(f'{source}: field "alg_name" says {named!r}, which is no method. Write one of: {known}.')


def hparams_of(given: Mapping[str, Any], method: Method, source: str = "hparams") -> Hparams:
    """Return the hyperparameters of `method` that a mapping in EasyEdit's field names gives.

    Raises InputError for another method's, a missing field, a value of a wrong type, and what looks like a misspelt
    field; other unknown fields are noted in `ignored`.
    """
    _check_method(source, given, method)
    translate = getattr(method.hparams, "translate", dict)
    given = translate(given)
    known = {field.name for field in fields(method.hparams)}
    unknown = sorted(str(name) for name in given if name not in known | INFORMATIVE)
    _refuse_misspelt(source, [name for name in unknown if name not in ELSEWHERE], sorted(known - given.keys()))
    values = _build(source, method.hparams, {key: given[key] for key in given if key in known})
    stats_dir = Path(given["stats_dir"]) if isinstance(given.get("stats_dir"), str) else None
    return Hparams(values, source, tuple(unknown), stats_dir)


def _refuse_misspelt(source: str, unknown: Sequence[str], absent: Sequence[str]) -> None:
    for name in unknown:
        if meant := get_close_matches(name, absent, n=1, cutoff=ALIKE):
            raise InputError(f'{source}: there is no field "{name}". Is "{meant[0]}" meant? Correct or remove it.')


def _preset_for(method: Method, model: str) -> str:
    """Return the name of the preset for `model`: that of its folder in small letters, less what its makers trained."""
    full = f"{method.name}-{Path(model).name.lower()}"
    short = VARIANT.sub("", full)
    return short if full not in preset_names() and short in preset_names() else full


def _find(name: str, method: Method | None) -> tuple[str, str]:
    if name in preset_names():
        return f"preset {name}", files(__package__).joinpath("presets", f"{name}.yaml").read_text(encoding="utf-8")
    try:
        return name, Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fitting = [preset for preset in preset_names() if method is None or preset.startswith(f"{method.name}-")]
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


def _check_method(source: str, given: Mapping[str, Any], method: Method) -> None:
    named = _named(given)
    if named and named.casefold() not in {name.casefold() for name in (method.name, *method.alg_names)}:
        field = "lora_type" if given.get("lora_type") == named else "alg_name"
        raise InputError(f'{source}: field "{field}" says {named!r}, but the method is {method.name}. Use --method.')


def _named(given: Mapping[str, Any]) -> str:
    """Return the method's name in EasyEdit, or "". Files of LoRA have it in `lora_type` too: `lora` or `adalora`."""
    named = str(given.get("alg_name") or "")
    return str(given.get("lora_type") or named) if named.casefold() == "lora" else named


def _build(source: str, kind: type, given: dict[str, Any]) -> Any:
    hints = get_type_hints(kind)
    missing = [field.name for field in fields(kind) if _is_needed(field) and field.name not in given]
    if missing:
        raise InputError(f'{source} lacks the field "{missing[0]}". Add a line `{missing[0]}: ...`.')
    try:
        return kind(**{name: _convert(name, value, hints[name]) for name, value in given.items()})
    except ValueError as error:
        raise InputError(f"{source}: field {error}.") from None


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _convert(name: str, value: Any, hint: Any) -> Any:
    """Return `value` as a `hint`. PyYAML leaves numbers such as 5e-1 as strings: those are numbers here."""
    origin, options = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _one_of(name, value, options)
    if origin is list:
        return [_convert(f"{name}[{i}]", item, options[0]) for i, item in enumerate(_listed(name, value))]
    kinds = options if origin in (Union, UnionType) else (hint,)
    if list_of := next((kind for kind in kinds if get_origin(kind) is list), None):
        return None if value is None and NoneType in kinds else _convert(name, value, list_of)
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
    if not isinstance(value, list | tuple):
        raise ValueError(f"{name} must be a list, such as [21], not {value!r}")
    return list(value)


def _words(kinds: tuple[Any, ...]) -> str:
    words = {float: "a number", int: "an integer", bool: "true or false", str: "text", NoneType: "null"}
    return " or ".join(words[kind] for kind in kinds)
