"""Access to AWS in the project's region, and its errors in one sentence each.

Credentials, profile and endpoint come from boto3's own configuration (environment, shared files, roles); only
the region is the project's, because a run must not land elsewhere through somebody's default profile.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import boto3
import botocore.session
from boto3.exceptions import Boto3Error
from botocore import exceptions
from botocore.config import Config as ClientConfig
from botocore.parsers import ResponseParserError

from automl_evaluation.bucket_owner import expect_owner
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.service import loader

_SIGN_IN = (
    "sign in (`aws sso login`, or AWS_PROFILE / AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or start the "
    "local AWS with `local-sagemaker up` and export what it prints"
)
_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
    exceptions.NoAuthTokenError,
)
# The network, not the service, is to blame.
NO_ANSWER = (exceptions.HTTPClientError, exceptions.ConnectionError)
_REFUSED = {"403", "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_STALE = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "InvalidIdentityToken",
}
_BUSY = {
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "ServiceUnavailable",
}


class Aws:
    """Clients and identity for one region; nothing is called before it is needed. Clients are safe to share
    by threads.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._clients: dict[tuple[str, int], Any] = {}

    @cached_property
    def session(self) -> boto3.session.Session:
        """The boto3 session; an unknown AWS_PROFILE is a `UserError` by way of `explain`."""
        session = botocore.session.get_session()
        session.register_component("data_loader", loader())
        return boto3.session.Session(botocore_session=session, region_name=self.region)

    def client(self, service: str) -> Any:
        """The client of a service (`"s3"`, `"sagemaker"`, ...), made once; throttled calls are repeated."""
        return self._client(service, attempts=6)

    def once(self, service: str) -> Any:
        """As `client`, without repeating calls: one whose answer is lost may have been carried out."""
        return self._client(service, attempts=1)

    def _client(self, service: str, attempts: int) -> Any:
        if (service, attempts) not in self._clients:
            settings = ClientConfig(
                retries={"mode": "standard", "total_max_attempts": attempts},
                user_agent_appid="autopilot-gitops",
            )
            client = self.session.client(service, config=settings)
            self._clients[service, attempts] = (
                expect_owner(client, self._owner) if service == "s3" else client
            )
        return self._clients[service, attempts]

    def _owner(self, bucket: str) -> str | None:
        """This account, of a bucket that ends as `kernel.names` writes it; whose another is, nobody says."""
        named = re.search(rf"-(\d{{12}})-{re.escape(self.region)}$", bucket)
        return self.account if named and named[1] == self.account else None

    @cached_property
    def identity(self) -> dict[str, str]:
        """`Account`, `Arn` and `UserId` of whoever calls (sts:GetCallerIdentity)."""
        return self.client("sts").get_caller_identity()

    @property
    def account(self) -> str:
        """The twelve digits of the account."""
        return self.identity["Account"]


def listed(client: Any, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
    """What all pages of an operation such as `"list_models"` have under ``key``; the next page is asked for only when
    it is needed.
    """
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, ())


def error_code(error: exceptions.ClientError) -> str:
    """The service's code of an error, such as `ResourceNotFound`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_missing(error: exceptions.ClientError) -> bool:
    """Whether the service says that the thing asked for does not exist, in whichever of its ways."""
    code, message = error_code(error), str(error.response.get("Error", {}).get("Message", "")).lower()
    if code in {
        "404", "NoSuchKey", "NoSuchBucket", "NotFound", "NotFoundException", "ResourceNotFound",
        "ResourceNotFoundException", "NoSuchEntity", "AWS.SimpleQueueService.NonExistentQueue",
    }:  # fmt: skip
        return True
    # SageMaker and CloudFormation answer ValidationException / ValidationError for what they do not know.
    return code.startswith("Validation") and any(
        hint in message for hint in ("does not exist", "could not find", "not found", "cannot find")
    )


def may_have_happened(error: Exception) -> bool:
    """Whether a call that ended in this may have been carried out, or would be at another try."""
    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or error_code(error) in _BUSY
    return isinstance(error, NO_ANSWER)


def may_not(error: exceptions.ClientError) -> bool:
    """Whether the service says that the caller has no right to do this."""
    return error_code(error) in _REFUSED


def no_bucket(bucket: str) -> UserError:
    """What to say where the project's bucket is not there."""
    return UserError(
        f"the project's bucket {bucket} does not exist: an administrator runs `make bootstrap` first"
    )


def explain(error: Exception) -> UserError | RunError:
    """An error of botocore as one sentence with the way out.

    Credentials and configuration are the user's to change (`UserError`); what a service answered is a
    `RunError`.
    """
    # The transfer of a file raises one of no common class, while it handles the service's own.
    if isinstance(error, Boto3Error) and isinstance(
        error.__context__, exceptions.ClientError | exceptions.BotoCoreError
    ):
        return explain(error.__context__)
    if isinstance(error, _CREDENTIALS):
        return UserError(f"no valid AWS credentials ({_sentence(error)}): {_SIGN_IN}")
    if isinstance(error, exceptions.ProfileNotFound):
        return UserError(
            f"{_sentence(error)}: set AWS_PROFILE to one of `aws configure list-profiles`, or unset it"
        )
    if isinstance(error, exceptions.NoRegionError):
        return UserError("no AWS region: set [project] region in automl.toml")
    if isinstance(error, ValueError) and "Invalid endpoint" in str(error):
        return UserError(
            f"{_sentence(error)}: set AWS_ENDPOINT_URL to a URL such as http://127.0.0.1:4566, or unset it"
        )
    if isinstance(error, NO_ANSWER):
        return RunError(
            f"AWS does not answer ({_sentence(error)}): check the network, [project] region in automl.toml "
            "and AWS_ENDPOINT_URL, then run the command again"
        )
    if isinstance(error, exceptions.ClientError):
        return _answer(error)
    if isinstance(error, ResponseParserError):
        return RunError(
            f"the answer is not AWS's ({_sentence(error)[:200]}): check AWS_ENDPOINT_URL and proxies"
        )
    if isinstance(error, exceptions.ParamValidationError):
        return RunError(f"AWS would refuse the request: {_sentence(error)}")
    return RunError(f"AWS call failed: {_sentence(error)}")


def _answer(error: exceptions.ClientError) -> UserError | RunError:
    code, operation = error_code(error), error.operation_name
    message = " ".join(str(error.response.get("Error", {}).get("Message", "")).split()).rstrip(".")
    if code in _STALE:
        return UserError(f"AWS does not accept the credentials ({code}: {message}): {_SIGN_IN}")
    if code in _REFUSED:
        return RunError(
            f"not allowed to call {operation} ({message}): use a role that may, or run "
            "`automl bootstrap` as an administrator if the project's roles are behind"
        )
    if code in _BUSY:
        return RunError(f"AWS is busy ({operation}: {code}): wait a minute and run the command again")
    return RunError(f"{operation} failed: {message or 'no reason given'} ({code or 'no code'})")


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
