"""Staging: exactly one version, and the truth about whether it serves."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.stage import stage
from automl_gitops.runs.execution import Execution, Step
from local_sagemaker import Fault


def test_staging_serves_the_version_that_was_asked_for(world):
    first = world.register(THRESHOLD="10")
    world.register(THRESHOLD="50")

    staged = stage(world.project(), first)

    assert staged.changed
    assert world.endpoint("staging")["EndpointStatus"] == "InService"
    assert world.predict(["20", "1"], "staging") == "yes"
    # The registry's approval is not staging's to give.
    assert world.package(first)["ModelApprovalStatus"] == "PendingManualApproval"


def test_without_an_arn_the_newest_version_that_nobody_rejected_is_staged(world):
    world.register()
    second = world.register()
    rejected = world.register()
    world.sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")

    staged = stage(world.project(), None)

    assert staged.package.arn == second


def test_where_all_versions_are_rejected_that_is_said(world):
    arn = world.register()
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    with pytest.raises(UserError, match=r"up to version 1, are Rejected: train another one"):
        stage(world.project(), None)


def test_the_same_version_again_is_nothing_to_do(world, writes):
    arn = world.register()
    stage(world.project(), arn)

    with writes() as made:
        again = stage(world.project(), arn)

    assert not again.changed
    assert made == []


def test_another_version_takes_over_and_leaves_nothing_of_the_first(world):
    stage(world.project(), world.register(THRESHOLD="10"))
    second = world.register(THRESHOLD="50")

    staged = stage(world.project(), second)

    assert world.predict(["20", "1"], "staging") == "no"
    assert world.parts() == sorted([staged.release.model_name, staged.release.config_name])


def test_a_version_that_cannot_start_is_a_failure_with_its_reason_and_the_next_run_mends_it(world):
    broken = world.register(CANNOT_LOAD="bad archive")

    with pytest.raises(RunError, match="bad archive"):
        stage(world.project(), broken)

    assert stage(world.project(), world.register()).state.status == "InService"


def test_an_update_that_was_rolled_back_is_a_failure_though_the_endpoint_is_in_service(world):
    stage(world.project(), world.register(THRESHOLD="10"))
    broken = world.register(CANNOT_LOAD="bad archive")

    with pytest.raises(RunError, match="rolled back"):
        stage(world.project(), broken)

    assert world.endpoint("staging")["EndpointStatus"] == "InService"
    assert world.predict(["20", "1"], "staging") == "yes"


def test_instances_are_replaced_by_serverless_inference(world):
    arn = world.register()
    stage(world.project(), arn)
    world.configure(staging__serverless="memory_mb = 2048\nmax_concurrency = 2")

    stage(world.project(), arn)

    assert "CurrentServerlessConfig" in world.endpoint("staging")["ProductionVariants"][0]


@pytest.mark.parametrize(
    ("arn", "sentence"),
    [
        ("version 3", "is no model package"),
        ("arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/1", "region us-east-1"),
        ("arn:aws:sagemaker:eu-west-1:210987654321:model-package/{name}/1", "account 210987654321"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:model-package/another/1", "group another"),
        ("arn:aws:sagemaker:eu-west-1:123456789012:model-package/{name}/9", "has no version 9"),
    ],
)
def test_an_arn_that_is_not_the_projects_is_refused_before_anything_is_made(world, arn, sentence):
    world.register()

    with pytest.raises(UserError, match=sentence):
        stage(world.project(), arn.format(name=world.name))

    assert world.parts() == []


def test_nothing_registered_is_a_users_error_with_the_way_out(world, capsys):
    status = main(["stage"])

    assert status == 2
    assert "automl run" in capsys.readouterr().err


def test_a_rejected_version_is_refused(world):
    arn = world.register()
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")

    with pytest.raises(UserError, match="was rejected"):
        stage(world.project(), arn)


def test_the_command_says_and_prints_what_is_served(world, capsys):
    arn = world.register()

    status = main(["stage", "--model-package", arn, "--json"])

    printed = json.loads(capsys.readouterr().out)
    assert status == 0
    assert printed["model_package_arn"] == arn
    assert printed["changed"] is True


def test_who_interrupts_the_wait_learns_what_goes_on_and_how_to_end_it(world, monkeypatch, capsys):
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    arn = world.register()
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=interrupt)  # of this wait alone
    monkeypatch.setattr("automl_gitops.kernel.waiting.time", clock)

    status = main(["stage", "--model-package", arn])

    assert status == 130
    said = capsys.readouterr().out
    assert f"endpoint {world.name}-staging goes on in AWS" in said
    assert "`automl status`" in said
    assert "`automl teardown --only staging`" in said


class Executions:
    """What SageMaker tells of an execution, and whether a later one has overtaken it."""

    def __init__(self, monkeypatch, arn: str = "", later: str | None = None) -> None:
        outputs = {"model_package_arn": arn} if arn else {}
        step = Step("RegisterModel", "Succeeded", 1, outputs=outputs)
        self.asked: list[str] = []
        monkeypatch.setattr("automl_gitops.promotion.stage.read", lambda *given: self._read(step, given[-1]))
        monkeypatch.setattr("automl_gitops.promotion.stage.overtaken_by", lambda *_: later)

    def _read(self, step: Step, arn: str) -> Execution:
        self.asked.append(arn.rsplit("/", 1)[-1])
        return Execution(arn, "", "Succeeded", None, 9, [step], None, {})


@pytest.fixture
def outputs(tmp_path, monkeypatch):
    """The file of the step's outputs."""
    path = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(path))
    return path


def test_a_workflow_names_the_execution_and_learns_the_version(world, monkeypatch, outputs):
    first = world.register(THRESHOLD="10")
    world.register(THRESHOLD="50")
    executions = Executions(monkeypatch, first)

    assert main(["stage", "--execution", "abcd1234efgh"]) == 0

    assert executions.asked == ["abcd1234efgh"]
    assert world.predict(["20", "1"], "staging") == "yes"
    assert outputs.read_text() == f"model-package={first}\n"


def test_a_version_that_was_overtaken_does_not_replace_a_newer_one_on_staging(
    world, monkeypatch, outputs, writes, capsys
):
    older = world.register(THRESHOLD="10")
    stage(world.project(), world.register(THRESHOLD="50"))
    Executions(monkeypatch, older, later="mnopqrstuvwx")

    with writes() as made:
        status = main(["stage", "--execution", "abcd1234efgh"])

    assert (status, made) == (0, [])
    assert "execution mnopqrstuvwx, started after abcd1234efgh" in capsys.readouterr().out
    assert not outputs.exists(), "nothing is verified or proposed either"


def test_an_execution_that_registered_nothing_is_refused(world, monkeypatch, outputs, capsys):
    Executions(monkeypatch)

    assert main(["stage", "--execution", "abcd1234efgh"]) == 2

    assert "execution abcd1234efgh is Succeeded and has registered no version" in capsys.readouterr().err
    assert not outputs.exists()


def test_a_version_and_an_execution_are_one_too_many(world, capsys):
    arn = world.register()

    assert main(["stage", "--execution", "abcd1234efgh", "--model-package", arn]) == 2

    assert "not both" in capsys.readouterr().err


def test_what_it_makes_may_lose_its_answer_once(world):
    """botocore tries again then, and is refused for what the first attempt made."""
    lost = [
        f"sagemaker:{name}"
        for name in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint")
    ]

    with world.aws.faults(*(Fault("cut after", operation=name) for name in lost)) as plan:
        first = stage(world.project(), world.register(THRESHOLD="10"))
        second = stage(world.project(), world.register(THRESHOLD="50"))

    assert sorted(call.operation for call in plan.calls if call.struck) == sorted(lost)
    assert first.changed
    assert second.changed
    assert world.endpoint("staging")["EndpointConfigName"] == second.release.config_name
    assert world.parts() == sorted([second.release.model_name, second.release.config_name])
