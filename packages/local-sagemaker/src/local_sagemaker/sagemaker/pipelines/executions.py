"""Executions of pipelines: start, describe, list, stop, retry, and the answers to callback steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from local_sagemaker.authorization.arns import resolver
from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.pipelines import engine, expressions, scope, state, values
from local_sagemaker.sagemaker.pipelines.operations import created_within, operation
from local_sagemaker.sagemaker.pipelines.state import Execution, Pipeline
from local_sagemaker.sagemaker.pipelines.steps import callback


@operation("StartPipelineExecution")
def start_pipeline_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """StartPipelineExecution; a pipeline's same ``ClientRequestToken`` again gives the same execution."""
    pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    token = parameters["ClientRequestToken"]
    with state.lock:
        if token not in pipeline.start_tokens:
            execution = _new_execution(caller, pipeline, parameters)
            pipeline.executions[execution.arn] = execution
            pipeline.start_tokens[token] = execution.arn
            pipeline.last_run, execution.version.last_execution = execution.created, execution.arn
            engine.start(execution)
        return {"PipelineExecutionArn": pipeline.start_tokens[token]}


@operation("DescribePipelineExecution")
def describe_pipeline_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """DescribePipelineExecution."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    with execution.changed:
        return resources.present(
            {
                "PipelineArn": execution.pipeline.arn,
                "PipelineExecutionArn": execution.arn,
                "PipelineExecutionDisplayName": execution.display_name,
                "PipelineExecutionStatus": execution.status,
                "PipelineExecutionDescription": execution.description,
                "PipelineExperimentConfig": _experiment(execution),
                "FailureReason": execution.failure_reason,
                "CreationTime": execution.created,
                "LastModifiedTime": execution.modified,
                "CreatedBy": execution.created_by,
                "LastModifiedBy": execution.modified_by,
                "ParallelismConfiguration": execution.parallelism,
                "PipelineVersionId": execution.version.id,
                "RoleArn": execution.role_arn,
            }
        )


@operation("UpdatePipelineExecution")
def update_pipeline_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """UpdatePipelineExecution."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    with execution.changed:
        execution.display_name = parameters.get("PipelineExecutionDisplayName", execution.display_name)
        execution.description = parameters.get("PipelineExecutionDescription", execution.description)
        execution.parallelism = parameters.get("ParallelismConfiguration", execution.parallelism)
        execution.modified, execution.modified_by = resources.now(), resources.user_context(caller)
        execution.changed.notify_all()
    return {"PipelineExecutionArn": execution.arn}


@operation("ListPipelineExecutions")
def list_pipeline_executions(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """ListPipelineExecutions."""
    pipeline = state.find_pipeline(caller, parameters["PipelineName"])
    records = [
        {
            "PipelineExecutionArn": execution.arn,
            "CreationTime": execution.created,
            "StartTime": execution.created,
            "PipelineExecutionStatus": execution.status,
            "PipelineExecutionDescription": execution.description,
            "PipelineExecutionDisplayName": execution.display_name,
            "PipelineExecutionFailureReason": execution.failure_reason,
        }
        for execution in list(pipeline.executions.values())
    ]
    return resources.listed(
        records, created_within(parameters), "PipelineExecutionSummaries", "PipelineExecutionArn"
    )


@operation("ListPipelineExecutionSteps")
def list_pipeline_execution_steps(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """ListPipelineExecutionSteps: the steps that have begun, the last one first."""
    if "PipelineExecutionArn" not in parameters:
        raise resources.invalid("PipelineExecutionArn is required")
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    steps = execution.definition.steps
    with execution.changed:
        records = [
            {
                "StepName": run.name,
                "StepDisplayName": steps[run.name].body.display_name,
                "StepDescription": steps[run.name].body.description,
                "CreationTime": run.started,
                "StartTime": run.started,
                "EndTime": run.ended,
                "StepStatus": run.status,
                "FailureReason": run.failure_reason,
                "Metadata": dict(run.metadata),
                "AttemptCount": run.attempts,
            }
            for run in execution.steps.values()
        ]
    return resources.listed(records, parameters, "PipelineExecutionSteps", "StepName")


@operation("ListPipelineParametersForExecution")
def list_pipeline_parameters_for_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """ListPipelineParametersForExecution: all of them, with the values that this execution has."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    bound = execution.parameters.items()
    records = [{"Name": name, "Value": values.to_text(value)} for name, value in bound]
    return resources.page(records, parameters, "PipelineParameters")


@operation("DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """DescribePipelineDefinitionForExecution: as it was when the execution began."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    return {"PipelineDefinition": execution.definition.text, "CreationTime": execution.created}


@operation("StopPipelineExecution")
def stop_pipeline_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """StopPipelineExecution; running steps end first, a callback step once its token is answered."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    with execution.changed:
        if execution.status in state.ENDED:
            raise resources.invalid(
                f"Pipeline execution '{execution.arn}' cannot be stopped: its status is {execution.status}."
            )
        execution.modified_by = resources.user_context(caller)
        execution.update("Stopping")
    return {"PipelineExecutionArn": execution.arn}


@operation("RetryPipelineExecution")
def retry_pipeline_execution(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """RetryPipelineExecution: the steps that failed, were stopped or had not begun run; the others stand."""
    execution = state.find_execution(caller, parameters["PipelineExecutionArn"])
    with execution.changed:
        if parameters["ClientRequestToken"] in execution.retry_tokens:
            return {"PipelineExecutionArn": execution.arn}
        if execution.status not in ("Failed", "Stopped"):
            raise resources.invalid(
                f"Pipeline execution '{execution.arn}' cannot be retried: its status is {execution.status}."
            )
        execution.retry_tokens.add(parameters["ClientRequestToken"])
        execution.parallelism = parameters.get("ParallelismConfiguration", execution.parallelism)
        execution.modified_by = resources.user_context(caller)
        execution.steps = {name: run for name, run in execution.steps.items() if run.status == "Succeeded"}
        execution.update("Executing")
        engine.start(execution)
    return {"PipelineExecutionArn": execution.arn}


@operation("SendPipelineExecutionStepSuccess")
def send_pipeline_execution_step_success(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """SendPipelineExecutionStepSuccess."""
    outputs = {item["Name"]: item["Value"] for item in parameters.get("OutputParameters") or []}
    return {"PipelineExecutionArn": callback.succeed(caller, _tokens(parameters), outputs).arn}


@operation("SendPipelineExecutionStepFailure")
def send_pipeline_execution_step_failure(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """SendPipelineExecutionStepFailure."""
    reason = parameters.get("FailureReason", "")
    return {"PipelineExecutionArn": callback.fail(caller, _tokens(parameters), reason).arn}


@resolver("sagemaker", "SendPipelineExecutionStepSuccess")
@resolver("sagemaker", "SendPipelineExecutionStepFailure")
def _answered_execution(account: str, region: str, parameters: Mapping[str, Any]) -> str | None:
    return callback.execution_arn(parameters.get("CallbackToken", ""))


def _tokens(parameters: dict[str, Any]) -> tuple[str, str]:
    return parameters["CallbackToken"], parameters.get("ClientRequestToken", "")


def _new_execution(caller: Caller, pipeline: Pipeline, parameters: dict[str, Any]) -> Execution:
    version = state.find_version(pipeline, parameters.get("PipelineVersionId"))
    given = {item["Name"]: item["Value"] for item in parameters.get("PipelineParameters") or []}
    try:
        bound = values.bind(version.definition.parameters, given)
    except values.MismatchError as error:
        raise resources.invalid(str(error)) from error
    identifier = state.random_id(12)
    return Execution(
        id=identifier,
        arn=f"{pipeline.arn}/execution/{identifier}",
        pipeline=pipeline,
        version=version,
        role_arn=parameters.get("RoleArn", pipeline.role_arn),
        account=caller.account,
        region=caller.region,
        display_name=parameters.get("PipelineExecutionDisplayName")
        or f"execution-{time.time_ns() // 1_000_000}",
        description=parameters.get("PipelineExecutionDescription"),
        parallelism=parameters.get("ParallelismConfiguration", pipeline.parallelism),
        parameters=bound,
        created=resources.now(),
        created_by=resources.user_context(caller),
        modified_by=resources.user_context(caller),
    )


def _experiment(execution: Execution) -> dict[str, Any] | None:
    if not execution.definition.experiment:
        return None
    return expressions.evaluate(execution.definition.experiment, scope.ExecutionScope(execution))
