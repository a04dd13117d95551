"""Every metric against scikit-learn's on the same rows, to 1e-12."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier, DummyRegressor

from automl_evaluation import assess_classes, ranking, regression

CLOSE = {"rel": 1e-12, "abs": 1e-12}

# scikit-learn warns of the very cases that are tested here.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def assessed(
    truth: np.ndarray,
    predicted: np.ndarray,
    classes: int,
    positive: int | None = None,
    given: np.ndarray | None = None,
) -> dict[str, float]:
    figures = None
    if given is not None:
        figures = assess_classes.figures(
            given.T.copy(), list(range(classes)), truth, predicted, positive, draw=True
        )
    groups, _ = assess_classes.assess(
        truth, assess_classes.Model(predicted, figures), None, classes, positive
    )
    return {name: estimate.value for name, estimate in groups["candidate"].items()}


def label_metrics(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    found = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "matthews_correlation": sk.matthews_corrcoef(truth, predicted),
        "cohen_kappa": sk.cohen_kappa_score(truth, predicted),
    }
    for average in ("macro", "weighted"):
        for name, metric in (
            ("f1", sk.f1_score),
            ("precision", sk.precision_score),
            ("recall", sk.recall_score),
        ):
            found[f"{name}_{average}"] = metric(truth, predicted, average=average, zero_division=0)
    return found


def drawn(seed: int, rows: int, shares: list[float], right: float) -> tuple[np.ndarray, np.ndarray]:
    """True codes with such shares, and predictions of which so many are right on purpose."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(len(shares), rows, p=shares)
    predicted = np.where(generator.random(rows) < right, truth, generator.choice(len(shares), rows))
    return truth, predicted


def probabilities(seed: int, truth: np.ndarray, classes: int, digits: int | None) -> np.ndarray:
    """Rows of probabilities that know something of the truth; few digits make ties."""
    scores = np.random.default_rng(seed).normal(size=(len(truth), classes))
    scores[np.arange(len(truth)), truth] += 1
    given = np.exp(scores)
    given = given / given.sum(axis=1, keepdims=True)
    if digits is not None:
        given = given.round(digits)
        given[:, 0] += 1 - given.sum(axis=1)
    return np.clip(given, 0, 1)


@pytest.mark.parametrize(
    ("shares", "rows", "right"),
    [
        pytest.param([0.5, 0.5], 1000, 0.6, id="two classes"),
        pytest.param([0.995, 0.005], 1000, 0.9, id="a rare positive class"),
        pytest.param([0.11, 0.35, 0.54], 3000, 0.4, id="the hospital's shares"),
        pytest.param([0.9, 0.07, 0.02, 0.01], 500, 0.5, id="imbalanced"),
        pytest.param([0.25] * 4, 7, 0.0, id="fewer rows than cells"),
        pytest.param([1.0], 10, 1.0, id="one class"),
    ],
)
def test_label_metrics(shares: list[float], rows: int, right: float) -> None:
    truth, predicted = drawn(0, rows, shares, right)

    found = assessed(truth, predicted, len(shares))

    expected = label_metrics(truth, predicted)
    if np.isnan(expected["cohen_kappa"]):  # undefined with one class: absent, not NaN
        del expected["cohen_kappa"]
    assert found == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [
        pytest.param([0, 0, 1, 1], [2, 2, 2, 2], id="only a class that never occurs"),
        pytest.param([0, 0, 0, 0], [0, 1, 0, 1], id="one true class"),
        pytest.param([0, 1, 2, 2], [0, 0, 0, 0], id="one class for all"),
        pytest.param([0, 1, 1, 0], [1, 0, 0, 1], id="always wrong"),
        pytest.param([0, 2, 2, 0], [0, 2, 2, 0], id="always right, a class between without rows"),
        pytest.param([1], [1], id="one row"),
    ],
)
def test_label_metrics_at_the_edges(truth: list[int], predicted: list[int]) -> None:
    expected = {
        k: v for k, v in label_metrics(np.array(truth), np.array(predicted)).items() if not np.isnan(v)
    }

    found = assessed(np.array(truth), np.array(predicted), 3)

    assert found == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("digits", [pytest.param(None, id="no ties"), pytest.param(1, id="many ties")])
@pytest.mark.parametrize("positive", [0, 1])
def test_probabilities_of_two_classes(digits: int | None, positive: int) -> None:
    truth, predicted = drawn(1, 2000, [0.8, 0.2], 0.7)
    given = probabilities(2, truth, 2, digits)

    found = assessed(truth, predicted, 2, positive, given)

    is_positive, score = truth == positive, given[:, positive]
    expected = {
        "auc": sk.roc_auc_score(is_positive, score),
        "average_precision": sk.average_precision_score(is_positive, score),
        "log_loss": sk.log_loss(truth, given),
        "brier": sk.brier_score_loss(is_positive, score),
        "f1": sk.f1_score(truth, predicted, pos_label=positive),
        "precision": sk.precision_score(truth, predicted, pos_label=positive),
        "recall": sk.recall_score(truth, predicted, pos_label=positive),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("digits", [pytest.param(None, id="no ties"), pytest.param(2, id="ties")])
def test_probabilities_of_several_classes(digits: int | None) -> None:
    truth, predicted = drawn(3, 3000, [0.11, 0.35, 0.54], 0.5)
    given = probabilities(4, truth, 3, digits)

    found = assessed(truth, predicted, 3, None, given)

    expected = {
        "auc": sk.roc_auc_score(truth, given, multi_class="ovr", average="macro"),
        "average_precision": sk.average_precision_score(np.eye(3)[truth], given, average="macro"),
        "log_loss": sk.log_loss(truth, given),
        "brier": sk.brier_score_loss(truth, given),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("digits", [2, 4, None])
@pytest.mark.parametrize("share", [0.001, 0.4])
@pytest.mark.parametrize("shift", [0, -9, 9])
def test_areas_of_scores_that_are_close_together_or_tied(
    shift: int, share: float, digits: int | None
) -> None:
    generator = np.random.default_rng(shift + 20)
    truth = (generator.random(200_000) < share).astype(np.uint8)
    scores = 1 / (1 + np.exp(-generator.normal(shift, 1, len(truth)) - truth))
    scores = scores if digits is None else scores.round(digits)
    found, _ = ranking.areas(scores[None], truth, [1])
    assert found["auc/1"].value == pytest.approx(sk.roc_auc_score(truth, scores), **CLOSE)
    expected = sk.average_precision_score(truth, scores)
    assert found["average_precision/1"].value == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("edges", [[0.5], [0.0, 5e-324], [0.1, 0.1 + 1e-16, 0.9], [-1e-6, 0.0, 0.3, 1.0]])
@pytest.mark.parametrize("cells", [1, 7, 1 << 16])
def test_bins_are_those_of_a_search(edges: list[float], cells: int) -> None:
    among = np.array(edges)
    scores = np.random.default_rng(1).uniform(among[0], among[-1], 5000)
    scores = np.concatenate((scores, among, np.nextafter(among[1:], 0)))
    expected = np.searchsorted(among, scores, "right")
    assert (ranking.Bins(among, cells)(scores) == expected).all()


def test_certain_and_wrong_probabilities_have_a_finite_log_loss() -> None:
    truth = np.array([0, 1, 1, 0])
    given = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])

    found = assessed(truth, given.argmax(axis=1), 2, 1, given)

    assert found["log_loss"] == pytest.approx(sk.log_loss(truth, given), **CLOSE)


def test_calibration_error_by_its_definition() -> None:
    truth, predicted = drawn(5, 4000, [0.3, 0.7], 0.6)
    given = probabilities(6, truth, 2, None)

    found = assessed(truth, predicted, 2, 1, given)

    score, came_true = given[:, 1], truth == 1
    bins = np.minimum((score * 15).astype(int), 14)
    gaps = [
        abs(score[bins == b].mean() - came_true[bins == b].mean()) * (bins == b).mean()
        for b in np.unique(bins)
    ]
    assert found["calibration_error"] == pytest.approx(sum(gaps), rel=1e-9)


@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(lambda y: y, id="around 0"),
        pytest.param(lambda y: y + 1e6, id="a mean that is large against the spread"),
        pytest.param(np.exp, id="skewed"),
    ],
)
def test_regression(transform: Callable[[np.ndarray], np.ndarray]) -> None:
    generator = np.random.default_rng(7)
    truth = transform(generator.normal(size=6000))
    predicted = truth + generator.normal(0, 0.5, 6000)

    found = {
        name: estimate.value
        for name, estimate in regression.compared(truth, predicted, None)["candidate"].items()
    }

    expected = {
        "r2": sk.r2_score(truth, predicted),
        "mae": sk.mean_absolute_error(truth, predicted),
        "mse": sk.mean_squared_error(truth, predicted),
        "rmse": sk.root_mean_squared_error(truth, predicted),
        "median_absolute_error": sk.median_absolute_error(truth, predicted),
        "max_error": sk.max_error(truth, predicted),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize(
    ("shares", "positive"),
    [
        pytest.param([0.9, 0.1], 1, id="a rare positive class"),
        pytest.param([0.3, 0.7], 1, id="a frequent positive class"),
        pytest.param([0.3, 0.7], 0, id="the positive class stands first"),
        pytest.param([1.0, 0.0], 1, id="a positive class without rows"),
        pytest.param([0.2, 0.5, 0.3], None, id="three classes"),
        pytest.param([0.25, 0.25, 0.25, 0.2, 0.05], None, id="nearly as many rows of each"),
    ],
)
def test_no_constant_label_is_better_than_the_baseline(shares: list[float], positive: int | None) -> None:
    truth, predicted = drawn(9, 1000, shares, 0.5)

    groups, _ = assess_classes.assess(truth, assess_classes.Model(predicted), None, len(shares), positive)

    answers = []
    for label in range(len(shares)):
        always = DummyClassifier(strategy="constant", constant=label)
        # A class may be in the training part alone: a constant answer can still be that.
        always.fit(np.zeros((len(shares), 1)), np.arange(len(shares)))
        constant = always.predict(np.zeros((len(truth), 1)))
        answers.append(label_metrics(truth, constant))
        if positive is not None:
            answers[-1] |= {
                name: metric(truth, constant, pos_label=positive, zero_division=0)
                for name, metric in (
                    ("f1", sk.f1_score),
                    ("precision", sk.precision_score),
                    ("recall", sk.recall_score),
                )
            }
    best = {name: max(answer[name] for answer in answers) for name in answers[0]}
    found = {name: estimate.value for name, estimate in groups["baseline"].items()}
    assert found == pytest.approx({name: best[name] for name in found}, **CLOSE)
    assert set(best) - set(found) <= {"cohen_kappa"}  # undefined where there is one class only
    for name, value in found.items():
        assert groups["candidate - baseline"][name].value == pytest.approx(
            groups["candidate"][name].value - value, **CLOSE
        )


@pytest.mark.parametrize("shares", [[0.9, 0.1], [0.5, 0.3, 0.2]])
def test_no_constant_probabilities_are_better_than_the_baseline(shares: list[float]) -> None:
    classes, positive = len(shares), 1 if len(shares) == 2 else None
    truth, _ = drawn(10, 2000, shares, 0.5)
    given = probabilities(11, truth, classes, None)
    model = assess_classes.Model(
        given.argmax(axis=1),
        assess_classes.figures(
            given.T.copy(), list(range(classes)), truth, given.argmax(axis=1), positive, draw=False
        ),
    )

    groups, _ = assess_classes.assess(truth, model, None, classes, positive)

    prior = DummyClassifier(strategy="prior").fit(np.zeros((len(truth), 1)), truth)
    constant = prior.predict_proba(np.zeros((len(truth), 1)))
    found = {name: estimate.value for name, estimate in groups["baseline"].items()}
    one_hot = np.eye(classes)[truth]
    score = (
        (lambda metric: metric(one_hot[:, 1], constant[:, 1]))
        if positive
        else (lambda metric: metric(one_hot, constant, average="macro"))
    )
    half = 2 if positive else 1
    assert {name: found[name] for name in ("log_loss", "brier", "auc", "average_precision")} == pytest.approx(
        {
            "log_loss": sk.log_loss(truth, constant),
            "brier": ((constant - one_hot) ** 2).sum(axis=1).mean() / half,
            "auc": score(sk.roc_auc_score),
            "average_precision": score(sk.average_precision_score),
        },
        **CLOSE,
    )
    generator = np.random.default_rng(12)
    for other in generator.dirichlet(np.ones(classes), 30):
        assert sk.log_loss(truth, np.tile(other, (len(truth), 1))) >= found["log_loss"]
        assert ((other - one_hot) ** 2).sum(axis=1).mean() / half >= found["brier"]


def test_the_average_precision_s_distance_to_the_baseline_has_a_fair_interval() -> None:
    """Both come from the same rows: what makes positives frequent makes either greater."""
    generator = np.random.default_rng(13)
    values, errors = [], []
    for _ in range(200):
        truth = (generator.random(800) < 0.3).astype(np.uint8)
        scores = truth + generator.normal(0, 1, len(truth))
        areas, _ = ranking.areas(scores[None], truth, [1])
        share = assess_classes._mean_share(truth, np.bincount(truth), [1])
        assert share.value == pytest.approx(truth.mean())
        distance = areas["average_precision"] - share
        values.append(distance.value)
        errors.append(distance.deviation)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


@pytest.mark.parametrize("rows", [1, 2, 3, 500, 501])
@pytest.mark.parametrize(
    "transform",
    [
        pytest.param(lambda y: y, id="around 0"),
        pytest.param(lambda y: y + 1e6, id="a mean that is large against the spread"),
        pytest.param(np.exp, id="skewed"),
        pytest.param(np.round, id="with ties"),
    ],
)
def test_no_constant_number_is_better_than_the_baseline(
    transform: Callable[[np.ndarray], np.ndarray], rows: int
) -> None:
    truth = transform(np.random.default_rng(8).normal(3, 2, rows))
    metrics = {
        "mse": sk.mean_squared_error,
        "rmse": sk.root_mean_squared_error,
        "mae": sk.mean_absolute_error,
        "median_absolute_error": sk.median_absolute_error,
        "max_error": sk.max_error,
    }

    groups = regression.compared(truth, truth, None)

    found = {name: estimate.value for name, estimate in groups["baseline"].items()}
    inputs = np.zeros((rows, 1))
    for strategy, names in (("mean", ("mse", "rmse")), ("median", ("mae",))):
        constant = DummyRegressor(strategy=strategy).fit(inputs, truth).predict(inputs)
        assert {name: found[name] for name in names} == pytest.approx(
            {name: metrics[name](truth, constant) for name in names}, rel=1e-9, abs=1e-9
        )
    for constant in [*np.linspace(truth.min(), truth.max(), 25), *truth[:25]]:
        always = DummyRegressor(strategy="constant", constant=constant).fit(inputs, truth).predict(inputs)
        for name, metric in metrics.items():
            assert metric(truth, always) >= found[name] * (1 - 1e-9) - 1e-9, name
    assert found["mean_error"] == 0
    if np.ptp(truth):
        assert found["r2"] == pytest.approx(0, abs=1e-9)
        assert groups["candidate"]["r2"].value == 1
