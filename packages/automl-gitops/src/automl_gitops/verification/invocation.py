"""Requests to an endpoint, and what it answers."""

import time
from dataclasses import dataclass
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from automl_gitops.kernel.aws import Aws, error_code
from automl_gitops.kernel.errors import RunError

# SageMaker itself gives up after 60 s; a cold serverless container takes nearly that.
READ_SECONDS = 70


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
    """Sends requests to one endpoint, each once: a failed one is an answer too. Shared by ``connections``
    threads.
    """

    def __init__(self, aws: Aws, endpoint: str, connections: int = 1) -> None:
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            max_pool_connections=connections,
            read_timeout=READ_SECONDS,
        )
        self._runtime: Any = aws.session.client("sagemaker-runtime", config=config)
        self.endpoint = endpoint

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
        except HTTPClientError as error:
            return Answer(0, str(error), "", time.monotonic() - started)
        return Answer(200, text, answer.get("ContentType", ""), time.monotonic() - started)

    def predict(self, body: bytes, *, accept: str = "text/csv") -> Answer:
        """As `send`, and raise `RunError` with the endpoint's words where it does not predict."""
        answer = self.send(body, accept=accept)
        if not answer.ok:
            raise RunError(f"endpoint {self.endpoint} answered {answer.status or 'nothing'}: {answer.body}")
        return answer


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
