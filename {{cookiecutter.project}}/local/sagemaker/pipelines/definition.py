"""A pipeline definition (version 2020-12-01), read and checked as the service does it."""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.sagemaker.pipelines import arguments, conditions, expressions, retries
from local.sagemaker.pipelines.expressions import ExpressionError, Reference
from local.sagemaker.pipelines.values import TYPES, MismatchError, Parameter, from_json

VERSION = "2020-12-01"
STEP_TYPES = ("Callback", "Condition", "Fail", "Lambda", "Processing")
# Known to the service, and not to the local AWS.
OTHER_STEP_TYPES = (
    "AutoML", "ClarifyCheck", "Cleanup", "EMR", "EMRServerless", "Endpoint", "EndpointConfig", "ForEach",
    "InferenceComponent", "Job", "Lineage", "Model", "QualityCheck", "RegisterModel", "Training", "Transform",
    "Tuning",
)  # fmt: skip
EXECUTION_VARIABLES = (
    "CurrentDateTime", "PipelineArn", "PipelineExecutionArn", "PipelineExecutionId", "PipelineName",
    "ProcessingJobName", "StartDateTime",
)  # fmt: skip
_TOP = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
_STEP = {"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"}
_STEP_OF_TYPE = {
    "Callback": {"SqsQueueUrl", "OutputParameters", "CacheConfig"},
    "Condition": set(),
    "Fail": set(),
    "Lambda": {"FunctionArn", "OutputParameters", "CacheConfig"},
    "Processing": {"PropertyFiles", "RetryPolicies", "CacheConfig"},
}


class DefinitionError(Exception):
    """The definition is not valid; the message is the service's, or one in its manner."""


@dataclass(frozen=True)
class Branch:
    """Where a step inside a Condition step hangs: it runs only if ``condition`` has ``outcome``."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step, at any depth. ``body`` is its JSON object; ``needs`` must have succeeded before it."""

    name: str
    type: str
    body: dict[str, Any]
    branch: Branch | None
    needs: frozenset[str]

    @property
    def arguments(self) -> dict[str, Any]:
        """The step's ``Arguments``, functions not yet evaluated."""
        return self.body.get("Arguments") or {}

    @property
    def outputs(self) -> dict[str, str]:
        """Name and type of each output parameter (Lambda and Callback)."""
        return {item["OutputName"]: item["OutputType"] for item in self.body.get("OutputParameters") or []}

    @property
    def property_files(self) -> dict[str, dict[str, str]]:
        """Each property file (``OutputName``, ``FilePath``) by its name (Processing)."""
        return {item["PropertyFileName"]: item for item in self.body.get("PropertyFiles") or []}


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
        document = json.loads(text)
    except ValueError as error:
        raise DefinitionError(f"Unable to parse pipeline definition. Invalid Json: {error}.") from error
    try:
        _object(document, "the definition")
        _known(document, _TOP)
        if document.get("Version") != VERSION:
            raise DefinitionError(f"Unknown version '{document.get('Version')}', expected '{VERSION}'.")
        if document.get("MlflowConfig"):
            raise DefinitionError("MlflowConfig is not supported by the local AWS.")
        parameters = dict(_parameters(document.get("Parameters") or []))
        steps = _steps(document.get("Steps"))
        for step in steps.values():
            _check_references(step, parameters, steps)
        _check_order(steps)
    except (DefinitionError, ExpressionError, MismatchError) as error:
        raise DefinitionError(f"Unable to parse pipeline definition. {str(error).rstrip('.')}.") from error
    return Definition(text, parameters, steps, document.get("PipelineExperimentConfig"))


def _parameters(items: Any) -> Iterator[tuple[str, Parameter]]:
    seen = set()
    for item in _array(items):
        _object(item, "a parameter")
        _known(item, {"Name", "Type", "DefaultValue", "EnumValues"})
        name, kind = item.get("Name"), item.get("Type")
        _name(name, 256, "parameter")
        if name in seen:
            raise DefinitionError(f"Duplicate parameter name '{name}'.")
        if kind not in TYPES:
            raise DefinitionError(
                f"Parameter '{name}' has the unknown type '{kind}' (known: {', '.join(TYPES)})."
            )
        default = item.get("DefaultValue")
        seen.add(name)
        yield (
            name,
            Parameter(
                name,
                kind,
                None if default is None else from_json(name, kind, default),
                tuple(item.get("EnumValues") or ()),
            ),
        )


def _steps(items: Any) -> dict[str, Step]:
    found: dict[str, Step] = {}
    for body, branch in _flatten(items, None):
        step = _step(body, branch)
        if step.name in found:
            raise DefinitionError(f"Duplicate step name '{step.name}'.")
        found[step.name] = step
    if not found:
        raise DefinitionError("A pipeline has at least one step.")
    return found


def _flatten(items: Any, branch: Branch | None) -> Iterator[tuple[dict[str, Any], Branch | None]]:
    for body in _array(items):
        _object(body, "a step")
        yield body, branch
        if body.get("Type") == "Condition":
            arguments = _object(body.get("Arguments"), "the arguments")
            _known(arguments, {"Conditions", "IfSteps", "ElseSteps"})
            for outcome, key in ((True, "IfSteps"), (False, "ElseSteps")):
                yield from _flatten(arguments.get(key) or [], Branch(body.get("Name", ""), outcome))


def _step(body: dict[str, Any], branch: Branch | None) -> Step:
    name, kind = body.get("Name"), body.get("Type")
    _name(name, 64, "step")
    if kind in OTHER_STEP_TYPES:
        raise DefinitionError(f"Step '{name}' is of type '{kind}', which is not supported by the local AWS.")
    if kind not in STEP_TYPES:
        raise DefinitionError(f"Step '{name}' is of the unknown type '{kind}'.")
    _known(body, _STEP | _STEP_OF_TYPE[kind])
    _object(body.get("Arguments", {}), "the arguments")
    if (body.get("CacheConfig") or {}).get("Enabled"):
        raise DefinitionError(f"Step '{name}' asks for caching, which is not supported by the local AWS.")
    _check_type(body)
    needs = {_dependency(item, name) for item in _array(body.get("DependsOn") or [])}
    needs |= {reference.name for reference in _own_references(body) if reference.root == "Steps"}
    needs |= {branch.condition} if branch else set()
    return Step(name, kind, body, branch, frozenset(needs))


def _check_type(body: dict[str, Any]) -> None:
    name, kind = body["Name"], body["Type"]
    if kind == "Lambda" and not isinstance(body.get("FunctionArn"), str):
        raise DefinitionError(f"Lambda step '{name}' has no FunctionArn.")
    if kind == "Callback" and not body.get("SqsQueueUrl"):
        raise DefinitionError(f"Callback step '{name}' has no SqsQueueUrl.")
    if kind == "Fail":
        _known(body.get("Arguments", {}), {"ErrorMessage"})
    if kind == "Condition":
        for condition in _array(body["Arguments"].get("Conditions")):
            conditions.check(condition)
    for output in _array(body.get("OutputParameters") or []):
        if output.get("OutputType") not in TYPES or not output.get("OutputName"):
            raise DefinitionError(
                f"Step '{name}' has an output without OutputName or with an unknown OutputType."
            )
    if kind == "Processing":
        _check_processing(body)


def _check_processing(body: dict[str, Any]) -> None:
    arguments.check("CreateProcessingJob", body.get("Arguments", {}), left_out={"ProcessingJobName"})
    for policy in _array(body.get("RetryPolicies") or []):
        retries.check(policy)
    outputs = (body["Arguments"].get("ProcessingOutputConfig") or {}).get("Outputs") or []
    names = {output.get("OutputName") for output in outputs}
    for file in _array(body.get("PropertyFiles") or []):
        _known(file, {"PropertyFileName", "OutputName", "FilePath"})
        if file.get("OutputName") not in names:
            raise DefinitionError(
                f"Processing output name '{file.get('OutputName')}' defined in property file"
                f" '{file.get('PropertyFileName')}' not found in processing step '{body['Name']}'."
            )


def _dependency(item: Any, name: str) -> str:
    if isinstance(item, dict):
        raise DefinitionError(
            f"Step '{name}' depends on an outcome (Trigger), which is not supported by the local AWS."
        )
    return item


def _own_references(body: dict[str, Any]) -> Iterator[Reference]:
    """The references of a step itself; those of the steps inside it are theirs."""
    own = dict(body)
    if body["Type"] == "Condition":
        own["Arguments"] = body["Arguments"].get("Conditions")
    return expressions.references(own)


def _check_references(step: Step, parameters: dict[str, Parameter], steps: dict[str, Step]) -> None:
    for needed in sorted(step.needs):
        if needed not in steps:
            raise DefinitionError(f"Step '{step.name}' depends on step '{needed}', which is undefined.")
        if steps[needed].type == "Fail":
            raise DefinitionError(f"{step.name} can not depends on {needed}.")
    for reference in _own_references(step.body):
        if reference.root == "Parameters" and (reference.name not in parameters or reference.path):
            raise DefinitionError(f"Step '{step.name}' refers to {reference}, which is undefined.")
        if reference.root == "Execution" and (reference.name not in EXECUTION_VARIABLES or reference.path):
            raise DefinitionError(
                f"Step '{step.name}' refers to {reference}, which is no execution variable."
            )
        if reference.root == "Steps" and not _has_property(steps[reference.name], reference):
            raise DefinitionError(
                f"Step '{step.name}' refers to {reference}, which step '{reference.name}' does not have."
            )


def _has_property(step: Step, reference: Reference) -> bool:
    path = reference.path
    if step.type in ("Lambda", "Callback"):
        return len(path) == 2 and path[0] == "OutputParameters" and path[1] in step.outputs
    if step.type == "Condition":
        return path == ("Outcome",)
    if path[:1] == ("PropertyFiles",):
        return len(path) == 2 and path[1] in step.property_files
    return bool(path) and arguments.has_member("DescribeProcessingJob", path)


def _check_order(steps: dict[str, Step]) -> None:
    try:
        graphlib.TopologicalSorter({name: step.needs for name, step in steps.items()}).prepare()
    except graphlib.CycleError as error:
        raise DefinitionError(f"The steps form a cycle: {' -> '.join(error.args[1])}.") from error


def _name(name: Any, longest: int, what: str) -> None:
    if not isinstance(name, str) or not re.fullmatch(rf"[A-Za-z0-9_-]{{1,{longest}}}", name):
        raise DefinitionError(f"The {what} name {name!r} does not match [A-Za-z0-9\\-_]{{1,{longest}}}.")


def _known(body: dict[str, Any], names: set[str]) -> None:
    for name in body:
        if name not in names:
            raise DefinitionError(f"Cannot parse object, unknown property '{name}'.")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DefinitionError(f"Expecting start of Json Object for {what}.")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise DefinitionError("Expecting start of Json Array.")
    return value
