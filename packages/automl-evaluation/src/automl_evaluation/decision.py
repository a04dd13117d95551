"""Which of two classes is the positive one, and from which of its probabilities on a row is called so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from automl_evaluation.errors import EvaluationError, PredictionError
from automl_evaluation.labels import Classes
from automl_evaluation.layout import Choice, Costs, Threshold
from automl_evaluation.metrics import named

MOST_NAMED_CLASSES = 10
COST = "cost"  # `layout.Choice.by` of costs


@dataclass(frozen=True)
class Decision:
    """What automl.toml decides, or a version's own record; `None` is what Autopilot, or its model, does.

    With ``on_validation`` the threshold is still to be chosen on validation rows, by ``costs`` where there are any.
    """

    positive: str | None = None
    threshold: Threshold | None = None
    on_validation: bool = False
    costs: Costs | None = None

    def decides_as(self, other: "Decision") -> bool:
        """Whether both call the same rows of one model positive."""
        ours, theirs = (
            (one.positive, one.threshold.value) if one.threshold else None for one in (self, other)
        )
        return ours == theirs

    def positive_code(self, classes: Classes, autopilots: int | None) -> int | None:
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
        """The rows' classes (rows,): by the threshold, whatever label the model ``predicted``; others as `scores`."""
        if self.threshold is None:
            return predicted
        called = scores(probabilities, codes, positive) >= self.threshold.value
        negative = next(code for code in codes if code != positive)
        return np.where(called, np.asarray(positive), negative).astype(predicted.dtype)

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
            yield (
                f'a row is called "{labels[positive]}" from a probability of {self.threshold.value:.4g} on, whatever '
                f"label the model answers{_why(self.threshold)}"
            )


def scores(probabilities: np.ndarray | None, codes: Sequence[int], positive: int | None) -> np.ndarray:
    """The probabilities (rows,) by which a threshold decides, of ``probabilities`` (2, rows) of the classes ``codes``.

    Whoever reads an answer later decides by these too: nothing is worked out. Raises `PredictionError` where a model
    gives none.
    """
    if probabilities is None or len(codes) != 2 or positive is None or positive not in codes:
        raise PredictionError(
            "the model does not answer with the probabilities of two classes that a threshold needs"
        )
    return probabilities[list(codes).index(positive)]


def _why(threshold: Threshold) -> str:
    costs, chosen = threshold.costs, threshold.chosen
    of_costs = (
        f"since a false positive costs {costs.false_positive:g} and a false negative {costs.false_negative:g}"
        if costs
        else ""
    )
    if chosen:
        return f"{f', {of_costs}' if costs else ''}: {_chosen(chosen)}"
    return f", {of_costs}; that is right as far as probabilities can be believed" if costs else ""


def _chosen(choice: Choice) -> str:
    best = "it costs least" if choice.by == COST else f"{named(choice.by).label} is greatest"
    each = " a row" if choice.by == COST else ""
    return (
        f"on the {choice.rows:,} validation rows, {choice.positives:,} of that class, {best} there ({choice.value:.4g}"
        f"{each}; from {choice.usual:.4g} on {choice.usual_value:.4g}); no row of the holdout had a part in it"
    )
