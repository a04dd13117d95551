"""Verification: an endpoint that is right passes, and each way of being wrong is found."""

from __future__ import annotations

import hashlib
import json

import pytest
from deployment_kit import ROWS, csv_of

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.stage import stage
from automl_gitops.verification.record import checks_table
from automl_gitops.verification.verify import verify


def test_what_an_endpoint_answered_does_not_break_the_report():
    detail = "answered 200: 'yes | no\n<b>'"

    text = checks_table([{"name": "answers csv", "outcome": "failed", "detail": detail}])

    assert text.splitlines()[2:] == ["| answers csv | failed | answered 200: 'yes &#124; no &lt;b&gt;' |"]


def outcomes(record):
    return {check["name"]: check["outcome"] for check in record["checks"]}


def test_a_version_that_answers_as_it_was_evaluated_is_signed_off(world, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/name")
    monkeypatch.setenv("GITHUB_RUN_ID", "77")
    arn = world.register()
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    assert record["outcome"] == "verified"
    assert outcomes(record) == {
        "answers csv": "passed",
        "labels are known": "passed",
        "agrees with the evaluation": "passed",
        "answers json": "passed",
        "predicts nothing for malformed rows": "passed",
        "p50 latency": "passed",
        "p95 latency": "passed",
        "error rate": "passed",
    }
    assert record["load"]["requests"] == 20
    assert world.read("verifications/1/verification.json") == record
    assert record["signed_off"]["by"] == "ada"
    assert record["signed_off"]["run"] == "https://github.com/owner/name/actions/runs/77"
    text = (
        world.s3.get_object(Bucket=world.bucket, Key="verifications/1/verification.md")["Body"]
        .read()
        .decode()
    )
    assert "| agrees with the evaluation | passed |" in text
    package = world.package(arn)
    assert package["ModelLifeCycle"] == {"Stage": "Staging", "StageStatus": "Verified"}
    metadata = package["CustomerMetadataProperties"]
    assert metadata["verification"] == "verified"
    assert metadata["verification_by"] == "ada"
    assert metadata["verification_record"] == f"s3://{world.bucket}/verifications/1/verification.json"
    newest = world.s3.head_object(Bucket=world.bucket, Key="autopilot/model.tar.gz")["VersionId"]
    known = f"{hashlib.sha256(b'an archive').hexdigest()} {newest}"
    assert record["archives"] == {f"s3://{world.bucket}/autopilot/model.tar.gz": known}
    assert metadata["archive_1"] == known
    assert f"version {newest}" in text
    # What the registration noted is still there.
    assert metadata["problem_type"] == "BinaryClassification"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


@pytest.mark.parametrize(
    ("rule", "expected", "check"),
    [
        ({"THRESHOLD": "30"}, {"THRESHOLD": "25"}, "agrees with the evaluation"),
        ({"LABEL": "maybe"}, None, "labels are known"),
        ({"ANSWERS_ANYTHING": "1"}, {"THRESHOLD": "30"}, "answers csv"),
        ({"FAILS": "no memory"}, {"THRESHOLD": "30"}, "answers csv"),
        ({"SECONDS": "0.3"}, None, "p95 latency"),
        ({"REGRESSION": "nan"}, {"REGRESSION": "1"}, "numbers are finite"),
        ({"REGRESSION": "1.01"}, {"REGRESSION": "1"}, "agrees with the evaluation"),
    ],
)
def test_what_is_wrong_fails_the_check_that_is_about_it_and_is_recorded(world, rule, expected, check):
    world.configure(verification="rows = 40\nrequests = 4\nconcurrency = 2\nmax_latency_p95_ms = 250")
    arn = world.register(**rule, expected=expected)
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    assert record["outcome"] == "failed"
    assert outcomes(record)[check] == "failed"
    assert world.package(arn)["ModelLifeCycle"] == {"Stage": "Staging", "StageStatus": "Failed"}
    assert world.read("verifications/1/verification.json")["outcome"] == "failed"


def test_a_threshold_decides_as_in_the_evaluation(world):
    arn = world.register(PROBABILITIES="1", threshold=0.55)
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    assert record["outcome"] == "verified", record["checks"]
    (check,) = [check for check in record["checks"] if check["name"] == "decides as the evaluation"]
    assert check["detail"].startswith(
        '40 of 40 rows are called as there, by a probability of "yes" from 0.55 on'
    )


def test_a_model_that_answers_no_probabilities_to_decide_by_is_found(world):
    arn = world.register(threshold=0.55)
    stage(world.project(), arn)

    assert outcomes(verify(world.project(), arn))["decides as the evaluation"] == "failed"


def test_a_container_that_guesses_for_malformed_rows_is_found(world):
    # It answers the only row of the holdout as evaluated, so only the malformed rows tell.
    world.configure(verification="rows = 1\nrequests = 1\nconcurrency = 1")
    arn = world.register(ANSWERS_ANYTHING="1", expected={"ANSWERS_ANYTHING": "1"})
    rows = world.s3.get_object(Bucket=world.bucket, Key="datasets/" + "a" * 64 + "/x_test/part-00000.csv")
    first = rows["Body"].read().decode().splitlines()[0]
    world.s3.put_object(
        Bucket=world.bucket, Key="datasets/" + "a" * 64 + "/x_test/part-00000.csv", Body=f"{first}\n".encode()
    )
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    assert outcomes(record)["agrees with the evaluation"] == "passed"
    assert outcomes(record)["predicts nothing for malformed rows"] == "failed"


def test_numbers_that_differ_in_the_last_digits_agree(world):
    arn = world.register(REGRESSION="1.0000000001", expected={"REGRESSION": "1"})
    stage(world.project(), arn)

    assert verify(world.project(), arn)["outcome"] == "verified"


def test_a_net_whose_digits_follow_from_the_size_of_the_batch_agrees(world):
    world.configure(verification="rows = 40\nrequests = 4\nconcurrency = 2")
    arn = world.register(FLOAT32="1")
    stage(world.project(), arn)
    alone, together = (
        [line for body in bodies for line in world.answer(body).splitlines()]
        for bodies in ([csv_of([row]) for row in ROWS], [csv_of(ROWS)])
    )

    record = verify(world.project(), arn)

    assert alone != together
    assert record["outcome"] == "verified"
    assert outcomes(record)["agrees with the evaluation"] == "passed"


def test_a_container_that_crashes_on_malformed_rows_misleads_nobody(world):
    arn = world.register(CRASHES="1")
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    (check,) = [one for one in record["checks"] if one["name"] == "predicts nothing for malformed rows"]
    assert (check["outcome"], record["outcome"]) == ("warning", "verified")
    assert check["detail"].startswith("no prediction for a value too few (500), ")


def test_a_container_without_json_is_not_blamed_for_it(world):
    arn = world.register(CSV_ONLY="1")
    stage(world.project(), arn)

    record = verify(world.project(), arn)

    assert outcomes(record)["answers json"] == "not applicable"
    assert record["outcome"] == "verified"


def test_the_version_that_is_asked_about_has_to_be_the_one_that_serves(world):
    first, second = world.register(), world.register()
    stage(world.project(), first)

    with pytest.raises(UserError, match=f"serves {first}, not {second}"):
        verify(world.project(), second)

    assert world.objects("verifications/") == []


def test_what_the_endpoint_loaded_has_to_lie_there_still(world):
    arn = world.register()
    stage(world.project(), arn)
    world.put("autopilot/model.tar.gz", "another archive")

    with pytest.raises(
        UserError,
        match=rf"version 1's archive .* changed since it was staged: run `automl stage --model-package {arn}`",
    ):
        verify(world.project(), arn)
    assert world.objects("verifications/") == []

    assert stage(world.project(), arn).changed
    assert verify(world.project(), arn)["outcome"] == "verified"


def test_without_an_endpoint_the_way_out_is_said(world, capsys):
    status = main(["verify"])

    assert status == 2
    assert "automl stage" in capsys.readouterr().err


def test_a_holdout_that_is_gone_is_a_failed_run_that_names_it(world):
    arn = world.register()
    stage(world.project(), arn)
    for key in world.objects("transforms/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)

    with pytest.raises(RunError, match=r"transforms/.*part-00000.csv.out is gone"):
        verify(world.project(), arn)


def test_staging_that_is_not_to_be_kept_is_removed_and_a_second_run_finds_the_record(world):
    world.configure(staging="keep = false")
    arn = world.register()
    stage(world.project(), arn)

    record = verify(world.project(), arn)
    again = verify(world.project(), arn)

    assert again == record
    assert world.parts() == []
    with pytest.raises(world.sagemaker.exceptions.ClientError, match="Could not find"):
        world.endpoint("staging")


def test_the_command_ends_with_1_when_a_check_fails_and_prints_the_record(world, capsys):
    arn = world.register(LABEL="maybe")
    stage(world.project(), arn)
    capsys.readouterr()

    status = main(["verify", "--json"])

    printed = capsys.readouterr()
    assert status == 1
    assert json.loads(printed.out)["outcome"] == "failed"
    assert "cannot be promoted" in printed.err
