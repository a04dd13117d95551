"""How an operation that moto lacks is answered by moto's server.

moto dispatches a request to the method of its response class that bears the operation's name.
:func:`operation` puts such a method there. Parameters are parsed, and results serialised, by botocore's
service model, so an answer has the real shape without any code here.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionContext, ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores

RESPONSES = {
    "application-autoscaling": "moto.applicationautoscaling.responses:ApplicationAutoScalingResponse",
    "cloudwatch": "moto.cloudwatch.responses:CloudWatchResponse",
    "lambda": "moto.awslambda.responses:LambdaResponse",
    "sagemaker": "moto.sagemaker.responses:SageMakerResponse",
}
# Errors that every service gives and no service model lists; moto warns of a code that it does not find
# there. Source: "Common errors" in the API reference of each service.
COMMON_ERROR_CODES.extend(
    (
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
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


class AWSError(ServiceException):
    """An error answer with the real service's error code, message and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.status_code = status


class _Result(ActionResult):
    """A result whose status, where the model makes it a member, is the answer's HTTP status too."""

    def execute_result(self, context: ActionContext) -> Any:
        status, headers, body = super().execute_result(context)
        output = context.operation_model.output_shape
        for name, shape in (output.members if output else {}).items():
            if shape.serialization.get("location") == "statusCode":
                status = self.result.get(name, status)
        return status, headers, body


def operation(service: str, name: str) -> Callable[[Handler], Handler]:
    """Answer operation ``name`` of boto3 service ``service`` with the decorated function.

    The function gets the caller and the parsed parameters (absent ones are missing keys), and returns the
    result as a boto3 client would, or raises :class:`AWSError`.
    """

    def install(handler: Handler) -> Handler:
        module, class_name = RESPONSES[service].split(":")
        response_class = getattr(importlib.import_module(module), class_name)

        def method(self: BaseResponse) -> ActionResult:
            if not self.automated_parameter_parsing:  # moto's older services read requests by hand
                self.parse_parameters(self.normalized_request)
            caller = Caller(self.current_account, self.region, self.access_key)
            return _Result(handler(caller, dict(self.params)) or {})

        setattr(response_class, camelcase_to_underscores(name), method)
        return handler

    return install
