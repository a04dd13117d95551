"""Threads go from one connection to the next, and there are as many as connections at once."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from socketserver import BaseServer
from typing import Any

import pytest
from core_kit import wait_until
from werkzeug.serving import WSGIRequestHandler

from local_sagemaker.connections import Server

AT_ONCE = 3


class Silent(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass


class Site:
    """A server whose `/` names the thread that answers, and whose `/together` answers only `AT_ONCE` together."""

    def __init__(self) -> None:
        self._meeting = threading.Barrier(AT_ONCE, timeout=180)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.server = Server("127.0.0.1", port, self._answer, Silent, fd=self._listening.fileno())
        self.url = f"http://127.0.0.1:{port}"
        self._start()

    def _start(self) -> None:
        # As a local AWS does: werkzeug's own closes the socket when it ends.
        self._serving = threading.Thread(
            target=BaseServer.serve_forever, args=(self.server, 0.01), daemon=True
        )
        self._serving.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/together":
            self._meeting.wait()
        start_response("200 OK", [("Connection", "close")])
        return [threading.current_thread().name.encode()]

    def ask(self, path: str = "/") -> str:
        with urllib.request.urlopen(self.url + path, timeout=180) as answer:
            return str(answer.read().decode())

    def ask_in_turn(self, times: int) -> set[str]:
        names = set()
        for _ in range(times):
            names.add(self.ask())
            wait_until(lambda: self.server._idle == len(self.server._handlers))
        return names

    def pause(self) -> None:
        self.server.shutdown()
        self._serving.join()
        self.server.end_threads(wait=True)

    def resume(self) -> None:
        self._start()

    def end(self) -> None:
        self.pause()
        self.server.server_close()
        self._listening.close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.end()


def test_one_after_the_other_has_one_thread(site):
    assert len(site.ask_in_turn(5)) == 1


def test_as_many_as_are_there_at_once_have_a_thread_each(site):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        names = list(pool.map(site.ask, ["/together"] * AT_ONCE))

    assert len(set(names)) == AT_ONCE


def test_after_a_pause_no_thread_is_left_and_others_answer(site):
    site.ask_in_turn(1)
    (thread,) = site.server._handlers

    site.pause()
    assert not thread.is_alive()

    site.resume()
    assert len(site.ask_in_turn(3)) == 1


def test_where_no_thread_can_be_started_that_connection_is_closed_alone(site, monkeypatch):
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("connections"):
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises((http.client.HTTPException, OSError)):
            site.ask()

    site.pause()
    site.resume()
    assert len(site.ask_in_turn(3)) == 1
