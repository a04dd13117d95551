"""Which of two classes is the positive one, and from which of its probabilities on a row is called so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from automl_gitops.evaluation.errors import EvaluationError, PredictionError
from automl_gitops.evaluation.labels import Classes
from automl_gitops.evaluation.layout import Threshold

MOST_NAMED_CLASSES = 10


@dataclass(frozen=True)
class Decision:
    """What automl.toml decides; `None` is what Autopilot, or its model, does."""

    positive: str | None = None
    threshold: Threshold | None = None

    def positive_code(self, classes: Classes, autopilots: int) -> int:
        """The code of the positive class. Raises `EvaluationError` where there is no such class."""
        if self.positive is None:
            return autopilots
        try:
            return classes.code(self.positive)
        except KeyError:
            known = ", ".join(classes.labels[:MOST_NAMED_CLASSES])
            raise EvaluationError(
                f'[decision] positive = "{self.positive}" is none of the classes ({known})'
            ) from None

    def codes(
        self,
        predicted: np.ndarray,
        probabilities: np.ndarray | None,
        codes: Sequence[int],
        positive: int | None,
    ) -> np.ndarray:
        """The rows' classes (rows,): by the threshold, whatever label the model ``predicted``.

        ``probabilities`` (2, rows) are of the classes ``codes``. Raises `PredictionError` where there are none.
        """
        if self.threshold is None:
            return predicted
        if probabilities is None or len(codes) != 2 or positive is None or positive not in codes:
            raise PredictionError(
                "the model does not answer with the probabilities of two classes that [decision] needs"
            )
        place = list(codes).index(positive)
        called = probabilities[place] >= self.threshold.value
        decided: np.ndarray = np.where(called, positive, codes[1 - place]).astype(predicted.dtype)
        return decided

    def notes(self, labels: Sequence[str], positive: int | None, autopilots: int | None) -> Iterator[str]:
        """Where that differs from what Autopilot does, as sentences; the last two are codes of positive classes."""
        if positive is None or autopilots is None:
            return
        if positive != autopilots:
            yield (
                f'Autopilot takes "{labels[autopilots]}" for the positive class: F1, precision and recall of its own '
                "figures, and what it optimised by them, are of that one"
            )
        if self.threshold:
            costs, why = self.threshold.costs, ""
            if costs:
                why = (
                    f", since a false positive costs {costs.false_positive:g} and a false negative "
                    f"{costs.false_negative:g}; that is right as far as probabilities can be believed"
                )
            yield (
                f'a row is called "{labels[positive]}" from a probability of {self.threshold.value:.4g} on, whatever '
                f"label the model answers{why}"
            )
