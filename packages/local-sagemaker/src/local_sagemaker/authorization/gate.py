"""What stands in front of moto's server: no request passes that its signer's policies do not allow."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket, s3_backends

from local_sagemaker import late
from local_sagemaker.authorization import (
    answers,
    context,
    decisions,
    principals,
    record,
    s3,
    signature,
    trust,
)
from local_sagemaker.authorization.conditions import Context
from local_sagemaker.authorization.policies import Check, Principal, refusal, trusts
from local_sagemaker.authorization.questions import Question, questions
from local_sagemaker.bridge import ACTOR, REQUEST, Application, AWSError
from local_sagemaker.wire import Request, respond

log = logging.getLogger("local_sagemaker.authorization")
# Everybody may ask who he is.
ALWAYS_ALLOWED = ("sts:GetCallerIdentity",)
# Moto looks these up in the caller's account alone; a request for another account's goes to that account.
BY_OWNER = ("lambda", "sqs")

# The ARNs of the objects that the present DeleteObjects may not delete.
_kept: ContextVar[frozenset[str]] = ContextVar("kept", default=frozenset())


class Gate:
    """WSGI application that checks signature and policies, then hands the request on to ``inner``."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner
        FakeBucket.get_permission = _may_delete

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"].startswith("/moto-api"):  # would reset all there is, and asks nobody's leave
            start_response("404 Not Found", [("Content-Length", "0")])
            return []
        environ.pop("HTTP_X_MOTO_ACCOUNT_ID", None)
        _kept.set(frozenset())
        request = Request(environ)
        late.bring(request.service)
        try:
            principal = _authenticate(request)
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = self._admit(request, principal)
        except AWSError as error:
            log.info("refused %s: %s", error.code, error.message)
            return respond(request, error, start_response)
        except Exception as error:
            log.exception("%s", request.name)
            message = f"the local AWS failed at {request.name}: {type(error).__name__}: {error}"
            return respond(request, AWSError("InternalFailure", message, 500), start_response)

        def start(status: str, *more: Any) -> Any:
            log.debug("%s %s: %s", principal.arn if principal else "-", request.name, status)
            return start_response(status, *more)

        environ[REQUEST], environ[ACTOR] = request, principal.arn if principal else ""
        return self._inner(environ, start)

    def _admit(self, request: Request, principal: Principal | None) -> str:
        """The account to answer the request in; raises :class:`AWSError` where it is refused."""
        if principal is None:
            return _admit_unsigned(request)
        if request.service == "s3":
            s3.check_owners(request.parameters, request.headers)
        asked = questions(request, principal.account)
        keys = {**context.of(request, principal.account), **principal.context}
        if request.service == "s3" and request.operation and request.operation.name == "DeleteObjects":
            _kept.set(_not_deletable(asked, principal, keys))
            return principal.account
        for question in asked:
            _require(request, principal, question, keys)
        if request.service == "s3":
            _hide_missing(request, principal, keys)
        return asked[0].owner if request.service in BY_OWNER else principal.account


def _authenticate(request: Request) -> Principal | None:
    signed = request.signature
    if signed is None:
        return None
    if signed.in_query and signed.service != "s3":  # moto would take it for one of S3's
        raise AWSError("NotImplemented", "the local AWS offers presigned URLs of S3 alone")
    try:
        signer = principals.signer(signed.access_key, signed.token)
    except principals.ExpiredSession:
        raise answers.expired(request) from None
    except principals.UnknownKey:
        raise answers.unknown_key(request) from None
    body = b"" if signed.in_query or "x-amz-content-sha256" in request.headers else request.body
    if not signature.valid(
        signed, signer.secret, request.method, request.path, request.query, request.headers, body
    ):
        raise answers.wrong_signature(request)
    return signer.principal


def _admit_unsigned(request: Request) -> str:
    if request.operation is None or request.operation.name != "AssumeRoleWithWebIdentity":
        raise AWSError("MissingAuthenticationToken", "Missing Authentication Token", 403)
    role = str(request.parameters.get("RoleArn", ""))
    account = "".join(role.split(":")[4:5])
    trust.check_web_identity(
        role, request.parameters.get("WebIdentityToken", ""), context.of(request, account)
    )
    return account


def _require(request: Request, principal: Principal, question: Question, keys: Context) -> None:
    if question.action in ALWAYS_ALLOWED:
        return
    decide = _why_not_assume if question.action == "sts:AssumeRole" else decisions.why_not
    reason = decide(principal, question, keys)
    if reason is not None:
        raise answers.access_denied(request, decisions.message(principal, question, reason))


def _why_not_assume(principal: Principal, question: Question, keys: Context) -> str | None:
    """A role is entered through its trust policy, which is a resource policy that nobody gets past."""
    role = principals.find_role(question.resources[0])
    document = principals.trust_policy(role) if role else "{}"
    names = principal.names | principal.account_names
    if not trusts(document, question.action, names, keys):
        return ""
    check = Check(question.action, question.resources, question.owner, keys, document)
    reason = refusal(principal, check)
    if reason is None:
        record.allowed(principal, question, keys)
    return reason


def _hide_missing(request: Request, principal: Principal, keys: Context) -> None:
    """S3 tells only those who may list a bucket that an object is missing; others are refused."""
    if request.operation is None or request.operation.name not in ("GetObject", "HeadObject"):
        return
    bucket, key = request.parameters["Bucket"], request.parameters["Key"]
    if bucket not in s3_backends.bucket_accounts:
        return
    partition, owner = s3_backends.bucket_accounts[bucket]
    if key not in s3_backends[owner][partition].buckets[bucket].keys:
        listing = Question("s3:ListBucket", (f"arn:{partition}:s3:::{bucket}",), owner)
        _require(request, principal, listing, keys)


def _not_deletable(asked: list[Question], principal: Principal, keys: Context) -> frozenset[str]:
    """S3 decides for each object of DeleteObjects by itself, and answers the request in any case."""
    return frozenset(q.resources[0] for q in asked if decisions.why_not(principal, q, keys) is not None)


def _may_delete(self: FakeBucket, action: str, resource: str) -> PermissionResult:
    """Asked by moto before each object that DeleteObjects names (and of actions that were checked already)."""
    denied = action == "s3:DeleteObject" and resource in _kept.get()
    return PermissionResult.DENIED if denied else PermissionResult.NEUTRAL
