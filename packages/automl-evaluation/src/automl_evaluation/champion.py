"""The version that production serves: how it answers, and whether it can read today's columns."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_evaluation.containers import with_outputs
from automl_evaluation.decision import Decision
from automl_evaluation.errors import EvaluationError
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.inputs import select
from automl_evaluation.layout import Champion, Dataset, Threshold
from automl_evaluation.reading import Part
from automl_evaluation.settings import Settings
from automl_evaluation.storage import read_json
from automl_evaluation.transform import Transform, TransformContext, TransformFailed
from automl_evaluation.typed import ShapeError, load
from automl_evaluation.verdict import Holdout


@dataclass
class Registered:
    """A model package; ``dataset`` is what it was trained on, where its own evaluation can be read, and ``decision``
    how it decides in production.
    """

    arn: str
    containers: list[dict[str, Any]]
    dataset: Dataset | None
    decision: Decision

    @property
    def features(self) -> list[str] | None:
        """Its input columns in order, `None` where its evaluation does not say."""
        return self.dataset.features if self.dataset else None


class Contest:
    """The champion's way through an evaluation. What goes wrong with it is noted in `entry` and harms nothing
    else.

    ``entry`` is `None` where there is no champion.
    """

    def __init__(self, arn: str, place: TransformContext, settings: Settings) -> None:
        """Look the model package ``arn`` up in the registry; `none` stands for no champion."""
        self._place, self._features = place, settings.features
        self._registered: Registered | None = None
        self._run: tuple[Transform, list[str], list[dict[str, Any]]] | None = None
        self.entry: Champion | None = None
        if arn != "none":
            registered = _registered(place, arn)
            self.entry = _entry(arn, registered, settings.dataset, settings.features)
            self._registered = registered if isinstance(registered, Registered) else None

    def start(
        self,
        stack: ExitStack,
        name: str,
        inputs: Sequence[Part],
        input_uri: str,
        output_uri: str,
        work: Path,
        classification: bool,
        classes: int | None,
    ) -> None:
        """Start its batch transform, if it can read the rows; ``inputs`` are those below ``input_uri``."""
        entry = self.entry
        if self._registered is None or entry is None or entry.status != "compared":
            return
        containers, outputs = with_outputs(self._registered.containers, classification, classes)
        try:
            features = self._registered.features
            if features is not None and features != self._features:
                input_uri = self._own_columns(features, inputs, f"{output_uri}-inputs", work)
            run = stack.enter_context(Transform(self._place, name, containers, input_uri, output_uri))
        except ClientError as error:
            _failed(entry, error.response["Error"]["Message"])
            return
        except EvaluationError as error:
            _failed(entry, str(error))
            return
        self._run = run, outputs, containers

    def _own_columns(self, own: Sequence[str], inputs: Sequence[Part], uri: str, work: Path) -> str:
        """Upload the inputs with the columns that it was trained on, in its order; the prefix where they are."""
        positions = [self._features.index(name) for name in own]
        for part in inputs:
            name = part.name.partition("/")[2]
            select(part, len(self._features), positions, work / name)
            self._place.upload(work / name, f"{uri}/{name}")
            (work / name).unlink()  # one part at a time: the inputs may be large
        return uri

    def finish(self, holdout: Holdout, inputs: list[str], folder: Path) -> None:
        """Wait for its predictions and hand them to the holdout."""
        entry = self.entry
        if self._run is None or entry is None:
            return
        run, outputs, containers = self._run
        if self._registered and isinstance(holdout, ClassHoldout):
            own = self._registered.decision
            holdout.decide("champion", own)
            entry.positive_class, entry.threshold = own.positive, own.threshold
        try:
            holdout.champion(run.outputs(inputs, folder), outputs, containers)
        except TransformFailed as error:
            # The service says ClientError where the model refused what it was sent.
            if entry.dataset is None and "ClientError" in error.reason:
                entry.status = "columns_changed"
                entry.reason = f"it cannot read today's rows ({error})"
            else:
                _failed(entry, str(error))
        except ClientError as error:
            _failed(entry, error.response["Error"]["Message"])
        except EvaluationError as error:
            _failed(entry, str(error))


def _failed(entry: Champion, reason: str) -> None:
    entry.status, entry.reason = "failed", reason


def _registered(place: TransformContext, arn: str) -> Registered | str:
    """Read a model package from the registry; where that fails, the reason."""
    try:
        package = place.sagemaker.describe_model_package(ModelPackageName=arn)
        containers = package["InferenceSpecification"]["Containers"]
    except ClientError as error:
        return f"the registry says: {error.response['Error']['Message']}"
    except KeyError:
        return "the model package has no containers"
    statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri")
    evaluation = (
        read_json(place.s3, statistics.rpartition("/")[0] + "/evaluation.json") if statistics else None
    )
    return Registered(arn, containers, _trained_on(evaluation), _decides(evaluation, package))


def _trained_on(evaluation: Any) -> Dataset | None:
    """The data set of an evaluation.json, of whichever version; `None` where it does not say."""
    try:
        return load(Dataset, evaluation["dataset"]) if evaluation else None
    except (KeyError, TypeError, ShapeError):
        return None


def _decides(evaluation: Any, package: dict[str, Any]) -> Decision:
    """How a version decides: as its evaluation says or, where that cannot be read, its model package.

    A version without such a record decides by its model's own label, as it does in production.
    """
    known = package.get("CustomerMetadataProperties") or {}
    try:
        if not evaluation:
            return Decision(known["positive_class"], Threshold(float(known["threshold"])))
        threshold = evaluation.get("threshold")
        return Decision(evaluation["positive_class"], load(Threshold, threshold)) if threshold else Decision()
    except (AttributeError, KeyError, TypeError, ValueError):
        return Decision()


def _entry(arn: str, registered: Registered | str, dataset: dict[str, Any], features: list[str]) -> Champion:
    """The champion's entry before it is tried; its status is `compared` where it looks as if it could be.

    The holdout's rows have no header: a champion of other columns, or of the same in another order, would
    answer, and wrongly. One whose columns are all there gets just these.
    """
    if isinstance(registered, str):
        return Champion(arn, "failed", registered)
    trained_on = registered.dataset
    champion = Champion(
        arn,
        "compared",
        "",
        dataset=trained_on,
        same_dataset=trained_on.sha256 == dataset["sha256"] if trained_on else None,
    )
    before = registered.features
    if trained_on and trained_on.target != dataset["target"]:
        champion.status = "columns_changed"
        champion.reason = f"it predicts {trained_on.target}, the data set's target is {dataset['target']}"
    elif before is not None and before != features:
        champion.columns = {
            "added": [name for name in features if name not in before],
            "removed": [name for name in before if name not in features],
        }
        if gone := champion.columns["removed"]:
            champion.status = "columns_changed"
            champion.reason = f"it reads columns that the data set no longer has: {', '.join(gone)}"
    return champion
