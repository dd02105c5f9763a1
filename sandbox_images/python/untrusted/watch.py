"""The watched run: a program that passed runs once more, and what is removed is seen wherever it is called.

A profile hook sees every call that Python code makes, of a C function or of a function written in Python. Guards in the
program's own code see what gives no such event: a call of a type, and a function or class that the program hands to
somebody who may call it (`map`, a sort's key, a thread). A constant's module is one that sees its attributes read.

A call counts as the program's unless the library, the runner or a shim makes it for work of its own: its code then
names what it calls. A watched run decides no test.
"""

from __future__ import annotations

import _thread
import sys

from ..boundary.light import TYPE_CHECKING, CodeType, ModuleType
from ..boundary.limits import MAX_SEEN
from .lookup import class_namespace, is_class
from .origin import SHIM, is_programs

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
_CONSTRUCTORS: Final = ("__new__", "__init__")
# A shim, and the import of a module written in C, which calls what it needs.
_FOR_THEMSELVES: Final = (SHIM, "<frozen importlib")
# Generators and coroutines: their code starts when somebody reads them, and not when they are called.
_LATE: Final = 0x20 | 0x80 | 0x200
_PARTS: Final = ("co_names", "co_varnames", "co_freevars", "co_cellvars")
# C functions that call what they find by a name, and their twins in Python, whose calls are seen.
_TWINS: Final = {
    "pickle": {"loads": "_loads", "load": "_load", "Unpickler": "_Unpickler"},
    "_pickle": {"loads": "_loads", "load": "_load", "Unpickler": "_Unpickler"},
}


class Watch:
    """Sees what one world's program calls of what is removed. `seen` lists (API, line of the program or None)."""

    def __init__(self, state: WorldState):
        self._state, self._removal = state, state.removal
        self._names = {*state.removal.last_names, *_CONSTRUCTORS}
        self._codes: dict[tuple[str, str, int], str] = {}  # of removed Python functions, by file, name and line
        self._constructors: dict[tuple[str, str, int], tuple[str, type]] = {}
        self._constants: dict[str, dict[str, str]] = {}  # by module and attribute
        self._apis: dict[int, str] = {}  # of classes
        self._modules = 0  # that were imported when what is removed from them was last looked for
        self._handed_in: list[object] = []
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
        self._handed_in.append(value)

    def end(self) -> None:
        """Stop for now. A program that has taken the hook's place was not watched to the end."""
        if sys.getprofile() != self.hook:
            self._state.record("trace_hook")
        sys.setprofile(None)

    # What is removed, as it is found

    def _find(self, *, everywhere: bool = False) -> None:
        """Find what is removed from the modules that were imported since the last time, or `everywhere`."""
        modules = len(sys.modules)
        if modules != self._modules or everywhere:
            try:
                self._modules = modules if self._removal.find(everywhere=everywhere) else 0
            except LookupError:  # in the middle of an import; the program's own import says so of what does not exist
                self._modules = 0

    def imported(self) -> None:
        """Take note that the program has imported something."""
        self._find()
        _use_twins()

    def _expect(self, api: str, owner: Owner, attribute: str) -> None:
        value: Any = vars(owner)[attribute]
        function = _python_function(value)
        if function is not None:
            if not function.__code__.co_flags & _LATE:
                self._codes[_key(function.__code__)] = api
        elif is_class(value):
            self._expect_class(api, value)
        elif not callable(value) and not is_class(owner):
            self._watch_constant(api, owner, attribute)

    def _expect_class(self, api: str, cls: type) -> None:
        self._apis[id(cls)] = api
        for name in _CONSTRUCTORS:
            function = _python_function(class_namespace(cls).get(name))
            if function is not None:
                self._constructors[_key(function.__code__)] = api, cls

    def _watch_constant(self, api: str, module: Any, name: str) -> None:
        constants = self._constants.setdefault(module.__name__, {})
        constants[name] = api
        if len(constants) == 1:
            module.__class__ = _module_that_tells(constants, self._note_read)

    # What is seen

    def hook(self, frame: FrameType, event: str, arg: Any) -> None:
        """Take an event of the interpreter, as `sys.setprofile` has it."""
        if event == "call":
            if frame.f_code.co_name in self._names:
                self._note_function(frame, frame.f_code)
        elif event == "c_call" and arg.__name__ in self._names and not self._is_handed_in(arg):
            self._find()
            if self._removal.has(arg):
                self._note(self._removal.last_names[arg.__name__], arg.__name__, frame)

    def _note_function(self, frame: FrameType, code: CodeType) -> None:
        self._find()
        key = _key(code)
        if key not in self._codes and code.co_name in self._removal.last_names and _is_by_program(frame.f_back):
            self._find(everywhere=True)  # of a copy, perhaps, of a module that nobody has imported
        if key in self._codes:
            self._note(self._codes[key], code.co_name, frame.f_back)
        elif key in self._constructors:
            self._note_made(frame, *self._constructors[key])

    def callee(self, function: Any) -> Any:
        """Take note where `function`, about to be called by the program, is removed, or an alias of a removed class."""
        self._find()
        called = function if is_class(function) else _origin(function) or function
        if self._removal.has(called) and not self._is_handed_in(called):
            self._note_removed(called, sys._getframe(1))
        return function

    def argument(self, value: Any) -> Any:
        """Take note where something removed is handed to somebody who may call it."""
        self._find()
        for item in value if type(value) in (list, tuple) else (value,):
            if self._removal.has(item) and not self._is_handed_in(item):
                self._note_removed(item, sys._getframe(1))
        return value

    def _note_removed(self, value: Any, frame: FrameType) -> None:
        if is_class(value):
            self._record_class(value, frame)
        else:
            name = getattr(value, "__name__", "")
            self._see(CALLED, self._removal.last_names.get(name, name), frame)

    def _is_handed_in(self, value: Any) -> bool:
        return any(known is value for known in self._handed_in)

    def _note_made(self, frame: FrameType, api: str, cls: type) -> None:
        """Take note of an instance that the program makes of a removed class; the library makes them of its own."""
        caller = frame.f_back
        made = frame.f_locals.get(frame.f_code.co_varnames[0])
        if caller is not None and is_programs(caller.f_code.co_filename) and (made is cls or type(made) is cls):
            self._record_class(cls, caller)

    def _note_read(self, api: str, frame: FrameType) -> None:
        if is_programs(frame.f_code.co_filename):
            self._see(READ, api, frame)

    def _note(self, api: str, name: str, caller: FrameType | None) -> None:
        if caller is not None and not self._is_own_work(name, caller):
            self._see(CALLED, api, caller)

    def _is_own_work(self, name: str, caller: FrameType) -> bool:
        """Tell whether `caller` is not the program's, and names what it calls, by its own name or by an alias."""
        code = caller.f_code
        if is_programs(code.co_filename) and not any(code is own for own in self._state.generated):
            return False
        if code.co_filename.startswith(_FOR_THEMSELVES) or any(name in getattr(code, part) for part in _PARTS):
            return True
        return any(self._removal.has(caller.f_globals.get(known)) for known in code.co_names)

    def _record_class(self, cls: type, frame: FrameType) -> None:
        self._see(CLASS_CALLED, self._apis.get(id(cls), cls.__name__), frame)

    def _see(self, code: str, api: str, frame: FrameType) -> None:
        self._state.record(code)
        found = api, _line_of_program(frame)
        if found not in self.seen and len(self.seen) < MAX_SEEN:
            self.seen.append(found)


def _is_by_program(caller: FrameType | None) -> bool:
    return caller is not None and is_programs(caller.f_code.co_filename)


def _key(code: CodeType) -> tuple[str, str, int]:
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


def _use_twins() -> None:
    """Put functions whose calls are seen in the place of those that call what they find by a name."""
    pickle = sys.modules.get("pickle")
    for place, twins in _TWINS.items():
        module = sys.modules.get(place)
        if module is not None and hasattr(pickle, "_Unpickler"):
            for name, twin in twins.items():
                setattr(module, name, getattr(pickle, twin))
