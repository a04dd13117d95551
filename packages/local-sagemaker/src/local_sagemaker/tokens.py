"""Web identity tokens: JWTs signed with the local AWS's own secret, which stands in the ready file.

The real STS checks a token with its issuer's public keys, which are out of reach of a machine without network.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

# The variable of an administrator that holds the secret.
VARIABLE = "LOCAL_AWS_TOKEN_SECRET"
GITHUB = "https://token.actions.githubusercontent.com"
SECONDS = 600


def issue(secret: str, subject: str, **claims: Any) -> str:
    """A token as GitHub gives one to a workflow: ``subject`` is its `sub`, ``claims`` add to or replace the others."""
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + SECONDS}
    return sign(secret, {"iss": GITHUB, "aud": "sts.amazonaws.com", "sub": subject, **times, **claims})


def sign(secret: str, claims: dict[str, Any]) -> str:
    """The JWT of ``claims``, by HS256 (RFC 7515 and 7518)."""
    text = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{text}.{_signature(secret, text)}"


def verified(secret: str, token: str) -> Any:
    """What a token claims. Raises ValueError where ``secret`` did not sign it, or what it signed is no JSON."""
    text, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(secret, text).encode(), signature.encode()):
        raise ValueError("its signature is not valid")
    payload = text.rpartition(".")[2]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def _signature(secret: str, text: str) -> str:
    return _encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
