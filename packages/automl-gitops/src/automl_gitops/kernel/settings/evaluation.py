"""[evaluation]: the processing job and the batch transform that judge a candidate."""

import math
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from automl_gitops.kernel.settings.base import ProcessingInstance, Section, TransformInstance

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


def _version(value: str) -> str:
    if not re.fullmatch(r"\d+\.\d+-\d+(-py\d+)?", value):
        raise ValueError('is no version of the image, such as "1.9-0"')
    return value


def _bands(value: object) -> object:
    if isinstance(value, list) and all(_is_number(edge) for edge in value):
        if 1 <= len(value) < MOST_BANDS and all(a < b for a, b in pairwise(value)):
            return value
        raise ValueError(f"are edges that do not rise, or not 1 to {MOST_BANDS - 1} of them")
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("is neither a number of bands, such as 4, nor a list of edges, such as [30, 60]")
    if not 2 <= value <= MOST_BANDS:
        raise ValueError(f"is a number of bands outside 2 to {MOST_BANDS}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Bands = Annotated[int | list[float], BeforeValidator(_bands)]


class Evaluation(Section):
    """Container, instances and slices of the evaluation.

    `slices` names input columns; `race_*` takes the 0/1 columns that one-hot encoding made of one. `bands`
    cuts a column of numbers into so many bands of equally many rows, or at the edges given. Slices of fewer
    than `minimum_slice_rows` rows are shown, but not judged.
    """

    container_version: Annotated[str, AfterValidator(_version)] = "1.9-0"
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=1)  # the metrics of one holdout are made in one place
    transform_instance_type: TransformInstance = "ml.m5.xlarge"
    transform_instance_count: int = Field(default=1, ge=1, le=100)
    max_seconds: int = Field(default=7200, ge=60, le=432_000)  # five days (API, ProcessingStoppingCondition)
    volume_size_gb: int = Field(default=30, ge=1, le=16384)  # holds x_test, y_test and the predictions
    slices: list[str] = Field(default_factory=list)
    bands: dict[str, Bands] = Field(default_factory=dict)
    minimum_slice_rows: int = Field(default=100, ge=1)

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
