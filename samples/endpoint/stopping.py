"""Running a coroutine that signals end, and never break into."""

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")


def run_until_stopped(coroutine: Coroutine[object, object, Result]) -> Result:
    """Run `coroutine` as `asyncio.run` does; SIGINT and SIGTERM cancel it where it next waits.

    `asyncio.run` lets a second SIGINT raise KeyboardInterrupt wherever the program happens to be: within asyncio's own
    callbacks it is told as an error of theirs, and what ends in an orderly way is cut short. Here each further signal
    changes nothing until all has ended. A signal that the process ignores stays ignored.

    Raises KeyboardInterrupt where a signal ended it.
    """
    task: asyncio.Task[object] | None = None
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if not stopped and task is not None:
            task.get_loop().call_soon_threadsafe(task.cancel)
        stopped = True

    async def whole() -> Result:
        nonlocal task
        task = asyncio.current_task()
        if stopped:  # before there was a task to cancel
            coroutine.close()
            raise asyncio.CancelledError
        return await coroutine

    with _handled(stop):  # until the loop is closed, which still ends tasks and generators
        try:
            with asyncio.Runner() as runner:
                return runner.run(whole())
        except asyncio.CancelledError:
            if stopped:
                raise KeyboardInterrupt from None
            raise


@contextmanager
def _handled(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let `stop` handle SIGINT and SIGTERM within; in a thread other than the main one, none can be handled."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    taken = {number: handler for number, handler in before.items() if callable(handler)}
    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
