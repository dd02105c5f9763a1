"""A coroutine ends by a signal as it would by itself, however many more come."""

import asyncio
import os
import signal
import threading

import pytest

from edittool.samples.endpoint.stopping import run_until_stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def test_a_result_is_returned_and_an_error_raised() -> None:
    async def works() -> int:
        await asyncio.sleep(0)
        return 7

    async def fails() -> None:
        raise ValueError("its own")

    before = [signal.getsignal(number) for number in SIGNALS]
    assert run_until_stopped(works()) == 7
    with pytest.raises(ValueError, match="its own"):
        run_until_stopped(fails())
    with pytest.raises(asyncio.CancelledError):  # no signal came: it is no interruption
        run_until_stopped(cancelled())
    assert [signal.getsignal(number) for number in SIGNALS] == before


async def cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_end_it_where_it_waits_and_break_into_nothing(number: signal.Signals) -> None:
    """Each step, and the ends of another task and of a generator, are gone through as signals come."""
    steps = []

    def signalled(step: str) -> None:
        os.kill(os.getpid(), number)
        steps.append(step)

    async def beside() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            signalled("a task ends")
            await asyncio.sleep(0)
            steps.append("a task has ended")

    async def numbers():  # type: ignore[no-untyped-def]
        try:
            yield 1
            yield 2
        finally:
            signalled("a generator ends")

    async def work() -> None:
        asyncio.get_running_loop().call_soon(signalled, "a callback")
        task = asyncio.create_task(beside())
        open_numbers = numbers()
        assert await anext(open_numbers) == 1
        steps.append("goes on to where it waits")
        try:
            await asyncio.sleep(60)
            steps.append("never")
        finally:
            signalled("ends")
            await asyncio.sleep(0.01)
            steps.append("has ended")
            assert not task.done()

    kept = signal.getsignal(number)
    # Where the function did not handle them, the process would end by SIGTERM.
    signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_until_stopped(work())
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, kept)
    assert steps == [
        "goes on to where it waits",
        "a callback",
        "ends",
        "has ended",
        "a task ends",
        "a task has ended",
        "a generator ends",
    ]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    async def work() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.01)
        return "done"

    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run_until_stopped(work()) == "done"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, kept)


def test_another_thread_handles_no_signals() -> None:
    got = []

    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    thread = threading.Thread(target=lambda: got.append(run_until_stopped(work())))
    thread.start()
    thread.join()
    assert got == [3]
