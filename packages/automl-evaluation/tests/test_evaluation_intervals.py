"""Intervals: the bootstrap on counts against the bootstrap on rows, coverage, and what an equal model shows.

The 1,000 data sets of the requirement run in the template's benchmarks; here are as many as a test may take.
"""

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from sklearn import metrics as sk

from automl_evaluation import assess_classes, regression
from automl_evaluation.classification import by_class
from automl_evaluation.clusters import BUCKETS, ClusterSums
from automl_evaluation.counts import count
from automl_evaluation.intervals import Linear, estimates
from automl_evaluation.ranking import areas
from automl_evaluation.shares import wilson

SHARES = np.array([0.11, 0.35, 0.54])


def labelled(generator: np.random.Generator, rows: int, right: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    truth = generator.choice(3, rows, p=SHARES)
    return truth, predicted(generator, truth, right)


def predicted(generator: np.random.Generator, truth: np.ndarray, right: float = 0.5) -> np.ndarray:
    return np.where(generator.random(len(truth)) < right, truth, generator.choice(3, len(truth), p=SHARES))


def groups_of(
    truth: np.ndarray, candidate: np.ndarray, champion: np.ndarray | None = None
) -> assess_classes.Groups:
    other = assess_classes.Model(champion) if champion is not None else None
    return assess_classes.assess(truth, assess_classes.Model(candidate), other, 3, None)[0]


def test_drawing_counts_gives_the_distribution_of_drawing_rows() -> None:
    generator = np.random.default_rng(0)
    truth, candidate = labelled(generator, 400)

    low, high = groups_of(truth, candidate)["candidate"]["f1_macro"].interval(0.9)

    by_rows = [
        sk.f1_score(truth[rows], candidate[rows], average="macro")
        for rows in generator.integers(0, 400, size=(1000, 400))
    ]
    width = np.quantile(by_rows, 0.95) - np.quantile(by_rows, 0.05)
    assert high - low == pytest.approx(width, rel=0.1)
    assert (low + high) / 2 == pytest.approx(np.quantile(by_rows, [0.05, 0.95]).mean(), abs=0.1 * width)


def test_the_same_rows_have_the_same_interval_again() -> None:
    truth, candidate = labelled(np.random.default_rng(1), 300)

    first, second = (groups_of(truth, candidate)["candidate"]["f1_macro"].interval(0.95) for _ in range(2))

    assert first == second


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "matthews_correlation"])
def test_intervals_hold_the_true_value_about_as_often_as_they_say(metric: str) -> None:
    generator = np.random.default_rng(2)
    truth, candidate = labelled(generator, 1_000_000)
    true_value = groups_of(truth, candidate)["candidate"][metric].value

    held = 0
    for _ in range(150):
        truth, candidate = labelled(generator, 400)
        low, high = groups_of(truth, candidate)["candidate"][metric].interval(0.95)
        held += low <= true_value <= high

    # 93 %, less three standard deviations of 150 simulations
    assert held / 150 >= 0.93 - 3 * 0.021


def test_an_equal_challenger_seldom_passes_as_better_and_a_better_one_often() -> None:
    generator = np.random.default_rng(3)
    better = {0.5: 0, 0.65: 0}
    for right in better:
        for _ in range(150):
            truth, candidate = labelled(generator, 400, right)
            low, _ = groups_of(truth, candidate, predicted(generator, truth))["candidate - champion"][
                "f1_macro"
            ].interval(0.95)
            better[right] += low > 0

    assert better[0.5] / 150 <= 0.05
    assert better[0.65] / 150 >= 0.7  # about 0.8 of data sets of this size tell the better model


def test_pairing_makes_the_difference_of_similar_models_sharper() -> None:
    generator = np.random.default_rng(4)
    truth, champion = labelled(generator, 2000)
    candidate = np.where(generator.random(2000) < 0.02, truth, champion)

    groups = groups_of(truth, candidate, champion)

    low, high = groups["candidate - champion"]["accuracy"].interval(0.95)
    alone = np.ptp(groups["candidate"]["accuracy"].interval(0.95))
    assert low > 0
    assert high - low < alone / 3


def test_a_model_compared_with_itself_differs_by_nothing() -> None:
    truth, candidate = labelled(np.random.default_rng(5), 200)

    difference = groups_of(truth, candidate, candidate)["candidate - champion"]["f1_macro"]

    assert (difference.value, difference.interval(0.95)) == (0, (0, 0))


def test_without_one_error_the_interval_still_has_a_width() -> None:
    truth = np.repeat([0, 1, 2], [10, 10, 20])

    found = groups_of(truth, truth)["candidate"]

    low, high = found["accuracy"].interval(0.95)
    assert (found["accuracy"].value, high) == (1, 1)
    assert low == pytest.approx(40 / (40 + 1.959964**2))
    # Wilson's distances of F1's inner shares, put together: more than that of all rows, since each class counts alike.
    low, high = found["f1_macro"].interval(0.95)
    ends = np.array([2 * n / (2 * n + 1.959964**2) for n in (10, 10, 20)])
    assert (low, high) == pytest.approx((1 - np.linalg.norm(1 - ends) / 3, 1))


@pytest.mark.parametrize("rows", [40, 400])
def test_a_rare_classs_own_metrics_hold_the_true_value(rows: int) -> None:
    """Precision, recall and F1 of a class of which few rows are: draws of so few are too coarse."""
    generator = np.random.default_rng(11)
    truth, candidate = labelled(generator, 1_000_000)
    true = by_class(count([truth, candidate], [3, 3]), 3)[0]
    held, seen = dict.fromkeys(("precision", "recall", "f1"), 0), 0

    for _ in range(400):
        truth, candidate = labelled(generator, rows)
        found = by_class(count([truth, candidate], [3, 3]), 3)[0]
        if found["support"] and found["predicted"]:  # otherwise a share of nothing, without an interval
            seen += 1
            for name in held:
                low, high = found[name].interval(0.95)
                held[name] += low <= true[name].value <= high

    assert seen > 350
    for name, times in held.items():
        # 93 %, less three standard deviations of 400 simulations
        assert times / seen >= 0.93 - 3 * 0.0128, name


def test_few_rows_widen_an_interval_as_students_do() -> None:
    generator = np.random.default_rng(12)

    held = 0
    for _ in range(400):
        values = generator.normal(size=(8, 1))
        found = estimates(lambda rows, values=values: rows @ values / 8, np.ones(8, np.int64), ["mean"])
        low, high = found["mean"].interval(0.95)
        held += low <= 0 <= high

    assert held / 400 >= 0.93 - 3 * 0.0128


def test_the_variance_of_the_auc_is_delongs() -> None:
    generator = np.random.default_rng(6)
    truth = (generator.random(300) < 0.3).astype(int)
    scores = (generator.normal(size=300) + truth).round(1)  # with ties
    positive, negative = scores[truth == 1], scores[truth == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    delong = wins.mean(axis=1).var() / len(positive) + wins.mean(axis=0).var() / len(negative)

    found = areas(scores[None], truth, [1])[0]["auc"]

    assert found.value == pytest.approx(sk.roc_auc_score(truth, scores), abs=1e-12)
    assert found.deviation == pytest.approx(np.sqrt(delong), rel=5e-3)


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_influences_are_the_derivatives_of_the_areas(name: str) -> None:
    generator = np.random.default_rng(7)
    truth = (generator.random(200) < 0.4).astype(int)
    scores = (generator.normal(size=200) + truth).round(1)
    metric = {"auc": sk.roc_auc_score, "average_precision": sk.average_precision_score}[name]

    found = areas(scores[None], truth, [1])[0][name]

    step = 1e-5
    for row in range(0, 200, 17):
        weights = np.ones(200)
        weights[row] += step
        derivative = (metric(truth, scores, sample_weight=weights) - metric(truth, scores)) / step
        assert found.sums[row] == pytest.approx(derivative, abs=1e-6)


def test_the_interval_of_an_area_stays_within_0_and_1() -> None:
    groups = np.random.default_rng(8).normal(0, 0.0005, 100)

    low, high = Linear(0.995, groups).share().interval(0.95)

    assert 0 < low < 0.995 < high < 1


def test_groups_of_rows_have_the_spread_of_the_rows() -> None:
    generator = np.random.default_rng(9)
    values = generator.normal(size=3 * BUCKETS + 17)
    sums = ClusterSums(2)
    sums.add(0, np.stack((np.ones(2 * BUCKETS), values[: 2 * BUCKETS]), axis=1))
    sums.add(2 * BUCKETS, np.stack((np.ones(BUCKETS + 17), values[2 * BUCKETS :]), axis=1))

    def mean(rows: np.ndarray) -> np.ndarray:
        total = rows @ sums.sums
        return total[:, 1:] / total[:, :1]

    estimate = estimates(mean, np.ones(BUCKETS, dtype=np.int64), ["mean"])["mean"]

    low, high = estimate.interval(0.95)
    assert estimate.value == pytest.approx(values.mean(), rel=1e-12)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(len(values)), rel=0.08)


def test_a_chunk_that_would_shift_the_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple"):
        ClusterSums(1).add(5, np.ones((3, 1)))


def test_intervals_of_a_regression_hold_the_true_value() -> None:
    generator = np.random.default_rng(10)
    held = dict.fromkeys(("mae", "rmse", "r2"), 0)
    true = {
        "mae": np.sqrt(2 / np.pi),
        "rmse": 1.0,
        "r2": 0.8,
    }  # of N(0, 4) predicted up to an error of N(0, 1)
    for _ in range(100):
        signal = generator.normal(0, 2, 200)
        found = regression.compared(signal + generator.normal(0, 1, 200), signal, None)["candidate"]
        for name in held:
            low, high = found[name].interval(0.95)
            held[name] += low <= true[name] <= high

    for name, times in held.items():
        # 93 %, less three standard deviations of 100 simulations
        assert times / 100 >= 0.93 - 3 * 0.0255, name


def test_errors_of_which_few_rows_carry_the_sum_are_said_to_have_too_narrow_intervals() -> None:
    """Over five orders of magnitude the interval holds in 82 of 100 data sets; most of the others are told."""
    generator, told, missed, missed_untold = np.random.default_rng(14), 0, 0, 0
    for _ in range(100):
        truth = np.exp(generator.normal(0, 2, 500))  # of a mean error of exp(2)
        low, high = regression.compared(truth, np.zeros(500), None)["candidate"]["mae"].interval(0.95)
        said = "absolute errors (MAE" in regression.unequal(truth, np.zeros(500))
        told, missed = told + said, missed + (not low <= np.exp(2) <= high)
        missed_untold += not said and not low <= np.exp(2) <= high

    assert missed >= 8
    assert told >= 60
    assert missed_untold <= missed / 2


@pytest.mark.parametrize(
    ("rows", "draw"),
    [
        (2, lambda generator, rows: generator.normal(size=rows)),
        (100, lambda generator, rows: generator.normal(size=rows)),
        (100, lambda generator, rows: generator.exponential(size=rows)),
        (5000, lambda generator, rows: np.exp(generator.normal(0, 0.5, rows))),
        (100, lambda generator, rows: np.zeros(rows)),
    ],
)
def test_of_ordinary_errors_nothing_is_said(rows: int, draw: Any) -> None:
    error = draw(np.random.default_rng(15), rows)

    assert regression.unequal(np.zeros(rows), error) == ""


def test_what_is_said_of_few_great_errors_names_their_share_and_a_way_out() -> None:
    error = np.ones(200)
    error[:5] = -1000

    assert regression.unequal(np.zeros(200), error) == (
        "the 5 largest of 200 errors make 96% of the sum of absolute errors (MAE, mean error) and 100% of the sum of "
        "squared errors (RMSE, MSE, R2): intervals of these are too narrow, and lie rather below the truth; train on "
        "the target's logarithm, or judge by median_absolute_error"
    )


def test_wilsons_interval_holds_at_the_ends() -> None:
    low, high = wilson(np.array([0, 10, 5, 0]), np.array([10, 10, 10, 0]), 0.95)

    assert low == pytest.approx([0, 0.7225, 0.2366, 0], abs=1e-4)
    assert high == pytest.approx([0.2775, 1, 0.7634, 1], abs=1e-4)


def test_a_metric_that_is_mostly_undefined_in_the_draws_has_no_interval() -> None:
    def seldom(rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, :1] == 1, 1.0, np.nan)

    estimate = estimates(seldom, np.array([1, 99]), ["seldom"])["seldom"]

    assert estimate.value == 1
    assert estimate.interval(0.95) is None


def test_a_confidence_beyond_the_draws_has_a_normal_tail() -> None:
    """As intervals for many slices have: the 2,000 draws' own least and greatest would be too near."""
    values = np.random.default_rng(13).normal(size=(3000, 1))
    found = estimates(lambda rows: rows @ values / 3000, np.ones(3000, np.int64), ["mean"])["mean"]
    deviation = values.std() / np.sqrt(3000)

    for confidence in (0.999, 0.99999, 0.9999999):
        low, high = found.interval(confidence)
        reach = float(ndtri((1 + confidence) / 2)) * deviation
        assert high - low == pytest.approx(2 * reach, rel=0.08), confidence
    widths = [np.ptp(found.interval(confidence)) for confidence in (0.95, 0.99, 0.995, 0.9951, 0.999, 0.9999)]
    assert widths == sorted(widths)
