"""Metrics of classifiers that need nothing but the labels, from counts.

Definitions are scikit-learn's, with the true labels first and `zero_division=0`: averages go over the classes
that occur in the truth or in the predictions.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from automl_evaluation.apart import certain, mover
from automl_evaluation.counts import Counts
from automl_evaluation.few import FEW, beyond_shares
from automl_evaluation.intervals import Beyond, Estimate, together, widened
from automl_evaluation.jackknife import estimates_of
from automl_evaluation.layout import INTERVAL_CONFIDENCE
from automl_evaluation.shares import Worth, dice, effective, f1, mean_of_rows, mean_of_shares, share

NAMES = (
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "recall_weighted",
    "matthews_correlation",
    "cohen_kappa",
)
BINARY_NAMES = ("f1", "precision", "recall")


def metric_names(positive: int | None) -> list[str]:
    """The names of the metrics in the order in which `metrics` gives them; ``positive`` as there."""
    return [*NAMES, *(BINARY_NAMES if positive is not None else ())]


def metrics(correct: np.ndarray, true: np.ndarray, predicted: np.ndarray, positive: int | None) -> np.ndarray:
    """Metrics from rows by class: (..., classes) each, to (..., names); NaN where one is undefined.

    ``correct`` are the rows of a class that were predicted as it, ``true`` those that are of it,
    ``predicted`` those that were predicted as it. ``positive`` is the code of the positive class of a binary
    problem.
    """
    rows = true.sum(axis=-1)
    precision, recall = _share(correct, predicted), _share(correct, true)
    dice = _share(2 * correct, true + predicted)
    occurs, is_true = (true + predicted) > 0, true > 0
    weights = true / rows[..., None]
    accuracy = correct.sum(axis=-1) / rows
    # Shares in place of rows, so that squares of ten million rows keep their digits.
    share_true, share_predicted = weights, predicted / rows[..., None]
    chance = (share_true * share_predicted).sum(axis=-1)
    spread_true = 1 - (share_true**2).sum(axis=-1)
    spread_predicted = 1 - (share_predicted**2).sum(axis=-1)
    # A single class has no spread; what rounding leaves of it must not be taken for one.
    one_sided = (is_true.sum(axis=-1) < 2) | ((predicted > 0).sum(axis=-1) < 2)
    scale = np.where(one_sided, np.inf, np.sqrt(np.abs(spread_true * spread_predicted)))
    same = (is_true.sum(axis=-1) < 2) & (np.abs(1 - chance) < 1e-15)
    values = [
        accuracy,
        _mean(recall, is_true),
        _mean(dice, occurs),
        (dice * weights).sum(axis=-1),
        _mean(precision, occurs),
        (precision * weights).sum(axis=-1),
        _mean(recall, occurs),
        (recall * weights).sum(axis=-1),
        np.clip((accuracy - chance) / scale, -1, 1),
        np.where(same, np.nan, (accuracy - chance) / np.where(same, 1, 1 - chance)),
    ]
    if positive is not None:
        values += [dice[..., positive], precision[..., positive], recall[..., positive]]
    return np.stack(values, axis=-1)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The mean over classes that count."""
    return np.where(where, values, 0).sum(axis=-1) / np.maximum(where.sum(axis=-1), 1)


class Margins:
    """Takes counts of cells, those of a table of truth and the models' predictions, to rows by class."""

    def __init__(self, table: Counts, classes: int) -> None:
        """Of a table whose dimensions are the truth and one or more models."""
        self.truth, *self.models = table.codes
        self._classes = classes

    def true(self, rows: np.ndarray) -> np.ndarray:
        """Rows of each class: (..., cells) to (..., classes)."""
        return self._sum(rows, self.truth)

    def predicted(self, rows: np.ndarray, model: int) -> np.ndarray:
        """Rows predicted as each class."""
        return self._sum(rows, self.models[model])

    def correct(self, rows: np.ndarray, model: int) -> np.ndarray:
        """Rows of each class that were predicted as it."""
        hit = self.truth == self.models[model]
        return self._sum(rows[..., hit], self.truth[hit])

    def by_model(self, rows: np.ndarray, model: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Correct, true and predicted rows."""
        return self.correct(rows, model), self.true(rows), self.predicted(rows, model)

    def _sum(self, rows: np.ndarray, codes: np.ndarray) -> np.ndarray:
        cells = np.arange(len(codes))
        to_class = sparse.csr_array((np.ones(len(codes)), (codes, cells)), shape=(self._classes, len(codes)))
        summed = (to_class @ rows.T).T
        return np.ascontiguousarray(summed.toarray() if sparse.issparse(summed) else summed)


def constants(true: np.ndarray, positive: int | None) -> dict[str, int]:
    """The class that is the best constant answer by each metric, from rows by class (classes,).

    Of a binary problem's three metrics of its positive class that is the positive one: any other scores 0. By every
    other metric a constant answer scores the better, the more rows its class has, or all classes the same.
    """
    answers = dict.fromkeys(NAMES, int(true.argmax()))
    return answers if positive is None else answers | dict.fromkeys(BINARY_NAMES, positive)


def compared(table: Counts, classes: int, positive: int | None) -> dict[str, dict[str, Estimate]]:
    """Metrics and their differences from a table of truth, candidate and, where there is one, champion.

    The baseline is, metric by metric, the best constant answer on these rows (`constants`). The result has
    `candidate`, `baseline`, `candidate - baseline` and, with a champion, `champion` and `candidate - champion`,
    all drawn from the same rows.
    """
    margins = Margins(table, classes)
    names = metric_names(positive)
    answers = constants(margins.true(table.rows), positive)

    def statistic(rows: np.ndarray) -> np.ndarray:
        true = margins.true(rows)
        models = [
            metrics(margins.correct(rows, model), true, margins.predicted(rows, model), positive)
            for model in range(len(margins.models))
        ]
        by_answer = {code: _always(code, true, positive) for code in set(answers.values())}
        always = np.stack([by_answer[answers[name]][..., i] for i, name in enumerate(names)], axis=-1)
        found = [models[0], always, models[0] - always]
        if len(models) > 1:
            found += [models[1], models[0] - models[1]]
        return np.concatenate(found, axis=-1)

    groups = ["candidate", "baseline", "candidate - baseline"]
    if len(margins.models) > 1:
        groups += ["champion", "candidate - champion"]
    drawn = estimates_of(statistic, table, [f"{group}/{name}" for group in groups for name in names])
    own = dict(drawn)
    few = [_few(margins, table, model) for model in range(len(margins.models))]
    for group, model in zip(("candidate", "champion"), range(len(margins.models)), strict=False):
        shares = _shares(margins, table, model, positive)
        own |= {f"{group}/{name}": found for name, found in shares.items()}
        for name in few[model].keys() - shares.keys():
            own[f"{group}/{name}"] = widened(own[f"{group}/{name}"], few[model][name])
    for name, mine in few[0].items():
        others: list[tuple[str, Any, Beyond | None]] = [("baseline", answers[name], None)]
        others += [("champion", codes, few[1][name]) for codes in margins.models[1:]]
        for other, codes, beyond in others:
            if (margins.models[0] != codes).any():  # else the difference is certain
                difference = f"candidate - {other}/{name}"
                own[difference] = widened(own[difference], together(mine, beyond), least=-1.0)
    apart = _apart(margins, table, names, answers, drawn, own)
    drawn = own | apart
    return {
        group: {name: drawn[f"{group}/{name}"] for name in names if f"{group}/{name}" in drawn}
        for group in groups
    }


def _always(code: int, true: np.ndarray, positive: int | None) -> np.ndarray:
    """`metrics` of one class for every row, from rows by class: (..., classes) to (..., names)."""
    hit, constant = np.zeros_like(true), np.zeros_like(true)
    hit[..., code], constant[..., code] = true[..., code], true.sum(axis=-1)
    return metrics(hit, true, constant, positive)


def _apart(
    margins: Margins,
    table: Counts,
    names: Sequence[str],
    answers: dict[str, int],
    drawn: dict[str, Estimate],
    own: dict[str, Estimate],
) -> dict[str, Estimate]:
    """The differences of which draws show too little, since a model's figure was the same in all: see apart.py.

    ``own`` are the figures with the intervals that they have beside ``drawn``. Models that give each row the same
    answer differ by nothing; what a constant answer scores in every draw is certain.
    """
    candidate, *champion = margins.models
    found: dict[str, Estimate] = {}
    means: dict[tuple[int, bool], dict[str, Estimate]] = {}

    def known(group: str, model: int, name: str) -> Estimate:
        figure = own[f"{group}/{name}"]
        if not drawn[f"{group}/{name}"].constant:
            return figure
        if group == "baseline":
            return certain(figure)
        if figure.interval(INTERVAL_CONFIDENCE) is None:
            weighted = name.endswith("_weighted")
            if (model, weighted) not in means:
                means[model, weighted] = _means(margins, table, model, weighted)
            figure = replace(figure, interval=means[model, weighted].get(name, figure).interval)
        return figure

    for other, codes in zip(("baseline", "champion"), (None, *champion), strict=False):
        judged = ("candidate",) if codes is None else ("candidate", other)
        for name in names:
            if f"candidate - {other}/{name}" not in drawn:
                continue
            flat = any(drawn[f"{group}/{name}"].constant for group in judged)
            if flat and (candidate != (answers[name] if codes is None else codes)).any():
                parts = (known(group, model, name) for model, group in enumerate(("candidate", other)))
                found[f"candidate - {other}/{name}"] = mover(*parts)
    return found


def _means(margins: Margins, table: Counts, model: int, weighted: bool) -> dict[str, Estimate]:
    """The metrics that are means of the classes' shares, from these shares' intervals."""
    _, true, predicted = every = margins.by_model(table.rows, model)
    clusters = _by_cluster(margins, table, model)
    mean = mean_of_shares if clusters else mean_of_rows
    hits, of_class, called = clusters or every
    either, occurs = of_class + called - hits, (true + predicted) > 0
    if weighted:
        return {
            "precision_weighted": mean(hits, called, true),
            "f1_weighted": mean(hits, either, true, dice),
        }
    return {
        "balanced_accuracy": mean(hits, of_class, true > 0),
        "recall_macro": mean(hits, of_class, occurs),
        "precision_macro": mean(hits, called, occurs),
        "f1_macro": mean(hits, either, occurs, dice),
    }


def _few(margins: Margins, table: Counts, model: int) -> dict[str, Beyond | None]:
    """What classes of few rows add to the intervals of the averages that count all classes alike."""
    _, true, predicted = every = margins.by_model(table.rows, model)
    hits, of_class, called = _by_cluster(margins, table, model) or every
    occurs = (true + predicted) > 0
    return {
        "balanced_accuracy": beyond_shares(hits, of_class, true > 0),
        "recall_macro": beyond_shares(hits, of_class, occurs),
        # Of a class that has rows enough and is never called, the precision is 0 by definition, and no chance.
        "precision_macro": beyond_shares(hits, called, occurs, settled=(predicted == 0) & (true >= FEW)),
        "f1_macro": beyond_shares(hits, of_class + called - hits, occurs, dice),
    }


def _shares(margins: Margins, table: Counts, model: int, positive: int | None) -> dict[str, Estimate]:
    """The metrics that follow from one share of rows, or from one of each class where rows come in groups."""
    correct, true, predicted = margins.by_model(table.rows, model)
    clusters = _by_cluster(margins, table, model)
    right = [found.sum(axis=1, keepdims=True) for found in clusters[:2]] if clusters else None
    accuracy = share(float(correct.sum()), float(true.sum()), effective(*right) if right else None)
    found = {"accuracy": accuracy, "recall_weighted": accuracy}
    if positive is not None:
        found |= _of_class(
            correct[positive], true[positive], predicted[positive], _worth(clusters, [positive])[0]
        )
    if clusters:
        found |= _means(margins, table, model, weighted=False)
    return found


Columns = tuple[np.ndarray, np.ndarray, np.ndarray] | None
Worths = tuple[Worth | None, Worth | None, Worth | None]


def _by_cluster(margins: Margins, table: Counts, model: int) -> Columns:
    """Correct, true and predicted rows of each group (groups, classes) each, where rows come in groups."""
    return margins.by_model(table.by_cluster, model) if table.by_cluster is not None else None


def _worth(clusters: Columns, codes: Sequence[int]) -> list[Worths]:
    """What the rows are worth by which precision, recall and F1 of each class of ``codes`` are known."""
    if not clusters:
        return [(None, None, None)] * len(codes)
    correct, true, predicted = clusters
    worths = [effective(correct, trials) for trials in (predicted, true, true + predicted - correct)]
    return [tuple((rows[[code]], freedom[[code]]) for rows, freedom in worths) for code in codes]  # type: ignore[misc]


def _of_class(correct: float, true: float, predicted: float, worth: Worths) -> dict[str, Estimate]:
    """Precision, recall and F1 of one class."""
    return {
        "precision": share(correct, predicted, worth[0]),
        "recall": share(correct, true, worth[1]),
        "f1": f1(correct, true, predicted, worth[2]),
    }


def by_class(table: Counts, classes: int) -> list[dict[str, Any]]:
    """Support, predicted rows, precision, recall and F1 of each class of a table of truth and predictions."""
    margins = Margins(table, classes)
    worth = _worth(_by_cluster(margins, table, 0), range(classes))
    counts = (figures.tolist() for figures in margins.by_model(table.rows, 0))
    return [
        {
            "support": int(true),
            "predicted": int(predicted),
            **_of_class(correct, true, predicted, of_class),
        }
        for correct, true, predicted, of_class in zip(*counts, worth, strict=True)
    ]


def confusion(table: Counts, classes: Sequence[str] | int) -> np.ndarray:
    """The confusion matrix, truth by prediction (classes, classes)."""
    size = classes if isinstance(classes, int) else len(classes)
    matrix = np.zeros((size, size), dtype=np.int64)
    np.add.at(matrix, (table.codes[0], table.codes[1]), table.rows)
    return matrix
