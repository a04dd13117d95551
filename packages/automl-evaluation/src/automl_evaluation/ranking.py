"""How well scores put the rows of a class before the others: ROC and precision-recall curves and their areas.

The areas are exact, ties included, and equal scikit-learn's. Their intervals come from each row's influence
on the area (for the ROC curve this is DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845), where
scores between two of about 2,000 neighbouring quantiles count as equal: that costs nothing in the area and
little in its variance, and spares a sort of the rows by score and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl_evaluation import few
from automl_evaluation.ahead import in_order
from automl_evaluation.clusters import Clusters, ClusterSums
from automl_evaluation.counts import spans
from automl_evaluation.intervals import Linear
from automl_evaluation.layout import INTERVAL_CONFIDENCE
from automl_evaluation.shares import Worth, effective, wilson

QUANTILES = 1024
CURVE_POINTS = 200
MOST_CELLS = 1 << 20  # of a grid, which fits into the processor's cache
TINIEST_WIDTH = 1e-290  # a grid over less has cells that are no numbers
SEARCHED = -2  # a cell with several edges
MERGED_ROWS = 1 << 14
MOST_MERGED = 16  # where there are more values than these times the scores, a search for each score is faster


@dataclass(frozen=True)
class Ranking:
    """The scores of the rows of a class and of the other rows, each sorted."""

    positive: np.ndarray
    negative: np.ndarray

    @classmethod
    def of(cls, scores: np.ndarray, truth: np.ndarray, code: int) -> "Ranking":
        """Of the class ``code``, from the scores of all rows (rows,) and their codes (rows,)."""

        def chosen(kind: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            values: np.ndarray = scores[truth == code if kind else truth != code]
            middle = len(values) // 2
            if middle:
                values.partition(middle)
            return values, values[:middle], values[middle:]

        # Halves, since one kind may have nearly all rows, and then one core nearly all the work.
        kinds = list(in_order(chosen, (True, False)))
        for _ in in_order(np.ndarray.sort, [half for _, *halves in kinds for half in halves]):
            pass
        return cls(*(values for values, *_ in kinds))

    @property
    def defined(self) -> bool:
        """Whether there are rows of both kinds."""
        return bool(len(self.positive) and len(self.negative))

    def areas(self) -> tuple[float, float]:
        """The area under the ROC curve, and the average precision.

        The one is the share of pairs in which the row of the class scores higher, ties half; the other is the mean,
        over the rows of the class, of the precision at the row's score.
        """
        wins_twice, precisions = 0, 0.0
        for wins, some in in_order(self._of_span, spans(len(self.positive))):
            wins_twice += wins
            precisions += some
        positives = len(self.positive)
        return wins_twice / (2 * positives * len(self.negative)), precisions / positives

    def _of_span(self, span: slice) -> tuple[int, float]:
        """Twice the pairs that some rows of the class win, and the sum of the precisions at their scores."""
        scores = self.positive[span]
        below, up_to = _ranks(self.negative, scores)
        true = len(self.positive) - _own_ranks(self.positive, span)
        return int(below.sum()) + int(up_to.sum()), float((true / (true + len(self.negative) - below)).sum())

    def thresholds(self) -> np.ndarray:
        """Where the curves have points: quantiles of the scores, rising."""
        return self._quantiles(CURVE_POINTS // 2)

    def roc_curve(self, worth: Worth | None = None) -> dict[str, list[float | None]]:
        """Points of the curve at the quantiles of the scores, thresholds falling, from (0, 0) to (1, 1).

        The interval of the true positive rate is Wilson's, with ``worth`` as there.
        """
        thresholds = self.thresholds()[::-1]
        true, false = self.at(thresholds)
        low, high = wilson(true, np.full(len(true), len(self.positive)), INTERVAL_CONFIDENCE, worth)
        return {
            "threshold": [None, *rounded(thresholds)],
            "false_positive_rate": [0.0, *rounded(false / len(self.negative))],
            "true_positive_rate": [0.0, *rounded(true / len(self.positive))],
            "low": [0.0, *rounded(low)],
            "high": [0.0, *rounded(high)],
        }

    def precision_recall_curve(self, worth: Worth | None = None) -> dict[str, list[float]]:
        """Points at the quantiles of the scores, thresholds falling; precision's interval is Wilson's."""
        thresholds = self.thresholds()[::-1]
        true, false = self.at(thresholds)
        low, high = wilson(true, true + false, INTERVAL_CONFIDENCE, worth)
        return {
            "threshold": rounded(thresholds),
            "recall": rounded(true / len(self.positive)),
            "precision": rounded(true / (true + false)),
            "low": rounded(low),
            "high": rounded(high),
        }

    def threshold_curve(self) -> dict[str, list[float]]:
        """What calling rows positive from a threshold on gives: precision, recall, F1, share called."""
        thresholds = np.linspace(0, 1, 101)
        true, false = self.at(thresholds)
        called = true + false
        precision = np.divide(true, called, out=np.zeros(len(true)), where=called > 0)
        recall = true / len(self.positive)
        f1 = 2 * true / (called + len(self.positive))
        share = called / (len(self.positive) + len(self.negative))
        columns = {
            "threshold": thresholds,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "called": share,
        }
        return {name: rounded(values) for name, values in columns.items()}

    def curves(self, worth: tuple[Worth | None, Worth | None] = (None, None)) -> dict[str, Any]:
        """All three curves."""
        return {
            "roc": self.roc_curve(worth[0]),
            "precision_recall": self.precision_recall_curve(worth[1]),
            "threshold": self.threshold_curve(),
        }

    def influence(self) -> "Influence":
        """What a row adds to the areas, by its score's place between quantiles."""
        edges = self._quantiles(QUANTILES)
        positive, negative = self._histogram(self.positive, edges), self._histogram(self.negative, edges)
        bins = Bins(edges, min(len(self.positive) + len(self.negative), MOST_CELLS))
        gradients = (_roc_gradient(positive, negative), _precision_gradient(positive, negative))
        return Influence(bins, np.stack([gradient.ravel() for gradient in gradients], axis=1))

    def at(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the class, and other rows, with a score of at least each threshold."""
        true = len(self.positive) - np.searchsorted(self.positive, thresholds, "left")
        return true, len(self.negative) - np.searchsorted(self.negative, thresholds, "left")

    def _quantiles(self, number: int) -> np.ndarray:
        """Distinct scores, rising: quantiles of both kinds of rows, with the least and the greatest."""
        chosen = [
            values[np.unique(np.linspace(0, len(values) - 1, min(number, len(values))).astype(np.int64))]
            for values in (self.positive, self.negative)
        ]
        return np.unique(np.concatenate(chosen))

    @staticmethod
    def _histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """How many values lie in each bin; bin i + 1 begins at edge i."""
        return np.diff(np.searchsorted(values, edges, "left"), prepend=0, append=len(values)).astype(
            np.float64
        )


class Bins:
    """Finds between which two of rising ``edges`` a score lies, the first and the last edge included.

    A grid of equal ``cells`` says it without a search, for all scores that share no cell with several edges.
    """

    def __init__(self, edges: np.ndarray, cells: int) -> None:
        """Of at least one edge, fewer than 32,768."""
        width = edges[-1] - edges[0]
        self._scale = cells / width if width > TINIEST_WIDTH else 0.0
        self._edges = np.append(edges, np.inf)
        of_edges = np.bincount(self._cells(edges), minlength=cells + 2)  # a product may be rounded up
        self._before = (of_edges.cumsum() - of_edges).astype(np.int16)  # edges below the cell
        self._before[of_edges > 1] = SEARCHED

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """How many edges are no greater than each score (rows,)."""
        bins = self._before.take(self._cells(scores))
        bins += scores >= self._edges.take(bins)
        unknown = np.flatnonzero(bins < 0)
        bins[unknown] = np.searchsorted(self._edges, scores[unknown], "right")
        return bins

    def _cells(self, values: np.ndarray) -> np.ndarray:
        """The cells of values, rising with these however they are rounded."""
        cells: np.ndarray = ((values - self._edges[0]) * self._scale).astype(np.int32)
        return cells


@dataclass(frozen=True)
class Influence:
    """Gradients of both areas by bin of the score, of the other rows and then of those of the class (2 * bins, 2)."""

    bins: Bins
    gradients: np.ndarray

    def of_rows(self, scores: np.ndarray, is_positive: np.ndarray) -> np.ndarray:
        """The influence of rows on both areas (rows, 2)."""
        cells = self.bins(scores) + is_positive * np.intp(len(self.gradients) // 2)
        influences: np.ndarray = self.gradients.take(cells, axis=0)
        return influences


def _roc_gradient(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """The derivative of the ROC area by the rows in each bin."""
    below = negative.cumsum() - negative / 2
    above = positive[::-1].cumsum()[::-1] - positive / 2
    pairs = positive.sum() * negative.sum()
    area = (positive * below).sum() / pairs
    return np.stack((above / pairs - area / negative.sum(), below / pairs - area / positive.sum()))


def _precision_gradient(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """The derivative of the average precision by the rows in each bin."""
    true, false = positive[::-1].cumsum()[::-1], negative[::-1].cumsum()[::-1]
    called, total = np.maximum(true + false, 1), positive.sum()
    area = (positive * true / called).sum() / total
    # A further row in a bin changes the precision at that bin's threshold and at all lower ones.
    more_true = (positive * false / called**2).cumsum()
    more_false = (positive * true / called**2).cumsum()
    return np.stack((-more_false / total, (true / called + more_true - area) / total))


def areas(
    scores: np.ndarray,
    truth: np.ndarray,
    codes: list[int],
    drawn: Sequence[int] = (),
    clusters: Clusters | None = None,
) -> tuple[dict[str, Linear], dict[int, dict[str, Any]]]:
    """Both areas, class against rest, and the curves of the classes ``drawn``.

    ``scores`` (classes, rows) has the row ``i`` for the class ``codes[i]``; ``truth`` (rows,) holds codes.
    The areas are `auc/<code>`, `average_precision/<code>` and their means over the classes. A class without
    rows, or with all of them, has no area and no part in the mean.
    """
    by_name: dict[str, Linear] = {}
    curves: dict[int, dict[str, Any]] = {}
    for values, code in zip(scores, codes, strict=True):
        one = _areas_of_class(values, truth, code, clusters, draw=code in drawn)
        if one:
            by_name[f"auc/{code}"], by_name[f"average_precision/{code}"], curve = one
            curves |= {code: curve} if curve else {}
    for name in ("auc", "average_precision"):
        each = [area for key, area in by_name.items() if key.startswith(f"{name}/")]
        if each:
            value = float(np.mean([area.value for area in each]))
            sums = np.mean([area.sums for area in each], axis=0)
            beyond = few.mean_of([area.beyond for area in each])
            by_name[name] = Linear(value, sums, clusters is not None, beyond)
    return by_name, curves


def _areas_of_class(
    scores: np.ndarray, truth: np.ndarray, code: int, clusters: Clusters | None, draw: bool
) -> tuple[Linear, Linear, dict[str, Any] | None] | None:
    """Both areas of one class, and its curves. A function of its own, so that sorted copies go one by one."""
    ranking = Ranking.of(scores, truth, code)
    if not ranking.defined:
        return None
    influence, sums = ranking.influence(), ClusterSums(5 if clusters else 2, clusters)

    def quantities(span: slice) -> np.ndarray:
        hit = truth[span] == code
        influences = influence.of_rows(scores[span], hit)
        if not clusters:
            return influences
        of_roc, of_precision = influences.T
        return np.stack((of_roc * hit, of_precision, of_roc * ~hit, hit, ~hit), axis=1)

    sums.add_all(len(truth), quantities)
    roc, precision = ranking.areas()
    curves = None
    if draw:
        curves = (
            ranking.curves(_worth(ranking.thresholds(), scores, truth == code, clusters))
            if clusters
            else ranking.curves()
        )
    of_roc, of_precision = _without_each(sums.sums).T if clusters else sums.sums.T
    kinds = (sums.sums[:, 3:] > 0).sum(axis=0) if clusters else map(len, (ranking.positive, ranking.negative))
    rows = int(min(kinds))

    def linear(value: float, of_rows: np.ndarray) -> Linear:
        plain = Linear(value, of_rows, clusters is not None)
        return replace(plain, beyond=few.beyond_area(value, rows, plain.deviation))

    return linear(roc, of_roc), linear(precision, of_precision), curves


def _without_each(sums: np.ndarray) -> np.ndarray:
    """How far both areas are from what they are without each group: (groups, 2).

    ``sums`` (groups, 5) are influences on the ROC area by rows of the class, on the average precision, on the ROC area
    by other rows, and the rows of both kinds.
    """
    left = 1 - sums[:, 3:] / sums[:, 3:].sum(axis=0)
    of_class, others = np.divide(1, left, out=np.ones_like(left), where=left > 0).T
    return np.stack((sums[:, 0] * of_class + sums[:, 2] * others, sums[:, 1] * of_class), axis=1)


def _worth(
    thresholds: np.ndarray, scores: np.ndarray, is_positive: np.ndarray, clusters: Clusters
) -> tuple[Worth, Worth]:
    """What the rows are worth by which a true positive rate, and a precision, at falling thresholds are known."""
    buckets, points = clusters.in_buckets(), len(thresholds) + 1
    rows = np.zeros(2 * buckets.number * points)
    for span in spans(len(scores)):
        reached = np.searchsorted(thresholds, scores[span], "right")
        bucket = buckets.codes[span] + is_positive[span].astype(np.intp) * buckets.number
        rows += np.bincount(bucket * points + reached, minlength=len(rows))
    # Rows that reach a threshold at least; the last column is all rows.
    false, true = rows.reshape(2, buckets.number, points)[:, :, ::-1].cumsum(axis=2)
    positives = np.broadcast_to(true[:, -1:], true[:, :-1].shape)
    called = (true + false)[:, :-1]
    return effective(true[:, :-1], positives), effective(true[:, :-1], called)


def _ranks(values: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of ``values`` are below each of ``scores``, and how many are no greater; both are sorted."""
    found = [_merged(values, scores[i : i + MERGED_ROWS]) for i in range(0, len(scores), MERGED_ROWS)]
    below, up_to = (np.concatenate(ranks) for ranks in zip(*found, strict=True))
    return below, up_to


def _merged(values: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_ranks` of scores so few that they, and the values among them, fit into the processor's cache."""
    start = int(np.searchsorted(values, scores[0], "left"))
    window = values[start : int(np.searchsorted(values, scores[-1], "right"))]
    if not 0 < len(window) <= MOST_MERGED * len(scores):
        below, up_to = (np.searchsorted(window, scores, side) for side in ("left", "right"))
        return start + below, start + up_to
    # A stable sort of two sorted runs merges them; scores go before values that are equal.
    order = np.concatenate((scores, window)).argsort(kind="stable")
    below = np.flatnonzero(order < len(scores)) - np.arange(len(scores))
    up_to, tied = below.copy(), np.flatnonzero(window[np.minimum(below, len(window) - 1)] == scores)
    up_to[tied] = np.searchsorted(window, scores[tied], "right")
    return start + below, start + up_to


def _own_ranks(values: np.ndarray, span: slice) -> np.ndarray:
    """How many of sorted ``values`` are below each of those in a span."""
    scores, ranks = values[span], np.arange(span.start, span.stop)
    ranks[0] = np.searchsorted(values, scores[0], "left")
    repeated = scores[1:] == scores[:-1]
    if repeated.any():
        ranks[1:][repeated] = 0
        np.maximum.accumulate(ranks, out=ranks)
    return ranks


def rounded(values: np.ndarray) -> list[float]:
    """Numbers for a chart: six significant digits are more than it shows."""
    return [float(f"{value:.6g}") for value in np.asarray(values, dtype=np.float64)]
