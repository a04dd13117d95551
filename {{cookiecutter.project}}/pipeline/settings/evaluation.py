"""[evaluation]: the processing job and the batch transform that judge a candidate."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from pipeline.settings.base import ProcessingInstance, Section, TransformInstance

# The keys that say on what the evaluation runs; the others say what it does, and travel with its code.
RESOURCES = {
    "container_version",
    "instance_type",
    "instance_count",
    "transform_instance_type",
    "transform_instance_count",
    "volume_size_gb",
}
MOST_BANDS = 20

Number = Annotated[float, Field(allow_inf_nan=False)]


class Evaluation(Section):
    """Container, instances and slices of the evaluation.

    `slices` names input columns; `race_*` takes the 0/1 columns that one-hot encoding made of one. `bands`
    cuts a column of numbers into so many bands of equally many rows, or at the edges given. Slices of fewer
    than `minimum_slice_rows` rows are shown, but not judged.
    """

    container_version: str = Field(default="1.9-0", pattern=r"^\d+\.\d+-\d+(-py\d+)?$")
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=1)  # the metrics of one holdout are made in one place
    transform_instance_type: TransformInstance = "ml.m5.xlarge"
    transform_instance_count: int = Field(default=1, ge=1, le=100)
    max_seconds: int = Field(default=7200, ge=60, le=432_000)  # five days (API, ProcessingStoppingCondition)
    volume_size_gb: int = Field(default=30, ge=1, le=16384)  # holds x_test, y_test and the predictions
    slices: list[str] = Field(default_factory=list)
    bands: dict[str, int | list[Number]] = Field(default_factory=dict)
    minimum_slice_rows: int = Field(default=100, ge=1)

    @field_validator("bands")
    @classmethod
    def _possible(cls, value: dict[str, int | list[float]]) -> dict[str, int | list[float]]:
        for column, bands in value.items():
            if isinstance(bands, int) and not 2 <= bands <= MOST_BANDS:
                raise ValueError(f"cuts {column} into {bands} bands: 2 to {MOST_BANDS} are possible")
            if isinstance(bands, list) and not (
                bands and all(a < b for a, b in pairwise(bands)) and len(bands) < MOST_BANDS
            ):
                raise ValueError(f"gives {column} edges that do not rise, or none, or {MOST_BANDS} or more")
        return value

    @model_validator(mode="after")
    def _bands_of_slices(self) -> "Evaluation":
        for column in self.bands:
            if column not in self.slices:
                raise ValueError(f'bands names "{column}", which is not among slices: add it there')
        return self

    def unknown_slices(self, columns: Iterable[str]) -> list[str]:
        """The entries of `slices` that match none of these columns."""
        known = list(columns)
        return [
            entry
            for entry in self.slices
            if entry not in known and not ("*" in entry and any(fnmatchcase(name, entry) for name in known))
        ]
