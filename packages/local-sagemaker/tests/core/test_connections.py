"""Threads go from one connection to the next, connections from one request to the next, as long as both sides like."""

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

from local_sagemaker import connections
from local_sagemaker.connections import Handler, Server

AT_ONCE = 3


class Silent(Handler):
    def log_request(self, *_: Any) -> None:
        pass


class Site:
    """A server whose `/` names the thread that answers, and whose `/together` answers only `AT_ONCE` together; `/echo`
    answers with the body, `/unread` does not look at it, `/twice` says a wrong length, `/fails` raises.
    """

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
        if environ["PATH_INFO"] == "/fails":
            raise LookupError("on purpose")
        headers = [("Content-Length", "1")] if environ["PATH_INFO"] == "/twice" else []
        start_response("204 No Content" if environ["PATH_INFO"] == "/nothing" else "200 OK", headers)
        if environ["PATH_INFO"] == "/echo":
            return [environ["wsgi.input"].read()]
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


@pytest.fixture
def client(site: Site) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection(site.url.removeprefix("http://"), timeout=180)
    yield client
    client.close()


def asked(client: http.client.HTTPConnection, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    client.request(method, path, body)
    answer = client.getresponse()
    return answer.status, answer.read()


def test_requests_one_after_the_other_share_a_connection(client):
    client.connect()
    first = client.sock

    answers = [asked(client, "POST", "/echo", body) for body in (b"a", b"", b"long" * 100_000)]

    assert answers == [(200, b"a"), (200, b""), (200, b"long" * 100_000)]
    assert client.sock is first


@pytest.mark.parametrize(("method", "path"), [("HEAD", "/"), ("GET", "/nothing")])
def test_after_an_answer_without_a_body_comes_the_next_answer(client, method, path):
    client.connect()
    first = client.sock

    assert asked(client, method, path)[1] == b""
    assert asked(client, "POST", "/echo", b"a") == (200, b"a")
    assert client.sock is first


def test_requests_that_were_sent_together_are_answered_in_turn(site):
    with socket.create_connection(("127.0.0.1", site.server.port)) as connection:
        requests = [b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\n\r\n" + letter for letter in (b"a", b"b")]
        connection.sendall(requests[0] + requests[1])
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(1000), b""))

    assert [part[:1] for part in received.split(b"\r\n\r\n")[1:]] == [b"a", b"b"]


@pytest.mark.parametrize("path", ["/unread", "/twice", "/fails"])
def test_where_it_is_not_known_what_comes_next_the_connection_is_closed(client, path):
    client.request("POST", path, b"body" * 1_000_000)
    answer = client.getresponse()
    answer.read()

    assert answer.status == (500 if path == "/fails" else 200)
    assert answer.getheader("Connection") == "close"
    assert asked(client, "POST", "/echo", b"a") == (200, b"a")


def test_a_client_that_wants_no_other_answer_has_the_connection_closed(client):
    client.request("GET", "/", headers={"Connection": "close"})

    assert client.getresponse().getheader("Connection") == "close"


def test_a_body_of_no_known_length_is_read(client):
    client.request("POST", "/echo", iter([b"a", b"b"]), encode_chunked=True)

    assert client.getresponse().read() == b"ab"


@pytest.mark.parametrize("length", ["-5", "many", "1e3", ""])
def test_a_length_that_is_no_number_is_refused(site, length):
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=180) as connection:
        connection.sendall(f"POST /echo HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(1000), b""))

    assert answer.startswith(b"HTTP/1.1 400 Content-Length is no number\r\n")


def test_a_client_is_told_at_once_that_its_body_may_come(site):
    with socket.create_connection(("127.0.0.1", site.server.port), timeout=180) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        continued = connection.recv(1000)
        connection.sendall(b"a")

        assert continued == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"200 OK" in connection.recv(1000)


def test_a_pause_closes_what_rests_and_its_client_connects_again(site, client):
    asked(client, "GET", "/")
    (thread,) = site.server._handlers
    wait_until(lambda: site.server._resting)

    site.pause()
    assert not thread.is_alive()
    assert client.sock.recv(1) == b""

    site.resume()
    client.close()
    assert asked(client, "POST", "/echo", b"a") == (200, b"a")


def test_a_connection_that_rests_for_long_is_closed(site, client, monkeypatch):
    monkeypatch.setattr(connections, "REST_SECONDS", 0.05)

    asked(client, "GET", "/")

    assert client.sock.recv(1) == b""
