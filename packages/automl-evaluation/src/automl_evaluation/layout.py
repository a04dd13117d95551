"""evaluation.json: what it holds and what its readers may rely on.

Written by the evaluation; read by the pipeline's condition (`decision`, `reasons_text`), `register_model`,
`verify` and the report. Every number is finite. A metric that is undefined on a holdout (the AUC of one
class) is absent, and `notes` says why. Lists for charts are thinned; the file stays below 2 MB.

Its metrics are those of metrics.py and the project's own; of more than two classes, areas under curves are means over
the classes, each against the rest.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from automl_evaluation.errors import EvaluationError
from automl_evaluation.metrics import Direction
from automl_evaluation.typed import ABSENT, ShapeError, key, load, plain

VERSION = 1
INTERVAL_CONFIDENCE = 0.95
REASONS_LENGTH = 1000
FEWEST_GROUPS = 2  # of fewer nothing can be said about how groups differ
ON_VALIDATION = "validation"  # [decision] threshold that rows of that part choose
Outcome = Literal["passed", "failed", "skipped"]
GROUP = "group"  # the second column of y_test, where rows are grouped


def simultaneous(confidence: float, intervals: int) -> float:
    """The confidence of each of so many intervals that all hold at once with ``confidence``.

    Bonferroni's inequality, which asks nothing of how they depend on each other (O. J. Dunn, Journal of the American
    Statistical Association 56 (1961) 52-64): slices of two columns share rows.
    """
    return 1 - (1 - confidence) / max(intervals, 1)


class LayoutError(ValueError):
    """A document is no evaluation.json that can be read here; the message names it and the key that is wrong."""


class OtherVersionError(LayoutError):
    """It is an evaluation.json of another version."""


@dataclass(frozen=True)
class Interval:
    """The ends of an interval at `INTERVAL_CONFIDENCE`."""

    low: float
    high: float


@dataclass(frozen=True)
class Estimated:
    """A value with the ends of its interval, as of `Interval`; `None` where it has none."""

    value: float
    low: float | None
    high: float | None


@dataclass
class Condition:
    """One condition of the gate. A `skipped` one had nothing to judge and does not stand in the way."""

    name: str
    outcome: Outcome
    reason: str
    value: float | None = None
    bound: float | None = None

    def __post_init__(self) -> None:
        """Raise `EvaluationError` for an outcome of any other name, which would let every model pass."""
        if self.outcome not in get_args(Outcome):
            wrong = f'gate.py: the outcome of "{self.name}" is {self.outcome!r}'
            raise EvaluationError(f"{wrong}, not one of {', '.join(get_args(Outcome))}")


@dataclass
class Objective:
    """Autopilot's objective: ``name`` as Autopilot spells it, ``metric`` its name in `Evaluation.metrics`.

    ``value`` is the holdout's, ``validation_value`` Autopilot's own.
    """

    name: str
    metric: str
    direction: Direction
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


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Numbers of rows; `None` is what nobody counted."""

    left_out: int | None = field(default=None, metadata=ABSENT)
    test: int
    total: int | None = None
    train_validation: int | None = None
    validation: int | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class GroupCounts:
    """Numbers of groups in each part."""

    test: int
    train_validation: int | None = None
    validation: int | None = None


@dataclass(frozen=True)
class SplitRule:
    """The keys of [dataset] by which rows were split, the groups of each part, and the rows in no part by reason."""

    group: list[str] | None = None
    time: str | None = None
    gap: str | None = None
    split: str | None = None
    also_features: list[str] | None = None
    groups: GroupCounts | None = None
    left_out: dict[str, int] | None = None


@dataclass(frozen=True)
class Column:
    """A column of the data set, of type `integer`, `number` or `text`."""

    name: str
    type: str


@dataclass(frozen=True)
class Reference:
    """The objects to train on where they stay in somebody else's bucket."""

    bytes: int
    objects: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """What dataset.lock says of the data set; ``columns`` are in the data set's order, the target among them.

    ``exclude`` and ``weight`` name columns that are not among them.

    ``classes`` are rows by label, of the holdout alone in ``holdout_classes``; a quantity has neither.
    """

    classes: dict[str, int] | None = None
    columns: list[Column]
    exclude: list[str] | None = field(default=None, metadata=ABSENT)
    holdout: float | None = None
    holdout_classes: dict[str, int] | None = None
    name: str
    reference: Reference | None = None
    rows: Rows
    seed: int | None = None
    sha256: str
    source: str = ""
    split: SplitRule | None = field(default=None, metadata=ABSENT)
    synthetic: bool
    target: str
    validation_reference: Reference | None = field(default=None, metadata=ABSENT)
    weight: str | None = field(default=None, metadata=ABSENT)

    @property
    def features(self) -> list[str]:
        """The columns that a model reads, in order."""
        return [column.name for column in self.columns if column.name != self.target]


@dataclass(frozen=True)
class RocCurve:
    """Points of the ROC curve (equal lengths), with the interval of the true positive rate."""

    threshold: list[float | None]
    false_positive_rate: list[float]
    true_positive_rate: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """Points of precision by recall (equal lengths), with the interval of the precision."""

    threshold: list[float]
    recall: list[float]
    precision: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class ThresholdCurve:
    """What calling rows positive from a threshold on gives (equal lengths); ``called`` is the share of the rows."""

    threshold: list[float]
    precision: list[float]
    recall: list[float]
    f1: list[float]
    called: list[float]


@dataclass(frozen=True)
class Curves:
    """The curves of one class against the rest, and the area under its ROC curve."""

    label: str
    auc: float
    roc: RocCurve
    precision_recall: PrecisionRecallCurve
    threshold: ThresholdCurve | None = field(default=None, metadata=ABSENT)


@dataclass
class Champion:
    """The version that production serves, on the same holdout.

    ``status``: `compared`; `columns_changed`, it cannot read today's columns; or `failed`, for another
    ``reason``. ``columns`` are `added` and `removed` since it was trained: it is compared where none is gone,
    and then does not read the added ones. Metrics and differences are there when it was compared. ``dataset``
    is what it was trained on, where its own evaluation could be read; a champion of another data set may have
    been trained on rows of today's holdout, which makes it look better than it is. ``threshold`` is its own, of its
    ``positive_class``: by that it decides here, as it does in production.
    """

    model_package_arn: str
    status: Literal["compared", "columns_changed", "failed"]
    reason: str
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    dataset: Dataset | None = None
    same_dataset: bool | None = None
    curves: list[Curves] = field(default_factory=list)
    positive_class: str | None = field(default=None, metadata=ABSENT)
    threshold: "Threshold | None" = field(default=None, metadata=ABSENT)


@dataclass
class Slice:
    """The rows that have one value of a column. A ``small`` one has too few rows to be judged by.

    ``groups`` are those that its rows are of. Its differences have `Evaluation.slice_confidence`.
    """

    name: str
    rows: int
    small: bool
    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    champion: dict[str, float] = field(default_factory=dict)
    differences: dict[str, Difference] = field(default_factory=dict)
    groups: int | None = field(default=None, metadata=ABSENT)


@dataclass
class SliceSet:
    """The slices of one entry of [evaluation] slices, by values, bands of numbers, or one-hot columns."""

    column: str
    kind: Literal["values", "bands", "one-hot"]
    slices: list[Slice]


@dataclass(frozen=True)
class ClassScores:
    """One class: its rows (``support``), the rows that were predicted as it, and its scores."""

    label: str
    support: int
    predicted: int
    precision: Estimated
    recall: Estimated
    f1: Estimated
    auc: Estimated | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class Confused:
    """How many rows of one class were predicted as another."""

    truth: str
    prediction: str
    rows: int


@dataclass(frozen=True)
class Confusion:
    """The matrix of truth by prediction or, of very many classes, the most frequent errors alone."""

    labels: list[str] | None = field(default=None, metadata=ABSENT)
    rows: list[list[int]] | None = field(default=None, metadata=ABSENT)
    errors: list[Confused] | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class CalibrationBin:
    """The rows with a probability in a range: its mean, and the ``share`` that came true with its interval."""

    start: float = field(metadata=key("from"))
    end: float = field(metadata=key("to"))
    rows: int
    probability: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be believed; ``of`` says what they are of."""

    of: str
    error: float
    bins: list[CalibrationBin]


@dataclass(frozen=True)
class Histogram:
    """Rows between neighbouring edges."""

    edges: list[float]
    rows: list[int]


@dataclass(frozen=True)
class Band:
    """Rows with similar predictions: means of prediction and truth, and the truth's middle 80 %."""

    rows: int
    predicted: float
    actual: float
    low: float
    high: float


@dataclass(frozen=True)
class Residuals:
    """A regression's errors (prediction minus truth): ``quantiles`` by share of the rows below, such as `0.25`."""

    quantiles: dict[str, float]
    histogram: Histogram
    bands: list[Band]


@dataclass(frozen=True)
class Feature:
    """How important a column is."""

    name: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Importance:
    """The columns by importance, the greatest first, by a metric on so many rows; ``uri`` is Autopilot's report."""

    source: Literal["autopilot", "permutation"]
    metric: str
    rows: int | None
    features: list[Feature]
    uri: str | None = None


@dataclass(frozen=True)
class NoImportance:
    """Why there is none."""

    source: None
    reason: str
    features: list[Feature] = field(default_factory=list)


@dataclass(frozen=True)
class ProjectMeasure:
    """A measure of the project's own evaluation/metrics.py."""

    name: str
    direction: Direction
    description: str


@dataclass(frozen=True)
class JobCandidate:
    """A candidate of the leaderboard: its objective on Autopilot's validation rows, and all its metrics."""

    name: str
    status: str
    value: float | None
    seconds: float | None
    metrics: dict[str, float]


@dataclass(frozen=True)
class Costs:
    """What a wrong answer costs: a negative row called positive, a positive one that was missed."""

    false_positive: float
    false_negative: float


@dataclass(frozen=True)
class Choice:
    """How a threshold was chosen: ``by`` which metric of the validation rows, or by their `cost`, the average of a row.

    ``value`` is that metric's there, ``usual_value`` the one from ``usual`` on: the threshold without such a choice.
    ``positives`` of the ``rows`` are of the positive class.
    """

    by: str
    value: float
    usual: float
    usual_value: float
    rows: int
    positives: int


@dataclass(frozen=True)
class Threshold:
    """From which probability of the positive class on a row is called so.

    ``costs`` are those that it follows from, or was chosen by; ``chosen`` says how, where validation rows decided.
    """

    value: float
    costs: Costs | None = field(default=None, metadata=ABSENT)
    chosen: Choice | None = field(default=None, metadata=ABSENT)


@dataclass(frozen=True)
class AutoMLJob:
    """The Autopilot job, with the candidates that its best one was chosen from."""

    name: str
    arn: str
    best_candidate: str
    seconds: float | None
    candidates: list[JobCandidate]


@dataclass(frozen=True)
class Grouping:
    """The holdout's rows come in so many groups, of the data set's ``columns`` where these are known.

    All intervals are then of groups.
    """

    groups: int
    columns: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """What it means for the intervals, as a sentence."""
        group = " and ".join(self.columns) or "group"
        return f"Rows of one {group} are not independent: intervals are of the {self.groups:,} groups, not of rows."


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
    - ``classes``: the 1,000 most frequent ones, where there are more; ``curves`` of the ten most frequent ones.
    - ``measures``: the project's own metrics, which ``metrics`` holds too.
    - ``threshold``: where there is one, it decides in the place of the model's own `predicted_label`, here and for
      whoever reads an answer.
    - ``grouping``: where the holdout's rows come in groups.
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
    automl_job: AutoMLJob
    gate: list[Condition]
    confidence: float
    baseline: Baseline
    champion: Champion | None
    dataset: Dataset
    notes: list[str] = field(default_factory=list)
    positive_class: str | None = None
    threshold: Threshold | None = field(default=None, metadata=ABSENT)
    classes: list[ClassScores] = field(default_factory=list)
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    curves: list[Curves] = field(default_factory=list)
    residuals: Residuals | None = None
    slices: list[SliceSet] = field(default_factory=list)
    importance: Importance | NoImportance | None = None
    measures: list[ProjectMeasure] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    version: int = VERSION
    grouping: Grouping | None = field(default=None, metadata=ABSENT)

    @property
    def slice_confidence(self) -> float:
        """The confidence of each judged slice's interval, all of which hold together with ``confidence``."""
        judged = [item for entry in self.slices for item in entry.slices if not item.small]
        return simultaneous(self.confidence, len(judged))

    @classmethod
    def load(cls, content: bytes, source: str) -> "Evaluation":
        """The evaluation in the bytes of a file, which messages call ``source``.

        Raises `OtherVersionError` and, where the content is no evaluation or lacks a part, `LayoutError`.
        """
        try:
            document = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise LayoutError(f"{source}: is no JSON ({error})") from None
        version = document.get("version") if isinstance(document, dict) else None
        if version != VERSION:
            raise OtherVersionError(
                f"{source}: version = {json.dumps(version)}, but version {VERSION} of evaluation.json is read here"
            )
        try:
            return load(cls, document)
        except ShapeError as error:
            raise LayoutError(f"{source}: {error}") from None

    def dump(self) -> bytes:
        """The content of evaluation.json. Raises `ValueError` for a number that is not finite."""
        return json.dumps(plain(self), allow_nan=False, ensure_ascii=False).encode()
