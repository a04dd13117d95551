"""The whole way with the rights of the workflows' roles alone, in one account and in two; and nothing left of
it.
"""

from __future__ import annotations

from typing import Any

import pytest
from deployment_kit import RulePredictor, World

from automl_gitops.kernel.environments import ROLE_VARIABLES
from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.stage import stage
from automl_gitops.promotion.status import status
from automl_gitops.stacks import bootstrap, stack
from automl_gitops.stacks.teardown import find, remove
from automl_gitops.verification.verify import verify
from support.deployed import DeployedProject

ELSEWHERE = "333333333333"
ROW = ["20", "1"]


@pytest.fixture
def project(local_aws: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    monkeypatch.setattr(local_aws, "predictor", RulePredictor)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    return DeployedProject(local_aws, tmp_path, monkeypatch)


def resources(aws: Any, account: str) -> dict[str, set[str]]:
    """What there is in an account, by kind."""

    def names(service: str, operation: str, key: str, name: str | None, **parameters: Any) -> set[str]:
        pages = aws.client(service, account).get_paginator(operation).paginate(**parameters)
        return {entry[name] if name else entry for page in pages for entry in page.get(key, [])}

    return {
        "alarms": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "buckets": names("s3", "list_buckets", "Buckets", "Name"),
        "configs": names("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        "endpoints": names("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
        "functions": names("lambda", "list_functions", "Functions", "FunctionName"),
        "groups": names(
            "sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"
        ),
        "logs": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "models": names("sagemaker", "list_models", "Models", "ModelName"),
        "policies": names("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
        "queues": names("sqs", "list_queues", "QueueUrls", None),
        "roles": names("iam", "list_roles", "Roles", "RoleName"),
        "stacks": {
            stack["StackName"]
            for page in aws.client("cloudformation", account).get_paginator("list_stacks").paginate()
            for stack in page["StackSummaries"]
            if stack["StackStatus"] != "DELETE_COMPLETE"
        },
        "targets": names(
            "application-autoscaling",
            "describe_scalable_targets",
            "ScalableTargets",
            "ResourceId",
            ServiceNamespace="sagemaker",
        ),
    }


@pytest.mark.parametrize("hosting", ["", ELSEWHERE], ids=["one account", "two accounts"])
def test_from_the_bootstrap_to_nothing_left(project, local_aws, tmp_path, monkeypatch, hosting):
    accounts = [local_aws.account, *([hosting] if hosting else [])]
    project.sign_in(account=hosting)
    before = [resources(local_aws, account) for account in accounts]

    def hosted_by(**roles: str) -> None:
        for environment, role in roles.items():
            if hosting:
                monkeypatch.setenv(
                    ROLE_VARIABLES[environment], f"arn:aws:iam::{hosting}:role/{project.name}-{role}"
                )

    bootstrap.deploy(project.sign_in())
    if hosting:
        bootstrap.deploy_hosting(project.sign_in(account=hosting), local_aws.account)
    stack.deploy(project.sign_in(), [hosting] if hosting else [])
    world = World(local_aws, tmp_path, deployed=project.name)
    world.configure(
        production__autoscaling="min_instances = 2\nmax_instances = 3",
        production__data_capture="percent = 100",
    )

    for threshold, answer in (("10", b"yes"), ("50", b"no")):
        arn = world.register(THRESHOLD=threshold)
        hosted_by(staging="StagingRole")
        stage(project.sign_in("RetrainRole"), arn)
        assert verify(project.sign_in("RetrainRole"), arn)["outcome"] == "verified"
        world.name_in_git(arn)
        hosted_by(production="ProductionRole")
        promotion = promote(project.sign_in("PromoteRole"))
        runtime = local_aws.client("sagemaker-runtime", hosting or None)
        answered = runtime.invoke_endpoint(
            EndpointName=promotion.endpoint, ContentType="text/csv", Body=",".join(ROW)
        )
        assert answered["Body"].read().startswith(answer)
    hosted_by(staging="PlanRole", production="PlanRole")
    assert status(project.sign_in("PlanRole")).differences == []

    hosted_by(staging="TeardownRole", production="TeardownRole")
    workflow = project.sign_in("TeardownRole")
    remove(workflow, find(workflow, data=True), project.name)
    assert find(workflow, data=True) == []
    for variable in ROLE_VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    for account in reversed(accounts):
        administrator = project.sign_in(account=account)
        remove(administrator, find(administrator, data=True, roles=True), project.name)

    assert [resources(local_aws, account) for account in accounts] == before
