"""What `doctor` finds, on the local AWS and a stand-in for GitHub: each trouble with its sentence."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from github import GithubException

from automl_gitops.commands.main import main
from automl_gitops.doctor import Examination, calls, examine
from automl_gitops.doctor.account import AUTOML_JOBS, ENDPOINTS, SERVERLESS, needs
from automl_gitops.doctor.rows import Row, look
from automl_gitops.doctor.state import state
from automl_gitops.github.github_settings import CODE_OWNERS
from automl_gitops.kernel.config import Config
from automl_gitops.stacks import bootstrap
from automl_gitops.stacks.cloudformation import Stack
from automl_gitops.stacks.setup import set_up
from support.deployed import DeployedProject
from support.github import GitHub
from support.waiting import wait_until

LOCK = """
name = "rows"
source = "rows.csv"
synthetic = false
sha256 = "{{0:0<64}}"
target = "label"
holdout = 0.2
seed = 1
rows = {{total = 1000, train_validation = 800, test = 200}}
columns = [{{name = "label", type = "text"}}]

[uris]
train_validation = "s3://{bucket}/datasets/1/train_validation.csv"
x_test = "s3://{bucket}/datasets/1/x_test/"
y_test = "s3://{bucket}/datasets/1/y_test/"
""".replace("{{0:0<64}}", "0" * 64)
TRANSFORMS = "ml.m5.xlarge for transform job usage"


@pytest.fixture(autouse=True)
def _no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def bootstrapped(local_aws: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProject]:
    """A project whose roles an administrator has made, and nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        project = DeployedProject(local_aws, tmp_path_factory.mktemp("doctor"), patch)
        bootstrap.deploy(project.sign_in())
        yield project


@pytest.fixture
def project(bootstrapped: DeployedProject, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    """The same, in the current folder, with the administrator's credentials."""
    monkeypatch.chdir(bootstrapped.folder)
    bootstrapped._monkeypatch = monkeypatch
    return bootstrapped


def rows(found: Examination, outcome: str, area: str = "") -> list[Row]:
    return [row for row in found.of(outcome) if area in ("", row.area)]


def only(found: list[Row]) -> Row:
    (row,) = found
    return row


def of_one_account() -> list[calls.Call]:
    """The calls of the roles that are there, where staging and production are in the project's account."""
    return [
        call for call in calls.load() if call.role != "DataScientistRole" and call.action != "sts:AssumeRole"
    ]


def test_after_the_bootstrap_nothing_stops_the_first_training(project: DeployedProject) -> None:
    found = examine(project.sign_in())

    assert rows(found, "stops") == []
    assert found.simulated == sum(not call.action.startswith("kms:") for call in of_one_account()), (
        "a project without a key calls no KMS"
    )
    assert {row.asked.partition(":")[0] for row in rows(found, "good", "rights")} == {
        "AutopilotRole",
        "LambdaExecutionRole",
        "PlanRole",
        "PromoteRole",
        "RetrainRole",
        "SageMakerExecutionRole",
        "ServingRole",
        "TeardownRole",
    }
    assert [row.asked for row in rows(found, "later")] == ["dataset.lock"]
    assert only(rows(found, "unknown")).found == "not asked: GITHUB_TOKEN is not set"
    (stack,) = [row for row in found.rows if row.asked == f"stack {project.name}"]
    assert stack.found.endswith("with bucket and registry alone: Retrain makes the functions")
    assert "`automl stack`" in stack.todo


def test_an_account_without_the_roles_is_told_to_make_them(
    local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = DeployedProject(local_aws, tmp_path, monkeypatch)

    found = examine(project.sign_in())

    row = only(rows(found, "stops"))  # and neither each role nor the bucket, which it makes
    assert (row.area, row.asked) == ("roles", f"stack {project.name}-bootstrap")
    assert (
        row.found
        == f"not there, in account {local_aws.account} and region {local_aws.region}; it makes the roles"
    )
    assert row.todo == "an administrator runs `make bootstrap`"
    assert [one for one in found.rows if one.asked == row.asked] == [row], "nobody says anything else of it"


def test_roles_that_somebody_deleted_are_named(project: DeployedProject) -> None:
    role = project.names.role("TeardownRole")
    iam = project.client("iam")
    policies = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
    own = {
        name: json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    for policy in policies:
        iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    for name in own:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    iam.delete_role(RoleName=role)
    try:
        row = only(rows(examine(project.sign_in()), "stops"))
    finally:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
        for policy in policies:
            iam.attach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        for name, document in own.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    assert row.found == f"there is no role {role} in account {project.aws.account}"


def test_a_provider_that_somebody_deleted_stops_with_the_command_that_makes_it(
    project: DeployedProject,
) -> None:
    iam = project.client("iam")
    arn = bootstrap.provider(project.sign_in().aws)
    assert arn
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    try:
        row = only(rows(examine(project.sign_in()), "stops"))
    finally:
        url = f"https://{bootstrap.ISSUER}"
        iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])

    assert row.found == "not there: no workflow can sign in"
    assert row.todo == (
        f"aws iam create-open-id-connect-provider --url {url} --client-id-list sts.amazonaws.com"
    )


def test_a_quota_of_nothing_stops_before_the_training_is_paid(
    project: DeployedProject, local_aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_aws.set_quota(TRANSFORMS, 0)
    try:
        found = examine(project.sign_in())
    finally:
        local_aws.set_quota(TRANSFORMS, None)

    row = only(rows(found, "stops"))
    assert (row.area, row.found) == ("quotas", "0 is too little for the holdout")
    assert row.asked == f"{TRANSFORMS}: at least 1"
    assert "--desired-value 1 --region" in row.todo
    code = row.todo.split("--quota-code ")[1].split()[0]
    told = local_aws.client("service-quotas").get_service_quota(ServiceCode="sagemaker", QuotaCode=code)
    assert told["Quota"]["QuotaName"] == TRANSFORMS


def test_a_quota_that_only_a_promotion_exceeds_is_for_later(project: DeployedProject, local_aws: Any) -> None:
    name = "ml.m5.large for endpoint usage"
    local_aws.set_quota(name, 2)
    try:
        found = examine(project.sign_in())
    finally:
        local_aws.set_quota(name, None)

    assert rows(found, "stops") == []
    assert only(rows(found, "later", "quotas")).asked == f"{name}: at least 5"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        # Two of production start beside two old ones, while staging keeps its one.
        ("", {ENDPOINTS: (1, 5), "ml.m5.large for endpoint usage": (1, 5), AUTOML_JOBS: (1, 1)}),
        (
            '[staging]\ninstance_type = "ml.c5.large"\n[production]\ninstance_count = 3\n'
            "[production.autoscaling]\nmin_instances = 3\nmax_instances = 4\n",
            {
                ENDPOINTS: (1, 9),
                "ml.c5.large for endpoint usage": (1, 2),
                "ml.m5.large for endpoint usage": (0, 8),
            },
        ),
        ("[staging.serverless]\nmax_concurrency = 5\n", {SERVERLESS: (5, 10), ENDPOINTS: (0, 4)}),
    ],
)
def test_what_is_needed_follows_from_automl_toml(
    project: DeployedProject, tmp_path: Path, settings: str, wanted: dict[str, tuple[int, int]]
) -> None:
    file = tmp_path / "automl.toml"
    file.write_text((project.folder / "automl.toml").read_text() + settings)

    found = {need.quota: (need.training, need.later) for need in needs(Config.load(file))}

    assert {name: found[name] for name in wanted} == wanted


def test_roles_of_an_older_file_are_found_by_it(project: DeployedProject) -> None:
    file = project.folder / bootstrap.FILE
    text = file.read_text()
    file.write_text(text + "# A right more\n")
    try:
        found = examine(project.sign_in())
    finally:
        file.write_text(text)

    row = only(rows(found, "later", "roles"))
    assert row.found == "was deployed from another infrastructure/bootstrap.yaml than the one here"
    assert "make bootstrap" in row.todo


def test_a_bucket_that_the_roles_do_not_know_stops(project: DeployedProject) -> None:
    project.name_buckets("my-data-lake")
    try:
        stops = rows(examine(project.sign_in()), "stops")
    finally:
        project.name_buckets()

    assert [row.asked for row in stops] == [
        f"stack {project.name}-{stack}: DataBucketArns" for stack in ("bootstrap", "services")
    ]
    assert all('automl.toml now means "arn:aws:s3:::my-data-lake"' in row.found for row in stops)


def test_a_denied_right_is_named_with_its_resource(project: DeployedProject) -> None:
    iam, role = project.client("iam"), f"{project.name}-RetrainRole"
    deny = {"Effect": "Deny", "Action": "sagemaker:StartPipelineExecution", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="somebodys", PolicyDocument=document)
    try:
        row = only(rows(examine(project.sign_in()), "stops"))
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="somebodys")

    assert row.area == "rights"
    assert row.found == (
        f"may not call sagemaker:StartPipelineExecution on {project.names.arn('sagemaker', f'pipeline/{project.name}')}"
        ": a policy denies it"
    )


def test_a_region_other_than_the_roles_is_found(project: DeployedProject) -> None:
    file = project.folder / "automl.toml"
    text = file.read_text()
    file.write_text(text.replace(project.aws.region, "eu-central-1"))
    try:
        stops = rows(examine(project.sign_in()), "stops", "roles")
    finally:
        file.write_text(text)

    assert (
        only(stops).found
        == "not in eu-central-1, although its roles are there: they were made for another region"
    )


def test_an_image_that_is_not_there_stops(project: DeployedProject, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"
    monkeypatch.setattr("automl_gitops.doctor.account.evaluation_image", lambda *_: nowhere)

    rows_of_region = rows(examine(project.sign_in()), "unknown", "region")

    assert only(rows_of_region).found.startswith("could not look: BatchGetImage failed")


def test_a_stuck_stack_is_named_with_its_state(project: DeployedProject) -> None:
    template = {
        "Resources": {
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": "no-such-bucket-anywhere", "PolicyDocument": {"Statement": []}},
            }
        }
    }
    signed_in = project.sign_in()
    stack = Stack(signed_in.aws, project.name, signed_in.output)
    stack.delete()
    signed_in.client("cloudformation").create_stack(StackName=project.name, TemplateBody=json.dumps(template))
    try:
        wait_until(lambda: not stack.look().moving)
        found = [row for row in examine(project.sign_in()).rows if row.asked == f"stack {project.name}"]
    finally:
        bootstrap.deploy(project.sign_in())

    assert only(found).found.startswith("is stuck in ROLLBACK_COMPLETE")
    assert only(found).outcome == "stops"


def test_whoever_may_see_little_learns_what_he_may_not(project: DeployedProject) -> None:
    found = examine(project.sign_in("TeardownRole"))

    assert {row.area for row in rows(found, "unknown")} >= {"quotas", "rights"}
    refused = only(rows(found, "unknown", "quotas"))
    assert refused.found == "could not look: not allowed to call servicequotas:ListAWSDefaultServiceQuotas"
    assert found.simulated == 0


def test_the_role_of_pull_requests_may_see_it_all(project: DeployedProject) -> None:
    found = examine(project.sign_in("PlanRole"))

    assert {row.area for row in rows(found, "unknown")} == {"repository"}
    assert rows(found, "stops") == []
    assert found.simulated > 0


def test_without_credentials_that_hold_nothing_else_is_asked(
    project: DeployedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = project.sign_in()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    found = examine(signed_in)

    assert only(found.rows).found.startswith("AWS does not accept the credentials")


@pytest.fixture
def github(
    project: DeployedProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[GitHub]:
    with GitHub(tmp_path / "name.git", f"owner/{project.name}") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_repository_that_was_set_up_is_as_the_workflows_want_it(
    project: DeployedProject, github: GitHub
) -> None:
    set_up(project.sign_in(), reviewers=["somebody"], owners=["somebody"])
    github.git.commit_files("main", {CODE_OWNERS.as_posix(): CODE_OWNERS.read_text()}, "Name the owners")
    before = len(github.writes)

    found = examine(project.sign_in())

    assert rows(found, "stops") == []
    assert rows(found, "later", "repository") == []
    assert [row.asked for row in rows(found, "unknown")] == ["plan"]
    assert len(github.writes) == before, "doctor only reads"


def test_a_workflow_that_could_approve_its_own_pull_request_is_told(
    project: DeployedProject, github: GitHub
) -> None:
    def told() -> tuple[str, str]:
        (row,) = [row for row in examine(project.sign_in()).rows if row.asked == "reviews"]
        return row.outcome, row.found

    set_up(project.sign_in(), reviewers=["somebody"])
    unowned = told()
    set_up(project.sign_in(), reviewers=["somebody"], owners=["somebody"])
    uncommitted = told()

    assert unowned == ("later", "a pull request's own workflow could approve it")
    assert uncommitted == ("later", "main has no .github/CODEOWNERS")


def test_a_repository_that_was_not_set_up_is_told_what_is_missing(
    project: DeployedProject, github: GitHub
) -> None:
    github.git.default_branch = "master"
    github.settings["actions/oidc/customization/sub"] = {
        "use_default": True,
        "sub_claim_prefix": "repo:owner@1/name@2",
    }
    github.variables[""] = {"AWS_REGION": "us-east-1"}

    found = examine(project.sign_in())

    (branch,) = [row for row in rows(found, "stops", "repository") if row.asked == "default branch"]
    assert "branches/master/rename -f new_name=main" in branch.todo
    stops = {row.asked: row.found for row in rows(found, "stops", "repository")}
    assert stops["default branch"] == "is master: the workflows run, and the roles trust, main alone"
    assert stops["OIDC subject"].startswith("is repo:owner@1/name@2, but the roles trust repo:owner/")
    assert stops["variable AWS_REGION"] == f"is us-east-1, and should be {project.aws.region}"
    assert stops["variable AWS_RETRAIN_ROLE"] == "is missing"
    later = {row.asked for row in rows(found, "later", "repository")}
    assert {"environment production", "environment teardown", "Actions may open pull requests"} <= later


def test_the_exit_status_is_1_where_something_stops(
    project: DeployedProject, local_aws: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    project.sign_in()
    good = main(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    local_aws.set_quota(AUTOML_JOBS, 0)
    try:
        bad = main(["doctor"])
    finally:
        local_aws.set_quota(AUTOML_JOBS, None)

    assert (good, bad) == (0, 1)
    assert (document["stops"], document["simulated"] > 100) == (0, True)
    printed = capsys.readouterr().out
    assert "1 would stop the first training" in printed
    assert "STOPS" in printed


def test_as_advice_it_fails_nothing_and_leaves_what_is_not_right_on_the_run_s_page(
    project: DeployedProject, local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sign_in("PlanRole")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    local_aws.set_quota(AUTOML_JOBS, 0)
    try:
        status = main(["doctor", "--advisory"])
    finally:
        local_aws.set_quota(AUTOML_JOBS, None)

    written = (tmp_path / "summary.md").read_text()
    assert status == 0
    assert "Doctor: 1 would stop the first training" in written
    assert "0 is too little for a training" in written
    assert "| roles |" not in written, "what is right takes no room"


@pytest.fixture
def keyed(local_aws: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployedProject:
    """A project with a key, whose roles an administrator has made."""
    project = DeployedProject(local_aws, tmp_path, monkeypatch)
    project.name_key(project.make_key())
    bootstrap.deploy(project.sign_in())
    return project


def test_with_a_key_its_uses_are_simulated_and_one_that_is_disabled_stops(keyed: DeployedProject) -> None:
    good = examine(keyed.sign_in("PlanRole"))
    encryption = keyed.config.encryption
    assert encryption
    keyed.client("kms").disable_key(KeyId=encryption.kms_key.rpartition("/")[2])
    bad = examine(keyed.sign_in("PlanRole"))

    assert rows(good, "stops") == []
    assert good.simulated == len(of_one_account())
    assert {row.asked: row.found for row in rows(bad, "stops")} == {
        f"KMS key {encryption.kms_key}": "is Disabled"
    }


@pytest.mark.parametrize(
    "key", ["alias/nobodys", "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"]
)
def test_a_key_that_does_not_exist_is_said_once_and_before_what_needs_it(
    project: DeployedProject, key: str
) -> None:
    file = project.folder / "automl.toml"
    text = file.read_text()
    file.write_text(f'{text}\n[encryption]\nkms_key = "{key}"\n')
    try:
        found = examine(project.sign_in())
    finally:
        file.write_text(text)

    row = only(rows(found, "stops"))
    assert (row.asked, row.found) == (f"KMS key {key}", "there is no such key")
    areas = [one.area for one in found.rows]
    assert areas.index("encryption") < areas.index("roles") < areas.index("rights")
    assert rows(found, "unknown", "roles") == []


def test_roles_that_do_not_know_the_key_are_said_once(project: DeployedProject) -> None:
    file = project.folder / "automl.toml"
    text, key = file.read_text(), project.make_key()
    file.write_text(f'{text}\n[encryption]\nkms_key = "{key}"\n')
    try:
        stops = rows(examine(project.sign_in()), "stops")
    finally:
        file.write_text(text)

    assert [row.asked for row in stops] == [
        f"stack {project.name}-bootstrap: KmsKeyArn",
        f"stack {project.name}-services: UsesKmsKey",
    ], "and not each call of each role"


def test_a_key_whose_policy_leaves_out_the_logs_stops(keyed: DeployedProject) -> None:
    key = keyed.client("kms").create_key()["KeyMetadata"]["Arn"]
    keyed.name_key(key)
    bootstrap.deploy(keyed.sign_in())

    (row,) = rows(examine(keyed.sign_in("PlanRole")), "stops")

    assert (row.asked, row.found) == (
        f"policy of KMS key {key}",
        "does not name logs.eu-west-1.amazonaws.com",
    )


def test_an_account_of_production_is_reached_and_its_roles_are_up_to_date(
    keyed: DeployedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = "222222222222"
    monkeypatch.setenv("PRODUCTION_ROLE_ARN", f"arn:aws:iam::{elsewhere}:role/{keyed.name}-PlanRole")

    def of_account() -> list[tuple[str, str]]:
        found = examine(keyed.sign_in("PlanRole")).rows
        return [(row.outcome, row.found) for row in found if row.asked.startswith("account of production")]

    ((outcome, sentence),) = of_account()
    assert (outcome, "cannot be assumed" in sentence) == ("later", True)
    bootstrap.deploy_hosting(keyed.sign_in(account=elsewhere), keyed.aws.account)
    reached, fresh = of_account()
    assert reached[0] == "good"
    assert f":assumed-role/{keyed.name}-PlanRole/" in reached[1]
    assert fresh == ("good", "is up to date with infrastructure/hosting.yaml")
    template = keyed.folder / "infrastructure" / "hosting.yaml"
    template.write_text(template.read_text() + "# a change\n")
    keyed.name_key(keyed.make_key())
    outdated, key = of_account()[1:]
    assert outdated == ("later", "was deployed from another infrastructure/hosting.yaml than the one here")
    assert (key[0], "automl.toml now means" in key[1]) == ("later", True)


def test_what_a_teardown_took_stops_the_next_training(
    project: DeployedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = project.names.arn("sagemaker", f"model-package/{project.name}/4")
    file, lock = project.folder / "environments" / "production.toml", project.folder / "dataset.lock"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'model_package_arn = "{arn}"\n')
    lock.write_text(LOCK.format(bucket=project.names.bucket))
    try:
        told = {row.asked: row for row in state(project.sign_in("PlanRole"))}
        row = told["environments/production.toml"]
        assert (row.outcome, "is not in the registry" in row.found) == ("stops", True)
        assert row.todo.startswith('commit `model_package_arn = ""`')
        data = told["pushed data"]
        assert (data.outcome, data.todo) == ("stops", "run `automl data push FILE`")

        file.write_text('model_package_arn = ""\n')
        s3, bucket, key = project.client("s3"), project.names.bucket, "datasets/1/train_validation.csv"
        s3.put_object(Bucket=bucket, Key=f"{key}.old")
        stops = [row.asked for row in state(project.sign_in("PlanRole")) if row.outcome == "stops"]
        assert stops == ["pushed data"]
        s3.put_object(Bucket=bucket, Key=key)
        told = {row.asked: row.outcome for row in state(project.sign_in("PlanRole"))}
        assert told["pushed data"] == "good"
    finally:
        file.unlink()
        lock.unlink()


def test_locks_have_an_age_and_old_packages_are_for_later(
    keyed: DeployedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dataset.lock", "requirements.lock", "serving.lock"):
        (keyed.folder / name).write_text("")

    def commit(names: list[str], days: int) -> None:
        moment = f"{int(time.time()) - days * 86_400 - 60} +0000"
        identity = {"NAME": "anna", "EMAIL": "anna@example.org", "DATE": moment}
        for who in ("AUTHOR", "COMMITTER"):
            for key, value in identity.items():
                monkeypatch.setenv(f"GIT_{who}_{key}", value)
        subprocess.run(["git", "add", *names], check=True)
        subprocess.run(["git", "commit", "--quiet", "--message", "Lock"], check=True)

    subprocess.run(["git", "init", "--quiet"], check=True)
    commit(["requirements.lock"], 91)
    commit(["dataset.lock", "serving.lock"], 2)

    found = {row.asked: (row.outcome, row.found) for row in state(keyed.sign_in()) if ".lock" in row.asked}

    assert found == {
        "dataset.lock": ("good", "there, committed 2 days ago"),
        "requirements.lock": ("later", "committed 91 days ago"),
        "serving.lock": ("good", "committed 2 days ago"),
    }


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (requests.ConnectionError("cut"), "GitHub does not answer (ConnectionError)"),
        (requests.exceptions.RetryError("too many 502 error responses"), "GitHub fails again and again"),
        (GithubException(500, {"message": "oh"}), "GitHub answered 500 (oh)"),
    ],
)
def test_a_github_that_fails_ends_no_other_look(error: Exception, sentence: str) -> None:
    def find() -> list[Row]:
        raise error

    (row,) = look("repository", "environment production", find)

    assert row.outcome == "unknown"
    assert row.found.startswith(f"could not look: {sentence}")
