"""evaluation.json: an execution's in the project's bucket, or a file's. Its schema is in evaluation/layout.py."""

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_evaluation.layout import Evaluation, LayoutError, OtherVersionError
from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.errors import UserError

_AGAIN = "evaluate again, or use the project's commit that wrote it"
_GIVE = "give the path of an evaluation.json as the evaluation wrote it"


def find(s3: Any, bucket: str, execution_id: str) -> Evaluation | None:
    """The evaluation, `None` where the execution came to none. Raises `UserError` where it cannot be read."""
    key = f"evaluations/{execution_id}/evaluation.json"
    try:
        answer = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return _parse(answer["Body"].read(), f"s3://{bucket}/{key}", _AGAIN)


def load(path: Path) -> Evaluation:
    """The evaluation in a file. Raises `UserError` where it is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}): {_GIVE}") from None
    return _parse(content, str(path), _GIVE)


def _parse(content: bytes, source: str, way_out: str) -> Evaluation:
    try:
        return Evaluation.load(content, source)
    except OtherVersionError as error:
        raise UserError(f"{error}: {_AGAIN}") from None
    except LayoutError as error:
        raise UserError(f"{error}: {way_out}") from None
