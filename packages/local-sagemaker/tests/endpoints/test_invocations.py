"""Requests to an endpoint: answers, errors, and what is measured and kept of them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from local_sagemaker import clock
from support.waiting import wait_until


def error_of(hosting, endpoint: str, **parameters) -> dict:
    with pytest.raises(ClientError) as caught:
        hosting.ask(endpoint, **parameters)
    return caught.value.response


def test_bytes_and_content_types_pass_as_they_are(hosting):
    endpoint = hosting.running(ANSWER="x")
    body = bytes(range(256))

    answer = hosting.runtime.invoke_endpoint(
        EndpointName=endpoint, Body=body, ContentType="application/x-parquet", Accept="application/json"
    )

    assert answer["Body"].read() == b"x:" + body
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


@pytest.mark.parametrize(
    ("environment", "status", "side"),
    [
        ({"REFUSES": "row 1 has 3 columns, 15 are needed"}, 400, "client"),
        ({"FAILS": "it died"}, 500, "server"),
    ],
    ids=["the request's fault", "the model's fault"],
)
def test_a_container_s_error_is_a_model_error_with_its_status(hosting, environment, status, side):
    endpoint = hosting.running(**environment)

    response = error_of(hosting, endpoint)

    original = next(iter(environment.values()))
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == original
    assert response["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{endpoint}")
    assert (
        f'Received {side} error ({status}) from primary with message "{original}"'
        in response["Error"]["Message"]
    )


def test_an_unknown_endpoint_and_an_unknown_variant_are_named(hosting):
    endpoint = hosting.running()

    nobody = error_of(hosting, "nobody")["Error"]
    variant = error_of(hosting, endpoint, TargetVariant="Other")["Error"]

    assert nobody["Code"] == variant["Code"] == "ValidationError"
    assert nobody["Message"] == "Endpoint nobody of account 123456789012 not found."
    assert "Variant Other" in variant["Message"]


def test_a_body_above_the_service_s_limit_is_refused(hosting):
    endpoint = hosting.running()

    error = error_of(hosting, endpoint, body=b"x" * (6 * 1024 * 1024 + 1))["Error"]

    assert error["Code"] == "ValidationError"
    assert "less than or equal to 6291456" in error["Message"]


def test_variants_take_their_weights_and_one_can_be_chosen(hosting):
    variants = [
        {
            "VariantName": name,
            "ModelName": hosting.model(ANSWER=name),
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("Champion", 3.0), ("Challenger", 1.0))
    ]
    endpoint = hosting.endpoint(hosting.config(ProductionVariants=variants))
    hosting.settled(endpoint)

    before = [hosting.ask(endpoint) for _ in range(20)]
    hosting.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "Champion", "DesiredWeight": 0}],
    )
    after = {hosting.ask(endpoint) for _ in range(5)}
    chosen = hosting.ask(endpoint, TargetVariant="Champion")

    assert before.count("Champion:1") == 15
    assert after == {"Challenger:1"}
    assert chosen == "Champion:1"


def statistics(hosting, endpoint: str, metric: str, **dimensions: str) -> dict:
    named = {"EndpointName": endpoint, "VariantName": "AllTraffic"} | dimensions
    now = datetime.now(UTC)
    points = hosting.cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": n, "Value": v} for n, v in named.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=30 * 86400,
        Statistics=["Sum", "SampleCount", "Average"],
    )["Datapoints"]
    return points[0] if points else dict.fromkeys(("Sum", "SampleCount", "Average"), 0)


def test_each_request_is_measured(hosting):
    endpoint = hosting.running(FAILS="always", SECONDS="0.01")
    config = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    for _ in range(4):
        error_of(hosting, endpoint)

    sums = {
        metric: statistics(hosting, endpoint, metric)["Sum"]
        for metric in (
            "Invocations",
            "Invocation4XXErrors",
            "Invocation5XXErrors",
            "InvocationModelErrors",
            "InvocationsPerInstance",
        )
    }
    latency = statistics(hosting, endpoint, "ModelLatency")

    assert sums == {
        "Invocations": 4,
        "Invocation4XXErrors": 0,
        "Invocation5XXErrors": 4,
        "InvocationModelErrors": 4,
        "InvocationsPerInstance": 2,  # two instances
    }
    assert latency["SampleCount"] == 4
    assert latency["Average"] >= 10_000  # microseconds
    assert statistics(hosting, endpoint, "Invocations", EndpointConfigName=config)["Sum"] == 4
    assert statistics(hosting, endpoint, "Invocations", EndpointConfigName="another")["Sum"] == 0


def capture(prefix: str, percentage: int = 100, **headers) -> dict:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": percentage,
        "DestinationS3Uri": f"s3://endpoint-tests/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json"],
        },
    }


def captured(hosting, endpoint: str, prefix: str, lines: int) -> dict[str, list[dict]]:
    """The records by key, once that many are there."""
    s3, where = hosting.aws.client("s3"), {"Bucket": "endpoint-tests"}

    def files() -> dict[str, list[dict]]:
        listed = s3.list_objects_v2(**where, Prefix=f"{prefix}/{endpoint}/").get("Contents", [])
        texts = {item["Key"]: s3.get_object(**where, Key=item["Key"])["Body"].read() for item in listed}
        return {key: [json.loads(line) for line in text.splitlines()] for key, text in texts.items()}

    return wait_until(files, lambda found: sum(map(len, found.values())) >= lines)


def test_requests_and_answers_are_captured_as_the_real_service_lays_them_out(hosting, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "600")
    config = hosting.config(hosting.model(ANSWER="a"), DataCaptureConfig=capture("captured"))
    endpoint = hosting.endpoint(config)
    described = hosting.settled(endpoint)
    days = {f"{datetime.now(UTC):%Y/%m/%d}"}

    hosting.ask(endpoint, b"1,2", InferenceId="request-7", Accept="application/json")
    hosting.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"\x00\xff", ContentType="image/png")
    files = captured(hosting, endpoint, "captured", 2)

    days.add(f"{datetime.now(UTC):%Y/%m/%d}")
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    for key in files:
        folder, name, variant, *day, _hour, file = key.split("/")
        assert (folder, name, variant) == ("captured", endpoint, "AllTraffic")
        assert "/".join(day) in days
        assert file.endswith(".jsonl")
    first, second = [record for records in files.values() for record in records]
    assert first["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv",
            "mode": "INPUT",
            "data": "1,2",
            "encoding": "CSV",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": "a:1,2",
            "encoding": "JSON",
        },
    }
    assert first["eventMetadata"]["inferenceId"] == "request-7"
    assert first["eventVersion"] == "0"
    picture = second["captureData"]["endpointInput"]
    assert picture["encoding"] == "BASE64"
    assert base64.b64decode(picture["data"]) == b"\x00\xff"


def test_the_sampling_percentage_of_the_requests_is_captured(hosting, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "600")
    config = hosting.config(DataCaptureConfig=capture("sampled", percentage=20))
    endpoint = hosting.endpoint(config)
    hosting.settled(endpoint)

    for number in range(20):
        hosting.ask(endpoint, str(number).encode())
    hosting.sagemaker.delete_endpoint(EndpointName=endpoint)  # which delivers what is left
    files = captured(hosting, endpoint, "sampled", 4)

    inputs = [r["captureData"]["endpointInput"]["data"] for records in files.values() for r in records]
    assert sorted(inputs, key=int) == ["4", "9", "14", "19"]  # files are written side by side


def test_a_role_that_may_not_write_captures_nothing_and_the_answers_go_on(hosting, monkeypatch):
    monkeypatch.setenv(clock.VARIABLE, "600")
    elsewhere = capture("x") | {"DestinationS3Uri": "s3://endpoint-tests-of-somebody-else/captured"}
    hosting.aws.client("s3").create_bucket(
        Bucket="endpoint-tests-of-somebody-else",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    endpoint = hosting.endpoint(hosting.config(DataCaptureConfig=elsewhere))
    hosting.settled(endpoint)

    answers = {hosting.ask(endpoint) for _ in range(3)}
    hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        hosting.until(endpoint, lambda _: False)

    assert answers == {"yes:1"}
    kept = hosting.aws.client("s3").list_objects_v2(Bucket="endpoint-tests-of-somebody-else")
    assert kept["KeyCount"] == 0
