"""Requests that wait for a model together become one, since a prediction of ten rows takes no longer than one of one.

Only what cannot change an answer is joined: small requests of plain CSV, one line a row, answered as CSV. Where the
joint one fails, each is asked by itself, so that one that is malformed fails alone and with its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from local_sagemaker.serving import responses

# Body, content type, accept.
Request = tuple[bytes, str, str]
# ("answer", body, type), ("refused", reason) or ("error", reason).
Outcome = tuple[Any, ...]
MOST_BYTES = 65_536  # of one request that is joined, and MOST_REQUESTS of one joint request
MOST_REQUESTS = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # is none within a file


def kind(request: Request) -> tuple[str, str] | None:
    """Requests of the same kind may be one; one of none (None) is asked by itself."""
    return request[1:] if _rows(request[0], request[1]) else None


def answers(ask: Callable[[Request], Outcome], requests: Sequence[Request]) -> list[Outcome]:
    """The outcome of each of the requests, which are of one kind; ``ask`` answers one."""
    if len(requests) > 1:
        outcome = ask((b"".join(_ended(body) for body, *_ in requests), *requests[0][1:]))
        parts = _split(outcome, [_rows(*request[:2]) for request in requests])
        if parts:
            return parts
    return [ask(request) for request in requests]


def _rows(body: bytes, content_type: str) -> int:
    """How many rows a request has; 0 for one that is not joined."""
    plain = (
        content_type.split(";")[0].strip().lower() == responses.CSV
        and len(body) <= MOST_BYTES
        and not body.startswith(_BYTE_ORDER_MARK)
        and b'"' not in body
        and b"\r" not in body
    )
    lines = _ended(body).split(b"\n")[:-1] if plain else []
    return len(lines) if all(line.strip() for line in lines) else 0


def _ended(body: bytes) -> bytes:
    return body if body.endswith(b"\n") else body + b"\n"


def _split(outcome: Outcome, counts: list[int]) -> list[Outcome]:
    """The parts of a joint answer with so many rows each; none where it cannot be told which row is whose."""
    if outcome[0] != "answer" or outcome[2] != responses.CSV:
        return []
    rows = _csv_rows(outcome[1])
    if len(rows) != sum(counts):
        return []
    parts, start = [], 0
    for count in counts:
        parts.append(("answer", b"".join(rows[start : start + count]), outcome[2]))
        start += count
    return parts


def _csv_rows(text: bytes) -> list[bytes]:
    """The rows of a CSV as they stand; one in quotation marks may have several lines."""
    rows, begun = [], b""
    for line in text.split(b"\n")[:-1]:
        begun += line + b"\n"
        if begun.count(b'"') % 2 == 0:
            rows.append(begun)
            begun = b""
    return rows
