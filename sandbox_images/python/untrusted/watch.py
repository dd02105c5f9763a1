"""The watched run: a program that passed runs once more, and what is removed is seen wherever it is called.

A profile hook sees every call that Python code makes of a C function, and every call of a Python function; a wrapper in
the place of each removed C function or method sees the calls that C code makes (`map`, `operator.call`, a sort's key).
Guards in the program's code look at what it calls: a type's call gives no event. A constant's module is one that sees
its attributes read.

A call counts as the program's unless the library, the runner or a shim makes it for work of its own: its code then
names what it calls. A watched run decides no test.
"""

from __future__ import annotations

import _thread
import gc
import sys

from ..boundary.light import TYPE_CHECKING, ModuleType
from ..boundary.limits import MAX_SEEN
from .lookup import class_namespace, is_class, is_module
from .origin import RUNNER, SHIM, is_programs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    from .removal import Owner
    from .state import WorldState

CALLED: Final = "removed_call"
CLASS_CALLED: Final = "class_of_value"
READ: Final = "removed_constant"
_FUNCTION: Final = type(lambda: None)
# What they return depends on the frame of whoever calls them: nobody may stand between.
_OF_THEIR_CALLER: Final = frozenset({"globals", "locals", "vars", "dir", "eval", "exec", "__import__", "breakpoint"})
_PARTS: Final = ("co_names", "co_varnames", "co_freevars", "co_cellvars")


class Watch:
    """Sees what one world's program calls of what is removed. `seen` lists (API, line of the program or None)."""

    def __init__(self, state: WorldState):
        self._state, self._removal = state, state.removal
        self._codes: dict[tuple[str, str, int], str] = {}  # of removed Python functions, by file, name and line
        self._constructors: dict[tuple[str, str, int], tuple[str, type]] = {}
        self._constants: dict[str, dict[str, str]] = {}  # by module and attribute
        self._apis: dict[int, str] = {}  # of classes
        self._modules = 0  # that were imported when what is removed from them was last looked for
        self._handed_in: set[str] = set()
        self.seen: list[tuple[str, int | None]] = []

    def install(self) -> None:
        """Start to see."""
        self._removal.tell_of(self._expect)
        start = _thread.start_new_thread

        def start_new_thread(function: Any, args: Any, *kwargs: Any) -> int:
            def run(*args: Any, **kwargs: Any) -> None:
                sys.setprofile(self.hook)
                function(*args, **kwargs)

            return start(run, args, *kwargs)

        for module in (_thread, sys.modules.get("threading")):
            for name in ("start_new_thread", "_start_new_thread"):
                if module is not None and hasattr(module, name):
                    setattr(module, name, start_new_thread)

    def hand_in(self, value: Any) -> None:
        """Take note that a test gives `value` to the program, which may then call it."""
        if self._removal.has(value):
            self._handed_in.add(getattr(value, "__name__", ""))

    # What is removed, as it is found

    def _expect(self, api: str, owner: Owner, attribute: str) -> None:
        namespace: Any = class_namespace(owner) if is_class(owner) else vars(owner)
        value = namespace[attribute]
        function = _python_function(value)
        if function is not None:
            self._codes[_key(function.__code__)] = api
        elif is_class(value):
            self._expect_class(api, value)
        elif is_class(owner):
            self._wrap_method(api, owner, attribute, value)
        elif callable(value):
            self._wrap_function(api, attribute, value)
        else:
            self._watch_constant(api, owner, attribute)

    def _expect_class(self, api: str, cls: type) -> None:
        self._apis[id(cls)] = api
        for name in ("__new__", "__init__"):
            function = _python_function(class_namespace(cls).get(name))
            if function is not None:
                self._constructors[_key(function.__code__)] = api, cls

    def _wrap_method(self, api: str, cls: type, name: str, descriptor: Any) -> None:
        if name.startswith("__"):
            return  # the interpreter itself calls it by its slot
        wrapper: Any
        if isinstance(descriptor, staticmethod):
            wrapper = staticmethod(self._wrapper(api, name, descriptor.__func__))
        elif isinstance(descriptor, classmethod) or type(descriptor).__name__ == "classmethod_descriptor":
            wrapper = classmethod(
                self._wrapper(api, name, lambda cls, *args, **kwargs: bind(None, cls)(*args, **kwargs))
            )
        else:
            wrapper = self._wrapper(api, name, descriptor)
        bind = descriptor.__get__
        (namespace,) = gc.get_referents(cls.__dict__)
        namespace[name] = wrapper
        self._removal.add(wrapper)
        sys._clear_type_cache()  # type: ignore[attr-defined]

    def _wrap_function(self, api: str, name: str, function: Any) -> None:
        """Put a wrapper wherever a module has `function`."""
        if name in _OF_THEIR_CALLER:
            return
        wrapper = self._wrapper(api, name, function)
        for module in list(sys.modules.values()):
            if is_module(module) and not getattr(module, "__file__", "").startswith(RUNNER):
                namespace = vars(module)
                for known in [known for known, value in namespace.items() if value is function]:
                    namespace[known] = wrapper

    def _wrapper(self, api: str, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        note = self._note

        def called(*args: Any, **kwargs: Any) -> Any:
            note(api, name, sys._getframe(1))
            return function(*args, **kwargs)

        called.__name__ = called.__qualname__ = name
        called.__module__ = getattr(function, "__module__", None) or "builtins"
        self._removal.add(called)
        return called

    def _watch_constant(self, api: str, module: Any, name: str) -> None:
        constants = self._constants.setdefault(module.__name__, {})
        constants[name] = api
        if len(constants) == 1:
            module.__class__ = _module_that_tells(constants, self._note_read)

    # What is seen

    def hook(self, frame: FrameType, event: str, arg: Any) -> None:
        """Take an event of the interpreter, as `sys.setprofile` has it."""
        if len(sys.modules) != self._modules:
            self._modules = len(sys.modules)
            self._removal.find()
        if event == "call":
            code = frame.f_code
            key = _key(code)
            if key in self._codes:
                self._note(self._codes[key], code.co_name, frame.f_back)
            elif key in self._constructors:
                self._note_made(frame, *self._constructors[key])
        elif event == "c_call" and frame.f_code is not _WRAPPER and self._removal.has(arg):
            self._note(self._removal.last_names.get(arg.__name__, "?"), arg.__name__, frame)

    def callee(self, function: Any) -> Any:
        """Take note where `function`, about to be called by the program, is a removed class, or an alias of one."""
        cls: Any = function if is_class(function) else _origin(function)
        if cls is not None and (cls_removed := self._removed_class(cls)) is not None:
            self._record(CLASS_CALLED, cls_removed, sys._getframe(1))
        return function

    def argument(self, value: Any) -> Any:
        """Take note where a removed class is handed to somebody who may call it."""
        for item in value if type(value) in (list, tuple) else (value,):
            if is_class(item) and self._removal.has(item):
                self._record(CLASS_CALLED, item, sys._getframe(1))
        return value

    def _removed_class(self, cls: type) -> type | None:
        if self._removal.has(cls):
            return cls
        if cls.__module__ == "candidate":
            return next((base for base in cls.__bases__ if self._removal.has(base)), None)
        return None

    def _note_made(self, frame: FrameType, api: str, cls: type) -> None:
        """Take note of an instance that the program makes of a removed class; the library makes them of its own."""
        caller = frame.f_back
        made = frame.f_locals.get(frame.f_code.co_varnames[0])
        if caller is not None and is_programs(caller.f_code.co_filename) and (made is cls or type(made) is cls):
            self._record(CLASS_CALLED, cls, caller)

    def _note_read(self, api: str, frame: FrameType) -> None:
        if is_programs(frame.f_code.co_filename):
            self._see(READ, api, frame)

    def _note(self, api: str, name: str, caller: FrameType | None) -> None:
        if caller is not None and name not in self._handed_in and not self._is_own_work(name, caller):
            self._see(CALLED, api, caller)

    def _is_own_work(self, name: str, caller: FrameType) -> bool:
        """Tell whether `caller` is not the program's, and names what it calls, by its own name or by an alias."""
        code = caller.f_code
        if is_programs(code.co_filename):
            return False
        if code.co_filename.startswith(SHIM) or any(name in getattr(code, part) for part in _PARTS):
            return True
        return any(self._removal.has(caller.f_globals.get(known)) for known in code.co_names)

    def _record(self, code: str, cls: type, frame: FrameType) -> None:
        self._see(code, self._apis.get(id(cls), cls.__name__), frame)

    def _see(self, code: str, api: str, frame: FrameType) -> None:
        self._state.record(code)
        found = api, _line_of_program(frame)
        if found not in self.seen and len(self.seen) < MAX_SEEN:
            self.seen.append(found)


def _key(code: Any) -> tuple[str, str, int]:
    """Return what two copies of one function have in common."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _python_function(value: Any) -> Any:
    """Return the function written in Python that `value` is, or stands before; None where there is none."""
    value = getattr(value, "__func__", value) if isinstance(value, classmethod | staticmethod) else value
    while type(value) is not _FUNCTION:
        value = getattr(value, "__wrapped__", None)
        if value is None:
            return None
    return value


def _origin(function: Any) -> type | None:
    """Return the class that an alias of `typing`, or of a class with brackets, stands for."""
    if type(function).__module__ not in ("typing", "types"):
        return None
    origin = getattr(function, "__origin__", None)
    return origin if is_class(origin) else None


def _line_of_program(frame: FrameType | None) -> int | None:
    while frame is not None:
        if frame.f_code.co_filename == "<candidate>":
            return frame.f_lineno
        frame = frame.f_back
    return None


def _module_that_tells(constants: dict[str, str], note: Callable[[str, FrameType], None]) -> type[ModuleType]:
    class Module(ModuleType):
        def __getattribute__(self, name: str) -> Any:
            if name in constants:
                note(constants[name], sys._getframe(1))
            return super().__getattribute__(name)

    Module.__name__ = Module.__qualname__ = "module"
    Module.__module__ = "builtins"
    return Module


_WRAPPER: Final = next(
    constant for constant in Watch._wrapper.__code__.co_consts if getattr(constant, "co_name", "") == "called"
)
