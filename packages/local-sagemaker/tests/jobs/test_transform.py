"""Transform jobs send every object of their input through the model, each to an object of its own."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jobs_kit import BUCKET, PRICE, SPECIES, TRUST, Site, policy, rows, text

from local_sagemaker.sagemaker.transform import filters, records
from support.waiting import wait_until

KEYS = "predicted_label,probability"
LOGS = "/aws/sagemaker/TransformJobs"


def create(site: Site, model: str, uri: str, **changes: Any) -> str:
    name = site.name("transform")
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/{name}",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for member, value in changes.items():
        if isinstance(value, dict) and member in request:
            request[member] = request[member] | value
        else:
            request[member] = value
    site.sagemaker.create_transform_job(**request)
    return name


def ended(site: Site, name: str) -> dict[str, Any]:
    return wait_until(
        lambda: site.sagemaker.describe_transform_job(TransformJobName=name),
        lambda job: job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"),
    )


def results(site: Site, name: str, key: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(site.get(f"s3://{BUCKET}/{name}/{key}").decode())))


def features(count: int, seed: int) -> str:
    return text([record[:-1] for record in rows(SPECIES, count, seed)])


def test_every_object_below_the_prefix_has_an_output_of_its_own(site: Site) -> None:
    site.put("unseen/part-0.csv", features(10, 1))
    site.put("unseen/deep/part-1.csv", features(5, 2))
    model = site.model(SPECIES, SAGEMAKER_INFERENCE_OUTPUT=KEYS)

    name = create(site, model, f"s3://{BUCKET}/unseen")
    job = ended(site, name)

    assert job["TransformJobStatus"] == "Completed", job
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert site.keys(f"s3://{BUCKET}/{name}/") == [f"{name}/deep/part-1.csv.out", f"{name}/part-0.csv.out"]
    assert len(results(site, name, "part-0.csv.out")) == 10
    assert {len(row) for row in results(site, name, "deep/part-1.csv.out")} == {2}


def test_small_payloads_give_the_same_rows_in_order(site: Site) -> None:
    uri = site.put("in-order/rows.csv", features(30, 3))
    model = site.model(SPECIES)

    at_once = create(site, model, uri)
    one_by_one = create(site, model, uri, BatchStrategy="SingleRecord")
    ended(site, at_once)
    ended(site, one_by_one)

    assert len(results(site, at_once, "rows.csv.out")) == 30
    assert results(site, one_by_one, "rows.csv.out") == results(site, at_once, "rows.csv.out")


def test_output_is_joined_to_the_input_and_filtered(site: Site) -> None:
    identified = [[f"id-{n}", *record[:-1]] for n, record in enumerate(rows(SPECIES, 6, 4))]
    uri = site.put("joined/rows.csv", text(identified))
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}

    name = create(site, site.model(SPECIES), uri, DataProcessing=processing)
    ended(site, name)

    found = results(site, name, "rows.csv.out")
    assert [row[0] for row in found] == [record[0] for record in identified]
    assert {row[1] for row in found} <= {"01", "1.50", 'a, "b"'}


def test_zipped_input_and_json_output(site: Site) -> None:
    content = text([record[:-1] for record in rows(PRICE, 4, 5)])
    uri = site.put("zipped/rows.csv.gz", gzip.compress(content.encode()))

    name = create(
        site,
        site.model(PRICE),
        uri,
        TransformInput={"CompressionType": "Gzip"},
        TransformOutput={"Accept": "application/json"},
    )
    job = ended(site, name)

    assert job["TransformJobStatus"] == "Completed", job
    predictions = json.loads(site.get(f"s3://{BUCKET}/{name}/rows.csv.gz.out"))["predictions"]
    assert len(predictions) == 4


def test_record_that_the_model_cannot_read_fails_the_job_and_keeps_the_other_outputs(site: Site) -> None:
    site.put("half-bad/good.csv", features(3, 6))
    # A request for each line cuts at the newline inside the quotes, as the service does.
    site.put("half-bad/quoted.csv", '5,"two\nlines",1\n')

    name = create(site, site.model(SPECIES), f"s3://{BUCKET}/half-bad/", BatchStrategy="SingleRecord")
    job = ended(site, name)

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert site.keys(f"s3://{BUCKET}/{name}/") == [f"{name}/good.csv.out"]
    assert "half-bad/quoted.csv: Bad HTTP status received from algorithm: 500" in site.logged(LOGS, name)


def test_type_that_the_model_refuses_is_the_senders_fault(site: Site) -> None:
    uri = site.put("pictures/rows.csv", features(3, 6))

    job = ended(site, create(site, site.model(SPECIES), uri, TransformInput={"ContentType": "image/png"}))

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"


def test_model_that_fails_is_not_the_senders_fault(site: Site) -> None:
    uri = site.put("unlucky/rows.csv", features(3, 7))

    job = ended(site, create(site, site.model(SPECIES, MODEL_NAME="no-such-model"), uri))

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"


def test_input_that_is_missing_fails_the_job(site: Site) -> None:
    job = ended(site, create(site, site.model(SPECIES), f"s3://{BUCKET}/nowhere/"))

    assert job["TransformJobStatus"] == "Failed"
    assert "No S3 objects found" in job["FailureReason"]


def test_job_has_the_rights_of_the_models_role(site: Site) -> None:
    iam, name = site.client("iam"), site.name("ReadsModels")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/automl/*"}
    iam.put_role_policy(RoleName=name, PolicyName="models", PolicyDocument=policy(allowed))
    model = site.name("model")
    containers = site.trained(SPECIES)["BestCandidate"]["InferenceContainers"]
    site.sagemaker.create_model(ModelName=model, ExecutionRoleArn=role, Containers=containers)
    uri = site.put("forbidden/rows.csv", features(3, 8))

    job = ended(site, create(site, model, uri))

    assert job["TransformJobStatus"] == "Failed"
    assert "AccessDenied" in job["FailureReason"]


def test_stopped_job_writes_no_more(site: Site) -> None:
    uri = site.put("endless/rows.csv", features(3000, 9))
    name = create(site, site.model(SPECIES), uri, BatchStrategy="SingleRecord")
    wait_until(
        lambda: site.sagemaker.describe_transform_job(TransformJobName=name),
        lambda job: "TransformStartTime" in job,
    )

    site.sagemaker.stop_transform_job(TransformJobName=name)
    job = ended(site, name)

    assert job["TransformJobStatus"] == "Stopped"
    assert site.keys(f"s3://{BUCKET}/{name}/") == []
    with pytest.raises(ClientError, match="in status Stopped"):
        site.sagemaker.stop_transform_job(TransformJobName=name)


def test_description_has_the_defaults_and_the_list_the_job(site: Site) -> None:
    uri = site.put("described/rows.csv", features(1, 10))
    name = create(site, site.model(SPECIES), uri)
    job = ended(site, name)

    listed = site.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")

    assert (job["BatchStrategy"], job["MaxPayloadInMB"]) == ("MultiRecord", 6)
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert [summary["TransformJobArn"] for summary in listed["TransformJobSummaries"]] == [
        job["TransformJobArn"]
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ModelName": "no-such-model"}, "Could not find model"),
        ({"DataProcessing": {"InputFilter": "$.features"}}, "does not offer InputFilter"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "TransformOutput": {"AssembleWith": "None"}},
            "JoinSource Input requires",
        ),
        (
            {
                "DataProcessing": {"InputFilter": "$[1:]"},
                "TransformInput": {"ContentType": "application/json"},
            },
            "text/csv alone",
        ),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "SplitType RecordIO"),
        ({"TransformJobName": "x" * 64}, "length less than or equal to 63"),
    ],
)
def test_request_that_is_refused(site: Site, changes: dict[str, Any], message: str) -> None:
    model = changes.pop("ModelName", None) or site.model(SPECIES)

    with pytest.raises(ClientError, match=message) as refused:
        create(site, model, f"s3://{BUCKET}/any", **changes)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_name_is_used_once(site: Site) -> None:
    model, uri = site.model(SPECIES), site.put("once/rows.csv", features(1, 11))
    name = create(site, model, uri)
    ended(site, name)

    with pytest.raises(ClientError) as refused:
        create(site, model, uri, TransformJobName=name)

    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_payloads_hold_as_many_lines_as_fit() -> None:
    content = b"aaaa\nbbbb\n\ncccc\n"

    assert list(records.payloads(content, "Line", "MultiRecord", 10)) == [b"aaaa\nbbbb\n", b"cccc\n"]
    assert list(records.payloads(content, "Line", "SingleRecord", 10)) == [b"aaaa\n", b"bbbb\n", b"cccc\n"]
    assert list(records.payloads(content, "None", "MultiRecord", 100)) == [content]


@pytest.mark.parametrize("split", ["Line", "None"])
def test_record_beyond_the_limit_is_too_large(split: str) -> None:
    with pytest.raises(records.TooLargeError, match="12 bytes"):
        list(records.payloads(b"a" * 12, split, "MultiRecord", 11))


def test_answers_are_put_together_with_and_without_newlines() -> None:
    assert records.assemble([b"a\nb\n", b"c"], "Line") == b"a\nb\nc\n"
    assert records.assemble([b"a\n", b"c"], "None") == b"a\nc"


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("$", ["a", "b", "c"]),
        ("$[*]", ["a", "b", "c"]),
        ("$[1:]", ["b", "c"]),
        ("$[:-1]", ["a", "b"]),
        ("$[0]", ["a"]),
        ("$[2, 0]", ["c", "a"]),
    ],
)
def test_filter_chooses_fields(path: str, left: list[str]) -> None:
    assert filters.parse(path)(["a", "b", "c"]) == left
