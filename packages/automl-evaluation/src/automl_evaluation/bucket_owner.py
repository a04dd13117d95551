"""Whose a bucket has to be: S3's names are anybody's to take, and one that is guessed may be another account's.

Each call then says whose bucket it means, and S3 refuses it where that is not so (S3 user guide, "Verifying bucket
ownership with bucket owner condition").
"""

from collections.abc import Callable
from typing import Any


def expect_owner(s3: Any, owner_of: Callable[[str], str | None]) -> Any:
    """Have each call of a boto3 client of S3 name the account (twelve digits) that ``owner_of`` gives for its bucket.

    `None` leaves the call as it is. The transfers of files are such calls, too. Returns the client.
    """

    def name(params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any] | None:
        takes = model.input_shape.members if model.input_shape else {}
        if "ExpectedBucketOwner" not in takes or "ExpectedBucketOwner" in params:
            return None
        owner = owner_of(params.get("Bucket", ""))
        return {**params, "ExpectedBucketOwner": owner} if owner else None

    s3.meta.events.register("provide-client-params.s3", name)
    return s3
