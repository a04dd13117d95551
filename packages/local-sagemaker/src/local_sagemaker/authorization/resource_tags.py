"""The condition keys ``aws:ResourceTag`` and ``sagemaker:ResourceTag``: what a resource is tagged with.

Of SageMaker's resources, Lambda's functions and event source mappings, and scalable targets. A request that creates
something finds no tags: its resource is not there yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.sagemaker.models import sagemaker_backends


def keys(arn: str) -> dict[str, list[str]]:
    """The keys of the resource with this ARN, in lower case; none where it has no tags, or does not exist."""
    parts = arn.split(":", 5)
    find = _FINDERS.get(parts[2]) if len(parts) == 6 else None
    tags = find(parts[4], parts[3], parts[5]) if find and parts[3] and parts[4] else {}
    prefixes = ("aws", "sagemaker") if parts[2:3] == ["sagemaker"] else ("aws",)
    return {
        f"{prefix}:resourcetag/{key}".lower(): [value] for prefix in prefixes for key, value in tags.items()
    }


def _sagemaker(account: str, region: str, name: str) -> Mapping[str, str]:
    kind, _, rest = name.partition("/")
    if kind == "model-package":  # a version has the tags of its group
        kind, rest = "model-package-group", rest.partition("/")[0]
    try:
        resource = sagemaker_backends[account][region]._get_resource_from_arn(f"{kind}/{rest}")
    except (AttributeError, ValueError):  # of no kind that can be tagged, or part of another resource
        return {}
    return {tag["Key"]: tag["Value"] for tag in getattr(resource, "tags", None) or []}


def _lambda(account: str, region: str, name: str) -> Mapping[str, str]:
    backend, (kind, _, rest) = lambda_backends[account][region], name.partition(":")
    if kind == "event-source-mapping":
        found: Any = backend._event_source_mappings.get(rest)
    else:
        function = backend._lambdas._functions.get(rest.partition(":")[0])
        found = function["latest"] if function else None
    return dict(found.tags) if found else {}


def _scalable_target(account: str, region: str, name: str) -> Mapping[str, str]:
    # With it comes the whole of moto's EC2, for which most requests should not wait.
    from moto.applicationautoscaling.models import applicationautoscaling_backends

    targets = applicationautoscaling_backends[account][region].targets.values()
    named = [one for by_id in targets for one in by_id.values() if one.arn.endswith(f":{name}")]
    return getattr(named[0], "tags", {}) if named else {}


_FINDERS: dict[str, Callable[[str, str, str], Mapping[str, str]]] = {
    "application-autoscaling": _scalable_target,
    "lambda": _lambda,
    "sagemaker": _sagemaker,
}
