"""The holdout of a regression: the true numbers, then the candidate's predictions, then the champion's."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from automl_evaluation import measures, regression
from automl_evaluation.assess_classes import Groups
from automl_evaluation.clusters import Clusters
from automl_evaluation.layout import Curves
from automl_evaluation.measures import Measure
from automl_evaluation.predictions import read_number_predictions
from automl_evaluation.reading import Part, read_truth, write_labels
from automl_evaluation.slices import Slicing


class NumberHoldout:
    """What the rows of the holdout say about regression models; used like `holdout_classes.ClassHoldout`."""

    def __init__(self, truth: Sequence[Part], measures: Sequence[Measure] = ()) -> None:
        """Read the true numbers. Raises `EvaluationError`."""
        self._truth, place, self.clusters = read_truth(truth)
        self.counts, self.rows = place.counts, place.rows
        self.slicings: list[Slicing] = []
        self.notes: list[str] = []
        self.measures = measures
        self._best_by_measure: dict[str, tuple[str, float]] = {}
        self._candidate = np.empty(0)
        self._champion: np.ndarray | None = None
        if self.rows and self._truth.min() == self._truth.max():
            self.notes.append(
                f"the target is {self._truth[0]:g} in every row of the holdout: R2 is undefined"
            )

    def candidate(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take the candidate's predictions. Raises `PredictionError`."""
        self._candidate = read_number_predictions(answers, self.counts)
        if said := regression.unequal(self._truth, self._candidate):
            self.notes.append(said)

    def champion(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take the champion's predictions. Raises `PredictionError`."""
        self._champion = read_number_predictions(answers, self.counts)

    def sample(self, rows: np.ndarray, folder: Path) -> "NumberHoldout":
        """A holdout of some of the rows (numbers), whose labels are written below ``folder``."""
        labels = [repr(float(value)) for value in self._truth[rows]]
        return NumberHoldout(write_labels(folder, labels, self.clusters.of(rows) if self.clusters else None))

    def groups(self) -> Groups:
        """Metrics of candidate, baseline and champion on all rows."""
        metrics, self._best_by_measure = self._assess(
            self._truth, self._candidate, self._champion, self.clusters
        )
        return metrics

    def slice_groups(self) -> Iterator[tuple[Slicing, int, Groups | None]]:
        """The same on each slice; none where it has no rows."""
        for slicing in self.slicings:
            for code in range(len(slicing.names)):
                mask = slicing.mask(code)
                yield slicing, code, self._masked(mask) if mask.any() else None

    def description(self) -> dict[str, Any]:
        """The fields of `layout.Evaluation` that regressions have."""
        return {"residuals": regression.residuals(self._truth, self._candidate)}

    def champion_curves(self) -> list[Curves]:
        """A regression has none."""
        return []

    def baseline(self, metric: str) -> tuple[str, float]:
        """The best constant answer by a metric in words, and the number."""
        if metric in self._best_by_measure:
            return self._best_by_measure[metric]
        name, number = self._constants[metric]
        return f"always the {name}", number

    @cached_property
    def _constants(self) -> dict[str, tuple[str, float]]:
        return regression.constants(self._truth)

    def _masked(self, mask: np.ndarray) -> Groups:
        champion = self._champion[mask] if self._champion is not None else None
        clusters = self.clusters.of(mask) if self.clusters else None
        return self._assess(self._truth[mask], self._candidate[mask], champion, clusters)[0]

    def _assess(
        self,
        truth: np.ndarray,
        candidate: np.ndarray,
        champion: np.ndarray | None,
        clusters: Clusters | None,
    ) -> tuple[Groups, dict[str, tuple[str, float]]]:
        """Metrics, and each measure's best constant answer."""
        groups = regression.compared(truth, candidate, champion, clusters)
        if not self.measures:
            return groups, {}
        own, best = measures.of_numbers(self.measures, truth, candidate, champion, clusters)
        return {kind: groups[kind] | own[kind] for kind in groups}, best
