"""A client of an endpoint: one request, as many as a load is to have, or a steady stream of them."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import NO_ANSWER, error_code
from automl_gitops.kernel.environments import Environment
from automl_gitops.kernel.errors import RunError

# SageMaker itself gives up after 60 s; a cold serverless container takes nearly that.
READ_SECONDS = 70
MAX_LOAD_SECONDS = 300.0  # an endpoint that is too slow for the load fails it, and does not hold up the run


@dataclass(frozen=True)
class Answer:
    """One answer: ``status`` is the HTTP status (the container's own where it answered), ``seconds`` what a
    client saw.

    Without any answer ``status`` is 0. ``body`` is the reason where ``ok`` is False.
    """

    status: int
    body: str
    content_type: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there is a prediction."""
        return 200 <= self.status < 300


class Client:
    """Sends requests to one endpoint: a failed one is an answer too. Safe to share by threads.

    ``runtime`` is a boto3 client of sagemaker-runtime, which repeats requests as it is configured.
    """

    def __init__(self, runtime: Any, endpoint: str) -> None:
        self._runtime = runtime
        self.endpoint = endpoint

    @classmethod
    def of(cls, environment: Environment, connections: int = 1) -> "Client":
        """A client of an environment's endpoint that sends each request once, for so many threads at a time."""
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=connections,
            read_timeout=READ_SECONDS,
        )
        runtime = environment.aws.session.client("sagemaker-runtime", config=config)
        return cls(runtime, environment.endpoint)

    def send(self, body: bytes, *, content_type: str = "text/csv", accept: str = "text/csv") -> Answer:
        """Send a request; raises only where the caller's credentials or rights are at fault."""
        started = time.monotonic()
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self.endpoint, Body=body, ContentType=content_type, Accept=accept
            )
            text = answer["Body"].read().decode("utf-8", errors="replace")
        except ClientError as error:
            return _refusal(error, time.monotonic() - started)
        except NO_ANSWER as error:
            return Answer(0, str(error), "", time.monotonic() - started)
        return Answer(200, text, answer.get("ContentType", ""), time.monotonic() - started)

    def predict(self, body: bytes, *, accept: str = "text/csv") -> Answer:
        """As `send`, and raise `RunError` with the endpoint's words where it does not predict."""
        answer = self.send(body, accept=accept)
        if not answer.ok:
            raise RunError(f"endpoint {self.endpoint} answered {answer.status or 'nothing'}: {answer.body}")
        return answer


class Stream:
    """Sends one body after the other, again and again, for as long as the ``with`` block lasts.

    ``senders`` threads take turns, each waits ``pause`` seconds between two requests, and all end after ``most``
    requests. ``hear(index, answer)`` is told what body ``index`` was answered, one call at a time. The first error
    that a thread raises ends the stream; `error` holds it.
    """

    def __init__(
        self,
        client: Client,
        bodies: Sequence[bytes],
        hear: Callable[[int, Answer], None],
        *,
        senders: int = 1,
        pause: float = 0.0,
        most: float = math.inf,
    ) -> None:
        self.error: Exception | None = None
        self._client = client
        self._bodies = bodies
        self._hear = hear
        self._pause = pause
        self._most = most
        self._turn = 0
        self._one_at_a_time = threading.Lock()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, name=f"stream-{number}", daemon=True)
            for number in range(senders)
        ]

    def __enter__(self) -> "Stream":
        """Start sending."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, once the answers that are under way are there."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def wait(self, seconds: float) -> None:
        """Wait until ``most`` requests were answered, for so many seconds at most."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _send(self) -> None:
        try:
            while not self._stopped.wait(self._pause):
                with self._one_at_a_time:
                    if self._turn >= self._most:
                        return
                    index = self._turn % len(self._bodies)
                    self._turn += 1
                answer = self._client.send(self._bodies[index])
                with self._one_at_a_time:
                    self._hear(index, answer)
        except Exception as error:
            self.error = self.error or error
            self._stopped.set()


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
    bodies: Sequence[bytes],
    *,
    requests: int,
    concurrency: int,
    max_seconds: float = MAX_LOAD_SECONDS,
) -> Load:
    """Send ``requests``, ``concurrency`` at once, for ``max_seconds`` at most. Raises as `Client.send` does."""
    answers: list[Answer] = []
    with Stream(
        client, bodies, lambda _, answer: answers.append(answer), senders=concurrency, most=requests
    ) as stream:
        stream.wait(max_seconds)
    if stream.error:
        raise stream.error
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


def _refusal(error: ClientError, seconds: float) -> Answer:
    code = error_code(error)
    message = str(error.response.get("Error", {}).get("Message", code))
    if code == "ModelError":
        # 424 is SageMaker's; the container's own status and words come beside it.
        status = int(error.response.get("OriginalStatusCode") or 500)
        return Answer(status, error.response.get("OriginalMessage") or message, "", seconds)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 500)
    if status in (401, 403):
        raise error
    return Answer(status, f"{message} ({code})", "", seconds)
