"""evaluation.json: what it holds and what its readers may rely on.

Written by the evaluation; read by the pipeline's condition (`decision`, `reasons_text`), `register_model`,
`verify` and the report. Every number is finite. A metric that is undefined on a holdout (the AUC of one
class) is absent, and `notes` says why. Lists for charts are thinned; the file stays below 2 MB.

Names of metrics. Classification: accuracy, balanced_accuracy, f1_macro, f1_weighted, precision_macro,
precision_weighted, recall_macro, recall_weighted, matthews_correlation, cohen_kappa; for two classes also f1,
precision, recall of the positive class; with probabilities auc and average_precision (for more than two
classes the means over classes, each against the rest), log_loss, brier, calibration_error. Regression: r2,
rmse, mse, mae, mean_error (prediction minus truth), median_absolute_error, max_error. Beside these, the
project's own of its evaluation/metrics.py.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

VERSION = 1
INTERVAL_CONFIDENCE = 0.95
REASONS_LENGTH = 1000

# {"low": number, "high": number} at `INTERVAL_CONFIDENCE`
Interval = dict[str, float]


@dataclass
class Condition:
    """One condition of the gate. A `skipped` one had nothing to judge and does not stand in the way."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    reason: str
    value: float | None = None
    bound: float | None = None


@dataclass
class Objective:
    """Autopilot's objective: ``name`` as Autopilot spells it, ``metric`` its name in `Evaluation.metrics`.

    ``value`` is the holdout's, ``validation_value`` Autopilot's own.
    """

    name: str
    metric: str
    direction: Literal["maximize", "minimize"]
    value: float
    low: float | None
    high: float | None
    validation_value: float | None


@dataclass
class Difference:
    """Candidate minus other, on the same rows, with its interval at `Evaluation.confidence`.

    `better` and `worse` mean that the whole interval lies on that side of 0, whichever sign is the better
    one.
    """

    value: float
    low: float | None
    high: float | None
    verdict: Literal["better", "worse", "undecided"]


@dataclass
class Baseline:
    """What needs no model: the same answer for every row, the one that is best on the holdout by the metric.

    ``name`` says it in words for the objective, ``prediction`` is it (none for probabilities); ``names`` are its words
    for every metric.
    """

    name: str
    prediction: str | float | None
    metrics: dict[str, float]
    differences: dict[str, Difference]
    names: dict[str, str] = field(default_factory=dict)


@dataclass
class Champion:
    """The version that production serves, on the same holdout.

    ``status``: `compared`; `columns_changed`, it cannot read today's columns; or `failed`, for another
    ``reason``. ``columns`` are `added` and `removed` since it was trained: it is compared where none is gone,
    and then does not read the added ones. Metrics and differences are there when it was compared. ``dataset``
    is what it was trained on, where its own evaluation could be read; a champion of another data set may have
    been trained on rows of today's holdout, which makes it look better than it is.
    """

    model_package_arn: str
    status: Literal["compared", "columns_changed", "failed"]
    reason: str
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    dataset: dict[str, Any] | None = None
    same_dataset: bool | None = None
    curves: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Slice:
    """The rows that have one value of a column. A ``small`` one has too few rows to be judged by."""

    name: str
    rows: int
    small: bool
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    champion: dict[str, float] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)


@dataclass
class SliceSet:
    """The slices of one entry of [evaluation] slices, by values, bands of numbers, or one-hot columns."""

    column: str
    kind: Literal["values", "bands", "one-hot"]
    slices: list[Slice]


@dataclass
class Evaluation:
    """The document.

    - ``reasons``: why it was rejected, or what was found when it was accepted; ``reasons_text`` the same in
      one line.
    - ``containers``: exactly what was evaluated; these are registered and served. ``outputs`` are what their
      answers hold, column by column: `predicted_label` and, where supported, `probabilities` with `labels`,
      or `probability`; `prediction` alone for regression.
    - ``intervals``: of the metrics of the same name, at `INTERVAL_CONFIDENCE`.
    - ``confidence``: [gate] confidence, that of the differences' intervals.
    - ``classes``: label, support, predicted (rows), precision, recall, f1, each with its interval, and auc;
      the 1,000 most frequent ones, where there are more.
    - ``confusion``: ``labels`` and ``rows`` (truth by prediction), or, above 50 classes, the most frequent
      ``errors`` [{truth, prediction, rows}].
    - ``calibration``: ``of`` (what the probabilities are of), ``error``, ``bins``.
    - ``curves``: by class, ``label``, ``auc``, ``roc``, ``precision_recall`` and, for two classes,
      ``threshold``; lists of equal length under each.
    - ``residuals``: ``quantiles``, ``histogram``, ``bands`` of a regression's errors.
    - ``importance``: ``source`` (`autopilot` or `permutation`), ``metric``, ``rows``, ``features`` [{name,
      value, low, high}], greatest first; or ``source`` null with the ``reason`` why there is none.
    - ``measures``: the project's own metrics, each with ``name``, ``direction`` (`maximize` or `minimize`) and
      ``description``.
    - ``automl_job``: name, arn, best_candidate, seconds, candidates (the leaderboard).
    """

    decision: Literal["accept", "reject"]
    reasons: list[str]
    reasons_text: str
    problem_type: str
    objective: Objective
    rows: int
    metrics: dict[str, float]
    intervals: dict[str, Interval]
    containers: list[dict[str, Any]]
    outputs: list[str]
    automl_job: dict[str, Any]
    gate: list[Condition]
    confidence: float
    baseline: Baseline
    champion: Champion | None
    dataset: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    positive_class: str | None = None
    classes: list[dict[str, Any]] = field(default_factory=list)
    confusion: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    curves: list[dict[str, Any]] = field(default_factory=list)
    residuals: dict[str, Any] | None = None
    slices: list[SliceSet] = field(default_factory=list)
    importance: dict[str, Any] | None = None
    measures: list[dict[str, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    version: int = VERSION

    def document(self) -> dict[str, Any]:
        """As JSON's types."""
        return asdict(self)
