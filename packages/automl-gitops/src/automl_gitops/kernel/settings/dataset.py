"""[dataset]: what is predicted, how the rows are split, and where else data may lie."""

import re

from pydantic import Field, field_validator

from automl_gitops.kernel.settings.base import Section

# Without a star or a slash: the names become resources of the roles' policies.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_BUCKETS = 10  # a policy's length is limited


class Dataset(Section):
    """Target column, share of rows that the model never sees, seed of the split, and the buckets beside the
    project's own from which the pipeline may read data to train on.
    """

    target: str = Field(min_length=1)
    holdout: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    buckets: list[str] = Field(default_factory=list)

    @field_validator("buckets")
    @classmethod
    def _buckets(cls, value: list[str]) -> list[str]:
        if len(value) > _MOST_BUCKETS:
            raise ValueError(
                f"has {len(value)} entries, more than the {_MOST_BUCKETS} that a role's policy takes"
            )
        for name in value:
            if not _BUCKET.fullmatch(name):
                raise ValueError(f'has "{name}", which is no name of an S3 bucket, such as my-data-lake')
        if len(set(value)) != len(value):
            raise ValueError("names one twice")
        return value
