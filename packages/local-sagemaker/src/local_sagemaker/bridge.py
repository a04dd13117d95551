"""How operations that moto lacks are answered beside those that it has.

A function that is decorated with :func:`operation` answers in moto's place. Parameters are parsed, and
results serialised, by botocore's service model, so an answer has the real shape without any code here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException

from local_sagemaker.wire import Request, respond, send

log = logging.getLogger("local_sagemaker")
# Where the request, already read, stands in WSGI's environment.
REQUEST = "local_sagemaker.request"
# And who sent it: the ARN of the signer, "" of a request without a signature.
ACTOR = "local_sagemaker.actor"
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# Errors that every service gives and no service model lists; moto warns of a code that it does not find
# there. Source: "Common errors" in the API reference of each service.
COMMON_ERROR_CODES.extend(
    (
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotImplemented",
        "RequestThrottled",
        "ServiceUnavailable",
        "SignatureDoesNotMatch",
        "SlowDown",
        "ThrottlingException",
        "UnrecognizedClientException",
    )
)


@dataclass(frozen=True)
class Caller:
    """Who sent a request, and to which account and region."""

    account: str
    region: str
    access_key: str


Handler = Callable[[Caller, dict[str, Any]], dict[str, Any] | None]
# Status, headers and body.
Raw = tuple[int, dict[str, str], bytes]
RawHandler = Callable[[Caller, Request], Raw]


class AWSError(ServiceException):
    """An error answer with the real service's error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.status_code = status


_handlers: dict[tuple[str, str], Handler] = {}
_raw_handlers: dict[tuple[str, str], RawHandler] = {}
_checks: dict[tuple[str, str], list[Handler]] = {}
_whole: set[str] = set()


def operation(service: str, name: str) -> Callable[[Handler], Handler]:
    """Answer operation ``name`` of boto3 service ``service`` with the decorated function.

    The function gets the caller and the parsed parameters (absent ones are missing keys), and returns the
    result as a boto3 client would, or raises :class:`AWSError`.
    """

    def register(handler: Handler) -> Handler:
        _handlers[service, name] = handler
        return handler

    return register


def raw_operation(service: str, name: str) -> Callable[[RawHandler], RawHandler]:
    """As :func:`operation`, where a service answers with what its model does not say: the function sees the request,
    and returns the answer as it is sent.
    """

    def register(handler: RawHandler) -> RawHandler:
        _raw_handlers[service, name] = handler
        return handler

    return register


def check(service: str, name: str) -> Callable[[Handler], Handler]:
    """Have the decorated function look at a request that moto answers: it may raise :class:`AWSError`."""

    def register(handler: Handler) -> Handler:
        _checks.setdefault((service, name), []).append(handler)
        return handler

    return register


def answer_all(service: str) -> None:
    """Refuse what no function answers of boto3 service ``service``: moto's own is never asked."""
    _whole.add(service)


class Bridge:
    """WSGI application that answers what :func:`operation` registered; all else goes on to ``inner``."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request: Request = environ[REQUEST]
        name = (request.service, request.operation.name if request.operation else "")
        access_key = request.signature.access_key if request.signature else ""
        caller = Caller(environ["HTTP_X_MOTO_ACCOUNT_ID"], request.region, access_key)
        try:
            for look in _checks.get(name, []):
                look(caller, dict(request.parameters))
            if name in _raw_handlers:
                return send(request, *_raw_handlers[name](caller, request), start_response)
            if name in _handlers:
                result = _handlers[name](caller, dict(request.parameters)) or {}
            elif request.service in _whole:
                raise NotImplementedError
            else:
                return self._inner(environ, start_response)
        except ServiceException as error:
            return respond(request, error, start_response)
        except NotImplementedError as error:  # so moto says it as well
            log.info("%s is not offered: %s", request.name, error)
            message = f"the local AWS does not offer {request.name}"
            return respond(request, AWSError("NotImplemented", message), start_response)
        except Exception as error:
            if (
                isinstance(error, ValueError) and len(error.args) == 2
            ):  # so moto's Lambda names code and message
                code, message = map(str, error.args)
                return respond(request, AWSError(code, message), start_response)
            log.exception("%s failed", request.name)
            message = f"the local AWS failed at {request.name}: {type(error).__name__}: {error}"
            return respond(request, AWSError("InternalFailure", message, 500), start_response)
        return respond(request, result, start_response)
