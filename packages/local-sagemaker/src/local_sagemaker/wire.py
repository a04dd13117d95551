"""Requests and answers on the wire, read and written by botocore's service models."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast
from urllib.parse import parse_qs
from uuid import uuid4

import botocore.session
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import XFormedAttributePicker, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from local_sagemaker.authorization import signature as signatures
from local_sagemaker.authorization.signature import Signature

# Where a service signs by another name than boto3 knows it by; one signing name can stand for several
# services.
SERVICES = {
    "sagemaker": ("sagemaker", "sagemaker-runtime", "sagemaker-metrics"),
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "tagging": ("resourcegroupstaggingapi",),
}
# The part of an action before the colon, where it is not the signing name.
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}

# Services whose operations are told apart by these parts of WSGI's environment alone, whatever the body says.
BY_LINE = ("sagemaker",)
LINE = (
    "REQUEST_METHOD",
    "RAW_URI",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "HTTP_HOST",
    "HTTP_X_AMZ_TARGET",
)
# The service by boto3's name, its operation (None where it has none like this), and the path's parameters.
Route = tuple[str, OperationModel | None, Mapping[str, Any]]


@dataclass
class Request:
    """One HTTP request. ``environ`` is WSGI's; its body can still be read by whoever answers."""

    environ: dict[str, Any]
    headers: Mapping[str, str] = field(init=False)
    signature: Signature | None = field(init=False)
    _body: bytes | None = field(init=False, default=None)
    _parameters: Mapping[str, Any] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in self.environ.items()
            if name.startswith("HTTP_")
        } | {
            name.replace("_", "-").lower(): self.environ[name]
            for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
            if self.environ.get(name)
        }
        self.signature = signatures.find(self.headers, self.query)
        self.signing_name = self.signature.service if self.signature else "sts"
        self.region = self.signature.region if self.signature else "us-east-1"
        self.service, self.operation, self._uri_parameters = self._route()

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The path as it was sent, still quoted."""
        return str(self.environ.get("RAW_URI", self.environ["PATH_INFO"])).partition("?")[0]

    @property
    def query(self) -> str:
        """The query string."""
        return str(self.environ.get("QUERY_STRING", ""))

    @property
    def prefix(self) -> str:
        """The service's part of an action's name, such as ``cloudwatch``."""
        return PREFIXES.get(self.signing_name, self.signing_name)

    @property
    def name(self) -> str:
        """The operation's full name, such as ``sqs:SendMessage``."""
        return f"{self.prefix}:{self.operation.name if self.operation else 'Unknown'}"

    # In Python 3.11 a cached_property holds one lock of all requests while it is made, and a body may never come.
    @property
    def body(self) -> bytes:
        """The body, read into memory and put back."""
        if self._body is None:
            self._body = self.environ["wsgi.input"].read(int(self.environ.get("CONTENT_LENGTH") or 0))
            self.environ["wsgi.input"] = io.BytesIO(self._body)
        return self._body

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters as boto3 would take them.

        Of S3, whose bodies can be large, no body is looked at but the list of what DeleteObjects deletes.
        """
        if self._parameters is None:
            self._parameters = self._parsed()
        return self._parameters

    def _parsed(self) -> Mapping[str, Any]:
        if self.operation is None:
            return {}
        if self.service == "s3" and self.operation.name != "DeleteObjects":
            query = {name: values[0] for name, values in parse_qs(self.query, keep_blank_values=True).items()}
            return {**query, **self._uri_parameters}
        model = get_service_model(self.service)
        content_type = self.environ.get("CONTENT_TYPE", "")
        parser = PROTOCOL_PARSERS[determine_request_protocol(model, content_type)](self.operation)
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        request = MotoRequest(
            {**self.environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        )
        parts = _Parts(
            request,
            method=self.method,
            headers=request.headers,
            body=body,
            url_path=request.path,
            url_params=dict(self._uri_parameters),
        )
        parsed: Mapping[str, Any] = parser.parse(cast(Any, parts))
        return parsed

    def _route(self) -> Route:
        candidates = SERVICES.get(self.signing_name, (self.signing_name,))
        if self.signing_name in BY_LINE:
            given = {name: self.environ[name] for name in LINE if name in self.environ}
            routed = _routed(candidates, tuple(given.items()))
            return routed or (candidates[0], None, {})
        if self.signing_name == "s3":
            request = MotoRequest({**self.environ, "wsgi.input": io.BytesIO(b""), "CONTENT_LENGTH": "0"})
        else:
            request = MotoRequest({**self.environ, "wsgi.input": io.BytesIO(self.body)})
        return _matched(candidates, request) or (candidates[0], None, {})


class _Parts(dict[str, Any]):
    """What moto's parsers look at. The values of query and form are read when one of them asks: few do."""

    def __init__(self, request: MotoRequest, **parts: Any) -> None:
        super().__init__(parts)
        self._request = request

    def __missing__(self, name: str) -> Any:
        if name != "values":
            raise KeyError(name)
        self[name] = self._request.values
        return self[name]


@lru_cache(maxsize=1024)
def _routed(candidates: tuple[str, ...], line: tuple[tuple[str, str], ...]) -> Route | None:
    """As :func:`_matched`, from what stands in ``line`` alone, items of WSGI's environment."""
    return _matched(candidates, MotoRequest({**dict(line), "wsgi.input": io.BytesIO()}))


def _matched(candidates: Iterable[str], request: MotoRequest) -> Route | None:
    """The first service that has an operation for this request, the operation, and the path's parameters."""
    for service in candidates:
        if service in _known_services():
            try:
                operation, parameters = get_service_router(service).match(request)
            except (HTTPException, NotImplementedError):
                continue
            return service, operation, parameters
    return None


@lru_cache(maxsize=1)
def _known_services() -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_available_services())


def respond(request: Request, result: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer ``request`` with ``result``: what a boto3 client would return, or a ServiceException."""
    return send(request, *_serialised(request, result), start_response)


def send(
    request: Request, status: int, headers: dict[str, str], body: bytes, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer ``request`` with these bytes."""
    if request.method == "HEAD":
        body = b""
    headers |= {
        "Content-Length": str(len(body)),
        "x-amzn-RequestId": str(uuid4()),
        "x-amz-request-id": uuid4().hex[:16].upper(),
    }
    start_response(f"{status} {HTTP_STATUS_CODES.get(status, 'Error')}", list(headers.items()))
    return [body]


def _serialised(request: Request, result: Any) -> tuple[int, dict[str, str], bytes]:
    if request.service not in _known_services():  # no request of AWS
        return 400, {"Content-Type": "text/plain"}, str(result).encode()
    model = get_service_model(request.service)
    try:
        protocol = determine_request_protocol(model, request.headers.get("content-type", ""))
    except NotImplementedError:
        protocol = str(model.protocol)
    operation = request.operation or OperationModel({}, model)
    serializer = get_serializer_class(request.service, protocol)
    answer = serializer(operation, value_picker=XFormedAttributePicker()).serialize(result)
    status = int(answer["status_code"])
    if isinstance(result, ServiceException):
        status = getattr(result, "status_code", status)
    else:
        for name, shape in (operation.output_shape.members if operation.output_shape else {}).items():
            if shape.serialization.get("location") == "statusCode":  # Lambda's Invoke
                status = result.get(name, status)
    body = answer["body"]
    headers = {name: str(value) for name, value in answer["headers"].items()}
    return status, headers, body if isinstance(body, bytes) else str(body).encode()
