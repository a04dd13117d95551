"""A pipeline definition (version 2020-12-01), read and checked as the service does it."""

from __future__ import annotations

import graphlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from local_sagemaker.sagemaker.pipelines import arguments, expressions
from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError, Reference
from local_sagemaker.sagemaker.pipelines.schema import (
    AnyBody,
    ConditionBody,
    DefinitionBody,
    ParameterBody,
    ProcessingBody,
    WorkBody,
    explain,
)
from local_sagemaker.sagemaker.pipelines.values import MismatchError, Parameter, from_json

EXECUTION_VARIABLES = (
    "CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId", "PipelineName",
    "ProcessingJobName", "StartDateTime",
)  # fmt: skip


class DefinitionError(Exception):
    """The definition is not valid; the message is the service's, or one in its manner."""


@dataclass(frozen=True)
class Branch:
    """Where a step inside a Condition step hangs: it runs only if ``condition`` has ``outcome``."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step, at any depth; all that it ``needs`` must have succeeded before it."""

    body: Any  # one of AnyBody; Any, because a runner knows the type of its steps
    branch: Branch | None
    needs: frozenset[str]

    @property
    def name(self) -> str:
        """Its name, unique in the definition."""
        return self.body.name

    @property
    def outputs(self) -> dict[str, str]:
        """Name and type of each output parameter (Lambda and Callback)."""
        return {output.output_name: output.output_type for output in self.body.output_parameters}


@dataclass(frozen=True)
class Definition:
    """A valid definition: ``text`` as it was given, parameters and (flattened) steps by name."""

    text: str
    parameters: dict[str, Parameter]
    steps: dict[str, Step]
    experiment: dict[str, Any] | None


def parse(text: str) -> Definition:
    """Read and check a definition.

    Raises :class:`DefinitionError` with the message that a ``ValidationException`` carries.
    """
    try:
        return _parse(text)
    except ValidationError as error:
        reason = explain(error)
    except RecursionError:
        reason = "It is nested too deeply"
    except ValueError as error:
        reason = f"Invalid Json: {error}"
    except (DefinitionError, ExpressionError, MismatchError) as error:
        reason = str(error)
    raise DefinitionError(f"Unable to parse pipeline definition. {reason.rstrip('.')}.")


def _parse(text: str) -> Definition:
    body = DefinitionBody.model_validate(json.loads(text))
    if body.mlflow_config:
        raise DefinitionError("MlflowConfig is not supported by the local AWS")
    parameters = _by_name("parameter", map(_parameter, body.parameters))
    steps = _by_name("step", (_step(item, branch) for item, branch in _flatten(body.steps, None)))
    for step in steps.values():
        _check_needs(step, steps)
        for reference in _references(step.body):
            _check_reference(f"Step '{step.name}'", reference, parameters, steps)
    for reference in expressions.references(body.pipeline_experiment_config):
        _check_reference("PipelineExperimentConfig", reference, parameters, {})
    _check_order(steps)
    return Definition(text, parameters, steps, body.pipeline_experiment_config)


def _by_name(what: str, items: Iterator[Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for item in items:
        if item.name in named:
            raise DefinitionError(f"Duplicate {what} name '{item.name}'")
        named[item.name] = item
    return named


def _parameter(body: ParameterBody) -> Parameter:
    default = body.default_value
    if default is not None:
        default = from_json(body.name, body.type, default)
    return Parameter(body.name, body.type, default, tuple(body.enum_values))


def _flatten(bodies: list[AnyBody], branch: Branch | None) -> Iterator[tuple[AnyBody, Branch | None]]:
    for body in bodies:
        yield body, branch
        if isinstance(body, ConditionBody):
            yield from _flatten(body.arguments.if_steps, Branch(body.name, True))
            yield from _flatten(body.arguments.else_steps, Branch(body.name, False))


def _step(body: AnyBody, branch: Branch | None) -> Step:
    needs = {dependency for dependency in body.depends_on if isinstance(dependency, str)}
    if not all(isinstance(dependency, str) for dependency in body.depends_on):
        raise DefinitionError(
            f"Step '{body.name}' depends on an outcome (Trigger), which is not supported by the local AWS"
        )
    if isinstance(body, WorkBody) and body.cache_config.enabled:
        raise DefinitionError(f"Step '{body.name}' asks for caching, which is not supported by the local AWS")
    if isinstance(body, ProcessingBody):
        _check_processing(body)
    needs |= {item.name for item in _references(body) if item.root == "Steps"}
    return Step(body, branch, frozenset(needs | {branch.condition} if branch else needs))


def _check_processing(body: ProcessingBody) -> None:
    arguments.check("CreateProcessingJob", body.arguments, left_out={"ProcessingJobName"})
    for policy in body.retry_policies:
        if policy.max_attempts is not None and policy.expire_after_min is not None:
            raise DefinitionError("Only one of MaxAttempts and ExpireAfterMin can be given in a retry policy")
    outputs = body.arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
    names = [output.get("OutputName") for output in outputs if isinstance(output, dict)]
    for file in body.property_files:
        if file.output_name not in names:
            raise DefinitionError(
                f"Processing output name '{file.output_name}' defined in property file"
                f" '{file.property_file_name}' not found in processing step '{body.name}'"
            )


def _references(body: AnyBody) -> Iterator[Reference]:
    """The references of a step itself; those of the steps inside it are theirs."""
    inside = {"arguments": {"if_steps", "else_steps"}} if isinstance(body, ConditionBody) else None
    return expressions.references(body.model_dump(by_alias=True, exclude=inside))


def _check_needs(step: Step, steps: dict[str, Step]) -> None:
    for name in sorted(step.needs):
        if name not in steps:
            raise DefinitionError(f"Step '{step.name}' depends on step '{name}', which is undefined")
        if steps[name].body.type == "Fail":
            raise DefinitionError(f"{step.name} can not depends on {name}")


def _check_reference(
    who: str, reference: Reference, parameters: dict[str, Parameter], steps: dict[str, Step]
) -> None:
    if reference.root == "Parameters" and (reference.name not in parameters or reference.path):
        raise DefinitionError(f"{who} refers to {reference}, which is undefined")
    if reference.root == "Execution" and (reference.name not in EXECUTION_VARIABLES or reference.path):
        raise DefinitionError(f"{who} refers to {reference}, which is no execution variable")
    if reference.root == "Steps" and not (
        reference.name in steps and _has_property(steps[reference.name], reference)
    ):
        raise DefinitionError(f"{who} refers to {reference}, which step '{reference.name}' does not have")


def _has_property(step: Step, reference: Reference) -> bool:
    path = reference.path
    match step.body.type:
        case "Lambda" | "Callback":
            return len(path) == 2 and path[0] == "OutputParameters" and path[1] in step.outputs
        case "Condition":
            return path == ("Outcome",)
        case "Processing" if path[:1] == ("PropertyFiles",):
            names = [file.property_file_name for file in step.body.property_files]
            return len(path) == 2 and path[1] in names
        case "Processing":
            return bool(path) and arguments.has_member("DescribeProcessingJob", path)
    return False


def _check_order(steps: dict[str, Step]) -> None:
    try:
        graphlib.TopologicalSorter({name: step.needs for name, step in steps.items()}).prepare()
    except graphlib.CycleError as error:
        raise DefinitionError(f"The steps form a cycle: {' -> '.join(error.args[1])}") from error
