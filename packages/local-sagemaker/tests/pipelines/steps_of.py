"""Steps of a definition, as short as they get."""

from __future__ import annotations

from typing import Any


def get(reference: str) -> dict[str, str]:
    return {"Get": reference}


def join(on: str, *values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def outputs(**types: str) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": kind} for name, kind in types.items()]


def fail(name: str, message: Any = "", **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def callback(name: str, queue: str, arguments: Any = None, types: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": arguments or {},
        "OutputParameters": outputs(**(types or {})),
        **more,
    }


def function(name: str, arn: str, arguments: Any = None, types: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": arn,
        "Arguments": arguments or {},
        "OutputParameters": outputs(**(types or {})),
        **more,
    }


def condition(name: str, conditions: list[Any], yes: Any = (), no: Any = (), **more: Any) -> dict[str, Any]:
    arguments = {"Conditions": conditions, "IfSteps": list(yes), "ElseSteps": list(no)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def processing(name: str, role: str, script: list[Any], output: str = "", **more: Any) -> dict[str, Any]:
    """A processing job that runs ``script``; its channel ``report`` goes to the prefix ``output``."""
    arguments: dict[str, Any] = {
        "RoleArn": role,
        "AppSpecification": {"ImageUri": "scikit-learn", "ContainerEntrypoint": script},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
    }
    if output:
        channel = {
            "S3Uri": output,
            "LocalPath": "/opt/ml/processing/output/report",
            "S3UploadMode": "EndOfJob",
        }
        arguments["ProcessingOutputConfig"] = {"Outputs": [{"OutputName": "report", "S3Output": channel}]}
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}
