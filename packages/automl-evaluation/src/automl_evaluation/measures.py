"""Measures of the project's own, which its `evaluation/metrics.py` declares.

A measure gives each row a number from its true and its predicted value; the measure is the mean of these. It therefore
has an interval, a best constant answer to be compared with, and a difference to the champion, as every metric has.
A classification needs it once for each pair of classes (the rows of a confusion table's cell are alike), a regression
once for each row, a block of rows at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np

from automl_evaluation import regression
from automl_evaluation.assess_classes import Groups
from automl_evaluation.clusters import Clusters, ClusterSums
from automl_evaluation.counts import Counts, spans
from automl_evaluation.errors import EvaluationError
from automl_evaluation.intervals import estimates
from automl_evaluation.jackknife import jackknifed
from automl_evaluation.layout import ProjectMeasure
from automl_evaluation.metrics import METRICS

FILE = "evaluation/metrics.py"
# Of more classes, the most frequent ones are tried as the constant answer.
MOST_CONSTANTS = 1000

# True and predicted values (rows,) to a number for each row (rows,).
OfRows = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measure:
    """A measure; calling it gives its numbers (rows,). Raises `EvaluationError` where they are not such numbers.

    ``name`` is what evaluation/metrics.py calls it, under which evaluation.json and [gate] know it.
    """

    of_rows: OfRows
    less_is_better: bool
    name: str = ""

    @property
    def description(self) -> str:
        """The first line of the function's docstring."""
        return (self.of_rows.__doc__ or "").strip().partition("\n")[0]

    def declaration(self) -> ProjectMeasure:
        """An entry of `layout.Evaluation.measures`."""
        return ProjectMeasure(self.name, "minimize" if self.less_is_better else "maximize", self.description)

    def __call__(self, true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """The number of each row."""
        numbers = np.asarray(self.of_rows(true, predicted))
        if numbers.shape != true.shape or numbers.dtype.kind not in "biuf":
            raise self._wrong(
                f"gives {numbers.dtype} of shape {numbers.shape} for {len(true)} rows, not a number each"
            )
        values = numbers.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            row = bad[0]
            raise self._wrong(
                f"gives {values[row]} where the truth is {true[row]} and the prediction {predicted[row]}"
            )
        if len(values) > 1:
            alone = np.asarray(self.of_rows(true[:1], predicted[:1]), dtype=np.float64)
            if alone.shape != (1,) or not np.isclose(alone[0], values[0], rtol=1e-9, atol=0):
                raise self._wrong("gives a row another number when other rows are beside it")
        return values

    def _wrong(self, what: str) -> EvaluationError:
        return EvaluationError(f"{FILE}: {self.name} {what}")


def lower_is_better(of_rows: OfRows) -> Measure:
    """Declare a measure of which less is better, such as a cost."""
    return Measure(of_rows, less_is_better=True, name=getattr(of_rows, "__name__", ""))


def higher_is_better(of_rows: OfRows) -> Measure:
    """Declare a measure of which more is better, such as a profit."""
    return Measure(of_rows, less_is_better=False, name=getattr(of_rows, "__name__", ""))


def declared(module: ModuleType) -> list[Measure]:
    """The measures of the project's module, in its order. Raises `EvaluationError` for the name of another metric."""
    measures = [replace(one, name=name) for name, one in vars(module).items() if isinstance(one, Measure)]
    for measure in measures:
        if measure.name in METRICS:
            raise EvaluationError(f"{FILE}: {measure.name} is the name of a metric that there is already")
    return measures


def of_classes(
    measures: Sequence[Measure], table: Counts, labels: Sequence[str]
) -> tuple[Groups, dict[str, int]]:
    """Measures of a table of truth, candidate and, where there is one, champion; codes count in ``labels``.

    Groups are those of `classification.compared`; beside them, the class that is the best constant answer by each
    measure on these rows.
    """
    texts = np.array(labels, dtype=str)
    true, *models = (texts[codes] for codes in table.codes)
    truth = table.only(0)
    answers = {measure.name: _best_class(measure, truth, texts) for measure in measures}
    columns = [np.stack([measure(true, model) for measure in measures], axis=1) for model in models]
    always = [np.full(len(true), texts[answers[measure.name]]) for measure in measures]
    constant = [measure(true, answer) for measure, answer in zip(measures, always, strict=True)]
    columns.insert(1, np.stack(constant, axis=1))
    if (by_cluster := table.by_cluster) is None:
        return _compared(measures, columns, np.ones(len(true)), table.rows), answers
    columns = [by_cluster @ column for column in columns]
    return _compared(measures, columns, by_cluster @ np.ones(len(true)), None), answers


def _best_class(measure: Measure, truth: Counts, texts: np.ndarray) -> int:
    true, rows = texts[truth.codes[0]], np.zeros(len(texts), dtype=np.int64)
    rows[truth.codes[0]] = truth.rows
    tried = np.argsort(-rows, kind="stable")[:MOST_CONSTANTS]
    totals = [float(measure(true, np.full(len(true), texts[code])) @ truth.rows) for code in tried]
    return int(tried[_best(measure, totals)])


def of_numbers(
    measures: Sequence[Measure],
    truth: np.ndarray,
    candidate: np.ndarray,
    champion: np.ndarray | None,
    clusters: Clusters | None = None,
) -> tuple[Groups, dict[str, tuple[str, float]]]:
    """Measures of numbers (rows,), with groups as `regression.compared` has them.

    The baseline is the best by each measure of the mean and some quantiles; it stands beside them, in words and as a
    number.
    """
    constants = {"mean": float(truth.mean())}
    constants |= {_quantile_name(share): float(np.quantile(truth, share)) for share in regression.QUANTILES}
    answers = {measure.name: _best_constant(measure, truth, constants) for measure in measures}
    columns = [_sums(measures, truth, [candidate] * len(measures), clusters)]
    always = [np.broadcast_to(constants[answers[measure.name]], truth.shape) for measure in measures]
    columns.append(_sums(measures, truth, always, clusters))
    if champion is not None:
        columns.append(_sums(measures, truth, [champion] * len(measures), clusters))
    sizes = ClusterSums(1, clusters)
    for span in spans(len(truth)):
        sizes.add(span.start, np.ones((span.stop - span.start, 1)))
    rows = None if clusters else np.ones(len(sizes.sums), dtype=np.int64)
    groups = _compared(measures, columns, sizes.sums[:, 0], rows)
    return groups, {name: (f"always the {answer}", constants[answer]) for name, answer in answers.items()}


def _quantile_name(share: float) -> str:
    return {0: "least", 0.5: "median", 1: "greatest"}.get(share, f"{share:.0%} quantile")


def _best_constant(measure: Measure, truth: np.ndarray, constants: dict[str, float]) -> str:
    totals = [
        float(_sums([measure], truth, [np.broadcast_to(number, truth.shape)]).sum())
        for number in constants.values()
    ]
    return list(constants)[_best(measure, totals)]


def _best(measure: Measure, totals: Sequence[float]) -> int:
    return int(np.argmin(totals) if measure.less_is_better else np.argmax(totals))


def _sums(
    measures: Sequence[Measure],
    truth: np.ndarray,
    predicted: Sequence[np.ndarray],
    clusters: Clusters | None = None,
) -> np.ndarray:
    """The measures' sums by bucket of rows (buckets, measures)."""
    sums = ClusterSums(len(measures), clusters)
    for span in spans(len(truth)):
        each = [measure(truth[span], given[span]) for measure, given in zip(measures, predicted, strict=True)]
        sums.add(span.start, np.stack(each, axis=1))
    return sums.sums


def _compared(
    measures: Sequence[Measure], columns: Sequence[np.ndarray], sizes: np.ndarray, rows: np.ndarray | None
) -> Groups:
    """Means and differences of candidate, baseline and champion (cells, measures), of cells that stand for so many
    rows each (`sizes`) and occur so often (`rows`, None of groups of rows).
    """
    kinds = ["candidate", "baseline", "candidate - baseline"]
    if len(columns) > 2:
        kinds += ["champion", "candidate - champion"]

    def statistic(drawn: np.ndarray) -> np.ndarray:
        total = (drawn @ sizes)[:, None]
        mine, always, *champion = (drawn @ column / total for column in columns)
        parts = [mine, always, mine - always]
        for other in champion:
            parts += [other, mine - other]
        return np.concatenate(parts, axis=1)

    names = [measure.name for measure in measures]
    each = [f"{kind}/{name}" for kind in kinds for name in names]
    drawn = jackknifed(statistic, len(sizes), each) if rows is None else estimates(statistic, rows, each)
    return {kind: {name: drawn[f"{kind}/{name}"] for name in names} for kind in kinds}
