"""A command that is killed at any point, and run again, ends where it would have ended."""

from __future__ import annotations

import itertools
import re

import pytest
from deployment_kit import Killed, recorded_writes

from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.stage import stage
from automl_gitops.stacks.teardown import find, remove
from automl_gitops.verification.verify import verify

QUICK = 'policy = "ALL_AT_ONCE"\nwait_seconds = 0'


def state(world):
    """What is left behind: names, outcomes, who serves. Times, and what differs by the project's name, are
    left out.
    """
    packages = world.sagemaker.list_model_packages(ModelPackageGroupName=world.name)[
        "ModelPackageSummaryList"
    ]
    described = [world.package(summary["ModelPackageArn"]) for summary in packages]
    endpoints = world.sagemaker.list_endpoints(NameContains=world.name)["Endpoints"]
    alarms = world.cloudwatch.describe_alarms(AlarmNamePrefix=world.name)["MetricAlarms"]
    found = {
        "packages": [
            (
                package["ModelPackageVersion"],
                package["ModelApprovalStatus"],
                package["ModelLifeCycle"]["Stage"],
                package["ModelLifeCycle"]["StageStatus"],
                sorted(package["CustomerMetadataProperties"]),
            )
            for package in described
        ],
        "endpoints": [(entry["EndpointName"], entry["EndpointStatus"]) for entry in endpoints],
        "configs": [
            world.sagemaker.describe_endpoint(EndpointName=entry["EndpointName"])["EndpointConfigName"]
            for entry in endpoints
        ],
        "parts": world.parts(),
        "alarms": sorted(alarm["AlarmName"] for alarm in alarms),
        "records": world.objects("deployments/") + world.objects("verifications/"),
    }
    text = repr(found).replace(world.name, "PROJECT")
    return re.sub(r"\d{8}T\d{6}(\.\d{3})?Z", "TIME", re.sub(r"-[0-9a-f]{10}\b", "-HASH", text))


def prepare_promotion(world):
    """Version 1 serves in production; Git names version 2, which staging has signed off."""
    world.configure(production__deployment=QUICK)
    for threshold in ("10", "50"):
        arn = world.sign_off(world.register(THRESHOLD=threshold))
        world.name_in_git(arn)
        if threshold == "10":
            promote(world.project())
    return lambda: promote(world.project())


def prepare_staging(world):
    """Version 1 is on staging, version 2 is to be."""
    stage(world.project(), world.register(THRESHOLD="10"))
    second = world.register(THRESHOLD="50")
    return lambda: stage(world.project(), second)


def prepare_verification(world):
    """A version is on staging, which is to go after the verification."""
    world.configure(staging="keep = false")
    arn = world.register()
    stage(world.project(), arn)
    return lambda: verify(world.project(), arn)


def prepare_teardown(world):
    """A version is on staging and in production, which is scaled."""
    world.configure(
        production__deployment=QUICK, production__autoscaling="min_instances = 2\nmax_instances = 4"
    )
    arn = world.sign_off(world.register())
    stage(world.project(), arn)
    world.name_in_git(arn)
    promote(world.project())

    def teardown():
        project = world.project()
        remove(project, find(project), world.name)

    return teardown


ONE_AT_A_TIME = itertools.repeat(1, 60)
ONE_MORE_EACH_TIME = range(1, 20)  # a verification is made anew each time, so it has to get further each time


@pytest.mark.parametrize(
    ("prepare", "writes"),
    [
        (prepare_promotion, ONE_AT_A_TIME),
        (prepare_staging, ONE_AT_A_TIME),
        (prepare_verification, ONE_MORE_EACH_TIME),
        (prepare_teardown, ONE_AT_A_TIME),
    ],
)
def test_killed_after_every_single_write_it_still_ends_where_one_run_ends(
    world, another_world, prepare, writes
):
    run = prepare(another_world)
    run()
    expected = state(another_world)
    world.enter()
    run = prepare(world)

    for number in writes:
        try:
            with recorded_writes(stop_after=number):
                run()
        except Killed:
            continue
        break
    else:
        pytest.fail("it never came to its end")

    assert state(world) == expected
