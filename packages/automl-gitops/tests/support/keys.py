"""KMS keys with the policy that the project's docs/set-up.md asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any


def statements(folder: Path, region: str, account: str, hosting_account: str) -> list[dict[str, Any]]:
    """What the document says that a key's policy has to have, filled in, the project's name with a star."""
    (block,) = re.findall(r"```json\n(.*?)```", (folder / "docs" / "set-up.md").read_text(), re.S)
    values = {
        "REGION": region,
        "PROJECT_ACCOUNT": account,
        "HOSTING_ACCOUNT": hosting_account,
        "PROJECT-*": "*",
    }
    for word, value in values.items():
        block = block.replace(word, value)
    found: list[dict[str, Any]] = json.loads(block)
    return found


def make(kms: Any, administrator: str, found: list[dict[str, Any]]) -> str:
    """A key whose policy has these statements, and beside them only what administers the key. Returns its ARN."""
    administers = {"Sid": "Administer", "Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [administers | {"Principal": {"AWS": administrator}}, *found],
    }
    return str(kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"])
