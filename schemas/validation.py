"""Checks rows against the published JSON Schemas and says in words what is wrong."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the schema called `name`: problem, change, sample, verdict or manifest."""
    text = files(__package__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(name))


def find_fault(row: Mapping[str, Any], name: str) -> str | None:
    """Return one sentence naming the field and the fault of `row` under schema `name`, or None when it is valid."""
    validator = _validator(name)
    if validator.is_valid(row):
        return None
    error = best_match(validator.iter_errors(row))
    return _describe(error, name)


def _describe(error: ValidationError, name: str) -> str:
    field = _field(error)
    where = f'field "{field}"' if field else f"this {name}"
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return f'{where} lacks the required field "{missing[0]}"'
    if error.validator == "type":
        return f"{where} must be {_type_words(error.validator_value)}, but it is {_json_type(error.instance)}"
    if error.validator == "enum":
        return f"{where} must be one of {', '.join(map(json.dumps, error.validator_value))}, not {_short(error.instance)}"
    if error.validator == "additionalProperties":
        return f"{where} has a field that a {name} does not know: {error.message}"
    if error.validator == "oneOf" and name == "sample":
        return 'a sample needs exactly one of "completion" (appended to the prompt) and "solution" (a whole program)'
    return f"{where}: {_clip(error.message)}"


def _field(error: ValidationError) -> str:
    path = ""
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _type_words(types: str | list[str]) -> str:
    return " or ".join([types] if isinstance(types, str) else types)


def _json_type(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return "null" if value is None else f"{names.get(type(value), type(value).__name__)} ({_short(value)})"


def _short(value: object) -> str:
    return _clip(json.dumps(value, ensure_ascii=True), 60)


def _clip(text: str, limit: int = 200) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
