"""Batch transforms: what is asked of the service, and that nothing is left behind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import evaluate
import pytest
from botocore.exceptions import ClientError
from fake_sagemaker import BUCKET, ROLE, FakeSageMaker, ModelFaultError, container, error
from runs import Run

from automl_evaluation.errors import EvaluationError
from automl_evaluation.transform import Transform, TransformContext, TransformFailed

INPUT, OUTPUT = f"s3://{BUCKET}/datasets/0/x_test", f"s3://{BUCKET}/transforms/1/candidate"
NAME = "shop-abcdefghijkl-candidate"


def echo(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
    return [row[0] for row in rows]


def fail(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
    raise ModelFaultError("AlgorithmError: See job logs for more information")


@pytest.fixture
def sagemaker(s3: Any) -> FakeSageMaker:
    for number in range(2):
        s3.put_object(
            Bucket=BUCKET, Key=f"datasets/0/x_test/part-{number:05}.csv", Body=f"{number},1\n".encode()
        )
    return FakeSageMaker(s3, "Regression", "MSE", {"candidate": echo})


def transform(sagemaker: FakeSageMaker, **place: Any) -> Transform:
    given: dict[str, Any] = {"sleep": lambda seconds: None} | place
    where = TransformContext(sagemaker, sagemaker.s3, ROLE, "ml.m5.xlarge", 3, **given)
    return Transform(where, NAME, [container("candidate")], INPUT, OUTPUT)


def test_outputs_come_part_by_part(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    with transform(sagemaker) as run:
        found = run.outputs(["part-00000.csv", "part-00001.csv"], tmp_path)

    assert [part.path.read_text() for part in found] == ["0\n", "1\n"]
    assert found[1].name == f"{OUTPUT}/part-00001.csv.out"
    assert sagemaker.deployed == {}


def test_the_request_splits_by_lines_and_carries_key_network_and_tags(
    sagemaker: FakeSageMaker, tmp_path: Path
) -> None:
    network = {"subnets": ["subnet-0123abcd"], "security_groups": ["sg-0123abcd"]}

    with transform(sagemaker, kms_key="key", network=network, tags={"team": "a"}) as run:
        run.outputs([], tmp_path)

    requests = dict(sagemaker.requests)
    job = requests["create_transform_job"]
    assert job["TransformInput"]["SplitType"] == "Line"
    assert job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == f"{INPUT}/"
    assert job["TransformOutput"] == {
        "S3OutputPath": OUTPUT,
        "Accept": "text/csv",
        "AssembleWith": "Line",
        "KmsKeyId": "key",
    }
    assert job["TransformResources"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": 3,
        "VolumeKmsKeyId": "key",
    }
    assert job["Tags"] == requests["create_model"]["Tags"] == [{"Key": "team", "Value": "a"}]
    assert requests["create_model"]["VpcConfig"] == {
        "Subnets": ["subnet-0123abcd"],
        "SecurityGroupIds": ["sg-0123abcd"],
    }


@pytest.mark.parametrize(("containers", "megabytes"), [(1, 6), (2, None), (3, None)])
def test_several_containers_say_themselves_how_much_they_take(
    sagemaker: FakeSageMaker, tmp_path: Path, containers: int, megabytes: int | None
) -> None:
    where = TransformContext(sagemaker, sagemaker.s3, ROLE, "ml.m5.xlarge", 1, sleep=lambda seconds: None)

    with Transform(where, NAME, [container("candidate")] * containers, INPUT, OUTPUT) as run:
        run.outputs([], tmp_path)

    assert dict(sagemaker.requests)["create_transform_job"].get("MaxPayloadInMB") == megabytes


def test_a_failed_job_gives_the_services_reason_and_leaves_no_model(
    tmp_path: Path, sagemaker: FakeSageMaker
) -> None:
    sagemaker.models["candidate"] = fail

    reason = f"^transform job {NAME}-1 failed: AlgorithmError: See job logs"
    with pytest.raises(TransformFailed, match=reason), transform(sagemaker) as run:
        run.outputs(["part-00000.csv"], tmp_path)

    assert sagemaker.deployed == {}


def test_a_part_without_output_is_named(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    with (
        transform(sagemaker) as run,
        pytest.raises(EvaluationError, match=r"wrote no output for x\.csv and 1 more parts"),
    ):
        run.outputs(["part-00000.csv", "x.csv", "y.csv"], tmp_path)


def test_a_job_beyond_the_deadline_is_stopped(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    sagemaker.polls = 10**9

    late = pytest.raises(EvaluationError, match="is still running after 0 minutes")
    with late, transform(sagemaker, deadline_seconds=0.0) as run:
        run.outputs(["part-00000.csv"], tmp_path)

    assert sagemaker.jobs[f"{NAME}-1"]["status"] == "Stopped"
    assert sagemaker.deployed == {}


def test_the_quota_is_waited_for(
    tmp_path: Path, sagemaker: FakeSageMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.quota_refusals = 2

    with transform(sagemaker) as run:
        found = run.outputs(["part-00000.csv"], tmp_path)

    assert len(found) == 1
    assert "waiting for the quota: 1 instance is in use of 1" in capsys.readouterr().out


def test_a_refusal_of_another_kind_ends_at_once_and_leaves_no_model(sagemaker: FakeSageMaker) -> None:
    def refuse(request: dict[str, Any]) -> None:
        raise error("AccessDeniedException", "not allowed", "CreateTransformJob")

    sagemaker.__dict__["_create_transform_job"] = refuse

    with pytest.raises(ClientError, match="not allowed"):
        transform(sagemaker).__enter__()

    assert sagemaker.deployed == {}


def test_a_model_that_an_earlier_run_left_is_replaced(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    sagemaker.deployed[NAME] = [container("old")]

    with transform(sagemaker) as run:
        run.outputs(["part-00000.csv"], tmp_path)

    assert sagemaker.jobs[f"{NAME}-1"]["containers"] == [container("candidate")]
    assert sagemaker.deployed == {}


def test_a_second_run_uses_what_the_first_one_finished(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    for _ in range(2):
        with transform(sagemaker) as run:
            run.outputs(["part-00000.csv"], tmp_path)

    assert sagemaker.calls.count("create_transform_job") == 1


def test_a_second_run_tries_anew_what_failed(tmp_path: Path, sagemaker: FakeSageMaker) -> None:
    sagemaker.models["candidate"] = fail
    with transform(sagemaker) as run, pytest.raises(TransformFailed):
        run.outputs(["part-00000.csv"], tmp_path)
    sagemaker.models["candidate"] = echo

    with transform(sagemaker) as run:
        found = run.outputs(["part-00000.csv"], tmp_path)

    assert len(found) == 1
    assert list(sagemaker.jobs) == [f"{NAME}-1", f"{NAME}-2"]


class TestProcess:
    """The entry point: exit status, message, and the service's request to end."""

    @pytest.fixture
    def chosen(self, tmp_path: Path, s3: Any) -> Iterator[tuple[list[str], FakeSageMaker]]:
        run = Run(
            tmp_path, s3, [[value / 100, 0] for value in range(100)], [value / 100 for value in range(100)]
        )
        run.threshold = 1.0
        run.prepared()
        settings = tmp_path / "settings.json"
        settings.write_text(run.settings_json())
        arguments = [*run.arguments(), "--settings", str(settings)]
        before = signal.getsignal(signal.SIGTERM)
        yield arguments, FakeSageMaker(s3, "Regression", "MSE", {"candidate": echo})
        signal.signal(signal.SIGTERM, before)

    @pytest.fixture(autouse=True)
    def session(self, chosen: tuple[list[str], FakeSageMaker], monkeypatch: pytest.MonkeyPatch) -> None:
        """The session gives the fake's clients."""
        fake = chosen[1]

        class Session:
            def __init__(self, region_name: str | None) -> None:
                """Whichever region it is."""

            def client(self, name: str, **others: Any) -> Any:
                return fake if name == "sagemaker" else fake.s3

        monkeypatch.setattr(evaluate.boto3.session, "Session", Session)

    def test_a_result_is_status_0(
        self, chosen: tuple[list[str], FakeSageMaker], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert evaluate.main(chosen[0]) == 0

        written = {path.name for path in (tmp_path / "output" / "evaluation").iterdir()}
        assert written == {"evaluation.json", "model_quality.json", "model_card.json", "explainability.json"}
        assert "accept: " in capsys.readouterr().out

    def test_a_failure_is_status_1_with_the_reason_as_message(
        self, chosen: tuple[list[str], FakeSageMaker], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments, fake = chosen
        fake.models["candidate"] = fail

        assert evaluate.main(arguments) == 1

        reason = f"transform job {NAME}-1 failed: AlgorithmError: See job logs for more information"
        assert (tmp_path / "message").read_text() == reason
        assert capsys.readouterr().err == f"error: {reason}\n"
        assert fake.deployed == {}
        assert not list((tmp_path / "output" / "evaluation").iterdir())

    def test_a_request_to_end_stops_the_job_and_deletes_the_model(
        self, chosen: tuple[list[str], FakeSageMaker]
    ) -> None:
        arguments, fake = chosen
        described = fake._describe_transform_job

        def end(request: dict[str, Any]) -> dict[str, Any]:
            if (
                request["TransformJobName"] in fake.jobs
                and fake.jobs[request["TransformJobName"]].get("status") is None
            ):
                os.kill(os.getpid(), signal.SIGTERM)
            return described(request)

        fake.__dict__["_describe_transform_job"] = end

        with pytest.raises(SystemExit) as ended:
            evaluate.main(arguments)

        assert ended.value.code == 143
        assert {job["status"] for job in fake.jobs.values()} == {"Stopped"}
        assert fake.deployed == {}
