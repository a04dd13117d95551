from __future__ import annotations

import json
import re

import boto3
import pytest
from botocore.stub import ANY, Stubber
from steps_of import compare, condition, fail, get, join, json_get, processing

from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.pipelines import retries, state
from local_sagemaker.sagemaker.pipelines.definition import parse
from local_sagemaker.sagemaker.pipelines.schema import RetryPolicy
from local_sagemaker.sagemaker.pipelines.steps import processing as runner
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed
from support.waiting import wait_until

FILES = [{"PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json"}]
WRITE = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
report = {"decision": sys.argv[2], "metrics": {"f1": 0.5}}
(folder / "report.json").write_text(json.dumps(report))
"""


def write_report(pipelines, bucket, decision):
    """A job that runs the script above, from the bucket."""
    pipelines.s3.put_object(Bucket=bucket, Key="code/write.py", Body=WRITE)
    script = ["python3", "/opt/ml/processing/input/write.py", "/opt/ml/processing/output/report", decision]
    step = processing("Evaluate", pipelines.role, script, f"s3://{bucket}/reports", PropertyFiles=FILES)
    folder = {"S3Uri": f"s3://{bucket}/code", "LocalPath": "/opt/ml/processing/input"}
    kind = {"S3DataType": "S3Prefix", "S3InputMode": "File"}
    step["Arguments"]["ProcessingInputs"] = [{"InputName": "code", "S3Input": folder | kind}]
    return step


@pytest.mark.parametrize(("decision", "taken"), [("accept", "Accept"), ("reject", "Reject")])
def test_a_property_file_steers_a_condition(pipelines, decision, taken):
    bucket = pipelines.create_bucket()
    read = json_get("Evaluate", "Report", "decision")
    text = join(" ", "f1 is", json_get("Evaluate", "Report", "metrics.f1"))
    decide = condition(
        "Decide", [compare("Equals", read, "accept")], [fail("Accept", text)], [fail("Reject", text)]
    )

    _, steps = pipelines.run(write_report(pipelines, bucket, decision), decide)

    assert list(steps) == ["Evaluate", "Decide", taken]
    assert steps[taken]["FailureReason"] == "f1 is 0.5"
    report = pipelines.s3.get_object(Bucket=bucket, Key="reports/report.json")["Body"].read()
    assert json.loads(report)["decision"] == decision


def test_the_job_is_named_as_the_service_does_and_its_description_can_be_referred_to(pipelines):
    bucket = pipelines.create_bucket()
    uri = get("Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    name = pipelines.create(write_report(pipelines, bucket, "accept"), fail("Tell", uri))

    execution = pipelines.start(name)
    pipelines.finish(execution)
    steps = pipelines.steps(execution)
    arn = steps["Evaluate"]["Metadata"]["ProcessingJob"]["Arn"]
    job = pipelines.sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])

    identifier = execution.rpartition("/")[2]
    assert re.search(rf"processing-job/pipelines-{identifier}-Evaluate-[a-zA-Z0-9]{{10}}$", arn)
    assert job["ProcessingJobStatus"] == "Completed"
    assert steps["Tell"]["FailureReason"] == f"s3://{bucket}/reports"
    assert steps["Evaluate"]["AttemptCount"] == 1


def test_a_failed_job_fails_its_step_with_the_jobs_reason(pipelines):
    step = processing("Evaluate", pipelines.role, ["python3", "-c", "raise SystemExit(3)"])

    status, steps = pipelines.run(step, fail("After", DependsOn=["Evaluate"]))
    arn = steps["Evaluate"]["Metadata"]["ProcessingJob"]["Arn"]
    job = pipelines.sagemaker.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])

    assert status == "Failed"
    assert list(steps) == ["Evaluate"]
    assert job["FailureReason"]
    assert steps["Evaluate"]["FailureReason"].startswith(f"ClientError: {job['FailureReason']}")


def test_a_job_that_the_role_may_not_create_fails_its_step(pipelines):
    role = pipelines.create_role("sagemaker.amazonaws.com", "s3:*")

    execution = pipelines.start(pipelines.create(processing("Evaluate", role, ["true"]), RoleArn=role))
    status = pipelines.finish(execution)
    step = pipelines.steps(execution)["Evaluate"]

    assert status == "Failed"
    assert step["FailureReason"].startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob.")
    assert step["Metadata"] == {}


def test_arguments_that_the_api_refuses_fail_the_step(pipelines):
    step = processing("Evaluate", pipelines.role, ["true"])
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = get("Parameters.Count")

    status, steps = pipelines.run(
        step, parameters=[{"Name": "Count", "Type": "String", "DefaultValue": "one"}]
    )

    assert status == "Failed"
    assert "InstanceCount" in steps["Evaluate"]["FailureReason"]


def test_a_property_that_the_report_lacks_fails_the_step_that_reads_it(pipelines):
    read = json_get("Evaluate", "Report", "metrics.auc")

    _, steps = pipelines.run(
        write_report(pipelines, pipelines.create_bucket(), "accept"),
        condition("Decide", [compare("GreaterThan", read, 0.5)]),
    )

    assert steps["Decide"]["FailureReason"] == "ClientError: There is no metrics.auc"


def test_a_property_file_that_was_not_written_fails_the_step_that_reads_it(pipelines):
    bucket = pipelines.create_bucket()
    step = processing("Evaluate", pipelines.role, ["true"], f"s3://{bucket}/reports", PropertyFiles=FILES)

    _, steps = pipelines.run(step, fail("Tell", json_get("Evaluate", "Report", "decision")))

    assert f"Cannot read s3://{bucket}/reports/report.json" in steps["Tell"]["FailureReason"]


def test_stopping_stops_the_job(pipelines):
    step = processing("Evaluate", pipelines.role, ["python3", "-c", "import time; time.sleep(600)"])
    execution = pipelines.start(pipelines.create(step, fail("After", DependsOn=["Evaluate"])))
    wait_until(lambda: pipelines.steps(execution).get("Evaluate", {}).get("Metadata"))

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    status = pipelines.finish(execution)
    evaluate = pipelines.steps(execution)["Evaluate"]
    job = evaluate["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]

    assert status == "Stopped"
    assert evaluate["StepStatus"] == "Stopped"
    described = pipelines.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert described["ProcessingJobStatus"] == "Stopped"


class Service:
    """SageMaker, answering a step's calls as it is told; the step runs in the test's own thread."""

    def __init__(self, pipelines, policies):
        self.client = boto3.client(
            "sagemaker", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.stubber = Stubber(self.client)
        step = processing("Evaluate", pipelines.role, ["true"], RetryPolicies=policies)
        text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
        moment, caller = resources.now(), {}
        pipeline = state.Pipeline(
            "p", "arn", "p", None, pipelines.role, [], None, moment, moment, caller, caller,
            [state.Version(1, parse(text), moment)],
        )  # fmt: skip
        execution = state.Execution(
            "0123456789ab", "arn", pipeline, pipeline.latest, pipelines.role, "123456789012", "eu-west-1",
            "e", None, None, {}, moment, caller, caller, clients={"sagemaker": self.client},
        )  # fmt: skip
        self.run = state.StepRun("Evaluate", moment)
        self.context = Context(execution, pipeline.latest.definition.steps["Evaluate"], self.run)

    def refuses(self, code, status=400):
        self.stubber.add_client_error("create_processing_job", code, "no", http_status_code=status)

    def ends(self, **job):
        arn = "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/j"
        self.stubber.add_response("create_processing_job", {"ProcessingJobArn": arn})
        described = {
            "ProcessingJobName": "j",
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            "AppSpecification": {"ImageUri": "i"},
            "ProcessingJobArn": arn,
            "CreationTime": 0,
        }
        self.stubber.add_response("describe_processing_job", described | job, {"ProcessingJobName": ANY})

    def step(self):
        with self.stubber:
            try:
                return runner.run(self.context)
            finally:
                self.stubber.assert_no_pending_responses()


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "1000")


LIMIT = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 1, "BackoffRate": 1.0}


def test_a_retry_policy_brings_a_refused_job_through(pipelines, fast):
    service = Service(pipelines, [LIMIT | {"MaxAttempts": 3}])
    service.refuses("ResourceLimitExceeded")
    service.refuses("ResourceLimitExceeded")
    service.ends(ProcessingJobStatus="Completed")

    properties = service.step()

    assert properties["ProcessingJobStatus"] == "Completed"
    assert service.run.attempts == 3


def test_a_retry_policy_ends(pipelines, fast):
    service = Service(pipelines, [LIMIT | {"MaxAttempts": 1}])
    service.refuses("ResourceLimitExceeded")
    service.refuses("ResourceLimitExceeded")

    with pytest.raises(StepFailed, match="Failed to invoke sagemaker:CreateProcessingJob"):
        service.step()

    assert service.run.attempts == 2


def test_without_a_policy_a_quota_fails_the_step_at_once(pipelines, fast):
    service = Service(pipelines, [])
    service.refuses("ResourceLimitExceeded")

    with pytest.raises(StepFailed) as failure:
        service.step()

    assert failure.value.reason.endswith(
        "No retry policy configured for the exception type SAGEMAKER_RESOURCE_LIMIT."
    )


@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("InternalFailure", 500)])
def test_the_service_retries_throttling_and_faults_by_itself(pipelines, fast, code, status):
    service = Service(pipelines, [])
    service.refuses(code, status)
    service.ends(ProcessingJobStatus="Completed")

    service.step()

    assert service.run.attempts == 2


def test_a_job_that_fails_inside_the_service_is_run_again(pipelines, fast):
    service = Service(pipelines, [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2}])
    service.ends(ProcessingJobStatus="Failed", FailureReason="InternalServerError: We encountered an error")
    service.ends(ProcessingJobStatus="Completed")

    service.step()

    assert service.run.attempts == 2


def test_a_script_that_fails_is_not_run_again(pipelines, fast):
    service = Service(pipelines, [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2}])
    service.ends(ProcessingJobStatus="Failed", FailureReason="AlgorithmError: , exit code: 3")

    with pytest.raises(StepFailed, match=r"^ClientError: AlgorithmError: , exit code: 3$"):
        service.step()


def test_waits_between_retries_grow_and_are_shortened(monkeypatch):
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "10")
    times = {"IntervalSeconds": 5, "BackoffRate": 2.0, "MaxAttempts": 3}
    policy = RetryPolicy(ExceptionType=["Step.THROTTLING"], **times)
    waits = retries.Retries([policy], elapsed=lambda: 0)

    assert [waits.wait_before_next("Step.THROTTLING") for _ in range(4)] == [0.5, 1.0, 2.0, None]


def test_retries_end_with_their_time(monkeypatch):
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "60")
    elapsed = iter([0.5, 1.5])
    policy = RetryPolicy(ExceptionType=["SageMaker.CAPACITY_ERROR"], ExpireAfterMin=1)
    waits = retries.Retries([policy], elapsed=lambda: next(elapsed))

    assert waits.wait_before_next("SageMaker.CAPACITY_ERROR") == pytest.approx(1 / 60)
    assert waits.wait_before_next("SageMaker.CAPACITY_ERROR") is None


def test_job_names_stay_within_the_services_limit():
    name = runner.job_name("0123456789ab", "A_very_long_name-of-a-step-that-goes-on-and-on-and-on")

    assert len(name) <= 63
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
