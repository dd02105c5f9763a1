"""The built-in benchmark: problems and changes of our own, ready without a download.

`changes.py` holds the changes; every other module holds the problems of one group of them as plain Python text.
"""

import tempfile
from functools import cache
from pathlib import Path

from ...schemas.bench import Bench, write_bench
from . import builtin_functions, methods, module_members, specificity
from .changes import CHANGES

NAME = "builtin"
PROBLEMS = (*builtin_functions.PROBLEMS, *module_members.PROBLEMS, *methods.PROBLEMS, *specificity.PROBLEMS)


@cache
def load_builtin() -> Bench:
    """Return the built-in benchmark, checked against the schemas and with a manifest, as if read from a folder."""
    with tempfile.TemporaryDirectory(prefix="edittool-builtin-") as folder:
        return write_bench(Path(folder), NAME, PROBLEMS, CHANGES)
