"""No role reaches another project of its account: all that it is granted is tried on all that the other one has.

Asked is the evaluation that the local AWS enforces, with the resources' own policies and tags, and with each condition
that whoever asks can choose chosen as it has to be. The resources are those of a life (infrastructure/calls.json).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from cfnlint.helpers import load_resource
from templates import as_list

from automl_gitops.doctor import calls
from automl_gitops.kernel.derived_names import ROLES
from automl_gitops.kernel.names import Names
from automl_gitops.stacks import bootstrap, stack
from local_sagemaker.authorization import decisions, principals
from local_sagemaker.authorization.conditions import matches
from local_sagemaker.authorization.policies import statements
from local_sagemaker.authorization.questions import Question
from support.deployed import DeployedProject
from support.unique import unique
from support.waiting import wait_until

HOSTING_ACCOUNT = "333333333333"
SERVICES_ROLES = ("AutopilotRole", "SageMakerExecutionRole", "ServingRole")
# What AWS itself cannot limit to a project: role, action, resource, and why.
OPEN = {
    ("AutopilotRole", "sagemaker:*", "*-explain"): (
        "Autopilot names what it starts itself, in a way that is not documented; nobody but Autopilot has this role"
    ),
    (
        "AutopilotRole",
        "logs:*",
        "*:/aws/sagemaker/TrainingJobs:log-stream:*",
    ): "as above; streams have no tags",
    ("SageMakerExecutionRole", "logs:*", "*:/aws/sagemaker/ProcessingJobs:log-stream:pipelines-*"): (
        "SageMaker names a pipeline's jobs, and so their streams, by the execution alone; streams have no tags"
    ),
    (
        "RetrainRole",
        "logs:*",
        "*:/aws/sagemaker/ProcessingJobs:log-stream:pipelines-*",
    ): "as above",
    ("LambdaExecutionRole", "sagemaker:SendPipelineExecutionStep*", "*:pipeline/*"): (
        "sources disagree on the resource; who answers needs the token, which is in the project's own queue"
    ),
}
# What says whose a resource is; whoever asks cannot choose it.
OF_THE_RESOURCE = re.compile(r"aws:resourcetag/|lambda:functionarn$|sagemaker:modelapprovalstatus$")


class Echo:
    """A container that answers without a process."""

    @classmethod
    def start(cls, containers: Any, credentials: Any, region: str) -> Echo:
        return cls()

    def predict(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        return body, accept

    def stop(self) -> None:
        """Nothing runs."""


@dataclass
class Tried:
    """Pairs of a role and action with a resource of another project, and those of them that are allowed."""

    pairs: int
    allowed: set[tuple[str, str, str]]

    def beyond(self) -> list[tuple[str, str, str]]:
        """Those that are allowed and not `OPEN`."""
        return sorted(entry for entry in self.allowed if not any(is_open(entry, known) for known in OPEN))


def is_open(entry: tuple[str, str, str], known: tuple[str, str, str]) -> bool:
    (role, action, arn), (of_role, of_action, of_arn) = entry, known
    return role.endswith(f"-{of_role}") and matches(of_action, action) and matches(of_arn, arn)


@pytest.fixture(scope="module")
def projects(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[DeployedProject]]:
    """Two whose names are one the beginning of the other, and one that has nothing to do with them."""
    name = unique("ab")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(local_aws, "predictor", Echo)
        made = [
            DeployedProject(local_aws, tmp_path_factory.mktemp("project"), monkeypatch, one)
            for one in (name, f"{name}-x", unique("cd"))
        ]
        for project in made:
            project.enter()
            project.name_key(project.make_key())
            bootstrap.deploy(project.sign_in())
            user = project.client("iam").create_user(UserName=f"{project.name}-anna")["User"]["Arn"]
            bootstrap.deploy_people(project.sign_in(), [user], bootstrap.data_buckets(project.names))
            stack.deploy(project.sign_in())
            bootstrap.deploy_hosting(project.sign_in(account=HOSTING_ACCOUNT), local_aws.account)
            serve(project)
        yield made


def serve(project: DeployedProject) -> None:
    """An endpoint that scales and an evaluation's job, tagged as the project tags them: names do not tell whose."""
    tags = [{"Key": "project", "Value": project.name}]
    sagemaker, s3, names = project.client("sagemaker"), project.client("s3"), project.names
    part, endpoint = f"{names.production_endpoint}-v1-0000000000", names.production_endpoint
    s3.put_object(Bucket=names.bucket, Key="autopilot/0/model.tar.gz", Body=b"model")
    container = {
        "Image": f"{names.account}.dkr.ecr.{names.region}.amazonaws.com/model:1",
        "ModelDataUrl": names.s3("autopilot/0/model.tar.gz"),
    }
    variant = {"VariantName": "AllTraffic", "ModelName": part, "InstanceType": "ml.m5.large"}
    role = names.execution_role_arn
    serving = names.role_arn(names.serving_role)
    sagemaker.create_model(ModelName=part, PrimaryContainer=container, ExecutionRoleArn=serving, Tags=tags)
    sagemaker.create_endpoint_config(
        EndpointConfigName=part, ProductionVariants=[variant | {"InitialInstanceCount": 2}], Tags=tags
    )
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=part, Tags=tags)
    wait_until(
        lambda: sagemaker.describe_endpoint(EndpointName=endpoint),
        lambda found: found["EndpointStatus"] == "InService",
    )
    project.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{endpoint}/variant/AllTraffic",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=1,
        MaxCapacity=2,
        Tags={"project": project.name},
    )
    sagemaker.create_processing_job(
        ProcessingJobName=evaluation_of(project),
        AppSpecification={
            "ImageUri": f"{names.account}.dkr.ecr.{names.region}.amazonaws.com/sagemaker-scikit-learn:1",
            "ContainerEntrypoint": ["true"],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        RoleArn=role,
        Tags=tags,
    )


def evaluation_of(project: DeployedProject) -> str:
    """The processing job of one run's evaluation, by a name as SageMaker gives it."""
    return f"pipelines-{project.name.replace('-', '').rjust(12, '0')[-12:]}-EvaluateModel-0000000000"


def resources_of(project: DeployedProject, account: str) -> list[str]:
    """The ARNs of all that the project has, or would have, in an account."""
    project.enter()
    config = project.config
    assert config.encryption
    names = Names(config, account)
    made = [calls.filled(call, names, config.encryption.kms_key) for call in calls.load()]
    functions = project.client("lambda", account=account)
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    scaling = project.client("application-autoscaling", account=account)
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    found = {call.resource for call in made if call} - {"*"}
    found |= {names.role_arn(names.role(role)) for role in (*ROLES, *SERVICES_ROLES)}
    found |= {
        names.arn("lambda", f"event-source-mapping:{one['UUID']}")
        for one in mappings
        if f":function:{project.name}-check-autopilot" in one["FunctionArn"]
    }
    found |= {
        one["ScalableTargetARN"] for one in targets if f"/{project.name}-production/" in one["ResourceId"]
    }
    found = {
        one.replace("pipelines-000000000000-EvaluateModel-0000000000", evaluation_of(project))
        for one in found
    }
    # What is not the project's: what is not there yet, images of AWS's, and log groups that an account has one of.
    return sorted(
        one for one in found if not re.search(r"(target/|mapping:)[*0]|:ecr:|:/aws/sagemaker/\w+Jobs$", one)
    )


def roles_of(project: DeployedProject) -> list[str]:
    """The ARNs of all its roles, those of a hosting account among them."""
    project.enter()
    iam = {
        account: project.client("iam", account=account) for account in (project.aws.account, HOSTING_ACCOUNT)
    }
    return [
        role["Arn"]
        for client in iam.values()
        for page in client.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if re.fullmatch(rf"{project.name}-[A-Za-z]+Role", role["RoleName"])
    ]


@cache
def reference() -> dict[str, Any]:
    """The service authorization reference, as cfn-lint carries it."""
    return load_resource("cfnlint.data.AdditionalSpecs", "Policies.json")


@cache
def applies(action: str, arn: str) -> bool:
    """Whether an action is one on resources of that kind."""
    service, operation = action.split(":")
    known = reference()[service]
    formats = {kind.lower(): resource["ARNFormats"] for kind, resource in known["Resources"].items()}
    kinds = (known["Actions"][operation.lower()] or {}).get("Resources", [])
    return any(
        re.fullmatch(re.sub(r"\$\{\w+\}", ".*", form), arn)
        for kind in kinds
        for form in formats[kind.lower()]
    )


def chosen(role: str) -> tuple[set[str], dict[str, list[str]]]:
    """What a role is granted: the actions, and the keys of a request that meets every condition of the grants."""
    grants = [
        statement
        for document in principals.of_role(role).policies
        for statement in statements(document)
        if statement["Effect"] == "Allow"
    ]
    context = {
        key.lower(): as_list(values)[:1]
        for statement in grants
        for keys in statement.get("Condition", {}).values()
        for key, values in keys.items()
        if not OF_THE_RESOURCE.match(key.lower())
    }
    return {action for statement in grants for action in as_list(statement["Action"])}, context


def tried(project: DeployedProject, other: DeployedProject) -> Tried:
    """Everything that the roles of one are granted, on everything of the other."""
    accounts = (project.aws.account, HOSTING_ACCOUNT)
    resources = [arn for account in accounts for arn in resources_of(other, account)]
    pairs, allowed = 0, set()
    for role in roles_of(project):
        principal, (actions, context) = principals.of_role(role), chosen(role)
        for action in sorted(actions):
            for arn in filter(lambda one: applies(action, one), resources):
                keys = context | {"aws:securetransport": ["true"]}
                if ":event-source-mapping:" in arn:
                    function = f"function:{other.name}-check-autopilot"
                    keys["lambda:functionarn"] = [f"{arn.partition(':event-source-mapping:')[0]}:{function}"]
                elif ":function:" in arn:
                    keys["lambda:functionarn"] = [arn]
                owner = arn.split(":")[4] or project.aws.account
                # A log group's ARN is written in two ways.
                spellings = (arn, *([f"{arn}:log-stream:"] if re.search(r":log-group:[^:]+$", arn) else []))
                pairs += 1
                if decisions.why_not(principal, Question(action, spellings, owner), keys) is None:
                    allowed.add((role.split(":", 4)[4], action, arn))
    return Tried(pairs, allowed)


@pytest.mark.parametrize(
    ("one", "other"),
    [(0, 1), (1, 0), (0, 2), (2, 0)],
    ids=["what begins like it", "its beginning", "another", "that one's"],
)
def test_no_role_reaches_what_another_project_has(
    projects: list[DeployedProject], one: int, other: int, record_property: Any
) -> None:
    found = tried(projects[one], projects[other])

    record_property(
        "figures",
        f"{found.pairs} pairs of a granted action and another project's resource: {len(found.beyond())} allowed, "
        f"{len(found.allowed)} with those that AWS cannot limit",
    )
    assert found.pairs > 5000
    assert found.beyond() == []


def test_what_is_open_to_others_is_open(projects: list[DeployedProject]) -> None:
    allowed = tried(projects[0], projects[2]).allowed

    assert [known for known in OPEN if not any(is_open(entry, known) for entry in allowed)] == []


def test_a_role_does_reach_its_own(projects: list[DeployedProject]) -> None:
    # Or the test above would find nothing, whatever the policies say.
    project = projects[0]

    found = tried(project, project)

    assert len(found.allowed) > 300
