"""The trusted process's side of a trial: it runs the tests, with stand-ins for what the candidate defines.

Tests, expected values and comparisons live here only. A stand-in ships its arguments to the candidate's process
and returns plain data, so whether a test passes is computed from built-in values by trusted code.
"""

from __future__ import annotations

import _signal
import builtins
import posix
import sys
import time

from ..boundary import codec
from ..boundary.bypasses import CODES as BYPASSES
from ..boundary.frames import pack
from ..boundary.light import PARSE_ONLY, TYPE_CHECKING, CodeType
from ..boundary.limits import MAX_ARGUMENTS, MAX_BASES, MAX_HANDLES, MAX_PATH, MAX_PATHS, MAX_SEEN, MAX_TEXT
from .channel import Channel
from .clocks import Clock, TrialEnd
from .confinement import is_ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Final


class CandidateError(Exception):
    """The candidate raised an exception that is no built-in one."""


class CandidateExit(BaseException):
    """The candidate raised an exception that `except Exception` does not catch, such as SystemExit."""


class StandIn:
    """An object that stays in the candidate's process: each operation on it crosses the boundary.

    Equality is identity of the handle, or that of a dataclass's fields, and decided here: no `__eq__` of the candidate
    has a say. `_kind` says in the sender's words what it is, and `_origin` where it came from, for a verdict's text.
    """

    __slots__ = ("_handle", "_kind", "_origin", "_trial")

    def __init__(self, trial: Trial, handle: int, kind: str, origin: str):
        object.__setattr__(self, "_trial", trial)
        object.__setattr__(self, "_handle", handle)
        object.__setattr__(self, "_kind", kind)
        object.__setattr__(self, "_origin", origin)

    @property
    def __class__(self) -> Any:  # isinstance asks for it: the object's own class is not here
        self._trial.note_stayed(self)
        return StandIn

    @__class__.setter
    def __class__(self, value: Any) -> None:
        raise TypeError("an object that stays in the program's process keeps its class")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object over there. What the call changed in its arguments comes back if a test drops its value."""
        if any(type(value).__name__ in _CHANGEABLE for value in (*args, *kwargs.values())) and _drops_the_value():
            return self._trial.call_for_effect(self, args, kwargs)
        return self._trial.operate("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":
            return self._trial.signature(self)
        return self._trial.operate("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._trial.operate("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._trial.operate("item", self, key)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._trial.operate("iter", self)
        return iterator if type(iterator) is StandIn else iter(iterator)

    def __next__(self) -> Any:
        return self._trial.operate("next", self)

    def __len__(self) -> int:
        return int(self._trial.operate("len", self))

    def __bool__(self) -> bool:
        return bool(self._trial.operate("bool", self))

    def __str__(self) -> str:
        return str(self._trial.operate("str", self))

    def __repr__(self) -> str:
        return str(self._trial.operate("repr", self))

    def __eq__(self, other: object) -> bool:
        if type(other) is StandIn and (self._handle == other._handle or self._trial.have_equal_fields(self, other)):
            return True
        self._trial.note_stayed(self)
        return False

    def __hash__(self) -> int:
        return hash(self._handle)


# Not in the class's body, whose docstring it would be: a test that asks for a function's docstring means the function.
# A type checker knows a class's docstring as a text alone.
StandIn.__doc__ = property(lambda self: self._trial.operate("get", self, "__doc__"))  # type: ignore[assignment]

_FOR_THE_PROGRAM: Final = ("program", "changes", "traced", "total_cpu_seconds", "run", "own", "counterfactual")
_CHANGEABLE: Final = frozenset(
    {"list", "dict", "set", "bytearray", "OrderedDict", "Counter", "defaultdict", "deque", "array"}
)
_INPUT: Final = input
_POP_TOP: Final = 1
_CACHE: Final = 0


def _drops_the_value() -> bool:
    """Tell whether the caller's caller is a statement that is a call: it means what the call changes."""
    frame = sys._getframe(2)
    following = frame.f_code.co_code[frame.f_lasti + 2 :: 2]
    return next((code for code in following if code != _CACHE), None) == _POP_TOP


def _write_back(old: Any, new: Any) -> Any:
    """Return `new` for the place of `old`: as the object `old` itself where both are containers of one type."""
    kind = type(old)
    if kind is not type(new):
        return new
    if kind is tuple and len(old) == len(new):
        return tuple(_write_back(*pair) for pair in zip(old, new, strict=True))
    if kind.__name__ not in _CHANGEABLE:
        return new
    if kind is list:
        old[:] = [_write_back(*pair) for pair in zip(old, new, strict=True)] if len(old) == len(new) else new
    elif issubclass(kind, dict):
        items = [(key, _write_back(old[key], value) if key in old else value) for key, value in new.items()]
        old.clear()
        old.update(items)
    elif kind is set:
        old.clear()
        old.update(new)
    elif kind.__name__ == "deque":
        old.clear()
        old.extend(new)
    else:
        old[:] = new
    return old


class Trial:
    """One candidate's tests: load the program, run each test alone, keep the facts."""

    def __init__(self, job: Mapping[str, Any], channel: Channel, clock: Clock):
        self.job = job
        self.channel = channel
        self.clock = channel.clock = clock
        self.stage = "parse"
        self.calls = {change["replacement"]: 0 for change in job["changes"]}
        self.calls_on_load: dict[str, int] = {}
        self.failed_calls: dict[str, int] = {}
        self.refused_calls: dict[str, int] = {}
        self.rebound = False
        self.bypass: list[str] = []
        self.seen: list[dict[str, Any]] = []
        self.trace: dict[str, list[str]] = {}
        self.error: dict[str, Any] | None = None
        self.tests: list[dict[str, Any]] = []
        self.opaque = False
        self.stayed: StandIn | None = None  # in this test, the first object that was compared and is not here
        self._origin = ""
        self._names: dict[int, str] = {}
        self._stand_ins: dict[int, StandIn] = {}
        self._namespace: dict[str, Any] = {}
        self._removed = {change["deprecated"] for change in job["changes"]}
        self._traced = {str(index) for index in range(len(job["traced"]))}
        self._over = False

    def run(self) -> None:
        """Load the program and run the tests.

        The facts are then in `stage`, `error`, `tests`, `calls`, `bypass` and `trace`.
        """
        _signal.signal(_signal.SIGALRM, self._on_alarm)
        _signal.setitimer(_signal.ITIMER_REAL, self.clock.look())
        try:
            self._load()
            self._run_tests()
            self._over = True
        except TrialEnd as end:
            self._over = True  # first of all: the candidate may be sending signals without a pause
            self._end(end)
        finally:
            _signal.setitimer(_signal.ITIMER_REAL, 0)

    def _on_alarm(self, number: int, frame: object) -> None:
        # For time that the tests themselves spend; what the candidate spends ends in the channel. The candidate can
        # send this signal too, so the clock decides.
        if self._over:
            return
        try:
            pause = self.clock.look_unless_idle()
        except TrialEnd as end:
            self.channel.end = self.channel.end or end
            raise self.channel.end from None
        _signal.setitimer(_signal.ITIMER_REAL, pause)  # for once: a timer that repeats could go off while this runs

    def _end(self, end: TrialEnd) -> None:
        error = _end_facts(end)
        self.error = self.error or error
        self.tests += [{"passed": False, "error": error} for _ in range(len(self.job["tests"]) - len(self.tests))]

    # The candidate

    def _load(self) -> None:
        reply = self.channel.request({name: self.job[name] for name in _FOR_THE_PROGRAM})
        self._note(reply)
        self.calls_on_load = dict(self.calls)
        if "error" in reply:
            self.error = _error_facts(reply["error"])
            self.tests = [{"passed": False, "error": None} for _ in self.job["tests"]]

    def operate(self, operation: str, *arguments: Any) -> Any:
        """Have the candidate's process do `operation` and return its value, or raise what it raised."""
        try:
            message = [operation, *(codec.encode(argument, self._handle_of) for argument in arguments)]
        except codec.NotPlainError as error:
            raise TypeError(f"the test passes {error}, which cannot cross into the program's process") from None
        printed = len(self.channel.printed)
        reply = self.channel.request(message)
        self._note(reply)
        self._show_printed(printed)
        if "error" in reply:
            raise _exception(reply["error"])
        self._origin = self._origin_of(operation, arguments)
        try:
            return codec.decode(reply.get("value"), self._stand_in)
        except codec.BadValueError as error:
            raise self._no_value(str(error)) from None

    def call_for_effect(self, target: StandIn, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `target` and make its arguments what they are over there after the call. Return its value."""
        reply = self.operate("call_and_show", target, args, kwargs)
        if type(reply) is not tuple or len(reply) != 2:
            raise self._no_value("a call that shows its arguments has two values")
        value, after = reply
        if after is not None:
            if type(after) is not tuple or [type(part) for part in after] != [tuple, dict]:
                raise self._no_value("arguments are a tuple and a dict")
            if len(after[0]) != len(args) or after[1].keys() != kwargs.keys():
                raise self._no_value("other arguments than those of the call")
            for old, new in (*zip(args, after[0], strict=True), *((kwargs[name], after[1][name]) for name in kwargs)):
                _write_back(old, new)
        return value

    def note_stayed(self, stand_in: StandIn) -> None:
        """Note that a test asks of `stand_in` what only the object itself could answer."""
        if self.stayed is None:
            self.stayed = stand_in

    def have_equal_fields(self, one: StandIn, other: StandIn) -> bool:
        """Tell whether both are instances of one dataclass of the program and have equal fields, compared here."""
        found = [self.operate("fields", each) for each in (one, other)]
        if any(type(each) is not tuple or len(each) != 2 or type(each[0]) is not StandIn for each in found):
            return False
        (kind, fields), (other_kind, other_fields) = found
        return kind._handle == other_kind._handle and bool(fields == other_fields)

    def signature(self, function: StandIn) -> Any:
        """Return the signature of `function`, as `inspect` makes it. Raises what asking for it raises."""
        import inspect

        try:
            parameters = [
                inspect.Parameter(name, inspect._ParameterKind(kind), **dict(zip(("default",), default, strict=False)))
                for name, kind, default in self.operate("signature", function)
            ]
            return inspect.Signature(parameters)
        except (TypeError, ValueError) as error:
            raise ValueError(f"no signature: {error}") from None

    def _origin_of(self, operation: str, arguments: tuple[Any, ...]) -> str:
        if not operation.startswith("call"):
            return "the program gave the test"
        return f"{self._names.get(arguments[0]._handle, 'a call')} returned"

    def _show_printed(self, start: int) -> None:
        """Write what the candidate printed to a stream that the test has put in the place of sys.stdout."""
        stream: Any = sys.stdout
        if stream is not sys.__stdout__ and len(self.channel.printed) > start:
            stream.write(self.channel.printed[start:].decode("utf-8", "replace"))

    def _no_value(self, problem: str) -> TrialEnd:
        self.channel.end = TrialEnd("protocol", f"the candidate's process sent no value: {problem}")
        return self.channel.end

    def _note(self, reply: dict[str, Any]) -> None:
        if reply.get("stage") in ("parse", "load", "run"):
            self.stage = reply["stage"]
        self._note_calls(self.calls, reply.get("calls"))
        self._note_calls(self.failed_calls, reply.get("failed_calls"))
        self._note_calls(self.refused_calls, reply.get("refused_calls"))
        taken = reply.get("bypass")
        if type(taken) is list:
            told = taken[: len(BYPASSES)]
            self.bypass += [code for code in BYPASSES if code in told and code not in self.bypass]
        self.rebound = self.rebound or reply.get("rebound") is True
        self._note_seen(reply.get("seen"))
        traced = reply.get("trace")
        if type(traced) is dict:
            for index, paths in traced.items():
                if index in self._traced and _are_paths(paths):
                    self.trace[index] = paths

    def _note_calls(self, calls: dict[str, int], counted: Any) -> None:
        for name in self.calls if type(counted) is dict else ():
            count = counted.get(name)
            if type(count) is int and count >= 0:
                calls[name] = min(count, 2**53)

    def _note_seen(self, seen: Any) -> None:
        """Take the calls of removed APIs that a watched run tells of."""
        if type(seen) is not list or len(seen) > MAX_SEEN:
            return
        found = [{"api": item[0], "line": item[1]} for item in seen if _is_seen(item, self._removed)]
        self.seen = found if len(found) > len(self.seen) else self.seen

    def _handle_of(self, value: object) -> int | str:
        if type(value) is StandIn:
            handle: int = value._handle
            return handle
        name = _library_name(value)
        if name is not None:
            return name
        raise codec.NotPlainError(codec.describe(value))

    def _stand_in(self, handle: int | str, kind: str) -> Any:
        if type(handle) is not int:
            raise codec.BadValueError("a handle is a number")
        self.opaque = True
        if len(self._stand_ins) >= MAX_HANDLES and handle not in self._stand_ins:
            raise codec.BadValueError(f"more than {MAX_HANDLES} objects that stay in its process")
        stand_in = self._stand_ins.setdefault(handle, StandIn(self, handle, kind, self._origin))
        return _awaiting(stand_in) if kind == "a coroutine" else stand_in

    # The tests

    def _run_tests(self) -> None:
        if self.error is not None:
            return
        if self.stage != "run":  # a verdict without any test would be none
            raise self._no_value("the program did not load, and no error says why")
        self._namespace = {"__builtins__": builtins, "__name__": "tests"}
        exec(compile(self.job["helpers"], "<helpers>", "exec", dont_inherit=True), self._namespace)
        self._namespace |= dict.fromkeys((self.job["entry_point"], "candidate"), self._find_entry_point())
        for number, test in enumerate(self.job["tests"], 1):
            self.clock.begin(f"test {number}")
            error = self._run_test(f"<test {number}>", test["setup"] + "\n" + test["code"])
            self.tests.append({"passed": error is None, "error": error})
            self.error = self.error or error
            if self.channel.end is not None:
                raise self.channel.end

    def _run_test(self, name: str, source: str) -> dict[str, Any] | None:
        namespace = dict(self._namespace)
        self.stayed = None
        code: CodeType = compile(source, name, "exec", dont_inherit=True)
        try:
            self._add_globals(code, source, namespace)
            exec(code, namespace)
        except TrialEnd as end:
            return _end_facts(end)
        except BaseException as error:
            return self._explained(_test_error(error), error, source)
        # A deadline that the test's own `except` swallowed is a deadline all the same.
        return _end_facts(self.channel.end) if self.channel.end else None

    def _explained(self, facts: dict[str, Any], error: BaseException, source: str) -> dict[str, Any]:
        """Return `facts` with what the boundary has to do with it, where it has: no test fails for that unsaid."""
        if facts["kind"] not in ("assertion", "exception") or hasattr(error, "candidate_facts") or self.channel.end:
            return facts
        left = self.stayed
        if left is None and "'StandIn'" in facts["message"]:
            left = next(reversed(self._stand_ins.values()), None)
        if left is not None:
            note = f"{left._origin} {left._kind}, which stays in the program's process and equals only itself here"
        elif facts["kind"] == "assertion" and _passes_variables(source) and self._has_changed_arguments():
            note = "the last call changed its arguments; that comes back only where a test drops the call's value"
        else:
            return facts
        return facts | {"message": _with_note(facts["message"], note)}

    def _has_changed_arguments(self) -> bool:
        try:
            return self.operate("changes") is True
        except BaseException:  # an end is told after the test, which failed before it; so is an exit of the program's
            return False

    def _add_globals(self, code: CodeType, source: str, namespace: dict[str, Any]) -> None:
        """Add to `namespace` the candidate's globals that a test, `code`, uses and nobody else defines."""
        unknown = {name for name in _names(code) if name not in namespace and not hasattr(builtins, name)}
        for name in unknown and unknown & _loaded_names(source):
            value = self._lookup(name, or_else=None)
            if value is not None:
                namespace[name] = value

    def _find_entry_point(self) -> Any:
        """Return the entry point, or what raises in each test that calls it the error of looking it up."""
        name = self.job["entry_point"]
        try:
            return self._lookup(name, or_else=_undefined(name))
        except TrialEnd:
            raise
        except BaseException as error:
            return _raiser(error)

    def _lookup(self, name: str, or_else: Any) -> Any:
        """Return the stand-in of the candidate's global `name`, or `or_else` where there is none."""
        was_opaque = self.opaque
        found = self.operate("name", name)
        self.opaque = was_opaque  # a handle of a function is no object that the tests exchange
        if type(found) is not tuple or len(found) != 2:
            raise self._no_value("a name's value is a pair")
        kind, value = found
        if kind == "value":
            if type(value) is StandIn:
                self._names[value._handle] = name
            return value
        if kind == "module" and value == name and name in sys.stdlib_module_names:
            return __import__(name)
        return or_else


def _are_paths(paths: Any) -> bool:
    return (
        type(paths) is list
        and len(paths) <= MAX_PATHS
        and all(type(path) is str and len(path) <= MAX_PATH for path in paths)
    )


def _is_seen(item: Any, removed: set[str]) -> bool:
    if type(item) is not list or len(item) != 2 or type(item[0]) is not str or item[0] not in removed:
        return False
    return item[1] is None or (type(item[1]) is int and 0 < item[1] < 2**31)


def _end_facts(end: TrialEnd) -> dict[str, Any]:
    return {"type": type(end).__name__, "message": str(end), "line": None, "kind": end.kind}


def _library_name(value: Any) -> str | None:
    """Return "module:name" of a function that the program's process has in its own library, or None for others."""
    owner = getattr(value, "__objclass__", value)  # of a method such as str.upper
    module, name = getattr(owner, "__module__", None), getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str or module.partition(".")[0] not in sys.stdlib_module_names:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is value else None


def _undefined(name: str) -> Callable[..., Any]:
    message = f"the program does not define {name!r}"
    error: Any = NameError(message)
    error.candidate_facts = {"type": "NameError", "message": message, "line": None, "kind": "missing_entry_point"}
    return _raiser(error)


def _raiser(error: BaseException) -> Callable[..., Any]:
    def raises(*args: Any, **kwargs: Any) -> Any:
        raise error

    return raises


def _names(code: CodeType) -> Iterator[str]:
    """Yield each name that is no local variable in `code`, or in a function in it: a global, or an attribute."""
    yield from code.co_names
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from _names(constant)


def _loaded_names(source: str) -> set[str]:
    import _ast

    return {node.id for node in _nodes(source) if isinstance(node, _ast.Name) and isinstance(node.ctx, _ast.Load)}


def _passes_variables(source: str) -> bool:
    """Tell whether a test passes a variable to a function: it could look at it again after the call."""
    import _ast

    calls = [node for node in _nodes(source) if isinstance(node, _ast.Call)]
    return any(isinstance(argument, _ast.Name) for call in calls for argument in call.args)


def _nodes(source: str) -> Iterator[Any]:
    """Yield the nodes of a test's syntax tree. To make one takes longer than to compile the test."""
    pending: list[Any] = [compile(source, "<test>", "exec", PARSE_ONLY, dont_inherit=True)]
    while pending:
        node = pending.pop()
        yield node
        for field in node._fields:
            value = getattr(node, field, None)
            pending += [child for child in (value if isinstance(value, list) else [value]) if hasattr(child, "_fields")]


async def _awaiting(stand_in: StandIn) -> Any:
    """Stand for a coroutine of the candidate's: its own loop runs it to its end over there."""
    return stand_in._trial.operate("await", stand_in)


def _with_note(message: str, note: str) -> str:
    note = note[:MAX_TEXT]
    room = MAX_TEXT - len(note) - 3
    return f"{message[: max(room, 0)]} ({note})"[:MAX_TEXT] if message else note


def _error_facts(error: Any) -> dict[str, Any]:
    """Return the facts of an error that the candidate's process reported, bounded, whatever it sent."""
    source = error if type(error) is dict else {}
    line, kind, note = source.get("line"), _text(source, "kind"), _text(source, "note")
    if builtins.input is not _INPUT and _text(source, "type") == "EOFError":
        note = "the test replaces input(), which the program's process does not see"
    message = _text(source, "message")[:MAX_TEXT]
    return {
        "type": _text(source, "type")[:100] or "unknown",
        "message": _with_note(message, note) if note else message,
        "line": line if type(line) is int and 0 < line < 2**31 else None,
        "kind": kind if kind in _CANDIDATE_KINDS else "exception",
    }


def _text(source: dict[str, Any], name: str) -> str:
    value = source.get(name)
    return value if type(value) is str else ""


_CANDIDATE_KINDS: Final = frozenset(
    {
        "bad_call",
        "old_call",
        "missing_name",
        "missing_import",
        "missing_attribute",
        "syntax",
        "out_of_memory",
        "exit",
        "process_limit",
        "exception",
    }
)


def _exception(error: Any) -> BaseException:
    """Return the exception to raise in a test for one that the candidate raised: a built-in one by its name.

    It has the arguments of the candidate's, where they are plain data, and its text.
    """
    source = error if type(error) is dict else {}
    names = source.get("bases")
    for name in names[:MAX_BASES] if type(names) is list else []:
        cls = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(cls, type) and issubclass(cls, BaseException):
            return _raisable(cls, source)
    return _raisable(CandidateError, source)


def _raisable(cls: type[BaseException], source: dict[str, Any]) -> BaseException:
    if not issubclass(cls, Exception):
        cls = CandidateExit
    message = _text(source, "message")[:MAX_TEXT]
    error: Any = _with_arguments(cls, _arguments(source), message)
    if error is None:
        error = CandidateError(message)  # UnicodeDecodeError and its like need arguments of their own
    error.candidate_facts = _error_facts(source)
    raised: BaseException = error
    return raised


def _arguments(source: dict[str, Any]) -> tuple[Any, ...] | None:
    encoded = source.get("args")
    try:
        if len(pack(encoded)) > MAX_ARGUMENTS:
            return None
        arguments = codec.decode(encoded, _no_handle)
    except (codec.BadValueError, ValueError, RecursionError):  # an infinite number, which no honest sender writes so
        return None
    return arguments if type(arguments) is tuple else None


def _no_handle(handle: int | str, kind: str) -> object:
    raise codec.BadValueError("no arguments of an exception")


def _with_arguments(cls: type[BaseException], arguments: tuple[Any, ...] | None, message: str) -> BaseException | None:
    """Return an exception of `cls` that has these arguments and this text, or the text alone, or None."""
    try:
        error = cls(*arguments) if arguments is not None else cls(message)
        if arguments is not None and len(message) < MAX_TEXT and str(error) != message:
            cls = type(type(error).__name__, (type(error),), {"__str__": lambda self: message})
            error = cls(*arguments)
    except Exception:
        return None if arguments is None else _with_arguments(cls, None, message)
    return error


def _test_error(error: BaseException) -> dict[str, Any]:
    facts = getattr(error, "candidate_facts", None)
    if type(facts) is dict:
        return facts
    kind = "assertion" if isinstance(error, AssertionError) else "exception"
    return {"type": type(error).__name__, "message": _message(error), "line": None, "kind": kind}


def _message(error: BaseException) -> str:
    # A test that shows the candidate's object in its message has the candidate's process make the text.
    try:
        return str(error)[:MAX_TEXT]
    except BaseException as problem:
        return f"(its message cannot be shown: {type(problem).__name__})"


def has_ended(child: int) -> bool:
    """Tell whether `child` is a process no more; it can be reaped afterwards all the same."""
    return posix.waitid(posix.P_PID, child, posix.WEXITED | posix.WNOHANG | posix.WNOWAIT) is not None


class Death:
    """The end of a process: its wait status, CPU seconds, peak memory in KiB, and whether it had to be killed."""

    def __init__(self, status: int, cpu_seconds: float, peak_kib: int, killed: bool):
        self.status, self.cpu_seconds, self.peak_kib, self.killed = status, cpu_seconds, peak_kib, killed


def reap(child: int, patience: float) -> Death:
    """Wait for the end of `child`; kill it after `patience` seconds, if it is not about to end."""
    deadline, pause = time.monotonic() + patience, 0.0002
    while not has_ended(child) and (time.monotonic() < deadline or (patience and is_ending(child))):
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    killed = not has_ended(child)
    if killed:
        posix.kill(child, _signal.SIGKILL)
    _, status, usage = posix.wait4(child, 0)
    return Death(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, killed)
