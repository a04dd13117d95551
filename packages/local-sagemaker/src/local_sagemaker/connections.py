"""Werkzeug's server with threads that go from one connection to the next: to start one for each takes longer than to
answer many a request. There are as many as connections at once, since a request may wait for long.
"""

from __future__ import annotations

import queue
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer

_Connection = tuple[Any, Any]  # a socket and its address


class Server(ThreadedWSGIServer):
    """Takes connections from a listening socket's file descriptor (``fd``)."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lock = threading.Lock()
        self._connections: queue.SimpleQueue[_Connection | None] = queue.SimpleQueue()
        self._handlers: set[threading.Thread] = set()
        self._idle = 0

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

    def end_threads(self, *, wait: bool) -> None:
        """End the threads once they have answered, and ``wait`` for that; only while nothing is served."""
        handlers, self._handlers = self._handlers, set()
        for _ in handlers:
            self._connections.put(None)
        for thread in handlers if wait else ():
            thread.join()
        self._idle = 0
