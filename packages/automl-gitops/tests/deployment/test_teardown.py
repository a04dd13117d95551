"""Teardown: the account before the project and after it look the same."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError
from deployment_kit import RulePredictor

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.stage import stage
from automl_gitops.stacks import teardown
from automl_gitops.stacks.teardown import find, remove


@pytest.fixture
def busy(world):
    """A project with everything that it can have beside its stacks."""
    world.configure(production__autoscaling="min_instances = 2\nmax_instances = 4")
    arn = world.sign_off(world.register())
    stage(world.project(), arn)
    world.name_in_git(arn)
    promote(world.project())
    return arn


def left(world):
    """All that bears the project's name."""
    alarms = world.cloudwatch.describe_alarms(AlarmNamePrefix=world.name)["MetricAlarms"]
    endpoints = world.sagemaker.list_endpoints(NameContains=world.name)["Endpoints"]
    targets = world.aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )
    return [
        *world.parts(),
        *(alarm["AlarmName"] for alarm in alarms),
        *(entry["EndpointName"] for entry in endpoints),
        *(
            target["ResourceId"]
            for target in targets["ScalableTargets"]
            if world.name in target["ResourceId"]
        ),
    ]


def test_it_lists_first_and_removes_nothing_without_the_name(world, busy, capsys, monkeypatch):
    capsys.readouterr()
    before = left(world)

    ended = main(["teardown"])

    printed = capsys.readouterr().out
    assert ended == 0
    assert f"{world.name}-production" in printed
    assert f"--confirm {world.name}" in printed
    assert left(world) == before


def test_a_wrong_name_removes_nothing(world, busy):
    before = left(world)
    project = world.project()

    with pytest.raises(UserError, match="nothing was removed"):
        remove(project, find(project), "another")

    assert left(world) == before


def test_nothing_is_left_but_bucket_and_registry(world, busy, capsys):
    ended = main(["teardown", "--confirm", world.name])

    assert ended == 0
    assert left(world) == []
    assert world.package(busy)["ModelApprovalStatus"] == "Approved"
    assert world.objects("datasets/")
    capsys.readouterr()
    assert main(["teardown", "--confirm", world.name, "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"removed": False, "resources": []}
    assert "bucket and registry stay without --delete-data" in printed.err


def test_data_go_when_that_is_asked_for(world, busy):
    project = world.project()

    remove(project, find(project, data=True), world.name)

    with pytest.raises(ClientError, match="NoSuchBucket"):
        world.objects()
    with pytest.raises(ClientError, match="does not exist"):
        world.sagemaker.describe_model_package_group(ModelPackageGroupName=world.name)
    assert left(world) == []


def test_only_one_endpoint_can_be_removed(world, busy):
    project = world.project()

    remove(project, find(project, only="production"), world.name)

    assert world.endpoint("staging")["EndpointStatus"] == "InService"
    assert [name for name in left(world) if "-production" in name] == []


def test_an_interrupted_teardown_is_completed_by_the_next(world, busy):
    project = world.project()
    found = find(project)
    for resource in found[: len(found) // 2]:
        resource.remove()

    remove(project, find(project), world.name)

    assert left(world) == []


def told(project, monkeypatch):
    """The project's notices, and an event that the first of them sets."""
    said, event = [], threading.Event()
    monkeypatch.setattr(project.output, "notice", lambda text: (said.append(text), event.set()))
    return said, event


def test_an_endpoint_that_is_being_deleted_is_waited_for(world, busy, monkeypatch):
    """The teardown before this one ended after its call, and the service is not done yet."""
    project = world.project()
    said, ends = told(project, monkeypatch)
    monkeypatch.setattr(RulePredictor, "stop", lambda _: ends.wait(60))
    world.sagemaker.delete_endpoint(EndpointName=f"{world.name}-staging")

    remove(project, find(project, only="staging"), world.name)

    assert "is Deleting" in said[0]
    assert [name for name in left(world) if "-staging" in name] == []


def test_an_endpoint_that_is_being_updated_is_removed_when_that_has_ended(world, busy, monkeypatch):
    config = world.endpoint("staging")["EndpointConfigName"]
    variants = world.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    other = f"{world.name}-staging-v9-hand"
    world.sagemaker.create_endpoint_config(EndpointConfigName=other, ProductionVariants=variants)
    project, start = world.project(), RulePredictor.start
    said, ends = told(project, monkeypatch)
    monkeypatch.setattr(RulePredictor, "start", lambda *given: (ends.wait(60), start(*given))[1])
    world.sagemaker.update_endpoint(EndpointName=f"{world.name}-staging", EndpointConfigName=other)

    remove(project, find(project, only="staging"), world.name)

    assert said == [f"endpoint {world.name}-staging is Updating ({other}): waiting for that to end first"]
    assert [name for name in left(world) if "-staging" in name] == []


def test_what_s3_does_not_delete_is_a_failure_with_its_reason(world, busy, monkeypatch):
    project = world.project()
    refusal = {"Key": "datasets/a.csv", "Code": "AccessDenied", "Message": "locked"}
    monkeypatch.setattr(project.client("s3"), "delete_objects", lambda **_: {"Errors": [refusal]})

    with pytest.raises(RunError, match=r"datasets/a\.csv could not be deleted \(AccessDenied: locked\)"):
        remove(project, find(project, data=True), world.name)


def test_the_model_of_an_evaluation_that_was_ended_goes_and_others_stay(world):
    container = {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/autopilot:1"}
    own, other = f"{world.name}-abc123def456-candidate", f"{world.name}-eu-abc123def456-candidate"
    role = f"arn:aws:iam::{world.aws.account}:role/{world.name}-ServingRole"
    for name in (own, other):
        world.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
    project = world.project()

    remove(project, find(project), world.name)

    assert left(world) == [other]


def test_what_somebody_else_removed_meanwhile_is_no_failure(world, busy):
    project = world.project()
    found = find(project)
    for resource in find(project):
        resource.remove()

    remove(project, found, world.name)

    assert left(world) == []


def test_a_project_whose_name_begins_alike_keeps_what_it_has(world, busy):
    twin = f"{world.name}-staging-v2"
    config = world.endpoint("staging")["EndpointConfigName"]
    variants = world.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    world.sagemaker.create_endpoint_config(EndpointConfigName=f"my-{twin}", ProductionVariants=variants)
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{world.name}-eu-hand", ProductionVariants=variants
    )
    project = world.project()

    remove(project, find(project), world.name)

    assert set(left(world)) == {f"my-{twin}", f"{world.name}-eu-hand"}


def test_a_running_autopilot_job_of_a_project_with_a_longer_name_is_not_the_projects(world, monkeypatch):
    project = world.project()
    own, other = f"{world.name}-abc123def456", f"{world.name}-eu-abc123def456"
    jobs = [{"AutoMLJobName": name, "AutoMLJobStatus": "InProgress"} for name in (own, other)]

    class Pages:
        def paginate(self, **_):
            return [{"AutoMLJobSummaries": jobs}]

    sagemaker = project.client("sagemaker")
    real = sagemaker.get_paginator
    monkeypatch.setattr(
        sagemaker, "get_paginator", lambda name: Pages() if name == "list_auto_ml_jobs" else real(name)
    )

    found = [resource.name for resource in teardown.of_training(project)]

    assert found == [own]


def test_the_endpoints_are_gone_from_the_service(world, busy):
    project = world.project()

    remove(project, find(project), world.name)

    for name in ("staging", "production"):
        with pytest.raises(ClientError, match="Could not find"):
            world.endpoint(name)
