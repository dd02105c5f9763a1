"""The running engine behind a socket of a test's own, at which certain requests are answered with an error.

Whatever else is asked goes to the real engine and back, byte for byte.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer

ANSWER = (
    "HTTP/1.1 {status} Error\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
)
SAID = b'{"message": "the disk \x1b[2J is on fire"}\n'.replace(b"\x1b", b"\\u001b")
SECONDS = 120  # the longest silence of a connection


@contextmanager
def failing_engine(engine: Path, socket_path: Path, request: str, status: int = 500) -> Iterator[str]:
    """Yield the address of the engine at the socket `engine`, whose requests that match `request` fail.

    `request` is a regular expression for the method and the path, without the version of the API: "POST /build".
    """

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(SECONDS)
            with suppress(OSError):
                head = _read_head(self.request)
                if re.match(request, re.sub(rb" /v[\d.]+/", b" /", head).decode("latin-1")):
                    _refuse(self.request, status)
                elif head:
                    _pass_on(self.request, head, engine)

    with ThreadingUnixStreamServer(str(socket_path), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"unix://{socket_path}"
        finally:
            server.shutdown()
            thread.join()


def _read_head(client: socket.socket) -> bytes:
    """Return what was read up to the end of a request's head, and perhaps a part of its body."""
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = client.recv(65536)
        if not chunk:
            return b""
        head += chunk
    return head


def _refuse(client: socket.socket, status: int) -> None:
    client.sendall(ANSWER.format(status=status, length=len(SAID)).encode() + SAID)
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):  # its body: a socket closed before would cut the answer off
        continue


def _pass_on(client: socket.socket, head: bytes, engine: Path) -> None:
    """Hand one request to the engine: after its answer the connection ends, unless it is turned into a stream."""
    if b"\r\nupgrade:" not in head.lower():
        head = re.sub(rb"\r\nConnection: [^\r]*", b"", head, flags=re.IGNORECASE)
        head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.socket(socket.AF_UNIX) as upstream:
        upstream.connect(str(engine))
        upstream.sendall(head)
        sender = threading.Thread(target=_copy, args=(client, upstream), daemon=True)
        sender.start()
        _copy(upstream, client)
        sender.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
