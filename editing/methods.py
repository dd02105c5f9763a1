"""The editing methods: one table entry each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..schemas.errors import InputError
from .context import EditContext
from .edit import Edit
from .ft import FtHparams, check_ft, fine_tune
from .grace import GraceHparams, check_grace, teach_grace
from .memit import MemitHparams, check_memit, teach_memit
from .none import NoneHparams, leave
from .pmet import PmetHparams, check_pmet, teach_pmet
from .requests import EditRequest
from .rome import RomeHparams, check_rome, teach_rome

Teach = Callable[[Any, Any, Sequence[EditRequest], Any, EditContext], Edit]


def _nothing(model: Any, hparams: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Method:
    """An editing method.

    `teach(model, tokenizer, requests, hparams, context)` changes the model in place and returns the edit; `hparams` is
    the dataclass of its hyperparameters, and `alg_names` are EasyEdit's names for it in YAML files. `check(model,
    hparams)` raises InputError, before any work, where the hyperparameters do not fit the model, and returns the paths
    of the modules whose covariance the method needs. `many` says that it can take all changes of a benchmark at once.
    """

    name: str
    hparams: type
    teach: Teach
    alg_names: tuple[str, ...] = ()
    check: Callable[[Any, Any], tuple[str, ...]] = _nothing
    many: bool = False


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
        Method("ft", FtHparams, fine_tune, alg_names=("FT", "FT-L", "FT-M"), check=check_ft),
        Method("grace", GraceHparams, teach_grace, alg_names=("GRACE",), check=check_grace),
        Method("rome", RomeHparams, teach_rome, alg_names=("ROME", "R-ROME"), check=check_rome),
        Method("memit", MemitHparams, teach_memit, alg_names=("MEMIT",), check=check_memit, many=True),
        Method("pmet", PmetHparams, teach_pmet, alg_names=("PMET",), check=check_pmet, many=True),
    ]
)


def find_method(name: str) -> Method:
    """Return the method called `name`. Raises InputError for an unknown one."""
    if name not in METHODS:
        raise InputError(f"There is no editing method {name!r}. Choose one of: {', '.join(METHODS)}.")
    return METHODS[name]
