"""The threshold that the validation rows give: the one by which most is right among them, or least is lost."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from automl_evaluation import classification
from automl_evaluation.counts import spans
from automl_evaluation.decision import COST, Decision
from automl_evaluation.errors import EvaluationError
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.inputs import check_lines, csv_lines
from automl_evaluation.layout import Choice, Costs, Threshold
from automl_evaluation.metrics import OF_A_THRESHOLD, named
from automl_evaluation.ranking import Ranking
from automl_evaluation.reading import Part, batches, header_of
from automl_evaluation.settings import Settings
from automl_evaluation.transform import Transform

PART_ROWS = 200_000  # as of the holdout: several files let several instances work
_POSITIVE = 1
_SAME = 1e-12  # figures closer than this are the same but for rounding


def choose(scores: np.ndarray, is_positive: np.ndarray, metric: str, costs: Costs | None = None) -> Threshold:
    """The threshold from which on rows are to be called positive, given their ``scores`` and what they are (rows,).

    It is the one with the greatest ``metric``, one of `metrics.OF_A_THRESHOLD`, or with the least costs where there
    are any. A threshold lies amid two neighbouring scores, so that no row is at its border; of several that are equally
    good it is the one nearest to the usual one, which is 0.5 or, by costs, the one that follows from them. Raises
    `EvaluationError` where the rows are of one class.
    """
    ranking = Ranking.of(np.clip(scores, 0.0, 1.0), is_positive, True)
    positives, negatives = len(ranking.positive), len(ranking.negative)
    if not ranking.defined:
        kind = "positive" if positives else "negative"
        raise EvaluationError(
            f"the {positives + negatives:,} validation rows are all of the {kind} class, so that no threshold can be "
            "chosen on them: give a number as [decision] threshold, or validation rows of both classes"
        )

    def worth(thresholds: np.ndarray) -> np.ndarray:
        """More is better: the metric, or minus the costs of a row."""
        true, false = ranking.at(thresholds)
        if costs:
            lost = costs.false_positive * false + costs.false_negative * (positives - true)
            return -lost / (positives + negatives)
        called = true + false
        predicted = np.stack([positives + negatives - called, called], axis=-1)
        correct = np.stack([negatives - false, true], axis=-1)
        truth = np.broadcast_to(np.array([negatives, positives]), correct.shape)
        place = classification.metric_names(_POSITIVE).index(metric)
        return classification.metrics(correct, truth, predicted, _POSITIVE)[..., place]

    usual = costs.false_positive / (costs.false_positive + costs.false_negative) if costs else 0.5
    low, high = _gaps(np.unique(np.concatenate((ranking.positive, ranking.negative))))
    best, gap = -np.inf, 0
    for span in spans(len(low)):
        middle = (low[span] + high[span]) / 2
        values = worth(np.where(middle > low[span], middle, high[span]))
        top = values.max()
        if top < best - _SAME:
            continue
        good = span.start + np.flatnonzero(values >= top - _SAME)
        candidates = good if top > best + _SAME else np.append(good, gap)
        gap = int(candidates[np.argmin(np.abs((low[candidates] + high[candidates]) / 2 - usual))])
        best = max(best, top)
    value = _shortest(float(low[gap]), float(high[gap]))
    reached, usually = (abs(float(one)) if costs else float(one) for one in worth(np.array([value, usual])))
    rows = positives + negatives
    return Threshold(
        value, costs, Choice(COST if costs else metric, reached, usual, usually, rows, positives)
    )


def _gaps(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a threshold may lie: above the one and up to the other, (gaps,) each, rising, from distinct scores."""
    low, high = np.concatenate(([0.0], scores)), np.concatenate((scores, [1.0]))
    return (low, high) if scores[-1] < 1 else (low[:-1], high[:-1])


def _shortest(low: float, high: float) -> float:
    """The number of fewest digits about the middle of what is above ``low`` and up to ``high``."""
    middle = (low + high) / 2
    if middle <= low:
        return high
    shorter = (float(f"{middle:.{digits}g}") for digits in range(1, 17))
    return next((one for one in shorter if abs(one - middle) <= (high - low) / 4), middle)


class Selection:
    """The way of the validation rows through an evaluation: one more batch transform of the candidate's model."""

    def __init__(self, decision: Decision, metric: str, settings: Settings) -> None:
        """By the ``metric`` that is the objective's, unless the decision has costs. Raises `EvaluationError`."""
        if not decision.costs and metric not in OF_A_THRESHOLD:
            offered = ", ".join(named(name).label for name in OF_A_THRESHOLD)
            raise EvaluationError(
                f'[decision] threshold = "validation" is chosen by the objective, and {named(metric).label} has no '
                f"best threshold ({offered} have): add costs, or give a number"
            )
        self._decision, self._metric, self._settings = decision, metric, settings
        self._run: Transform | None = None
        self._inputs: list[str] = []
        self._validation: ClassHoldout | None = None

    def start(
        self,
        stack: ExitStack,
        candidate: Transform,
        validation: Sequence[Part],
        target: str,
        work: Path,
    ) -> None:
        """Upload the inputs of the ``validation`` rows, CSV with a header, below ``target``; start their transform.

        Raises `EvaluationError`, also where ``validation`` lacks a column.
        """
        labels: list[Part] = []
        for inputs, truth, rows in self._split(validation, work):
            check_lines([inputs], [rows])
            candidate.place.upload(inputs.path, f"{target}/inputs/{inputs.path.name}")
            inputs.path.unlink()  # one part at a time: they may be large
            self._inputs.append(inputs.path.name)
            labels.append(truth)
        if not labels:
            raise EvaluationError("validation: there are no rows to choose a threshold on")
        classes = self._settings.dataset.get("classes")
        self._validation = ClassHoldout(labels, True, classes, decision=self._decision)
        again = candidate.again("validation", f"{target}/inputs", f"{target}/outputs")
        self._run = stack.enter_context(again)

    def finish(
        self, holdout: ClassHoldout, outputs: Sequence[str], containers: list[dict[str, Any]], work: Path
    ) -> None:
        """Wait for the predictions, and tell the holdout by which threshold the candidate decides."""
        assert self._run is not None  # noqa: S101 - started before
        assert self._validation is not None  # noqa: S101
        answers = self._run.outputs(self._inputs, work / "outputs")
        threshold = choose(
            *self._validation.scores(answers, outputs, containers), self._metric, self._decision.costs
        )
        holdout.decide("candidate", replace(self._decision, threshold=threshold))

    def _split(self, sources: Sequence[Part], work: Path) -> Iterator[tuple[Part, Part, int]]:
        """The rows in parts of about `PART_ROWS`: inputs as x_test has them, labels as y_test, and their number."""
        features, target = self._settings.features, self._settings.dataset["target"]
        folders, number = [work / "inputs", work / "labels"], 0
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for source in sources:
            names = header_of(source)[0]
            if missing := [name for name in (*features, target) if name not in names]:
                raise EvaluationError(f"{source.name}: has no column {', '.join(missing)}")
            positions, label = [names.index(name) for name in features], names.index(target)
            reader = batches(source, len(names), header=True)
            while (first := next(reader, None)) is not None:
                inputs, truth = (Part(folder / f"part-{number:05}.csv", source.name) for folder in folders)
                rows, number = 0, number + 1
                with inputs.path.open("wb") as of_inputs, truth.path.open("wb") as of_truth:
                    of_truth.write(csv_lines([pa.array([target.encode()])]))
                    for batch in chain([first], reader):
                        of_inputs.write(csv_lines([batch.column(position) for position in positions]))
                        of_truth.write(csv_lines([batch.column(label)]))
                        rows += batch.num_rows
                        if rows >= PART_ROWS:
                            break
                yield inputs, truth, rows
