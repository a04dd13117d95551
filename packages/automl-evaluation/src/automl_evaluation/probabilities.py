"""Metrics of probabilities that are means over rows, and how far the probabilities can be believed."""

from dataclasses import dataclass

import numpy as np

from automl_evaluation.ahead import in_order
from automl_evaluation.clusters import Clusters, ClusterSums
from automl_evaluation.counts import spans
from automl_evaluation.layout import INTERVAL_CONFIDENCE, CalibrationBin
from automl_evaluation.shares import Worth, effective, wilson

CALIBRATION_BINS = 15
TINY = np.finfo(np.float64).eps  # scikit-learn's log loss keeps probabilities that far from 0 and 1
QUANTITIES = ("rows", "log_loss", "brier")


@dataclass
class Calibration:
    """By bins of equally wide probabilities (bins,): rows, sum of the probabilities, rows that came true.

    ``worth`` is what `shares.effective` says of the bins' rows, where rows come in groups.
    """

    rows: np.ndarray
    given: np.ndarray
    true: np.ndarray
    worth: Worth | None = None

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of probability and share, weighted by rows.

        Naeini, Cooper and Hauskrecht, AAAI 2015.
        """
        return float(np.abs(self.given - self.true).sum() / self.rows.sum())

    def bins(self) -> list[CalibrationBin]:
        """The reliability curve: the bins that have rows; Wilson's interval of the share that came true."""
        low, high = wilson(self.true, self.rows, INTERVAL_CONFIDENCE, self.worth)
        return [
            CalibrationBin(
                bin_ / CALIBRATION_BINS,
                (bin_ + 1) / CALIBRATION_BINS,
                int(self.rows[bin_]),
                float(self.given[bin_] / self.rows[bin_]),
                float(self.true[bin_] / self.rows[bin_]),
                float(low[bin_]),
                float(high[bin_]),
            )
            for bin_ in np.flatnonzero(self.rows)
        ]


def pointwise(
    probabilities: np.ndarray, codes: list[int], truth: np.ndarray, clusters: Clusters | None = None
) -> np.ndarray:
    """Sums of `QUANTITIES` by bucket of rows (buckets, quantities); see `clusters.ClusterSums`.

    ``probabilities`` (classes, rows) has its rows for the classes ``codes``; ``truth`` (rows,) may hold
    further classes, which the model gives no probability. The Brier score is halved for two classes, as
    usual.
    """
    place = _places(codes, truth)
    half = 0.5 if len(codes) < 3 else 1.0
    sums = ClusterSums(len(QUANTITIES), clusters)

    def quantities(span: slice) -> np.ndarray:
        chunk = probabilities[:, span]
        right = _of_places(chunk, place[truth[span]])
        loss = -np.log(np.clip(right, TINY, 1 - TINY))
        # The square of the distance from (0, ..., 1, ..., 0), without building that.
        brier = half * ((chunk**2).sum(axis=0) - 2 * right + 1)
        return np.stack((np.ones(len(loss)), loss, brier), axis=1)

    sums.add_all(len(truth), quantities)
    return sums.sums


def calibration(given: np.ndarray, came_true: np.ndarray, clusters: Clusters | None = None) -> Calibration:
    """Calibration of the probabilities (rows,) of something that came true or not (rows,)."""
    totals = np.zeros((3, CALIBRATION_BINS))
    buckets = clusters.in_buckets() if clusters else None
    cells = buckets.number * CALIBRATION_BINS if buckets else 0
    by_cluster = np.zeros((2, cells))
    for span in spans(len(given)):
        values, true = given[span], came_true[span]
        bins = np.clip((values * CALIBRATION_BINS).astype(np.intp), 0, CALIBRATION_BINS - 1)
        for total, weights in zip(totals, (None, values, true), strict=True):
            total += np.bincount(bins, weights=weights, minlength=CALIBRATION_BINS)
        if buckets:
            bins += buckets.codes[span].astype(np.intp) * CALIBRATION_BINS
            for total, weights in zip(by_cluster, (true, None), strict=True):
                total += np.bincount(bins, weights=weights, minlength=cells)
    calibrated = Calibration(*totals)
    if buckets:
        calibrated.worth = effective(*by_cluster.reshape(2, -1, CALIBRATION_BINS))
    return calibrated


def of_predicted(probabilities: np.ndarray, codes: list[int], predicted: np.ndarray) -> np.ndarray:
    """The probability that the model gave the class that it predicted (rows,), 0 for one without."""
    place, given = _places(codes, predicted), np.empty(len(predicted))

    def take(span: slice) -> None:
        given[span] = _of_places(probabilities[:, span], place[predicted[span]])

    for _ in in_order(take, spans(len(predicted))):
        pass
    return given


def _places(codes: list[int], rows: np.ndarray) -> np.ndarray:
    """Where each class stands in ``codes``, as many as these for a class of ``rows`` (rows,) that is not among them."""
    place = np.full(int(max(rows.max(initial=0), max(codes))) + 1, len(codes))
    place[codes] = np.arange(len(codes))
    return place


def _of_places(probabilities: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Of each row the probability (classes, rows) in the place ``at`` (rows,), 0 behind the last."""
    rows = len(at)
    flat = np.concatenate((probabilities.ravel(), np.zeros(rows)))
    chosen: np.ndarray = flat.take(at * rows + np.arange(rows))
    return chosen


def means(sums: np.ndarray) -> np.ndarray:
    """Log loss and Brier score from sums of `QUANTITIES`: (..., quantities) to (..., 2)."""
    averages: np.ndarray = sums[..., 1:] / sums[..., :1]
    return averages
