"""A signature is checked against all that it covers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_sagemaker.authorization import signature

KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "a secret", "a token")
URL = "http://127.0.0.1:4566/a%20b/c?list=&x=1%2B2"
SIGNERS = [
    ("sagemaker", SigV4Auth),
    ("s3", S3SigV4Auth),
    ("s3", S3SigV4QueryAuth),
]


def signed(service, kind):
    """The parts of a signed request, as the server reads them."""
    presigned = "Query" in kind.__name__
    method, body = ("GET", b"") if presigned else ("POST", b"{}")
    request = AWSRequest(method, URL, headers={"X-Amz-Target": "Some.Thing"}, data=body)
    kind(KEYS, service, "eu-west-1").add_auth(request)
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {
        "method": method,
        "path": url.path,
        "query": url.query,
        "headers": headers | {"host": url.netloc, "user-agent": "not signed"},
        "body": body,
    }


def valid(parts, secret=KEYS.secret_key):
    found = signature.find(parts["headers"], parts["query"])
    return signature.valid(
        found, secret, parts["method"], parts["path"], parts["query"], parts["headers"], parts["body"]
    )


@pytest.mark.parametrize(("service", "kind"), SIGNERS)
def test_what_was_signed_is_valid(service, kind):
    parts = signed(service, kind)

    found = signature.find(parts["headers"], parts["query"])

    assert (found.access_key, found.region, found.service) == (KEYS.access_key, "eu-west-1", service)
    assert found.token == KEYS.token
    assert valid(parts)
    assert not valid(parts, secret="another")


@pytest.mark.parametrize(("service", "kind"), SIGNERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts | {"method": "DELETE"},
        lambda parts: parts | {"path": parts["path"] + "d"},
        lambda parts: parts | {"query": parts["query"].replace("list=", "list=1")},
        lambda parts: parts | {"query": parts["query"] + "&more="},
        lambda parts: parts | {"headers": parts["headers"] | {"host": "elsewhere"}},
        lambda parts: parts | {"headers": parts["headers"] | {"x-amz-target": "Another.Thing"}},
    ],
)
def test_what_was_changed_is_not(service, kind, change):
    assert not valid(change(signed(service, kind)))


def test_another_body_is_not_what_was_signed():
    assert not valid(signed("sagemaker", SigV4Auth) | {"body": b"{ }"})


@pytest.mark.parametrize("part", ["eu-west-1/", "sagemaker/"])
def test_a_signature_holds_for_its_own_region_and_service(part):
    parts = signed("sagemaker", SigV4Auth)
    other = parts["headers"]["authorization"].replace(f"/{part}", "/iam/")

    assert not valid(parts | {"headers": parts["headers"] | {"authorization": other}})


class HostlessAuth(SigV4Auth):
    """Signs everything but the host."""

    def headers_to_sign(self, request):
        headers = super().headers_to_sign(request)
        del headers["host"]
        return headers


def test_a_signature_that_leaves_the_host_out_is_not_valid():
    assert not valid(signed("sagemaker", HostlessAuth))


@pytest.mark.parametrize("header", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b, Signature=c"])
def test_no_signature_is_found_where_there_is_none(header):
    assert signature.find({"authorization": header}, "a=b") is None
