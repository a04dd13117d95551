"""The pipeline's definition: a pure function of the project's files and the account.

Only this package imports the `sagemaker` SDK, and only when a definition is built: the import takes seconds
and the SDK is in a dependency group of its own. Nothing here calls AWS, and the same input gives the same
bytes.
"""

from pipeline.bundle import Bundle
from pipeline.config import Config
from pipeline.dataset.lock import DatasetLock
from pipeline.definition import sdk
from pipeline.definition.steps import Builder
from pipeline.errors import UserError
from pipeline.names import Names
from pipeline.service import limits

STEPS = ("StartAutopilot", "WaitForAutopilot", "EvaluateModel", "AcceptModel", "RegisterModel", "RejectModel")
NONE = "none"  # a parameter's value cannot be empty


def parameters(config: Config, lock: DatasetLock, champion: str = "") -> dict[str, str | int | float]:
    """The pipeline's parameters with their defaults; the order is the definition's.

    ``champion`` is the ARN of the model package that production serves, empty where there is none.
    """
    budget, evaluation = config.autopilot.budget, config.evaluation
    return {
        "TrainValidationUri": lock.uris.train_validation,
        "XTestUri": lock.uris.x_test,
        "YTestUri": lock.uris.y_test,
        "DatasetSha256": lock.sha256,
        "MaxCandidates": budget.max_candidates,
        "MaxSecondsPerTrainingJob": budget.max_seconds_per_training_job,
        "MaxSeconds": budget.max_seconds,
        "GateThreshold": float(config.gate.threshold),
        "EvaluationInstanceType": evaluation.instance_type,
        "EvaluationInstanceCount": evaluation.instance_count,
        "TransformInstanceType": evaluation.transform_instance_type,
        "TransformInstanceCount": evaluation.transform_instance_count,
        "ChampionModelPackageArn": champion or NONE,
        "CommitId": NONE,
        "Repository": config.project.repository,
        "RunUrl": NONE,
    }


def build(config: Config, lock: DatasetLock, account: str, bundle: Bundle, champion: str = "") -> str:
    """The definition as JSON (version 2020-12-01).

    ``account`` has twelve digits; ``bundle`` is the code that EvaluateModel runs. Raises `UserError` where
    the SDK is not installed, does not know the container's version, or the definition is longer than the
    service takes.
    """
    names = Names(config, account)
    with sdk.alone(config.project.region):
        text = Builder(config, names, bundle, parameters(config, lock, champion)).definition()
    most = limits("PipelineDefinition")[1]
    if most is not None and len(text) > most:
        raise UserError(
            f"the pipeline's definition has {len(text)} characters, more than the {most} that SageMaker takes"
        )
    return text
