"""Signature version 4: whether a request was signed with the secret of its access key.

The steps are those of the IAM user guide, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote


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
    names = tuple(fields.get("SignedHeaders", "").split(";"))
    return Signature(*scope[:4], names, fields.get("Signature", ""), timestamp, token, in_query)


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
    canonical_headers = "".join(
        f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signature.signed_headers
    )
    payload = "UNSIGNED-PAYLOAD" if signature.in_query else headers.get("x-amz-content-sha256")
    canonical = "\n".join(
        (
            method,
            # S3 signs the path as it was sent, the other services quote it once more.
            path if signature.service == "s3" else quote(path, safe="/-_.~"),
            _canonical_query(query),
            canonical_headers,
            ";".join(signature.signed_headers),
            payload or hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    text = (
        f"AWS4-HMAC-SHA256\n{signature.timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    )
    key = f"AWS4{secret}".encode()
    for part in (signature.date, signature.region, signature.service, "aws4_request", text):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(key.hex(), signature.value)


def _canonical_query(query: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in pairs)
