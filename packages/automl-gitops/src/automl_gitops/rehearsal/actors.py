"""Who calls a command: an administrator at first, then the roles of GitHub's workflows, as those assume them."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

ISSUER = "https://token.actions.githubusercontent.com"


def web_identity_token(subject: str) -> str:
    """A token of the form that GitHub gives to a workflow. Unsigned: the local AWS reads its claims only."""
    issued = int(time.time())
    claims = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": subject, "iat": issued, "exp": issued + 3600}
    return ".".join((_segment({"alg": "none", "typ": "JWT"}), _segment(claims), ""))


def assume(environment: dict[str, str], role_arn: str, subject: str) -> dict[str, str]:
    """``environment`` with the credentials of the role, assumed by a workflow whose OIDC subject is ``subject``."""
    sts = boto3.client(
        "sts",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        config=Config(signature_version=UNSIGNED),
    )
    given = sts.assume_role_with_web_identity(
        RoleArn=role_arn, RoleSessionName="rehearsal", WebIdentityToken=web_identity_token(subject)
    )["Credentials"]
    return environment | {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def _segment(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
