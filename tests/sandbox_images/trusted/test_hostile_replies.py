"""Replies of a hostile process, made at random: none makes a test pass, none gets out of the trial, all end in time.

The trusted side is the real one, in this process; what it asks goes over real pipes to an adversary, which answers with
honest replies, changed ones and nonsense. What the tests look for is a secret that the adversary does not have.
"""

import contextlib
import copy
import fcntl
import gc
import inspect
import json
import os
import posix
import random
import time
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest

from edittool.sandbox_images.python.boundary import codec, library
from edittool.sandbox_images.python.boundary.bypasses import CODES
from edittool.sandbox_images.python.boundary.frames import BadFrameError, pack, unpack
from edittool.sandbox_images.python.boundary.limits import MAX_PATH, MAX_PATHS, MAX_TEXT
from edittool.sandbox_images.python.trusted.channel import Channel
from edittool.sandbox_images.python.trusted.clocks import Clock, TrialEnd
from edittool.sandbox_images.python.trusted.tests import CandidateExit, StandIn, Trial

from ...tiers import is_pure_run

SEEDS = range(4)
SHARE = 0.05 if is_pure_run() else 1.0  # of the trials: every few lines a few of them do
REPLIES = int(50_000 * SHARE)  # for each seed
RUNS = int(5_000 * SHARE)
ROOM = 2**20  # bytes of a reply
LONGEST = 2  # seconds of CPU time that one of these replies may take the trusted side
PATIENCE = 30  # replies in one run, before the adversary hangs up

# Coroutines that stand for the candidate's are made and dropped by the thousand.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.fixture(autouse=True)
def collect():
    """Drop those that lie in circles here too: collected later, they would warn in another test."""
    yield
    gc.collect()


VALUES = [
    *(None, True, 0, -1, 2**63 - 1, 2**70, 1.5, float("nan"), float("-inf"), 2j, "", "text", "\ud800", b"\0"),
    *([], [1, [2]], (1,), {"a": 1, (1, 2): [3]}, {1, 2, 3}, frozenset("abc"), set(range(20)), range(3), slice(1, None)),
    *(..., NotImplemented, OrderedDict(a=1), Counter("aab"), defaultdict(int, a=1), deque([1], 3), bytearray(b"x")),
    *(
        {"k": 1}.keys(),
        {"k": 1}.items(),
        Decimal("1.5"),
        Fraction(1, 3),
        date(2024, 2, 29),
        timedelta(1),
        int,
        ValueError,
    ),
    *(datetime(2024, 1, 1, tzinfo=UTC), PurePosixPath("a/b"), SimpleNamespace(a=1), memoryview(b"ab")),
]
ENCODED = [codec.encode(value, lambda other: 0) for value in VALUES]
TAGS = [*codec._DECODERS, *library.DECODERS, "handle"]
HANDLES = [
    {"handle": [number, kind]}
    for number in (0, 1, 2, -1, 2**80)
    for kind in ("a function", "a generator", "a coroutine", "an object of the program's class P", "")
]
NAMES = ["ValueError", "TypeError", "SystemExit", "KeyboardInterrupt", "StopIteration", "OSError", "UnicodeDecodeError"]
NAMES += [
    "ExceptionGroup",
    "AssertionError",
    "MemoryError",
    "ImportError",
    "SyntaxError",
    "int",
    "open",
    "__loader__",
    "\ud800",
]
KINDS = ["exception", "syntax", "out_of_memory", "bad_call", "assertion", "timeout", "passed", "sandbox", 3, None]
JUNK = [
    None,
    True,
    False,
    0,
    -1,
    2**64,
    -(2**200),
    0.5,
    1e308,
    "",
    "x",
    "x" * 700,
    "\ud800\udfff",
    "\0",
    [],
    {},
    [[]],
    {"": 0},
]


class Adversary:
    """Makes replies; `chance` decides all of it."""

    def __init__(self, chance):
        self.chance = chance

    def value(self, depth=0):
        pick = self.chance.random()
        if pick < 0.45:
            return copy.deepcopy(self.chance.choice(ENCODED))
        if pick < 0.7:
            return copy.deepcopy(self.chance.choice(HANDLES))
        if pick < 0.8 or depth > 3:
            return copy.deepcopy(self.chance.choice(JUNK))
        inner = [self.value(depth + 1) for _ in range(self.chance.randrange(4))]
        return {self.chance.choice(TAGS): inner} if pick < 0.95 else inner

    def error(self):
        choice = self.chance.choice
        return {
            "type": choice([*NAMES, *JUNK]),
            "message": choice(["no", *JUNK]),
            "args": self.value(),
            "note": choice(["", *JUNK]),
            "line": choice([1, 2**40, *JUNK]),
            "kind": choice(KINDS),
            "bases": [choice([*NAMES, *JUNK]) for _ in range(self.chance.randrange(5))] * choice([1, 1, 1, 20]),
        }

    def reply(self, number, operation):
        """Return a reply as an honest process could send it, or one that only a hostile one does."""
        choice = self.chance.choice
        reply = {"to": number, "stage": "run", "calls": {"my_f": choice([1, *JUNK])}, "trace": {}, "bypass": []} | {
            "rebound": choice([True, *JUNK]),
            "seen": choice([[["f", 1]], *JUNK]),
        }
        if self.chance.random() < 0.25 and operation != "load":
            reply["error"] = self.error()
        elif operation == "name":
            reply["value"] = {"tuple": ["value", {"handle": [0, "a function"]}]}
        elif operation == "call_and_show":
            reply["value"] = {
                "tuple": [self.value(), choice([None, {"tuple": [{"tuple": [self.value()]}, {"dict": []}]}])]
            }
        elif operation == "signature":
            reply["value"] = [
                {"tuple": [choice(["x", "y", *JUNK]), choice([0, 1, 9]), {"tuple": []}]} for _ in range(2)
            ]
        else:
            reply["value"] = self.value()
        if self.chance.random() < 0.2:
            reply["bypass"] = [choice([*CODES, *JUNK]) for _ in range(self.chance.randrange(30))]
            reply["trace"] = {choice(["0", "1", "x"]): choice([["list"], ["x" * 300], ["a"] * 20, *JUNK])}
            reply["stage"] = choice(["parse", "load", "run", *JUNK])
        return self.changed(reply) if self.chance.random() < 0.3 else reply

    def changed(self, reply):
        """Return `reply` with a part anywhere in it replaced, removed or repeated."""
        part = reply
        for _ in range(self.chance.randrange(1, 6)):
            if type(part) is dict and part:
                key = self.chance.choice(list(part))
            elif type(part) is list and part:
                key = self.chance.randrange(len(part))
            else:
                break
            if self.chance.random() < 0.4 or type(part[key]) not in (dict, list):
                self.spoil(part, key)
                break
            part = part[key]
        return reply

    def spoil(self, part, key):
        way = self.chance.randrange(4)
        if way == 0:
            del part[key]
        elif way == 1 and type(part) is list:
            part += copy.deepcopy(part)
        elif way == 2 and type(part) is dict:
            part[self.chance.choice(TAGS)] = part[key]
        else:
            part[key] = self.value()

    def sent(self, number, operation):
        """Return the bytes of a reply, and whether the process hangs up after it."""
        frame = pack(self.reply(number, operation))
        way = self.chance.random()
        if way < 0.8:
            return frame, False
        body = bytearray(frame[4:])
        if way < 0.9:
            for _ in range(self.chance.randrange(1, 4)):
                body[self.chance.randrange(len(body))] = self.chance.choice(b'"[]{},:0129eE.-\\ux\0\xff ntf')
        elif way < 0.93:
            body[self.chance.randrange(len(body)) :] = b"[" * self.chance.choice([1, 200, 3000])
        elif way < 0.96:
            return frame + pack(self.reply(number + 1, operation)), False  # the answer to what nobody has asked yet
        elif way < 0.98:
            return frame[: self.chance.randrange(len(frame))], True
        else:
            length = self.chance.choice([0, 1, len(body) - 1, len(body) + 1, 2**23 + 1, 2**32 - 1])
            return length.to_bytes(4, "big") + body, True
        return len(body).to_bytes(4, "big") + bytes(body), False


class Wire(Channel):
    """The trusted end of the pipes. At the other end is the adversary: it has answered when an answer is awaited."""

    def __init__(self, adversary, patience):
        requests, self.far_requests = posix.pipe()[::-1]
        replies, self.far_replies = posix.pipe()
        fcntl.fcntl(replies, fcntl.F_SETPIPE_SZ, ROOM)
        output, self.far_output = posix.pipe()
        super().__init__(requests, replies, output, output_limit=1000)
        os.set_blocking(self.far_requests, False)
        self.adversary, self.patience = adversary, patience

    def _exchange(self, frame):
        number, message = unpack(frame[4:])
        self.patience -= 1
        sent, last = self.adversary.sent(number, "load" if type(message) is dict else message[0])
        if self.far_replies >= 0:
            os.write(self.far_replies, sent)
        if last or self.patience <= 0:
            self.hang_up_there()
        try:
            return super()._exchange(frame)
        finally:
            with contextlib.suppress(BlockingIOError):  # the channel saw the end before it had sent anything
                os.read(self.far_requests, 1 << 16)

    def hang_up_there(self):
        if self.far_replies >= 0:
            os.close(self.far_replies)
            self.far_replies = -1

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.hang_up_there()
        self.hang_up()
        self.close()
        os.close(self.far_requests)
        os.close(self.far_output)
        library._RECORDS.clear()  # as between two jobs


LIMITS = {"cpu_seconds": 3600.0, "total_cpu_seconds": 3600.0, "wall_seconds": 3600.0}


def job(*tests):
    changes = [{"deprecated": "f", "replacement": "my_f", "shim": ""}]
    tests = [{"setup": "", "code": test} for test in tests]
    return {
        "program": "",
        "changes": changes,
        "traced": ["x"],
        "entry_point": "g",
        "helpers": "",
        "tests": tests,
        "run": "first",
        "own": "my_f",
        "counterfactual": None,
    } | LIMITS


def trial_of(job, wire):
    # The adversary is this very process, whose CPU time counts for both sides.
    return Trial(job, wire, Clock(os.getpid(), job, beat=lambda: None))


PLAIN = {type(value) for value in VALUES} | {
    type,
    StandIn,
    *library._FACTORIES.values(),
    *map(type, ([].__iter__, {}.values())),
}


def check_plain(value):
    """Assert that all in `value` is data, or stands for an object that stayed, and none of it the secret."""
    kind = type(value)
    if inspect.iscoroutine(value):
        value.close()
    elif kind is StandIn:
        assert type(value._handle) is int
        assert len(value._kind) <= codec.MAX_DESCRIPTION
    elif issubclass(kind, type):
        assert value.__module__ in {"builtins", *library.TYPES.values(), "_decimal", "decimal"}, value
    elif kind in (list, tuple, set, frozenset, deque) or isinstance(value, library.Record):
        assert kind in PLAIN or kind.__mro__[1] is library.Record, kind
        for each in value:
            check_plain(each)
    elif isinstance(value, dict):
        for pair in value.items():
            check_plain(pair)
    else:
        assert kind in PLAIN or kind.__name__ in library.DECODERS or kind.__name__ == "NotImplementedType", kind


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reply_is_data_or_an_error_and_never_what_a_test_looks_for(seed):
    chance = random.Random(seed)
    longest, done, ends = 0.0, 0, Counter()
    while done < REPLIES:
        with Wire(Adversary(chance), PATIENCE) as wire:
            trial = trial_of(job(), wire)
            target = StandIn(trial, 0, "a function", "")
            while wire.end is None:
                done += 1
                operation = chance.choice(["call", "call", "name", "get", "next", "len", "fields", "signature"])
                secret = f"secret {chance.random()}"
                began = time.process_time()
                value, error = outcome(lambda: trial.operate(operation, target))  # noqa: B023 - called at once
                longest = max(longest, time.process_time() - began)
                if isinstance(error, TrialEnd):
                    assert error is wire.end
                    ends[error.kind] += 1
                elif error is not None:
                    check_facts(error.candidate_facts)
                    assert isinstance(error, Exception | CandidateExit)
                else:
                    check_plain(value)
                    assert not equal(value, secret)
            check_notes(trial)
    assert ends.keys() == {"protocol", "died"}
    assert longest < LONGEST


def outcome(action):
    """Return the value of `action` and None, or None and what it raised."""
    try:
        return action(), None
    except (Exception, CandidateExit, TrialEnd) as error:
        return None, error


def equal(value, secret):
    try:
        return bool(value == secret) or bool(secret == value)
    except (TypeError, ArithmeticError, RecursionError):
        return False


def check_facts(facts):
    assert facts.keys() == {"type", "message", "line", "kind"}
    assert type(facts["type"]) is str
    assert len(facts["type"]) <= 100
    assert type(facts["message"]) is str
    assert len(facts["message"]) <= MAX_TEXT
    assert facts["line"] is None or 0 < facts["line"] < 2**31
    assert type(facts["kind"]) is str


def check_notes(trial):
    assert trial.stage in ("parse", "load", "run")
    assert set(trial.bypass) <= set(CODES)
    assert len(trial.bypass) == len(set(trial.bypass))
    assert all(type(count) is int and 0 <= count <= 2**53 for count in trial.calls.values())
    assert trial.calls.keys() == {"my_f"}
    assert trial.trace.keys() <= {"0"}
    assert all(
        len(paths) <= MAX_PATHS and all(len(path) <= MAX_PATH for path in paths) for paths in trial.trace.values()
    )


# Each passes for a candidate that knows the secret S (or the number N), and for no other.
TESTS = [
    "assert candidate(3) == S",
    "assert S == candidate([1], k=2)",
    "assert list(candidate(3)) == [S]",
    "assert [*candidate(3)][0] == S",
    "assert candidate(3)[0] == S",
    "assert candidate(3).x == S",
    "assert candidate(3).f(1) == S",
    "assert len(candidate(3)) == N",
    "assert str(candidate(3)) == S",
    "assert repr(candidate(3)) == repr(S)",
    "assert S in candidate(3)",
    "assert candidate(3) in (S, N)",
    "assert candidate(3) == {S: 1}",
    "assert sorted(candidate(3)) == [S]",
    "assert tuple(candidate(3)) == tuple(S)",
    "assert abs(candidate(3) - N) < 1e-6",
    "import math\nassert math.isclose(candidate(3), N)",
    "assert N - 1 < candidate(3) < N + 1",
    "try:\n    candidate(3)\nexcept ValueError as error:\n    assert str(error) == S\nelse:\n    assert False",
    "try:\n    candidate(3)\nexcept Exception as error:\n    assert error.args == (S,)\nelse:\n    assert False",
    "changed = [1]\ncandidate(changed)\nassert changed == [S]",
    "changed = {1: [2]}\ncandidate(changed)\nassert changed[1] == S",
    "assert not candidate(3) != S",
    "assert {candidate(3): 1}[S] == 1",
    "assert max(candidate(3), key=lambda item: item == S) == S",
    "import inspect\nassert [*inspect.signature(candidate).parameters] == [S]",
    "assert candidate.__doc__ == S",
    "assert helper(3) == S",
    "match candidate(3):\n    case [x] if x == S: pass\n    case _: assert False",
    "with contextlib.suppress(KeyError):\n    assert candidate(3) == S\n    raise SystemExit\nassert S == candidate(3)",
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_no_replies_make_a_test_pass(seed):
    chance = random.Random(1000 + seed)
    stages = Counter()
    for _ in range(RUNS):
        names = {"S": f"secret {chance.random()}", "N": chance.randrange(10**6, 10**9), "contextlib": contextlib}
        tests = chance.sample(TESTS, 2)
        with Wire(Adversary(chance), PATIENCE) as wire:
            trial = trial_of(
                job(*tests) | {"helpers": f"S = {names['S']!r}\nN = {names['N']}\nimport contextlib"}, wire
            )
            trial.run()
            stages[trial.stage] += 1
            assert len(trial.tests) == len(tests)
            for test, found in zip(tests, trial.tests, strict=True):
                assert found["passed"] is False, test
                assert found["error"] is None or check_facts(found["error"]) is None
            check_notes(trial)
            told = {"tests": trial.tests, "error": trial.error, "trace": trial.trace, "calls": trial.calls}
            assert json.loads(pack(told)[4:]) == told
    assert stages["run"] > RUNS / 2


def test_a_program_that_did_not_load_and_names_no_error_fails_every_test():
    class Silent(Adversary):
        def sent(self, number, operation):
            return pack({"to": number, "stage": "load", "value": None}), False

    with Wire(Silent(random.Random(0)), PATIENCE) as wire:
        trial = trial_of(job(*TESTS[:3]), wire)
        trial.run()
    assert [(test["passed"], test["error"]["kind"]) for test in trial.tests] == [(False, "protocol")] * 3


def test_a_candidate_that_knows_passes():
    """The other way round: these tests can be passed, by replies that an honest process sends."""

    class Honest(Adversary):
        def sent(self, number, operation):
            value = {"tuple": ["value", {"handle": [0, "a function"]}]} if operation == "name" else self.known
            return pack({"to": number, "stage": "run", "calls": {}, "value": value}), False

    passed = 0
    for test, known in [
        (TESTS[0], "S"),
        (TESTS[1], "S"),
        (TESTS[2], ["S"]),
        (TESTS[4], ["S"]),
        (TESTS[12], {"dict": [["S", 1]]}),
    ]:
        adversary = Honest(random.Random(0))
        adversary.known = known
        with Wire(adversary, PATIENCE) as wire:
            trial = trial_of(job(test) | {"helpers": "S = 'S'"}, wire)
            trial.run()
            passed += trial.tests[0]["passed"]
    assert passed == 5


@pytest.mark.parametrize("seed", SEEDS)
def test_bytes_are_a_message_or_a_bad_frame(seed):
    chance = random.Random(2000 + seed)
    adversary = Adversary(chance)
    for number in range(REPLIES // 5):
        frame, _ = adversary.sent(number, "call")
        with contextlib.suppress(BadFrameError, codec.BadValueError):
            message = unpack(frame[4:])
            check_plain(codec.decode(message.get("value") if type(message) is dict else message, find_by_number))
    library._RECORDS.clear()


def find_by_number(handle, kind):
    """Return what stands for a handle, as a trial does: here by its number alone, so equal if the numbers are."""
    if type(handle) is not int:
        raise codec.BadValueError("a handle is a number")
    return handle
