"""The keys that a policy's conditions can look at, of one request."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.utilities.utils import get_partition

from local_sagemaker.wire import Request

Parameters = Mapping[str, Any]
Keys = Iterator[tuple[str, list[Any]]]


def of(request: Request, account: str) -> dict[str, list[str]]:
    """Global and service keys of ``request``, in lower case; a key without a value in it is absent.

    ``account`` is the caller's.
    The address is loopback HTTP, which no one else can listen to: ``aws:SecureTransport`` is true.
    """
    now = time.time()
    context = {
        "aws:currenttime": [datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(now))],
        "aws:principalisawsservice": ["false"],
        "aws:requestedregion": [request.region],
        "aws:securetransport": ["true"],
        "aws:sourceip": [str(request.environ.get("REMOTE_ADDR", "127.0.0.1"))],
        "aws:useragent": [request.headers.get("user-agent", "")],
        "aws:viaawsservice": ["false"],
        **_tags(request.parameters),
    }
    for key, values in _of_service(request, account):
        texts = [str(value) for value in values if value is not None]
        if texts:
            context[f"{request.prefix}:{key}".lower()] = texts
    return context


def _tags(parameters: Parameters) -> dict[str, list[str]]:
    tags = parameters.get("Tags", parameters.get("tags")) or {}
    pairs = (
        tags.items()
        if isinstance(tags, Mapping)
        else [(t.get("Key"), t.get("Value")) for t in _mappings(tags)]
    )
    keys = {f"aws:requesttag/{str(key).lower()}": [str(value)] for key, value in pairs}
    return keys | ({"aws:tagkeys": [str(key) for key, _ in pairs]} if pairs else {})


def _mappings(values: Iterable[Any]) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)]


def _of_service(request: Request, account: str) -> Keys:
    parameters = request.parameters
    if request.prefix == "s3":
        yield from _s3(request)
    elif request.prefix == "sagemaker":
        yield from _registry(parameters)
        yield from _hardware(parameters)
        yield from _network(parameters)
    elif request.prefix == "lambda":
        function = parameters.get("FunctionName") or _mapped_function(request, account)
        if function and not function.startswith("arn:"):
            function = (
                f"arn:{get_partition(request.region)}:lambda:{request.region}:{account}:function:{function}"
            )
        yield "FunctionArn", [function]
        yield "Principal", [parameters.get("Principal")]
    for name in SAME_NAME.get(request.prefix, ()):
        yield name, [parameters.get(NAMES.get(name, name))]


def _mapped_function(request: Request, account: str) -> str | None:
    """The function of the event source mapping that a request names."""
    mappings = lambda_backends[account][request.region]._event_source_mappings
    mapping = mappings.get(request.parameters.get("UUID", ""))
    return str(mapping.function_arn) if mapping else None


# Condition keys that bear a parameter's name, or stand for the one in NAMES.
SAME_NAME = {
    "application-autoscaling": ("service-namespace", "scalable-dimension"),
    "cloudformation": ("ChangeSetName", "RoleArn", "TemplateUrl"),
    "cloudwatch": ("Namespace",),
    "iam": ("AWSServiceName", "PolicyARN", "PermissionsBoundary"),
    "sts": ("ExternalId", "RoleSessionName"),
}
NAMES = {
    "PolicyARN": "PolicyArn",
    "RoleArn": "RoleARN",
    "TemplateUrl": "TemplateURL",
    "scalable-dimension": "ScalableDimension",
    "service-namespace": "ServiceNamespace",
}


def _s3(request: Request) -> Keys:
    for name in ("prefix", "delimiter", "max-keys", "versionId"):
        yield name, [request.parameters.get(name)]
    for name, value in request.headers.items():
        if name.startswith("x-amz-"):
            yield name, [value]
    yield "signatureversion", ["AWS4-HMAC-SHA256"]
    yield "TlsVersion", ["1.3"]


def _registry(parameters: Parameters) -> Keys:
    life_cycle = parameters.get("ModelLifeCycle") or {}
    yield "ModelApprovalStatus", [parameters.get("ModelApprovalStatus")]
    yield "ModelLifeCycle:Stage", [life_cycle.get("Stage")]
    yield "ModelLifeCycle:StageStatus", [life_cycle.get("StageStatus")]
    for name, value in (parameters.get("CustomerMetadataProperties") or {}).items():
        yield f"CustomerMetadataProperties/{name}", [value]
    yield "CustomerMetadataPropertiesToRemove", parameters.get("CustomerMetadataPropertiesToRemove") or []


def _hardware(parameters: Parameters) -> Keys:
    variants = parameters.get("ProductionVariants") or []
    clusters = [
        (parameters.get("ProcessingResources") or {}).get("ClusterConfig"),
        parameters.get("TransformResources"),
        parameters.get("ResourceConfig"),
    ]
    serverless = [v["ServerlessConfig"] for v in variants if v.get("ServerlessConfig")]
    present = [cluster for cluster in clusters if cluster]
    yield "InstanceTypes", [x.get("InstanceType") for x in [*variants, *present]]
    yield "ServerlessMaxConcurrency", [s.get("MaxConcurrency") for s in serverless]
    yield "ServerlessMemorySize", [s.get("MemorySizeInMB") for s in serverless]
    yield (
        "VolumeKmsKey",
        [parameters.get("KmsKeyId"), *(cluster.get("VolumeKmsKeyId") for cluster in present)],
    )


def _network(parameters: Parameters) -> Keys:
    settings = parameters.get("NetworkConfig") or {}
    security = (parameters.get("SecurityConfig") or {}).get("VpcConfig")
    vpc = settings.get("VpcConfig") or parameters.get("VpcConfig") or security or {}
    isolation = settings.get("EnableNetworkIsolation", parameters.get("EnableNetworkIsolation"))
    yield "VpcSubnets", vpc.get("Subnets") or []
    yield "VpcSecurityGroupIds", vpc.get("SecurityGroupIds") or []
    yield "NetworkIsolation", [None if isolation is None else str(isolation).lower()]
