"""When two predictions of a row are the same: as far as the arithmetic of the same model allows, and no further.

A neural net computes in float32, and the order of its sums follows from the size of the batch and the processor:
the evaluation's transform, with batches of megabytes on one instance type, and an endpoint that gets one row on
another do not give the same bits (PyTorch, "Numerical accuracy"; Autopilot's ensembling trains nn-torch and fastai).
"""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from automl_gitops.verification.payload import LABEL

LABELS = (
    "labels"  # lists the classes; it is not predicted, and each content type writes a list in its own way
)
# A float32 has 7 digits, of which the sums of a deep net lose 3 or 4: a thousandth is wide enough for those, and far
# below what separates two models.
PROBABILITY_TOLERANCE = 1e-3  # absolute, of a probability or score
# A regression's prediction may be off by this share of the predictions' standard deviation: it changes R2 by 1e-6.
SPREAD_TOLERANCE = 1e-3
RELATIVE_TOLERANCE = 1e-5  # of large numbers, and where all predictions are the same
BORDER_SHARE = 0.01  # of the rows, whose label may differ since they lie at the border between two classes
Outcome = Literal["same", "border", "different"]


@dataclass(frozen=True)
class Tolerance:
    """By how much two numbers of the same prediction may differ: absolute, or as a share of the larger."""

    absolute: float = PROBABILITY_TOLERANCE
    relative: float = RELATIVE_TOLERANCE

    @classmethod
    def of(cls, expected: Sequence[Mapping[str, str]]) -> "Tolerance":
        """The tolerance for predictions like ``expected``: a classifier's, or a regression's by their spread."""
        if not expected or LABEL in expected[0]:
            return cls()
        values = [
            number for prediction in expected for text in prediction.values() for number in _finite(text)
        ]
        return cls(SPREAD_TOLERANCE * statistics.pstdev(values) if values else 0.0)

    def covers(self, one: str, other: str) -> bool:
        """Whether two values, each a number or a list of numbers, are the same within the tolerance."""
        try:
            ours, theirs = numbers(one), numbers(other)
        except ValueError:
            return False
        return len(ours) == len(theirs) and all(
            math.isclose(a, b, rel_tol=self.relative, abs_tol=self.absolute)
            for a, b in zip(ours, theirs, strict=True)
        )


def compare(one: Mapping[str, str], other: Mapping[str, str], tolerance: Tolerance) -> Outcome:
    """Compare two predictions of a row.

    They are at the `border` where nothing but the label differs, and their numbers, if they have any, are the same:
    the model is, and the row lies within the tolerance of where one class becomes the other.
    """
    for key, text in one.items():
        theirs = other.get(key, "")
        if key not in (LABEL, LABELS) and text != theirs and not tolerance.covers(text, theirs):
            return "different"
    return "same" if one.get(LABEL) == other.get(LABEL) else "border"


def most_at_border(rows: int) -> int:
    """How many of so many rows may have another label than expected."""
    return max(round(rows * BORDER_SHARE), 1 if rows >= 50 else 0)


def same_cells(one: Sequence[str] | None, other: Sequence[str] | None, tolerance: Tolerance) -> bool:
    """Whether two answers are the same, value by value, whatever the values are called."""
    if one is None or other is None or len(one) != len(other):
        return False
    return all(a == b or tolerance.covers(a, b) for a, b in zip(one, other, strict=True))


def numbers(text: str) -> list[float]:
    """The numbers in a value: one, or a list of them. Raises `ValueError` where it is neither."""
    if not text.lstrip().startswith("["):
        return [float(text)]
    try:
        return [float(value) for value in json.loads(text)]
    except (TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"no list of numbers: {error}") from None


def _finite(text: str) -> list[float]:
    try:
        return [number for number in numbers(text) if math.isfinite(number)]
    except ValueError:
        return []
