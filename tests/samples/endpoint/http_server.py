"""A real HTTP server on loopback that answers as a test tells it, rightly or wrongly, down to the bytes."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request: `number` counts from 0 over all of them."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: Json

    @property
    def text(self) -> str:
        return self.body["prompt"] if "prompt" in self.body else self.body["messages"][-1]["content"]


@dataclass(frozen=True)
class Reply:
    """What is sent: `cut` bytes of the body alone, then the connection is cut; `drip` seconds between its bytes."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    cut: int | None = None
    drip: float = 0.0


def says(text: str | None, reason: str | None = "stop", **more: Any) -> Reply:
    """An answer of either API."""
    message = {"role": "assistant", "content": text, **more}
    choice = {"index": 0, "message": message, "text": text, "finish_reason": reason}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return Reply(json.dumps({"model": "served", "choices": [choice], "usage": usage}).encode())


def refuses(status: int, message: str = "no", headers: Mapping[str, str] | None = None, **error: Any) -> Reply:
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return Reply(body, status, headers or {})


Behaviour = Callable[[Asked], Reply]


class Server:
    def __init__(self, behave: Behaviour):
        self.behave, self.asked = behave, []
        self.port, self.most_at_once, self._at_once = 0, 0, 0

    asked: list[Asked]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self) -> list[Json]:
        return [one.body for one in self.asked if one.body]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        asked = Asked(len(self.asked), first.split()[1], headers, json.loads(data or b"{}"))
        self.asked.append(asked)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return await self._reply(writer, self.behave(asked))
        finally:
            self._at_once -= 1

    async def _reply(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        await asyncio.sleep(reply.delay)
        headers = {"content-type": "application/json", "content-length": str(len(reply.body)), **reply.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Word\r\n{head}\r\n".encode("latin-1"))
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        step = 1 if reply.drip else 2**16
        for start in range(0, len(body), step):
            writer.write(body[start : start + step])
            await writer.drain()
            await asyncio.sleep(reply.drip)
        await writer.drain()
        return reply.cut is None


@contextmanager
def serving(behave: Behaviour) -> Iterator[Server]:
    """Serve on a free port of loopback, in a thread of its own."""
    server, loop, ready = Server(behave), asyncio.new_event_loop(), threading.Event()

    async def run(stop: asyncio.Event) -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        listening.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close in the loop's next round

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(stop),))
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
