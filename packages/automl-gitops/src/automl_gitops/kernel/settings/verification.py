"""[verification]: what an endpoint has to show before its version is promoted."""

from pydantic import Field

from automl_gitops.kernel.settings.base import Section


class Verification(Section):
    """How much is asked of the endpoint, and the limits of its answers.

    ``rows`` of the holdout are predicted and compared; ``requests`` of one row each are sent by
    ``concurrency`` clients at once. Latencies are what a client sees, in milliseconds; the error rate is a
    share of requests.
    """

    rows: int = Field(default=500, ge=1, le=100_000)
    requests: int = Field(default=200, ge=1, le=100_000)
    concurrency: int = Field(default=4, ge=1, le=64)
    max_latency_p50_ms: float = Field(default=500, gt=0, allow_inf_nan=False)
    max_latency_p95_ms: float = Field(default=2000, gt=0, allow_inf_nan=False)
    max_error_rate: float = Field(default=0.0, ge=0, le=1)
