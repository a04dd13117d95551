"""The version that production serves: how it answers, and whether it can read today's columns."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from schema import Champion
from storage import read_json


@dataclass
class Registered:
    """A model package as the evaluation needs it; ``evaluation`` is its own evaluation.json, where it can be read."""

    arn: str
    containers: list[dict[str, Any]]
    evaluation: dict[str, Any] | None

    @property
    def features(self) -> list[str] | None:
        """Its input columns in order, `None` where its evaluation does not say."""
        dataset = (self.evaluation or {}).get("dataset")
        if not dataset:
            return None
        return [column["name"] for column in dataset["columns"] if column["name"] != dataset["target"]]


def registered(sagemaker: Any, s3: Any, arn: str) -> Registered | str:
    """Read a model package from the registry; where that fails, the reason."""
    try:
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        containers = package["InferenceSpecification"]["Containers"]
    except ClientError as error:
        return f"the registry says: {error.response['Error']['Message']}"
    except KeyError:
        return "the model package has no containers"
    statistics = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri")
    evaluation = read_json(s3, statistics.rpartition("/")[0] + "/evaluation.json") if statistics else None
    return Registered(arn, containers, evaluation)


def entry(arn: str, found: Registered | str, dataset: dict[str, Any], features: list[str]) -> Champion:
    """The champion's entry before it is tried; its status is `compared` where it looks as if it could be.

    The holdout's rows have no header: a champion of other columns, or of the same in another order, would
    answer, and wrongly.
    """
    if isinstance(found, str):
        return Champion(arn, "failed", found)
    trained_on = (found.evaluation or {}).get("dataset")
    champion = Champion(
        arn,
        "compared",
        "",
        dataset=trained_on,
        same_dataset=trained_on["sha256"] == dataset["sha256"] if trained_on else None,
    )
    before = found.features
    if before is not None and before != features:
        champion.columns = {
            "added": [name for name in features if name not in before],
            "removed": [name for name in before if name not in features],
        }
        champion.status = "columns_changed"
        champion.reason = f"it was trained on other columns ({_changes(champion.columns)})"
    return champion


def _changes(columns: dict[str, list[str]]) -> str:
    said = [f"{kind}: {', '.join(names)}" for kind, names in columns.items() if names]
    return "; ".join(said) or "the same in another order"


def failure(champion: Champion, error: Exception, refused: bool) -> None:
    """Note that it was tried in vain; ``refused`` says that it did not accept the rows."""
    known = champion.dataset is not None
    champion.status = "columns_changed" if refused and not known else "failed"
    champion.reason = (
        f"it cannot read today's rows ({error})" if champion.status == "columns_changed" else str(error)
    )
