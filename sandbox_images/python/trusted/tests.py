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
from ..boundary.light import PARSE_ONLY, TYPE_CHECKING, CodeType
from ..boundary.limits import MAX_PATH, MAX_PATHS, MAX_TEXT
from .channel import Channel, TrialEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, Final


class CandidateError(Exception):
    """The candidate raised an exception that is no built-in one."""


class CandidateExit(BaseException):
    """The candidate raised an exception that `except Exception` does not catch, such as SystemExit."""


class StandIn:
    """An object that stays in the candidate's process: each operation on it crosses the boundary.

    Equality is identity of the handle, decided here: no `__eq__` of the candidate has a say.
    """

    __slots__ = ("_handle", "_trial")

    def __init__(self, trial: Trial, handle: int):
        object.__setattr__(self, "_trial", trial)
        object.__setattr__(self, "_handle", handle)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object over there."""
        return self._trial.operate("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return self._trial.operate("get", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._trial.operate("set", self, name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._trial.operate("item", self, key)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._trial.operate("iter", self)
        return iterator if isinstance(iterator, StandIn) else iter(iterator)

    def __next__(self) -> Any:
        return self._trial.operate("next", self)

    def __len__(self) -> int:
        return int(self._trial.operate("len", self))

    def __bool__(self) -> bool:
        return bool(self._trial.operate("bool", self))

    def __str__(self) -> str:
        return str(self._trial.operate("str", self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StandIn) and self._handle == other._handle

    def __hash__(self) -> int:
        return hash(self._handle)


class Trial:
    """One candidate's tests: load the program, run each test alone, keep the facts."""

    def __init__(self, job: Mapping[str, Any], channel: Channel):
        self.job = job
        self.channel = channel
        self.stage = "parse"
        self.calls = {change["replacement"]: 0 for change in job["changes"]}
        self.bypass: list[str] = []
        self.trace: dict[str, list[str]] = {}
        self.error: dict[str, Any] | None = None
        self.tests: list[dict[str, Any]] = []
        self.opaque = False
        self._stand_ins: dict[int, StandIn] = {}
        self._namespace: dict[str, Any] = {}
        self._traced = {str(index) for index in range(len(job["traced"]))}
        self._over = False

    def run(self) -> None:
        """Load the program and run the tests.

        The facts are then in `stage`, `error`, `tests`, `calls`, `bypass` and `trace`.
        """
        self.channel.deadline = time.monotonic() + self.job["wall_seconds"]
        _signal.signal(_signal.SIGALRM, self._on_alarm)
        _signal.setitimer(_signal.ITIMER_REAL, self.job["wall_seconds"])
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
        if self._over or time.monotonic() < self.channel.deadline:
            return
        if self.channel.end is None:
            self.channel.end = TrialEnd("timeout", "the time limit was reached")
        raise self.channel.end

    def _end(self, end: TrialEnd) -> None:
        error = _end_facts(end)
        self.error = self.error or error
        self.tests += [{"passed": False, "error": error} for _ in range(len(self.job["tests"]) - len(self.tests))]

    # The candidate

    def _load(self) -> None:
        reply = self.channel.request({name: self.job[name] for name in ("program", "changes", "traced", "cpu_seconds")})
        self._note(reply)
        if "error" in reply:
            self.error = _error_facts(reply["error"])
            self.tests = [{"passed": False, "error": None} for _ in self.job["tests"]]

    def operate(self, operation: str, *arguments: Any) -> Any:
        """Have the candidate's process do `operation` and return its value, or raise what it raised."""
        try:
            message = [operation, *(codec.encode(argument, self._handle_of) for argument in arguments)]
        except codec.NotPlainError as error:
            raise TypeError(f"a test passes what cannot cross into the candidate's process: {error}") from None
        reply = self.channel.request(message)
        self._note(reply)
        if "error" in reply:
            raise _exception(reply["error"])
        try:
            return codec.decode(reply.get("value"), self._stand_in)
        except codec.BadValueError as error:
            raise self._no_value(str(error)) from None

    def _no_value(self, problem: str) -> TrialEnd:
        self.channel.end = TrialEnd("protocol", f"the candidate's process sent no value: {problem}")
        return self.channel.end

    def _note(self, reply: dict[str, Any]) -> None:
        if reply.get("stage") in ("parse", "load", "run"):
            self.stage = reply["stage"]
        counted = reply.get("calls")
        if type(counted) is dict:
            for name in self.calls:
                count = counted.get(name)
                if type(count) is int and count >= 0:
                    self.calls[name] = min(count, 2**53)
        taken = reply.get("bypass")
        if type(taken) is list:
            self.bypass += [code for code in BYPASSES if code in taken and code not in self.bypass]
        traced = reply.get("trace")
        if type(traced) is dict:
            for index, paths in traced.items():
                if index in self._traced and _are_paths(paths):
                    self.trace[index] = paths

    def _handle_of(self, value: object) -> int:
        if type(value) is not StandIn:
            raise codec.NotPlainError(type(value).__name__)
        handle: int = value._handle
        return handle

    def _stand_in(self, handle: int) -> StandIn:
        self.opaque = True
        return self._stand_ins.setdefault(handle, StandIn(self, handle))

    # The tests

    def _run_tests(self) -> None:
        if self.stage != "run" or self.error is not None:
            return
        self._namespace = {"__builtins__": builtins, "__name__": "tests"}
        exec(compile(self.job["helpers"], "<helpers>", "exec", dont_inherit=True), self._namespace)
        for name in dict.fromkeys((self.job["entry_point"], "candidate")):
            self._namespace[name] = self._find_entry_point()
        for number, test in enumerate(self.job["tests"], 1):
            error = self._run_test(f"<test {number}>", test["setup"] + "\n" + test["code"])
            self.tests.append({"passed": error is None, "error": error})
            self.error = self.error or error
            if self.channel.end is not None:
                raise self.channel.end

    def _run_test(self, name: str, source: str) -> dict[str, Any] | None:
        namespace = dict(self._namespace)
        tree: Any = compile(source, name, "exec", PARSE_ONLY, dont_inherit=True)
        code: CodeType = compile(tree, name, "exec", dont_inherit=True)
        try:
            self._add_globals(_loaded_names(tree), namespace)
            exec(code, namespace)
        except TrialEnd as end:
            return _end_facts(end)
        except BaseException as error:
            return _test_error(error)
        # A deadline that the test's own `except` swallowed is a deadline all the same.
        return _end_facts(self.channel.end) if self.channel.end else None

    def _add_globals(self, names: set[str], namespace: dict[str, Any]) -> None:
        """Add to `namespace` the candidate's globals that a test uses and nobody else defines."""
        for name in names:
            if name not in namespace and not hasattr(builtins, name):
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


def _end_facts(end: TrialEnd) -> dict[str, Any]:
    return {"type": type(end).__name__, "message": str(end), "line": None, "kind": end.kind}


def _undefined(name: str) -> Callable[..., Any]:
    message = f"the program does not define {name!r}"
    error: Any = NameError(message)
    error.candidate_facts = {"type": "NameError", "message": message, "line": None, "kind": "missing_entry_point"}
    return _raiser(error)


def _raiser(error: BaseException) -> Callable[..., Any]:
    def raises(*args: Any, **kwargs: Any) -> Any:
        raise error

    return raises


def _loaded_names(tree: Any) -> set[str]:
    import _ast

    names, pending = set(), [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, _ast.Name) and isinstance(node.ctx, _ast.Load):
            names.add(node.id)
        for field in node._fields:
            value = getattr(node, field, None)
            for child in value if isinstance(value, list) else [value]:
                if hasattr(child, "_fields"):
                    pending.append(child)
    return names


def _error_facts(error: Any) -> dict[str, Any]:
    """Return the facts of an error that the candidate's process reported, bounded, whatever it sent."""
    source = error if type(error) is dict else {}
    line, kind = source.get("line"), _text(source, "kind")
    return {
        "type": _text(source, "type")[:100] or "unknown",
        "message": _text(source, "message")[:MAX_TEXT],
        "line": line if type(line) is int and 0 < line < 2**31 else None,
        "kind": kind if kind in _CANDIDATE_KINDS else "exception",
    }


def _text(source: dict[str, Any], name: str) -> str:
    value = source.get(name)
    return value if type(value) is str else ""


_CANDIDATE_KINDS: Final = frozenset(
    {
        "bad_call",
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
    """Return the exception to raise in a test for one that the candidate raised: a built-in one by its name."""
    facts = _error_facts(error)
    names = error.get("bases") if type(error) is dict else None
    for name in names if type(names) is list else []:
        cls = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(cls, type) and issubclass(cls, BaseException):
            return _raisable(cls, facts)
    return _raisable(CandidateError, facts)


def _raisable(cls: type[BaseException], facts: dict[str, Any]) -> BaseException:
    if not issubclass(cls, Exception):
        cls = CandidateExit
    try:
        error: Any = cls(facts["message"])
    except TypeError:  # UnicodeDecodeError and its like need arguments of their own
        error = CandidateError(facts["message"])
    error.candidate_facts = facts
    raised: BaseException = error
    return raised


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
    """Wait for the end of `child`; kill it after `patience` seconds."""
    deadline, pause = time.monotonic() + patience, 0.0002
    while not has_ended(child) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
    killed = not has_ended(child)
    if killed:
        posix.kill(child, _signal.SIGKILL)
    _, status, usage = posix.wait4(child, 0)
    return Death(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, killed)
