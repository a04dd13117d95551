"""Intervals of rows that come in groups: against a bootstrap that draws groups of rows, and how often they hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_sagemaker import CHAMPION, container
from runs import Run, classifier
from scipy.special import expit, logit
from scipy.stats import kurtosis, t
from sklearn.metrics import f1_score
from test_evaluation_run import CLASSES, binary, two_classes, weak

from automl_evaluation import measures, ranking, regression
from automl_evaluation.assess_classes import Groups, Model, assess, figures
from automl_evaluation.classification import by_class, compared
from automl_evaluation.clusters import BUCKETS, Clusters, ClusterSums, tabulate
from automl_evaluation.errors import EvaluationError
from automl_evaluation.intervals import Estimate, degrees
from automl_evaluation.layout import Evaluation
from automl_evaluation.metrics import METRICS
from automl_evaluation.model_card import model_card
from automl_evaluation.probabilities import calibration
from automl_evaluation.reading import Part, read_labels, read_truth, write_labels
from automl_evaluation.settings import Settings
from automl_evaluation.shares import dice, effective, mean_of_shares, share, wilson
from automl_gitops.report.blocks import Text
from automl_gitops.report.columns import slices_section
from automl_gitops.report.decision import comparison_section

SHARES = np.array([0.11, 0.35, 0.54])


def grouped(generator: np.random.Generator, number: int, most: int = 12) -> Clusters:
    """Groups of 1 to ``most`` rows, numbered as they come."""
    return Clusters(np.repeat(np.arange(number), generator.integers(1, most, number, endpoint=True)), number)


def alike(
    generator: np.random.Generator, clusters: Clusters, own: np.ndarray, common: np.ndarray
) -> np.ndarray:
    """Half of the rows have their group's value in the place of their own."""
    return np.where(generator.random(len(own)) < 0.5, common[clusters.codes], own)


class Three:
    """Three classes in groups, with the probabilities of two models."""

    def __init__(self, seed: int = 0, number: int = 120) -> None:
        generator = np.random.default_rng(seed)
        self.clusters = grouped(generator, number)
        rows = len(self.clusters.codes)
        draws = (generator.choice(3, size, p=SHARES) for size in (rows, number))
        self.truth = alike(generator, self.clusters, *draws)
        self.given = []
        for _ in range(2):
            noise = [
                alike(generator, self.clusters, generator.normal(size=rows), generator.normal(size=number))
                for _ in range(3)
            ]
            scores = np.exp(np.stack(noise) + 1.2 * (self.truth == np.arange(3)[:, None]))
            self.given.append(scores / scores.sum(axis=0))

    def groups(self, clusters: Clusters | None) -> Groups:
        predicted = [given.argmax(axis=0) for given in self.given]
        models = [
            Model(codes, figures(given, [0, 1, 2], self.truth, codes, None, draw=False, clusters=clusters))
            for codes, given in zip(predicted, self.given, strict=True)
        ]
        return assess(self.truth, *models, 3, None, clusters)[0]


def by_drawing_groups(
    clusters: Clusters, figure: Callable[[np.ndarray], float], draws: int = 1500
) -> np.ndarray:
    """The figure of rows ``figure`` gets the numbers of, on groups drawn anew: a bootstrap that copies rows."""
    generator = np.random.default_rng(99)
    rows = [np.flatnonzero(clusters.codes == code) for code in range(clusters.number)]
    return np.array(
        [
            figure(np.concatenate([rows[code] for code in generator.integers(0, len(rows), len(rows))]))
            for _ in range(draws)
        ]
    )


def f1_macro(truth: np.ndarray, given: np.ndarray) -> float:
    table = np.bincount(3 * truth + given.argmax(axis=0), minlength=9).reshape(3, 3)
    return float((2 * table.diagonal() / (table.sum(axis=0) + table.sum(axis=1))).mean())


def auc(truth: np.ndarray, given: np.ndarray) -> float:
    """The mean over classes; rows of other classes never have the same score."""
    areas = []
    for code, scores in enumerate(given):
        hit = truth[np.argsort(scores)] == code
        areas.append((~hit).cumsum()[hit].mean() / (~hit).sum())
    return float(np.mean(areas))


def width(estimate: Estimate, confidence: float = 0.95) -> float:
    ends = estimate.interval(confidence)
    assert ends is not None
    return ends[1] - ends[0]


@pytest.mark.parametrize("name", ["accuracy", "f1_macro", "auc", "log_loss"])
@pytest.mark.parametrize("kind", ["candidate", "candidate - champion"])
def test_classifiers_have_the_intervals_of_drawn_groups(kind: str, name: str) -> None:
    data = Three()
    metric: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
        "accuracy": lambda truth, given: float((given.argmax(axis=0) == truth).mean()),
        "f1_macro": f1_macro,
        "auc": auc,
        "log_loss": lambda truth, given: -np.log(given[truth, np.arange(len(truth))]).mean(),
    }

    def figure(rows: np.ndarray) -> float:
        mine, other = (metric[name](data.truth[rows], given[:, rows]) for given in data.given)
        return mine - other if "-" in kind else mine

    drawn = by_drawing_groups(data.clusters, figure, draws=800)
    found = data.groups(data.clusters)[kind][name]

    assert found.value == pytest.approx(figure(np.arange(len(data.truth))))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert width(found) == pytest.approx(high - low, rel=0.15)
    assert np.mean(found.interval(0.95)) == pytest.approx((low + high) / 2, abs=0.15 * (high - low))
    if name == "accuracy" or kind == "candidate":
        assert width(found) > 1.1 * width(data.groups(None)[kind][name])


def numbers(generator: np.random.Generator, clusters: Clusters) -> list[np.ndarray]:
    """A target and two predictions of it, whose errors are alike within groups."""
    rows, number = len(clusters.codes), clusters.number
    signal, *noise = (
        alike(generator, clusters, generator.normal(size=rows), generator.normal(size=number))
        for _ in range(4)
    )
    return [signal + noise[0], signal + noise[1] / 2, signal + noise[2] / 2]


@pytest.mark.parametrize("kind", ["candidate", "candidate - champion"])
def test_regressions_and_measures_of_the_projects_own_have_them_too(kind: str) -> None:
    generator = np.random.default_rng(1)
    clusters = grouped(generator, 150)
    truth, *models = numbers(generator, clusters)
    cost = measures.Measure(lambda true, predicted: np.abs(true - predicted), True, "cost")
    found = regression.compared(truth, *models, clusters)[kind]
    found |= measures.of_numbers([cost], truth, *models, clusters)[0][kind]

    def drawn(loss: Callable[[np.ndarray], float]) -> np.ndarray:
        def figure(rows: np.ndarray) -> float:
            mine, other = (loss(model[rows] - truth[rows]) for model in models)
            return mine - other if "-" in kind else mine

        return by_drawing_groups(clusters, figure)

    rmse, mae = (
        drawn(lambda error: float(np.sqrt((error**2).mean()))),
        drawn(lambda error: np.abs(error).mean()),
    )
    for name, of_rows in (("rmse", rmse), ("mae", mae), ("cost", mae)):
        low, high = np.quantile(of_rows, [0.025, 0.975])
        assert width(found[name]) == pytest.approx(high - low, rel=0.15), name


def test_a_measure_of_classes_has_the_interval_of_drawn_groups() -> None:
    data = Three(2)
    predicted = data.given[0].argmax(axis=0)
    cost = measures.Measure(lambda true, given: np.where(true == given, 0.0, 3.0), True, "cost")

    table = tabulate([data.truth, predicted], [3, 3], data.clusters)
    found = measures.of_classes([cost], table, ["a", "b", "c"])[0]["candidate"]["cost"]

    drawn = by_drawing_groups(data.clusters, lambda rows: 3 * float((predicted != data.truth)[rows].mean()))
    assert width(found) == pytest.approx(np.ptp(np.quantile(drawn, [0.025, 0.975])), rel=0.15)


def test_groups_of_the_same_row_tell_no_more_than_one_row_each() -> None:
    generator = np.random.default_rng(3)
    truth, *models = (generator.normal(size=200) for _ in range(3))
    copies = [np.repeat(column, 7) for column in (truth, *models)]
    clusters = Clusters(np.repeat(np.arange(200), 7), 200)

    once = regression.compared(truth, *models, Clusters(np.arange(200), 200))
    often = regression.compared(*copies, clusters)

    for kind in ("candidate", "candidate - baseline", "candidate - champion"):
        for name in regression.NAMES:
            assert often[kind][name].interval(0.95) == pytest.approx(once[kind][name].interval(0.95)), (
                kind,
                name,
            )


def test_rows_that_are_groups_of_one_have_the_intervals_of_rows() -> None:
    data = Three(4)
    alone = Clusters(np.arange(len(data.truth)), len(data.truth))

    by_group, by_row = data.groups(alone), data.groups(None)

    for kind in ("candidate", "candidate - champion"):
        for name in ("accuracy", "f1_macro", "recall_macro", "matthews_correlation", "auc", "log_loss"):
            assert width(by_group[kind][name]) == pytest.approx(width(by_row[kind][name]), rel=0.06), (
                kind,
                name,
            )


def test_without_groups_intervals_are_what_they_always_were() -> None:
    place = np.arange(600)
    truth = (place * 7) % 3
    scores = np.exp(np.sin(np.outer([1.3, 2.1, 3.7], place)) + 0.9 * (truth == np.arange(3)[:, None]))
    given = scores / scores.sum(axis=0)
    models = [
        Model(of.argmax(axis=0), figures(of, [0, 1, 2], truth, of.argmax(axis=0), None, draw=False))
        for of in (given, given[[1, 2, 0]])
    ]
    target = np.cos(place * 0.7)

    found = assess(truth, *models, 3, None)[0]
    of_numbers = regression.compared(target, target + np.sin(place * 1.1), target + np.sin(place * 1.7) * 1.1)

    expected = {
        ("candidate", "accuracy"): (0.568705240514882, 0.646583057598816),
        ("candidate", "f1_macro"): (0.5677539836009605, 0.6477575379304988),
        ("candidate", "auc"): (0.7828659999531827, 0.8338388901425752),
        ("candidate", "log_loss"): (0.7874602420772067, 0.8586806426721353),
        ("candidate", "rmse"): (0.6872441965495248, 0.7271783545589886),
        ("candidate - champion", "f1_macro"): (0.28562090155542147, 0.42148868542570306),
        ("candidate - champion", "auc"): (0.3420548962464831, 0.43378677042018365),
        ("candidate - champion", "rmse"): (-0.10083318139080988, -0.04036316701599918),
    }
    for (kind, name), ends in expected.items():
        group = (of_numbers if name == "rmse" else found)[kind]
        assert group[name].interval(0.95) == pytest.approx(ends, rel=1e-9), (kind, name)


def leaving_out_groups(
    clusters: Clusters, figure: Callable[[np.ndarray], float], scale: Callable[[float], float] | None = None
) -> tuple[float, float, float]:
    """A figure of row numbers, half its 95 % interval's width on a scale, and the degrees of freedom, step by step."""
    number, rows = clusters.number, np.arange(len(clusters.codes))
    value = figure(rows)
    influence = np.array([value - figure(rows[clusters.codes != code]) for code in range(number)])
    influence -= influence.mean()
    freedom = 2 / (2 / (number - 1) + max(kurtosis(influence), 0) / number)
    error = np.sqrt((number - 1) / number * (influence**2).sum())
    slope = (scale(value + 1e-6) - scale(value - 1e-6)) / 2e-6 if scale else 1.0
    return value, t.ppf(0.975, freedom) * error * slope, freedom


def test_a_metric_of_groups_has_students_interval_on_its_own_scale() -> None:
    """Of the metrics with two ends, one, and none, and of differences."""
    data, generator = Three(11, 40), np.random.default_rng(12)
    truth, *models = numbers(generator, data.clusters)
    of_classes, of_numbers = data.groups(data.clusters), regression.compared(truth, *models, data.clusters)

    def f1(rows: np.ndarray, model: int = 0, average: str = "macro") -> float:
        predicted = data.given[model][:, rows].argmax(axis=0)
        return float(f1_score(data.truth[rows], predicted, average=average))

    def rmse(rows: np.ndarray, model: int = 0) -> float:
        return float(np.sqrt(((models[model] - truth)[rows] ** 2).mean()))

    value, reach, _ = leaving_out_groups(data.clusters, lambda rows: f1(rows, average="weighted"), logit)
    assert of_classes["candidate"]["f1_weighted"].interval(0.95) == pytest.approx(
        (expit(logit(value) - reach), expit(logit(value) + reach)), rel=1e-6
    )
    value, reach, freedom = leaving_out_groups(data.clusters, rmse, np.log)
    assert freedom < 39
    ends = of_numbers["candidate"]["rmse"].interval(0.95)
    assert ends == pytest.approx((value * np.exp(-reach), value * np.exp(reach)), rel=1e-6)
    value, reach, _ = leaving_out_groups(data.clusters, lambda rows: float((models[0] - truth)[rows].mean()))
    assert of_numbers["candidate"]["mean_error"].interval(0.95) == pytest.approx(
        (value - reach, value + reach)
    )
    value, reach, _ = leaving_out_groups(data.clusters, lambda rows: f1(rows) - f1(rows, 1), np.arctanh)
    assert of_classes["candidate - champion"]["f1_macro"].interval(0.95) == pytest.approx(
        (np.tanh(np.arctanh(value) - reach), np.tanh(np.arctanh(value) + reach)), rel=1e-6
    )
    value, reach, _ = leaving_out_groups(data.clusters, lambda rows: rmse(rows) - rmse(rows, 1))
    assert of_numbers["candidate - champion"]["rmse"].interval(0.95) == pytest.approx(
        (value - reach, value + reach)
    )


def test_a_few_groups_that_decide_leave_few_degrees_of_freedom() -> None:
    even = np.tile([-1.0, 1.0], 50)
    normal = np.random.default_rng(13).normal(size=(4000, 1))
    one = np.append(np.full(99, -1.0), 99.0)

    assert degrees(even) == pytest.approx(99)
    assert degrees(normal - normal.mean()) == pytest.approx([3999], rel=0.15)
    assert degrees(one) < 3
    assert [degrees(1e150 * one), degrees(1e-150 * one)] == pytest.approx([degrees(one)] * 2)


@pytest.mark.parametrize("number", [2, 3, 6])
def test_ends_stay_within_the_range_of_their_metric_however_few_groups_there_are(number: int) -> None:
    data, generator = Three(14, number), np.random.default_rng(15)
    found = data.groups(data.clusters)
    of_numbers = regression.compared(*numbers(generator, data.clusters), data.clusters)
    for confidence in (0.95, 0.9999):
        for kind, groups in (*found.items(), *of_numbers.items()):
            for name, estimate in groups.items():
                ends = estimate.interval(confidence)
                if ends is None:
                    continue
                least, most = METRICS[name].least, METRICS[name].most
                if "-" in kind:
                    least, most = (least - most, most - least) if None not in (least, most) else (None, None)  # type: ignore[operator]
                assert np.isfinite(ends).all(), (kind, name)
                assert ends[0] - 1e-12 <= estimate.value <= ends[1] + 1e-12, (kind, name)
                assert least is None or ends[0] >= least, (kind, name)
                assert most is None or ends[1] <= most, (kind, name)


def test_one_group_tells_nothing_of_how_others_differ() -> None:
    truth = np.arange(5.0)

    found = regression.compared(truth, truth + 1, truth - 2, Clusters(np.zeros(5, dtype=int), 1))

    assert {name: found["candidate"][name].interval(0.95) for name in regression.NAMES} == dict.fromkeys(
        regression.NAMES
    )
    assert found["candidate - champion"]["mse"].interval(0.95) is None


def test_differences_between_models_hold_with_few_groups_too() -> None:
    """Where a bootstrap of the groups holds in 88 of 100 data sets."""
    generator = np.random.default_rng(16)
    held = dict.fromkeys(("rmse", "mse", "r2"), 0)
    for _ in range(400):
        clusters = grouped(generator, 40, most=50)
        shared = generator.random(len(clusters.codes)) < np.sqrt(0.5)
        signal, noise, *errors = (
            np.where(shared, draw(clusters.number)[clusters.codes], draw(len(clusters.codes)))
            for draw in (
                lambda size: generator.normal(0, 2, size),
                lambda size: generator.normal(0, 1, size),
                lambda size: generator.gamma(2, 0.5, size) - 1,
                lambda size: generator.gamma(2, 0.5, size) - 1,
            )
        )
        models = [signal + error for error in errors]
        found = regression.compared(signal + noise, *models, clusters)["candidate - champion"]
        for name in held:
            low, high = found[name].interval(0.95)
            held[name] += low <= 0 <= high

    # 93 to 97 %, give or take three standard deviations of 400 simulations
    for name, times in held.items():
        assert 0.93 - 3 * 0.0128 <= times / 400 <= 0.97 + 3 * 0.0085, name


def test_trials_in_groups_are_worth_as_many_as_tell_as_much() -> None:
    generator = np.random.default_rng(5)
    alone = (generator.random((400, 1)) < 0.3).astype(float)

    rows, degrees = effective(alone, np.ones((400, 1)))
    copies, _ = effective(9 * alone, np.full((400, 1), 9.0))

    assert degrees == 399
    assert rows == pytest.approx(400, rel=0.01)
    assert copies == pytest.approx(rows)


def test_where_all_trials_ended_alike_a_group_counts_for_one() -> None:
    ended = np.full(30, 5.0)

    low, high = share(150, 150, effective(ended[:, None], ended[:, None])).interval(0.95) or (0, 0)

    assert high == 1
    assert low == pytest.approx(wilson(np.array([30]), np.array([30]), 0.95)[0][0], abs=0.01)
    one_group = effective(np.array([[5.0]]), np.array([[5.0]]))
    assert share(5, 5, one_group).interval(0.95) == (0, 1)  # it says nothing


def test_a_class_of_few_groups_takes_over_how_alike_rows_of_groups_are_from_the_others() -> None:
    """Its own three groups of four rows are mixed, as if a group told nothing; those of the other class are pure."""
    pure = np.tile([0.0, 4.0], 50)
    trials = np.full((100, 2), 4.0)
    trials[3:, 1] = 0
    mixed = np.zeros(100)
    mixed[:3] = 2

    rows, freedom = effective(np.stack([pure, mixed], axis=1), trials)
    alone, _ = effective(mixed[:, None], trials[:, 1:])

    assert rows == pytest.approx([100, 3], rel=0.03)
    assert alone == pytest.approx([12])
    of_all = (3 * 8**2 + 97 * 4**2) ** 2 / (3 * 8**4 + 97 * 4**4) - 1
    assert freedom == pytest.approx([2 * own * of_all / (own + of_all) for own in (99, 2)])


def test_a_mean_of_shares_puts_the_ends_of_its_shares_together_as_their_errors_go_together() -> None:
    generator = np.random.default_rng(17)
    trials = generator.integers(0, 9, (40, 3)).astype(float)
    successes = np.floor(trials * generator.random((40, 3)))
    trials[:, 2], successes[:, 2] = np.arange(40) % 2, np.arange(40) % 2  # without an error

    for of in (np.asarray, dice):
        found = mean_of_shares(successes, trials, np.array([True, True, True]), of)

        low, high = wilson(successes.sum(axis=0), trials.sum(axis=0), 0.95, effective(successes, trials))
        shares = successes.sum(axis=0) / trials.sum(axis=0)
        left = [
            (successes.sum(axis=0) - successes[code]) / (trials.sum(axis=0) - trials[code])
            for code in range(40)
        ]
        together = np.eye(3)
        together[0, 1] = together[1, 0] = cosine(*(shares - left).T[:2])
        below, above = (of(shares) - of(low)) / 3, (of(high) - of(shares)) / 3
        assert found.value == pytest.approx(of(shares).mean())
        assert found.interval(0.95) == pytest.approx(
            (
                found.value - np.sqrt(below @ together @ below),
                min(found.value + np.sqrt(above @ together @ above), 1),
            )
        )
    assert mean_of_shares(successes[:1], trials[:1], np.array([True, True, False])).interval(0.95) is None


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


@pytest.mark.parametrize("number", [60, 200])
def test_figures_of_a_class_in_few_groups_hold(number: int) -> None:
    """With the error that groups show by themselves, F1 of the rare one holds in 70 of 100 data sets of 60 groups."""
    generator = np.random.default_rng(18)
    of_class, of_all = ("precision", "recall", "f1"), ("precision_macro", "balanced_accuracy", "f1_macro")
    right = np.array([0.3, 0.5, 0.8])
    held = dict.fromkeys((*of_class, *of_all), 0)

    def drawn(size: int) -> np.ndarray:
        truth = generator.choice(3, size, p=SHARES)
        wrong = (truth + generator.integers(1, 3, size)) % 3
        return np.stack([truth, np.where(generator.random(size) < right[truth], truth, wrong)])

    table = SHARES[:, None] * ((1 - right) / 2)[:, None] + np.diag(SHARES * (right - (1 - right) / 2))
    hit, true, called = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    by_class_true = dict(zip(of_class, (hit / called, hit / true, 2 * hit / (true + called)), strict=True))
    wanted = {name: values[0] for name, values in by_class_true.items()}
    wanted |= {name: by_class_true[one].mean() for name, one in zip(of_all, of_class, strict=True)}
    for _ in range(300):
        clusters = grouped(generator, number, most=50)
        rows = len(clusters.codes)
        alike = generator.random(rows) < np.sqrt(0.5)
        truth, predicted = np.where(alike, drawn(number)[:, clusters.codes], drawn(rows))
        counts = tabulate([truth, predicted], [3, 3], clusters)
        found = {**by_class(counts, 3)[0], **compared(counts, 3, None)["candidate"]}
        for name, value in wanted.items():
            low, high = found[name].interval(0.95)
            held[name] += low <= value <= high

    for name, times in held.items():  # give or take three standard deviations of 300 simulations
        assert times / 300 >= 0.93 - 3 * 0.0147, name
        assert number < 200 or times / 300 <= 0.97 + 3 * 0.0098, name


def test_classes_curves_and_calibration_have_wider_intervals_with_groups() -> None:
    data = Three(6)
    copies = 5
    rows = np.repeat(np.arange(len(data.truth)), copies)
    truth, given = data.truth[rows], data.given[0][:, rows]
    clusters = Clusters(rows, len(data.truth))
    predicted = given.argmax(axis=0)

    classes = [by_class(tabulate([truth, predicted], [3, 3], of), 3)[1] for of in (clusters, None)]
    curves = [ranking.areas(given, truth, [0, 1, 2], [1], of)[1][1] for of in (clusters, None)]
    bins = [calibration(given[1], truth == 1, of).bins() for of in (clusters, None)]

    factor = np.sqrt(copies)
    for name in ("precision", "recall", "f1"):
        assert width(classes[0][name]) == pytest.approx(factor * width(classes[1][name]), rel=0.1)
    for curve in ("roc", "precision_recall"):
        by_group, by_row = (np.subtract(one[curve]["high"], one[curve]["low"]) for one in curves)
        assert np.median(by_group / np.maximum(by_row, 1e-9)) == pytest.approx(factor, rel=0.1)
    assert np.median([(a.high - a.low) / (b.high - b.low) for a, b in zip(*bins, strict=True)]) > 1.5


def test_of_many_groups_buckets_are_drawn() -> None:
    generator = np.random.default_rng(7)
    clusters = grouped(generator, 3 * BUCKETS, most=3)
    values = generator.normal(size=(len(clusters.codes), 2))
    whole, chunks = ClusterSums(2, clusters), ClusterSums(2, clusters)

    whole.add(0, values)
    for start in range(0, len(values), 1000):
        chunks.add(start, values[start : start + 1000])

    assert whole.sums.shape == (BUCKETS, 2)
    assert chunks.sums == pytest.approx(whole.sums)
    assert whole.sums.sum(axis=0) == pytest.approx(values.sum(axis=0))
    assert whole.sums[17] == pytest.approx(
        values[np.isin(clusters.codes, [17, 17 + BUCKETS, 17 + 2 * BUCKETS])].sum(0)
    )


@pytest.mark.parametrize("classes", [3, 150])  # of so many classes few rows share a cell
def test_the_rows_of_each_group_add_up_to_the_table(classes: int) -> None:
    generator = np.random.default_rng(8)
    clusters = grouped(generator, 1500, most=20)
    columns = [generator.integers(0, classes, len(clusters.codes)) for _ in range(3)]

    table = tabulate(columns, [classes] * 3, clusters)

    for counted in (table, table.only(0, 1), table.only(0)):
        assert counted.by_cluster is not None
        assert (counted.by_cluster.sum(axis=0) == counted.rows).all()
    in_bucket = clusters.codes % table.by_cluster.shape[0] == 3  # type: ignore[union-attr]
    of_class = in_bucket & (columns[0] == 1)
    assert table.only(0).by_cluster[3, 1] == of_class.sum()  # type: ignore[index]


def test_intervals_by_group_hold_where_those_of_rows_do_not() -> None:
    generator = np.random.default_rng(9)
    held, wider = {"groups": 0, "rows": 0}, []
    for number in range(100):
        clusters = grouped(generator, 60, most=30)
        truth, model, _ = numbers(generator, clusters)
        for way, of in (("groups", clusters), ("rows", None)):
            low, high = regression.compared(truth, model, None, of)["candidate"]["mean_error"].interval(0.95)
            held[way] += low <= 0 <= high
            if way == "groups" and number < 5:
                error = model - truth
                drawn = by_drawing_groups(clusters, lambda rows, of=error: float(of[rows].mean()), draws=800)
                wider.append((high - low) / np.ptp(np.quantile(drawn, [0.025, 0.975])))

    # 93 %, less three standard deviations of 100 simulations
    assert held["groups"] / 100 >= 0.93 - 3 * 0.0255
    assert held["rows"] / 100 < 0.75
    assert np.mean(wider) <= 1.15  # what holds is no wider than it has to be


def part(folder: Path, name: str, content: str) -> Part:
    (folder / name).write_text(content)
    return Part(folder / name, f"y_test/{name}")


def test_groups_are_read_over_all_parts(tmp_path: Path) -> None:
    found = [
        part(tmp_path, "1.csv", '\N{ZERO WIDTH NO-BREAK SPACE}y,group\n1,0\n2,1\n"3",0\n'),
        part(tmp_path, "2.csv", "y,group\n4,2\n5,1\n"),
    ]

    labels, (values, _, clusters) = read_labels(found), read_truth(found)

    assert values.tolist() == [1, 2, 3, 4, 5]
    for read in (labels.clusters, clusters):
        assert read is not None
        assert (read.codes.tolist(), read.number) == ([0, 1, 0, 2, 1], 3)


@pytest.mark.parametrize("read", [read_labels, read_truth])
@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("y,group\n1,x\n", r'y_test/2.csv, row 1: the group "x" is not a number from 0 to 2'),
        (
            "y,group\n1,0\n1,\n",
            r"y_test/2.csv, row 2: the group is missing, it should be a number from 0 to 2",
        ),
        (
            "y,group\n1,0\n1,2\n1,4\n",
            r'y_test/2.csv, row 3: the group "4" is not a number from 0 to 3: .* in the order',
        ),
        ("y,group\n1,-1\n", r'y_test/2.csv, row 1: the group "-1" is not'),
        ("y,group\n1,1.0\n", r'y_test/2.csv, row 1: the group "1.0" is not'),
        ("y,group\n1,3\n1,x\n", r'y_test/2.csv, row 1: the group "3" is not a number from 0 to 2'),
        ("y,group\n1,0\n1\n", r"y_test/2.csv, row 3: 1 fields where 2 were expected|row 2: 1 fields"),
        ("y\n1\n", r"y_test/2.csv: no column group, which y_test/1.csv has"),
        ("y,place\n1,0\n", r"y_test/2.csv: no column group, which y_test/1.csv has"),
    ],
)
def test_a_group_that_is_no_code_is_named_with_part_and_row(
    tmp_path: Path, read: Callable[[list[Part]], Any], second: str, message: str
) -> None:
    found = [part(tmp_path, "1.csv", "y,group\n1,0\n2,1\n"), part(tmp_path, "2.csv", second)]

    with pytest.raises(EvaluationError, match=message):
        read(found)


def test_another_second_column_is_no_column_of_groups(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"^y_test/1\.csv: 2 columns in the header, expected 1"):
        read_labels([part(tmp_path, "1.csv", "y,place\n1,0\n")])


def test_some_of_the_rows_keep_their_groups(tmp_path: Path) -> None:
    clusters = Clusters(np.array([0, 1, 1, 2, 3, 1]), 4)

    read = read_labels(write_labels(tmp_path, list("abcde"), clusters.of(np.array([1, 2, 3, 4, 5])))).clusters
    masked = clusters.of(np.array([False, True, False, False, True, True]))

    assert read is not None
    assert (read.codes.tolist(), read.number) == ([0, 0, 1, 2, 0], 3)
    assert (masked.codes.tolist(), masked.number) == ([0, 1, 0], 2)


@pytest.fixture
def patients() -> tuple[np.ndarray, np.ndarray, list[int]]:
    """60 rows of which each comes five times, as a patient's five visits."""
    inputs, labels = two_classes(60)
    return np.repeat(inputs, 5, axis=0), np.repeat(labels, 5), np.repeat(np.arange(60), 5).tolist()


def test_a_run_says_what_its_intervals_draw_and_judges_by_it(
    tmp_path: Path, s3: Any, patients: tuple[np.ndarray, np.ndarray, list[int]]
) -> None:
    inputs, labels, groups = patients
    found = {}
    for name, of in (("by rows", None), ("by groups", groups)):
        settings = {"slices": ["a"], "bands": {"a": [0.5]}, "minimum_slice_rows": 10}
        run = Run(
            tmp_path / name,
            s3,
            inputs.tolist(),
            labels.tolist(),
            classes=CLASSES,
            groups=of,
            settings=settings,
        )
        found[name] = run.evaluate(binary(s3))

    rows, by_group = found["by rows"], found["by groups"]
    assert "grouping" not in rows
    assert "groups" not in rows["slices"][0]["slices"][0]
    assert by_group["grouping"] == {"groups": 60, "columns": []}
    assert sum(item["groups"] for item in by_group["slices"][0]["slices"]) == 60
    assert by_group["metrics"] == rows["metrics"]
    for metric in ("f1", "accuracy", "auc"):
        ends = [document["intervals"][metric] for document in (by_group, rows)]
        by = [end["high"] - end["low"] for end in ends]
        assert by[0] > 1.7 * by[1], metric
    assert any("300 rows (of 60 groups" in one["reason"] for one in by_group["gate"])
    loaded = Evaluation.load(json.dumps(by_group).encode(), "evaluation.json")
    assert loaded.grouping is not None
    assert loaded.grouping.said.startswith(
        "Rows of one group are not independent: intervals are of the 60 groups"
    )


def test_the_champion_and_the_columns_importance_are_compared_by_groups(
    tmp_path: Path, s3: Any, patients: tuple[np.ndarray, np.ndarray, list[int]]
) -> None:
    inputs, labels, groups = patients
    widths = []
    for name, of in (("by rows", None), ("by groups", groups)):
        package = {"InferenceSpecification": {"Containers": [container("champion")]}}
        sagemaker = binary(s3, champion=package)
        sagemaker.models["champion"] = classifier(["no", "yes"], weak)
        run = Run(
            tmp_path / name,
            s3,
            inputs.tolist(),
            labels.tolist(),
            classes=CLASSES,
            groups=of,
            champion=CHAMPION,
        )
        document = run.evaluate(sagemaker)
        difference = document["champion"]["differences"]["f1"]
        widths.append(difference["high"] - difference["low"])
        importance = document["importance"]["features"]
        widths.append(importance[0]["high"] - importance[0]["low"])

    assert widths[2] > 1.7 * widths[0]
    assert widths[3] > 1.4 * widths[1]


def test_the_report_and_the_card_say_that_groups_are_drawn_and_slices_judged_together(
    tmp_path: Path, s3: Any, patients: tuple[np.ndarray, np.ndarray, list[int]]
) -> None:
    inputs, labels, groups = patients
    run = Run(
        tmp_path, s3, inputs.tolist(), labels.tolist(), classes=CLASSES, groups=groups,
        settings={"slices": ["a"], "bands": {"a": [0.3, 0.6]}, "minimum_slice_rows": 10},
    )  # fmt: skip
    document = run.evaluate(binary(s3))
    document["grouping"] = {"groups": 60, "columns": ["patient_nbr"]}
    evaluation = Evaluation.load(json.dumps(document).encode(), "evaluation.json")
    sentence = "Rows of one patient_nbr are not independent: intervals are of the 60 groups, not of rows"

    section = slices_section(evaluation)
    texts = [block.text for block in comparison_section(evaluation).blocks if isinstance(block, Text)]
    caveats = model_card(evaluation, "d", "s3://b/x")["additional_information"]["caveats_and_recommendations"]

    assert f"{sentence}." in texts
    assert sentence in caveats
    assert section is not None
    first = section.blocks[0]
    assert isinstance(first, Text)
    assert "3 slices are judged together" in first.text
    assert "98.3333% confidence each, which makes 95% for all of them at once (Bonferroni)" in first.text


def test_the_columns_that_make_the_groups_are_those_of_the_split() -> None:
    def columns(dataset: dict[str, Any]) -> list[str]:
        return Settings("p", "d", dataset, {}).group

    assert columns({"split": {"group": ["patient_nbr", "ward"], "time": None}}) == ["patient_nbr", "ward"]
    assert columns({"split": {"group": None}}) == columns({}) == columns({"split": None}) == []
