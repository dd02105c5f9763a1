"""The replacements: compiled when they are first called, and counted."""

from __future__ import annotations

import builtins

from ..boundary.light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

RAISE_VARARGS: Final = 130  # the opcode of a raise statement in CPython 3.11


class Shims:
    """The replacements of one world; `calls` counts, for each, the calls that it accepted."""

    def __init__(self, changes: list[Mapping[str, str]]):
        self.calls = {change["replacement"]: 0 for change in changes}
        self.replacements = {change["replacement"]: self._make(change) for change in changes}

    def _make(self, change: Mapping[str, str]) -> object:
        name, source = change["replacement"], change["shim"]
        if f"def {name}(" in source:
            return self._counted(name, source)
        value = _load(name, source)
        return self._counted(name, source) if callable(value) else value

    def _counted(self, name: str, source: str) -> Callable[..., Any]:
        calls = self.calls
        shim: Callable[..., Any] | None = None

        def replacement(*args: Any, **kwargs: Any) -> Any:
            nonlocal shim
            if shim is None:
                shim = _load(name, source)
                replacement.__doc__ = shim.__doc__
            calls[name] += 1
            try:
                return shim(*args, **kwargs)
            except TypeError as error:
                if _was_refused(error, shim):
                    calls[name] -= 1
                    error.edittool_refused = True  # type: ignore[attr-defined]
                raise

        replacement.__name__ = replacement.__qualname__ = name
        return replacement


def _load(name: str, source: str) -> Any:
    namespace: dict[str, Any] = {"__builtins__": builtins, "__name__": "edittool_shims"}
    exec(compile(source, f"<shim {name}>", "exec", dont_inherit=True), namespace)
    return namespace[name]


def _was_refused(error: TypeError, shim: Callable[..., Any]) -> bool:
    """Tell whether `shim` itself turned the call away: by its signature, or by a raise statement of its own."""
    trace = error.__traceback__
    inner = trace.tb_next if trace else None
    if inner is None:
        return True  # the call never got into the shim
    code = getattr(shim, "__code__", None)
    return inner.tb_next is None and inner.tb_frame.f_code is code and code.co_code[inner.tb_lasti] == RAISE_VARARGS
