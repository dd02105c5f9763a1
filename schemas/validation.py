"""Validation of rows against the published JSON Schemas, with a sentence for the fault of a row that is not valid.

The yes or no is that of jsonschema. It takes long over a row, so jsonschema-rs is asked first, and believed where it
says yes. Of what JSON and YAML hold it refuses more: letters outside ASCII under a pattern, infinity, lone surrogates.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, reduce
from importlib.resources import files
from operator import getitem
from pathlib import Path
from typing import Any, NoReturn

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry

from .errors import InputError
from .json_text import parse_json

SCHEMAS = (
    "problem",
    "change",
    "rejected",
    "manifest",
    "sample",
    "edit",
    "verdict",
    "report",
    "document",
    "plan",
    "study",
)

# Told first: a value of the wrong type explains more than what follows from it.
_PRIORITY = ("type", "required", "const", "enum")
_LAST = "oneOf"


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the schema called `name`, one of SCHEMAS, with what it takes from other schemas in place."""
    text = files(__package__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = _with_references(json.loads(text))
    return schema


def _with_references(part: Any) -> Any:
    """Return `part` of a schema with every `{"$ref": "urn:edittool:schema:NAME:1#/A/B"}` replaced by what it names."""
    match part:
        case {"$ref": str(reference), **beside} if not beside:
            urn, _, path = reference.partition("#/")
            return reduce(getitem, path.split("/"), load_schema(urn.split(":")[3]))
        case dict():
            return {key: _with_references(value) for key, value in part.items()}
        case list():
            return [_with_references(value) for value in part]
        case _:
            return part


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema, compiled by both libraries. It refers to none: `load_schema` puts in what it takes."""

    quick: jsonschema_rs.Draft202012Validator
    thorough: Draft202012Validator

    @classmethod
    def of(cls, schema: dict[str, Any]) -> "CompiledSchema":
        """Compile `schema`. Raises ValueError where it is no schema, or refers to another."""
        quick = jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
        return cls(quick, Draft202012Validator(schema, registry=Registry()))

    def surely_accepts(self, row: object) -> bool:
        """Say whether `row`, as JSON or YAML has it, is known to be valid; False is no answer."""
        try:
            return self.quick.is_valid(row)
        except ValueError:  # it cannot hold the row: a lone surrogate in a text, a key that is no text
            return False


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not fetched: a schema has to hold all that it needs")


@cache
def _compiled(name: str) -> CompiledSchema:
    return CompiledSchema.of(load_schema(name))


def surely_valid(row: Mapping[str, Any], name: str) -> bool:
    """Say whether `row` is known to be valid under schema `name`; False is no answer, and as quick."""
    return _compiled(name).surely_accepts(row)


@cache
def _compiled_field(name: str, field: str) -> CompiledSchema:
    return CompiledSchema.of(load_schema(name)["properties"][field])


def fits_field(value: object, name: str, field: str) -> bool:
    """Say whether `value` is valid for `field`, a field of schema `name`."""
    schema = _compiled_field(name, field)
    return schema.surely_accepts(value) or schema.thorough.is_valid(value)


def read_object(path: Path, schema: str, remedy: str) -> dict[str, Any]:
    """Return the JSON object that the file `path` holds, which fits the schema `schema`.

    Raises FileNotFoundError, and InputError for a file that cannot be read, is no JSON or does not fit; `remedy` says
    what to do about that.
    """
    try:
        found = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as JSON ({error}). {remedy}") from None
    fault = find_fault(found, schema) if isinstance(found, dict) else "a JSON object is needed"
    if fault:
        raise InputError(f"{path}: {fault}. {remedy}")
    checked: dict[str, Any] = found
    return checked


def find_fault(row: Mapping[str, Any], name: str) -> str | None:
    """Return one sentence naming the field and the fault of `row` under schema `name`, or None when it is valid."""
    found = find_placed_fault(row, name)
    return None if found is None else found[0]


def find_placed_fault(row: Mapping[str, Any], name: str) -> tuple[str, tuple[str | int, ...]] | None:
    """Return what `find_fault` says, and the path of the field in `row`: of one without a meaning, its own path."""
    schema = _compiled(name)
    if schema.surely_accepts(row):
        return None
    error = min(schema.thorough.iter_errors(row), key=_rank, default=None)
    if error is None:
        return None
    own = (_unknown_field(error),) if error.validator == "additionalProperties" else ()
    return _describe(error, name), (*error.absolute_path, *own)


def _rank(error: ValidationError) -> tuple[int, int, str]:
    kind = error.validator
    order = _PRIORITY.index(kind) if kind in _PRIORITY else len(_PRIORITY) + (kind == _LAST)
    return order, len(error.absolute_path), _field(error)


def _describe(error: ValidationError, name: str) -> str:
    field = _field(error)
    limit: Any = error.validator_value  # a number, a list: what the keyword has in the schema
    row: Any = error.instance
    schema: Any = error.schema
    where = f'field "{field}"' if field else f"this {name}"
    match error.validator:
        case "required":
            missing = next(key for key in limit if key not in row)
            return f'{where} lacks the required field "{missing}"'
        case "type":
            return f"{where} must be {_type_words(limit)}, but it is {_value_words(row)}"
        case "enum":
            return f"{where} must be one of {', '.join(map(json.dumps, limit))}, not {_short(row)}"
        case "const":
            return f"{where} must be {_short(limit)}, not {_short(row)}"
        case "minimum":
            return f"{where} must be at least {limit}, not {_short(row)}"
        case "maximum":
            return f"{where} must be at most {limit}, not {_short(row)}"
        case "minLength" | "minItems":
            return f"{where} must not be empty"
        case "pattern":
            return f"{where} must match {limit}, but it is {_short(row)}"
        case "additionalProperties":
            unknown, absent = _unknown_field(error), [key for key in schema.get("properties", {}) if key not in row]
            near = get_close_matches(unknown, absent, n=1)
            meant = f': is "{near[0]}" meant?' if near else ""
            return f"{where} has the field {_short(unknown)}, which has no meaning there{meant}"
        case "oneOf" if name == "sample":
            return (
                'a sample needs exactly one of "completion" (appended to the prompt) and "solution" (a whole program)'
            )
        case _:
            return f"{where}: {_clip(error.message)}"


def _unknown_field(error: ValidationError) -> str:
    row: Any = error.instance
    schema: Any = error.schema
    return next(str(key) for key in row if key not in schema.get("properties", {}))


def _field(error: ValidationError) -> str:
    path = ""
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{_clip(part, 60)}"
    return path.lstrip(".")


_TYPE_WORDS = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def _type_words(types: str | list[str]) -> str:
    return " or ".join(_TYPE_WORDS[name] for name in ([types] if isinstance(types, str) else types))


def _value_words(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a number", str: "a string", list: "an array"}
    return "null" if value is None else f"{names.get(type(value), 'an object')} ({_short(value)})"


def _short(value: object) -> str:
    return _clip(json.dumps(value, ensure_ascii=True), 60)


def _clip(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
