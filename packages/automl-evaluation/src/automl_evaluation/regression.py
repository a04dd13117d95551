"""Metrics of regression from sums over rows, by scikit-learn's definitions, and what the errors look like."""

from collections.abc import Sequence

import numpy as np

from automl_evaluation.clusters import Clusters, ClusterSums
from automl_evaluation.intervals import Estimate
from automl_evaluation.jackknife import estimates_of_sums
from automl_evaluation.layout import Band, Histogram, Residuals
from automl_evaluation.ranking import rounded

NAMES = ("r2", "rmse", "mse", "mae", "mean_error")
QUANTILES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)
HISTOGRAM_BINS = 50
BANDS = 20
FEW_WORTH = 100
LARGEST = 5


def sums_by_cluster(
    truth: np.ndarray, models: Sequence[np.ndarray], clusters: Clusters | None = None
) -> np.ndarray:
    """Sums by bucket of rows: rows, target and its square (centred), then each model's error, its size and its
    square.

    ``truth`` and ``models`` are (rows,); the result is (buckets, 3 + 3 * models).
    """
    centre = truth.mean()
    sums = ClusterSums(3 + 3 * len(models), clusters)

    def quantities(span: slice) -> np.ndarray:
        target = truth[span] - centre
        columns = [np.ones(len(target)), target, target**2]
        for model in models:
            error = model[span] - truth[span]
            columns += [error, np.abs(error), error**2]
        return np.stack(columns, axis=1)

    sums.add_all(len(truth), quantities)
    return sums.sums


def metrics(sums: np.ndarray, model: int) -> np.ndarray:
    """`NAMES` from sums (..., quantities): R2 is NaN where the target does not vary."""
    rows, target, square = sums[..., 0], sums[..., 1], sums[..., 2]
    error, size, squared = (sums[..., 3 + 3 * model + i] for i in range(3))
    variation = square - target**2 / rows
    r2 = 1 - np.divide(squared, variation, out=np.full(rows.shape, np.nan), where=variation > 0)
    return np.stack((r2, np.sqrt(squared / rows), squared / rows, size / rows, error / rows), axis=-1)


def compared(
    truth: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray | None,
    clusters: Clusters | None = None,
) -> dict[str, dict[str, Estimate]]:
    """Metrics and differences as in `classification.compared`; the baseline is the best constant by each metric."""
    answers = constants(truth)
    always = [np.broadcast_to(answers[name][1], truth.shape) for name in ("mse", "mae")]
    models = [candidate, *always, *([champion] if champion is not None else [])]
    groups = ["candidate", "baseline", "candidate - baseline"]
    if champion is not None:
        groups += ["champion", "candidate - champion"]
    sums = sums_by_cluster(truth, models, clusters)
    by_median = np.array([name == "mae" for name in NAMES])

    def statistic(totals: np.ndarray) -> np.ndarray:
        mine, mean, median, *other = (metrics(totals, model) for model in range(len(models)))
        best = np.where(by_median, median, mean)
        found = [mine, best, mine - best, *(part for model in other for part in (model, mine - model))]
        return np.concatenate(found, axis=-1)

    drawn = estimates_of_sums(statistic, sums, [f"{g}/{n}" for g in groups for n in NAMES], clusters)
    found = {group: {n: drawn[f"{group}/{n}"] for n in NAMES if f"{group}/{n}" in drawn} for group in groups}
    for group, model in (("candidate", candidate), ("champion", champion)):
        if model is not None:
            size = np.abs(model - truth)
            found[group]["median_absolute_error"] = Estimate(float(np.median(size)))
            found[group]["max_error"] = Estimate(float(size.max()))
    # What is left of subtracting a mean is no error.
    found["baseline"]["mean_error"] = Estimate(0.0)
    for name in ("median_absolute_error", "max_error"):
        size = np.abs(answers[name][1] - truth)
        found["baseline"][name] = Estimate(float(np.median(size) if name != "max_error" else size.max()))
    return found


def constants(truth: np.ndarray) -> dict[str, tuple[str, float]]:
    """The number (and what it is of the target) that is the best constant answer by each metric.

    The median of the absolute errors is least in the middle of the shortest range that holds more than half of the rows
    (P. J. Rousseeuw, Journal of the American Statistical Association 79 (1984) 871-880).
    """
    ordered = np.sort(truth)
    least, most = ordered[0], ordered[-1]
    half = len(ordered) // 2
    widths = ordered[half:] - ordered[: len(ordered) - half]
    start = int(widths.argmin())
    mean, median = ("mean", float(truth.mean())), ("median", float(np.median(truth)))
    return dict.fromkeys(("r2", "rmse", "mse", "mean_error"), mean) | {
        "mae": median,
        "median_absolute_error": (
            "middle of the closest half",
            float(ordered[start] + widths[start] / 2),
        ),
        "max_error": ("middle of the range", float(least + (most - least) / 2)),
    }


def unequal(truth: np.ndarray, predicted: np.ndarray) -> str:
    """What is to be said where few rows carry the errors' sums, so that their intervals hold too seldom; "" elsewhere.

    A sum is worth as many rows as equal ones would give the same ratio of its square to the sum of squares (L. Kish,
    Survey Sampling (1965), section 11.7). It is said below `FEW_WORTH` rows, unless ordinary errors of so few rows were
    as unequal. Of simulated log-normal errors (100 to 2,000 rows) intervals of those of which it was mostly said held
    the true mean in 64 to 92 of 100 data sets, others in 94 to 96. The threshold is high, since intervals that miss are
    rather of data sets without the greatest errors. Heavier tails than these may not show in the rows at all.
    """
    size = np.abs(predicted - truth)
    if (greatest := size.max()) <= 0:
        return ""
    shares, said = size / greatest, []
    for what, names in (("absolute errors", "MAE, mean error"), ("squared errors", "RMSE, MSE, R2")):
        if shares.sum() ** 2 / (shares @ shares) < min(FEW_WORTH, len(shares) / 5):
            largest = np.partition(shares, -LARGEST)[-LARGEST:].sum() / shares.sum()
            said.append(f"{largest:.0%} of the sum of {what} ({names})")
        shares = shares**2
    if not said:
        return ""
    return (
        f"the {LARGEST} largest of {len(size):,} errors make {' and '.join(said)}: intervals of these are too narrow, "
        "and lie rather below the truth; train on the target's logarithm, or judge by median_absolute_error"
    )


def residuals(truth: np.ndarray, predicted: np.ndarray) -> Residuals:
    """The errors (prediction minus truth): quantiles, histogram, and by bands of equally many predictions."""
    error = predicted - truth
    low, high = np.quantile(error, (0.001, 0.999))
    # Errors that differ by rounding alone have no room for bins between them.
    bins = HISTOGRAM_BINS if high - low > 1e-9 * max(abs(low), abs(high)) else 1
    heights, edges = np.histogram(np.clip(error, low, high), bins)
    return Residuals(
        dict(zip(map(str, QUANTILES), rounded(np.quantile(error, QUANTILES)), strict=True)),
        Histogram(rounded(edges), heights.tolist()),
        _bands(truth, predicted),
    )


def _bands(truth: np.ndarray, predicted: np.ndarray) -> list[Band]:
    """Rows by how much was predicted: what was predicted, and what came, on average and its middle 80 %."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, BANDS + 1)))
    band = np.clip(np.searchsorted(edges, predicted, "right") - 1, 0, max(len(edges) - 2, 0))
    bands = []
    for number in range(max(len(edges) - 1, 1)):
        rows = band == number
        if rows.any():
            low, high = np.quantile(truth[rows], (0.1, 0.9))
            values = rounded(np.array([predicted[rows].mean(), truth[rows].mean(), low, high]))
            bands.append(Band(int(rows.sum()), *values))
    return bands
