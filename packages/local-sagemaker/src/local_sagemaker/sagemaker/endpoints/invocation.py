"""InvokeEndpoint: a request reaches a model, is measured, and is answered or refused."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from local_sagemaker import serving
from local_sagemaker.bridge import AWSError, Caller, Raw, raw_operation
from local_sagemaker.cloudwatch.metrics import STORE, Metric
from local_sagemaker.constraints import check
from local_sagemaker.sagemaker.endpoints.endpoint import ENDPOINTS, Endpoint
from local_sagemaker.sagemaker.endpoints.fleet import Fleet
from local_sagemaker.wire import Request

NAMESPACE = "AWS/SageMaker"
LARGEST_SERVERLESS_BODY = 4 * 1024 * 1024
MEMBERS = ("EndpointName", "ContentType", "Accept", "CustomAttributes", "TargetVariant", "InferenceId")
METRICS = (
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
    "ModelLatency",
    "OverheadLatency",
    "InvocationsPerInstance",
)
log = logging.getLogger("local_sagemaker.endpoints")


@raw_operation("sagemaker-runtime", "InvokeEndpoint")
def invoke(caller: Caller, request: Request) -> Raw:
    """Moto's own way to an answer takes longer than most models."""
    begun = time.perf_counter()
    given = request.parameters
    name = given["EndpointName"]
    parameters = {"Body": request.body} | {member: given[member] for member in MEMBERS if given.get(member)}
    try:
        check("sagemaker-runtime", "InvokeEndpoint", parameters)
    except AWSError as error:
        return _error(400, "ValidationError", error.message)
    endpoint = ENDPOINTS.all(caller).get(name)
    variant = parameters.get("TargetVariant")
    fleet = endpoint.traffic.enter(variant) if endpoint else None
    if endpoint is None or fleet is None:
        if endpoint is not None and variant is not None and endpoint.fleets:
            return _error(400, "ValidationError", f"Variant {variant} not found for endpoint {name}.")
        return _error(400, "ValidationError", f"Endpoint {name} of account {caller.account} not found.")
    try:
        return _answer(endpoint, fleet, parameters, begun)
    finally:
        fleet.leave()


def _answer(endpoint: Endpoint, fleet: Fleet, parameters: dict[str, Any], begun: float) -> Raw:
    body, content_type = parameters["Body"], parameters.get("ContentType", "")
    if fleet.serverless and len(body) > LARGEST_SERVERLESS_BODY:
        return _error(
            413, "ValidationError", "The request is larger than the 4 MB that serverless inference takes."
        )
    asked = time.perf_counter()
    try:
        answer, answer_type = fleet.predict(body, content_type, parameters.get("Accept", ""))
    except serving.BadInput as error:
        status, message = 400, str(error)
    except Exception as error:
        status, message = 500, str(error)
        if not isinstance(error, serving.ModelError):
            log.exception("%s: the model's process could not be asked", endpoint.name)
    else:
        status = 200
    answered = time.perf_counter()
    _measure(endpoint, fleet, status, answered - asked, asked - begun)
    if status != 200:
        return _model_error(endpoint, fleet, status, message)
    request = (body, content_type)
    inference_id = parameters.get("InferenceId")
    fleet.capture.record(fleet.variant, fleet.model.role_arn, request, (answer, answer_type), inference_id)
    headers = {"Content-Type": answer_type, "x-Amzn-Invoked-Production-Variant": fleet.variant}
    return 200, headers, answer


def _measure(
    endpoint: Endpoint, fleet: Fleet, status: int, model_seconds: float, other_seconds: float
) -> None:
    """The metrics of one request, by variant, and by variant and endpoint config."""
    values = {
        "Invocations": 1.0,
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
        "InvocationModelErrors": float(status >= 400),
        "ModelLatency": round(model_seconds * 1e6),
        "OverheadLatency": round(other_seconds * 1e6),
    }
    if fleet.instances:
        values["InvocationsPerInstance"] = 1 / fleet.instances
    metrics = _metrics(endpoint.caller, endpoint.name, fleet.variant, fleet.config)
    measured = [(metric, value, _unit(name)) for name, value in values.items() for metric in metrics[name]]
    STORE.put_values(measured, time.time())


@lru_cache(maxsize=1024)
def _metrics(caller: Caller, endpoint: str, variant: str, config: str) -> Mapping[str, tuple[Metric, Metric]]:
    """By name, the metric by variant, and the one by variant and endpoint config."""
    dimensions = frozenset({("EndpointName", endpoint), ("VariantName", variant)})
    both = (dimensions, dimensions | {("EndpointConfigName", config)})

    def of(name: str) -> tuple[Metric, Metric]:
        first, second = (Metric(caller.account, caller.region, NAMESPACE, name, one) for one in both)
        return first, second

    return {name: of(name) for name in METRICS}


def _unit(name: str) -> str:
    return "Microseconds" if name.endswith("Latency") else "None"


def _model_error(endpoint: Endpoint, fleet: Fleet, status: int, original: str) -> Raw:
    region, account = endpoint.caller.region, endpoint.caller.account
    group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
    side = "client" if status < 500 else "server"
    container = "primary" if len(fleet.model.containers) == 1 else "container_1"
    message = (
        f'Received {side} error ({status}) from {container} with message "{original}". See '
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:"
        f"group={group} in account {account} for more information."
    )
    return _error(
        424,
        "ModelError",
        message,
        ErrorCode="CLIENT_ERROR_FROM_MODEL" if status < 500 else "SERVER_ERROR_FROM_MODEL",
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=f"arn:aws:logs:{region}:{account}:log-group:{group}",
    )


def _error(status: int, code: str, message: str, **members: Any) -> Raw:
    headers = {"Content-Type": "application/json", "x-amzn-errortype": code}
    return status, headers, json.dumps({"Message": message, **members}).encode()


@raw_operation("sagemaker-runtime", "InvokeEndpointAsync")
def invoke_async(_: Caller, request: Request) -> Raw:
    """No endpoint is one of asynchronous inference."""
    name = request.parameters["EndpointName"]
    return _error(400, "ValidationError", f"Endpoint {name} is not configured for asynchronous inference.")
