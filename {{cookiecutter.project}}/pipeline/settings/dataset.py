"""[dataset]: what is predicted, and how the rows are split."""

from pydantic import Field

from pipeline.settings.base import Section


class Dataset(Section):
    """Target column, share of rows that the model never sees, and the seed of the split."""

    target: str = Field(min_length=1)
    holdout: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
