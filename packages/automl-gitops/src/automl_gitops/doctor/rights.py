"""Whether the roles are there, are what the files say, and may do what they do in a model's life.

IAM's own simulation answers for every call (iam:SimulatePrincipalPolicy). It counts a role's policies, its boundary and
the organisation's policies, but not what a resource itself allows, such as a bucket's policy.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.doctor.calls import HOSTING, Call, filled
from automl_gitops.doctor.rows import Outcome, Row, look
from automl_gitops.kernel.aws import Aws, explain, is_missing, listed, may_not
from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.environments import ROLE_VARIABLES, Name, ServingProject
from automl_gitops.kernel.names import Names
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
    it. ``hosting`` are staging and production where other accounts have roles for them, with the key these know or "".
    """

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    key: str | None = None
    knows_key: bool = True
    hosting: dict[Name, str] = field(default_factory=dict)


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
            rows += look(ROLES, f"account of {name}", partial(_hosting, project, name, variable, seen))
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


def _make_there(project: ServingProject) -> str:
    return f"that account's administrator runs `automl bootstrap --project-account {project.names.account}`"


def _hosting(project: ServingProject, name: Name, variable: str, seen: RolesSeen) -> Iterator[Row]:
    """An account that holds the endpoint of staging or production in the place of the project's own."""
    asked, outcome = f"account of {name}", _OUTCOMES[name]
    aws, make = project.environment(name).aws, _make_there(project)
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
    wanted = bootstrap.decided(bootstrap.HOSTING_FILE, project.names, seen.key)
    known = state.parameters.get("KmsKeyArn", "")
    if aws.account != project.names.account:
        seen.hosting[name] = known if known == seen.key else ""
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
_HOSTED: dict[Name, str] = {"staging": "StagingRole", "production": "ProductionRole"}
_MOST = 5  # denied calls that are shown of a role
_RESOURCES = 50  # of one simulation


@dataclass(frozen=True)
class _Place:
    """An account whose roles are simulated; it ``hosts`` staging or production unless it is the project's own."""

    aws: Aws
    names: Names
    todo: str
    project_account: str
    hosts: tuple[Name, ...] = ()

    def has(self, role: str) -> bool:
        """Whether a role acts there: that of staging does not where production alone is."""
        return all(role != there or name in self.hosts for name, there in _HOSTED.items())

    def outcome(self, role: str) -> Outcome:
        """What comes of a right that a role has not."""
        needed = ("StagingRole", "ServingRole") if "staging" in self.hosts else () if self.hosts else TRAINING
        return "stops" if role in needed else "later"

    def owner(self, resource: str) -> str:
        """In whose account a resource lies; buckets, whose ARNs tell none, are the project's."""
        return self.names.account if resource == "*" else resource.split(":")[4] or self.project_account


def rights(
    project: ServingProject,
    calls: Iterable[Call],
    absent: Collection[str],
    key: str | None = None,
    hosting: Iterable[Name] = (),
) -> tuple[list[Row], int]:
    """A row for each role that may do all its calls, and one for each call that is denied; the number of calls
    that were simulated.

    Roles that are ``absent`` are left out. ``key`` is the ARN of the KMS key whose uses count, by default the
    project's; without one, "", none do. ``hosting`` are staging and production where they have accounts of their own,
    in which roles act. Whoever may not simulate one role of an account may not simulate the others either.
    """
    if key is None:
        key = known_key(project.aws, project.config) or ""
    place = _Place(project.aws, project.names, _MAKE, project.names.account)
    made = (filled(call, place.names, key, _accounts(project, hosting)) for call in calls)
    return _of_place(place, [call for call in made if call and call.role not in absent])


def rights_there(
    project: ServingProject, calls: Collection[Call], hosting: Mapping[Name, str]
) -> tuple[list[Row], int, int]:
    """As `rights`, of the roles in accounts of staging and production, which are asked there; and how many of the
    ``calls`` are made in them. ``hosting`` is as in `RolesSeen`.
    """
    accounts, places = _accounts(project, hosting), {}
    for name, key in hosting.items():
        there = project.environment(name)
        hosts = tuple(one for one in hosting if accounts[_of_account(one)] == there.names.account)
        make = _make_there(project)
        place = _Place(there.aws, there.names, make, project.names.account, hosts)
        places[there.names.account] = (place, key)
    rows: list[Row] = []
    simulated = total = 0
    for place, key in places.values():
        own = [replace(call, role=call.role.removeprefix(HOSTING)) for call in calls]
        own = [call for call in own if place.has(call.role)]
        made = (filled(call, place.names, key, accounts) for call in own)
        found, count = _of_place(place, [call for call in made if call])
        rows += found
        simulated += count
        total += len(own)
    return rows, simulated, total


def _accounts(project: ServingProject, hosting: Iterable[Name]) -> dict[str, str]:
    there = {_of_account(name): project.environment(name).names.account for name in hosting}
    return {"ProjectAccount": project.names.account, **there}


def _of_account(name: Name) -> str:
    return f"{name.title()}Account"


def _of_place(place: _Place, calls: Iterable[Call]) -> tuple[list[Row], int]:
    by_role: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_role[call.role].append(call)
    rows: list[Row] = []
    simulated = 0
    where = f" in {place.names.account}" if place.hosts else ""
    for role, made in sorted(by_role.items()):
        asked = f"{role}{where}: {len(made)} calls"
        seen = look(RIGHTS, asked, partial(_simulate, place, role, asked, made))
        if any(row.outcome == "unknown" for row in seen):
            todo = f"{place.todo}, which lets its PlanRole ask; ask as that one"
            rows += [replace(row, todo=row.todo and todo) for row in seen] if place.hosts else seen
            break
        rows += seen
        simulated += len(made)
    return rows, simulated


def _simulate(place: _Place, role: str, asked: str, calls: list[Call]) -> Iterator[Row]:
    outcome = place.outcome(role)
    try:
        denied = [
            (action, resource, why)
            for context, resources, actions in _batches(calls)
            for action, resource, why in _denied(place, role, context, resources, actions)
            if not _allowed_otherwise(place, role, context, resource, action)
        ]
    except ClientError as error:
        if not is_missing(error):
            raise
        yield Row(RIGHTS, asked, outcome, f"there is no role {place.names.role(role)}", place.todo)
        return
    if not denied:
        yield Row(RIGHTS, asked, "good", "all are allowed")
        return
    todo = f"{place.todo}; if that changes nothing, a boundary or a policy of the organisation is in the way"
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
    place: _Place, role: str, context: Any, resources: list[str], actions: list[str]
) -> Iterator[tuple[str, str, str]]:
    always = {
        "aws:RequestedRegion": [place.names.region],
        "aws:ResourceAccount": [place.owner(resources[0])],
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
        place.aws.client("iam"),
        "simulate_principal_policy",
        "EvaluationResults",
        PolicySourceArn=place.names.role_arn(place.names.role(role)),
        ActionNames=actions,
        ResourceArns=resources,
        ContextEntries=entries,
    ):
        for resource, decision in _decisions(result):
            if decision != "allowed":
                yield result["EvalActionName"], resource, _why(result, decision)


def _allowed_otherwise(place: _Place, role: str, context: Any, resource: str, action: str) -> bool:
    """Whether the other way of writing a log group's ARN is allowed; the service takes either."""
    if not re.search(r":log-group:[^:]+$", resource):
        return False
    return not list(_denied(place, role, context, [f"{resource}:log-stream:"], [action]))


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
