"""evaluation.json: an execution's in the project's bucket, or a file's. Its schema is in evaluation/layout.py."""

import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.errors import UserError

VERSION = 1  # as evaluation/layout.py has it
_AGAIN = "evaluate again, or use the project's commit that wrote it"
_GIVE = "give the path of an evaluation.json"


def find(s3: Any, bucket: str, execution_id: str) -> dict[str, Any] | None:
    """The document, `None` where the execution came to none. Raises `UserError` where it is another version's."""
    key = f"evaluations/{execution_id}/evaluation.json"
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return _parse(answer["Body"].read(), f"s3://{bucket}/{key}", _AGAIN)


def load(path: Path) -> dict[str, Any]:
    """The document in a file. Raises `UserError` where it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): {_GIVE}") from None
    return _parse(content, str(path), _GIVE)


def _parse(content: bytes, source: str, way_out: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise UserError(f"{source}: is no JSON ({error}): {way_out}") from None
    version = document.get("version") if isinstance(document, dict) else None
    if version != VERSION:
        raise UserError(
            f"{source}: version = {json.dumps(version)}, but version {VERSION} of evaluation.json is read here: "
            f"{_AGAIN}"
        )
    return document
