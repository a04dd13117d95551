"""A stand-in for GitHub's REST API on the loopback address.

One repository: branches, commits and files are those of a real (bare) Git repository, everything else is kept
in plain attributes that a test can look at. Answers have the fields that PyGithub and the GitHub CLI read.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from support.github.repository import GitRepository

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of this program
    """An answer that is not a success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Cut(Exception):  # noqa: N818 - as above
    """The connection ends without an answer."""


class GitHub:
    """The server and its state. ``token`` is the one it accepts.

    ``pulls`` and ``issues`` share their numbers, as on GitHub; ``comments`` are by issue number. ``requests``
    lists every request as (method, path without the repository's prefix). ``dispatches`` are the workflow runs that
    were started by request, oldest first. Use it as a context manager.
    """

    def __init__(self, directory: Path, repository: str = "owner/name", token: str = "token") -> None:
        self.repository = repository
        self.owner, self.name = repository.split("/")
        self.token = token
        self.is_administrator = True  # whether the token may administer the repository
        self.permissions: dict[str, str] | None = (
            None  # of a workflow's token; None for a person's, who may do all
        )
        self.git = GitRepository(directory)
        self.pulls: dict[int, Json] = {}
        self.issues: dict[int, Json] = {}
        self.comments: dict[int, list[Json]] = {}
        self.user: Json = {"login": "administrator", "id": 3, "type": "User"}
        self.variables: dict[str, dict[str, str]] = {"": {}}  # by environment, "" is the repository
        self.environments: dict[str, Json] = {}
        self.rulesets: list[Json] = []
        self.settings: dict[str, Json] = {"actions/oidc/customization/sub": {"use_default": True}}
        self.dispatches: list[Json] = []
        self.requests: list[tuple[str, str]] = []
        self._failures: list[list[Any]] = []
        self._lock = threading.RLock()
        self._number = 0

    def __enter__(self) -> GitHub:
        handler = type("Handler", (_Handler,), {"github": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.resume()
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()
        self._server.server_close()

    def pause(self) -> None:
        """Answer nothing until `resume`, which a fork of this process may do as well."""
        self._server.shutdown()
        self._thread.join(timeout=5)

    def resume(self) -> None:
        """Answer."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which a command finds this stand-in."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": self.repository, "GITHUB_TOKEN": self.token}

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that may have changed something."""
        return [request for request in self.requests if request[0] != "GET"]

    def fail(self, method: str, path: str, status: int, message: str, times: int = 1) -> None:
        """Answer the next ``times`` requests that fit (``path`` is a regular expression) with an error."""
        self._failures.append([method, re.compile(path), status, message, times])

    def heal(self) -> None:
        """Fail no more."""
        self._failures.clear()

    def act_in_workflow(self) -> None:
        """From now on the token is a workflow's own."""
        self.user = {"login": "github-actions[bot]", "id": 2, "type": "Bot"}

    def merge(self, number: int) -> str:
        """Merge a pull request as a person does; returns the merge commit."""
        with self._lock:
            pull = self.pulls[number]
            message = f"Merge pull request #{number} from {pull['head']['ref']}\n\n{pull['title']}"
            sha = self.git.merge(pull["base"]["ref"], pull["head"]["ref"], message)
            pull |= {"state": "closed", "merged": True, "merge_commit_sha": sha}
            pull["merged_at"] = "2026-01-01T00:00:00Z"
            return sha

    def answer(
        self, method: str, path: str, query: dict[str, str], body: Json, token: str
    ) -> tuple[int, Any]:
        """One request's status and document."""
        prefix = f"/repos/{self.repository}"
        if token.split()[-1:] != [self.token]:
            raise Refusal(401, "Bad credentials")
        if path == "/user":
            if self.user["type"] == "Bot":
                raise Refusal(403, "Resource not accessible by integration")
            return 200, self.user
        if re.fullmatch(r"/users/[\w-]+", path):
            login = path.rsplit("/", 1)[-1]
            return 200, {"id": zlib.crc32(login.encode()), "login": login, "type": "User"}
        if path != prefix and not path.startswith(f"{prefix}/"):
            raise Refusal(404, "Not Found")
        rest = unquote(path.removeprefix(prefix).lstrip("/"))
        with self._lock:
            self.requests.append((method, rest))
            for failure in self._failures:
                if failure[4] and failure[0] == method and failure[1].search(rest):
                    failure[4] -= 1
                    raise Refusal(failure[2], failure[3])
            self._require_permission(method, rest)
            for verb, pattern, function in _ROUTES:
                found = re.fullmatch(pattern, rest)
                if verb == method and found:
                    return function(self, query=query, body=body, **found.groupdict())
        raise Refusal(404, "Not Found")

    def _require_permission(self, method: str, path: str) -> None:
        """Refuse a change that the permissions of a workflow's token do not cover, in GitHub's words."""
        if self.permissions is None or method == "GET":
            return
        needed = next(names for pattern, names in _PERMISSIONS if re.match(pattern, path))
        if not any(self.permissions.get(name) == "write" for name in needed):
            raise Refusal(403, "Resource not accessible by integration")

    def next_number(self) -> int:
        """The number of the next issue or pull request."""
        self._number += 1
        return self._number

    def address(self, path: str) -> str:
        """The API's URL of something in the repository."""
        return f"{self.url}/repos/{self.repository}/{path}"

    def commit_of(self, name: str) -> str:
        """The commit that a branch or SHA names; 404 where there is none."""
        sha = self.git.resolve(name)
        if not sha:
            raise Refusal(404, "Not Found")
        return sha


class _Handler(BaseHTTPRequestHandler):
    github: GitHub
    protocol_version = "HTTP/1.1"

    def _respond(self) -> None:
        address = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(address.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("Authorization", "")
        try:
            status, document = self.github.answer(
                self.command, address.path, query, json.loads(raw or b"{}"), token
            )
        except Cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        except Refusal as refusal:
            status, document = refusal.status, {"message": refusal.message, "documentation_url": ""}
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _respond  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


# What a token needs one of to change something below a path (GitHub, "Permissions required for GitHub Apps").
_PERMISSIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"git/", ("contents",)),
    (r"pulls", ("pull-requests",)),
    (r"issues/(\d+/)?comments", ("issues", "pull-requests")),
    (r"issues", ("issues",)),
    (r"actions/workflows/", ("actions",)),
    (r"", ("administration",)),
)
Route = Callable[..., tuple[int, Any]]
_ROUTES: list[tuple[str, str, Route]] = []


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Answer requests whose path below the repository fits ``pattern`` (a regular expression)."""

    def install(function: Route) -> Route:
        _ROUTES.append((method, pattern, function))
        return function

    return install


def found(those: dict[int, Json], number: str) -> Json:
    """The pull request, issue or the like with a number; 404 where there is none."""
    if int(number) not in those:
        raise Refusal(404, "Not Found")
    return those[int(number)]
