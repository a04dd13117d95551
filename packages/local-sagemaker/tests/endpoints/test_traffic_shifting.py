"""What clients see while a version replaces another, and what is left when the new one is broken."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from local_sagemaker import clock
from support.waiting import wait_until

SCALE = 60  # a period of a minute is a second


@pytest.fixture(autouse=True)
def _minutes_are_seconds(monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, str(SCALE))


def canary(percent: int, wait: int, alarms: list[str] = (), final: int = 0) -> dict[str, Any]:
    routing = {
        "Type": "CANARY",
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": percent},
        "WaitIntervalInSeconds": wait,
    }
    return blue_green(routing, alarms, final)


def blue_green(routing: dict[str, Any], alarms: list[str] = (), final: int = 0) -> dict[str, Any]:
    config = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": final,
            "MaximumExecutionTimeoutInSeconds": 1800,
        }
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


def update(hosting, endpoint: str, config: str, deployment: dict[str, Any]) -> None:
    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment
    )


ROLLOUTS = {
    "no policy": {},
    "all at once": blue_green({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}, final=30),
    "canary": canary(20, 60, final=30),
    "linear": blue_green(
        {
            "Type": "LINEAR",
            "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 30},
            "WaitIntervalInSeconds": 20,
        }
    ),
    "rolling": {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            "WaitIntervalInSeconds": 30,
        }
    },
}


@pytest.mark.parametrize("deployment", ROLLOUTS.values(), ids=ROLLOUTS)
def test_a_healthy_rollout_under_load_loses_no_request(hosting, load, deployment):
    # Requests of 0.2 s, one after the other, overlap every change of the routes, and the old fleet's end.
    endpoint = hosting.running(ANSWER="old", SECONDS="0.2")
    config = hosting.config(hosting.model(ANSWER="new", SECONDS="0.2", START_SECONDS="0.3"))

    with load(endpoint, threads=5, pause=0) as clients:
        update(hosting, endpoint, config, deployment)
        described = hosting.settled(endpoint)
        in_service = time.monotonic()
        clients.more(10)

    assert described["EndpointConfigName"] == config
    assert set(clients.words()) == {"old", "new"}  # and no error among them
    assert {word for sent, word in clients.outcomes if sent > in_service} == {"new"}


def test_a_broken_version_is_seen_by_few_and_gone_within_an_evaluation_period(hosting, load, monkeypatch):
    # The alarm needs a third of its period. The rest is for a machine that stops for seconds.
    period = 10
    monkeypatch.setenv(clock.VARIABLE, str(60 / period))
    endpoint = hosting.running(ANSWER="old")
    config = hosting.config(hosting.model(FAILS="no such column"))
    alarm = hosting.alarm(endpoint)  # one period of a minute

    with load(endpoint, pause=0.005) as clients:
        update(hosting, endpoint, config, canary(10, 300, [alarm]))
        hosting.until(endpoint, lambda d: d["EndpointStatus"] == "RollingBack" or "FailureReason" in d)
        described = hosting.settled(endpoint)

    failures = [sent for sent, word in clients.outcomes if word == "ModelError"]
    first, last = min(failures), max(failures)
    during = [word for sent, word in clients.outcomes if first <= sent <= last]
    assert set(clients.words()) == {"old", "ModelError"}
    # One request in ten, the two at the ends included.
    assert during.count("ModelError") <= 0.12 * len(during) + 2
    assert len(failures) <= 0.12 * len(clients.outcomes)
    assert last - first <= period
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] != config
    assert alarm in described["FailureReason"]
    assert hosting.ask(endpoint) == "old:1"


def test_while_a_canary_bakes_the_old_config_is_described_and_the_new_one_is_pending(hosting, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "1")  # it bakes for as long as this test looks at it
    endpoint = hosting.running(ANSWER="old")
    old = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    new = hosting.config(hosting.model(ANSWER="new"), instances=10)

    update(hosting, endpoint, new, canary(10, 1500))
    baking = hosting.until(endpoint, lambda d: statuses(d) == ["Baking"])
    answers = [hosting.ask(endpoint) for _ in range(50)]
    monkeypatch.setenv(clock.VARIABLE, "1000000")  # and no longer
    described = hosting.settled(endpoint)

    assert (baking["EndpointStatus"], baking["EndpointConfigName"]) == ("Updating", old)
    pending = baking["PendingDeploymentSummary"]
    variant = pending["ProductionVariants"][0]
    assert pending["EndpointConfigName"] == new
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 10)
    assert answers.count("new:1") == 5
    assert "PendingDeploymentSummary" not in described
    assert described["EndpointConfigName"] == new
    assert described["LastDeploymentConfig"] == canary(10, 1500)


def statuses(described: dict[str, Any]) -> list[str]:
    variants = described.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
    return [status["Status"] for variant in variants for status in variant["VariantStatus"]]


def test_a_version_that_does_not_load_never_gets_traffic(hosting, load):
    endpoint = hosting.running(ANSWER="old")
    config = hosting.config(hosting.model(CANNOT_LOAD="no module named sklearn"))

    with load(endpoint) as clients:
        hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        launching = hosting.until(endpoint, lambda d: statuses(d) == ["Creating"])
        described = hosting.until(
            endpoint, lambda d: "FailureReason" in d and d["EndpointStatus"] == "InService"
        )

    assert launching["PendingDeploymentSummary"]["EndpointConfigName"] == config
    assert set(clients.words()) == {"old"}
    assert described["EndpointConfigName"] != config
    assert "did not pass the ping health check" in described["FailureReason"]


def test_an_alarm_that_fires_already_stops_a_deployment_before_it_shifts_traffic(hosting, load):
    endpoint = hosting.running(ANSWER="old")
    alarm = hosting.alarm(endpoint, "Invocations", Threshold=0, TreatMissingData="breaching")
    wait_until(lambda: state(hosting, alarm), "ALARM".__eq__)

    with load(endpoint) as clients:
        update(hosting, endpoint, hosting.config(hosting.model(ANSWER="new")), canary(50, 60, [alarm]))
        described = hosting.settled(endpoint)

    assert set(clients.words()) == {"old"}
    assert alarm in described["FailureReason"]


def state(hosting, alarm: str) -> str:
    return hosting.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["StateValue"]


def test_the_next_successful_update_clears_the_reason(hosting):
    endpoint = hosting.running(ANSWER="old")
    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=hosting.config(hosting.model(CANNOT_LOAD="x"))
    )
    assert "FailureReason" in hosting.settled(endpoint)

    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=hosting.config(hosting.model(ANSWER="new"))
    )

    assert "FailureReason" not in hosting.settled(endpoint)
    assert hosting.ask(endpoint) == "new:1"


def test_an_alarm_on_the_new_config_alone_ignores_the_old_fleet(hosting, load):
    endpoint = hosting.running(FAILS="the old one is broken")
    config = hosting.config(hosting.model(ANSWER="new"))
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": "AllTraffic"},
        {"Name": "EndpointConfigName", "Value": config},
    ]
    alarm = hosting.alarm(endpoint, Dimensions=dimensions)

    with load(endpoint):
        update(hosting, endpoint, config, canary(50, 60, [alarm]))
        described = hosting.settled(endpoint)

    assert described["EndpointConfigName"] == config


def test_a_deployment_that_takes_too_long_goes_back(hosting, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "600")
    endpoint = hosting.running(ANSWER="old")
    config = hosting.config(hosting.model(ANSWER="new", START_SECONDS="0.5"))
    deployment = canary(50, 300, final=300)
    deployment["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600

    update(hosting, endpoint, config, deployment)
    described = hosting.settled(endpoint)

    assert described["EndpointConfigName"] != config
    assert "maximum execution timeout of 600 seconds" in described["FailureReason"]


def test_a_role_that_may_not_look_at_the_alarms_stops_the_deployment(hosting, local_aws):
    endpoint = hosting.running(ANSWER="old")
    alarm = hosting.alarm(endpoint)
    blind = blind_role(local_aws, hosting)
    model = hosting.name("model")
    container = hosting.container(ANSWER="new")
    hosting.sagemaker.create_model(ModelName=model, PrimaryContainer=container, ExecutionRoleArn=blind)

    update(hosting, endpoint, hosting.config(model), canary(50, 60, [alarm]))
    described = hosting.settled(endpoint)

    assert "cloudwatch:DescribeAlarms" in described["FailureReason"]
    assert hosting.ask(endpoint) == "old:1"


def blind_role(local_aws, hosting) -> str:
    """A role that reads archives and nothing else."""
    iam, name = local_aws.client("iam"), hosting.name("blind")
    original = iam.get_role(RoleName=hosting.role.split("/")[-1])["Role"]
    trust = json.dumps(original["AssumeRolePolicyDocument"])
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::endpoint-tests/*"}
    created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    document = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
    return created["Role"]["Arn"]
