"""boto3 clients with given credentials, whatever the environment of this process says."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

# One session for all: it reads a service's model, which takes longest, once. Making clients is not
# thread-safe.
_session = boto3.Session(region_name="us-east-1")
_making = threading.Lock()


def client(service: str, credentials: Mapping[str, str], **options: Any) -> Any:
    """A client of ``service`` from the environment variables that :mod:`local_sagemaker.actors` makes.

    ``options`` are those of botocore's Config.
    """
    # A proxy of the user's network cannot reach the loopback address.
    config = Config(**({"proxies": {}, "retries": {"mode": "standard", "max_attempts": 3}} | options))
    with _making:
        return _session.client(
            service,
            region_name=credentials["AWS_REGION"],
            endpoint_url=credentials["AWS_ENDPOINT_URL"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            config=config,
        )
