"""What a stack is brought to from each state that CloudFormation can leave it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automl_gitops.kernel import waiting
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.stacks import cloudformation
from automl_gitops.stacks.cloudformation import Stack

NAME = "readmission"
ID = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{NAME}/1"
FILE = "infrastructure/stack.yaml"
Event = tuple[str, str, str]  # logical id, status, reason


class CloudFormation:
    """One stack of the service: ``status`` now, and what each operation leads to, a status for each look."""

    def __init__(self, status: str = "", then: list[str] | None = None) -> None:
        self.looks = [status, *(then or [])]
        self.outcomes: dict[str, list[str]] = {
            "create_stack": ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"],
            "update_stack": ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"],
            "delete_stack": ["DELETE_IN_PROGRESS", ""],
            "continue_update_rollback": ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
            "create_change_set": ["REVIEW_IN_PROGRESS"],
            "execute_change_set": ["IMPORT_IN_PROGRESS", "IMPORT_COMPLETE"],
        }
        self.change_sets = [{"Status": "CREATE_PENDING"}, {"Status": "CREATE_COMPLETE"}]
        self.resources: dict[str, str] = {}  # logical id to status
        self.refusals: dict[str, list[ClientError]] = {}
        self.happens: dict[str, list[Event]] = {}
        self.calls: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        status = self.looks[0]
        if len(self.looks) > 1:
            self.looks.pop(0)
        if not status:
            raise error("DescribeStacks", "ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": [{"StackName": NAME, "StackId": ID, "StackStatus": status}]}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        return {"StackEvents": list(reversed(self.events))}

    def describe_change_set(self, **_: str) -> dict[str, Any]:
        return self.change_sets.pop(0)

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_stack_resources":
            return self._Resources(self)
        assert operation == "describe_stack_events"
        return self

    class _Resources:
        def __init__(self, service: CloudFormation) -> None:
            self._service = service

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            found = self._service.resources.items()
            return [
                {"StackResourceSummaries": [{"LogicalResourceId": k, "ResourceStatus": v}]} for k, v in found
            ]

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        # Two pages, to see that the older one is asked for where it is needed.
        newest = list(reversed(self.events))
        return [{"StackEvents": newest[:1]}, {"StackEvents": newest[1:]}]

    def __getattr__(self, operation: str) -> Callable[..., None]:
        if operation not in self.outcomes:
            raise AttributeError(operation)

        def call(**request: Any) -> None:
            self.calls.append(operation)
            self.requests.append(request)
            if self.refusals.get(operation):
                raise self.refusals[operation].pop(0)
            self.looks = list(self.outcomes[operation])
            for event in self.happens.get(operation, []):
                self.add_event(*event)

        return call

    def add_event(self, resource: str, status: str, reason: str = "") -> None:
        self.events.append(
            {
                "EventId": str(len(self.events)),
                "LogicalResourceId": resource,
                "ResourceType": "AWS::SQS::Queue",
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
        )


class Aws:
    def __init__(self, service: CloudFormation) -> None:
        self._service = service

    def client(self, service: str) -> CloudFormation:
        assert service == "cloudformation"
        return self._service


def error(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SHORTEST", 0.0)
    monkeypatch.setattr(waiting, "LONGEST", 0.0)


def deploy(service: CloudFormation, template: str = "Resources: {}") -> str:
    stack = Stack(Aws(service), NAME, Output())  # type: ignore[arg-type]
    return stack.deploy(FILE, template, {"Project": NAME}, {"project": NAME})


@pytest.mark.parametrize(
    ("status", "calls", "outcome"),
    [
        ("", ["create_stack"], "created"),
        ("CREATE_COMPLETE", ["update_stack"], "updated"),
        ("UPDATE_COMPLETE", ["update_stack"], "updated"),
        ("UPDATE_ROLLBACK_COMPLETE", ["update_stack"], "updated"),
        ("ROLLBACK_COMPLETE", ["delete_stack", "create_stack"], "created"),
        ("ROLLBACK_FAILED", ["delete_stack", "create_stack"], "created"),
        ("CREATE_FAILED", ["delete_stack", "create_stack"], "created"),
        ("DELETE_FAILED", ["delete_stack", "create_stack"], "created"),
        ("REVIEW_IN_PROGRESS", ["delete_stack", "create_stack"], "created"),
        ("UPDATE_ROLLBACK_FAILED", ["continue_update_rollback", "update_stack"], "updated"),
    ],
)
def test_every_state_leads_to_the_template(status: str, calls: list[str], outcome: str) -> None:
    service = CloudFormation(status)

    result = deploy(service)

    assert (service.calls, result) == (calls, outcome)


@pytest.mark.parametrize(
    ("status", "then", "calls"),
    [
        ("CREATE_IN_PROGRESS", ["CREATE_COMPLETE"], ["update_stack"]),
        ("UPDATE_IN_PROGRESS", ["UPDATE_COMPLETE"], ["update_stack"]),
        ("UPDATE_ROLLBACK_IN_PROGRESS", ["UPDATE_ROLLBACK_COMPLETE"], ["update_stack"]),
        ("ROLLBACK_IN_PROGRESS", ["ROLLBACK_COMPLETE"], ["delete_stack", "create_stack"]),
        ("DELETE_IN_PROGRESS", [""], ["create_stack"]),
    ],
)
def test_what_goes_on_is_waited_for(
    status: str, then: list[str], calls: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    service = CloudFormation(status, [status, *then])

    deploy(service)

    assert service.calls == calls
    assert f"stack readmission is {status}: waiting for that to end first" in capsys.readouterr().out


def test_nothing_to_do_is_success() -> None:
    service = CloudFormation("UPDATE_COMPLETE")
    refusal = error("UpdateStack", "ValidationError", "No updates are to be performed.")
    service.refusals["update_stack"] = [refusal]

    assert deploy(service) == "unchanged"


@pytest.mark.parametrize(
    ("operation", "status", "refusal"),
    [
        ("create_stack", "", error("CreateStack", "AlreadyExistsException", "Stack [x] already exists")),
        (
            "update_stack",
            "CREATE_COMPLETE",
            error(
                "UpdateStack",
                "ValidationError",
                "Stack:x is in UPDATE_IN_PROGRESS state and can not be updated.",
            ),
        ),
    ],
)
def test_somebody_who_was_faster_is_waited_for(operation: str, status: str, refusal: ClientError) -> None:
    service = CloudFormation(status)
    service.refusals[operation] = [refusal]

    deploy(service)

    assert service.calls == [operation, operation]


def test_a_template_that_is_refused_is_the_users_to_mend() -> None:
    service = CloudFormation()
    service.refusals["create_stack"] = [
        error("CreateStack", "ValidationError", "Template format error: unresolved resource Queu.")
    ]

    with pytest.raises(
        UserError, match=r"infrastructure/stack\.yaml: .* unresolved resource Queu$"
    ) as raised:
        deploy(service)

    assert raised.value.file == FILE


def test_a_template_that_is_too_long_is_not_sent() -> None:
    service = CloudFormation()

    with pytest.raises(UserError, match="51200 bytes"):
        deploy(service, template="#" * (cloudformation.TEMPLATE_BYTES + 1))

    assert service.calls == []


@pytest.mark.parametrize(
    ("operation", "status", "ends"),
    [
        ("create_stack", "", "ROLLBACK_COMPLETE"),
        ("update_stack", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
        ("update_stack", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_FAILED"),
    ],
)
def test_a_failure_names_the_resource_that_failed_first(operation: str, status: str, ends: str) -> None:
    service = CloudFormation(status)
    service.add_event("Old", "UPDATE_FAILED", "a failure of last week")
    service.outcomes[operation] = ["X_IN_PROGRESS", ends]
    service.happens[operation] = [
        ("Bucket", "CREATE_COMPLETE", ""),
        ("Other", "CREATE_FAILED", "Resource creation cancelled"),
        ("Queue", "CREATE_FAILED", "the queue was deleted a moment ago"),
        ("Bucket", "DELETE_COMPLETE", ""),
    ]
    if not status:
        service.events.clear()

    with pytest.raises(RunError) as raised:
        deploy(service)

    assert f"ended {ends}: Queue (AWS::SQS::Queue): the queue was deleted a moment ago" in str(raised.value)


def test_progress_shows_each_resource_once(capsys: pytest.CaptureFixture[str]) -> None:
    service = CloudFormation("UPDATE_COMPLETE")
    service.add_event("Before", "UPDATE_COMPLETE")
    service.happens["update_stack"] = [
        ("Queue", "UPDATE_IN_PROGRESS", ""),
        ("Queue", "UPDATE_COMPLETE", ""),
    ]

    deploy(service)

    printed = capsys.readouterr().out
    assert printed.count("Queue: UPDATE_COMPLETE") == 1
    assert "Before" not in printed


def test_a_rollback_that_cannot_end_says_the_way_out() -> None:
    service = CloudFormation("UPDATE_ROLLBACK_FAILED")
    service.outcomes["continue_update_rollback"] = ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]
    service.happens["continue_update_rollback"] = [("Queue", "UPDATE_FAILED", "it is gone")]

    with pytest.raises(RunError, match=r"Queue .*: it is gone; .*--resources-to-skip"):
        deploy(service)

    assert service.calls == ["continue_update_rollback"]


def test_a_stack_that_cannot_be_deleted_says_why() -> None:
    service = CloudFormation("CREATE_COMPLETE")
    service.outcomes["delete_stack"] = ["DELETE_IN_PROGRESS", "DELETE_FAILED"]
    service.happens["delete_stack"] = [("Bucket", "DELETE_FAILED", "the bucket is not empty")]
    stack = Stack(Aws(service), NAME, Output())  # type: ignore[arg-type]

    with pytest.raises(RunError, match=r"could not be deleted \(DELETE_FAILED\): Bucket .*not empty"):
        stack.delete()


def test_deleting_what_is_not_there_does_nothing() -> None:
    service = CloudFormation()

    Stack(Aws(service), NAME, Output()).delete()  # type: ignore[arg-type]

    assert service.calls == []


def test_a_stack_that_others_change_all_the_time_is_given_up() -> None:
    service = CloudFormation("CREATE_COMPLETE")
    refusal = error("UpdateStack", "ValidationError", "Stack:x is in UPDATE_IN_PROGRESS state")
    service.refusals["update_stack"] = [refusal] * 10

    with pytest.raises(RunError, match="changed by others all the time"):
        deploy(service)


@pytest.mark.parametrize(("status", "retained"), [("DELETE_FAILED", ["Bucket"]), ("ROLLBACK_FAILED", None)])
def test_what_may_stay_is_left_behind_only_where_the_service_lets_it(
    status: str, retained: list[str] | None
) -> None:
    service = CloudFormation(status)
    service.resources = {
        "Bucket": "DELETE_FAILED",
        "Queue": "DELETE_FAILED",
        "Group": "CREATE_COMPLETE",
        "Code": "DELETE_COMPLETE",
    }

    Stack(Aws(service), NAME, Output()).settle(keep=("Bucket", "Group"))  # type: ignore[arg-type]

    assert service.requests[0].get("RetainResources") == retained


TEMPLATE = '{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}}}'


def adopt(service: CloudFormation) -> None:
    stack = Stack(Aws(service), NAME, Output())  # type: ignore[arg-type]
    stack.adopt(TEMPLATE, {"Bucket": {"BucketName": "b"}}, {"project": NAME})


def test_what_exists_is_taken_over_once_the_change_set_is_ready() -> None:
    service = CloudFormation()

    adopt(service)

    assert service.calls == ["create_change_set", "execute_change_set"]
    request = service.requests[0]
    assert request["ChangeSetType"] == "IMPORT"
    assert request["ResourcesToImport"] == [
        {
            "LogicalResourceId": "Bucket",
            "ResourceType": "AWS::S3::Bucket",
            "ResourceIdentifier": {"BucketName": "b"},
        }
    ]


@pytest.mark.parametrize("refused", [True, False], ids=["the change set", "the import"])
def test_a_takeover_that_fails_leaves_no_stack_and_says_why(refused: bool) -> None:
    service = CloudFormation()
    if refused:
        service.change_sets = [{"Status": "FAILED", "StatusReason": "it belongs to another stack"}]
    service.outcomes["execute_change_set"] = ["IMPORT_IN_PROGRESS", "IMPORT_ROLLBACK_COMPLETE"]
    service.happens["execute_change_set"] = [("Bucket", "IMPORT_FAILED", "it belongs to another stack")]

    with pytest.raises(RunError, match=r"cannot take Bucket over: .*it belongs to another stack"):
        adopt(service)

    assert service.calls[-1] == "delete_stack"
