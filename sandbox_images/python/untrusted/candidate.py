"""The untrusted process: it runs the candidate's program and answers the tests' process.

It is given the program and the world, never a test. Nothing it says is believed beyond being data: a reply is the
value of one operation, and whether that value is right is decided in the other process.
"""

from __future__ import annotations

import gc
import posix
import sys
from errno import ENOMEM

from ..boundary import codec
from ..boundary.frames import LOCKED_DOWN, BadFrameError, pack, read_frame, write_all
from ..boundary.light import TYPE_CHECKING, ModuleType
from ..boundary.limits import MAX_ARGUMENTS, MAX_REPLY_BYTES, MAX_TEXT
from ..boundary.lockdown import limit_cpu, set_dumpable
from ..boundary.runs import IN_TESTS, ON_LOAD
from . import limits
from .origin import OWN_PACKAGES
from .tracing import TRACE_FUNCTION, Trace
from .world import CANDIDATE_FILE, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, Final

    from ..boundary.codec import JsonValue
    from ..boundary.preloading import Shelf

_RAISE_ONE: Final = compile("raise x", "", "exec").co_code[-2:]  # the instruction, with its number of operands
_DATA_TYPES: Final = frozenset(
    {str, bytes, bytearray, int, float, complex, bool, list, tuple, dict, set, frozenset, range, slice, memoryview}
)


def serve(requests: int, replies: int, shelf: Shelf | None) -> None:
    """Load the program that the first frame holds, then answer one operation for each further frame, until the end.

    What the program imports may come from the `shelf`.
    """
    first = read_frame(requests)
    if first is None:
        return
    number, job = first
    set_dumpable(1)  # as every process is: the program can read its own /proc files
    limit_cpu(job["total_cpu_seconds"])
    if posix.access(OWN_PACKAGES, posix.R_OK):
        sys.path.append(OWN_PACKAGES)
    if shelf is not None:
        shelf.offer(job["changes"])
        if "gc" in job["program"]:
            gc.unfreeze()  # it finds there what it would find had it loaded its modules itself
    world = World(job["changes"], run=job["run"])
    candidate = Candidate(job["program"], world, job["traced"], own=job["own"], counterfactual=job["counterfactual"])
    own = posix.getpid()
    reply = pack(candidate.reply(candidate.load) | {"to": number})
    while posix.getpid() == own:  # a child that the program forked has nothing to answer
        write_all(replies, reply)
        request = read_frame(requests)
        if request is None:
            return
        reply = _pack_reply(candidate, request)


def _pack_reply(candidate: Candidate, request: list[Any]) -> bytes:
    number, (operation, *arguments) = request
    reply = candidate.reply(lambda: candidate.operate(operation, arguments)) | {"to": number}
    try:
        frame = pack(reply)
    except RecursionError as error:
        return pack(reply | candidate.failure(error) | {"value": None})
    if len(frame) <= MAX_REPLY_BYTES:
        return frame
    too_large = ValueError(f"the result takes {len(frame)} bytes, over the limit of {MAX_REPLY_BYTES}")
    return pack(reply | candidate.failure(too_large) | {"value": None})


class Candidate:
    """The loaded program, and the objects of it that the tests hold handles of.

    `traced` names the attributes that an instrumented program has traced. `own` is the name of the replacement that the
    verdict's label speaks of, "" for none. `counterfactual` is a phase, loading or the tests, and what the replacement
    does in it.
    """

    def __init__(
        self,
        program: str,
        world: World,
        traced: Sequence[str] = (),
        *,
        own: str = "",
        counterfactual: tuple[str, str] | None = None,
    ):
        self.program = program
        self._world = world
        self._own = own
        self._counterfactual = counterfactual
        self.trace = Trace(traced)
        if traced:
            world.builtins[TRACE_FUNCTION] = self.trace.note
        self.module = ModuleType("candidate")
        self._kept: list[object] = []
        self._handles: dict[int, int] = {}
        self._last_call: tuple[list[Any], list[Any]] = [], []

    def load(self) -> None:
        """Compile the program and run it as a module; `stage` says how far it came.

        Raises SyntaxError for a program that cannot be parsed, and what the program raises.
        """
        self.stage = "parse"
        try:
            code = self._world.compile(self.program, CANDIDATE_FILE, "exec")
        except (MemoryError, RecursionError):  # Python's parser has no better words for its own limits
            raise SyntaxError("the program is nested too deeply to be parsed") from None
        except ValueError as error:  # for NULs, and for halves of characters
            raise SyntaxError(_message(error)) from None
        self.stage = "load"
        # @dataclass and pickling look a class's module up here.
        sys.modules["candidate"] = self.module
        self.module.__dict__["__builtins__"] = self._world.builtins
        self._world.take_over_own_modules()
        self._make_counterfactual(ON_LOAD)
        exec(code, self.module.__dict__)
        self._make_counterfactual(IN_TESTS)
        self.stage = "run"

    def _make_counterfactual(self, phase: str) -> None:
        if self._counterfactual is not None:
            chosen, way = self._counterfactual
            self._world.counts.make_counterfactual(self._own, way if phase == chosen else None)

    def reply(self, action: Callable[[], object]) -> dict[str, Any]:
        """Return what came of `action`: {"value"} or {"error"}, with the calls counted so far."""
        watch = self._world.watch
        try:
            if watch is not None:
                sys.setprofile(watch.hook)
            reply = {"value": codec.encode(action(), self.keep)}
        except BaseException as error:
            reply = self.failure(error)
        if watch is not None:
            watch.end()
        _flush()
        return reply | {
            "stage": self.stage,
            "calls": self._world.counts.calls,
            "failed_calls": self._world.counts.failed_calls,
            "refused_calls": self._world.counts.refused_calls,
            "rebound": self._is_rebound(),
            "trace": self.trace.news(),
            "bypass": self._world.bypasses,
            "seen": watch.seen if watch is not None else [],
        }

    def _is_rebound(self) -> bool:
        """Tell whether the replacement's name means something else in the program by now."""
        shims, names = self._world.shims, self.module.__dict__
        own = shims.replacements.get(self._own)
        if own is None:  # a library has it
            return False
        found = names.get(self._own, own) if type(names) is dict else own
        same = found is own and self._world.builtins.get(self._own, own) is own
        return not same or shims.is_replaced(self._own)

    def operate(self, operation: str, arguments: list[Any]) -> object:
        """Do one operation of the tests on the program's objects."""
        decoded = [codec.decode(argument, self.find) for argument in arguments]
        if operation == "call":
            self._last_call = arguments[1:], decoded[1:]
        return _OPERATIONS[operation](self, *decoded)

    def has_changed_arguments(self) -> bool:
        """Tell whether the arguments of the last call are other than they were when it was made."""
        before, now = self._last_call
        return bool(codec.encode(now, self.keep) != before)

    def name(self, name: str) -> tuple[str, object]:
        """Return ("module", its name), ("value", the value) or ("missing", None) for a global of the program."""
        if name not in self.module.__dict__:
            return "missing", None
        value = self.module.__dict__[name]
        return ("module", value.__name__) if isinstance(value, ModuleType) else ("value", value)

    def call_and_show(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[object, object]:
        """Return what a call returns, and its arguments as they are afterwards, or None where it changed none."""
        before = codec.encode((args, kwargs), self.keep)
        result = target(*args, **kwargs)
        return result, None if codec.encode((args, kwargs), self.keep) == before else (args, kwargs)

    def keep(self, value: object) -> int:
        """Return the handle of `value`, the same one each time."""
        handle = self._handles.setdefault(id(value), len(self._kept))
        if handle == len(self._kept):
            self._kept.append(value)
        return handle

    def find(self, handle: int | str, description: str = "") -> object:
        """Return the object that `handle` stands for; a function of the library has "module:name"."""
        if type(handle) is int:
            return self._kept[handle]
        module, _, name = str(handle).partition(":")
        __import__(module)
        found: Any = sys.modules[module]
        for part in name.split("."):
            found = getattr(found, part)
        if self._world.watch is not None:
            self._world.watch.hand_in(found)
        return found

    def failure(self, error: BaseException) -> dict[str, Any]:
        """Return the reply that tells of `error`."""
        return {
            "error": {
                "type": type(error).__name__[:100],
                "message": _message(error),
                "args": _arguments(error),
                "note": limits.note(error),
                "line": _line(error),
                "kind": _kind(error),
                "bases": [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"],
            }
        }


_OPERATIONS: Final[dict[str, Callable[..., object]]] = {
    "name": Candidate.name,
    "call": lambda self, target, args, kwargs: target(*args, **kwargs),
    "call_and_show": Candidate.call_and_show,
    "changes": Candidate.has_changed_arguments,
    "await": lambda self, target: _awaited(target),
    "fields": lambda self, target: _compared_fields(target),
    "signature": lambda self, target: _signature(target),
    "repr": lambda self, target: repr(target),
    "get": lambda self, target, name: getattr(target, name),
    "set": lambda self, target, name, value: setattr(target, name, value),
    "item": lambda self, target, key: target[key],
    "iter": lambda self, target: iter(target),
    "next": lambda self, target: next(target),
    "len": lambda self, target: len(target),
    "bool": lambda self, target: bool(target),
    "str": lambda self, target: str(target),
}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            continue  # the candidate may have closed or replaced it


def _message(error: BaseException) -> str:
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:
        return "(its message cannot be shown)"


def _arguments(error: BaseException) -> JsonValue:
    """Return the encoded arguments of `error`, or None where they are too large or not all plain data."""
    try:
        encoded = codec.encode(error.args, _refuse)
        return encoded if len(pack(encoded)) <= MAX_ARGUMENTS else None
    except BaseException:
        return None


def _refuse(value: object) -> int:
    raise codec.NotPlainError


def _awaited(coroutine: Any) -> object:
    import asyncio

    return asyncio.run(coroutine)


def _compared_fields(value: object) -> tuple[type, tuple[object, ...]] | None:
    """Return the class of `value` and its fields where the class is a dataclass, and compares these and no others."""
    kind = type(value)
    equal = kind.__dict__.get("__eq__")
    generated = getattr(getattr(equal, "__code__", None), "co_filename", "") == "<string>"
    if "__dataclass_fields__" not in kind.__dict__ or not generated:
        return None
    fields = kind.__dict__["__dataclass_fields__"].values()
    plain = [field for field in fields if field._field_type.name == "_FIELD" and field.compare]
    return kind, tuple(getattr(value, field.name) for field in plain)


def _signature(function: Any) -> list[tuple[object, ...]]:
    """Return name, kind and default of each parameter of `function`: a default is (value,), or () for none."""
    import inspect

    parameters = inspect.signature(function).parameters.values()
    missing = inspect.Parameter.empty
    return [(each.name, int(each.kind), () if each.default is missing else (each.default,)) for each in parameters]


def _line(error: BaseException) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == CANDIDATE_FILE:
        return error.lineno
    line: int | None = None
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == CANDIDATE_FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _kind(error: BaseException) -> str:
    """Return the sort of `error`; the first five are an API unresolved or ill-called."""
    if getattr(error, "edittool_refused", False) is True:
        return "old_call" if getattr(error, "edittool_old", False) is True else "bad_call"
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        return "missing_name"
    if isinstance(error, ImportError):
        return "missing_import"
    if isinstance(error, AttributeError) and _is_api_owner(error.obj):
        return "missing_attribute"
    if isinstance(error, SyntaxError):
        return "syntax"
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == ENOMEM):
        return "exception" if _was_raised_by_a_statement(error) else "out_of_memory"
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return "exit"
    if isinstance(error, RuntimeError) and "can't start new thread" in _message(error):
        return "exception" if _was_raised_by_a_statement(error) else "process_limit"
    return "exception"


def _was_raised_by_a_statement(error: BaseException) -> bool:
    """Tell whether Python code made `error` itself: what the interpreter raises comes from no such statement."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    instruction = trace.tb_frame.f_code.co_code[trace.tb_lasti :][:2]
    return instruction == _RAISE_ONE


def _is_api_owner(value: object) -> bool:
    # None has no API: an attribute of it is an ordinary mistake of the program. So is one of a class of its own.
    if isinstance(value, ModuleType | type) or any(base in _DATA_TYPES for base in type(value).__mro__):
        return True
    return type(value).__module__ not in ("builtins", "candidate")


def run(requests: int, replies: int, shelf: Shelf | None) -> None:
    """Serve, then leave without running anything that the candidate may have registered for the end."""
    posix.write(replies, LOCKED_DOWN)
    try:
        serve(requests, replies, shelf)
    except (BadFrameError, OSError):
        posix._exit(3)
    except BaseException:
        posix._exit(4)
    posix._exit(0)
