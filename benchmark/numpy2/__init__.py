"""The benchmark `numpy2`: real changes from NumPy 1.26 to NumPy 2, and problems of our own that show them."""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from ...schemas.bench import Bench, write_bench
from ..own.changes import load_changes
from ..own.problems import load_problems

NAME = "numpy2"
SOURCE = "edittool numpy2"


@cache
def load_numpy2() -> Bench:
    """Return the benchmark, checked and with a manifest, as if read from a folder; Docker is not needed."""
    here = Path(__file__).parent
    changes = [replace(change, order=place) for place, change in enumerate(load_changes(here / "changes.yaml"))]
    problems = [replace(one, source=SOURCE) for one in load_problems(here / "problems.yaml", changes)]
    with tempfile.TemporaryDirectory(prefix="edittool-numpy2-") as folder:
        return write_bench(Path(folder), NAME, problems, changes)
