"""Refusals, each with the code of the service that was asked."""

from __future__ import annotations

from local_sagemaker.bridge import AWSError
from local_sagemaker.wire import Request

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
