"""What is deployed, as far as credentials let one look: the pipeline, the stacks, production."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automl_gitops.kernel.aws import explain, is_missing
from automl_gitops.kernel.config import read_text
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.plan.changes import Change, document_changes, parse
from automl_gitops.runs.project import Project
from automl_gitops.runs.run import missing, pushed
from automl_gitops.runs.upsert import current, describe
from automl_gitops.stacks import bootstrap, stack
from automl_gitops.stacks.cloudformation import StackState, state_of
from automl_gitops.stacks.stack import code_keys, known_key, zip_functions

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
    problem: str = ""  # with the version that Git names
    lost: str = ""  # that the data of dataset.lock are not there

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "account": self.account or None,
            "reason": self.reason or None,
            "pipeline": self.pipeline or None,
            "data_problem": self.lost or None,
            "stacks": self.stacks,
            "stack_changes": {
                name: [change.document() for change in listed] for name, listed in self.stack_changes.items()
            },
            "production": {
                "serves": self.production or None,
                "git_names": self.named or None,
                "problem": self.problem or None,
                "account": self.elsewhere or self.account or None,
            },
        }


def look(project: Project, *, has_data: bool) -> DeployedState:
    """Compare the working tree with AWS; without credentials, and where AWS refuses, ``reason`` says so."""
    state = DeployedState(named=project.champion)
    try:
        if project.aws.session.get_credentials() is None:
            state.reason = "no credentials here"
            return state
        state.account = project.aws.account
        _pipeline(project, state, has_data=has_data)
        _stacks(project, state)
        state.problem = project.champion_problem
        state.elsewhere = _other_account(state.account)
        if not state.elsewhere:
            state.production = _served(project)
        if has_data and (lost := missing(project.lock, project.aws.client("s3"), project.names.bucket)):
            state.lost = f"dataset.lock: {lost}: {pushed(project.lock)[1]}"
    except (BotoCoreError, ClientError) as error:
        state.reason = str(explain(error))
    except (UserError, RunError) as error:
        state.reason = str(error)
    return state


def _pipeline(project: Project, state: DeployedState, *, has_data: bool) -> None:
    there = current(project)
    if there is None:
        state.pipeline = "absent"
        return
    state.definition = there["PipelineDefinition"]
    same = has_data and there.get("PipelineDescription") == describe(project)
    state.pipeline = "current" if same else "outdated"


def _stacks(project: Project, deployed: DeployedState) -> None:
    cloudformation, names = project.aws.client("cloudformation"), project.names
    files = {
        names.stack: stack.FILE,
        names.bootstrap_stack: bootstrap.FILE,
        names.services_stack: bootstrap.SERVICES_FILE,
    }
    key = known_key(project.aws, project.config)
    for name, file in files.items():
        state = state_of(cloudformation, name)
        if not state.exists:
            deployed.stacks[name] = "absent"
            continue
        text, body = read_text(file), cloudformation.get_template(StackName=name)["TemplateBody"]
        document = parse(body) if isinstance(body, str) else body
        listed = document_changes(document, parse(text))
        listed += _parameters(project, state, file, key)
        deployed.stacks[name] = "outdated" if listed else state.status
        if listed:
            deployed.stack_changes[name] = listed


def _parameters(project: Project, state: StackState, file: Path, key: str | None) -> Iterator[Change]:
    """The parameters that the project's files decide and that a deployment would change."""
    if file == stack.FILE:
        wanted = code_keys(zip_functions(read_text(file))) | ({} if key is None else {"KmsKeyArn": key})
    else:
        wanted = bootstrap.decided(file, project.names, key)
    encryption = project.config.encryption
    if key is None and encryption and not state.parameters.get("KmsKeyArn"):
        wanted["KmsKeyArn"] = encryption.kms_key  # which may be another's to look up
    for name, (before, after) in state.other_than(wanted).items():
        if name in state.parameters:  # or else it is new in the template, which says so
            yield Change(f"Parameters.{name}", before, after)


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
