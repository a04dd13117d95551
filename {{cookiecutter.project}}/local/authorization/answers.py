"""A refusal, in the shape and with the code of the service that was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from moto.core.model import OperationModel
from moto.core.request import determine_request_protocol
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.http import HTTP_STATUS_CODES

from local.authorization.requests import Request
from local.bridge import AWSError

# Services with a query or REST-XML protocol, and SQS, say AccessDenied; those that speak JSON say it so:
JSON_CODE = "AccessDeniedException"


def access_denied(request: Request, message: str) -> AWSError:
    """The error by which ``request``'s service refuses."""
    if request.service in _QUERY:
        return AWSError("AccessDenied", message, 403)
    return AWSError(JSON_CODE, message, 403 if request.service == "lambda" else 400)


def unknown_key(request: Request) -> AWSError:
    """The error for an access key or session token that belongs to nobody."""
    if request.service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AWSError("InvalidAccessKeyId", message, 403)
    if request.service in _QUERY:
        return AWSError("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    message = "The security token included in the request is invalid."
    return AWSError("UnrecognizedClientException", message, 403 if request.service == "lambda" else 400)


def expired(request: Request) -> AWSError:
    """The error for a session that has ended."""
    code = "ExpiredToken" if request.service in _QUERY else "ExpiredTokenException"
    return AWSError(code, "The security token included in the request is expired", 403)


def wrong_signature(request: Request) -> AWSError:
    """The error for a request that another secret signed."""
    message = (
        "The request signature we calculated does not match the signature you provided. Check your AWS "
        "Secret Access Key and signing method. Consult the service documentation for details."
    )
    code = "InvalidSignatureException" if request.service not in _QUERY else "SignatureDoesNotMatch"
    return AWSError(code, message, 403)


_QUERY = ("s3", "sts", "iam", "cloudformation", "cloudwatch", "sqs", "sns", "ec2", "autoscaling")


def respond(request: Request, error: AWSError, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer ``request`` with ``error``."""
    status, headers, body = _serialise(request, error)
    if request.method == "HEAD":
        body = b""
    headers |= {
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": str(uuid4()),
        "x-amz-request-id": uuid4().hex[:16].upper(),
    }
    start_response(f"{status} {HTTP_STATUS_CODES.get(status, 'Error')}", list(headers.items()))
    return [body]


def _serialise(request: Request, error: AWSError) -> tuple[int, dict[str, str], bytes]:
    try:
        model = get_service_model(request.service)
        protocol = determine_request_protocol(model, request.headers.get("content-type", ""))
    except Exception:  # a service that botocore does not know, or no request of AWS
        return error.status_code, {"Content-Type": "text/plain"}, f"{error.code}: {error.message}".encode()
    operation = request.operation or OperationModel({}, model)
    answer = get_serializer_class(request.service, protocol)(operation).serialize(error)
    headers = {name: str(value) for name, value in answer["headers"].items()}
    body = answer["body"]
    return error.status_code, headers, body if isinstance(body, bytes) else str(body).encode()
