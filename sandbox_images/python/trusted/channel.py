"""The trusted end of the pipes to the candidate's process: timed requests, bounded replies, bounded output."""

from __future__ import annotations

import posix
import select

from ..boundary.frames import LOCKED_DOWN, BadFrameError, frame_length, pack, unpack
from ..boundary.light import TYPE_CHECKING
from ..boundary.limits import MAX_JOB_BYTES, MAX_REPLY_BYTES
from .clocks import Clock, TrialEnd

if TYPE_CHECKING:
    from typing import Any, Final

KEPT_OUTPUT_BYTES: Final = 64 * 1024
_READABLE: Final = select.POLLIN | select.POLLHUP | select.POLLERR


class Channel:
    """Sends requests to the candidate and waits for replies, until `clock` says that a limit on time is reached.

    What the candidate prints is read on the way: its first 64 KiB are kept, and more than `output_limit` bytes end
    the trial. Once a request has failed, every later one fails the same way. Requests are numbered, and a reply names
    its request: one that comes too early, or twice, is never taken for the answer to another.
    """

    def __init__(self, requests: int, replies: int, output: int, *, output_limit: int):
        self._requests, self._replies, self._output = requests, replies, output
        self._output_limit = output_limit
        self.clock: Clock | None = None
        self.printed = bytearray()
        self.printed_bytes = 0
        self.end: TrialEnd | None = None
        self._number = 0
        for descriptor in (requests, replies, output):
            posix.set_blocking(descriptor, False)
        self._poller = select.poll()
        self._poller.register(replies, _READABLE)
        self._poller.register(output, _READABLE)

    def await_lockdown(self) -> None:
        """Wait until the process is locked down, or has ended."""
        posix.set_blocking(self._replies, True)
        posix.read(self._replies, len(LOCKED_DOWN))
        posix.set_blocking(self._replies, False)

    def request(self, message: object) -> dict[str, Any]:
        """Send `message` and return the reply. Raises TrialEnd when there is none, or it is no reply.

        Raises ValueError for a message that is too long; nothing is sent then.
        """
        if self.end is None:
            frame = pack([self._number + 1, message])
            if len(frame) - 4 > MAX_JOB_BYTES:
                raise ValueError(f"the test passes {len(frame)} bytes, over the limit of {MAX_JOB_BYTES}")
            try:
                self._number += 1
                return self._exchange(frame)
            except BadFrameError as error:
                self.end = TrialEnd("protocol", f"the candidate's process sent {error}")
            except TrialEnd as end:
                self.end = end
        raise self.end

    def _exchange(self, frame: bytes) -> dict[str, Any]:
        unsent, received = self._send(memoryview(frame)), bytearray()
        expected: int | None = None
        while expected is None or len(received) < expected:
            for descriptor in self._wait(writing=bool(unsent)):
                if descriptor == self._requests:
                    unsent = self._send(unsent)
                elif descriptor == self._output:
                    self._take_output()
                else:
                    self._receive(received)
            if expected is None and len(received) >= 4:
                expected = 4 + frame_length(bytes(received[:4]), MAX_REPLY_BYTES)
        reply = unpack(bytes(received[4:expected]))
        if len(received) != expected or type(reply) is not dict or reply.get("to") != self._number:
            raise BadFrameError("more or other than one reply to one request")
        return reply

    def _wait(self, *, writing: bool) -> list[int]:
        if writing:
            self._poller.register(self._requests, select.POLLOUT)
        ready = self._poll(self._poller)
        if writing:
            self._poller.unregister(self._requests)
        # The output first: a flood of it must not go unseen behind a flood of replies.
        return sorted((descriptor for descriptor, _ in ready), key=lambda descriptor: descriptor != self._output)

    def _poll(self, poller: select.poll) -> list[tuple[int, int]]:
        """Wait for one of the pipes, or until the clock has to be looked at again."""
        if self.clock is None:
            return poller.poll()
        pause = self.clock.look()
        self.clock.idle = True
        ready = poller.poll(pause * 1000)
        self.clock.idle = not ready
        return ready

    def _send(self, unsent: memoryview) -> memoryview:
        try:
            return unsent[posix.write(self._requests, unsent) :]
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            raise TrialEnd("died", "the candidate's process has ended") from None

    def _receive(self, received: bytearray) -> None:
        try:
            chunk = posix.read(self._replies, 1 << 20)
        except BlockingIOError:  # the candidate can open its end for reading, and take back what it sent
            return
        if not chunk:
            raise TrialEnd("died", "the candidate's process has ended")
        received += chunk

    def _take_output(self) -> None:
        """Read all that has been printed so far. An answer that comes after it never overtakes it."""
        try:
            while self._output >= 0:
                self._read_output()
        except BlockingIOError:  # also where the candidate opened its end for reading, and took back what it printed
            return

    def _read_output(self) -> None:
        chunk = posix.read(self._output, 1 << 16)
        if not chunk:
            self._poller.unregister(self._output)
            posix.close(self._output)
            self._output = -1
        self.printed += chunk[: max(0, KEPT_OUTPUT_BYTES - len(self.printed))]
        self.printed_bytes += len(chunk)
        if self.printed_bytes > self._output_limit:
            raise TrialEnd("output_limit", f"the program printed more than {self._output_limit} bytes")

    def drain(self) -> None:
        """Read what the candidate printed and nobody has read yet, without waiting."""
        try:
            self._take_output()
        except TrialEnd:
            return

    def hang_up(self) -> None:
        """Close the pipe of requests, which ends a candidate's process that still listens."""
        posix.close(self._requests)

    def close(self) -> None:
        """Close the other pipes; to do so before the process has ended might be what ends it."""
        posix.close(self._replies)
        if self._output >= 0:
            posix.close(self._output)
