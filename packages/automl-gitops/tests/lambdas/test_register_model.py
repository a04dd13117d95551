from __future__ import annotations

import hashlib
import io
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from lambdas import register_model

from local_sagemaker.constraints import check
from support.stubbed_aws import ACCOUNT, REGION, StubbedAws

EXECUTION = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/readmission/execution/abcdefghijkl"
CHAMPION = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/readmission/3"
PACKAGE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/readmission/4"
PREFIX = "s3://bucket/evaluations/abcdefghijkl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
EVENT: dict[str, Any] = {
    "project": "readmission",
    "execution_arn": EXECUTION,
    "execution_id": "abcdefghijkl",
    "evaluation_uri": PREFIX,
    "automl_job_name": "readmission-abcdefghijkl",
    "dataset_sha256": "0a" * 32,
    "commit_id": COMMIT,
    "repository": "owner/readmission",
    "run_url": "https://github.example/owner/readmission/actions/runs/7",
    "champion": CHAMPION,
}
CONTAINERS = [
    {"Image": "image/transform:1", "ModelDataUrl": "s3://bucket/a.tar.gz", "Environment": {"A": "1"}},
    {"Image": "image/xgboost:1", "ModelDataUrl": "s3://bucket/b.tar.gz", "Environment": {"B": "2"}},
    {"Image": "image/labels:1", "ModelDataUrl": "s3://bucket/c.tar.gz", "Environment": {}},
]
EVALUATION: dict[str, Any] = {
    "version": 1,
    "decision": "accept",
    "reasons": [],
    "reasons_text": "F1macro 0.41 is at least 0.3",
    "problem_type": "MulticlassClassification",
    "objective": {"name": "F1macro", "value": 0.4123, "validation_value": 0.43},
    "rows": 10000,
    "metrics": {"accuracy": 0.61, "f1_macro": 0.4123, "auc": None},
    "containers": CONTAINERS,
    "automl_job": {"name": "readmission-abcdefghijkl", "best_candidate": "ensemble-3"},
    "champion": None,
}
QUALITY = b'{"multiclass_classification_metrics": {}}'


class Registration:
    """What lies in S3, and the request that registers it."""

    def __init__(self, aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.objects: dict[str, bytes] = {
            "evaluation.json": json.dumps(EVALUATION).encode(),
            "model_quality.json": QUALITY,
        }
        self.requests: list[dict[str, Any]] = []
        self.aws = aws.serve(register_model, monkeypatch)
        group = {
            "ModelPackageGroupName": "readmission",
            "ModelPackageGroupArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package-group/readmission",
            "CreationTime": 0,
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        self.group = (group, {"ModelPackageGroupName": "readmission"})
        aws["sagemaker"].client.meta.events.register(
            "before-parameter-build.sagemaker.CreateModelPackage",
            lambda params, **_: self.requests.append(dict(params)),
        )

    def run(self, **event: Any) -> dict[str, str]:
        self._serve_objects()
        self.aws["sagemaker"].add_response("describe_model_package_group", *self.group)
        self.aws["sagemaker"].add_response("create_model_package", {"ModelPackageArn": PACKAGE})
        return register_model.handler(EVENT | event, None)

    def _serve_objects(self) -> None:
        for name in ("evaluation.json", "model_quality.json", "explainability.json", "model_card.json"):
            place = {
                "Bucket": "bucket",
                "Key": f"evaluations/abcdefghijkl/{name}",
                "ExpectedBucketOwner": ACCOUNT,
            }
            content = self.objects.get(name)
            if content is None:
                self.aws["s3"].add_client_error(
                    "get_object", "NoSuchKey", "no such key", 404, expected_params=place
                )
            else:
                stream = StreamingBody(io.BytesIO(content), len(content))
                self.aws["s3"].add_response("get_object", {"Body": stream}, place)

    @property
    def request(self) -> dict[str, Any]:
        return self.requests[-1]


@pytest.fixture
def registration(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> Registration:
    return Registration(aws, monkeypatch)


def test_registers_exactly_the_evaluated_containers_pending_approval(registration: Registration) -> None:
    outputs = registration.run()

    assert outputs == {"model_package_arn": PACKAGE}
    assert registration.request["InferenceSpecification"]["Containers"] == CONTAINERS
    assert registration.request["ModelApprovalStatus"] == "PendingManualApproval"
    assert registration.request["ModelPackageGroupName"] == "readmission"
    assert registration.request["ClientToken"] == "abcdefghijkl"


def test_the_version_says_where_it_came_from(registration: Registration) -> None:
    registration.run()

    assert registration.request["MetadataProperties"] == {
        "CommitId": COMMIT,
        "Repository": "owner/readmission",
        "GeneratedBy": EXECUTION,
    }
    assert registration.request["SourceUri"] == f"https://github.example/owner/readmission/tree/{COMMIT}"
    assert registration.request["CustomerMetadataProperties"] == {
        "commit": COMMIT,
        "repository": "owner/readmission",
        "run": "https://github.example/owner/readmission/actions/runs/7",
        "pipeline_execution": EXECUTION,
        "evaluation": PREFIX,
        "dataset_sha256": "0a" * 32,
        "automl_job": "readmission-abcdefghijkl",
        "candidate": "ensemble-3",
        "problem_type": "MulticlassClassification",
        "objective_metric": "F1macro",
        "objective_value": "0.4123",
        "validation_objective_value": "0.43",
        "holdout_rows": "10000",
        "champion": CHAMPION,
        "test_accuracy": "0.61",
        "test_f1_macro": "0.4123",
    }
    assert registration.request["ModelLifeCycle"]["Stage"] == "Development"


def test_the_threshold_is_the_version_s(registration: Registration) -> None:
    chosen = {"by": "f1", "value": 0.6, "usual": 0.5, "usual_value": 0.5, "rows": 160, "positives": 40}
    document = json.loads(registration.objects["evaluation.json"])
    document |= {"threshold": {"value": 0.305, "chosen": chosen}, "positive_class": "yes"}
    registration.objects["evaluation.json"] = json.dumps(document).encode()

    registration.run()

    said = registration.request["CustomerMetadataProperties"]
    assert (said["threshold"], said["positive_class"], said["threshold_chosen_by"]) == ("0.305", "yes", "f1")


def test_what_is_not_known_is_left_out(registration: Registration) -> None:
    registration.run(run_url="none", champion="none")

    assert {"run", "champion"}.isdisjoint(registration.request["CustomerMetadataProperties"])
    assert registration.request["SourceUri"] == f"https://github.com/owner/readmission/tree/{COMMIT}"


@pytest.mark.parametrize(("commit", "page"), [(f"{COMMIT}-dirty", f"/tree/{COMMIT}"), ("none", "")])
def test_the_source_is_a_page_that_exists(registration: Registration, commit: str, page: str) -> None:
    registration.run(run_url="none", commit_id=commit)

    assert registration.request["SourceUri"] == f"https://github.com/owner/readmission{page}"


def test_reports_are_attached_with_their_digests(registration: Registration) -> None:
    registration.objects["explainability.json"] = b'{"importance": {}}'

    registration.run()

    assert registration.request["ModelMetrics"] == {
        "ModelQuality": {
            "Statistics": {
                "ContentType": "application/json",
                "ContentDigest": "sha256:" + hashlib.sha256(QUALITY).hexdigest(),
                "S3Uri": f"{PREFIX}/model_quality.json",
            }
        },
        "Explainability": {
            "Report": {
                "ContentType": "application/json",
                "ContentDigest": "sha256:" + hashlib.sha256(b'{"importance": {}}').hexdigest(),
                "S3Uri": f"{PREFIX}/explainability.json",
            }
        },
    }


@pytest.mark.parametrize("content", [None, b"null"], ids=["no object", "nothing in it"])
def test_without_explainability_report_and_card_there_is_none(
    registration: Registration, content: bytes | None
) -> None:
    if content:
        registration.objects["explainability.json"] = content

    registration.run()

    assert "Explainability" not in registration.request["ModelMetrics"]
    assert "ModelCard" not in registration.request


def test_the_model_card_is_attached(registration: Registration) -> None:
    registration.objects["model_card.json"] = b'{"model_overview": {}}'

    registration.run()

    assert registration.request["ModelCard"] == {
        "ModelCardContent": '{"model_overview": {}}',
        "ModelCardStatus": "PendingReview",
    }


@pytest.mark.parametrize("line_break", ["\u2028", "\u2029", "\u0085"])
def test_a_text_with_any_kind_of_line_break_costs_no_model_card(
    registration: Registration, line_break: str
) -> None:
    card = json.dumps({"classes": [f"two{line_break}lines"]}, ensure_ascii=False)
    registration.objects["model_card.json"] = card.encode()

    registration.run()

    sent = registration.request["ModelCard"]
    assert json.loads(sent["ModelCardContent"]) == {"classes": ["two lines"]}
    check("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "group", "ModelCard": sent})


def test_a_model_card_that_is_too_long_is_left_out(registration: Registration) -> None:
    registration.objects["model_card.json"] = b"x" * (register_model.MODEL_CARD_LENGTH + 1)

    registration.run()

    assert "ModelCard" not in registration.request


def test_values_have_only_what_the_registry_allows(registration: Registration) -> None:
    evaluation = EVALUATION | {"metrics": {"f1{a,b} 50%": 0.5, "x" * 200: 1.0, "nan": float("nan")}}
    registration.objects["evaluation.json"] = json.dumps(evaluation).encode()

    registration.run(run_url="https://ci.example/é?a=1&b=2," + "x" * 300)

    properties = registration.request["CustomerMetadataProperties"]
    assert properties["test_f1-a-b- 50-"] == "0.5"
    assert properties["run"].startswith("https://ci.example/é-a=1-b=2-xxx")
    assert "test_nan" not in properties
    assert all(re.fullmatch(r"[\w\s.:/=+\-@]{1,128}", key) for key in properties)
    assert all(re.fullmatch(r"[\w\s.:/=+\-@]{0,256}", value) for value in properties.values())


def test_many_metrics_leave_room_for_later_notes(registration: Registration) -> None:
    evaluation = EVALUATION | {"metrics": {f"metric_{i}": i / 100 for i in range(100)}}
    registration.objects["evaluation.json"] = json.dumps(evaluation).encode()

    registration.run()

    assert len(registration.request["CustomerMetadataProperties"]) == register_model.MOST_PROPERTIES


def test_a_rejected_model_is_not_registered(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.serve(register_model, monkeypatch)
    content = json.dumps(EVALUATION | {"decision": "reject", "reasons_text": "F1macro 0.2 < 0.3"}).encode()
    aws["s3"].add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))})

    with pytest.raises(register_model.RegistrationError, match=re.escape("F1macro 0.2 < 0.3")):
        register_model.handler(EVENT, None)


def test_a_missing_evaluation_is_named(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.serve(register_model, monkeypatch)
    aws["s3"].add_client_error("get_object", "NoSuchKey", "no such key", 404)

    with pytest.raises(register_model.RegistrationError, match="json is missing"):
        register_model.handler(EVENT, None)


def test_a_missing_group_says_what_creates_it(aws: StubbedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.serve(register_model, monkeypatch)
    content = json.dumps(EVALUATION).encode()
    aws["s3"].add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content))})
    aws["sagemaker"].add_client_error(
        "describe_model_package_group", "ValidationException", "does not exist", 400
    )

    with pytest.raises(register_model.RegistrationError, match="automl stack"):
        register_model.handler(EVENT, None)


@pytest.mark.parametrize(
    ("refusals", "left_out"),
    [(1, {"ModelCard"}), (2, {"SourceUri"}), (3, {"ModelLifeCycle"}), (4, set(register_model.ADORNMENTS))],
)
@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_refused_part_that_only_adorns_a_version_is_left_out_with_a_warning(
    registration: Registration,
    caplog: pytest.LogCaptureFixture,
    refusals: int,
    left_out: set[str],
    code: str,
) -> None:
    registration.objects["model_card.json"] = b"{}"
    stubber = registration.aws["sagemaker"]
    stubber.add_response("describe_model_package_group", *registration.group)
    for _ in range(refusals):
        stubber.add_client_error("create_model_package", code, "no such card", 400)
    stubber.add_response("create_model_package", {"ModelPackageArn": PACKAGE})
    registration._serve_objects()

    outputs = register_model.handler(EVENT, None)

    assert outputs == {"model_package_arn": PACKAGE}
    assert set(registration.requests[0]) - set(registration.request) == left_out
    assert registration.request["InferenceSpecification"]["Containers"] == CONTAINERS
    assert "no such card" in caplog.text
    assert ", ".join(part for part in register_model.ADORNMENTS if part in left_out) in caplog.text


def test_a_package_that_is_refused_itself_fails_the_step_with_the_services_reason(
    registration: Registration,
) -> None:
    stubber = registration.aws["sagemaker"]
    stubber.add_response("describe_model_package_group", *registration.group)
    for _ in range(4):  # as given, without SourceUri, without ModelLifeCycle, without both
        stubber.add_client_error("create_model_package", "ValidationException", "no such image", 400)
    registration._serve_objects()

    with pytest.raises(ClientError, match="no such image"):
        register_model.handler(EVENT, None)


def test_a_fault_of_the_service_leaves_nothing_out(registration: Registration) -> None:
    stubber = registration.aws["sagemaker"]
    stubber.add_response("describe_model_package_group", *registration.group)
    stubber.add_client_error("create_model_package", "ThrottlingException", "not now", 400)
    registration._serve_objects()

    with pytest.raises(ClientError, match="not now"):
        register_model.handler(EVENT, None)
