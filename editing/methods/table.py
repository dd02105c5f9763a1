"""The table of the editing methods: every module of this folder is one, of its own name, but for `table` and `hparams`.

A module is imported when its method is asked for: a list of the names alone costs no import of torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from ...schemas.errors import InputError

if TYPE_CHECKING:
    from ..context import EditContext
    from ..edits.edit import Edit
    from ..requests import EditRequest, RequestRule, SubjectRule

NO_METHODS = frozenset({"hparams", "table"})

Check = Callable[[Any, Any], tuple[str, ...]]
Measure = Callable[[Any, Any, "EditRequest", Any, "EditContext"], int]
Teach = Callable[[Any, Any, Sequence["EditRequest"], Any, "EditContext"], "Edit"]


def _unread(model: Any, tokenizer: Any, request: "EditRequest", hparams: Any, context: "EditContext") -> int:
    return 0


def _nothing(model: Any, hparams: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Method:
    """An editing method: what the module of its name declares as METHOD.

    `teach(model, tokenizer, requests, hparams, context)` changes the model in place and returns the edit; `hparams` is
    the dataclass of its hyperparameters, and `alg_names` are EasyEdit's names for it in YAML files. `check(model,
    hparams)` raises InputError, before any work, where the hyperparameters do not fit the model, and returns the paths
    of the modules whose covariance the method needs. `many` says that it can take all changes of a benchmark at once.
    `measure(model, tokenizer, request, hparams, context)` returns how many tokens are read for a request, at most, and
    raises InputError where its subject or target cannot be found in them; both need the model's outline alone. `told`
    says that nothing is edited: prompts document the changes that `hparams.documented(change_id, edited)` chooses.

    `keyed` says that it reads a request's subject. `requests` and `subject` are what it is taught by default, and what
    that is keyed on: see `requests.requests_for`. They are those that measured best (docs/editing.md).
    """

    name: str
    hparams: type
    teach: Teach
    alg_names: tuple[str, ...] = ()
    check: Check = _nothing
    many: bool = False
    measure: Measure = _unread
    told: bool = False
    keyed: bool = True
    requests: "RequestRule" = "all"
    subject: "SubjectRule" = "last_word"


def method_names() -> list[str]:
    """Return the names of all methods, sorted. None of them is imported."""
    modules = iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in modules if module.name not in NO_METHODS)


def find_method(name: str) -> Method:
    """Return the method called `name`. Raises InputError for an unknown one."""
    if name not in method_names():
        raise InputError(f"There is no editing method {name!r}. Choose one of: {', '.join(method_names())}.")
    method: Method = import_module(f".{name}", __package__).METHOD
    if method.name != name:
        raise ValueError(f"editing/methods/{name}.py declares a method called {method.name!r}: give both one name")
    return method


def all_methods() -> list[Method]:
    """Return all methods, sorted by name."""
    return [find_method(name) for name in method_names()]
