"""Which columns the candidate's predictions rest on.

Autopilot's explainability report where the service wrote one: mean absolute Shapley values (Amazon SageMaker
Developer Guide, Clarify's analysis.json). Otherwise permutation importance (Breiman, Machine Learning 45
(2001) 5-32): how much of the objective is lost when a column's values are exchanged between rows, on a
bounded sample that the same model predicts in one more batch transform.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from botocore.exceptions import ClientError

from automl_evaluation.assess_classes import Groups
from automl_evaluation.errors import EvaluationError
from automl_evaluation.inputs import ENCODING, write
from automl_evaluation.layout import INTERVAL_CONFIDENCE, Feature, Importance, NoImportance
from automl_evaluation.metrics import LESS_IS_BETTER
from automl_evaluation.reading import Part, batches
from automl_evaluation.storage import keys, read_json
from automl_evaluation.transform import Transform, TransformContext

MOST_PREDICTIONS = 50_000
MOST_ROWS, FEWEST_ROWS = 3000, 100
MOST_FEATURES = MOST_PREDICTIONS // FEWEST_ROWS - 1
SEED = 20_260_702


class Holdout(Protocol):
    """What permutation importance needs of a holdout."""

    counts: list[int]

    def sample(self, rows: np.ndarray, folder: Path) -> "Holdout":
        """A holdout of some of the rows, whose labels are written below ``folder``."""

    def candidate(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take predictions."""

    def champion(
        self, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> None:
        """Take predictions to compare with."""

    def groups(self) -> Groups:
        """Metrics and differences."""


def of_autopilot(s3: Any, prefix_uri: str | None) -> Importance | None:
    """`layout.Evaluation.importance` from Autopilot's report, `None` where there is none that can be read."""
    if not prefix_uri:
        return None
    for key in keys(s3, prefix_uri):
        if key.rpartition("/")[2] == "analysis.json":
            uri = f"{prefix_uri.rstrip('/')}/{key}"
            values = _global_values(read_json(s3, uri))
            if values:
                features = [Feature(name, value, None, None) for name, value in values.items()]
                return Importance("autopilot", "mean absolute Shapley value", None, _sorted(features), uri)
    return None


def _global_values(analysis: Any) -> dict[str, float]:
    """Global Shapley values, averaged over the outputs (one for each class)."""
    try:
        outputs = list(analysis["explanations"]["kernel_shap"].values())
        by_output = [output["global_shap_values"] for output in outputs]
        return {name: float(np.mean([values[name] for values in by_output])) for name in by_output[0]}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return {}


def _sorted(features: list[Feature]) -> list[Feature]:
    return sorted(features, key=lambda feature: (-feature.value, feature.name))


class Permutation:
    """A sample of the holdout, with a copy for each column in which that column is permuted.

    ``parts`` are CSV files of inputs: the sample as it is, then the copies in the order of ``features``.
    """

    def __init__(
        self, inputs: Sequence[Part], features: Sequence[str], holdout: Holdout, folder: Path
    ) -> None:
        """Draw the sample and write the parts below ``folder``; at most `MOST_FEATURES` features."""
        self._features, self.folder, self._holdout = features, folder, holdout
        total = sum(holdout.counts)
        size = min(total, MOST_ROWS, MOST_PREDICTIONS // (1 + len(features)))
        generator = np.random.default_rng(SEED)
        self._chosen = np.sort(generator.choice(total, size, replace=False))
        rows = _read(inputs, len(features), self._chosen)
        self.parts = [self._write(rows, 0)]
        for column in range(len(features)):
            order = generator.permutation(size)
            copy = [
                [*row[:column], rows[other][column], *row[column + 1 :]]
                for row, other in zip(rows, order, strict=True)
            ]
            self.parts.append(self._write(copy, column + 1))

    def _write(self, rows: list[list[str]], number: int) -> Path:
        path = self.folder / "inputs" / f"part-{number:05}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding=ENCODING, newline="") as file:
            write(file, rows)
        return path

    def importance(
        self, metric: str, answers: Sequence[Part], outputs: Sequence[str], containers: list[dict[str, Any]]
    ) -> Importance | NoImportance:
        """`layout.Evaluation.importance` from what the model answered for `parts`."""
        features = []
        for name, permuted in zip(self._features, answers[1:], strict=True):
            sample = self._holdout.sample(self._chosen, self.folder / "labels")
            sample.candidate(answers[:1], outputs, containers)
            sample.champion([permuted], outputs, containers)
            lost = sample.groups()["candidate - champion"].get(metric)
            if lost is None:
                return missing(f"{metric} is undefined on the sample of {len(self._chosen)} rows")
            ends = lost.interval(INTERVAL_CONFIDENCE) or (None, None)
            sign = -1 if metric in LESS_IS_BETTER else 1
            low, high = ends if sign > 0 or ends[0] is None else (-ends[1], -ends[0])
            features.append(Feature(name, sign * lost.value, low, high))
        return Importance("permutation", metric, len(self._chosen), _sorted(features), None)


class Explanation:
    """Autopilot's report or, where there is none, a permutation's transform beside the others.

    It is no condition of the gate: what goes wrong with it is a reason in its result, and ends nothing.
    """

    def __init__(
        self,
        place: TransformContext,
        report_uri: str | None,
        containers: list[dict[str, Any]],
        outputs: list[str],
    ) -> None:
        """Look for Autopilot's report; the containers are the candidate's, as they are evaluated."""
        self._place, self._containers, self._outputs = place, containers, outputs
        self._result: Importance | NoImportance | None = of_autopilot(place.s3, report_uri)
        self._started: tuple[Transform, Permutation] | None = None

    def start(
        self,
        stack: ExitStack,
        name: str,
        inputs: Sequence[Part],
        features: Sequence[str],
        holdout: Holdout,
        target: str,
        work: Path,
    ) -> None:
        """Draw the sample and start its transform, unless Autopilot's report is there."""
        if self._result:
            return
        if not 0 < len(features) <= MOST_FEATURES:
            self._result = missing(f"{len(features)} columns are too many to permute one by one")
            return
        try:
            permutation = Permutation(inputs, features, holdout, work / "importance")
            for path in permutation.parts:
                self._place.upload(path, f"{target}/inputs/{path.name}")
            run = Transform(self._place, name, self._containers, f"{target}/inputs", f"{target}/outputs")
            self._started = stack.enter_context(run), permutation
        except (ClientError, EvaluationError) as error:
            self._result = missing(str(error))

    def finish(self, metric: str) -> Importance | NoImportance | None:
        """The result: `layout.Evaluation.importance`."""
        if self._started:
            run, permutation = self._started
            try:
                answers = run.outputs(
                    [path.name for path in permutation.parts], permutation.folder / "outputs"
                )
                self._result = permutation.importance(metric, answers, self._outputs, self._containers)
            except (ClientError, EvaluationError) as error:
                self._result = missing(str(error))
        return self._result


def missing(reason: str) -> NoImportance:
    """`layout.Evaluation.importance` where there is none."""
    return NoImportance(None, reason)


def _read(inputs: Sequence[Part], columns: int, chosen: np.ndarray) -> list[list[str]]:
    """The chosen rows (numbers over all parts, rising) of the inputs."""
    rows: list[list[str]] = []
    before = 0
    for part in inputs:
        for batch in batches(part, columns):
            here = chosen[(chosen >= before) & (chosen < before + batch.num_rows)] - before
            taken = batch.take(here)
            rows += [
                [value.decode(ENCODING) for value in row]
                for row in zip(*(column.to_pylist() for column in taken.columns), strict=True)
            ]
            before += batch.num_rows
    return rows
