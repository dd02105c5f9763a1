"""The BENCH argument that several commands take: a folder, or `builtin`."""

from pathlib import Path

from ..benchmark.builtin import load_builtin
from ..schemas.bench import Bench


def open_bench(name: str) -> Bench:
    """Return the benchmark in the folder `name`, or the built-in one for the name `builtin`."""
    return load_builtin() if name == "builtin" else Bench.load(Path(name))
