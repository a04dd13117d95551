"""Whether the roles are there, and what the files say they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from automl_gitops.doctor.rows import Row, look
from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.environments import Project
from automl_gitops.stacks import bootstrap, people
from automl_gitops.stacks.cloudformation import Stack, StackState
from automl_gitops.stacks.stack import kms_key_arn

AREA = "roles"
DATA_SCIENTIST = "DataScientistRole"  # where an administrator named any
_MAKE = "an administrator runs `make bootstrap`"


@dataclass
class Seen:
    """Roles that are there, and that are not; in neither are those that the caller may not see."""

    present: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)


def roles(project: Project, wanted: Iterable[str], seen: Seen) -> list[Row]:
    """The roles, and the stacks that make them; ``seen`` is filled."""
    stack = Stack(project.aws, project.names.bootstrap_stack, project.output)
    rows = look(AREA, "the roles", lambda: _roles(project, wanted, seen))
    rows += look(AREA, f"stack {stack.name}", lambda: _bootstrap(project, stack, bool(seen.present)))
    services = Stack(project.aws, project.names.services_stack, project.output)
    rows += look(AREA, f"stack {services.name}", lambda: _services(project, services))
    people_stack = Stack(project.aws, project.names.people_stack, project.output)
    return rows + look(AREA, f"stack {people_stack.name}", lambda: _people(people_stack))


def _roles(project: Project, wanted: Iterable[str], seen: Seen) -> Iterator[Row]:
    iam = project.client("iam")
    for role in sorted(set(wanted)):
        try:
            iam.get_role(RoleName=f"{project.names.project}-{role}")
            seen.present.add(role)
        except ClientError as error:
            if not is_missing(error):
                raise
            seen.absent.add(role)
    for role in sorted(seen.absent - {DATA_SCIENTIST}):
        name = f"{project.names.project}-{role}"
        yield Row(AREA, role, "stops", f"there is no role {name} in account {project.names.account}", _MAKE)
    if seen.present:
        yield Row(AREA, "the roles", "good", f"there: {', '.join(sorted(seen.present))}")


def _bootstrap(project: Project, stack: Stack, has_roles: bool) -> Iterator[Row]:
    asked, state = f"stack {stack.name}", stack.look()
    if not state.exists:
        region = project.names.region
        if has_roles:
            found = f"not in {region}, although its roles are there: they were made for another region"
            todo = (
                "set [project] region in automl.toml back, or remove that region's project before (teardown)"
            )
        else:
            found, todo = f"not there, in account {project.names.account} and region {region}", _MAKE
        yield Row(AREA, asked, "stops", found, todo)
        return
    yield _template(stack, bootstrap.FILE)
    wanted = {
        "DataBucketArns": bootstrap.data_buckets(project.names),
        "KmsKeyArn": kms_key_arn(project.aws, project.config),
    }
    yield from _parameters(asked, state, wanted)


def _services(project: Project, stack: Stack) -> Iterator[Row]:
    """The stack of the services' roles; where it is not there, the rows before say so of the roles."""
    asked, state = f"stack {stack.name}", stack.look()
    if not state.exists:
        return
    yield _template(stack, bootstrap.SERVICES_FILE)
    config = project.config
    wanted = {
        "DataBucketArns": bootstrap.data_buckets(project.names),
        "UsesKmsKey": "true" if config.encryption else "false",
        "UsesVpc": "true" if config.network else "false",
    }
    yield from _parameters(asked, state, wanted)


def _parameters(asked: str, state: StackState, wanted: dict[str, str]) -> Iterator[Row]:
    """What the roles of a stack take from automl.toml and have otherwise."""
    for name, value in wanted.items():
        known = state.parameters.get(name, "")
        if known != value:
            found = f'the roles were made for "{known}", automl.toml now means "{value}"'
            yield Row(AREA, f"{asked}: {name}", "stops", found, _MAKE)


def _people(stack: Stack) -> Iterator[Row]:
    state: StackState = stack.look()
    if state.exists:
        yield _template(stack, people.FILE)
    else:
        yield Row(AREA, f"stack {stack.name}", "good", "not there: no data scientist has a role of their own")


def _template(stack: Stack, file: Path) -> Row:
    asked = f"stack {stack.name}"
    if stack.template().strip() == read_text(file).strip():
        return Row(AREA, asked, "good", f"is up to date with {file.as_posix()}")
    return Row(AREA, asked, "later", f"was deployed from another {file.as_posix()} than the one here", _MAKE)
