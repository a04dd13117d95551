"""Whether the roles are there, are what the files say, and may do what they do in a model's life.

IAM's own simulation answers for every call (iam:SimulatePrincipalPolicy). It counts a role's policies, its boundary and
the organisation's policies, but not what a resource itself allows, such as a bucket's policy.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.doctor.calls import Call, filled
from automl_gitops.doctor.rows import Outcome, Row, look
from automl_gitops.kernel.aws import explain, is_missing, listed, may_not
from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.environments import ROLE_VARIABLES, Name, ServingProject
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.cloudformation import Stack, StackState
from automl_gitops.stacks.stack import known_key

ROLES = "roles"
DATA_SCIENTIST = "DataScientistRole"  # where an administrator named any
_ISSUER = "GitHub's identity provider"
_MAKE = "an administrator runs `make bootstrap`"
# A version goes to staging right behind its training, which is paid by then.
_OUTCOMES: dict[Name, Outcome] = {"staging": "stops", "production": "later"}


@dataclass
class RolesSeen:
    """Roles that are there, and that are not; in neither are those that the caller may not see.

    ``key`` is the ARN of the project's KMS key, as `known_key` has it, and ``knows_key`` whether the roles are made for
    it.
    """

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    key: str | None = None
    knows_key: bool = True


def roles(project: ServingProject, wanted: Iterable[str], seen: RolesSeen) -> list[Row]:
    """The roles, and the stacks that make them, in every account of the project; ``seen`` is filled."""
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    rows = look(ROLES, "the roles", lambda: _roles(project, stack, wanted, seen))
    rows += look(ROLES, f"stack {stack.name}", lambda: _bootstrap(project, stack, seen))
    rows += look(ROLES, _ISSUER, lambda: _issuer(project, stack))
    services = Stack(project.aws, project.names.services_stack, project.output)
    rows += look(ROLES, f"stack {services.name}", lambda: _services(project, services, seen))
    people_stack = Stack(project.aws, project.names.people_stack, project.output)
    rows += look(ROLES, f"stack {people_stack.name}", lambda: _people(people_stack))
    for name, variable in ROLE_VARIABLES.items():
        if os.environ.get(variable, "").strip():
            rows += look(ROLES, f"account of {name}", partial(_hosting, project, name, variable, seen.key))
    return rows


def _roles(project: ServingProject, stack: Stack, wanted: Iterable[str], seen: RolesSeen) -> Iterator[Row]:
    iam = project.client("iam")
    for role in sorted(set(wanted)):
        try:
            iam.get_role(RoleName=project.names.role(role))
            seen.present.add(role)
        except ClientError as error:
            if not is_missing(error):
                raise
            seen.absent.add(role)
    if not seen.present and not stack.look().exists:
        return  # which is the cause, and a row of its own
    for role in sorted(seen.absent - {DATA_SCIENTIST}):
        name = project.names.role(role)
        yield Row(ROLES, role, "stops", f"there is no role {name} in account {project.names.account}", _MAKE)
    if seen.present:
        yield Row(ROLES, "the roles", "good", f"there: {', '.join(sorted(seen.present))}")


def _bootstrap(project: ServingProject, stack: Stack, seen: RolesSeen) -> Iterator[Row]:
    asked, state = f"stack {stack.name}", stack.look()
    if not state.exists:
        region = project.names.region
        if seen.present:
            found = f"not in {region}, although its roles are there: they were made for another region"
            todo = (
                "set [project] region in automl.toml back, or remove that region's project before (teardown)"
            )
        else:
            found = f"not there, in account {project.names.account} and region {region}; it makes the roles"
            todo = _MAKE
        yield Row(ROLES, asked, "stops", found, todo)
        return
    yield _template(stack, bootstrap.FILE)
    yield from _parameters(asked, state, bootstrap.decided(bootstrap.FILE, project.names, seen.key))
    seen.knows_key = state.parameters.get("KmsKeyArn", "") == seen.key


def _issuer(project: ServingProject, stack: Stack) -> Iterator[Row]:
    """By whose tokens workflows sign in; `make bootstrap` makes it with the roles, and not again."""
    if not stack.look().exists:
        return
    if bootstrap.provider(project.aws):
        yield Row(ROLES, _ISSUER, "good", "there")
    else:
        way = f"--url https://{bootstrap.ISSUER} --client-id-list sts.amazonaws.com"
        todo = f"aws iam create-open-id-connect-provider {way}"
        yield Row(ROLES, _ISSUER, "stops", "not there: no workflow can sign in", todo)


def _services(project: ServingProject, stack: Stack, seen: RolesSeen) -> Iterator[Row]:
    """The stack of the services' roles; where it is not there, the rows before say so."""
    asked, state = f"stack {stack.name}", stack.look()
    if not state.exists:
        return
    yield _template(stack, bootstrap.SERVICES_FILE)
    yield from _parameters(asked, state, bootstrap.decided(bootstrap.SERVICES_FILE, project.names, seen.key))


def _hosting(project: ServingProject, name: Name, variable: str, key: str | None) -> Iterator[Row]:
    """An account that holds the endpoint of staging or production in the place of the project's own."""
    asked, outcome = f"account of {name}", _OUTCOMES[name]
    aws = project.environment(name).aws
    make = f"that account's administrator runs `automl bootstrap --project-account {project.names.account}`"
    try:
        yield Row(ROLES, asked, "good", f"reached as {aws.identity['Arn']}")
    except ClientError as error:
        if not may_not(error):
            raise
        found = f"the role in {variable} cannot be assumed: {explain(error)}"
        yield Row(ROLES, asked, outcome, found, f"{make}, and {variable} is set to what it prints")
        return
    stack = Stack(aws, project.names.bootstrap_stack, project.output)
    state = stack.look()
    if not state.exists:
        yield Row(ROLES, asked, outcome, f"has no stack {stack.name}", make)
        return
    yield _template(stack, bootstrap.HOSTING_FILE, asked, make)
    wanted = bootstrap.decided(bootstrap.HOSTING_FILE, project.names, key)
    yield from _parameters(asked, state, wanted, outcome, make)


def _parameters(
    asked: str, state: StackState, wanted: dict[str, str], outcome: Outcome = "stops", todo: str = _MAKE
) -> Iterator[Row]:
    """What the roles of a stack take from automl.toml and have otherwise."""
    for name, (known, value) in state.other_than(wanted).items():
        if name != "FunctionLogArns":  # which follows from what is of each function
            found = f'the roles were made for "{known}", automl.toml now means "{value}"'
            yield Row(ROLES, f"{asked}: {name}", outcome, found, todo)


def _people(stack: Stack) -> Iterator[Row]:
    state: StackState = stack.look()
    if state.exists:
        yield _template(stack, bootstrap.PEOPLE_FILE)
    else:
        yield Row(
            ROLES, f"stack {stack.name}", "good", "not there: no data scientist has a role of their own"
        )


def _template(stack: Stack, file: Path, asked: str = "", todo: str = _MAKE) -> Row:
    asked = asked or f"stack {stack.name}"
    if stack.template().strip() == read_text(file).strip():
        return Row(ROLES, asked, "good", f"is up to date with {file.as_posix()}")
    return Row(ROLES, asked, "later", f"was deployed from another {file.as_posix()} than the one here", todo)


RIGHTS = "rights"
# Without these there is no trained and registered version on staging.
TRAINING = ("AutopilotRole", "LambdaExecutionRole", "RetrainRole", "SageMakerExecutionRole", "ServingRole")
_MOST = 5  # denied calls that are shown of a role
_RESOURCES = 50  # of one simulation


def rights(
    project: ServingProject, calls: Iterable[Call], absent: Collection[str], key: str | None = None
) -> tuple[list[Row], int]:
    """A row for each role that may do all its calls, and one for each call that is denied; the number of calls
    that were simulated.

    Roles that are ``absent`` are left out. ``key`` is the ARN of the KMS key whose uses count, by default the
    project's; without one, "", none do. Whoever may not simulate one role may not simulate the others either.
    """
    if key is None:
        key = known_key(project.aws, project.config) or ""
    by_role: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        made = filled(call, project.names, key)
        if made and call.role not in absent:
            by_role[call.role].append(made)
    rows: list[Row] = []
    simulated = 0
    for role, calls_of_role in sorted(by_role.items()):
        asked = f"{role}: {len(calls_of_role)} calls"
        seen = look(RIGHTS, asked, lambda r=role, f=calls_of_role: _simulate(project, r, f))  # type: ignore[misc]
        rows += seen
        if any(row.outcome == "unknown" for row in seen):
            break
        simulated += len(calls_of_role)
    return rows, simulated


def _simulate(project: ServingProject, role: str, calls: list[Call]) -> Iterator[Row]:
    asked = f"{role}: {len(calls)} calls"
    denied = [
        (action, resource, why)
        for context, resources, actions in _batches(calls)
        for action, resource, why in _denied(project, role, context, resources, actions)
        if not _allowed_otherwise(project, role, context, resource, action)
    ]
    if not denied:
        yield Row(RIGHTS, asked, "good", "all are allowed")
        return
    outcome: Outcome = "stops" if role in TRAINING else "later"
    todo = f"{_MAKE}; if that changes nothing, a boundary or a policy of the organisation is in the way"
    for action, resource, why in denied[:_MOST]:
        yield Row(RIGHTS, asked, outcome, f"may not call {action} on {resource}: {why}", todo)
    if len(denied) > _MOST:
        more = sorted({action for action, *_ in denied[_MOST:]})
        yield Row(
            RIGHTS, asked, outcome, f"may not make {len(denied) - _MOST} more calls: {', '.join(more)}", todo
        )


def _batches(calls: list[Call]) -> Iterator[tuple[Any, list[str], list[str]]]:
    """Few simulations that ask of each action with just its own resources: context, resources, actions."""
    actions: dict[tuple[Any, str], set[str]] = defaultdict(set)
    for call in calls:
        actions[call.context, call.resource].add(call.action)
    resources: dict[tuple[Any, frozenset[str]], list[str]] = defaultdict(list)
    for (context, resource), names in actions.items():
        resources[context, frozenset(names)].append(resource)
    for (context, asked), alike in resources.items():
        for start in range(0, len(alike), _RESOURCES):
            yield context, sorted(alike[start : start + _RESOURCES]), sorted(asked)


def _denied(
    project: ServingProject, role: str, context: Any, resources: list[str], actions: list[str]
) -> Iterator[tuple[str, str, str]]:
    always = {
        "aws:RequestedRegion": [project.names.region],
        "aws:ResourceAccount": [project.names.account],
        "aws:SecureTransport": ["true"],
    }
    entries = [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(values),
            "ContextKeyType": "stringList" if len(values) > 1 else "string",
        }
        for key, values in {**always, **dict(context)}.items()
    ]
    for result in listed(
        project.client("iam"),
        "simulate_principal_policy",
        "EvaluationResults",
        PolicySourceArn=project.names.role_arn(project.names.role(role)),
        ActionNames=actions,
        ResourceArns=resources,
        ContextEntries=entries,
    ):
        for resource, decision in _decisions(result):
            if decision != "allowed":
                yield result["EvalActionName"], resource, _why(result, decision)


def _allowed_otherwise(project: ServingProject, role: str, context: Any, resource: str, action: str) -> bool:
    """Whether the other way of writing a log group's ARN is allowed; the service takes either."""
    if not re.search(r":log-group:[^:]+$", resource):
        return False
    return not list(_denied(project, role, context, [f"{resource}:log-stream:"], [action]))


def _decisions(result: dict[str, Any]) -> list[tuple[str, str]]:
    single = result.get("ResourceSpecificResults")
    if not single:
        return [(result.get("EvalResourceName", "*"), result["EvalDecision"])]
    return [(one["EvalResourceName"], one["EvalResourceDecision"]) for one in single]


def _why(result: dict[str, Any], decision: str) -> str:
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "a policy of the organisation forbids it"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return "the role's permissions boundary does not allow it"
    return "a policy denies it" if decision == "explicitDeny" else "no policy of the role allows it"
