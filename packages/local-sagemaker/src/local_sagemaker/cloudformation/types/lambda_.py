"""AWS::Lambda::Function, AWS::Lambda::EventSourceMapping."""

from __future__ import annotations

import io
import zipfile

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work, chosen

CONFIGURATION = (
    "DeadLetterConfig",
    "Description",
    "Environment",
    "EphemeralStorage",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "VpcConfig",
)
# A property that is taken out of the template goes back to this.
DEFAULTS = {
    "Description": "",
    "Environment": {"Variables": {}},
    "MemorySize": 128,
    "Timeout": 3,
}


class _Function(ResourceType):
    """Ref is the name. RecursiveLoop and ReservedConcurrentExecutions are taken, and have no effect."""

    name = "AWS::Lambda::Function"
    properties = frozenset(
        {
            *CONFIGURATION,
            "Architectures",
            "Code",
            "FunctionName",
            "PackageType",
            "RecursiveLoop",
            "ReservedConcurrentExecutions",
            "Tags",
        }
    )
    required = frozenset({"Code", "Role"})
    fixed = frozenset({"FunctionName", "PackageType"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("FunctionName") or work.name()
        arn = work.call(
            "lambda",
            "create_function",
            FunctionName=name,
            Code=_code(new["Code"]),
            Tags=work.tag_map(_tags(new)) or None,
            **chosen(new, *CONFIGURATION, "Architectures", "PackageType"),
        )["FunctionArn"]
        work.made = name
        work.attributes = {"Arn": arn}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        code = ("Code", "Architectures")
        if chosen(old, *code) != chosen(new, *code):
            given = _code(new["Code"]) | chosen(new, "Architectures")
            work.call("lambda", "update_function_code", FunctionName=work.made, **given)
        changed = {
            key: new.get(key, DEFAULTS.get(key)) for key in CONFIGURATION if new.get(key) != old.get(key)
        }
        if changed:
            work.call("lambda", "update_function_configuration", FunctionName=work.made, **changed)
        tags = work.tag_map(_tags(new))
        if tags:
            work.call("lambda", "tag_resource", Resource=work.attributes["Arn"], Tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("lambda", "delete_function", FunctionName=work.made)


def _tags(properties: Properties) -> list[dict[str, str]]:
    tags: list[dict[str, str]] = properties.get("Tags", [])
    return tags


def _code(given: Properties) -> Properties:
    if "ZipFile" not in given:
        return given
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        # A template's ZipFile is source text, which Lambda puts into index.py.
        archive.writestr("index.py", given["ZipFile"])
    return {"ZipFile": buffer.getvalue()}


class _EventSourceMapping(ResourceType):
    """Ref is the UUID."""

    name = "AWS::Lambda::EventSourceMapping"
    properties = frozenset(
        {
            "BatchSize",
            "Enabled",
            "EventSourceArn",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
            "Tags",
        }
    )
    required = frozenset({"FunctionName"})
    fixed = frozenset({"EventSourceArn"})

    def create(self, work: Work, new: Properties) -> None:
        tags = work.tag_map(_tags(new)) or None
        made = work.call("lambda", "create_event_source_mapping", **new | {"Tags": tags})
        work.made = made["UUID"]
        arn = work.arn("lambda", f"event-source-mapping:{work.made}")
        work.attributes = {"EventSourceMappingArn": arn, "Id": work.made}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        settings = {key: value for key, value in new.items() if key not in ("EventSourceArn", "Tags")}
        if "FunctionResponseTypes" in old:
            settings.setdefault("FunctionResponseTypes", [])
        work.call("lambda", "update_event_source_mapping", UUID=work.made, **settings)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("lambda", "delete_event_source_mapping", UUID=work.made)
