"""AutoML jobs are trained by AutoGluon, and described as the service does."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError
from jobs_kit import (
    BUCKET,
    EXPLAINING,
    PRICE,
    QUICK,
    RETURNS,
    ROWS,
    SPECIES,
    TRUST,
    Site,
    channel,
    data,
    policy,
    rows,
    text,
)

from local_sagemaker import runtime
from support.waiting import wait_until

PARQUET = "x-application/vnd.amazon+parquet"
TWO_CHANNELS = [channel(f"s3://{BUCKET}/train.csv"), channel(f"s3://{BUCKET}/validation.csv", "validation")]
ENSEMBLE_KEYS = "predicted_label,probability,probabilities,labels"


def metric(candidate: dict[str, Any], name: str) -> float:
    metrics = candidate["CandidateProperties"]["CandidateMetrics"]
    return next(m["Value"] for m in metrics if m.get("MetricName") == name)


def test_ensembling_finds_the_best_candidate_by_the_objective(site: Site) -> None:
    job = site.trained(SPECIES)

    candidates = site.candidates(job)

    values = [c["FinalAutoMLJobObjectiveMetric"]["Value"] for c in candidates]
    assert 2 <= len(candidates) <= QUICK["MaxCandidates"]
    assert values == sorted(values, reverse=True)
    assert job["BestCandidate"]["FinalAutoMLJobObjectiveMetric"] == {
        "Type": "Maximize",
        "MetricName": "F1macro",
        "StandardMetricName": "F1macro",
        "Value": values[0],
    }
    assert values[0] == pytest.approx(metric(job["BestCandidate"], "F1macro"))
    assert values[0] > 0.8  # the classes follow from one column
    assert {c["CandidateStatus"] for c in candidates} == {"Completed"}


def test_description_has_the_request_what_was_resolved_and_the_end(site: Site) -> None:
    job = site.trained(SPECIES)

    assert (job["AutoMLJobStatus"], job["AutoMLJobSecondaryStatus"]) == ("Completed", "Completed")
    assert job["CreationTime"] < job["EndTime"] <= job["LastModifiedTime"]
    assert job["AutoMLProblemTypeConfigName"] == "Tabular"
    assert job["ResolvedAttributes"]["AutoMLJobObjective"] == {"MetricName": "F1macro"}
    assert job["ResolvedAttributes"]["CompletionCriteria"] == QUICK
    summaries = site.sagemaker.list_auto_ml_jobs(NameContains=job["AutoMLJobName"])["AutoMLJobSummaries"]
    assert [summary["AutoMLJobArn"] for summary in summaries] == [job["AutoMLJobArn"]]


def test_every_candidate_has_an_archive_of_its_own(site: Site) -> None:
    job = site.trained(SPECIES)
    candidates = site.candidates(job)

    containers = [candidate["InferenceContainers"] for candidate in candidates]

    assert [len(given) for given in containers] == [1] * len(candidates)
    urls = {given[0]["ModelDataUrl"] for given in containers}
    assert len(urls) == len(candidates)
    assert all(site.keys(url) for url in urls)
    environment = containers[0][0]["Environment"]
    assert environment["SAGEMAKER_INFERENCE_OUTPUT"] == "predicted_label"
    assert environment["SAGEMAKER_INFERENCE_SUPPORTED"] == ENSEMBLE_KEYS


def test_tuning_of_a_classification_has_three_containers(site: Site) -> None:
    job = site.trained(RETURNS)

    features, algorithm, labels = job["BestCandidate"]["InferenceContainers"]

    assert features["ModelDataUrl"] == labels["ModelDataUrl"] != algorithm["ModelDataUrl"]
    supported = algorithm["Environment"]["SAGEMAKER_INFERENCE_SUPPORTED"]
    assert supported == "predicted_label,probability,probabilities"
    assert labels["Environment"]["SAGEMAKER_INFERENCE_INPUT"] == "predicted_label"
    assert "labels" in labels["Environment"]["SAGEMAKER_INFERENCE_SUPPORTED"]
    assert metric(job["BestCandidate"], "AUC") > 0.8


def test_type_and_objective_are_inferred_where_neither_is_given(site: Site) -> None:
    job = site.trained(PRICE)

    resolved = job["ResolvedAttributes"]

    tabular = resolved["AutoMLProblemTypeResolvedAttributes"]["TabularResolvedAttributes"]
    assert tabular == {"ProblemType": "Regression"}
    assert resolved["AutoMLJobObjective"] == {"MetricName": "MSE"}
    assert job["BestCandidate"]["FinalAutoMLJobObjectiveMetric"]["Type"] == "Minimize"
    assert metric(job["BestCandidate"], "R2") > 0.8
    assert metric(job["BestCandidate"], "RMSE") ** 2 == pytest.approx(metric(job["BestCandidate"], "MSE"))


def test_attributions_name_what_the_labels_follow_from(site: Site) -> None:
    job = site.trained(SPECIES)
    locations = job["BestCandidate"]["CandidateProperties"]["CandidateArtifactLocations"]

    analysis = json.loads(site.get(f"{locations['Explainability']}/analysis.json"))

    explained = analysis["explanations"]["kernel_shap"]
    assert set(explained) == {"01", "1.50", 'a, "b"'}
    for attributions in explained.values():
        values = attributions["global_shap_values"]
        assert set(values) == {"length", "colour", "spots"}
        assert max(values, key=values.get) == "length"
        assert values["length"] > 3 * values["colour"]


def test_insights_agree_with_the_candidates_metrics(site: Site) -> None:
    job = site.trained(SPECIES)
    locations = job["BestCandidate"]["CandidateProperties"]["CandidateArtifactLocations"]

    statistics = json.loads(site.get(f"{locations['ModelInsights']}/statistics.json"))

    metrics = statistics["multiclass_classification_metrics"]
    matrix = metrics["confusion_matrix"]
    hits = sum(matrix[label][label] for label in matrix)
    total = sum(count for row in matrix.values() for count in row.values())
    assert total == ROWS // 5
    assert metrics["accuracy"]["value"] == pytest.approx(hits / total)
    assert metrics["accuracy"]["value"] == pytest.approx(metric(job["BestCandidate"], "Accuracy"))


def test_leaderboard_and_exploration_lie_in_the_output_path(site: Site) -> None:
    job = site.trained(SPECIES)

    prefix = f"s3://{BUCKET}/automl/{job['AutoMLJobName']}"
    leaderboard = list(csv.DictReader(io.StringIO(site.get(f"{prefix}/leaderboard.csv").decode())))
    notebook = json.loads(site.get(job["AutoMLJobArtifacts"]["DataExplorationNotebookLocation"]))

    assert leaderboard[0]["model"] == job["BestCandidate"]["CandidateName"]
    assert "| length | number |" in notebook["cells"][0]["source"]


def test_files_of_a_manifest_zipped_or_not_and_a_validation_channel_are_read(site: Site) -> None:
    header = ["length", "colour", "spots", "species"]
    site.put("parts/a.csv", text([header, *rows(SPECIES, 260, seed=2)]))
    site.put("parts/b.csv.gz", gzip.compress(text([header, *rows(SPECIES, 260, seed=3)]).encode()))
    listed = [{"prefix": f"s3://{BUCKET}/parts/"}, "a.csv", "b.csv.gz"]
    manifest = site.put("parts.manifest", json.dumps(listed))
    validation = site.put("validation.csv", text([header, *rows(SPECIES, 33, seed=4)]))

    job = site.ended_automl(
        site.create_automl(
            AutoMLJobInputDataConfig=[
                channel(manifest, data_type="ManifestFile"),
                channel(validation, "validation"),
            ],
            CompletionCriteria={"MaxCandidates": 1},
        )
    )

    assert job["AutoMLJobStatus"] == "Completed", job
    locations = job["BestCandidate"]["CandidateProperties"]["CandidateArtifactLocations"]
    statistics = json.loads(site.get(f"{locations['ModelInsights']}/statistics.json"))
    matrix = statistics["multiclass_classification_metrics"]["confusion_matrix"]
    assert sum(count for row in matrix.values() for count in row.values()) == 33
    found = site.sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=job["AutoMLJobName"])
    assert len(found["Candidates"]) == 1


def test_candidates_are_chosen_on_the_validation_channel_and_trained_on_the_other(site: Site) -> None:
    header = ["length", "colour", "spots", "returned"]
    train = site.put("two/train.csv", text([header, *rows(RETURNS, 520, seed=2)]))
    # What the training rows teach is wrong of each row here: a model that had seen them would not score so low.
    turned = [[*row[:-1], str(row[-1] == "False")] for row in rows(RETURNS, 200, seed=3)]
    validation = site.put("two/validation.csv", text([header, *turned]))

    job = site.ended_automl(
        site.create_automl(
            AutoMLJobInputDataConfig=[channel(validation, "validation"), channel(train)],
            TargetAttributeName="returned",
            ProblemType="BinaryClassification",
            AutoMLJobObjective={"MetricName": "Accuracy"},
        )
    )

    assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")
    notebook = site.get(job["AutoMLJobArtifacts"]["DataExplorationNotebookLocation"]).decode()
    assert "520 rows to train on, 200 to validate on" in notebook
    scores = {c["CandidateName"]: metric(c, "Accuracy") for c in site.candidates(job)}
    assert max(scores.values()) < 0.4
    best = job["BestCandidate"]["CandidateName"]
    assert scores[best] == max(scores.values()) > min(scores.values())


def test_weights_are_trained_and_judged_by(site: Site) -> None:
    chance = random.Random(5)
    records = []
    for _ in range(600):
        length, heavy = round(chance.uniform(1, 9), 2), chance.random() < 0.3
        # Seven rows of ten say the opposite of the others, and weigh nothing.
        records.append([str(length), "5" if heavy else "0", str((length > 5) == heavy)])
    source = site.put("weights/train.csv", text([["length", "weight", "returned"], *records]))

    job = site.ended_automl(
        site.create_automl(
            AutoMLJobInputDataConfig=[channel(source)],
            TargetAttributeName="returned",
            ProblemType="BinaryClassification",
            AutoMLJobObjective={"MetricName": "Accuracy"},
            SampleWeightAttributeName="weight",
            CompletionCriteria=QUICK | {"MaxCandidates": 3},
        )
    )

    assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")
    assert metric(job["BestCandidate"], "Accuracy") > 0.9  # by rows it would be about 0.3


def test_parquet_is_read(site: Site) -> None:
    buffer = io.BytesIO()
    pd.read_csv(io.StringIO(data(SPECIES)), dtype={"species": str}).to_parquet(buffer)
    source = channel(site.put("parquet/train.parquet", buffer.getvalue()))
    source["ContentType"] = PARQUET

    job = site.ended_automl(
        site.create_automl(AutoMLJobInputDataConfig=[source], CompletionCriteria={"MaxCandidates": 1})
    )

    assert job["AutoMLJobStatus"] == "Completed", job
    assert metric(job["BestCandidate"], "F1macro") > 0.8


def test_output_is_encrypted_with_the_key(site: Site) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]

    job = site.ended_automl(
        site.create_automl(
            OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/encrypted", "KmsKeyId": key},
            CompletionCriteria={"MaxCandidates": 1},
        )
    )

    keys = site.keys(f"s3://{BUCKET}/encrypted/{job['AutoMLJobName']}/")
    found = [site.client("s3").head_object(Bucket=BUCKET, Key=name).get("SSEKMSKeyId") for name in keys]
    assert len(found) >= 5
    assert set(found) == {key}


def test_specification_chooses_columns_and_weights_are_no_feature(site: Site) -> None:
    header, *records = csv.reader(io.StringIO(data(SPECIES)))
    weighted = text([[*header, "weight"], *([*record, "1.5"] for record in records)])
    source = site.put("weighted/train.csv", weighted)
    chosen = {"FeatureAttributeNames": ["length", "spots"], "FeatureDataTypes": {"spots": "categorical"}}
    specification = site.put("weighted/features.json", json.dumps(chosen))

    job = site.ended_automl(
        site.create_automl(
            AutoMLJobInputDataConfig=[channel(source)],
            FeatureSpecificationS3Uri=specification,
            SampleWeightAttributeName="weight",
            CandidateGenerationConfig={"AlgorithmsConfig": [{"AutoMLAlgorithms": ["lightgbm", "nn-torch"]}]},
            CompletionCriteria={"MaxCandidates": 1},
        )
    )

    assert job["AutoMLJobStatus"] == "Completed", job
    notebook = site.get(job["AutoMLJobArtifacts"]["DataExplorationNotebookLocation"]).decode()
    assert "| length | number |" in notebook
    assert "| spots | text |" in notebook
    assert "colour" not in notebook
    assert "weight" not in notebook
    (note,) = job["PartialFailureReasons"]
    assert "nn-torch" in note["PartialFailureMessage"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"TargetAttributeName": "specie"}, "'specie' is not in the header"),
        ({"ProblemType": "BinaryClassification", "objective": "F1"}, "needs two classes, 'species' has 3"),
        ({"ProblemType": "Regression", "objective": "MSE"}, "needs a number as target"),
        ({"source": "nowhere/"}, "No S3 objects found"),
    ],
)
def test_data_that_cannot_be_trained_on_fails_the_job(
    site: Site, changes: dict[str, Any], reason: str
) -> None:
    changes = dict(changes)
    if "objective" in changes:
        changes["AutoMLJobObjective"] = {"MetricName": changes.pop("objective")}
    if "source" in changes:
        changes["AutoMLJobInputDataConfig"] = [channel(f"s3://{BUCKET}/{changes.pop('source')}")]

    job = site.ended_automl(site.create_automl(**changes))

    assert (job["AutoMLJobStatus"], job["AutoMLJobSecondaryStatus"]) == ("Failed", "Failed")
    assert reason in job["FailureReason"]
    assert "EndTime" in job


def test_fewer_rows_than_the_service_takes_fail_the_job(site: Site) -> None:
    few = site.put("few/train.csv", data(SPECIES, 499))

    job = site.ended_automl(site.create_automl(AutoMLJobInputDataConfig=[channel(few)]))

    assert job["AutoMLJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "ClientError: The dataset has 499 rows with a target. At least 500 rows are required."
    )


def test_a_lenient_local_aws_trains_on_fewer_rows(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.current(), "lenient", True)
    few = site.put("lenient/train.csv", data(SPECIES, 60))

    job = site.ended_automl(
        site.create_automl(AutoMLJobInputDataConfig=[channel(few)], CompletionCriteria={"MaxCandidates": 1})
    )

    assert job["AutoMLJobStatus"] == "Completed", job.get("FailureReason")


def test_objective_that_the_validation_rows_do_not_allow_fails_the_job(site: Site) -> None:
    labels = ["rare", *["common"] * 599]  # the single row of a class is trained on
    content = text([["length", "kind"], *([str(n), label] for n, label in enumerate(labels))])

    job = site.ended_automl(
        site.create_automl(
            AutoMLJobInputDataConfig=[channel(site.put("single/train.csv", content))],
            TargetAttributeName="kind",
            ProblemType="BinaryClassification",
            AutoMLJobObjective={"MetricName": "AUC"},
        )
    )

    assert job["AutoMLJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: AUC needs validation rows of both classes."


def test_role_without_rights_fails_the_job(site: Site) -> None:
    iam = site.client("iam")
    role = iam.create_role(RoleName=site.name("None"), AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]

    job = site.ended_automl(site.create_automl(RoleArn=role))

    assert job["AutoMLJobStatus"] == "Failed"
    assert "AccessDenied" in job["FailureReason"]


def _role(site: Site, *statements: dict[str, Any]) -> str:
    """A role that reads and writes the jobs' bucket, and has these rights beside."""
    iam, name = site.client("iam"), site.name("Job")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    bucket = {
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    }
    iam.put_role_policy(RoleName=name, PolicyName="jobs", PolicyDocument=policy(bucket, *statements))
    return role


@pytest.mark.parametrize("missing", ["sagemaker:InvokeEndpoint", "sagemaker:DeleteModel", "iam:PassRole"])
def test_role_that_may_not_explain_a_model_leaves_it_unexplained(site: Site, missing: str) -> None:
    deny = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    role = _role(site, *EXPLAINING, deny)

    job = site.ended_automl(site.create_automl(RoleArn=role, CompletionCriteria={"MaxCandidates": 1}))

    assert job["AutoMLJobStatus"] == "Completed"
    artifacts = job["BestCandidate"]["CandidateProperties"]["CandidateArtifactLocations"]
    assert set(artifacts) == {"ModelInsights"}
    (reason,) = (one["PartialFailureMessage"] for one in job["PartialFailureReasons"])
    assert f"not authorized to perform: {missing} on resource: arn:aws:" in reason


@pytest.mark.parametrize(
    "missing", ["kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:DescribeKey"]
)
def test_role_that_may_not_use_the_keys_fails_the_job(site: Site, missing: str) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]
    actions = {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"}
    using = {"Effect": "Allow", "Action": sorted(actions - {missing}), "Resource": key}
    output = {"S3OutputPath": f"s3://{BUCKET}/encrypted", "KmsKeyId": key}

    job = site.ended_automl(
        site.create_automl(
            RoleArn=_role(site, using, *EXPLAINING),
            OutputDataConfig=output,
            SecurityConfig={"VolumeKmsKeyId": key},
        )
    )

    assert job["AutoMLJobStatus"] == "Failed"
    assert f"not authorized to perform: {missing} on resource: {key}" in job["FailureReason"]


def test_stop_ends_the_training_and_keeps_what_was_trained(site: Site) -> None:
    # Without a limit of its own, a job of so many candidates takes minutes.
    name = site.create_automl(CompletionCriteria={"MaxCandidates": 300})
    found = wait_until(
        lambda: site.sagemaker.list_candidates_for_auto_ml_job(AutoMLJobName=name)["Candidates"],
        lambda candidates: len(candidates) >= 2,
    )
    assert {candidate["CandidateStatus"] for candidate in found} == {"InProgress"}

    site.sagemaker.stop_auto_ml_job(AutoMLJobName=name)
    stopping = site.sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)["AutoMLJobStatus"]
    job = site.ended_automl(name)

    assert stopping in ("Stopping", "Stopped")
    assert (job["AutoMLJobStatus"], job["AutoMLJobSecondaryStatus"]) == ("Stopped", "Stopped")
    assert site.keys(job["BestCandidate"]["InferenceContainers"][0]["ModelDataUrl"])


def test_time_that_is_up_ends_the_job_with_the_best_so_far(site: Site) -> None:
    # So many candidates take minutes; the time is enough for the first on a machine that others have, too.
    criteria = {"MaxCandidates": 750, "MaxAutoMLJobRuntimeInSeconds": 20}

    job = site.ended_automl(site.create_automl(CompletionCriteria=criteria))

    assert job["AutoMLJobStatus"] == "Completed", job
    assert site.keys(job["BestCandidate"]["InferenceContainers"][0]["ModelDataUrl"])
    pages = site.sagemaker.get_paginator("list_candidates_for_auto_ml_job").paginate(
        AutoMLJobName=job["AutoMLJobName"]
    )
    assert 1 <= sum(len(page["Candidates"]) for page in pages) < 750


def test_job_beyond_the_quota_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_CONCURRENT_AUTOML_JOBS", "1")
    first = site.create_automl(CompletionCriteria={"MaxCandidates": 300})

    with pytest.raises(ClientError) as refused:
        site.create_automl()
    site.sagemaker.stop_auto_ml_job(AutoMLJobName=first)
    site.ended_automl(first)

    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    assert "Maximum number of concurrent AutoML Jobs" in refused.value.response["Error"]["Message"]


def test_name_is_used_once(site: Site) -> None:
    name = site.trained(SPECIES)["AutoMLJobName"]

    with pytest.raises(ClientError) as refused:
        site.create_automl(AutoMLJobName=name)

    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AutoMLJobName": "x" * 33}, "length less than or equal to 32"),
        ({"AutoMLJobName": "under_score"}, "regular expression pattern"),
        ({"ProblemType": None}, "both ProblemType and AutoMLJobObjective"),
        ({"AutoMLJobObjective": None}, "both ProblemType and AutoMLJobObjective"),
        ({"AutoMLJobObjective": {"MetricName": "F1"}}, "F1 is not supported for MulticlassClassification"),
        ({"CompletionCriteria": {"MaxCandidates": 751}}, "less than or equal to 750"),
        ({"Mode": "AUTO", "SampleWeightAttributeName": "w"}, "SampleWeightAttributeName"),
        (
            {
                "Mode": "AUTO",
                "CandidateGenerationConfig": {"AlgorithmsConfig": [{"AutoMLAlgorithms": ["xgboost"]}]},
            },
            "AlgorithmsConfig is not supported when Mode is AUTO",
        ),
        (
            {
                "Mode": "HYPERPARAMETER_TUNING",
                "CandidateGenerationConfig": {"AlgorithmsConfig": [{"AutoMLAlgorithms": ["catboost"]}]},
            },
            "catboost is not supported in HYPERPARAMETER_TUNING",
        ),
        ({"DataSplitConfig": {"ValidationFraction": 1.0}}, "ValidationFraction"),
        (
            {"AutoMLJobInputDataConfig": TWO_CHANNELS, "DataSplitConfig": {"ValidationFraction": 0.2}},
            "ValidationFraction must not be set where there is a validation channel",
        ),
        (
            {"AutoMLJobInputDataConfig": [TWO_CHANNELS[0], TWO_CHANNELS[1] | {"ContentType": PARQUET}]},
            "must share the same ContentType",
        ),
        ({"AutoMLJobInputDataConfig": [TWO_CHANNELS[1]]}, "needs one training channel"),
        ({"AutoMLJobInputDataConfig": [TWO_CHANNELS[0]] * 2}, "needs one training channel"),
        (
            {
                "AutoMLJobInputDataConfig": [
                    channel(f"s3://{BUCKET}/a.manifest", data_type="ManifestFile")
                    | {"CompressionType": "Gzip"}
                ]
            },
            "Gzip is supported for S3Prefix",
        ),
        (
            {"AutoMLJobObjective": {"MetricName": "BalancedAccuracy"}, "SampleWeightAttributeName": "w"},
            "BalancedAccuracy is not supported with SampleWeightAttributeName",
        ),
        ({"ModelDeployConfig": {"AutoGenerateEndpointName": True}}, "does not offer ModelDeployConfig"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/no-such-role"}, "Could not assume role"),
    ],
)
def test_request_that_the_service_refuses(site: Site, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        site.create_automl(**changes)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    "operation",
    [
        "describe_auto_ml_job_v2",
        "stop_auto_ml_job",
        "list_candidates_for_auto_ml_job",
    ],
)
def test_job_that_does_not_exist(site: Site, operation: str) -> None:
    with pytest.raises(ClientError) as missing:
        getattr(site.sagemaker, operation)(AutoMLJobName="no-such-job")

    assert missing.value.response["Error"]["Code"] == "ResourceNotFound"


def test_tags_of_a_job_are_kept(site: Site) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    name = site.create_automl(Tags=tags, CompletionCriteria={"MaxCandidates": 300})
    arn = site.sagemaker.describe_auto_ml_job_v2(AutoMLJobName=name)["AutoMLJobArn"]
    site.sagemaker.stop_auto_ml_job(AutoMLJobName=name)

    found = site.sagemaker.list_tags(ResourceArn=arn)["Tags"]

    assert found == tags
    site.ended_automl(name)
