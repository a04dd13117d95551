"""What a holdout says about classifiers: the metrics of candidate, baseline and champion on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from automl_evaluation import classification, probabilities
from automl_evaluation.apart import of_areas
from automl_evaluation.clusters import Clusters, ClusterSums, tabulate
from automl_evaluation.counts import Counts, count
from automl_evaluation.intervals import Estimate, Linear
from automl_evaluation.jackknife import estimates_of_sums
from automl_evaluation.ranking import areas

MOST_DRAWN_CLASSES = 10
Groups = dict[str, dict[str, Estimate]]


@dataclass
class Figures:
    """What is kept of a model's probabilities, which themselves are too many to keep for two models.

    ``sums`` are `probabilities.pointwise`'s, ``areas`` and ``curves`` are `ranking.areas`'s.
    """

    sums: np.ndarray | None = None
    areas: dict[str, Linear] = field(default_factory=dict)
    calibration: probabilities.Calibration | None = None
    curves: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Model:
    """A classifier's predicted codes (rows,), and what is kept of its probabilities."""

    codes: np.ndarray
    figures: Figures | None = None


def figures(
    given: np.ndarray,
    codes: list[int],
    truth: np.ndarray,
    predicted: np.ndarray,
    positive: int | None,
    draw: bool,
    clusters: Clusters | None = None,
) -> Figures:
    """Reduce probabilities (classes, rows), whose rows are of the classes ``codes``.

    ``truth`` and ``predicted`` are codes (rows,). Two classes are calibrated by the positive one, more by the
    one that was predicted. Curves are drawn of the most frequent classes.
    """
    drawn = _most_frequent(truth) if draw else ()
    ranked, ranked_codes = given, codes
    if positive is not None and positive in codes:
        place = codes.index(positive)
        ranked, ranked_codes = given[place : place + 1], [positive]
    calibration = _calibration(given, codes, truth, predicted, positive, clusters)
    under_curves, curves = areas(ranked, truth, ranked_codes, drawn, clusters)
    return Figures(probabilities.pointwise(given, codes, truth, clusters), under_curves, calibration, curves)


def _most_frequent(truth: np.ndarray) -> list[int]:
    """The codes of the classes whose curves are drawn."""
    counts = count([truth], [int(truth.max()) + 1])
    return list(map(int, counts.codes[0][np.argsort(-counts.rows, kind="stable")][:MOST_DRAWN_CLASSES]))


def _calibration(
    given: np.ndarray,
    codes: list[int],
    truth: np.ndarray,
    predicted: np.ndarray,
    positive: int | None,
    clusters: Clusters | None,
) -> probabilities.Calibration:
    """Of the positive class; where there is none, of the predicted one."""
    if positive is not None and positive in codes:
        return probabilities.calibration(given[codes.index(positive)], truth == positive, clusters)
    given = probabilities.of_predicted(given, codes, predicted)
    return probabilities.calibration(given, truth == predicted, clusters)


def assess(
    truth: np.ndarray,
    candidate: Model,
    champion: Model | None,
    classes: int,
    positive: int | None,
    clusters: Clusters | None = None,
) -> tuple[Groups, Counts]:
    """Every metric, as `classification.compared` names the groups, and the table of truth and predictions.

    By metrics of probabilities, too, the baseline is the best constant answer: the classes' shares of these rows.
    """
    models = [candidate, *([champion] if champion else [])]
    table = tabulate([truth, *(model.codes for model in models)], [classes] * (1 + len(models)), clusters)
    groups = classification.compared(table, classes, positive)
    if candidate.figures:
        rows = classification.Margins(table, classes).true(table.rows)
        _add_means(groups, truth, models, rows / rows.sum(), clusters)
        _add_areas(groups, models, truth, rows, clusters)
        _add_calibration(groups, models)
    return groups, table


def _add_means(
    groups: Groups,
    truth: np.ndarray,
    models: Sequence[Model],
    shares: np.ndarray,
    clusters: Clusters | None,
) -> None:
    """Log loss and Brier score."""
    given = [model.figures.sums if model.figures else None for model in models]
    if given[0] is None:
        return
    columns = [
        given[0],
        _constant(truth, shares, clusters),
        *(sums for sums in given[1:] if sums is not None),
    ]
    names = probabilities.QUANTITIES[1:]
    every = np.concatenate(columns, axis=1)
    width = len(probabilities.QUANTITIES)

    def statistic(sums: np.ndarray) -> np.ndarray:
        each = [
            probabilities.means(sums[:, start : start + width]) for start in range(0, sums.shape[1], width)
        ]
        parts = [each[0], each[1], each[0] - each[1]]
        if len(each) > 2:
            parts += [each[2], each[0] - each[2]]
        return np.concatenate(parts, axis=1)

    kinds = ["candidate", "baseline", "candidate - baseline", "champion", "candidate - champion"]
    kinds = kinds if len(columns) > 2 else kinds[:3]
    drawn = estimates_of_sums(
        statistic, every, [f"{kind}/{name}" for kind in kinds for name in names], clusters
    )
    for kind in kinds:
        groups[kind] |= {name: drawn[f"{kind}/{name}"] for name in names}


def _constant(truth: np.ndarray, shares: np.ndarray, clusters: Clusters | None) -> np.ndarray:
    """`probabilities.pointwise` of the same probabilities for every row."""
    loss = -np.log(np.clip(shares, probabilities.TINY, 1 - probabilities.TINY))
    half = 0.5 if len(shares) < 3 else 1.0
    brier = half * ((shares**2).sum() - 2 * shares + 1)
    by_class = np.stack((np.ones(len(shares)), loss, brier), axis=1)
    sums = ClusterSums(by_class.shape[1], clusters)
    sums.add_all(len(truth), lambda span: by_class.take(truth[span], axis=0))
    return sums.sums


def _add_areas(
    groups: Groups,
    models: Sequence[Model],
    truth: np.ndarray,
    rows: np.ndarray,
    clusters: Clusters | None,
) -> None:
    """Areas under curves."""
    areas_of_models = [model.figures.areas if model.figures else {} for model in models]

    @cache
    def trials() -> int:
        codes = [int(key.rpartition("/")[2]) for key in areas_of_models[0] if key.startswith("auc/")]
        return _trials(codes, truth, rows, clusters)

    for name in ("auc", "average_precision"):
        if name not in areas_of_models[0]:
            continue
        mine = areas_of_models[0][name]
        chance = Linear(0.5, np.zeros_like(mine.sums))  # whatever the classes' shares
        if name == "average_precision":
            ranked = [
                int(key.rpartition("/")[2])
                for key in areas_of_models[0]
                if key.startswith("average_precision/")
            ]
            chance = _mean_share(truth, rows, ranked, clusters)
        groups["candidate"][name] = mine.share()
        groups["baseline"][name] = Estimate(chance.value)
        groups["candidate - baseline"][name] = of_areas(mine, chance, trials)
        if len(areas_of_models) > 1 and name in areas_of_models[1]:
            groups["champion"][name] = areas_of_models[1][name].share()
            groups["candidate - champion"][name] = of_areas(mine, areas_of_models[1][name], trials)


def _trials(codes: Sequence[int], truth: np.ndarray, rows: np.ndarray, clusters: Clusters | None) -> int:
    """The rows, or groups, of the class that has the fewest, or of all others."""
    if clusters is None:
        return int(np.minimum(rows[codes], rows.sum() - rows[codes]).min())
    return min(
        clusters.of((truth == code) == is_of_it).number for code in codes for is_of_it in (True, False)
    )


def _mean_share(
    truth: np.ndarray, rows: np.ndarray, codes: Sequence[int], clusters: Clusters | None = None
) -> Linear:
    """The average precision of one score for every row, mean over classes: the mean of their shares."""
    total, value = rows.sum(), float(rows[codes].sum() / rows.sum() / len(codes))
    influence = (np.isin(np.arange(len(rows)), codes) / len(codes) - value) / total
    sums = ClusterSums(1, clusters)
    sums.add_all(len(truth), lambda span: influence[truth[span]][:, None])
    return Linear(value, sums.sums[:, 0])


def _add_calibration(groups: Groups, models: Sequence[Model]) -> None:
    """Calibration errors; they have no interval, since resampling makes any of them greater."""
    for kind, model in zip(("candidate", "champion"), models, strict=False):
        if model.figures and model.figures.calibration:
            groups[kind]["calibration_error"] = Estimate(model.figures.calibration.error)
