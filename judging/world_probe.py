"""A program judged in place of a sample, with no change active: says why the world of a change cannot be made."""

import builtins
import pkgutil

HEAP_TYPE, IMMUTABLE = 1 << 9, 1 << 8  # flags of a type: made by a class statement, and not to be changed


def probe(form: str, deprecated: str, adopted: list[str], shim: str) -> str | None:
    """Return why an API cannot be found, counted or replaced by its shim; None where all can."""
    try:
        if form == "synthetic":
            find(deprecated)
        for name in adopted if form != "synthetic" else ():
            check_countable(name, find(name), bool(shim))
        if shim:
            namespace: dict[str, object] = {}
            exec(shim, namespace)  # noqa: S102  the world does the same
            namespace[adopted[0].rpartition(".")[2]]
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None


def find(name: str) -> object:
    """Return what `name` stands for. Raises ImportError or AttributeError where there is nothing."""
    is_builtin = hasattr(builtins, name.partition(".")[0])
    return pkgutil.resolve_name(f"builtins.{name}" if is_builtin else name)


def check_countable(name: str, value: object, shim: bool) -> None:
    """Raise TypeError for a class whose constructor cannot be watched, or that a shim cannot stand for."""
    if not isinstance(value, type):
        return
    in_c = not value.__flags__ & HEAP_TYPE or bool(value.__flags__ & IMMUTABLE)
    if shim and not in_c:
        raise TypeError(f"{name} is a class, and a shim in its place would be none: give the change a name of its own")
    if in_c and not shim:
        raise TypeError(f"{name} is a class written in C, whose calls cannot be counted: name a function or a method")
