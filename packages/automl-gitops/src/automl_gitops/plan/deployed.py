"""What is deployed, as far as credentials let one look: the pipeline, the stacks, production."""

import os
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel.aws import explain, is_missing
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.plan.changes import FOLDER, Change, document_changes, parse
from automl_gitops.runs.project import Project
from automl_gitops.runs.upsert import current, describe

PRODUCTION_ROLE = "PRODUCTION_ROLE_ARN"  # names it for `automl`, where it is in another account


@dataclass
class DeployedState:
    """What is deployed. ``reason`` says why nothing could be read; ``stack_changes`` are what a merge would change."""

    account: str = ""
    reason: str = ""
    pipeline: str = ""  # absent, current, or outdated
    definition: str = ""
    stacks: dict[str, str] = field(default_factory=dict)
    stack_changes: dict[str, list[Change]] = field(default_factory=dict)
    production: str = ""
    elsewhere: str = ""  # the account that holds production, where it is another one
    named: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "account": self.account or None,
            "reason": self.reason or None,
            "pipeline": self.pipeline or None,
            "stacks": self.stacks,
            "stack_changes": {
                name: [change.document() for change in listed] for name, listed in self.stack_changes.items()
            },
            "production": {
                "serves": self.production or None,
                "git_names": self.named or None,
                "account": self.elsewhere or self.account or None,
            },
        }


def look(project: Project, *, has_data: bool) -> DeployedState:
    """Compare the working tree with AWS; without credentials, and where AWS refuses, ``reason`` says so."""
    found = DeployedState(named=project.champion)
    try:
        if project.aws.session.get_credentials() is None:
            found.reason = "no credentials here"
            return found
        found.account = project.aws.account
        _pipeline(project, found, has_data=has_data)
        _stacks(project, found)
        found.elsewhere = _other_account(found.account)
        if not found.elsewhere:
            found.production = _served(project)
    except (BotoCoreError, ClientError) as error:
        found.reason = str(explain(error))
    except (UserError, RunError) as error:
        found.reason = str(error)
    return found


def _pipeline(project: Project, found: DeployedState, *, has_data: bool) -> None:
    there = current(project)
    if there is None:
        found.pipeline = "absent"
        return
    found.definition = there["PipelineDefinition"]
    same = has_data and there.get("PipelineDescription") == describe(project)
    found.pipeline = "current" if same else "outdated"


def _stacks(project: Project, found: DeployedState) -> None:
    cloudformation, names = project.aws.client("cloudformation"), project.names
    files = {
        names.stack: "stack.yaml",
        names.bootstrap_stack: "bootstrap.yaml",
        names.services_stack: "services.yaml",
    }
    for stack, file in files.items():
        try:
            told = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
            body = cloudformation.get_template(StackName=stack)["TemplateBody"]
        except ClientError as error:
            if not is_missing(error):
                raise
            found.stacks[stack] = "absent"
            continue
        text = (project.folder / FOLDER / file).read_text(encoding="utf-8")
        document = parse(body) if isinstance(body, str) else body
        listed = document_changes(document, parse(text))
        found.stacks[stack] = "outdated" if listed else told["StackStatus"]
        if listed:
            found.stack_changes[stack] = listed


def _other_account(account: str) -> str:
    """The account of production's role, where that is not ``account``; its endpoint is not for a plan to see."""
    parts = os.environ.get(PRODUCTION_ROLE, "").split(":")
    return parts[4] if len(parts) > 4 and parts[4] != account else ""


def _served(project: Project) -> str:
    """The model package that the production endpoint serves, or a few words about it."""
    sagemaker, name = project.aws.client("sagemaker"), project.names.production_endpoint
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    except ClientError as error:
        if not is_missing(error):
            raise
        return ""
    containers = [model.get("PrimaryContainer") or {}, *(model.get("Containers") or [])]
    named = [one["ModelPackageName"] for one in containers if one.get("ModelPackageName")]
    if named:
        return named[0]
    tags = sagemaker.list_tags(ResourceArn=model["ModelArn"]).get("Tags", [])
    return next((tag["Value"] for tag in tags if ":model-package/" in tag["Value"]), "an unknown model")
