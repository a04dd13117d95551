"""The policies that resources carry themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends
from moto.sqs.models import sqs_backends


def of(arn: str) -> str | None:
    """The policy of the resource with this ARN as JSON text; None where there is no policy or no resource."""
    parts = arn.split(":", 5)
    find = _FINDERS.get(parts[2]) if len(parts) == 6 else None
    policy = find(parts[4], parts[3], parts[5]) if find else None
    if isinstance(policy, bytes):
        return policy.decode()
    return json.dumps(policy) if isinstance(policy, dict) else policy


def _bucket(account: str, region: str, name: str) -> bytes | None:
    bucket_name = name.partition("/")[0]
    if bucket_name not in s3_backends.bucket_accounts:
        return None
    partition, owner = s3_backends.bucket_accounts[bucket_name]
    policy: bytes | None = s3_backends[owner][partition].buckets[bucket_name].policy
    return policy


def _queue(account: str, region: str, name: str) -> Any:
    queue = sqs_backends[account][region].queues.get(name) if account and region else None
    return queue and queue.policy


def _function(account: str, region: str, name: str) -> dict[str, Any] | None:
    if not name.startswith("function:"):
        return None
    function = lambda_backends[account][region]._lambdas._functions.get(name.split(":")[1])
    statements = function["latest"].policy.statements if function else []
    return {"Statement": statements}


def _key(account: str, region: str, name: str) -> str | None:
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    return str(key.policy) if key else None


def _model_package_group(account: str, region: str, name: str) -> str | None:
    kind, _, rest = name.partition("/")
    if kind not in ("model-package", "model-package-group"):
        return None
    group = sagemaker_backends[account][region].model_package_groups.get(rest.partition("/")[0])
    return getattr(group, "policy", None)


_FINDERS: dict[str, Callable[[str, str, str], Any]] = {
    "kms": _key,
    "lambda": _function,
    "s3": _bucket,
    "sagemaker": _model_package_group,
    "sqs": _queue,
}
