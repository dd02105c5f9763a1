"""Outages of the engine: noticed however short they are, waited out, and never blamed on a program."""

import logging
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat

import requests
from docker import DockerClient

from ...schemas.errors import EnvironmentFault
from .engine import engine_host, find_silence

ANSWER_SECONDS = 10.0  # an engine that takes longer for a ping is as good as gone
PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds between questions; the last one again and again

log = logging.getLogger(__name__)  # warnings reach stderr without any set-up


class Outages:
    """Counts how often the engine of `client` was lost, and waits until it is back; for any number of threads.

    A stream that only the engine's end closes stays open: a restart is noticed even when nobody asked the engine
    anything meanwhile. `mend` is called with the new count when the engine is back, before anybody goes on.
    """

    def __init__(self, client: DockerClient, patience: float, mend: Callable[[int], None]):
        self._client, self._patience, self._mend = client, patience, mend
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._fault: EnvironmentFault | None = None
        self._lifeline: requests.Response | None = None
        self.count = 0

    def start(self) -> None:
        """Begin to watch. Raises EnvironmentFault where no engine answers."""
        self._lifeline = self._tie()

    def check(self) -> int:
        """Wait until the engine answers, should it be away, and return how many outages there have been.

        Raises EnvironmentFault when it stays away for `patience` seconds, and when `stop` ends the waiting.
        """
        with self._lock:
            if self._fault is not None:
                raise self._fault
            # In this order: once an engine answers, the stream of one that died before it is closed.
            silence = find_silence(self._client, ANSWER_SECONDS)
            if silence is None and not self._is_torn():
                return self.count
            try:
                self._wait(silence)
            except EnvironmentFault as fault:
                self._fault = fault
                raise
            self.count += 1  # not before: an engine that is shutting down may still start a container
            self._mend(self.count)
            return self.count

    @property
    def given_up(self) -> bool:
        """Tell whether the engine stayed away for too long."""
        return self._fault is not None

    def stop(self) -> None:
        """End all waiting, and the watch."""
        self._stopped.set()
        if self._lifeline is not None:
            self._lifeline.close()

    def _wait(self, silence: str | None) -> None:
        """Wait until the engine answers, and watch that one. `silence` says why it does not, None that it does."""
        began, away = time.monotonic(), silence is not None
        if away:
            log.warning("the Docker Engine at %s is away: waiting for it, up to %g s", engine_host(), self._patience)
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            if silence is None:
                with suppress(EnvironmentFault):
                    self._lifeline = self._tie()
                    break
            left = began + self._patience - time.monotonic()
            if left <= 0:
                raise EnvironmentFault(
                    f"the Docker Engine was lost, and was not back within {self._patience:g} s: "
                    f"{silence or 'it answers, but is lost again at once'}. What was judged is kept: "
                    "the same command goes on from here."
                )
            if self._stopped.wait(min(pause, left)):
                raise EnvironmentFault("The sandbox is closing.")
            silence = find_silence(self._client, ANSWER_SECONDS)
        what = f"is back, after {time.monotonic() - began:.0f} s" if away else "has restarted"
        log.warning("the Docker Engine %s: what it ran is started again", what)

    def _tie(self) -> requests.Response:
        """Return a stream of events that never come: it ends with the engine."""
        if self._lifeline is not None:
            self._lifeline.close()
        api = self._client.api
        filters = {"filters": '{"type":["daemon"]}'}
        try:
            response = api.get(f"{api.base_url}/events", params=filters, stream=True, timeout=(ANSWER_SECONDS, None))
        except requests.RequestException as error:
            raise EnvironmentFault(f"the Docker Engine does not answer: {error}. Run `edittool doctor`.") from error
        return response

    def _is_torn(self) -> bool:
        """Tell whether the other end of the stream is closed; what may be left to read in it does not matter."""
        if self._lifeline is None:
            return False
        poll = select.poll()
        poll.register(self._lifeline.raw.fileno(), select.POLLRDHUP)
        return bool(poll.poll(0))
