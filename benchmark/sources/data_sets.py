"""The data sets that a benchmark can be built from, by the name of their option."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...schemas.problems import Problem
from ...schemas.rejections import Rejection
from .apps import load_apps
from .evalplus import load_humaneval_plus, load_mbpp_plus
from .humaneval import load_humaneval
from .mbpp import load_mbpp
from .rows import Loaded


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: its title, its usual file, the function that reads that, and its line in `bench build --help`."""

    title: str
    file: str
    load: Callable[[Path], Loaded]
    help: str


def _whole(load: Callable[[Path], list[Problem]]) -> Callable[[Path], Loaded]:
    return lambda path: Loaded(tuple(load(path)))


SOURCES: Mapping[str, Source] = {
    "humaneval": Source(
        "HumanEval", "HumanEval.jsonl", _whole(load_humaneval), "Problems of HumanEval (HumanEval.jsonl)."
    ),
    "mbpp": Source("MBPP", "mbpp.jsonl", _whole(load_mbpp), "Problems of MBPP (mbpp.jsonl)."),
    "humaneval-plus": Source(
        "HumanEval+ of EvalPlus", "HumanEvalPlus.jsonl", load_humaneval_plus, "HumanEval with the tests of EvalPlus."
    ),
    "mbpp-plus": Source("MBPP+ of EvalPlus", "MbppPlus.jsonl", load_mbpp_plus, "MBPP with the tests of EvalPlus."),
    "apps": Source("APPS", "test.jsonl", load_apps, "Problems of APPS, or in its format (JSONL)."),
}


def load_sources(files: Mapping[str, Path]) -> tuple[list[Problem], list[Rejection]]:
    """Return the problems of the files of SOURCES, in the order of that table, and what had to be left out of them.

    Raises InputError for a file that cannot be read as what it is said to be.
    """
    problems: list[Problem] = []
    rejections: list[Rejection] = []
    for name in SOURCES:
        if name in files:
            loaded = SOURCES[name].load(files[name])
            problems += loaded.problems
            rejections += [Rejection(one.task_id, None, one.reason, one.detail) for one in loaded.left_out]
    return problems, rejections
