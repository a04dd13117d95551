"""Endpoints and their configs come, change and go, and are refused where the real service refuses them."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import serving
from local_sagemaker.serving.predictor import Predictor
from support.waiting import PATIENCE


def refusal(call, **parameters) -> tuple[str, str]:
    """Code and message of the error that the call ends in."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def serverless(model: str, **parameters) -> dict:
    sizes = {"MemorySizeInMB": 2048, "MaxConcurrency": 5} | parameters
    return {"VariantName": "AllTraffic", "ModelName": model, "ServerlessConfig": sizes}


def instances(model: str, name: str = "AllTraffic", **parameters) -> dict:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    } | parameters


def test_an_endpoint_comes_into_service_and_goes(hosting):
    config = hosting.config(instances=2)

    endpoint = hosting.endpoint(config, Tags=[{"Key": "project", "Value": "demo"}])
    described = hosting.settled(endpoint)

    variant = described["ProductionVariants"][0]
    counts = [variant[f"{which}InstanceCount"] for which in ("Current", "Desired")]
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", config)
    assert (variant["VariantName"], counts, variant["CurrentWeight"]) == ("AllTraffic", [2, 2], 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"].endswith("/model:1")
    tags = hosting.sagemaker.list_tags(ResourceArn=described["EndpointArn"])["Tags"]
    assert tags == [{"Key": "project", "Value": "demo"}]
    hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
    with pytest.raises(ClientError, match=f'Could not find endpoint "arn:.*:endpoint/{endpoint}"'):
        hosting.until(endpoint, lambda _: False)
    listed = hosting.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]
    assert listed == []


def test_a_model_that_does_not_load_fails_the_endpoint_with_the_reason(hosting):
    endpoint = hosting.endpoint(hosting.config(hosting.model(CANNOT_LOAD="No module named 'sklearn'")))

    described = hosting.settled(endpoint)

    assert described["EndpointStatus"] == "Failed"
    assert "AllTraffic did not pass the ping health check" in described["FailureReason"]
    assert "No module named 'sklearn'" in described["FailureReason"]
    assert logged(hosting, endpoint) == ["The model could not be loaded. No module named 'sklearn'"]
    assert "not found" in refusal(hosting.ask, endpoint=endpoint)[1]
    with pytest.raises(Exception, match="Failed"):
        hosting.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=endpoint)
    hosting.sagemaker.delete_endpoint(EndpointName=endpoint)


def test_an_archive_that_cannot_be_fetched_fails_the_endpoint_and_is_named(hosting):
    model = hosting.name("pipeline-model")
    hosting.sagemaker.create_model(
        ModelName=model,
        Containers=[hosting.container(), hosting.container(ARCHIVE_IS_GONE="it was deleted")],
        ExecutionRoleArn=hosting.role,
    )

    described = hosting.settled(hosting.endpoint(hosting.config(model)))

    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith(
        'Failed to download model data for container "container_2" from URL: '
        '"s3://endpoint-tests/model.tar.gz".'
    )
    assert "it was deleted" in described["FailureReason"]


def test_an_endpoint_reads_its_archives_as_the_model_s_role(hosting, monkeypatch):
    monkeypatch.setattr(serving, "Predictor", Predictor)
    iam, name = hosting.aws.client("iam"), hosting.name("reader")
    original = iam.get_role(RoleName=hosting.role.split("/")[-1])["Role"]
    trust = json.dumps(original["AssumeRolePolicyDocument"])
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::endpoint-tests/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
    model = hosting.name("model")
    hosting.sagemaker.create_model(
        ModelName=model, PrimaryContainer=hosting.container(), ExecutionRoleArn=role
    )
    iam.delete_role_policy(RoleName=name, PolicyName="read")

    described = hosting.settled(hosting.endpoint(hosting.config(model)))

    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith('Failed to download model data for container "container_1"')
    assert "Forbidden" in described["FailureReason"]


def logged(hosting, endpoint: str) -> list[str]:
    """What the endpoint's containers wrote to CloudWatch Logs."""
    logs, group = hosting.aws.client("logs"), f"/aws/sagemaker/Endpoints/{endpoint}"
    streams = [s["logStreamName"] for s in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    found = [logs.get_log_events(logGroupName=group, logStreamName=stream) for stream in streams]
    return [event["message"] for page in found for event in page["events"]]


def test_nothing_changes_an_endpoint_that_is_being_changed(hosting, tmp_path):
    gate = tmp_path / "open"
    slow = hosting.config(hosting.model(STARTS_ONCE_THERE_IS=str(gate)))
    endpoint = hosting.endpoint(slow)
    busy = ("ValidationException", f'Cannot update in-progress endpoint "{arn("endpoint", endpoint)}".')

    calls = [
        refusal(hosting.sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=slow),
        refusal(hosting.sagemaker.delete_endpoint, EndpointName=endpoint),
    ]
    gate.touch()

    assert calls == [busy, busy]
    assert hosting.settled(endpoint)["EndpointStatus"] == "InService"


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:123456789012:{kind}/{name}"


def test_what_is_not_there_is_named(hosting):
    sagemaker = hosting.sagemaker
    endpoint, config = hosting.running(), hosting.config()

    found = [
        refusal(sagemaker.describe_endpoint, EndpointName="nobody"),
        refusal(sagemaker.describe_endpoint_config, EndpointConfigName="nothing"),
        refusal(sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName="nothing"),
        refusal(sagemaker.update_endpoint, EndpointName="nobody", EndpointConfigName=config),
        refusal(sagemaker.delete_model, ModelName="none"),
        refusal(hosting.config, model="none"),
    ]

    assert {code for code, _ in found} == {"ValidationException"}
    assert [message for _, message in found] == [
        f'Could not find endpoint "{arn("endpoint", "nobody")}".',
        f'Could not find endpoint configuration "{arn("endpoint-config", "nothing")}".',
        f'Could not find endpoint configuration "{arn("endpoint-config", "nothing")}".',
        f'Could not find endpoint "{arn("endpoint", "nobody")}".',
        f'Could not find model "{arn("model", "none")}".',
        f'Could not find model "{arn("model", "none")}".',
    ]


def test_nothing_is_created_twice(hosting):
    model = hosting.model()
    config = hosting.config(model)
    endpoint = hosting.endpoint(config)
    variants = [instances(model)]
    sagemaker = hosting.sagemaker
    container = hosting.container()

    found = [
        refusal(
            sagemaker.create_model,
            ModelName=model,
            PrimaryContainer=container,
            ExecutionRoleArn=hosting.role,
        ),
        refusal(sagemaker.create_endpoint_config, EndpointConfigName=config, ProductionVariants=variants),
        refusal(sagemaker.create_endpoint, EndpointName=endpoint, EndpointConfigName=config),
    ]

    assert [message.split('"')[0] for _, message in found] == [
        "Cannot create already existing model ",
        "Cannot create already existing endpoint configuration ",
        "Cannot create already existing endpoint ",
    ]


def test_of_requests_at_once_one_creates(hosting):
    name, model, start = hosting.name("config"), hosting.model(), threading.Barrier(8)
    outcomes: list[str] = []

    def create() -> None:
        start.wait()
        try:
            hosting.sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=[instances(model)]
            )
            outcomes.append("created")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Message"])

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    taken = f'Cannot create already existing endpoint configuration "{arn("endpoint-config", name)}".'
    assert sorted(outcomes) == sorted(["created", *[taken] * 7])


def test_what_an_endpoint_runs_may_be_deleted_under_it(hosting):
    model = hosting.model(ANSWER="still here")
    config = hosting.config(model)
    endpoint = hosting.endpoint(config)
    hosting.settled(endpoint)

    hosting.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    hosting.sagemaker.delete_model(ModelName=model)

    assert hosting.ask(endpoint) == "still here:1"


CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://endpoint-tests/captured",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
REFUSED_CONFIGS = {
    "an instance type that does not host": (
        lambda m: {"ProductionVariants": [instances(m, InstanceType="ml.m7g.large")]},
        "productionVariants.1.member.instanceType",
    ),
    "neither instances nor serverless": (
        lambda m: {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": m}]},
        "requires InstanceType",
    ),
    "instances and serverless": (
        lambda m: {"ProductionVariants": [serverless(m) | instances(m)]},
        "cannot have a ServerlessConfig together",
    ),
    "a memory size in between": (
        lambda m: {"ProductionVariants": [serverless(m, MemorySizeInMB=1500)]},
        "MemorySizeInMB 1500",
    ),
    "a concurrency above 200": (
        lambda m: {"ProductionVariants": [serverless(m, MaxConcurrency=201)]},
        "less than or equal to 200",
    ),
    "serverless with data capture": (
        lambda m: {"ProductionVariants": [serverless(m)], "DataCaptureConfig": CAPTURE},
        "does not support data capture",
    ),
    "two serverless variants": (
        lambda m: {"ProductionVariants": [serverless(m), serverless(m) | {"VariantName": "Other"}]},
        "does not support multiple production variants",
    ),
    "two variants of one name": (
        lambda m: {"ProductionVariants": [instances(m), instances(m)]},
        "must be unique",
    ),
    "an underscore in a variant's name": (
        lambda m: {"ProductionVariants": [instances(m, name="all_traffic")]},
        "productionVariants.1.member.variantName",
    ),
}


@pytest.mark.parametrize(("parameters", "words"), REFUSED_CONFIGS.values(), ids=REFUSED_CONFIGS)
def test_a_config_that_the_real_service_refuses_is_refused(hosting, parameters, words):
    model = hosting.model()

    code, message = refusal(hosting.config, **parameters(model))

    assert code == "ValidationException"
    assert words in message


def test_serverless_does_not_take_an_inference_pipeline(hosting):
    name = hosting.name("pipeline-model")
    hosting.sagemaker.create_model(
        ModelName=name,
        Containers=[hosting.container(), hosting.container()],
        ExecutionRoleArn=hosting.role,
    )

    _, message = refusal(hosting.config, ProductionVariants=[serverless(name)])

    assert "does not support inference pipelines" in message


def test_a_serverless_endpoint_serves_and_may_become_instances_but_not_back(hosting):
    config = hosting.config(ProductionVariants=[serverless(hosting.model(ANSWER="serverless"))])
    endpoint = hosting.endpoint(config)
    described = hosting.settled(endpoint)
    answer = hosting.ask(endpoint)

    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config())
    hosting.settled(endpoint)
    code, message = refusal(
        hosting.sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=config
    )

    variant = described["ProductionVariants"][0]
    assert variant["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert answer == "serverless:1"
    assert code == "ValidationException"
    assert "to serverless inference" in message


def policy(kind: str, **routing) -> dict:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 0} | routing
        }
    }


def percent(value: int) -> dict:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


REFUSED_POLICIES = {
    "a canary of 60 %": (policy("CANARY", CanarySize=percent(60)), "50%"),
    "a canary of one instance in one": (
        policy("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}),
        "1 instance(s)",
    ),
    "a canary without a size": (policy("CANARY"), "CanarySize is required"),
    "steps of 5 %": (policy("LINEAR", LinearStepSize=percent(5)), "between 10% and 50%"),
    "a canary size for steps": (
        policy("LINEAR", LinearStepSize=percent(10), CanarySize=percent(10)),
        "CanarySize can only be specified",
    ),
    "a wait above an hour": (
        policy("CANARY", CanarySize=percent(10), WaitIntervalInSeconds=3601),
        "less than or equal to 3600",
    ),
    "an alarm that is not there": (
        {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "nobody-rings"}]}},
        "nobody-rings",
    ),
}


@pytest.mark.parametrize(("deployment", "words"), REFUSED_POLICIES.values(), ids=REFUSED_POLICIES)
def test_a_deployment_that_the_real_service_refuses_leaves_the_endpoint_alone(hosting, deployment, words):
    endpoint = hosting.endpoint(hosting.config(instances=1))
    before = hosting.settled(endpoint)
    config = hosting.config(instances=1)

    code, message = refusal(
        hosting.sagemaker.update_endpoint,
        EndpointName=endpoint,
        EndpointConfigName=config,
        DeploymentConfig=deployment,
    )

    after = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert code == "ValidationException"
    assert words in message
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == (
        "InService",
        before["EndpointConfigName"],
    )


def test_a_deployment_policy_needs_the_same_variant_names(hosting):
    endpoint = hosting.running()
    other = hosting.config(ProductionVariants=[instances(hosting.model(), name="Other")])

    _, message = refusal(
        hosting.sagemaker.update_endpoint,
        EndpointName=endpoint,
        EndpointConfigName=other,
        DeploymentConfig=policy("ALL_AT_ONCE"),
    )

    assert "must have the same variant names" in message


def test_variant_properties_are_retained_where_asked(hosting):
    endpoint = hosting.running()
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 7}],
    )
    config = hosting.config(instances=2)

    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=config, RetainAllVariantProperties=True
    )
    retained = hosting.settled(endpoint)
    hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=hosting.config(instances=3))
    replaced = hosting.settled(endpoint)

    assert retained["EndpointConfigName"] == config
    counts = [d["ProductionVariants"][0]["DesiredInstanceCount"] for d in (retained, replaced)]
    assert counts == [7, 3]


def test_the_last_deployment_config_is_used_again_where_asked(hosting):
    endpoint = hosting.endpoint(DeploymentConfig=policy("ALL_AT_ONCE"))
    hosting.settled(endpoint)

    hosting.sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=hosting.config(), RetainDeploymentConfig=True
    )

    assert hosting.settled(endpoint)["LastDeploymentConfig"] == policy("ALL_AT_ONCE")


def test_configs_and_models_are_listed_newest_first(hosting):
    model = hosting.model()
    configs = [hosting.config(model) for _ in range(3)]

    found = hosting.sagemaker.list_endpoint_configs(MaxResults=2)
    models = hosting.sagemaker.list_models(NameContains=model)["Models"]

    assert [c["EndpointConfigName"] for c in found["EndpointConfigs"]] == configs[:0:-1]
    assert "NextToken" in found
    assert [m["ModelName"] for m in models] == [model]


def test_a_list_has_ten_items_a_page_where_nothing_is_said(hosting):
    stem = hosting.name("paged")
    names = [f"{stem}-{number:02d}" for number in range(12)]
    model = hosting.model()
    for name in names:
        hosting.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[instances(model)]
        )
    listing = hosting.sagemaker.list_endpoint_configs
    wanted = {"NameContains": stem, "SortBy": "Name", "SortOrder": "Ascending"}

    first = listing(**wanted)
    rest = listing(**wanted, NextToken=first["NextToken"])

    pages = [[c["EndpointConfigName"] for c in page["EndpointConfigs"]] for page in (first, rest)]
    assert pages == [names[:10], names[10:]]
    assert "NextToken" not in rest
    assert refusal(listing, NextToken="nonsense") == ("ValidationException", "Invalid NextToken")


def test_endpoints_are_listed_by_their_status(hosting):
    broken = hosting.endpoint(hosting.config(hosting.model(CANNOT_LOAD="x")))
    hosting.settled(broken)
    running = hosting.running()

    def found(**parameters) -> list[str]:
        pages = hosting.sagemaker.get_paginator("list_endpoints").paginate(**parameters)
        names = [endpoint["EndpointName"] for page in pages for endpoint in page["Endpoints"]]
        return [name for name in names if name in (broken, running)]

    assert found(StatusEquals="Failed") == [broken]
    assert found(SortBy="Status", SortOrder="Ascending") == [broken, running]
    assert found(SortBy="Status", SortOrder="Descending") == [running, broken]
