"""The editing methods: one table entry each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schemas.errors import InputError
from ..context import EditContext
from ..edits.edit import Edit
from ..requests import EditRequest
from .ft import FtHparams, check_ft, fine_tune, measure_ft
from .grace import GraceHparams, check_grace, measure_grace, teach_grace
from .memit import MemitHparams, check_memit, measure_memit, teach_memit
from .none import NoneHparams, leave
from .pmet import PmetHparams, check_pmet, measure_pmet, teach_pmet
from .rome import RomeHparams, check_rome, measure_rome, teach_rome

Measure = Callable[[Any, Any, EditRequest, Any, EditContext], int]
Teach = Callable[[Any, Any, Sequence[EditRequest], Any, EditContext], Edit]


def _unread(model: Any, tokenizer: Any, request: EditRequest, hparams: Any, context: EditContext) -> int:
    return 0


def _nothing(model: Any, hparams: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Method:
    """An editing method.

    `teach(model, tokenizer, requests, hparams, context)` changes the model in place and returns the edit; `hparams` is
    the dataclass of its hyperparameters, and `alg_names` are EasyEdit's names for it in YAML files. `check(model,
    hparams)` raises InputError, before any work, where the hyperparameters do not fit the model, and returns the paths
    of the modules whose covariance the method needs. `many` says that it can take all changes of a benchmark at once.
    `measure(model, tokenizer, request, hparams, context)` returns how many tokens are read for a request, at most, and
    raises InputError where its subject or target cannot be found in them; both need the model's outline alone.
    """

    name: str
    hparams: type
    teach: Teach
    alg_names: tuple[str, ...] = ()
    check: Callable[[Any, Any], tuple[str, ...]] = _nothing
    many: bool = False
    measure: Measure = _unread


def table(methods: Iterable[Method]) -> Mapping[str, Method]:
    """Return `methods` by name. Raises ValueError for a name that stands twice."""
    named: dict[str, Method] = {}
    for method in methods:
        if method.name in named:
            raise ValueError(f"there are two editing methods called {method.name!r}: choose another name for one")
        named[method.name] = method
    return named


METHODS = table(
    [
        Method("none", NoneHparams, leave),
        Method("ft", FtHparams, fine_tune, ("FT", "FT-L", "FT-M"), check_ft, measure=measure_ft),
        Method("grace", GraceHparams, teach_grace, ("GRACE",), check_grace, measure=measure_grace),
        Method("rome", RomeHparams, teach_rome, ("ROME", "R-ROME"), check_rome, measure=measure_rome),
        Method("memit", MemitHparams, teach_memit, ("MEMIT",), check_memit, many=True, measure=measure_memit),
        Method("pmet", PmetHparams, teach_pmet, ("PMET",), check_pmet, many=True, measure=measure_pmet),
    ]
)


def find_method(name: str) -> Method:
    """Return the method called `name`. Raises InputError for an unknown one."""
    if name not in METHODS:
        raise InputError(f"There is no editing method {name!r}. Choose one of: {', '.join(METHODS)}.")
    return METHODS[name]
