"""The pipeline's definition: a pure function of the project's files and the account.

Only this module imports the `sagemaker` SDK, and only when a definition is built: the import takes seconds
and the package is in a dependency group of its own. Nothing here calls AWS, and the same input gives the same
bytes.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from pipeline.bundle import ENTRY_POINT, Bundle
from pipeline.config import Config
from pipeline.dataset.lock import DatasetLock
from pipeline.errors import UserError
from pipeline.names import Names
from pipeline.service import limits
from pipeline.settings.autopilot import INFER

STEPS = ("StartAutopilot", "WaitForAutopilot", "EvaluateModel", "AcceptModel", "RegisterModel", "RejectModel")
NONE = "none"  # a parameter's value cannot be empty
_UNUSED = "unused"
_INPUT, _OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


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
    with _sdk(config.project.region):
        text = _Builder(config, names, bundle, parameters(config, lock, champion)).definition()
    most = limits("PipelineDefinition")[1]
    if most is not None and len(text) > most:
        raise UserError(
            f"the pipeline's definition has {len(text)} characters, more than the {most} that SageMaker takes"
        )
    return text


@contextmanager
def _sdk(region: str) -> Iterator[None]:
    """The SDK with no more than it needs.

    Its import makes a client, which wants a region and credentials and would look for them as far as the
    network; so it gets a region and keys that nobody uses, and the process's own environment and default
    session come back afterwards.
    """
    environment = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": _UNUSED,
        "AWS_SECRET_ACCESS_KEY": _UNUSED,
        "AWS_SESSION_TOKEN": None,
        "AWS_PROFILE": None,
    }
    root = logging.getLogger()
    handlers, level, session = root.handlers[:], root.level, boto3.DEFAULT_SESSION
    before = _set(environment)
    boto3.DEFAULT_SESSION = None
    logging.disable(logging.WARNING)  # the SDK sets up logging by itself, and tells where it found its keys
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                import sagemaker.mlops.workflow.pipeline  # noqa: F401 - is the group installed?
            except ModuleNotFoundError as error:
                raise UserError(
                    f"the package {error.name} is not installed: run `uv sync --group definition`"
                ) from None
            yield
    finally:
        _set(before)
        boto3.DEFAULT_SESSION = session
        logging.disable(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(level)


def _set(environment: dict[str, str | None]) -> dict[str, str | None]:
    """Set (or with `None` remove) environment variables; returns what they were."""
    before = {key: os.environ.pop(key, None) for key in environment}
    os.environ.update({key: value for key, value in environment.items() if value is not None})
    return before


class _Builder:
    """The steps, which refer to one another and to the parameters by the SDK's objects."""

    def __init__(
        self, config: Config, names: Names, bundle: Bundle, defaults: dict[str, str | int | float]
    ) -> None:
        from sagemaker.core.workflow.execution_variables import ExecutionVariables
        from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
        from sagemaker.core.workflow.pipeline_context import PipelineSession

        kinds = {str: ParameterString, int: ParameterInteger, float: ParameterFloat}
        self.config, self.names, self.bundle = config, names, bundle
        self.parameters = {
            name: kinds[type(value)](name, default_value=value) for name, value in defaults.items()
        }
        self.execution = ExecutionVariables
        boto = boto3.session.Session(_UNUSED, _UNUSED, region_name=names.region)
        self.session = PipelineSession(boto, default_bucket=names.bucket, sagemaker_config=_NO_DEFAULTS)
        # Each of some twenty look-ups would check it against its JSON schema, which takes seconds in all.
        self.session.sagemaker_config = {}

    def definition(self) -> str:
        from sagemaker.mlops.workflow.pipeline import Pipeline

        start = self._start_autopilot()
        wait = self._wait_for_autopilot(start)
        evaluate, report = self._evaluate_model(start, wait)
        accept = self._accept_model(evaluate, report, self._register_model(start, wait, evaluate))
        pipeline = Pipeline(
            name=self.names.pipeline,
            parameters=list(self.parameters.values()),
            pipeline_experiment_config=None,
            steps=[start, wait, evaluate, accept],
            sagemaker_session=self.session,
        )
        return json.dumps(json.loads(pipeline.definition()), ensure_ascii=False, separators=(",", ":"))

    def _of_execution(self, prefix: str, *rest: str) -> Any:
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
            "role_arn": self.names.execution_role_arn,
            "train_validation_uri": self.parameters["TrainValidationUri"],
            "output_uri": self._of_execution("autopilot", ""),
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
                "request_uri": self._of_execution("autopilot", "request.json"),
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

    def _evaluate_model(self, start: Any, wait: Any) -> tuple[Any, Any]:
        from sagemaker.core.workflow.properties import PropertyFile
        from sagemaker.mlops.workflow.steps import ProcessingStep

        given = self.parameters
        report = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
        arguments = [
            "--automl-job-name", start.properties.Outputs["automl_job_name"],
            "--execution-id", self.execution.PIPELINE_EXECUTION_ID,
            "--role-arn", self.names.execution_role_arn,
            "--bucket", self.names.bucket,
            "--x-test-uri", given["XTestUri"],
            "--threshold", given["GateThreshold"].to_string(),
            "--champion", given["ChampionModelPackageArn"],
            "--transform-instance-type", given["TransformInstanceType"],
            "--transform-instance-count", given["TransformInstanceCount"].to_string(),
            "--y-test", f"{_INPUT}/y_test",
            "--x-test", f"{_INPUT}/x_test",
            "--output", f"{_OUTPUT}/evaluation",
        ]  # fmt: skip
        if self.config.encryption:
            arguments += ["--kms-key", self.config.encryption.kms_key]
        step = ProcessingStep(
            name="EvaluateModel",
            step_args=self._processor().run(
                inputs=[
                    self._input("code", self.names.s3(self.bundle.prefix, "")),
                    self._input("x_test", given["XTestUri"]),
                    self._input("y_test", given["YTestUri"]),
                ],
                outputs=[self._output("evaluation", self._of_execution("evaluations"))],
                arguments=arguments,
            ),
            property_files=[report],
            retry_policies=_retry_policies(),
            depends_on=[wait],
        )
        return step, report

    def _processor(self) -> Any:
        from sagemaker.core.network import NetworkConfig
        from sagemaker.core.processing import Processor

        network, key = self.config.network, self.config.encryption.kms_key if self.config.encryption else None
        return Processor(
            role=self.names.execution_role_arn,
            image_uri=self._image(),
            instance_type=self.parameters["EvaluationInstanceType"],
            instance_count=self.parameters["EvaluationInstanceCount"],
            volume_size_in_gb=self.config.evaluation.volume_size_gb,
            entrypoint=["python3", f"{_INPUT}/code/{ENTRY_POINT}"],
            output_kms_key=key,
            volume_kms_key=key,
            network_config=(
                NetworkConfig(subnets=network.subnets, security_group_ids=network.security_groups)
                if network
                else None
            ),
            tags=[{"Key": name, "Value": value} for name, value in self.config.project.tags.items()] or None,
            sagemaker_session=self.session,
        )

    def _image(self) -> str:
        from sagemaker.core import image_uris

        version, region = self.config.evaluation.container_version, self.names.region
        try:
            return image_uris.retrieve("sklearn", region, version=version, sagemaker_session=self.session)
        except ValueError as error:
            known = " ".join(str(error).split())
            raise UserError(
                f'automl.toml: [evaluation] container_version = "{version}" is no image in {region}: {known}',
                file="automl.toml",
            ) from None

    @staticmethod
    def _input(name: str, uri: Any) -> Any:
        from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input

        place = ProcessingS3Input(
            s3_uri=uri,
            local_path=f"{_INPUT}/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
        )
        return ProcessingInput(input_name=name, s3_input=place)

    @staticmethod
    def _output(name: str, uri: Any) -> Any:
        from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

        place = ProcessingS3Output(s3_uri=uri, local_path=f"{_OUTPUT}/{name}", s3_upload_mode="EndOfJob")
        return ProcessingOutput(output_name=name, s3_output=place)

    def _register_model(self, start: Any, wait: Any, evaluate: Any) -> Any:
        given = self.parameters
        inputs = {
            "project": self.names.project,
            "execution_arn": self.execution.PIPELINE_EXECUTION_ARN,
            "execution_id": self.execution.PIPELINE_EXECUTION_ID,
            "evaluation_uri": self._of_execution("evaluations"),
            "automl_job_name": start.properties.Outputs["automl_job_name"],
            "automl_job_arn": wait.properties.Outputs["automl_job_arn"],
            "best_candidate": wait.properties.Outputs["best_candidate"],
            "objective_metric": wait.properties.Outputs["objective_metric"],
            "objective_value": wait.properties.Outputs["objective_value"],
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


# Not empty, so that the SDK does not read the machine's configuration files: they would change the
# definition.
_NO_DEFAULTS = {"SchemaVersion": "1.0"}


def _retry_policies() -> list[Any]:
    """Faults and throttling pass within minutes; capacity and quotas, which other jobs use up, within an hour
    or so.
    """
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )

    return [
        StepRetryPolicy(
            exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
            interval_seconds=5,
            backoff_rate=2.0,
            max_attempts=6,
        ),
        SageMakerJobStepRetryPolicy(
            exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
            failure_reason_types=[
                SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
            ],
            interval_seconds=60,
            backoff_rate=1.5,
            max_attempts=8,
        ),
    ]
