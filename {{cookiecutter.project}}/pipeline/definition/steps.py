"""The steps and how they hang together. What a step needs of the SDK is imported where it is made."""

import json
from typing import Any

from pipeline.bundle import Bundle
from pipeline.config import Config
from pipeline.definition import sdk
from pipeline.definition.evaluate_model import EvaluateModel
from pipeline.names import Names
from pipeline.settings.autopilot import INFER


class Builder:
    """The steps, which refer to one another and to the parameters by the SDK's objects."""

    def __init__(
        self, config: Config, names: Names, bundle: Bundle, defaults: dict[str, str | int | float]
    ) -> None:
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString

        kinds = {str: ParameterString, int: ParameterInteger, float: ParameterFloat}
        self.config, self.names, self.bundle = config, names, bundle
        self.parameters = {
            name: kinds[type(value)](name, default_value=value) for name, value in defaults.items()
        }
        self.execution = ExecutionVariables
        self.session = sdk.session(names.region, names.bucket)

    def definition(self) -> str:
        """The definition as JSON without spaces."""
        from sagemaker.mlops.workflow.pipeline import Pipeline

        start = self._start_autopilot()
        wait = self._wait_for_autopilot(start)
        evaluate, report = EvaluateModel(self).step(start, wait)
        accept = self._accept_model(evaluate, report, self._register_model(start))
        pipeline = Pipeline(
            name=self.names.pipeline,
            parameters=list(self.parameters.values()),
            pipeline_experiment_config=None,
            steps=[start, wait, evaluate, accept],
            sagemaker_session=self.session,
        )
        return json.dumps(json.loads(pipeline.definition()), ensure_ascii=False, separators=(",", ":"))

    def of_execution(self, prefix: str, *rest: str) -> Any:
        """An S3 URI below ``prefix`` and the execution's id."""
        from sagemaker.core.workflow.functions import Join

        return Join(on="/", values=[self.names.s3(prefix), self.execution.PIPELINE_EXECUTION_ID, *rest])

    def _lambda(
        self, name: str, function: str, inputs: dict[str, Any], outputs: list[str], after: list[Any]
    ) -> Any:
        from sagemaker.core.lambda_helper import Lambda
        from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep

        return LambdaStep(
            name=name,
            # With an ARN and no code the SDK only refers to the function; the stack deploys it.
            lambda_func=Lambda(function_arn=self.names.function_arn(function), session=self.session),
            inputs=inputs,
            outputs=[LambdaOutput(output, LambdaOutputTypeEnum.String) for output in outputs],
            depends_on=after,
        )

    def _start_autopilot(self) -> Any:
        autopilot, network, encryption = self.config.autopilot, self.config.network, self.config.encryption
        inputs = {
            "project": self.names.project,
            "execution_id": self.execution.PIPELINE_EXECUTION_ID,
            "role_arn": self.names.autopilot_role_arn,
            "train_validation_uri": self.parameters["TrainValidationUri"],
            "output_uri": self.of_execution("autopilot", ""),
            "target": self.config.dataset.target,
            "problem_type": autopilot.problem_type,
            "objective": "" if autopilot.problem_type == INFER else autopilot.metric,
            "mode": autopilot.mode,
            "max_candidates": self.parameters["MaxCandidates"],
            "max_seconds_per_training_job": self.parameters["MaxSecondsPerTrainingJob"],
            "max_seconds": self.parameters["MaxSeconds"],
            "kms_key": encryption.kms_key if encryption else "",
            "subnets": ",".join(network.subnets) if network else "",
            "security_groups": ",".join(network.security_groups) if network else "",
            "tags": ",".join(f"{key}={value}" for key, value in self.config.project.tags.items()),
        }
        return self._lambda("StartAutopilot", "start-autopilot", inputs, ["automl_job_name"], [])

    def _wait_for_autopilot(self, start: Any) -> Any:
        from sagemaker.mlops.workflow.callback_step import (
            CallbackOutput,
            CallbackOutputTypeEnum,
            CallbackStep,
        )

        return CallbackStep(
            name="WaitForAutopilot",
            sqs_queue_url=self.names.queue_url,
            inputs={
                "automl_job_name": start.properties.Outputs["automl_job_name"],
                "started_at": self.execution.START_DATETIME,
                "max_seconds": self.parameters["MaxSeconds"],
                "request_uri": self.of_execution("autopilot", "request.json"),
            },
            outputs=[
                CallbackOutput(output, CallbackOutputTypeEnum.String)
                for output in (
                    "best_candidate",
                    "objective_metric",
                    "objective_value",
                    "automl_job_arn",
                    "seconds",
                )
            ],
            depends_on=[start],
        )

    def _register_model(self, start: Any) -> Any:
        given = self.parameters
        inputs = {
            "project": self.names.project,
            "execution_arn": self.execution.PIPELINE_EXECUTION_ARN,
            "execution_id": self.execution.PIPELINE_EXECUTION_ID,
            "evaluation_uri": self.of_execution("evaluations"),
            "automl_job_name": start.properties.Outputs["automl_job_name"],
            "dataset_sha256": given["DatasetSha256"],
            "commit_id": given["CommitId"],
            "repository": given["Repository"],
            "run_url": given["RunUrl"],
            "champion": given["ChampionModelPackageArn"],
        }
        # A step in a branch follows its condition; a dependency of its own would be refused.
        return self._lambda("RegisterModel", "register-model", inputs, ["model_package_arn"], [])

    def _accept_model(self, evaluate: Any, report: Any, register: Any) -> Any:
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
            if_steps=[register],
            else_steps=[reject],
            depends_on=[evaluate],
        )
