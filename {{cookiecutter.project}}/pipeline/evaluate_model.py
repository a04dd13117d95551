"""EvaluateModel: the processing job in which evaluation/ judges the candidate, and what such a job consists of."""

from typing import Any

from automl_gitops.runs.bundle import ENTRY_POINT
from automl_gitops.runs.definition import Shared, evaluation_image

INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
# The last words of a job: they are its ExitMessage, and part of its FailureReason.
MESSAGE = "/opt/ml/output/message"


def evaluate_model(shared: Shared, start: Any, wait: Any) -> tuple[Any, Any]:
    """The step, and the property file that it leaves for the condition."""
    from sagemaker.core.workflow.properties import PropertyFile
    from sagemaker.mlops.workflow.steps import ProcessingStep

    given = shared.parameters
    report = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    arguments = [
        "--automl-job-name", start.properties.Outputs["automl_job_name"],
        "--execution-id", shared.execution.PIPELINE_EXECUTION_ID,
        "--role-arn", shared.names.execution_role_arn,
        "--bucket", shared.names.bucket,
        "--x-test-uri", given["XTestUri"],
        "--threshold", given["GateThreshold"].to_string(),
        "--champion", given["ChampionModelPackageArn"],
        "--transform-instance-type", given["TransformInstanceType"],
        "--transform-instance-count", given["TransformInstanceCount"].to_string(),
        "--y-test", f"{INPUT}/y_test",
        "--x-test", f"{INPUT}/x_test",
        "--output", f"{OUTPUT}/evaluation",
        "--message", MESSAGE,
    ]  # fmt: skip
    if shared.config.encryption:
        arguments += ["--kms-key", shared.config.encryption.kms_key]
    inputs = [
        code(shared),
        job_input("x_test", given["XTestUri"]),
        job_input("y_test", given["YTestUri"]),
    ]
    if shared.config.decision.on_validation:
        inputs.append(job_input("validation", given["ValidationUri"]))
        arguments += ["--validation", f"{INPUT}/validation"]
    step = ProcessingStep(
        name="EvaluateModel",
        step_args=processor(shared, ENTRY_POINT).run(
            inputs=inputs,
            outputs=[job_output("evaluation", shared.of_execution("evaluations"))],
            arguments=arguments,
        ),
        property_files=[report],
        retry_policies=_retry_policies(),
        depends_on=[wait],
    )
    return step, report


def processor(shared: Shared, script: str) -> Any:
    """A job in SageMaker's scikit-learn container that runs ``script``, a file of evaluation/."""
    from sagemaker.core.network import NetworkConfig
    from sagemaker.core.processing import Processor

    config = shared.config
    network, encryption = config.network, config.encryption
    key = encryption.kms_key if encryption else None
    return Processor(
        role=shared.names.execution_role_arn,
        image_uri=evaluation_image(config.evaluation.container_version, shared.names.region, shared.session),
        instance_type=shared.parameters["EvaluationInstanceType"],
        instance_count=shared.parameters["EvaluationInstanceCount"],
        volume_size_in_gb=config.evaluation.volume_size_gb,
        max_runtime_in_seconds=config.evaluation.max_seconds,
        # boto3 looks for the region here, where the service sets AWS_REGION at most.
        env={"AWS_DEFAULT_REGION": shared.names.region},
        entrypoint=["python3", f"{INPUT}/code/{script}"],
        output_kms_key=key,
        volume_kms_key=key,
        network_config=network
        and NetworkConfig(subnets=network.subnets, security_group_ids=network.security_groups),
        tags=[{"Key": name, "Value": value} for name, value in config.project.every_tag.items()],
        sagemaker_session=shared.session,
    )


def code(shared: Shared) -> Any:
    """The job's input with evaluation/ and its settings."""
    return job_input("code", shared.names.s3(shared.bundle.prefix, ""))


def job_input(name: str, uri: Any) -> Any:
    """What lies at an S3 prefix, as the folder /opt/ml/processing/input/NAME of the job."""
    from sagemaker.core.shapes import ProcessingInput, ProcessingS3Input

    place = ProcessingS3Input(
        s3_uri=uri,
        local_path=f"{INPUT}/{name}",
        s3_data_type="S3Prefix",
        s3_input_mode="File",
        s3_data_distribution_type="FullyReplicated",
    )
    return ProcessingInput(input_name=name, s3_input=place)


def job_output(name: str, uri: Any) -> Any:
    """The job's folder /opt/ml/processing/output/NAME, which goes to an S3 prefix in the end."""
    from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output

    place = ProcessingS3Output(s3_uri=uri, local_path=f"{OUTPUT}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


def _retry_policies() -> list[Any]:
    """Faults and throttling pass within minutes; a lack of capacity, or a quota that other jobs use up, may last an
    hour.
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
