"""The arguments of a step that calls an API operation, checked against botocore's model of that operation."""

from __future__ import annotations

import functools
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape

from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError, Path, is_expression


def check(operation: str, arguments: dict[str, Any], left_out: set[str]) -> None:
    """Raise :class:`ExpressionError` where ``arguments`` do not fit the input of SageMaker's ``operation``.

    The members ``left_out`` are the service's to fill in. A function stands for a value of any type.
    """
    shape = _operation(operation).input_shape
    for name in left_out & set(arguments):
        raise ExpressionError(f"Unknown Argument member '{name}'")
    missing = [name for name in shape.required_members if name not in arguments and name not in left_out]
    if missing:
        raise ExpressionError(f"Model Validation failed: Missing required Argument member '{missing[0]}'")
    _check(shape, arguments)


def has_member(operation: str, path: Path) -> bool:
    """Whether the answer of ``operation`` has what ``path`` leads to."""
    shape = _operation(operation).output_shape
    for part in path:
        if shape.type_name == "structure" and part in shape.members:
            shape = shape.members[part]
        elif shape.type_name == "list":
            shape = shape.member
        elif shape.type_name == "map":
            shape = shape.value
        else:
            return False
    return True


@functools.cache
def _operation(name: str) -> OperationModel:
    return botocore.session.get_session().get_service_model("sagemaker").operation_model(name)


def _check(shape: Shape, value: Any) -> None:
    if is_expression(value):
        return
    if shape.type_name == "structure":
        if not isinstance(value, dict):
            raise ExpressionError("Expecting start of Json Object")
        for name, item in value.items():
            if name not in shape.members:
                raise ExpressionError(f"Unknown Argument member '{name}'")
            _check(shape.members[name], item)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            raise ExpressionError("Expecting start of Json Array")
        for item in value:
            _check(shape.member, item)
    elif shape.type_name == "map":
        if not isinstance(value, dict):
            raise ExpressionError("Expecting start of Json Object")
        for item in value.values():
            _check(shape.value, item)
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        raise ExpressionError(
            f"Model Validation failed: Value '{value}' for '{shape.name}' failed to satisfy enum value set:"
            f" [{', '.join(shape.enum)}]"
        )
