"""What stands in front of all else: programs of this machine are let in, web pages are not.

A page can make its reader's browser send requests to the loopback address. They carry an `Origin` header, or say by
`Sec-Fetch-Site` that a page made them; those of a page whose name was made to mean 127.0.0.1 (DNS rebinding) carry that
name as their host.
"""

from __future__ import annotations

import functools
import io
import logging
from collections.abc import Callable, Iterable
from typing import Any

import botocore.session

from local_sagemaker.bridge import Application, AWSError
from local_sagemaker.wire import Request, respond

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Headers by which a browser tells another site, or nobody, what it may read of an answer.
CORS = "access-control-"
log = logging.getLogger("local_sagemaker")


class Door:
    """WSGI application that hands on to ``inner`` what no web page sent; ``port`` is its own."""

    def __init__(self, inner: Application, port: int) -> None:
        self._inner = inner
        # A browser leaves out the port of plain HTTP.
        self._hosts = [f"{name}:{port}" for name in LOOPBACK] + (list(LOOPBACK) if port == 80 else [])

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, or refuse it by its headers alone."""
        reason = self._why_not(environ)
        if reason is not None:
            log.warning("refused a request of a web page: %s", reason)
            # Read without its body, which may never come.
            request = Request({**environ, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
            return respond(request, AWSError("AccessDenied", reason, 403), start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [(name, value) for name, value in headers if not name.lower().startswith(CORS)]
            return start_response(status, kept, *more)

        return self._inner(environ, start)

    def _why_not(self, environ: dict[str, Any]) -> str | None:
        """The sentence that refuses a request; None for one that may come in."""
        fetched = environ.get("HTTP_SEC_FETCH_SITE", "none")
        for name, value in (("Origin", environ.get("HTTP_ORIGIN")), ("Sec-Fetch-Site", fetched)):
            if value is not None and (name, value) != ("Sec-Fetch-Site", "none"):
                return (
                    f"the local AWS answers no web page, and this request has a browser's header {name}: "
                    f"{_shown(value)}; use an SDK, the aws command line or curl"
                )
        host = environ.get("HTTP_HOST", "").lower()
        if host not in self._hosts and not _is_of_aws(host):
            return (
                f"the local AWS is {self._hosts[0]}, and this request's Host is {_shown(host) or 'missing'}; "
                f"set AWS_ENDPOINT_URL to http://{self._hosts[0]}"
            )
        return None


def _is_of_aws(host: str) -> bool:
    """Whether it is a name of AWS, which nobody else can make mean this machine: a client may send it here."""
    return host.partition(":")[0].endswith(_suffixes())


@functools.cache
def _suffixes() -> tuple[str, ...]:
    """The ends of the names of AWS's services, in all partitions."""
    data = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    outputs = [partition["outputs"] for partition in data["partitions"]]
    return tuple(f".{output[name]}" for output in outputs for name in ("dnsSuffix", "dualStackDnsSuffix"))


def _shown(value: str) -> str:
    """A header's value for the terminal and the log: short, without control characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in value[:100])
