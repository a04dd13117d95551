"""Production: what Git names, approved and proved, or the version before it."""

from __future__ import annotations

import contextlib
import json
import threading
import time

import boto3
import pytest
from botocore.exceptions import ClientError
from deployment_kit import COLUMNS, Killed, RulePredictor, recorded_writes

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.production_file import FILE
from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.propose import propose
from automl_gitops.promotion.stage import stage
from automl_gitops.promotion.status import status
from automl_gitops.serving import archives
from automl_gitops.serving.registry import Registry
from automl_gitops.stacks.teardown import find, remove
from automl_gitops.verification.verify import verify
from local_sagemaker import ModelError
from support.waiting import wait_until

ROW = ["20", "1"]  # `yes` above a threshold of 10, `no` below one of 50


@pytest.fixture
def verified(world):
    """Registers a version that staging has signed off."""
    return lambda **rule: world.sign_off(world.register(**rule))


def put_into_production(world, arn):
    world.name_in_git(arn)
    return promote(world.project())


def test_one_that_was_rejected_by_mistake_is_taken_back(world, verified):
    arn = verified()
    put_into_production(world, arn)
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    with pytest.raises(UserError, match="the registry has it as Rejected"):
        promote(world.project())
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="PendingManualApproval")

    promote(world.project())

    assert world.package(arn)["ModelApprovalStatus"] == "Approved"
    assert world.endpoint()["EndpointStatus"] == "InService"


def test_the_first_version_is_approved_served_watched_and_recorded(world, git, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    arn = world.register(THRESHOLD="10")
    stage(world.project(), arn)
    verify(world.project(), arn)
    world.name_in_git(arn)
    git("commit", "--quiet", "-am", "Merge pull request #12 from owner/promote-production")

    promotion = promote(world.project())

    assert promotion.package.arn == arn
    assert world.endpoint()["EndpointStatus"] == "InService"
    assert world.predict(ROW) == "yes"
    package = world.package(arn)
    assert package["ModelApprovalStatus"] == "Approved"
    assert "Approved for production by ada" in package["ApprovalDescription"]
    assert "pull request 12" in package["ApprovalDescription"]
    life = package["ModelLifeCycle"]
    assert (life["Stage"], life["StageStatus"]) == ("Production", "Deployed")
    alarms = world.cloudwatch.describe_alarms(AlarmNamePrefix=f"{world.name}-production-")["MetricAlarms"]
    assert {alarm["AlarmName"].removeprefix(f"{world.name}-production-") for alarm in alarms} == {
        "5xx",
        "4xx",
        "latency",
        "wrong-answers",
    }
    (key,) = world.objects("deployments/")
    record = world.read(key)
    assert key.endswith("-v1-deployed.json")
    assert record["package_arn"] == arn
    assert record["pull_request"] == "pull request 12"
    assert [check["outcome"] for check in record["checks"]] == ["passed"] * 4
    # The model refers to the package, so that SageMaker itself demands the approval.
    config = world.sagemaker.describe_endpoint_config(EndpointConfigName=promotion.config)
    model = world.sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert model["PrimaryContainer"]["ModelPackageName"] == arn


@pytest.fixture
def pull(world, git, github):
    """Takes what GitHub's main branch has into the project's folder, by default with all its history."""
    files = ("automl.toml", FILE.as_posix())
    github.git.commit_files("main", {name: (world.folder / name).read_text() for name in files}, "Start")

    def pull(*options: str) -> None:
        git("fetch", "--quiet", *options, f"file://{github.git.path}", "main")
        git("reset", "--quiet", "--hard", "FETCH_HEAD")

    return pull


def test_the_approval_names_the_pull_request_of_the_version_and_not_of_the_run(
    world, pull, github, monkeypatch
):
    """An old run is repeated, or the workflow started by hand after other merges: Git decides all the same."""
    first, second = (world.sign_off(world.register(THRESHOLD=threshold)) for threshold in ("10", "50"))
    propose(world.project(), first)
    monkeypatch.setenv("GITHUB_SHA", github.merge(1))
    approved = propose(world.project(), second).url
    github.merge(2)
    github.git.commit_files("main", {"README.md": "later\n"}, "Something else (#3)")
    pull()

    promote(world.project())

    assert f": {approved}" in world.package(second)["ApprovalDescription"]
    (record,) = world.objects("deployments/")
    assert world.read(record)["pull_request"] == approved


def test_a_pull_request_that_was_not_merged_approves_nothing(world, pull, github):
    arn = world.sign_off(world.register())
    propose(world.project(), arn)
    # Somebody pushes the branch to main; its pull request stays open.
    github.git.set_branch("main", github.git.head("promote-production"))
    pull()

    promote(world.project())

    assert f": commit {github.git.head('main')}" in world.package(arn)["ApprovalDescription"]


def test_a_later_change_that_names_the_same_version_approves_nothing(world, git):
    arn = world.sign_off(world.register())
    world.name_in_git(arn)
    git("commit", "--quiet", "-am", "Promote (#7)")
    FILE.write_text(f"# A remark\n{FILE.read_text()}")
    git("commit", "--quiet", "-am", "Remark (#9)")

    promote(world.project())

    assert ": pull request 7" in world.package(arn)["ApprovalDescription"]


def test_what_is_not_committed_does_not_go_to_production(world, git):
    git("commit", "--quiet", "--allow-empty", "-m", "Promote (#7)")
    arn = world.sign_off(world.register())
    world.name_in_git(arn)

    with pytest.raises(
        UserError, match="has changes that are not committed, and production serves what Git names"
    ):
        promote(world.project())
    dry = promote(world.project(), dry_run=True)
    assert dry.steps, "to see what it would do changes nothing"
    assert "has changes that are not committed" in dry.refusal
    seen = status(world.project())
    assert (seen.git["model_package_arn"], seen.git["uncommitted"]) == (arn, True)
    assert "has changes that are not committed" in seen.notices[0]
    git("update-index", "--assume-unchanged", "environments/production.toml")
    with pytest.raises(UserError, match="has changes that are not committed"):
        promote(world.project())
    git("update-index", "--no-assume-unchanged", "environments/production.toml")
    assert world.package(arn)["ModelApprovalStatus"] == "PendingManualApproval"
    git("commit", "--quiet", "-am", "Promote (#8)")

    assert not promote(world.project(), dry_run=True).refusal
    assert not status(world.project()).git["uncommitted"]
    assert promote(world.project()).done[-1] == "deployed version 1"


def test_without_the_history_no_commit_is_taken_for_the_approval(world, pull, github, capsys):
    arn = world.sign_off(world.register())
    propose(world.project(), arn)
    github.merge(1)
    github.git.commit_files("main", {"README.md": "later\n"}, "Something else (#3)")
    pull("--depth=1")

    promote(world.project())

    assert "git fetch --unshallow" in capsys.readouterr().out
    assert world.package(arn)["ApprovalDescription"].endswith(f": {FILE.as_posix()} as it stands")


def test_github_that_does_not_answer_holds_up_no_promotion(world, git, monkeypatch):
    arn = world.sign_off(world.register())
    world.name_in_git(arn)
    git("commit", "--quiet", "-am", "Promote (#7)")
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")

    promote(world.project())

    assert "pull request 7" in world.package(arn)["ApprovalDescription"]


def test_nothing_to_do_is_success_without_a_single_write(world, verified, writes, capsys):
    put_into_production(world, verified())
    capsys.readouterr()

    with writes() as made:
        status = main(["promote"])

    assert status == 0
    assert "nothing to do" in capsys.readouterr().out
    assert made == []


def test_a_dry_run_prints_the_steps_and_takes_none(world, verified, writes, capsys):
    put_into_production(world, verified(THRESHOLD="10"))
    world.name_in_git(verified(THRESHOLD="50"))
    capsys.readouterr()

    with writes() as made:
        ended = main(["promote", "--dry-run", "--json"])

    assert (ended, made) == (0, [])
    told = json.loads(capsys.readouterr().out)
    assert told["done"] == []
    assert [step.split()[0] for step in told["steps"]] == [
        "approve",
        "update",
        "verify",
        "record",
        "note",
        "note",
    ]
    assert world.predict(ROW) == "yes"

    assert main(["promote"]) == 0
    capsys.readouterr()
    assert main(["promote", "--dry-run"]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_dry_run_waits_for_nothing(world, verified, capsys, monkeypatch):
    world.name_in_git(verified())
    looked, start = threading.Event(), RulePredictor.start.__func__

    def slow(cls, *arguments):
        assert looked.wait(60)
        return start(cls, *arguments)

    monkeypatch.setattr(RulePredictor, "start", classmethod(slow))
    with contextlib.suppress(Killed), recorded_writes(stop_at="CreateEndpoint"):
        promote(world.project())
    capsys.readouterr()

    try:
        ended = main(["promote", "--dry-run"])
    finally:
        looked.set()

    assert ended == 0
    assert "1. wait until endpoint" in capsys.readouterr().out
    assert promote(world.project()).done == ["deployed version 1"]


def test_a_version_that_reads_other_columns_is_not_probed_with_what_the_old_one_refuses(
    world, verified, capsys
):
    put_into_production(world, verified(THRESHOLD="10"))
    second = verified(THRESHOLD="50", columns=[*COLUMNS, {"name": "ward", "type": "text"}])

    put_into_production(world, second)

    assert "reads other columns" in capsys.readouterr().out
    assert world.predict(ROW) == "no"


class Clients:
    """Constant load from outside: what was answered, and when; None is a failed request."""

    def __init__(self, world):
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _ask(self):
        while not self._stop.wait(0.01):
            try:
                answer = self._world.predict(ROW)
            except ClientError:
                answer = None
            self.answers.append((time.monotonic(), answer))


def test_a_new_version_takes_over_without_losing_a_request_and_the_old_one_stays_ready(world, verified):
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    put_into_production(world, first)

    with Clients(world) as clients:
        promotion = put_into_production(world, second)

    assert {answer for _, answer in clients.answers} == {"yes", "no"}
    assert world.predict(ROW) == "no"
    assert world.package(first)["ModelLifeCycle"]["StageStatus"] == "Replaced"
    assert world.package(second)["ModelLifeCycle"]["StageStatus"] == "Deployed"
    production = [part for part in world.parts() if "-production-" in part]
    assert {part.split("-v")[1].split("-")[0] for part in production} == {"1", "2"}
    assert promotion.config in production


@pytest.mark.parametrize(
    ("name", "break_it", "words"),
    [
        ("fails", {"FAILS": "out of memory"}, "5xx"),
        ("guesses", {"THRESHOLD": "59"}, "wrong"),  # so `no` where both versions say `yes`
    ],
)
def test_a_broken_version_is_thrown_out_by_the_canary_and_the_previous_one_serves(
    world, verified, monkeypatch, name, break_it, words
):
    # An hour is a minute here: an alarm has the time to fire.
    world.configure(
        production__deployment='policy = "CANARY"\npercent = 10\nwait_seconds = 3600\nmax_seconds = 28800'
    )
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="12")
    put_into_production(world, first)
    predict = RulePredictor.predict

    requests = []  # of clients and of the probe: whether the broken version got it

    def spoiled(self, body, content_type, accept):
        broken = self.environment.get("THRESHOLD") == "12"
        requests.append(broken)
        if broken:
            self = RulePredictor({**self.environment, **break_it})
        return predict(self, body, content_type, accept)

    monkeypatch.setattr(RulePredictor, "predict", spoiled)

    with Clients(world) as clients, pytest.raises(RunError, match=rf"(?s)version 1 serves.*{words}"):
        put_into_production(world, second)

    meanwhile = requests[requests.index(True) : len(requests) - requests[::-1].index(True)]
    # One more than the share, since the first and the last of these requests went to the broken version; and
    # one since requests that run side by side may be noted in another order than they were spread in.
    assert meanwhile.count(True) <= 0.12 * len(meanwhile) + 2
    # The alarm may be faster than any client.
    times = [at for at, answer in clients.answers if answer != "yes"] or [0.0]
    # An alarm's period of a minute is a second here, but a question is asked of the canary each second as on
    # the real AWS; then the old instances take over in a moment.
    assert times[-1] - times[0] < 40
    assert world.endpoint()["EndpointStatus"] == "InService"
    assert world.predict(ROW) == "yes"
    life = world.package(second)["ModelLifeCycle"]
    assert (life["Stage"], life["StageStatus"]) == ("Production", "RolledBack")
    assert words in life["StageDescription"]
    assert world.package(first)["ModelLifeCycle"]["StageStatus"] == "Deployed"
    assert [key.split("-v")[1] for key in world.objects("deployments/")] == [
        "1-deployed.json",
        "2-rolled-back.json",
    ]


def test_a_version_that_answers_wrongly_once_it_serves_is_taken_back(world, verified, monkeypatch):
    """All at once and without a probe in between: the verification in production is the last net."""
    world.configure(production__deployment='policy = "ALL_AT_ONCE"\nwait_seconds = 0')
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="12")
    put_into_production(world, first)
    answer = RulePredictor._answer

    def spoiled(self, row):
        if self.environment.get("THRESHOLD") == "12":
            return ["no", 0.5]
        return answer(self, row)

    monkeypatch.setattr(RulePredictor, "_answer", spoiled)

    with pytest.raises(RunError, match="version 1 serves"):
        put_into_production(world, second)

    assert world.predict(ROW) == "yes"
    assert world.package(second)["ModelLifeCycle"]["StageStatus"] == "RolledBack"


def test_one_request_that_fails_takes_no_version_back(world, verified, monkeypatch):
    arn, predict = verified(), RulePredictor.predict
    failures = iter(["out of memory"])

    def fails_once(self, *request):
        for reason in failures:
            raise ModelError(reason)
        return predict(self, *request)

    monkeypatch.setattr(RulePredictor, "predict", fails_once)

    put_into_production(world, arn)

    assert list(failures) == []
    assert [key.split("-v")[1] for key in world.objects("deployments/")] == ["1-deployed.json"]


def test_a_reason_of_several_lines_is_kept_by_the_registry(world, verified):
    arn = verified()
    registry = Registry(world.project().aws, world.project().names)
    reason = "it was rolled back: Traceback:\r\n  File model.py\n\x1b[31mKeyError\u2028: x " + "y" * 2000

    registry.note(registry.find(arn, "-"), stage=("Production", "RolledBack"), description=reason)
    registry.approve(registry.find(arn, "-"), reason)

    package = world.package(arn)
    kept = package["ModelLifeCycle"]["StageDescription"]
    assert kept.startswith("it was rolled back: Traceback: File model.py [31mKeyError : x yyy")
    assert len(kept) == 1024
    assert package["ApprovalDescription"] == kept


def test_a_first_version_that_cannot_start_leaves_nothing_and_the_next_run_tries_again(
    world, verified, monkeypatch
):
    arn = verified()
    with monkeypatch.context() as patch:
        patch.setattr(RulePredictor, "start", classmethod(lambda *_: (_ for _ in ()).throw(_cannot_load())))
        with pytest.raises(RunError, match=r"nothing serves.*no such file"):
            put_into_production(world, arn)
    with pytest.raises(ClientError, match="Could not find"):
        world.endpoint()

    assert put_into_production(world, arn).package.arn == arn
    assert world.endpoint()["EndpointStatus"] == "InService"


def _cannot_load():
    return ModelError("no such file")


def test_the_way_back_needs_neither_staging_nor_its_proof_nor_the_holdout(world, verified):
    world.configure(
        production__deployment='policy = "CANARY"\npercent = 10\nwait_seconds = 3600\nmax_seconds = 28800'
    )
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    world.name_in_git(first)
    promote(world.project())
    world.configure(production__deployment='policy = "ALL_AT_ONCE"\nwait_seconds = 0')
    put_into_production(world, second)
    world.configure(
        production__deployment='policy = "CANARY"\npercent = 10\nwait_seconds = 3600\nmax_seconds = 28800'
    )
    for prefix in ("verifications/1", "transforms/", "datasets/"):
        for key in world.objects(prefix):
            world.s3.delete_object(Bucket=world.bucket, Key=key)

    put_into_production(world, first)

    assert routing(world) == "ALL_AT_ONCE"  # a way back does not wait
    assert world.predict(ROW) == "yes"
    assert world.package(first)["ModelLifeCycle"]["StageStatus"] == "Deployed"
    assert world.package(second)["ModelLifeCycle"]["StageStatus"] == "Replaced"


def test_a_version_that_was_taken_back_has_to_prove_itself_again(world, verified):
    world.configure(production__deployment='policy = "ALL_AT_ONCE"\nwait_seconds = 0')
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    for arn in (first, second, first):
        put_into_production(world, arn)
    world.name_in_git(second)

    steps = [str(step) for step in promote(world.project(), dry_run=True).steps]

    assert steps[0].endswith(", by the policy of automl.toml")
    world.name_in_git(first)
    put_into_production(world, second)
    world.name_in_git(first)
    assert str(promote(world.project(), dry_run=True).steps[0]).endswith(", all at once, as a way back")


def routing(world):
    last = world.endpoint()["LastDeploymentConfig"]["BlueGreenUpdatePolicy"]
    return last["TrafficRoutingConfiguration"]["Type"]


def test_another_config_of_what_serves_is_rolled_out_by_the_policy_and_back_at_once(world, verified):
    """A version that has proved itself on two instances has not on one of another kind."""
    arn = verified()
    put_into_production(world, arn)

    world.configure(production='instance_type = "ml.m5.xlarge"')
    put_into_production(world, arn)
    changed = routing(world)
    put_into_production(world, verified(THRESHOLD="50"))
    put_into_production(world, arn)

    assert (changed, routing(world)) == ("CANARY", "ALL_AT_ONCE")


def test_a_config_that_cannot_start_leaves_the_version_on_the_one_before(world, verified, monkeypatch):
    arn = verified()
    before = put_into_production(world, arn).config
    world.configure(production='instance_type = "ml.m5.xlarge"')
    fails = classmethod(lambda *_: (_ for _ in ()).throw(_cannot_load()))
    monkeypatch.setattr(RulePredictor, "start", fails)

    with pytest.raises(RunError, match=r"version 1 serves as before, without the new config: .*no such file"):
        promote(world.project())

    assert world.endpoint()["EndpointConfigName"] == before
    assert world.package(arn)["ModelLifeCycle"]["StageStatus"] == "Deployed"


def test_nothing_is_said_to_serve_where_the_endpoint_was_deleted_and_does_not_come_back(
    world, verified, monkeypatch
):
    put_into_production(world, verified())
    project = world.project()
    remove(project, find(project, only="production"), world.name)
    fails = classmethod(lambda *_: (_ for _ in ()).throw(_cannot_load()))
    monkeypatch.setattr(RulePredictor, "start", fails)

    with pytest.raises(RunError, match=r"version 1 is not in production, nothing serves: .*no such file"):
        promote(world.project())


def test_an_alarm_that_the_bad_version_set_off_does_not_stand_in_the_way_back(world, verified):
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    put_into_production(world, first)
    put_into_production(world, second)
    dimensions = [{"Name": "EndpointName", "Value": f"{world.name}-production"}]
    wrong = {"MetricName": "WrongAnswers", "Dimensions": dimensions, "Value": 1, "Unit": "Count"}
    stop = threading.Event()

    def complain():
        while not stop.wait(0.1):
            world.cloudwatch.put_metric_data(Namespace=world.name, MetricData=[wrong])

    complaining = threading.Thread(target=complain)
    complaining.start()
    try:
        firing(world, "wrong-answers")
        put_into_production(world, first)
    finally:
        stop.set()
        complaining.join()

    assert world.predict(ROW) == "yes"


def firing(world, alarm):
    """Wait until an alarm of production fires."""
    name = f"{world.name}-production-{alarm}"
    wait_until(
        lambda: world.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"],
        lambda alarms: [one["StateValue"] for one in alarms] == ["ALARM"],
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("unverified", "staging has not verified it"),
        ("failed", "its verification failed"),
        ("rejected", "Rejected"),
        ("changed", "its containers were changed"),
        ("unsigned", "does not carry the sign-off"),
    ],
)
def test_a_version_without_its_proof_is_refused_before_anything_is_done(
    world, verified, writes, spoil, sentence
):
    if spoil == "unverified":
        arn = world.register()
    elif spoil == "failed":
        arn = world.register(LABEL="maybe")
        stage(world.project(), arn)
        verify(world.project(), arn)
    else:
        arn = verified()
    if spoil == "rejected":
        world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    record = "verifications/1/verification.json"
    if spoil == "changed":
        changed = world.read(record) | {"containers_sha256": "0" * 64}
        world.s3.put_object(Bucket=world.bucket, Key=record, Body=json.dumps(changed).encode())
    if spoil == "unsigned":
        world.sagemaker.update_model_package(
            ModelPackageArn=arn, CustomerMetadataPropertiesToRemove=["verification_record"]
        )
    world.name_in_git(arn)

    with writes() as made, pytest.raises(UserError, match=sentence):
        promote(world.project())

    assert made == []


def test_a_holdout_that_is_gone_stops_it_before_anything_is_done(world, verified, writes):
    world.name_in_git(verified())
    for key in world.objects("transforms/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)

    with writes() as made, pytest.raises(RunError, match="is gone"):
        promote(world.project())

    assert made == []


@pytest.mark.parametrize(
    ("arn", "sentence"),
    [
        ("arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/1", "region us-east-1"),
        ("arn:aws:sagemaker:eu-west-1:210987654321:model-package/{name}/1", "account 210987654321"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:model-package/another/1", "group another"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:model-package/{name}/9", "has no version 9"),
        ("latest", "is no model package"),
    ],
)
def test_what_is_not_a_version_of_the_project_is_named_with_file_and_key(world, arn, sentence):
    world.name_in_git(arn.format(name=world.name))

    with pytest.raises(UserError, match=rf"environments/production\.toml: model_package_arn.*{sentence}"):
        promote(world.project())


def test_nothing_in_production_yet_is_a_notice(world, capsys):
    status = main(["promote"])

    assert status == 0
    assert "nothing is in production yet" in capsys.readouterr().out


def test_an_endpoint_is_never_taken_away_because_git_names_nothing(world, verified):
    put_into_production(world, verified())
    world.name_in_git("")

    with pytest.raises(UserError, match="teardown --only production"):
        promote(world.project())

    assert world.endpoint()["EndpointStatus"] == "InService"


def test_an_endpoint_that_was_changed_by_hand_is_brought_back(world, verified):
    promotion = put_into_production(world, verified(THRESHOLD="10"))
    config = world.sagemaker.describe_endpoint_config(EndpointConfigName=promotion.config)
    variant = config["ProductionVariants"][0] | {"InitialInstanceCount": 3}
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{world.name}-by-hand", ProductionVariants=[variant]
    )
    world.sagemaker.update_endpoint(
        EndpointName=f"{world.name}-production", EndpointConfigName=f"{world.name}-by-hand"
    )

    promote(world.project())

    assert world.endpoint()["EndpointConfigName"] == promotion.config


def test_an_update_that_somebody_else_started_is_waited_for_and_said(world, verified, capsys):
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    promotion = put_into_production(world, first)
    config = world.sagemaker.describe_endpoint_config(EndpointConfigName=promotion.config)
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{world.name}-by-hand", ProductionVariants=config["ProductionVariants"]
    )
    world.sagemaker.update_endpoint(
        EndpointName=f"{world.name}-production",
        EndpointConfigName=f"{world.name}-by-hand",
        DeploymentConfig={
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
                "TerminationWaitInSeconds": 180,
            }
        },
    )
    capsys.readouterr()

    put_into_production(world, second)

    assert f"is Updating ({world.name}-by-hand)" in capsys.readouterr().out
    assert world.predict(ROW) == "no"


def test_instances_and_serverless_are_not_exchanged_in_place(world, verified, writes):
    put_into_production(world, verified())
    world.configure(
        production__serverless="memory_mb = 2048", production__deployment='policy = "ALL_AT_ONCE"'
    )

    with writes() as made, pytest.raises(UserError, match="teardown --only production"):
        promote(world.project())

    assert made == []


def test_scaling_capture_and_instances_follow_the_configuration(world, verified):
    arn = verified()
    put_into_production(world, arn)
    world.configure(
        production='instance_type = "ml.m5.xlarge"',
        production__autoscaling="min_instances = 2\nmax_instances = 4\nrequests_per_instance = 100",
        production__data_capture="percent = 50",
        production__deployment='policy = "ALL_AT_ONCE"\nwait_seconds = 0',
    )

    promote(world.project())

    scaling = world.aws.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{world.name}-production/variant/AllTraffic"]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 4)
    config = world.sagemaker.describe_endpoint_config(
        EndpointConfigName=world.endpoint()["EndpointConfigName"]
    )
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.m5.xlarge"
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 50

    world.settings.pop("production__autoscaling")
    world.configure()
    promote(world.project())

    left = scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{world.name}-production/variant/AllTraffic"]
    )["ScalableTargets"]
    assert left == []


def test_production_in_an_account_of_its_own(world, verified, writes, monkeypatch, capsys):
    """The registry and the bucket stay in the project's account and are shared by their policies."""
    arn = verified(THRESHOLD="10")
    account = "222222222222"
    world.aws.administrator(account)
    world.create_role(world.aws.client("iam", account))
    reader = {"AWS": f"arn:aws:iam::{account}:root"}
    objects = f"arn:aws:s3:::{world.bucket}"
    world.s3.put_bucket_policy(
        Bucket=world.bucket,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": reader,
                        "Action": ["s3:GetObject", "s3:ListBucket"],
                        "Resource": [objects, f"{objects}/*"],
                    }
                ],
            }
        ),
    )
    group = f"arn:aws:sagemaker:{world.aws.region}:{world.aws.account}:model-package"
    world.sagemaker.put_model_package_group_policy(
        ModelPackageGroupName=world.name,
        ResourcePolicy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": reader,
                        "Action": ["sagemaker:DescribeModelPackage", "sagemaker:CreateModel"],
                        "Resource": [f"{group}/{world.name}/*"],
                    }
                ],
            }
        ),
    )
    monkeypatch.setenv("PRODUCTION_ROLE_ARN", f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")

    promotion = put_into_production(world, arn)

    there = world.aws.client("sagemaker", account)
    assert there.describe_endpoint(EndpointName=promotion.endpoint)["EndpointStatus"] == "InService"
    with pytest.raises(ClientError, match="Could not find"):
        world.endpoint()
    assert world.package(arn)["ModelApprovalStatus"] == "Approved"
    assert len(world.objects("deployments/")) == 1

    # Somebody forgets the variable: no second production beside the first.
    monkeypatch.delenv("PRODUCTION_ROLE_ARN")
    with writes() as made, pytest.raises(UserError, match=rf"account {account}.*set PRODUCTION_ROLE_ARN"):
        promote(world.project())
    assert made == []
    assert status(world.project()).differences == [
        f"production was deployed in account {account}, and this looks at account {world.aws.account}: set "
        "PRODUCTION_ROLE_ARN to the project's role there"
    ]
    capsys.readouterr()
    find(world.project(), only="production")
    assert f"notice: production was deployed in account {account}" in capsys.readouterr().out

    promote(world.project(), new_account=True)
    assert world.endpoint()["EndpointStatus"] == "InService"


def test_a_role_that_is_none_is_a_users_error(world, monkeypatch):
    monkeypatch.setenv("PRODUCTION_ROLE_ARN", "production")

    with pytest.raises(UserError, match="PRODUCTION_ROLE_ARN = 'production' is no role"):
        promote(world.project())


def test_a_role_without_rights_changes_nothing_and_names_the_right(world, verified, monkeypatch):
    arn = verified()
    iam = world.aws.client("iam")
    iam.create_user(UserName=world.name)
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["sagemaker:Describe*", "sagemaker:List*", "s3:*"], "Resource": "*"}
        ],
    }
    iam.put_user_policy(UserName=world.name, PolicyName="reads", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=world.name)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    boto3.DEFAULT_SESSION = None
    world.name_in_git(arn)

    status = main(["promote"])

    assert status == 1
    assert world.package(arn)["ModelApprovalStatus"] == "PendingManualApproval"
    assert [part for part in world.parts() if "-production-" in part] == []


@pytest.mark.parametrize(
    "answer",
    ['yes"\n', '"yes\n', 'yes,"[1\n', '"' + "[" * 100_000 + '"\n'],
    ids=["stray", "open", "list", "deep"],
)
def test_an_answer_that_cannot_be_read_after_the_rollout_goes_back(world, verified, monkeypatch, answer):
    put_into_production(world, verified(THRESHOLD="10"))
    second, predict = verified(THRESHOLD="50"), RulePredictor.predict

    def spoiled(self, body, content_type, accept):
        if self.environment["THRESHOLD"] == "50":
            return (answer * len(body.splitlines())).encode(), "text/csv"
        return predict(self, body, content_type, accept)

    monkeypatch.setattr("automl_gitops.promotion.promote._Application._reads_the_same", lambda _: False)
    monkeypatch.setattr(RulePredictor, "predict", spoiled)

    with pytest.raises(RunError, match="version 1 serves"):
        put_into_production(world, second)

    assert world.predict(ROW) == "yes"


def test_an_error_of_the_checks_themselves_goes_back(world, verified, monkeypatch):
    put_into_production(world, verified(THRESHOLD="10"))
    second = verified(THRESHOLD="50")
    monkeypatch.setattr("automl_gitops.promotion.promote.check_csv", lambda _: 1 / 0)

    with pytest.raises(RunError, match=r"version 1 serves: .*ZeroDivisionError"):
        put_into_production(world, second)


def overwrite(world, content=b"another archive"):
    return world.s3.put_object(Bucket=world.bucket, Key="autopilot/model.tar.gz", Body=content)


def restore(world):
    """Delete what was written over the first version, as docs/operate.md says."""
    listed = world.s3.list_object_versions(Bucket=world.bucket, Prefix="autopilot/model.tar.gz")["Versions"]
    newest = next(one["VersionId"] for one in listed if one["IsLatest"])
    world.s3.delete_object(Bucket=world.bucket, Key="autopilot/model.tar.gz", VersionId=newest)


def test_an_archive_that_was_replaced_after_the_verification_does_not_go_to_production(
    world, verified, writes, capsys
):
    arn = verified()
    (known,) = world.read("verifications/1/verification.json")["archives"].values()
    world.name_in_git(arn)
    overwrite(world)

    with writes() as made:
        status = main(["promote"])

    assert (status, made) == (2, [])
    told = capsys.readouterr().err
    for part in (f"s3://{world.bucket}/autopilot/model.tar.gz", *known.split()):
        assert part in told
    assert f"automl stage --model-package {arn}" in told

    restore(world)
    assert promote(world.project()).done[-1] == "deployed version 1"


def test_an_archive_that_is_gone_does_not_go_to_production(world, verified):
    world.name_in_git(verified())
    world.s3.delete_object(Bucket=world.bucket, Key="autopilot/model.tar.gz")

    with pytest.raises(UserError, match=r"autopilot/model.tar.gz is gone, instead of version"):
        promote(world.project())


def test_the_same_bytes_written_again_are_the_same_model(world, verified):
    world.name_in_git(verified())
    overwrite(world, b"an archive")

    assert promote(world.project()).done[-1] == "deployed version 1"


def test_other_bytes_that_were_verified_take_a_new_approval(world, git, verified):
    arn = world.register()
    stage(world.project(), arn)
    verify(world.project(), arn)
    propose(world.project(), arn)
    git("commit", "--quiet", "-am", "Promote")
    overwrite(world)
    stage(world.project(), arn)
    verify(world.project(), arn)

    with pytest.raises(UserError, match=r"model.tar.gz is version .*, instead of version"):
        promote(world.project())
    assert propose(world.project(), arn).changed
    git("commit", "--quiet", "-am", "Promote the new bytes")
    assert promote(world.project()).done[-1] == "deployed version 1"


def test_a_way_back_to_a_replaced_archive_is_refused(world, verified):
    first, second = verified(THRESHOLD="10"), verified(THRESHOLD="50")
    put_into_production(world, first)
    put_into_production(world, second)
    for key in world.objects("verifications/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)
    overwrite(world)

    with pytest.raises(UserError, match="instead of version"):
        put_into_production(world, first)

    assert world.predict(ROW) == "no"


@pytest.mark.parametrize("part", ["record", "note"])
def test_who_changes_record_or_note_alone_gains_nothing(world, verified, part):
    world.name_in_git(verified())
    overwrite(world)
    project = world.project()
    package = Registry(project.aws, project.names).latest()
    found = archives.read(world.s3, package)
    if part == "note":
        Registry(project.aws, project.names).note(package, **archives.notes(found))
    else:
        record = world.read("verifications/1/verification.json")
        record["archives"] = found
        world.put("verifications/1/verification.json", json.dumps(record))

    with pytest.raises(UserError, match="does not carry the sign-off"):
        promote(world.project())


@pytest.mark.parametrize("claimed", ["nothing", "the known hash of the new version"])
def test_who_changes_record_and_note_gains_nothing_against_what_git_names(world, git, verified, claimed):
    arn = verified()
    propose(world.project(), arn)
    git("commit", "--quiet", "-am", "Promote")
    ((url, known),) = world.read("verifications/1/verification.json")["archives"].items()
    newest = overwrite(world)["VersionId"]
    project = world.project()
    lie = {} if claimed == "nothing" else {url: f"{known.split()[0]} {newest}"}
    record = world.read("verifications/1/verification.json") | {"archives": lie}
    world.put("verifications/1/verification.json", json.dumps(record))
    Registry(project.aws, project.names).note(
        Registry(project.aws, project.names).latest(), **archives.notes(lie)
    )

    with pytest.raises(UserError, match=r"model.tar.gz is version .*, instead of version"):
        promote(world.project())


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", "null", "[" * 100_000, '{"archives": 3}'], ids=lambda text: text[:15]
)
def test_a_verification_or_deployment_that_was_written_over_is_told_in_a_sentence(
    world, verified, capsys, content
):
    arn = verified()
    world.name_in_git(arn)
    world.put("verifications/1/verification.json", content)
    refused = main(["promote"])
    world.sign_off(arn)
    assert main(["promote"]) == 0
    (deployment,) = world.objects("deployments/")
    world.put(deployment, content)

    ended = [main([command]) for command in ("promote", "drift")]

    told = capsys.readouterr().err
    assert (refused, ended) == (1, [1, 1])
    for key in ("verifications/1/verification.json", deployment):
        assert f"error: s3://{world.bucket}/{key} was changed (" in told
    assert "bring its S3 version before back" in told


def test_a_version_that_was_verified_before_bytes_were_recorded_is_staged_again(world, verified):
    arn = verified()
    record = world.read("verifications/1/verification.json")
    del record["archives"]
    world.put("verifications/1/verification.json", json.dumps(record))
    world.name_in_git(arn)

    with pytest.raises(UserError, match=rf"archives' bytes; run `automl stage --model-package {arn}`, then"):
        promote(world.project())

    stage(world.project(), arn)
    verify(world.project(), arn)
    assert promote(world.project()).done[-1] == "deployed version 1"


@pytest.mark.parametrize("first", [True, False], ids=["the first version", "the next version"])
def test_an_archive_that_is_replaced_during_the_rollout_is_taken_back(world, verified, monkeypatch, first):
    if not first:
        put_into_production(world, verified(THRESHOLD="10"))
    arn = verified(THRESHOLD="50")
    start = RulePredictor.start.__func__

    def replace_and_start(cls, *arguments):
        overwrite(world)
        return start(cls, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(RulePredictor, "start", classmethod(replace_and_start))
        with pytest.raises(
            RunError, match=r"loaded what was verified: the archive s3://.* instead of version"
        ):
            put_into_production(world, arn)

    if first:
        assert world.sagemaker.list_endpoints(NameContains=world.name)["Endpoints"] == []
    else:
        assert world.predict(ROW) == "yes"
    assert world.package(arn)["ModelLifeCycle"]["StageStatus"] == "RolledBack"
    while (
        world.s3.get_object(Bucket=world.bucket, Key="autopilot/model.tar.gz")["Body"].read() != b"an archive"
    ):
        restore(world)
    assert "deployed version" in promote(world.project()).done[-1]
