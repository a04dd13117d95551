"""Decisions with all that they rest on: identity policies, the resource's own policy, condition keys."""

from __future__ import annotations

from local_sagemaker.authorization import principals, record, resource_policies, resource_tags
from local_sagemaker.authorization.conditions import Context
from local_sagemaker.authorization.policies import Check, Principal, refusal
from local_sagemaker.authorization.questions import Question
from local_sagemaker.bridge import AWSError


def why_not(principal: Principal, question: Question, keys: Context) -> str | None:
    """Why ``principal`` may not do what ``question`` asks, in the words of AWS; None if it may."""
    owner = question.owner
    of_resource = {
        "aws:resourceaccount": [owner],
        "s3:resourceaccount": [owner],
        **resource_tags.keys(question.resources[0]),
    }
    context = {**keys, **question.context, **of_resource}
    policy = resource_policies.of(question.resources[0])
    reason = refusal(principal, Check(question.action, question.resources, owner, context, policy))
    if reason is None:
        record.allowed(principal, question, keys)
    return reason


def message(principal: Principal, question: Question, reason: str) -> str:
    """The sentence with which AWS refuses."""
    return (
        f"User: {principal.arn} is not authorized to perform: {question.action} on resource: "
        f"{question.resources[0]} {reason}"
    ).rstrip()


def require(principal: Principal, question: Question) -> None:
    """Raise AccessDenied unless ``principal`` may do what ``question`` asks; for services that ask ahead."""
    reason = why_not(principal, question, {"aws:securetransport": ["true"], **principal.context})
    if reason is not None:
        raise AWSError("AccessDenied", message(principal, question, reason), 403)


def require_of_role(role_arn: str, action: str, resource: str, more: Context | None = None) -> None:
    """Raise AccessDenied unless the role may do ``action`` with ``resource``.

    ``more`` are condition keys of that action.
    """
    principal = principals.of_role(role_arn)
    owner = resource.split(":")[4] or principal.account
    require(principal, Question(action, (resource,), owner, more or {}))
