"""Signature version 4: whether a request was signed with the secret of its access key.

botocore says once more what was to be signed, with the headers that the request says it signed; with the key that is
made of that secret, the two signatures must be one.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Signature:
    """What a request says of its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    value: str
    timestamp: str
    token: str | None
    in_query: bool


def find(headers: Mapping[str, str], query: str) -> Signature | None:
    """The signature in the Authorization header or, of a presigned URL, in the query; None without one.

    ``headers`` are keyed in lower case.
    """
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    authorization = headers.get("authorization", "")
    if authorization.startswith("AWS4-HMAC-SHA256 "):
        fields = dict(f.strip().split("=", 1) for f in authorization.split(" ", 1)[1].split(",") if "=" in f)
        timestamp, token, in_query = headers.get("x-amz-date", ""), headers.get("x-amz-security-token"), False
    elif parameters.get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256":
        fields = {
            name: parameters.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")
        }
        timestamp, token, in_query = (
            parameters.get("X-Amz-Date", ""),
            parameters.get("X-Amz-Security-Token"),
            True,
        )
    else:
        return None
    scope = fields.get("Credential", "").split("/")
    if len(scope) != 5:
        return None
    access_key, date, region, service, _ = scope
    names, value = tuple(fields.get("SignedHeaders", "").split(";")), fields.get("Signature", "")
    return Signature(access_key, date, region, service, names, value, timestamp, token, in_query)


def valid(
    signature: Signature,
    secret: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> bool:
    """Whether ``secret`` signed this request. ``path`` and ``query`` are as they were sent, still quoted."""
    parameters = parse_qsl(query, keep_blank_values=True)
    request = _Received(
        method,
        f"http://{headers.get('host', '')}{path}",
        headers={name: headers.get(name, "") for name in signature.signed_headers},
        data=body,
        params=[(name, value) for name, value in parameters if name != "X-Amz-Signature"],
    )
    request.context["timestamp"] = signature.timestamp
    credentials = Credentials(signature.access_key, secret)
    signer = _signer_of(signature)(credentials, signature.service, signature.region)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    key = _key(secret, signature.timestamp[:8], signature.region, signature.service)
    return hmac.compare_digest(_hmac(key, text).hex(), signature.value)


class _Received(AWSRequest):  # type: ignore[misc]  # botocore has no types
    """A request whose body is there already; botocore's would be made ready to be sent, to look at it."""

    @property
    def body(self) -> bytes:
        """The bytes that came."""
        return bytes(self.data)


@lru_cache(maxsize=1024)
def _key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key that signs: it is the same all day. ``date`` is YYYYMMDD."""
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), sha256)


def _signer_of(signature: Signature) -> Any:
    if signature.in_query:  # only S3's are taken, see the gate
        return S3SigV4QueryAuth
    # S3 signs the path as it was sent, the other services quote it once more.
    return S3SigV4Auth if signature.service == "s3" else SigV4Auth
