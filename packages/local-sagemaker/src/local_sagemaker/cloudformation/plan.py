"""What a template would do to a stack, without doing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_sagemaker.bridge import AWSError
from local_sagemaker.cloudformation import parameters, template, types
from local_sagemaker.cloudformation.functions import evaluate
from local_sagemaker.cloudformation.stacks import Stack, Wanted
from local_sagemaker.cloudformation.template import invalid

UNCHANGED = "No updates are to be performed."
# Options that would change what happens, and that the local AWS does not know.
NOT_OFFERED = (
    "DisableRollback",
    "EnableTerminationProtection",
    "ImportExistingResources",
    "IncludeNestedStacks",
    "NotificationARNs",
    "ResourceTypes",
    "RetainExceptOnCreate",
    "RollbackConfiguration",
    "StackPolicyBody",
    "StackPolicyURL",
)


@dataclass(frozen=True)
class Change:
    """A resource that is added, modified or removed."""

    action: str
    logical_id: str
    physical_id: str
    type: str
    replacement: bool = False


def read(request: dict[str, Any], stack: Stack | None) -> Wanted:
    """What a CreateStack, UpdateStack or CreateChangeSet request wants; raises as the service does."""
    check_options(request)
    before = stack.wanted if stack else None
    text = request.get("TemplateBody")
    if request.get("UsePreviousTemplate") and before:
        text = before.text
    if not text:
        raise invalid("Either Template URL or Template Body must be specified.")
    if len(text.encode()) > template.MAX_BYTES:
        raise invalid(
            f"1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must "
            f"have length less than or equal to {template.MAX_BYTES}"
        )
    parsed = template.parse(text)
    given = {
        p["ParameterKey"]: _previous(p["ParameterKey"], before)
        if p.get("UsePreviousValue")
        else p.get("ParameterValue", "")
        for p in request.get("Parameters") or []
    }
    tags = (
        {t["Key"]: t["Value"] for t in request["Tags"]}
        if "Tags" in request
        else (before.tags if before else {})
    )
    wanted = Wanted(
        text=text,
        template=parsed,
        parameters=parameters.bind(parsed.get("Parameters", {}), given),
        tags=tags,
        role_arn=request.get("RoleARN") or (before.role_arn if before else None),
        capabilities=tuple(request.get("Capabilities") or ()),
    )
    _check(wanted)
    return wanted


def check_options(request: dict[str, Any]) -> None:
    """Raise ValidationError for an option that would be without effect."""
    unknown = [name for name in NOT_OFFERED if request.get(name)]
    if unknown or request.get("OnFailure", "ROLLBACK") != "ROLLBACK":
        raise invalid(
            f"the local AWS does not offer {unknown[0] if unknown else 'OnFailure ' + request['OnFailure']}"
        )


def _previous(name: str, before: Wanted | None) -> str:
    if before is None or name not in before.parameters:
        raise invalid(f"Parameters: [{name}] must have values")
    return before.parameters[name]


def _check(wanted: Wanted) -> None:
    unknown = sorted(
        {b["Type"] for b in wanted.template["Resources"].values() if types.find(b["Type"]) is None}
    )
    if unknown:
        raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")
    template.order(wanted.template["Resources"])
    needed = template.capabilities(wanted.template)
    enough = {"CAPABILITY_NAMED_IAM", needed}
    if needed and not enough & set(wanted.capabilities):
        raise AWSError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def check_import(wanted: Wanted, identifiers: Mapping[str, object]) -> None:
    """Raise ValidationError unless ``wanted`` is about the imported resources alone."""
    if wanted.template.get("Outputs"):
        raise invalid("As part of the import operation, you cannot modify or add [Outputs]")
    for name, body in wanted.template["Resources"].items():
        if name not in identifiers:
            raise invalid(f"As part of the import operation, you cannot modify or add [{name}]")
        if "DeletionPolicy" not in body:
            raise invalid(f"Resources [{name}] is missing DeletionPolicy attribute in template")
    unknown = sorted(set(identifiers) - set(wanted.template["Resources"]))
    if unknown:
        raise invalid(f"Resources [{unknown[0]}] to import do not exist in template")


def changes(stack: Stack, wanted: Wanted) -> list[Change]:
    """What differs between the stack as it is and ``wanted``."""
    scope, resources = stack.scope(wanted), wanted.template["Resources"]
    active = [n for n in template.order(resources) if scope.active(resources[n])]
    retagged = stack.wanted is not None and stack.wanted.tags != wanted.tags
    changed = []
    for name in active:
        kind, current = resources[name]["Type"], stack.resources.get(name)
        if current is None:
            changed.append(Change("Add", name, "", kind))
            continue
        try:
            properties = evaluate(resources[name].get("Properties") or {}, scope)
        except AWSError:  # it refers to something that is still to come
            properties = None
        if properties != current.properties or kind != current.type or retagged:
            fixed = types.find(kind)
            replaced = kind != current.type or any(
                properties is not None and properties.get(p) != current.properties.get(p)
                for p in (fixed.fixed if fixed else ())
            )
            changed.append(Change("Modify", name, current.physical_id, kind, replaced))
    gone = [r for name, r in stack.resources.items() if name not in active]
    return changed + [Change("Remove", r.logical_id, r.physical_id, r.type) for r in gone]


def is_nothing(stack: Stack, wanted: Wanted) -> bool:
    """Whether an update would do nothing at all."""
    before = stack.wanted
    if before is None or stack.status in ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"):
        return False
    same = (before.parameters, before.tags, before.template.get("Outputs")) == (
        wanted.parameters,
        wanted.tags,
        wanted.template.get("Outputs"),
    )
    return same and not changes(stack, wanted)
