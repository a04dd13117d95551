"""Lambda's operations that moto lacks or only pretends."""

from __future__ import annotations

import base64
import json
from typing import Any

from moto.s3.models import s3_backends

from local_sagemaker import constraints
from local_sagemaker.authorization import trust
from local_sagemaker.bridge import AWSError, Caller, check, operation
from local_sagemaker.lambda_ import functions, invocation

TAIL_BYTES = 4096


@operation("lambda", "Invoke")
def invoke(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run the function; raises InvalidParameterValueException for any kind of invocation but RequestResponse."""
    function = functions.find(
        caller.account, caller.region, parameters["FunctionName"], parameters.get("Qualifier")
    )
    event = _event(parameters.get("Payload") or b"{}")
    kind = parameters.get("InvocationType", "RequestResponse")
    if kind != "RequestResponse":
        message = f"the local AWS waits for a function's answer; InvocationType {kind} is not offered"
        raise AWSError("InvalidParameterValueException", message)
    outcome = invocation.invoke(function, event)
    answer: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": function.version,
        "Payload": outcome.payload.encode(),
    }
    if outcome.failed:
        answer["FunctionError"] = "Unhandled"
    if parameters.get("LogType") == "Tail":
        answer["LogResult"] = base64.b64encode(outcome.log.encode()[-TAIL_BYTES:]).decode()
    return answer


def _event(payload: bytes | str) -> Any:
    if len(payload) > invocation.MAX_PAYLOAD:
        limit = invocation.MAX_PAYLOAD
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise AWSError("RequestTooLargeException", message, 413)
    try:
        return json.loads(payload)
    except ValueError as error:
        message = f"Could not parse request body into json: {error}"
        raise AWSError("InvalidRequestContentException", message) from error


@check("lambda", "CreateFunction")
def check_function(caller: Caller, parameters: dict[str, Any]) -> None:
    """Moto takes any name and role, and code from anywhere; Lambda looks at all three."""
    constraints.check("lambda", "CreateFunction", {"FunctionName": parameters["FunctionName"]})
    try:
        trust.check_service(parameters["Role"], "lambda.amazonaws.com")
    except AWSError as error:
        message = "The role defined for the function cannot be assumed by Lambda."
        raise AWSError("InvalidParameterValueException", message) from error
    check_code(caller, parameters.get("Code") or {})


@check("lambda", "UpdateFunctionCode")
def check_code(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises InvalidParameterValueException where there is no such object."""
    bucket, key = parameters.get("S3Bucket"), parameters.get("S3Key")
    if not bucket or not key:
        return
    problem = None
    if bucket not in s3_backends.bucket_accounts:
        problem = "NoSuchBucket. S3 Error Message: The specified bucket does not exist"
    else:
        partition, owner = s3_backends.bucket_accounts[bucket]
        if key not in s3_backends[owner][partition].buckets[bucket].keys:
            problem = "NoSuchKey. S3 Error Message: The specified key does not exist."
    if problem:
        message = f"Error occurred while GetObject. S3 Error Code: {problem}"
        raise AWSError("InvalidParameterValueException", message)
