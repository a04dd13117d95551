"""Status: what is, what should be, and each difference."""

from __future__ import annotations

import json

import pytest

from automl_gitops.commands.main import main
from automl_gitops.promotion.promote import promote
from automl_gitops.promotion.stage import stage
from automl_gitops.promotion.status import status


@pytest.fixture
def in_production(world):
    """A version in production, as Git names it."""
    arn = world.sign_off(world.register(THRESHOLD="10"))
    world.name_in_git(arn)
    promote(world.project())
    return arn


def test_nothing_in_production_yet_is_a_notice(world, capsys):
    assert main(["status"]) == 0
    assert "nothing in production yet" in capsys.readouterr().out


def test_production_as_git_names_it_is_no_difference(world, in_production, capsys):
    capsys.readouterr()

    ended = main(["status", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert ended == 0
    assert found["differences"] == []
    assert found["drift"] is False
    assert found["git"] == {"model_package_arn": in_production, "version": 1, "uncommitted": False}
    assert found["registry"]["approval"] == "Approved"
    production = found["production"]
    assert production["status"] == "InService"
    assert production["model_package_arn"] == in_production
    assert production["version"] == 1
    assert production["commit"] == "0123456789abcdef0123456789abcdef01234567"
    assert production["instances"] == 2
    assert set(production["alarms"].values()) <= {"OK", "INSUFFICIENT_DATA"}
    assert production["since"]


def test_a_narrow_terminal_breaks_no_time(world, in_production, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    capsys.readouterr()

    assert main(["status"]) == 0

    assert "UTC" in capsys.readouterr().out


def test_it_writes_nothing(world, in_production, writes):
    with writes() as made:
        status(world.project())

    assert made == []


def name_another(world, arn):
    world.name_in_git(world.sign_off(world.register(THRESHOLD="50")))


def change_by_hand(world, arn):
    config = world.sagemaker.describe_endpoint_config(
        EndpointConfigName=world.endpoint()["EndpointConfigName"]
    )
    variant = config["ProductionVariants"][0] | {"InitialInstanceCount": 1}
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{world.name}-hand", ProductionVariants=[variant]
    )
    world.sagemaker.update_endpoint(
        EndpointName=f"{world.name}-production", EndpointConfigName=f"{world.name}-hand"
    )
    from automl_gitops.serving.endpoint import Endpoint

    project = world.project()
    Endpoint(project.aws, f"{world.name}-production", project.output).settle()


def reject(world, arn):
    world.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")


def delete_alarm(world, arn):
    world.cloudwatch.delete_alarms(AlarmNames=[f"{world.name}-production-5xx"])


def loosen_alarm(world, arn):
    name = f"{world.name}-production-latency"
    (alarm,) = world.cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    kept = (
        "AlarmName",
        "MetricName",
        "Namespace",
        "ExtendedStatistic",
        "Dimensions",
        "Period",
        "EvaluationPeriods",
    )
    changed = {key: alarm[key] for key in (*kept, "ComparisonOperator", "TreatMissingData")} | {
        "Threshold": 1e9
    }
    world.cloudwatch.put_metric_alarm(**changed)


def want_scaling(world, arn):
    world.configure(production__autoscaling="min_instances = 2\nmax_instances = 4")


def want_other_instances(world, arn):
    world.configure(production='instance_type = "ml.m5.xlarge"')


def delete_endpoint(world, arn):
    from automl_gitops.serving.endpoint import Endpoint

    project = world.project()
    Endpoint(project.aws, f"{world.name}-production", project.output).delete()


def lose_record(world, arn):
    for key in world.objects("deployments/"):
        world.s3.delete_object(Bucket=world.bucket, Key=key)


def replace_archive(world, arn):
    world.put("autopilot/model.tar.gz", "another archive")


def delete_archive(world, arn):
    world.s3.delete_object(Bucket=world.bucket, Key="autopilot/model.tar.gz")


def name_nothing(world, arn):
    world.name_in_git("")


def name_what_is_not_there(world, arn):
    world.name_in_git(arn[:-1] + "9")


@pytest.mark.parametrize(
    ("drift", "words"),
    [
        (name_another, "serves arn"),
        (change_by_hand, "has config"),
        (reject, "as Rejected"),
        (delete_alarm, "production-5xx is missing"),
        (loosen_alarm, "production-latency is missing, or not as"),
        (want_scaling, "autoscaling"),
        (want_other_instances, "automl.toml"),
        (delete_endpoint, "there is no endpoint"),
        (lose_record, "no deployment of it is recorded"),
        (replace_archive, "a new instance loads other bytes"),
        (delete_archive, "autopilot/model.tar.gz is gone"),
        (name_nothing, "Git names no version"),
        (name_what_is_not_there, 'has no version 9: commit `model_package_arn = ""`'),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_way_in_which_reality_differs_is_named_and_ends_with_3(
    world, in_production, capsys, drift, words
):
    drift(world, in_production)
    capsys.readouterr()

    ended = main(["status", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert ended == 3
    assert found["drift"] is True
    assert any(words in difference for difference in found["differences"])


@pytest.mark.parametrize("drift", [change_by_hand, delete_alarm, loosen_alarm, want_scaling, lose_record])
def test_promote_mends_what_status_found(world, in_production, drift):
    drift(world, in_production)

    promote(world.project())

    assert status(world.project()).differences == []


def test_staging_is_shown_and_is_no_drift(world, in_production):
    second = world.register(PROBABILITIES="1", threshold=0.55)
    stage(world.project(), second)

    found = status(world.project())

    assert found.staging.model_package_arn == second
    assert (found.staging.threshold, found.staging.positive_class) == ("0.55", "yes")
    assert found.production.threshold == ""
    assert found.differences == []
