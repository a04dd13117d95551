"""The form of a pipeline definition (version 2020-12-01): which members each object has, and of which type.

What the members mean together is checked in :mod:`local_sagemaker.sagemaker.pipelines.definition`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from local_sagemaker.sagemaker.pipelines.values import Type

# Known to the service, and not to the local AWS.
OTHER_STEP_TYPES = (
    "AutoML", "ClarifyCheck", "Cleanup", "EMR", "EMRServerless", "Endpoint", "EndpointConfig", "ForEach",
    "InferenceComponent", "Job", "Lineage", "Model", "QualityCheck", "RegisterModel", "Training", "Transform",
    "Tuning",
)  # fmt: skip
# The developer guide calls JOB_CAPACITY_ERROR what the SDK calls CAPACITY_ERROR.
ExceptionType = Literal[
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.JOB_CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
]
Text = str | dict[str, Any]  # a string, or a function that gives one


class Body(BaseModel):
    """A JSON object of the definition; its members are written in Pascal case."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid", strict=True, frozen=True)


class ParameterBody(Body):
    """A parameter."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9\-_]{1,256}$")]
    type: Type
    default_value: str | int | float | bool | None = None
    enum_values: list[str] = []


class Output(Body):
    """An output parameter of a Lambda or Callback step."""

    output_name: Annotated[str, Field(min_length=1, max_length=256)]
    output_type: Type


class PropertyFile(Body):
    """A JSON file in an output of a processing job, for ``Std:JsonGet``."""

    property_file_name: str
    output_name: str
    file_path: str


class RetryPolicy(Body):
    """When, how often and how long a step is retried; bounds as in the developer guide."""

    exception_type: Annotated[list[ExceptionType], Field(min_length=1)]
    interval_seconds: Annotated[int, Field(ge=0, le=43200)] = 1
    backoff_rate: Annotated[float, Field(ge=0)] = 2.0
    max_attempts: Annotated[int, Field(ge=0, le=20)] | None = None
    expire_after_min: Annotated[int, Field(ge=0, le=14400)] | None = None


class CacheConfig(Body):
    """Whether the step may take an earlier execution's result."""

    enabled: bool = False
    expire_after: str | None = None


class StepBody(Body):
    """What steps of all types have. An entry of ``depends_on`` may be an object, which names an outcome."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9\-_]{1,64}$")]
    depends_on: list[str | dict[str, Any]] = []
    display_name: str | None = None
    description: str | None = None


class WorkBody(StepBody):
    """What the steps have that let another service work, with ``arguments`` that may hold functions."""

    arguments: dict[str, Any] = {}
    cache_config: CacheConfig = CacheConfig()


class LambdaBody(WorkBody):
    """A Lambda step."""

    type: Literal["Lambda"]
    function_arn: Text
    output_parameters: list[Output] = []


class CallbackBody(WorkBody):
    """A Callback step."""

    type: Literal["Callback"]
    sqs_queue_url: Text
    output_parameters: list[Output] = []


class ProcessingBody(WorkBody):
    """A Processing step; ``arguments`` are those of CreateProcessingJob."""

    type: Literal["Processing"]
    property_files: list[PropertyFile] = []
    retry_policies: list[RetryPolicy] = []


class FailArguments(Body):
    """The message of a Fail step."""

    error_message: Any = ""


class FailBody(StepBody):
    """A Fail step."""

    type: Literal["Fail"]
    arguments: FailArguments = FailArguments()


class Comparison(Body):
    """A condition on two values."""

    type: Literal["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
    left_value: Any
    right_value: Any


class In(Body):
    """The condition that a value is one of several."""

    type: Literal["In"]
    query_value: Any
    values: list[Any]


class Not(Body):
    """The condition that another one does not hold."""

    type: Literal["Not"]
    condition: AnyCondition


class Or(Body):
    """The condition that one of several holds."""

    type: Literal["Or"]
    conditions: list[AnyCondition]


AnyCondition = Annotated[Comparison | In | Not | Or, Field(discriminator="type")]


class ConditionArguments(Body):
    """The conditions of a Condition step, and the steps of its branches."""

    conditions: list[AnyCondition]
    if_steps: list[AnyBody] = []
    else_steps: list[AnyBody] = []


class ConditionBody(StepBody):
    """A Condition step."""

    type: Literal["Condition"]
    arguments: ConditionArguments


AnyBody = Annotated[
    LambdaBody | CallbackBody | ProcessingBody | FailBody | ConditionBody, Field(discriminator="type")
]


class DefinitionBody(Body):
    """A whole definition."""

    version: Literal["2020-12-01"]
    metadata: dict[str, Any] | None = None
    parameters: list[ParameterBody] = []
    pipeline_experiment_config: dict[str, Any] | None = None
    mlflow_config: dict[str, Any] | None = None
    steps: Annotated[list[AnyBody], Field(min_length=1)]


for _recursive in (Not, Or, ConditionArguments):
    _recursive.model_rebuild()


def explain(error: ValidationError) -> str:
    """One thing that is wrong, an unknown member first; said as the service says it where that is known."""
    first = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    where, name = ".".join(str(part) for part in first["loc"]), first["loc"][-1] if first["loc"] else ""
    match first["type"]:
        case "extra_forbidden":
            return f"Cannot parse object, unknown property '{name}'"
        case "model_type" | "dict_type" | "model_attributes_type":
            return "Expecting start of Json Object"
        case "list_type":
            return "Expecting start of Json Array"
        case "union_tag_invalid" if first["ctx"]["tag"] in OTHER_STEP_TYPES:
            return f"{where} is of type '{first['ctx']['tag']}', which is not supported by the local AWS"
        case "union_tag_invalid":
            return f"{where} is of the unknown type '{first['ctx']['tag']}'"
        case "missing":
            return f"Missing required property '{where}'"
    return f"{where}: {first['msg']}"
