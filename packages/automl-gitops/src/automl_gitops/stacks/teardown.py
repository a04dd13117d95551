"""Remove what the project created: first listed, then removed, each thing only if it is still there."""

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import is_missing
from automl_gitops.kernel.environments import Name, Project
from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import resources
from automl_gitops.stacks.resources import Resource


def find(
    project: Project, *, only: Name | None = None, data: bool = False, roles: bool = False
) -> list[Resource]:
    """What there is to remove, in the order in which it goes: a bucket's objects before the stack with the bucket.

    ``only`` is one environment's endpoint and what belongs to it. ``data`` are bucket and registry, ``roles``
    the stacks that an administrator made.
    """
    if only:
        return list(resources.of_environment(project, project.environment(only)))
    return [
        *resources.of_training(project),
        *resources.of_environment(project, project.staging),
        *resources.of_environment(project, project.production),
        *resources.of_stack(project, data=data),
        *(resources.of_roles(project) if roles else ()),
    ]


def remove(project: Project, found: list[Resource], confirmation: str) -> None:
    """Remove what was found. Raises `UserError` unless ``confirmation`` is the project's name."""
    name = project.config.project.name
    if confirmation != name:
        raise UserError(
            f'--confirm "{confirmation}" is not the project\'s name: nothing was removed; pass --confirm '
            f"{name} to remove "
            "what is listed above"
        )
    for resource in found:
        try:
            resource.remove()
        except ClientError as error:
            if not is_missing(error):
                raise
        project.output.say(f"removed {resource.kind} {resource.name}")
