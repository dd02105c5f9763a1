"""The page docs/formats.md, written from the schemas: `python -m edittool.schemas.document > docs/formats.md`."""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from .validation import SCHEMAS, load_schema

Schema = Mapping[str, Any]

_INTRODUCTION = """\
# File formats

<!-- Made from schemas/*.schema.json: python -m edittool.schemas.document > docs/formats.md -->

Every file that crosses a step is JSON Lines (one JSON object on each line) or JSON, in UTF-8, and is checked against
its schema when it is read; an error names file, line, field and remedy. A line may have 128 MiB, a sample 64 MiB as it
is written again ([sizes](judging.md#sizes)), and a JSON Lines file may be packed with gzip. Units stand with each
field; a field that is not required may be left out.
"""


def document_formats() -> str:
    """Return docs/formats.md: each file, and each of its fields with type, optionality and meaning."""
    return "\n".join([_INTRODUCTION, *(_document(load_schema(name)) for name in SCHEMAS)])


def _document(schema: Schema) -> str:
    lines = [
        f"## {schema['title']}",
        "",
        schema["description"],
        f"Schema: `{schema['$id']}`.",
        "",
        "| field | type | required | meaning |",
        "| --- | --- | --- | --- |",
        *_rows(schema, prefix=""),
    ]
    if "oneOf" in schema:
        names = " or ".join(f"`{name}`" for choice in schema["oneOf"] for name in choice["required"])
        lines += ["", f"Exactly one of {names} is required."]
    return "\n".join(lines) + "\n"


def _rows(schema: Schema, prefix: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        required = "yes" if name in schema.get("required", ()) else "no"
        cells = (f"`{prefix}{name}`", _type(field), required, _meaning(field))
        yield "| " + " | ".join(_escape(cell) for cell in cells) + " |"
        yield from _rows(field, f"{prefix}{name}.")
        yield from _rows(field.get("items", {}), f"{prefix}{name}[].")


def _type(field: Schema) -> str:
    if "enum" in field:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    types = [field["type"]] if isinstance(field["type"], str) else field["type"]
    return " or ".join(_type_word(name, field) for name in types)


def _type_word(name: str, field: Schema) -> str:
    if name == "array" and "items" in field:
        return f"array of {_type(field['items'])}"
    if name == "object" and isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return name


def _meaning(field: Schema) -> str:
    bounds = (
        ("minimum", "At least {}."),
        ("maximum", "At most {}."),
        ("minLength", "Not empty."),
        ("minItems", "Not empty."),
        ("pattern", "Matches `{}`."),
    )
    return " ".join([field["description"], *(text.format(field[key]) for key, text in bounds if key in field)])


def _escape(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(document_formats())
