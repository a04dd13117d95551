"""Werkzeug's server with threads that go from one connection to the next, and connections that go from one request to
the next: to start a thread, or to connect, takes longer than to answer many a request. There are as many threads as
connections at once, since a request may wait for long.
"""

from __future__ import annotations

import io
import logging
import queue
import socket
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext, suppress
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

# How long a connection waits for another request. SDKs notice that it was closed, and connect again. One that is sent
# in that very moment fails where its client makes one attempt: so this is longer than anybody waits between two.
REST_SECONDS = 60.0
# How long what is left of a body that nobody reads may stop to come.
DRAIN_SECONDS = 0.01
WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_Connection = tuple[Any, Any]  # a socket and its address
log = logging.getLogger("local_sagemaker")


class Server(ThreadedWSGIServer):
    """Takes connections from a listening socket's file descriptor (``fd``)."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lock = threading.Lock()
        self._connections: queue.SimpleQueue[_Connection | None] = queue.SimpleQueue()
        self._handlers: set[threading.Thread] = set()
        self._idle = 0
        self._resting: set[socket.socket] = set()
        self._ending = False

    def process_request(self, request: Any, client_address: Any) -> None:
        """Have a thread answer, a new one where all are busy."""
        with self._lock:
            if self._idle == 0:
                name = f"connections-{len(self._handlers) + 1}"  # which the log has
                thread = threading.Thread(target=self._handle, name=name, daemon=True)
                thread.start()  # where there can be no more threads this raises, and the connection is closed
                self._handlers.add(thread)
            else:
                self._idle -= 1
        self._connections.put((request, client_address))

    def _handle(self) -> None:
        while (connection := self._connections.get()) is not None:
            self.process_request_thread(*connection)
            del connection  # nothing of it is kept while there is no other
            with self._lock:
                self._idle += 1

    def rest(self, connection: socket.socket) -> bool:
        """Whether a connection may wait for another request: it is shut down where the threads are to end meanwhile."""
        with self._lock:
            if not self._ending:
                self._resting.add(connection)
            return not self._ending

    def wake(self, connection: socket.socket) -> bool:
        """Whether a connection that has waited can answer: it was not shut down."""
        with self._lock:
            found = connection in self._resting
            self._resting.discard(connection)
            return found

    def end_threads(self, *, wait: bool) -> None:
        """End the threads once they have answered, and ``wait`` for that; only while nothing is served."""
        with self._lock:
            self._ending = True
            for connection in self._resting:
                with suppress(OSError):  # its client was faster
                    connection.shutdown(socket.SHUT_RDWR)
            self._resting.clear()
        handlers, self._handlers = self._handlers, set()
        for _ in handlers:
            self._connections.put(None)
        for thread in handlers if wait else ():
            thread.join()
        self._idle, self._ending = 0, not wait


class Handler(MotoRequestHandler):
    """Answers the requests of one connection, as long as its client keeps it."""

    server: Server
    protocol_version = "HTTP/1.1"
    # An answer goes out in one piece, and does not wait for the client's word that the one before has come.
    wbufsize = io.DEFAULT_BUFFER_SIZE
    disable_nagle_algorithm = True
    _answered = False

    def handle_one_request(self) -> None:
        """Answer one request, or find that there is no other."""
        if self._answered and not self._comes():
            self.close_connection = True
            return
        super().handle_one_request()
        self.environ = {}  # a body may be large, and the connection rests
        self._answered = True

    def _comes(self) -> bool:
        """Wait for another request."""
        if not self.server.rest(self.connection):
            return False
        try:
            self.connection.settimeout(REST_SECONDS)
            begun = bool(self.rfile.peek(1))  # type: ignore[attr-defined]  # it is a BufferedReader
            self.connection.settimeout(None)
        except OSError:  # too late, or the client is gone
            begun = False
        return self.server.wake(self.connection) and begun

    def handle_expect_100(self) -> bool:
        """Say at once that the body may come."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        """Have the application answer. Werkzeug's own way closes the connection, and reads bodies without a length."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            self.send_error(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
            return
        if self.close_connection or "Transfer-Encoding" in self.headers:
            super().run_wsgi()
            return
        self.environ = environ = self.make_environ()
        body = environ["wsgi.input"] = _Body(self.rfile, int(length))
        try:
            status, headers, content = _answer(self.server.app, environ)
        except (ConnectionError, TimeoutError) as error:
            self.close_connection = True
            self.connection_dropped(error, environ)
            return
        except Exception:
            log.exception("%s %s", self.command, self.path)
            status, headers, content = "500 Internal Server Error", [("Connection", "close")], b""
        self._send(status, headers, content, keep=body.left == 0)
        if body.left:
            self._drain()

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes, *, keep: bool) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        if self.command == "HEAD" or int(code) in WITHOUT_BODY:
            content = b""
        elif not lengths:
            self.send_header("Content-Length", str(len(content)))
        elif lengths != [str(len(content))]:  # its client could not tell where the next answer begins
            keep = False
        if not keep and not self.close_connection:
            self.send_header("Connection", "close")  # which sets `close_connection`
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _drain(self) -> None:
        """Take what is still sent of a body that nobody reads: its client would not see the answer."""
        self.connection.settimeout(DRAIN_SECONDS)
        with suppress(OSError):
            while self.rfile.read1(io.DEFAULT_BUFFER_SIZE):
                pass


class _Body(io.RawIOBase):
    """A request's body, which is not read beyond its end; ``left`` bytes of it are to come."""

    def __init__(self, stream: io.BufferedIOBase, length: int) -> None:
        self._stream = stream
        self.left = length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes, or all; fewer where the client is gone."""
        content = self._stream.read(self.left if size is None or size < 0 else min(size, self.left))
        self.left -= len(content)
        return content

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def _answer(
    application: Callable[..., Any], environ: dict[str, Any]
) -> tuple[str, list[tuple[str, str]], bytes]:
    """What a WSGI application answers: status, headers and body."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[[bytes], None]:
        begun.append((status, headers))
        return written.append

    parts = application(environ, start)
    with closing(parts) if hasattr(parts, "close") else nullcontext():
        content = b"".join([*written, *parts])
    return *begun[-1], content
