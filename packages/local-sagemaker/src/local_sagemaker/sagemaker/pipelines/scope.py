"""The values that a running step's functions refer to."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_sagemaker import actors, clients
from local_sagemaker.sagemaker import resources, roles
from local_sagemaker.sagemaker.pipelines import expressions
from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError, JsonFile, Reference
from local_sagemaker.sagemaker.pipelines.state import Execution
from local_sagemaker.storage import split

# A Lambda step may take ten minutes. The client makes one attempt: retries are the step's matter.
_OPTIONS: dict[str, Any] = {"read_timeout": 600, "retries": {"total_max_attempts": 1}}


class ExecutionScope:
    """The parameters, variables and finished steps of one execution; S3 is read with the pipeline's role.

    ``extra`` are execution variables that exist for one step alone.
    """

    def __init__(self, execution: Execution, extra: dict[str, str] | None = None) -> None:
        self._execution = execution
        self._extra = extra or {}

    def resolve(self, reference: Reference) -> Any:
        """See :class:`local_sagemaker.sagemaker.pipelines.expressions.Scope`."""
        if reference.root == "Parameters":
            return self._execution.parameters[reference.name]
        if reference.root == "Execution":
            return self._variable(reference.name)
        properties = self._execution.steps[reference.name].properties
        try:
            value = expressions.follow(properties, reference.path)
        except ExpressionError as error:
            raise ExpressionError(f"Step '{reference.name}' has no value for {reference}") from error
        return timestamp(value) if isinstance(value, datetime) else value

    def read_json(self, file: JsonFile) -> Any:
        """See :class:`local_sagemaker.sagemaker.pipelines.expressions.Scope`."""
        uri = (
            self._property_file_uri(file.property_file)
            if file.property_file
            else expressions.evaluate(file.uri, self)
        )
        bucket, key = split(uri)
        s3 = client(self._execution, "s3")
        try:
            return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise ExpressionError(f"Cannot read {uri}: {error}") from error
        except ValueError as error:
            raise ExpressionError(f"{uri} is not valid JSON: {error}") from error

    def _variable(self, name: str) -> str:
        execution = self._execution
        values = {
            "CurrentDateTime": timestamp(resources.now()),
            "PipelineArn": execution.pipeline.arn,
            "PipelineExecutionArn": execution.arn,
            "PipelineExecutionId": execution.id,
            "PipelineName": execution.pipeline.name,
            "StartDateTime": timestamp(execution.created),
        } | self._extra
        if name not in values:
            raise ExpressionError(f"Execution.{name} has no value in this step")
        return values[name]

    def _property_file_uri(self, reference: Reference) -> str:
        files = self._execution.definition.steps[reference.name].body.property_files
        file = next(file for file in files if file.property_file_name == reference.path[1])
        path = ("ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri")
        prefix = self.resolve(Reference("Steps", reference.name, path))
        return f"{prefix.rstrip('/')}/{file.file_path.lstrip('/')}"


def client(execution: Execution, service: str) -> Any:
    """A boto3 client of ``service`` that acts as the pipeline's role."""
    with execution.changed:
        if service not in execution.clients:
            credentials = actors.credentials(execution.role_arn, roles.PRINCIPAL, execution.region)
            execution.clients[service] = clients.client(service, credentials, **_OPTIONS)
        return execution.clients[service]


def timestamp(moment: datetime) -> str:
    """A point in time as an execution variable carries it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
