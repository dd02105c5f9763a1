"""The built-in benchmark: problems and changes of our own, ready without a download.

`changes.yaml` holds the changes; every other file holds the problems of one group of them. They are read, and checked,
as the files of a user's own benchmark are.
"""

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from ...schemas.bench import Bench, write_bench
from ..own.changes import load_changes
from ..own.problems import load_problems

NAME = "builtin"
SOURCE = "edittool builtin"
CHANGES_FILE = "changes.yaml"
PROBLEM_FILES = ("builtin_functions.yaml", "module_members.yaml", "methods.yaml", "specificity.yaml")


@cache
def load_builtin() -> Bench:
    """Return the built-in benchmark, checked against the schemas and with a manifest, as if read from a folder.

    A change's place in its file is its place in the sequential regime.
    """
    here = Path(__file__).parent
    changes = [replace(change, order=place) for place, change in enumerate(load_changes(here / CHANGES_FILE))]
    problems = [replace(one, source=SOURCE) for file in PROBLEM_FILES for one in load_problems(here / file, changes)]
    with tempfile.TemporaryDirectory(prefix="edittool-builtin-") as folder:
        return write_bench(Path(folder), NAME, problems, changes)
