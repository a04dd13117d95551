"""The SageMaker pipeline, from top to bottom.

    StartAutopilot      Lambda: starts the Autopilot job
          |
    WaitForAutopilot    Callback: a message in SQS, answered by a Lambda when the job has ended
          |
    EvaluateModel       Processing: evaluation/ judges the best candidate on the holdout
          |
    AcceptModel?        Condition: what did the gate decide?
      |        \\
    yes         no
      |          \\
    RegisterModel  RejectModel
    (Lambda)       (Fail, with the reasons)

`automl` calls `parameters` and `steps`. Neither calls AWS, and the same files give the same definition to the byte.
The `sagemaker` SDK is imported where it is used: that takes seconds, and most commands need the parameters alone.
docs/change.md shows how to add a step.
"""

from typing import Any

from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.model import INFER
from automl_gitops.runs.definition import NONE, Shared, feature_specification

from pipeline.evaluate_model import evaluate_model


def parameters(config: Config, lock: DatasetLock, champion: str = "") -> dict[str, str | int | float]:
    """The pipeline's parameters with their defaults; the order is the definition's.

    ``champion`` is the ARN of the model package that production serves, empty where there is none. A parameter's
    value cannot be empty: `NONE` stands for nothing.
    """
    budget, evaluation = config.autopilot.budget, config.evaluation
    return {
        "TrainValidationUri": lock.uris.train_validation,
        "ValidationUri": lock.uris.validation or NONE,  # Autopilot chooses rows to validate on by itself
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


def steps(shared: Shared) -> list[Any]:
    """The steps, in the order in which they run; those of a branch are within their condition."""
    start = start_autopilot(shared)
    wait = wait_for_autopilot(shared, start)
    evaluate, report = evaluate_model(shared, start, wait)
    register = register_model(shared, start)
    accept = accept_model(evaluate, report, [register])
    return [start, wait, evaluate, accept]


def start_autopilot(shared: Shared) -> Any:
    """Start the Autopilot job, whose name derives from the execution's id: starting twice is the same job."""
    autopilot, network, encryption = shared.config.autopilot, shared.config.network, shared.config.encryption
    inputs = {
        "project": shared.names.project,
        "execution_id": shared.execution.PIPELINE_EXECUTION_ID,
        "role_arn": shared.names.autopilot_role_arn,
        "train_validation_uri": shared.parameters["TrainValidationUri"],
        "validation_uri": shared.parameters["ValidationUri"],
        "output_uri": shared.of_execution("autopilot", ""),
        "target": shared.config.dataset.target,
        "problem_type": autopilot.problem_type,
        "objective": "" if autopilot.problem_type == INFER else autopilot.metric,
        "mode": autopilot.mode,
        "algorithms": ",".join(autopilot.algorithms),
        "feature_specification": feature_specification(shared.config, shared.lock),
        "weight": shared.config.dataset.weight or "",
        "max_candidates": shared.parameters["MaxCandidates"],
        "max_seconds_per_training_job": shared.parameters["MaxSecondsPerTrainingJob"],
        "max_seconds": shared.parameters["MaxSeconds"],
        "kms_key": encryption.kms_key if encryption else "",
        "subnets": ",".join(network.subnets) if network else "",
        "security_groups": ",".join(network.security_groups) if network else "",
        "tags": ",".join(f"{key}={value}" for key, value in shared.config.project.every_tag.items()),
    }
    return shared.lambda_step("StartAutopilot", "start-autopilot", inputs, ["automl_job_name"])


def wait_for_autopilot(shared: Shared, start: Any) -> Any:
    """Wait until the job has ended: the Lambda `check_autopilot` reads the message and answers the token in it."""
    from sagemaker.mlops.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep

    answered = ("best_candidate", "objective_metric", "objective_value", "automl_job_arn", "seconds")
    return CallbackStep(
        name="WaitForAutopilot",
        sqs_queue_url=shared.names.queue_url,
        inputs={
            "automl_job_name": start.properties.Outputs["automl_job_name"],
            "started_at": shared.execution.START_DATETIME,
            "max_seconds": shared.parameters["MaxSeconds"],
            "request_uri": shared.of_execution("autopilot", "request.json"),
        },
        outputs=[CallbackOutput(output, CallbackOutputTypeEnum.String) for output in answered],
        depends_on=[start],
    )


def register_model(shared: Shared, start: Any) -> Any:
    """Register the candidate with its metrics, its reports and where it came from, pending approval."""
    given = shared.parameters
    inputs = {
        "project": shared.names.project,
        "execution_arn": shared.execution.PIPELINE_EXECUTION_ARN,
        "execution_id": shared.execution.PIPELINE_EXECUTION_ID,
        "evaluation_uri": shared.of_execution("evaluations"),
        "automl_job_name": start.properties.Outputs["automl_job_name"],
        "dataset_sha256": given["DatasetSha256"],
        "commit_id": given["CommitId"],
        "repository": given["Repository"],
        "run_url": given["RunUrl"],
        "champion": given["ChampionModelPackageArn"],
    }
    # A step in a branch follows its condition; SageMaker refuses one that has a dependency of its own besides.
    return shared.lambda_step("RegisterModel", "register-model", inputs, ["model_package_arn"])


def accept_model(evaluate: Any, report: Any, accepted: list[Any]) -> Any:
    """The steps that follow where the gate accepts the model; where it rejects it, an end with its reasons."""
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep

    def of_report(path: str) -> Any:
        return JsonGet(step_name=evaluate.name, property_file=report, json_path=path)

    reject = FailStep(
        name="RejectModel",
        error_message=Join(on=" ", values=["The gate rejected the model:", of_report("reasons_text")]),
    )
    return ConditionStep(
        name="AcceptModel",
        conditions=[ConditionEquals(left=of_report("decision"), right="accept")],
        if_steps=accepted,
        else_steps=[reject],
        depends_on=[evaluate],
    )
