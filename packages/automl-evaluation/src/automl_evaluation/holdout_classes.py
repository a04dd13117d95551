"""The holdout of a classification: true labels, then the candidate's predictions, then the champion's."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from automl_evaluation import classification, measures
from automl_evaluation.assess_classes import Figures, Groups, Model, assess, figures
from automl_evaluation.containers import probability_is_of_positive
from automl_evaluation.counts import Counts, count
from automl_evaluation.decision import Decision, scores
from automl_evaluation.document import estimated
from automl_evaluation.errors import PredictionError
from automl_evaluation.intervals import Linear
from automl_evaluation.labels import Classes
from automl_evaluation.layout import (
    Calibration,
    ClassScores,
    Confused,
    Confusion,
    Curves,
    PrecisionRecallCurve,
    RocCurve,
    ThresholdCurve,
)
from automl_evaluation.measures import Measure
from automl_evaluation.predictions import ClassPredictions, read_class_predictions
from automl_evaluation.probabilities import calibration
from automl_evaluation.reading import Part, RowLocator, read_labels, write_labels
from automl_evaluation.slices import Slicing

NOTHING_DECIDED = Decision()
MOST_CLASSES = 1000
MOST_CLASSES_IN_MATRIX = 50
MOST_ERRORS = 50
MOST_NOTED_CLASSES = 10


class ClassHoldout:
    """What the rows of the holdout say about classifiers. Call `candidate` first, then `champion`, then the rest.

    ``rows_by_class`` are those of the whole data set, where they were counted: then a prediction of any other
    class is an error. ``measures`` are the project's own; ``decision`` is what it decides about two classes, of
    either model until `decide` says otherwise.
    """

    def __init__(
        self,
        truth: Sequence[Part],
        binary: bool,
        rows_by_class: dict[str, int] | None,
        measures: Sequence[Measure] = (),
        decision: Decision = NOTHING_DECIDED,
    ) -> None:
        """Read the labels. Raises `EvaluationError`."""
        labels = read_labels(truth)
        self.counts, self.rows = labels.place.counts, labels.place.rows
        self.clusters = labels.clusters
        self.slicings: list[Slicing] = []
        self.notes: list[str] = []
        self.measures = measures
        self._best_by_measure: dict[str, int] = {}
        self._training = rows_by_class or {}
        self._classes = Classes(list(self._training), labels.texts)
        self._truth = self._classes.recode(labels.codes, labels.texts)
        self._binary, self._decisions = binary, {"candidate": decision, "champion": decision}
        # Autopilot's own, by which a single `probability` has to be read, and the one that metrics are of.
        self._autopilots: int | None = None
        self._positive: int | None = None
        self._models: dict[str, Model] = {}
        self._table = Counts((), np.empty(0, dtype=np.int64))
        self._by_slice: dict[tuple[str, int, int], Figures] = {}
        self._note_unseen(labels.place)

    def _note_unseen(self, place: RowLocator) -> None:
        if len(self._rows_by_code) == 1:
            self.notes.append(f"the holdout has one class only, {self._classes.labels[self._truth[0]]}")
        unseen = self._unseen() if self._training else []
        for label in unseen[:MOST_NOTED_CLASSES]:
            hit = self._truth == self._classes.code(label)
            self.notes.append(
                f'the class "{label}" of {int(hit.sum())} rows (first: {place(int(hit.argmax()))}) '
                "is not in the data set's classes: no prediction of it can be right"
            )
        if len(unseen) > MOST_NOTED_CLASSES:
            self.notes.append(f"so are {len(unseen) - MOST_NOTED_CLASSES} more classes")

    def _unseen(self) -> list[str]:
        """The labels of the holdout that are of no class of the data set."""
        seen, unseen = Classes(list(self._training)), []
        for label in self._classes.labels:
            try:
                seen.code(label)
            except KeyError:
                unseen.append(label)
        return unseen

    def decide(self, model: str, decision: Decision) -> None:
        """By what the answers of a model, `candidate` or `champion`, are decided, before they are taken."""
        self._decisions[model] = decision

    def scores(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The candidate's probabilities of the positive class, and which rows are of it, (rows,) each.

        Raises `PredictionError` as `candidate` does, and where there are no such probabilities.
        """
        given = read_class_predictions(answers, outputs, self.counts)
        self._check(given)
        _, _, codes = self._read(given, containers)
        return scores(given.probabilities, codes, self._positive), self._truth == self._positive

    def candidate(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take the candidate's predictions. Raises `PredictionError`, also for a label that is no class."""
        given = read_class_predictions(answers, outputs, self.counts)
        self._check(given)
        self._models["candidate"] = self._model("candidate", given, containers)
        decision = self._decisions["candidate"]
        self.notes += decision.notes(self._classes.labels, self._positive, self._autopilots)

    def champion(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take the champion's predictions; a class that today's data set does not have is wrong, no error."""
        self._models["champion"] = self._model(
            "champion", read_class_predictions(answers, outputs, self.counts), containers
        )
        ours, theirs = self._decisions["candidate"], self._decisions["champion"]
        if not ours.decides_as(theirs):
            how = (
                f'calls a row "{theirs.positive}" from a probability of {theirs.threshold.value:.4g} on'
                if theirs.threshold
                else "answers with its model's own label"
            )
            self.notes.append(f"the champion is judged as it decides in production: it {how}")

    def sample(self, rows: np.ndarray, folder: Path) -> "ClassHoldout":
        """A holdout of some of the rows (numbers), whose labels are written below ``folder``."""
        labels = [self._classes.labels[code] for code in self._truth[rows]]
        clusters = self.clusters.of(rows) if self.clusters else None
        parts = write_labels(folder, labels, clusters)
        return ClassHoldout(parts, self._binary, self._training, decision=self._decisions["candidate"])

    def groups(self) -> Groups:
        """Metrics of candidate, baseline and champion on all rows."""
        metrics, self._table, self._best_by_measure = self._assess(None, None)
        return metrics

    def slice_groups(self) -> Iterator[tuple[Slicing, int, Groups | None]]:
        """The same on each slice; none where it has no rows."""
        for place, slicing in enumerate(self.slicings):
            for code in range(len(slicing.names)):
                mask = slicing.mask(code)
                yield slicing, code, self._assess(mask, (place, code))[0] if mask.any() else None

    def description(self) -> dict[str, Any]:
        """The fields of `layout.Evaluation` that classifications have; after `groups`."""
        labels, table = self._classes.labels, self._table.only(0, 1)
        candidate = self._models["candidate"]
        areas = candidate.figures.areas if candidate.figures else {}
        fields: dict[str, Any] = {
            "positive_class": labels[self._positive] if self._positive is not None else None,
            "threshold": self._decisions["candidate"].threshold,
            "classes": [
                self._class(labels[code], entry, areas.get(f"auc/{code}"))
                for code, entry in self._by_class(table)
            ],
            "confusion": self._confusion(table),
            "curves": _curves(candidate, labels),
        }
        bins = candidate.figures.calibration if candidate.figures else None
        if bins:
            of = (
                f"the class {labels[self._positive]}" if self._positive is not None else "the predicted class"
            )
            fields["calibration"] = Calibration(of, bins.error, bins.bins())
        return fields

    def champion_curves(self) -> list[Curves]:
        """The champion's curves."""
        return _curves(self._models["champion"], self._classes.labels) if "champion" in self._models else []

    def baseline(self, metric: str) -> tuple[str, str | None]:
        """The best constant answer by a metric in words, and the label where it is one."""
        if metric in ("auc", "average_precision"):
            return "the same score for every row", None
        if metric in ("log_loss", "brier"):
            return "the classes' shares as probabilities", None
        true = np.zeros(len(self._classes), dtype=np.int64)
        true[list(self._rows_by_code)] = list(self._rows_by_code.values())
        best = self._best_by_measure | classification.constants(true, self._positive)
        label = self._classes.labels[best[metric]]
        return f"always \N{LEFT DOUBLE QUOTATION MARK}{label}\N{RIGHT DOUBLE QUOTATION MARK}", label

    def _check(self, given: ClassPredictions) -> None:
        if not self._training:
            return
        for code, label in enumerate(given.labels.texts):
            try:
                self._classes.code(label)
            except KeyError:
                row = int(np.argmax(given.labels.codes == code))
                raise PredictionError(
                    f'{given.labels.place(row)}: the predicted label "{label}" is not one of the classes'
                ) from None

    def _read(
        self, given: ClassPredictions, containers: list[dict[str, Any]]
    ) -> tuple[np.ndarray, np.ndarray | None, list[int]]:
        """The predicted classes (rows,), and what `_probabilities` gives; the first call knows the positive class."""
        self._classes.add(given.labels.texts)
        self._classes.add(given.probability_labels or [])
        predicted = self._classes.recode(given.labels.codes, given.labels.texts)
        if self._binary and self._autopilots is None:
            self._autopilots = self._positive_code(given)
            self._positive = self._decisions["candidate"].positive_code(self._classes, self._autopilots)
        return predicted, *self._probabilities(given, predicted, containers)

    def _model(self, name: str, given: ClassPredictions, containers: list[dict[str, Any]]) -> Model:
        predicted, values, codes = self._read(given, containers)
        decision = self._decisions[name]
        if decision.threshold:
            own = decision.positive_code(self._classes, self._autopilots)
            predicted = decision.codes(predicted, given.probabilities, codes, own)
        if values is None:
            if given.probability is not None:
                return Model(
                    predicted,
                    Figures(
                        calibration=calibration(given.probability, self._truth == predicted, self.clusters)
                    ),
                )
            return Model(predicted)
        for place, slicing in enumerate(self.slicings):
            for code in range(len(slicing.names)):
                mask = slicing.mask(code)
                if mask.any():
                    self._by_slice[name, place, code] = figures(
                        values[:, mask],
                        codes,
                        self._truth[mask],
                        predicted[mask],
                        self._positive,
                        draw=False,
                        clusters=self.clusters.of(mask) if self.clusters else None,
                    )
        drawn = figures(
            values, codes, self._truth, predicted, self._positive, draw=True, clusters=self.clusters
        )
        return Model(predicted, drawn)

    def _positive_code(self, given: ClassPredictions) -> int:
        """The second label that the model names (Autopilot's positive class), or the last in order."""
        if given.probability_labels and len(given.probability_labels) == 2:
            return self._classes.code(given.probability_labels[1])
        return self._classes.code(
            (Classes(list(self._training)) if self._training else self._classes).labels[-1]
        )

    def _probabilities(
        self, given: ClassPredictions, predicted: np.ndarray, containers: list[dict[str, Any]]
    ) -> tuple[np.ndarray | None, list[int]]:
        """Probabilities (classes, rows) and the classes' codes; none where a row has one number of many."""
        if given.probabilities is not None and given.probability_labels is not None:
            codes = [self._classes.code(label) for label in given.probability_labels]
            if len(set(codes)) < len(codes):
                raise PredictionError(
                    f"{given.labels.place(0)}: two probabilities of one class in {given.probability_labels}"
                )
            return given.probabilities, codes
        autopilots = self._autopilots
        if given.probability is None or autopilots is None or len(self._classes) != 2:
            return None, []
        positive = given.probability
        if not probability_is_of_positive(containers):
            positive = np.where(predicted == autopilots, positive, 1 - positive)
        return np.stack((1 - positive, positive)), [1 - autopilots, autopilots]

    def _assess(
        self, mask: np.ndarray | None, place: tuple[int, int] | None
    ) -> tuple[Groups, Counts, dict[str, int]]:
        """Metrics of all or some rows, the table that they come from, and each measure's best constant answer."""
        models, truth, clusters = self._models, self._truth, self.clusters
        if mask is not None and place is not None:
            truth, clusters = truth[mask], clusters.of(mask) if clusters else None
            models = {
                name: Model(model.codes[mask], self._by_slice.get((name, *place)))
                for name, model in models.items()
            }
        groups, table = assess(
            truth, models["candidate"], models.get("champion"), len(self._classes), self._positive, clusters
        )
        if not self.measures:
            return groups, table, {}
        own, best = measures.of_classes(self.measures, table, self._classes.labels)
        return {kind: groups[kind] | own[kind] for kind in groups}, table, best

    @cached_property
    def _rows_by_code(self) -> dict[int, int]:
        """The holdout's rows by class, of the classes that occur."""
        counts = count([self._truth], [len(self._classes)])
        return dict(zip(counts.codes[0].tolist(), counts.rows.tolist(), strict=True))

    def _by_class(self, table: Counts) -> list[tuple[int, dict[str, Any]]]:
        """The classes that occur, in order; of very many the most frequent ones."""
        entries = enumerate(classification.by_class(table, len(self._classes)))
        occurring = [(code, entry) for code, entry in entries if entry["support"] or entry["predicted"]]
        return sorted(
            sorted(occurring, key=lambda one: -one[1]["support"])[:MOST_CLASSES], key=lambda one: one[0]
        )

    def _class(self, label: str, entry: dict[str, Any], area: Linear | None) -> ClassScores:
        precision, recall, f1 = (estimated(entry[name]) for name in ("precision", "recall", "f1"))
        auc = estimated(area.share()) if area is not None else None
        return ClassScores(label, entry["support"], entry["predicted"], precision, recall, f1, auc)

    def _confusion(self, table: Counts) -> Confusion:
        labels = self._classes.labels
        if len(labels) <= MOST_CLASSES_IN_MATRIX:
            return Confusion(labels, classification.confusion(table, len(labels)).tolist())
        wrong = np.flatnonzero(table.codes[0] != table.codes[1])
        worst = wrong[np.argsort(-table.rows[wrong], kind="stable")][:MOST_ERRORS]
        return Confusion(
            errors=[
                Confused(labels[table.codes[0][cell]], labels[table.codes[1][cell]], int(table.rows[cell]))
                for cell in worst
            ]
        )


def _curves(model: Model, labels: list[str]) -> list[Curves]:
    if not model.figures:
        return []
    return [
        Curves(
            labels[code],
            model.figures.areas[f"auc/{code}"].value,
            RocCurve(**drawn["roc"]),
            PrecisionRecallCurve(**drawn["precision_recall"]),
            ThresholdCurve(**drawn["threshold"]),
        )
        for code, drawn in sorted(model.figures.curves.items())
    ]
