"""A bounded number of requests by several clients at once: how long answers take, and how many fail."""

import itertools
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from automl_gitops.verification.invocation import Answer, Client
from automl_gitops.verification.rows import csv_line

MAX_SECONDS = 300.0  # an endpoint that is too slow for the load fails it, and does not hold up the run


@dataclass(frozen=True)
class Load:
    """What clients saw: latencies of the successful requests in milliseconds (`None` without one), failed
    requests.
    """

    requests: int
    failed: int
    concurrency: int
    p50_ms: float | None
    p95_ms: float | None
    first_failure: str

    @property
    def error_rate(self) -> float:
        """Failed requests as a share."""
        return self.failed / self.requests if self.requests else 1.0

    def document(self) -> dict[str, float | int | str]:
        """As it stands in JSON."""
        return asdict(self) | {"error_rate": self.error_rate}


def run_load(
    client: Client,
    rows: Sequence[Sequence[str]],
    *,
    requests: int,
    concurrency: int,
    max_seconds: float = MAX_SECONDS,
) -> Load:
    """Send ``requests`` of one row each, ``concurrency`` at once, for ``max_seconds`` at most."""
    bodies = [csv_line(row) for row in rows]
    turns = itertools.count()
    taking = threading.Lock()
    end = time.monotonic() + max_seconds

    def work() -> list[Answer]:
        answers = []
        while time.monotonic() < end:
            with taking:
                turn = next(turns)
            if turn >= requests:
                break
            answers.append(client.send(bodies[turn % len(bodies)]))
        return answers

    with ThreadPoolExecutor(concurrency) as pool:
        answers = [answer for done in pool.map(lambda _: work(), range(concurrency)) for answer in done]
    seconds = sorted(answer.seconds for answer in answers if answer.ok)
    failures = [answer for answer in answers if not answer.ok]
    return Load(
        requests=len(answers),
        failed=len(failures),
        concurrency=concurrency,
        p50_ms=_milliseconds(seconds, 50),
        p95_ms=_milliseconds(seconds, 95),
        first_failure=f"{failures[0].status}: {failures[0].body}"[:200] if failures else "",
    )


def _milliseconds(ordered: Sequence[float], percent: float) -> float | None:
    """The value (of seconds) at or below which ``percent`` of the ordered values lie, by nearest rank."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000
