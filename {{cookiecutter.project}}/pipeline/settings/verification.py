"""[verification]: what an endpoint has to show before its version is promoted."""

from pydantic import Field

from pipeline.settings.base import Section


class Verification(Section):
    """Limits on latency (milliseconds) and errors (share of requests) under the verification's load."""

    max_latency_p50_ms: float = Field(default=500, gt=0)
    max_latency_p95_ms: float = Field(default=2000, gt=0)
    max_error_rate: float = Field(default=0.0, ge=0, le=1)
