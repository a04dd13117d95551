"""`upsert` and `run` against AWS within the process."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.stub import Stubber
from making import ACCOUNT, BUCKET, CHAMPION, automl_toml, lock, table
from moto.core.models import botocore_stubber
from moto.sagemaker.models import sagemaker_backends

import automl_gitops.runs.run as run_module
from automl_gitops.commands.main import main
from automl_gitops.data.push import push
from automl_gitops.data.store import MANIFEST, Store
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs import definition
from automl_gitops.runs.project import Project
from automl_gitops.runs.run import Source, Started, parse_changes, repeat, run
from automl_gitops.runs.upsert import describe, differing, upsert
from automl_gitops.stacks.stack import require_functions

COMMIT = "c0ffee" * 6 + "c0ff"


@pytest.fixture
def project(folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A committed project whose data set is pushed; the SDK, which is tested elsewhere, is left out."""
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("print(1)\n")
    monkeypatch.setattr(definition, "build", _build)
    monkeypatch.setattr("automl_gitops.runs.run.find_source", lambda: Source(COMMIT, False))
    push(Project().config, table(folder / "patients.csv"), aws, Output(), synthetic=False)
    return fresh(aws)


def fresh(aws: Aws) -> Project:
    """The project as the next command would read it."""
    project = Project()
    project.__dict__["aws"] = aws
    return project


def _build(config: Any, lock: Any, account: str, bundle: Any, champion: str = "") -> str:
    values = definition.parameters(config, lock, champion)
    return json.dumps({"Version": "2020-12-01", "Parameters": values, "Code": bundle.sha256, "Steps": []})


def start(project: Project, *changes: str, again: int | None = None) -> Started:
    return run(project, Output(), parse_changes(list(changes)), again)


def execution(project: Project, arn: str) -> dict[str, Any]:
    return project.aws.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=arn)


def given(project: Project, arn: str) -> dict[str, str]:
    listing = project.aws.client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
    pages = listing.paginate(PipelineExecutionArn=arn)
    return {item["Name"]: item["Value"] for page in pages for item in page["PipelineParameters"]}


def register(project: Project, version: int) -> None:
    """Have the registry hold versions up to this one."""
    sagemaker = project.aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="hospital")
    for _ in range(version):
        sagemaker.create_model_package(ModelPackageGroupName="hospital")


def test_upsert_says_what_it_did(project: Project, folder: Path, aws: Aws) -> None:
    first, arn = upsert(project)
    second, _ = upsert(fresh(aws))
    (folder / "automl.toml").write_text(automl_toml(autopilot={"budget": {"max_candidates": 3}}))
    third, _ = upsert(fresh(aws))
    fourth, _ = upsert(fresh(aws))

    assert [first, second, third, fourth] == ["created", "unchanged", "updated", "unchanged"]
    assert arn == f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/hospital"
    told = aws.client("sagemaker").describe_pipeline(PipelineName="hospital")
    assert json.loads(told["PipelineDefinition"])["Parameters"]["MaxCandidates"] == 3
    assert told["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/hospital-SageMakerExecutionRole"


def test_what_aws_does_not_allow_is_said_before_the_sdk_is_imported(
    project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("automl_gitops.runs.definition.build")

    with Stubber(aws.client("sagemaker")) as sagemaker:
        sagemaker.add_client_error("describe_pipeline", "AccessDeniedException")
        with pytest.raises(ClientError, match="AccessDenied"):
            upsert(fresh(aws))


def test_nothing_is_started_before_the_stack_has_its_functions(
    project: Project, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    upsert(project)
    cloudformation = aws.client("cloudformation")
    template = {
        "Parameters": {"StartAutopilotCode": {"Type": "String"}},
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
    }
    made = {"StackName": "hospital", "TemplateBody": json.dumps(template)}
    code = {"ParameterKey": "StartAutopilotCode", "ParameterValue": "none"}
    cloudformation.create_stack(**made, Parameters=[code])

    assert main(["run"]) == 2
    assert "run `automl stack` first" in " ".join(capsys.readouterr().err.split())
    listed = aws.client("sagemaker").list_pipeline_executions(PipelineName="hospital")
    assert listed["PipelineExecutionSummaries"] == []

    cloudformation.update_stack(**made, Parameters=[code | {"ParameterValue": "code/lambdas/1.zip"}])
    require_functions(aws, project.names)


def test_a_pipeline_changed_by_hand_is_set_right(project: Project, aws: Aws) -> None:
    upsert(project)
    aws.client("sagemaker").update_pipeline(
        PipelineName="hospital", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/other"
    )

    assert upsert(fresh(aws))[0] == "updated"


def test_an_update_whose_answer_is_cut_makes_one_version(
    project: Project, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl_gitops.runs.upsert._PAUSES", (0, 0))
    upsert(project)
    carried_out = []

    def cut(request: Any, event_name: str, **_: Any) -> None:
        botocore_stubber(event_name, request)
        carried_out.append(request)
        raise ConnectionClosedError(endpoint_url=request.url)

    for client in (aws.client("sagemaker"), aws.once("sagemaker")):
        client.meta.events.register_first("before-send.sagemaker.UpdatePipeline", cut)
    (folder / "automl.toml").write_text(automl_toml(autopilot={"budget": {"max_candidates": 3}}))

    assert upsert(fresh(aws))[0] == "updated"

    assert len(carried_out) == 1
    assert upsert(fresh(aws))[0] == "unchanged"


@pytest.mark.parametrize(("failures", "tries"), [(2, 3), (9, 3)])
def test_an_update_that_was_not_carried_out_is_tried_again(
    project: Project, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch, failures: int, tries: int
) -> None:
    monkeypatch.setattr("automl_gitops.runs.upsert._PAUSES", (0, 0))
    upsert(project)
    sent = []

    def busy(**_: Any) -> None:
        sent.append(1)
        if len(sent) <= failures:
            raise ClientError(
                {"Error": {"Code": "ThrottlingException", "Message": "later"}}, "UpdatePipeline"
            )

    aws.once("sagemaker").meta.events.register("before-call.sagemaker.UpdatePipeline", busy)
    (folder / "automl.toml").write_text(automl_toml(autopilot={"budget": {"max_candidates": 3}}))

    if failures < tries:
        assert upsert(fresh(aws))[0] == "updated"
    else:
        with pytest.raises(ClientError, match="later"):
            upsert(fresh(aws))
    assert len(sent) == tries


def test_code_is_uploaded_once(project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    upsert(project)
    stored = aws.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=project.bundle.prefix)["Contents"]
    monkeypatch.setattr(aws.client("s3"), "put_object", lambda **_: pytest.fail("uploaded again"))

    upsert(fresh(aws))

    names = {item["Key"].removeprefix(f"{project.bundle.prefix}/") for item in stored}
    assert names == {*project.bundle.files}
    assert names > {"evaluate.py", "settings.json", "automl_evaluation/__init__.py"}


def test_upsert_without_bucket_says_what_makes_it(project: Project, aws: Aws) -> None:
    s3 = aws.client("s3")
    for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    s3.delete_bucket(Bucket=BUCKET)

    with pytest.raises(UserError, match="an administrator runs `make bootstrap` first"):
        upsert(project)


def test_interrupted_upsert_is_finished_by_the_next(
    project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    sagemaker = aws.client("sagemaker")
    create = sagemaker.create_pipeline

    def cut(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InternalFailure", "Message": "power cut"}}, "CreatePipeline")

    monkeypatch.setattr(sagemaker, "create_pipeline", cut)
    with pytest.raises(ClientError):
        upsert(project)
    monkeypatch.setattr(sagemaker, "create_pipeline", create)

    assert upsert(fresh(aws))[0] == "created"


def test_the_same_commit_is_one_execution(project: Project, aws: Aws) -> None:
    upsert(project)

    first, second = start(project), start(fresh(aws))

    assert (first.new, second.new) == (True, False)
    assert first.arn == second.arn
    assert execution(project, first.arn)["PipelineExecutionDisplayName"] == COMMIT[:12]


def test_commit_is_the_token(project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    upsert(project)
    tokens = []
    sagemaker = aws.client("sagemaker")
    original = sagemaker.start_pipeline_execution
    monkeypatch.setattr(
        sagemaker,
        "start_pipeline_execution",
        lambda **sent: tokens.append(sent["ClientRequestToken"]) or original(**sent),
    )

    start(project)
    start(project, again=2)
    start(project, "MaxSeconds=60")

    assert tokens[0] == COMMIT
    assert len(set(tokens)) == 3
    assert all(32 <= len(token) <= 128 for token in tokens)


def test_another_attempt_is_another_execution(project: Project) -> None:
    upsert(project)

    started = [start(project), start(project, again=2), start(project, again=2), start(project, again=3)]

    assert [one.new for one in started] == [True, True, False, True]
    assert [start(project).next_attempt, start(project, again=3).next_attempt] == [4, 4]


@pytest.mark.parametrize(
    ("status", "attempts"), [("Failed", 2), ("Stopped", 2), ("Executing", 1), ("Succeeded", 1)]
)
def test_a_retry_is_another_execution_only_after_a_failure(
    project: Project, monkeypatch: pytest.MonkeyPatch, status: str, attempts: int
) -> None:
    upsert(project)
    first = start(project)
    told = project.aws.client("sagemaker").list_pipeline_executions(PipelineName="hospital")
    before = [one | {"PipelineExecutionStatus": status} for one in told["PipelineExecutionSummaries"]]
    monkeypatch.setattr(run_module, "executions", lambda *_: iter(before))

    again = run(project, Output(), {}, None, retry=True)

    assert again.new is (attempts == 2)
    assert (again.arn == first.arn) is (attempts == 1)


def test_run_says_where_it_comes_from(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')
    monkeypatch.setattr(
        "automl_gitops.runs.run.run_url", lambda: "https://github.com/clinic/hospital/actions/runs/17"
    )
    register(project, 2)
    upsert(project)

    values = given(project, start(project, "MaxSeconds=60").arn)

    assert values["CommitId"] == COMMIT
    assert values["RunUrl"].endswith("/17")
    assert values["ChampionModelPackageArn"] == CHAMPION
    assert values["MaxSeconds"] == "60"
    assert values["DatasetSha256"] == project.lock.sha256


def test_a_value_is_written_as_the_service_writes_it(project: Project) -> None:
    upsert(project)

    first = start(project, "MaxSeconds=1_200", "GateThreshold=.4")
    same = start(project, "MaxSeconds=1200", "GateThreshold=0.4")

    assert first.arn == same.arn
    values = given(project, first.arn)
    assert (values["MaxSeconds"], values["GateThreshold"]) == ("1200", "0.4")


def test_changed_files_are_a_run_of_their_own(
    project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upsert(project)
    clean = start(project)
    monkeypatch.setattr("automl_gitops.runs.run.find_source", lambda: Source(COMMIT, True))

    dirty, again = start(fresh(aws)), start(fresh(aws))

    assert clean.arn != dirty.arn == again.arn
    assert given(project, dirty.arn)["CommitId"] == f"{COMMIT}-dirty"
    assert "files differ from the last commit" in capsys.readouterr().out


WRONG = [
    ("MaxSecond=60", "there is no such parameter; did you mean MaxSeconds?"),
    ("MaxSeconds=soon", "--parameter MaxSeconds=soon: is not a whole number"),
    ("GateThreshold=high", "is not a number"),
    (
        "GateThreshold=5",
        "--parameter GateThreshold=5: automl.toml: [gate] minimum = 5 can be reached by no model",
    ),
    ("MaxCandidates=1000", "--parameter MaxCandidates=1000: is above Autopilot's limit of 750"),
    (
        "EvaluationInstanceType=ml.m5.huge",
        "is not an instance type that SageMaker offers for processing jobs",
    ),
    ("CommitId=abc", "the run sets it, from Git"),
    ("RunUrl=https://example.com", "the run sets it, from Git and the workflow"),
    ("Repository=", "a value has 1 to 1024 characters"),
    ("GateThreshold=nan", "--parameter GateThreshold=nan: is not a finite number"),
    ("XTestUri=holdout/", "is not an address in S3, such as s3://bucket/folder/"),
    ("MaxSeconds", "write NAME=VALUE"),
]


@pytest.mark.parametrize(("argument", "sentence"), WRONG)
def test_wrong_parameters_are_refused_before_any_call(
    project: Project, aws: Aws, monkeypatch: pytest.MonkeyPatch, argument: str, sentence: str
) -> None:
    monkeypatch.setattr(aws, "client", lambda *_: pytest.fail("AWS was called"))

    with pytest.raises(UserError) as caught:
        start(project, argument)

    assert sentence in str(caught.value)


def test_run_before_upsert_is_refused(project: Project) -> None:
    with pytest.raises(UserError, match="does not exist in AWS yet: run `automl upsert` first"):
        start(project)


def test_run_of_a_stale_pipeline_is_refused(project: Project, folder: Path, aws: Aws) -> None:
    upsert(project)
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": 0.5}))

    with pytest.raises(UserError, match=r"was made from another automl.toml than here: run `automl upsert`"):
        start(fresh(aws))


def test_the_files_are_named_that_a_stale_pipeline_was_made_from(
    project: Project, folder: Path, aws: Aws
) -> None:
    upsert(project)
    description = describe(project)
    lock(sha256="cd" * 32).save()
    (folder / "evaluation" / "evaluate.py").write_text("# changed\n")

    assert differing(fresh(aws), description) == ["dataset.lock", "evaluation/"]
    # As an older version of the package described it, in as many words as there are hashes.
    assert differing(fresh(aws), "A model of readmission (made from 1f)") == []


def test_run_without_the_data_is_refused(project: Project, aws: Aws) -> None:
    upsert(project)
    key = project.lock.uris.train_validation.removeprefix(f"s3://{BUCKET}/")
    aws.client("s3").delete_object(Bucket=BUCKET, Key=key)

    with pytest.raises(UserError, match=r"dataset.lock: s3://.* does not exist: run `automl data push"):
        start(project)


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("train_validation.csv", lambda body: body[:99], r"has 99 bytes, and [\d,]{5} were uploaded: run"),
        (
            "x_test/part-00000.csv",
            lambda body: body[::-1],
            "was replaced: of sha256 None, and [0-9a-f]{64} was",
        ),
        ("y_test/part-00000.csv", None, "does not exist: run"),
        ("manifest.json", None, "is missing or damaged: run"),
        ("manifest.json", lambda body: body[:-9], "is missing or damaged: run"),
        ("manifest.json", lambda body: b"[" * 100_000, "is missing or damaged: run"),
        (
            "manifest.json",
            lambda body: re.sub(rb'"bytes": [0-9]+', b'"bytes": "few"', body),
            "is missing or damaged",
        ),
    ],
)
def test_run_with_other_objects_than_were_pushed_is_refused(
    project: Project, folder: Path, aws: Aws, name: str, change: Any, sentence: str
) -> None:
    upsert(project)
    s3, key = aws.client("s3"), f"datasets/{project.lock.sha256}/{name}"
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    if change:
        s3.put_object(Bucket=BUCKET, Key=key, Body=change(body))
    else:
        s3.delete_object(Bucket=BUCKET, Key=key)

    with pytest.raises(UserError, match=rf"^dataset.lock: s3://{BUCKET}/{key} {sentence}"):
        start(project)
    again = push(project.config, folder / "patients.csv", aws, Output(), synthetic=False)
    assert again.uploaded == (name != "manifest.json")
    assert start(fresh(aws)).new


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("x_test/part-00001.csv", True),
        ("train_validation.csv.old", True),
        ("x_test/", False),  # a folder, as the console makes one
        ("notes.txt", False),
    ],
)
def test_what_would_be_read_with_the_data_is_refused(
    project: Project, aws: Aws, name: str, refused: bool
) -> None:
    upsert(project)
    key = f"datasets/{project.lock.sha256}/{name}"
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"" if name.endswith("/") else b"1,w\n")

    if refused:
        with pytest.raises(UserError, match=f"{key} was not uploaded, and .*: delete it$"):
            start(project)
    else:
        assert start(project).new


def test_data_of_another_etag_is_the_same_by_its_hash(project: Project, aws: Aws) -> None:
    """As a copy has that was encrypted anew, and what an older manifest says nothing of."""
    upsert(project)
    s3, key = aws.client("s3"), f"datasets/{project.lock.sha256}/{MANIFEST}"
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    manifest["objects"]["train_validation.csv"]["etag"] = "another"
    del manifest["objects"]["x_test/part-00000.csv"]["etag"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(manifest))

    assert start(project).new


def test_two_calls_look_at_any_number_of_objects(project: Project, aws: Aws) -> None:
    """As long as S3 lists them on one page."""
    upsert(project)
    s3, prefix = aws.client("s3"), f"datasets/{project.lock.sha256}/"
    store = Store(s3, BUCKET, project.lock.sha256)
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=prefix + MANIFEST)["Body"].read())
    for number in range(1, 100):
        name, body = f"x_test/part-{number:05}.csv", b"1,w\n"
        etag = s3.put_object(Bucket=BUCKET, Key=prefix + name, Body=body)["ETag"]
        manifest["objects"][name] = {"bytes": len(body), "sha256": "", "etag": etag}
    s3.put_object(Bucket=BUCKET, Key=prefix + MANIFEST, Body=json.dumps(manifest))
    calls: list[str] = []
    s3.meta.events.register(
        "before-call.s3", lambda model, params, **_: calls.append(model.name) or _owned(params)
    )

    store.require("push")

    assert calls == ["ListObjectsV2", "GetObject"]


def _owned(params: dict[str, Any]) -> None:
    assert params["headers"]["x-amz-expected-bucket-owner"] == ACCOUNT


def test_run_with_data_of_another_account_is_refused(project: Project, aws: Aws) -> None:
    elsewhere = lock().uris.model_copy(
        update={"train_validation": "s3://hospital-210987654321-eu-west-1/t.csv"}
    )
    lock(uris=elsewhere).save()
    project = fresh(aws)
    upsert(project)

    with pytest.raises(UserError, match=f"is not in this account's bucket {BUCKET}"):
        start(project)


OTHER_ACCOUNT = CHAMPION.replace(ACCOUNT, "210987654321")


@pytest.mark.parametrize(
    ("arn", "words"),
    [(CHAMPION, "is not in the registry"), (OTHER_ACCOUNT, "is not of this account")],
)
def test_without_the_version_that_git_names_nothing_is_made_and_nothing_is_paid(
    project: Project, folder: Path, aws: Aws, arn: str, words: str
) -> None:
    upsert(project)
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{arn}"\n')
    said = rf'^environments/production.toml: model_package_arn = "{arn}" {words}.*commit `model_package_arn = ""`'

    with pytest.raises(UserError, match=said):
        upsert(fresh(aws))
    config = automl_toml(gate={"champion_failure": "accept"})
    (folder / "automl.toml").write_text(config)
    upsert(fresh(aws))  # whoever accepts a model that could not be compared may train
    start(fresh(aws))


def test_another_attempt_is_named_with_what_was_typed() -> None:
    said = repeat(3, ["MaxSeconds=600", "TrainValidationUri=s3://b/my file"])

    assert said == (
        "automl run --again 3 --parameter MaxSeconds=600 --parameter 'TrainValidationUri=s3://b/my file'"
    )


def test_a_version_that_went_after_the_upsert_is_missed_before_a_run(
    project: Project, folder: Path, aws: Aws
) -> None:
    (folder / "environments").mkdir()
    (folder / "environments" / "production.toml").write_text(f'model_package_arn = "{CHAMPION}"\n')
    register(project, 2)
    upsert(fresh(aws))
    backend = sagemaker_backends[ACCOUNT]["eu-west-1"]  # moto has no DeleteModelPackage
    backend.model_packages.clear()

    with pytest.raises(UserError, match="is not in the registry"):
        start(fresh(aws))

    told = aws.client("sagemaker").list_pipeline_executions(PipelineName="hospital")
    assert told["PipelineExecutionSummaries"] == []
