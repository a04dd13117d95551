"""CloudFormation's operations on stacks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from local_sagemaker import actors, runtime
from local_sagemaker.bridge import AWSError, Caller, operation
from local_sagemaker.cloudformation import plan, stacks, template
from local_sagemaker.cloudformation.engine import Engine
from local_sagemaker.cloudformation.stacks import Stack, Wanted
from local_sagemaker.cloudformation.template import invalid

log = logging.getLogger("local_sagemaker.cloudformation")


def engine(caller: Caller, stack: Stack, role_arn: str | None) -> Engine:
    """An engine that acts as ``role_arn`` or, without one, as the caller."""
    if role_arn:
        return Engine(stack, actors.credentials(role_arn, "cloudformation.amazonaws.com", stack.region))
    return Engine(stack, actors.of_caller(caller.access_key, stack.region))


def run(stack: Stack, work: Callable[..., None], *arguments: Any) -> None:
    """Do ``work`` in the background; the stack's status says how it goes."""

    def guarded() -> None:
        try:
            work(*arguments)
        except Exception as error:  # nobody may wait for ever for a stack
            log.exception("stack %s", stack.name)
            failed = stack.status.replace("_IN_PROGRESS", "_FAILED").replace("_COMPLETE_CLEANUP", "")
            stack.turn(failed, f"the local AWS failed: {type(error).__name__}: {error}")

    runtime.current().thread(f"stack-{stack.name}", guarded)


def existing(caller: Caller, name: str) -> Stack | None:
    """The stack of that name that is not deleted."""
    return next((s for s in stacks.of(caller.account, caller.region) if s.name == name), None)


@operation("cloudformation", "CreateStack")
def create_stack(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises AlreadyExistsException, ValidationError, InsufficientCapabilitiesException."""
    name = parameters["StackName"]
    wanted = plan.read(fetched(caller, parameters), None)
    with stacks.lock:
        if existing(caller, name):
            raise AWSError("AlreadyExistsException", f"Stack [{name}] already exists")
        stack = stacks.add(caller, name, "CREATE_IN_PROGRESS")
    return begin(caller, stack, wanted, "CREATE_IN_PROGRESS")


def begin(caller: Caller, stack: Stack, wanted: Wanted, status: str) -> dict[str, Any]:
    """Start what brings ``stack`` to ``wanted``."""
    worker = engine(caller, stack, wanted.role_arn)
    stack.turn(status, "User Initiated")
    run(stack, worker.create if status == "CREATE_IN_PROGRESS" else worker.update, wanted)
    return {"StackId": stack.id}


def begin_import(
    caller: Caller, stack: Stack, wanted: Wanted, identifiers: dict[str, dict[str, str]]
) -> None:
    """Start to make ``stack`` of resources that exist already."""
    worker = engine(caller, stack, wanted.role_arn)
    stack.turn("IMPORT_IN_PROGRESS", "User Initiated")
    run(stack, worker.adopt, wanted, identifiers)


@operation("cloudformation", "UpdateStack")
def update_stack(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationError, also where there is nothing to do."""
    with stacks.lock:
        stack = stacks.find(caller, parameters["StackName"])
        check_updatable(stack)
        wanted = plan.read(fetched(caller, parameters), stack)
        if plan.is_nothing(stack, wanted):
            raise invalid(plan.UNCHANGED)
        stack.updated = stacks.now()
        return begin(caller, stack, wanted, "UPDATE_IN_PROGRESS")


def check_updatable(stack: Stack) -> None:
    """Raise ValidationError where the stack's status allows no update."""
    stuck = ("CREATE_FAILED", "DELETE_COMPLETE", "DELETE_FAILED", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")
    if stack.moving or stack.status in (*stuck, "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED"):
        raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


@operation("cloudformation", "ContinueUpdateRollback")
def continue_update_rollback(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ValidationError unless a rollback of the stack failed."""
    with stacks.lock:
        stack = stacks.find(caller, parameters["StackName"])
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise invalid(
                f"Stack:{stack.id} is in {stack.status} state and can not continue to roll back the update."
            )
        steps, before = stack.unfinished
        worker = engine(caller, stack, parameters.get("RoleARN") or before.role_arn)
        stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        run(stack, worker.roll_back, steps, before, tuple(parameters.get("ResourcesToSkip") or ()))


@operation("cloudformation", "DeleteStack")
def delete_stack(caller: Caller, parameters: dict[str, Any]) -> None:
    """A stack that is not there is no error. Raises ValidationError for one that is being worked on."""
    with stacks.lock:
        try:
            stack = stacks.find(caller, parameters["StackName"])
        except AWSError:
            return
        if stack.status == "DELETE_COMPLETE" or stack.status == "DELETE_IN_PROGRESS":
            return
        if stack.moving:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be deleted.")
        role = parameters.get("RoleARN") or (stack.wanted.role_arn if stack.wanted else None)
        worker = engine(caller, stack, role)
        stack.turn("DELETE_IN_PROGRESS", "User Initiated")
        run(stack, worker.delete, tuple(parameters.get("RetainResources") or ()))


@operation("cloudformation", "GetTemplateSummary")
def get_template_summary(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """What ``aws cloudformation deploy`` asks before it updates a stack, of a template or of the stack's."""
    if "StackName" in parameters:
        parsed = _deployed(caller, parameters["StackName"]).template
    else:
        parsed = template.parse(fetched(caller, parameters).get("TemplateBody", ""))
    declared = parsed.get("Parameters", {})
    return {
        "Parameters": [
            {
                "ParameterKey": name,
                "ParameterType": one.get("Type", "String"),
                "DefaultValue": one.get("Default"),
            }
            for name, one in declared.items()
        ],
        "ResourceTypes": sorted({body["Type"] for body in parsed["Resources"].values()}),
    }


@operation("cloudformation", "GetTemplate")
def get_template(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The text as it was deployed."""
    wanted = _deployed(caller, parameters["StackName"])
    return {"TemplateBody": wanted.text, "StagesAvailable": ["Original", "Processed"]}


def _deployed(caller: Caller, name: str) -> Wanted:
    wanted = stacks.find(caller, name).wanted
    if wanted is None:
        raise invalid(f"Stack with id {name} has no template yet")
    return wanted


def fetched(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """``parameters`` with the template that TemplateURL names, read with the caller's rights."""
    url = parameters.get("TemplateURL")
    if not url:
        return parameters
    place = url.split("//", 1)[-1].split("/", 1)
    host, path = place[0], place[1] if len(place) > 1 else ""
    bucket, _, key = path.partition("/")
    if ".s3" in host:
        bucket, key = host.split(".s3")[0], path
    s3 = actors.client_with("s3", actors.of_caller(caller.access_key, caller.region))
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except s3.exceptions.ClientError as error:
        raise invalid(f"S3 error: {error.response['Error']['Message']}") from error
    return parameters | {"TemplateBody": body}
