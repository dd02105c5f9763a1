"""Files given for each other: checked before any of them is written to."""

import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from ..schemas.bench import MANIFEST
from ..schemas.errors import InputError
from ..schemas.json_text import MADE_DEPTH, parse_json
from ..schemas.packed import MAGIC
from ..schemas.problems import is_problem
from ..schemas.validation import find_fault

_LINES_READ = 100  # blank ones before the first row
_BYTES_READ = 2**24


def check_arguments(bench: str, samples: Path) -> None:
    """Raise InputError where BENCH and SAMPLES stand for each other, one of them twice, or SAMPLES holds problems."""
    folder = Path(bench)
    if _is_bench(samples):
        if folder.is_file():
            raise InputError(
                f"BENCH and SAMPLES stand the wrong way round: {samples} is a benchmark, and {folder} a file. "
                f"`edittool judge {samples} {folder} -o VERDICTS`."
            )
        raise InputError(
            f"{samples} is a benchmark, and a file of samples is needed: "
            "`edittool judge BENCH samples.jsonl -o VERDICTS`."
        )
    if bench != "builtin" and folder.is_file():
        raise InputError(
            f"{folder} is a file, and BENCH is a folder made by `edittool bench build`, or `builtin`: "
            "`edittool judge BENCH samples.jsonl -o VERDICTS`."
        )
    if _holds_problems(samples):
        raise InputError(f"{samples} holds problems of a benchmark, not samples. Give what a model answered to them.")


def _holds_problems(path: Path) -> bool:
    try:
        row = parse_json(_first_line(path)) if path.is_file() else None
    except (OSError, ValueError):
        return False  # its reader says what is wrong with it
    return isinstance(row, dict) and is_problem(row)


def _is_bench(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def check_output(output: Path, samples: Path, others: Iterable[Path] = ()) -> None:
    """Raise InputError where `output` has no name, is one of the files that are read, or holds anything but verdicts.

    Links, hard ones too, are what they lead to.
    """
    if not output.name:
        raise InputError("-o is empty: name the file of verdicts to write.")
    for path, role in [(samples, "the file of samples"), *((other, "a file of --worlds-of") for other in others)]:
        if _same(output, path):
            raise InputError(
                f"the output {output} is {role} itself ({path}): verdicts would be written into it. It is left as it "
                "is; choose another output file."
            )
    fault = _what_else(output)
    if fault:
        raise InputError(
            f"the output {output} {fault}. It is left as it is: the judge appends to files of verdicts alone. Choose "
            "another output file."
        )


def _same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one is missing: the same name is then the same file
        return os.path.realpath(one) == os.path.realpath(other)


def _what_else(path: Path) -> str:
    """Return what the file at `path` holds, where that is no verdict; "" where it is missing, empty or cut short."""
    try:
        first = _first_line(path)
    except OSError:
        return ""  # its writer says what keeps it from being read
    if first.startswith(MAGIC):
        return "is packed with gzip, and verdicts are appended as plain text"
    try:
        row = parse_json(first, depth=MADE_DEPTH)
    except ValueError:
        return "" if not first.endswith(b"\n") else "holds something else than rows of JSON"
    if not isinstance(row, dict):
        return "holds something else than rows of JSON"
    fault = find_fault(row, "verdict")
    if fault is None:
        return ""
    if "outcome" not in row and find_fault(row, "sample") is None:
        return "holds samples, not verdicts"
    return f"holds no verdicts: {fault} (line 1)"


def _first_line(path: Path) -> bytes:
    """Return the first line of a file that is not blank. Raises OSError where it cannot be read."""
    with path.open("rb") as file:
        lines = islice(iter(lambda: file.readline(_BYTES_READ), b""), _LINES_READ)
        return next((line for line in lines if line.strip()), b"")
