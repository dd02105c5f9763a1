"""APIs: public names of Python's builtins or standard library, as the Python that runs this has them."""

import builtins
import difflib
import importlib
import inspect
import keyword
import sys
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from ...analysis.uses.standard_library import canonical
from ...schemas.changes import ApiKind
from ...schemas.errors import InputError

Unchangeable = Literal[
    "attribute", "exception", "frame", "interpreter", "module", "no_signature", "private", "special_method", "typing"
]

UNCHANGEABLE: dict[Unchangeable, str] = {
    "attribute": "data attributes of classes cannot be called",
    "exception": "programs catch and raise exceptions, which a function cannot stand in for",
    "frame": "it looks at the frame of its caller, which a shim would stand between",
    "interpreter": "it is part of the language or of the interactive interpreter",
    "module": "only what is in a module can be changed",
    "no_signature": "what arguments it takes is not known",
    "private": "names that start with an underscore are not public",
    "special_method": "Python itself reads names that start with two underscores, without the program naming them",
    "typing": "it describes types and does nothing when the program runs",
}

_FRAME = frozenset(
    "super locals globals vars dir eval exec compile __import__ breakpoint sys.modules sys.exc_info "
    "inspect.currentframe inspect.stack inspect.trace warnings.warn importlib.import_module importlib.reload".split()
)
_INTERPRETER = frozenset("copyright credits exit help license quit Ellipsis NotImplemented".split())
_TYPING_MODULES = frozenset({"typing", "types", "collections.abc", "abc", "__future__"})
_UNIMPORTED = frozenset({"antigravity", "idlelib", "test", "this", "turtledemo"})  # importing these does things


class UnknownApiError(InputError):
    """There is no API of that name."""


class UnchangeableApiError(InputError):
    """The API exists, but nothing can stand in for it; `reason` is a key of UNCHANGEABLE."""

    def __init__(self, api: str, reason: Unchangeable):
        super().__init__(f"{api} cannot be changed: {UNCHANGEABLE[reason]}; choose another API")
        self.reason: Unchangeable = reason


@dataclass(frozen=True, slots=True)
class Api:
    """An API by its canonical name.

    `module` is what a program imports for it, None for builtins. `receiver`: it is a method that takes an object, so
    that `str.split` has a first argument that calls of `"a b".split()` do not show.
    """

    name: str
    kind: ApiKind
    module: str | None
    receiver: bool


def find_api(name: str, *, third_party: bool = False) -> Api:
    """Return the API called `name`, a method as one of the class that defines it.

    Nothing but the standard library is imported, unless `third_party` is set. Raises UnknownApiError for a name that
    does not exist, with the names close to it, and UnchangeableApiError for one that nothing can stand in for.
    """
    name = canonical(name)
    if name in _FRAME:
        raise UnchangeableApiError(name, "frame")
    module, path = _split(name, third_party)
    if not path:
        raise UnchangeableApiError(name, "module")
    owner, value = _walk(name, module, path)
    if any(part.startswith("_") and not part.startswith("__") for part in name.split(".")):
        raise UnchangeableApiError(name, "private")
    if isinstance(owner, type):
        return _method(name, module, owner, path[-1], third_party)
    _check(name, module, path[-1], value)
    where = None if module is builtins else module.__name__
    return Api(name, _kind(module, value), _public_module(name, where), receiver=False)


def value_of(api: Api) -> Any:
    """Return the object that the API is on this Python."""
    module, path = _split(api.name, third_party=True)
    return _walk(api.name, module, path)[1]


def _split(name: str, third_party: bool) -> tuple[types.ModuleType, list[str]]:
    """Return the longest module that `name` starts with, and the attributes that follow; builtins need no module."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise UnknownApiError(f"{name!r} is no name of an API: write it like len, math.sqrt or str.split")
    if hasattr(builtins, parts[0]):
        return builtins, parts
    top = parts[0]
    if top not in sys.stdlib_module_names and not third_party:
        raise UnknownApiError(
            f"there is no API called {name!r}: {top!r} is neither a builtin nor a module of the standard library"
            + _suggest(top, [*_public(builtins), *sorted(sys.stdlib_module_names)])
        )
    if top in _UNIMPORTED:
        raise UnchangeableApiError(name, "interpreter")
    for length in range(len(parts), 0, -1):
        module = _import(".".join(parts[:length]))
        if module:
            return module, parts[length:]
    raise UnknownApiError(f"there is no API called {name!r}: the module {top!r} cannot be imported here; install it")


def _import(name: str) -> types.ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _walk(name: str, module: types.ModuleType, path: list[str]) -> tuple[Any, Any]:
    """Return what the attributes of `path` lead to from `module`, and what that is an attribute of."""
    owner: Any = module
    value: Any = module
    for part in path:
        owner = value
        shown = canonical(".".join([module.__name__, *path[: path.index(part)]]))
        if not isinstance(owner, type | types.ModuleType):
            raise UnknownApiError(f"there is no API called {name!r}: {shown!r} is neither a module nor a class")
        if not hasattr(owner, part):
            close = _suggest(part, _public(owner), "" if owner is builtins else f"{shown}.")
            raise UnknownApiError(f"there is no API called {name!r}: {shown!r} has no attribute {part!r}{close}")
        value = getattr(owner, part)
    return owner, value


def _public(owner: object) -> list[str]:
    return [name for name in dir(owner) if not name.startswith("_")]


def _suggest(name: str, known: list[str], prefix: str = "") -> str:
    close = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(prefix + match for match in close)}?" if close else "; check the spelling"


def _method(name: str, module: types.ModuleType, owner: type, attribute: str, third_party: bool) -> Api:
    if attribute.startswith("__"):
        raise UnchangeableApiError(name, "special_method")
    definer = next(cls for cls in owner.__mro__ if attribute in cls.__dict__)
    defined = canonical(f"{definer.__module__}.{definer.__qualname__}.{attribute}")
    if definer is not owner and defined != name:
        return find_api(defined, third_party=third_party)
    _check_owner(name, module, owner)
    member = definer.__dict__[attribute]
    if not callable(getattr(owner, attribute)) or isinstance(member, type):
        raise UnchangeableApiError(name, "attribute")
    bound_to_class = isinstance(member, staticmethod | classmethod) or inspect.isbuiltin(getattr(owner, attribute))
    kind: ApiKind = "builtin_method" if module is builtins else "class_method"
    where = None if module is builtins else module.__name__
    return Api(name, kind, _public_module(name, where), receiver=not bound_to_class)


def _public_module(name: str, module: str | None) -> str | None:
    """Return the module under the name that `name` begins with: os.path, where the object says posixpath."""
    if module is None or name.startswith(f"{module}."):
        return module
    return next(head for head in _heads(name) if head in sys.modules)


def _heads(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]


def _check_owner(name: str, module: types.ModuleType, owner: type) -> None:
    if issubclass(owner, BaseException):
        raise UnchangeableApiError(name, "exception")
    if module.__name__ in _TYPING_MODULES:
        raise UnchangeableApiError(name, "typing")


def _check(name: str, module: types.ModuleType, attribute: str, value: object) -> None:
    """Raise UnchangeableApiError for a member of a module that nothing can stand in for."""
    if isinstance(value, types.ModuleType):
        raise UnchangeableApiError(name, "module")
    if attribute.startswith("__"):
        raise UnchangeableApiError(name, "special_method")
    if keyword.iskeyword(attribute) or (module is builtins and attribute in _INTERPRETER):
        raise UnchangeableApiError(name, "interpreter")
    if isinstance(value, type):
        _check_owner(name, module, value)
    elif module.__name__ in _TYPING_MODULES or type(value).__module__ == typing.__name__:
        raise UnchangeableApiError(name, "typing")


def _kind(module: types.ModuleType, value: object) -> ApiKind:
    if isinstance(value, type):
        return "builtin_type" if module is builtins else "module_class"
    if callable(value):
        return "builtin_function" if module is builtins else "module_function"
    return "module_constant"
