"""evaluation.json of an execution, as the evaluation left it in the project's bucket."""

import json
from typing import Any

from botocore.exceptions import ClientError

from pipeline.aws import is_missing


def find(s3: Any, bucket: str, execution_id: str) -> dict[str, Any] | None:
    """The document (its schema is in evaluation/layout.py), `None` where the execution came to none."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=f"evaluations/{execution_id}/evaluation.json")
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return json.loads(answer["Body"].read())
