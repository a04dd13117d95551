"""A CloudFormation stack: brought to a template, whatever state it is found in, and removed."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import Aws, error_code, is_missing, listed
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.waiting import wait

Outcome = Literal["created", "updated", "unchanged"]

WAIT_SECONDS = 3600.0
CAPABILITIES = ("CAPABILITY_NAMED_IAM",)  # of templates with roles that have names of their own
# Nothing of these lives any more, or it never did: such a stack can only be deleted.
_STILLBORN = {"REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_NOTHING_TO_DO = "No updates are to be performed"
# A resource that was given up because of another one's failure; its reason says nothing.
_CANCELLED = "cancelled"
_TURNS = 5  # how often somebody else may be faster before that is worth a word
_ADOPTION = "adopt"  # the change set's name
TEMPLATE_BYTES = 51_200  # CreateStack, TemplateBody


@dataclass(frozen=True)
class StackState:
    """What DescribeStacks says. ``status`` is "" where there is no stack."""

    status: str = ""
    reason: str = ""
    id: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether there is a stack at all."""
        return bool(self.status)

    @property
    def moving(self) -> bool:
        """Whether something goes on; a stack under review only waits for somebody."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def other_than(self, wanted: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """The parameters that would change, each with its value now and then; a new one is "" now."""
        had = {name: self.parameters.get(name, "") for name in wanted}
        return {name: (had[name], value) for name, value in wanted.items() if had[name] != value}


def state_of(client: Any, name: str) -> StackState:
    """A stack by its name or id."""
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if is_missing(error):
            return StackState()
        raise
    if not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE":
        return StackState()
    stack = stacks[0]
    return StackState(
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        id=stack.get("StackId", ""),
        parameters={p["ParameterKey"]: p["ParameterValue"] for p in stack.get("Parameters", [])},
        outputs={o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        tags={t["Key"]: t["Value"] for t in stack.get("Tags", [])},
    )


class Stack:
    """One stack by name, in the account and region of ``aws``."""

    def __init__(self, aws: Aws, name: str, output: Output) -> None:
        self.name = name
        self._client = aws.client("cloudformation")
        self._output = output

    def look(self, name: str | None = None) -> StackState:
        """The stack now; ``name`` may be its id, by which a deleted stack is still found."""
        return state_of(self._client, name or self.name)

    def template(self) -> str:
        """The template that the stack was last deployed from."""
        return self._client.get_template(StackName=self.name)["TemplateBody"]

    def resources(self) -> dict[str, str]:
        """The resources that the stack holds, logical id to status; empty where there is no stack."""
        try:
            summaries = listed(
                self._client, "list_stack_resources", "StackResourceSummaries", StackName=self.name
            )
            return {
                resource["LogicalResourceId"]: resource["ResourceStatus"]
                for resource in summaries
                if resource["ResourceStatus"] != "DELETE_COMPLETE"
            }
        except ClientError as error:
            if is_missing(error):
                return {}
            raise

    def rest(self) -> StackState:
        """Wait for whatever goes on, and return what is there then."""
        state = self.look()
        if state.moving:
            self._output.notice(f"stack {self.name} is {state.status}: waiting for that to end first")
            state = self._wait(self._last_event(state))
        return state

    def settle(self, keep: Collection[str] = ()) -> StackState:
        """Wait for whatever goes on, then bring a stack that is stuck into a state that can be updated or
        created.

        ``keep`` are resources that may stay in the account where CloudFormation could not delete them.
        """
        state = self.rest()
        if state.status in _STILLBORN:
            self._output.notice(f"stack {self.name} is {state.status}: deleting it, to create it anew")
            self.delete(keep)
            return StackState()
        if state.status == "UPDATE_ROLLBACK_FAILED":
            self._output.notice(f"stack {self.name} is UPDATE_ROLLBACK_FAILED: going on with the rollback")
            mark = self._last_event(state)
            self._client.continue_update_rollback(StackName=self.name)
            state = self._wait(mark)
            if state.status == "UPDATE_ROLLBACK_FAILED":
                raise RunError(
                    f"stack {self.name} cannot go back to what it was: {self._failure(state, mark)}; mend "
                    "that resource by hand, or let CloudFormation skip it (`aws cloudformation "
                    f"continue-update-rollback --stack-name {self.name} --resources-to-skip ID`), then run "
                    "the command again"
                )
        return state

    def deploy(
        self,
        file: str,
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        capabilities: Sequence[str] = (),
    ) -> Outcome:
        """Bring the stack to a template (the text of ``file``) and wait for the outcome.

        Raises `UserError` where CloudFormation refuses the template, `RunError` with the resource and its
        reason where it cannot be brought about.
        """
        if len(template.encode()) > TEMPLATE_BYTES:
            raise UserError(
                f"{file} has more than the {TEMPLATE_BYTES} bytes that CloudFormation takes: shorten it",
                file=file,
            )
        request = {
            "StackName": self.name,
            "TemplateBody": template,
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "Capabilities": list(capabilities),
        }
        for _ in range(_TURNS):
            state = self.settle()
            mark = self._last_event(state)
            try:
                if state.exists:
                    self._client.update_stack(**request)
                else:
                    self._client.create_stack(**request, OnFailure="ROLLBACK")
                break
            except ClientError as error:
                message = error.response["Error"]["Message"]
                if _NOTHING_TO_DO in message:
                    return "unchanged"
                if error_code(error) == "AlreadyExistsException" or "_IN_PROGRESS state" in message:
                    continue  # somebody else was faster: wait for that, then look again
                if error_code(error) == "ValidationError":
                    raise UserError(
                        f"{file}: CloudFormation refuses it: {message.rstrip('.')}", file=file
                    ) from None
                raise
        else:
            raise RunError(
                f"stack {self.name} is changed by others all the time: find out who, then run this again"
            )
        ended = self._wait(mark)
        if ended.status not in _GOOD:
            raise RunError(
                f"stack {self.name} ended {ended.status or 'deleted'}: {self._failure(ended, mark)}; "
                "mend that and run the command again"
            )
        return "updated" if state.exists else "created"

    def adopt(
        self, template: str, identifiers: Mapping[str, Mapping[str, str]], tags: Mapping[str, str]
    ) -> None:
        """Make a new stack of resources that exist already: those of ``template``, and no others.

        ``identifiers`` has, by logical id, the property that names the resource, as ResourcesToImport takes
        it; in the template each needs a DeletionPolicy. Raises `RunError` where CloudFormation does not take
        them; then there is no stack.
        """
        types = {name: body["Type"] for name, body in json.loads(template)["Resources"].items()}
        self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=_ADOPTION,
            ChangeSetType="IMPORT",
            TemplateBody=template,
            ResourcesToImport=[
                {"LogicalResourceId": name, "ResourceType": types[name], "ResourceIdentifier": dict(one)}
                for name, one in identifiers.items()
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        made = wait(
            f"change set {_ADOPTION} of stack {self.name}",
            lambda: self._client.describe_change_set(StackName=self.name, ChangeSetName=_ADOPTION),
            lambda seen: not seen["Status"].endswith(("_PENDING", "_IN_PROGRESS")),
            seconds=WAIT_SECONDS,
            status=lambda seen: seen["Status"],
            output=self._output,
        )
        reason = made.get("StatusReason", "")
        if made["Status"] == "CREATE_COMPLETE":
            mark = self._last_event(self.look())
            self._client.execute_change_set(StackName=self.name, ChangeSetName=_ADOPTION)
            ended = self._wait(mark)
            if ended.status in _GOOD:
                return
            reason = self._failure(ended, mark)
        self.delete()
        raise RunError(f"stack {self.name} cannot take {', '.join(identifiers)} over: {reason}")

    def delete(self, keep: Collection[str] = ()) -> None:
        """Delete the stack and wait until it is gone; one that is not there is as good.

        ``keep`` as in `settle`.
        """
        state = self.look()
        if not state.exists:
            return
        mark = self._last_event(state)
        options: dict[str, Any] = {}
        if keep and state.status == "DELETE_FAILED":  # else the service leaves nothing behind
            failed = [name for name, status in self.resources().items() if status == "DELETE_FAILED"]
            options["RetainResources"] = [name for name in failed if name in keep]
        self._client.delete_stack(StackName=self.name, **options)
        ended = self._wait(mark, state.id)
        if ended.exists:
            raise RunError(
                f"stack {self.name} could not be deleted ({ended.status}): {self._failure(ended, mark)}; "
                "mend that and run the command again"
            )

    def _wait(self, mark: str, name: str | None = None) -> StackState:
        """Wait until nothing goes on, printing what happens to each resource after event ``mark``."""
        shown = {mark}

        def show_events() -> None:
            for event in self._events(mark, name):
                if event["EventId"] not in shown:
                    shown.add(event["EventId"])
                    self._show(event)

        state = wait(
            f"stack {self.name}",
            lambda: self.look(name),
            lambda seen: not seen.moving,
            seconds=WAIT_SECONDS,
            status=lambda seen: seen.status or "gone",
            output=self._output,
            meanwhile=show_events,
        )
        show_events()
        return state

    def _show(self, event: Mapping[str, Any]) -> None:
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if event["ResourceType"] == "AWS::CloudFormation::Stack" or status.endswith("_IN_PROGRESS"):
            return
        self._output.say(f"  {event['LogicalResourceId']}: {status}" + (f" ({reason})" if reason else ""))

    def _last_event(self, state: StackState) -> str:
        """The newest event's id: what comes after it belongs to the change that follows."""
        if not state.exists:
            return ""
        # By its id: one that was being deleted may be gone by now, and is not found by its name any more.
        events = self._client.describe_stack_events(StackName=state.id)["StackEvents"]
        return events[0]["EventId"] if events else ""

    def _events(self, mark: str, name: str | None = None) -> Iterator[dict[str, Any]]:
        """The events after ``mark``, oldest first."""
        since: list[dict[str, Any]] = []
        try:
            # The service gives the newest first.
            for event in listed(
                self._client, "describe_stack_events", "StackEvents", StackName=name or self.name
            ):
                if event["EventId"] == mark:
                    return reversed(since)
                since.append(event)
        except ClientError as error:
            if not is_missing(error):
                raise
        return reversed(since)

    def _failure(self, state: StackState, mark: str) -> str:
        """The resource that failed first, and why."""
        for event in self._events(mark, state.id or None):
            reason = event.get("ResourceStatusReason", "")
            if event["ResourceStatus"].endswith("_FAILED") and _CANCELLED not in reason:
                return (
                    f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or 'no reason given'}"
                )
        return state.reason or "CloudFormation gives no reason"
