"""Processing jobs run the given program with inputs, outputs, environment and the role's rights."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jobs_kit import BUCKET, TRUST, Site, policy

from local_sagemaker.storage import Storage
from support.waiting import wait_until

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/anything:1"
LOGS = "/aws/sagemaker/ProcessingJobs"


def create(site: Site, script: str, arguments: list[str] | None = None, **members: Any) -> str:
    name = site.name("processing")
    code = site.put(f"{name}/code/main.py", script)
    inputs = members.pop("ProcessingInputs", [])
    request: dict[str, Any] = {
        "ProcessingJobName": name,
        "RoleArn": site.role,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/main.py"],
            **({"ContainerArguments": arguments} if arguments else {}),
        },
        "ProcessingInputs": [
            source("code", code.rsplit("/", 1)[0], "/opt/ml/processing/input/code"),
            *inputs,
        ],
        "ProcessingOutputConfig": {"Outputs": [output(name)]},
    }
    site.sagemaker.create_processing_job(**request | members)
    return name


def source(name: str, uri: str, path: str, **more: Any) -> dict[str, Any]:
    given = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "S3Input": given}


def output(name: str) -> dict[str, Any]:
    s3 = {
        "S3Uri": f"s3://{BUCKET}/{name}/output",
        "LocalPath": "/opt/ml/processing/output",
        "S3UploadMode": "EndOfJob",
    }
    return {"OutputName": "result", "S3Output": s3}


def ended(site: Site, name: str) -> dict[str, Any]:
    return wait_until(
        lambda: site.sagemaker.describe_processing_job(ProcessingJobName=name),
        lambda job: job["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"),
    )


def test_program_reads_inputs_and_its_outputs_are_uploaded(site: Site) -> None:
    script = """
import os, pathlib, sys
argument, path = sys.argv[1:]
folder = pathlib.Path(path)
(folder / "deep").mkdir()
found = sorted(p.name + ":" + p.read_text() for p in pathlib.Path(os.environ["DATA"]).iterdir())
(folder / "deep" / "found.txt").write_text(argument + "|" + "|".join(found))
print("all done")
"""
    site.put("input-a/one.txt", "1")
    site.put("input-a/two.txt.gz", gzip.compress(b"2"))
    data = source(
        "data", f"s3://{BUCKET}/input-a/", "/opt/ml/processing/input/data", S3CompressionType="Gzip"
    )

    name = create(
        site,
        script,
        ["plain", "/opt/ml/processing/output"],
        ProcessingInputs=[data],
        Environment={"DATA": "/opt/ml/processing/input/data"},
    )
    job = ended(site, name)

    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["AppSpecification"]["ImageUri"] == IMAGE
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    found = site.get(f"s3://{BUCKET}/{name}/output/deep/found.txt")
    assert found == b"plain|one.txt:1|two.txt:2"
    assert "all done" in site.logged(LOGS, name)


def test_program_acts_with_the_rights_of_the_role_alone(site: Site) -> None:
    script = f"""
import boto3
s3 = boto3.client("s3")
s3.put_object(Bucket="{BUCKET}", Key="by-the-job", Body=b"x")
try:
    s3.create_bucket(Bucket="not-allowed-here")
except s3.exceptions.ClientError as error:
    print("refused:", error.response["Error"]["Code"])
"""

    name = create(site, script)
    job = ended(site, name)

    assert job["ProcessingJobStatus"] == "Completed", job
    assert site.get(f"s3://{BUCKET}/by-the-job") == b"x"
    assert "refused: AccessDenied" in site.logged(LOGS, name)


def test_output_is_encrypted_with_the_key(site: Site) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]
    script = "import pathlib, sys; pathlib.Path(sys.argv[1], 'result').write_text('x')"
    name = site.name("encrypted")

    create(
        site,
        script,
        ["/opt/ml/processing/output"],
        ProcessingJobName=name,
        ProcessingOutputConfig={"Outputs": [output(name)], "KmsKeyId": key},
    )
    ended(site, name)

    found = site.client("s3").head_object(Bucket=BUCKET, Key=f"{name}/output/result")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)


def test_job_whose_volume_has_a_key_takes_the_right_to_grant_its_use(site: Site) -> None:
    key = site.client("kms").create_key()["KeyMetadata"]["Arn"]
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5, "VolumeKmsKeyId": key}
    denying = {"Effect": "Deny", "Action": "kms:CreateGrant", "Resource": "*"}
    iam, role = site.client("iam"), site.role.rpartition("/")[2]
    iam.put_role_policy(RoleName=role, PolicyName="no-grants", PolicyDocument=policy(denying))
    try:
        name = create(site, "pass", ProcessingResources={"ClusterConfig": cluster})
        job = ended(site, name)
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="no-grants")

    assert job["ProcessingJobStatus"] == "Failed"
    assert f"not authorized to perform: kms:CreateGrant on resource: {key}" in job["FailureReason"]


def test_failure_has_exit_code_message_and_log(site: Site) -> None:
    script = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
path.write_text("the rows do not match")
pathlib.Path(sys.argv[2], "half").write_text("half")
sys.exit("to the log")
"""

    name = create(site, script, ["/opt/ml/output/message", "/opt/ml/processing/output"])
    job = ended(site, name)

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["ExitMessage"] == "the rows do not match"
    assert job["FailureReason"] == "AlgorithmError: the rows do not match, exit code: 1"
    assert "to the log" in site.logged(LOGS, name)
    assert site.keys(f"s3://{BUCKET}/{name}/output") == []


def test_failure_without_a_message_names_the_exit_code(site: Site) -> None:
    name = create(site, "raise SystemExit(7)")

    assert ended(site, name)["FailureReason"] == "AlgorithmError: , exit code: 7"


def test_missing_input_fails_the_job_and_names_it(site: Site) -> None:
    missing = source("data", f"s3://{BUCKET}/nowhere/", "/opt/ml/processing/input/data")

    job = ended(site, create(site, "", ProcessingInputs=[missing]))

    assert job["ProcessingJobStatus"] == "Failed"
    assert f'No S3 objects found under S3 URL "s3://{BUCKET}/nowhere/"' in job["FailureReason"]


def test_role_that_may_not_read_the_input_fails_the_job(site: Site) -> None:
    iam = site.client("iam")
    role = iam.create_role(RoleName=site.name("Nothing"), AssumeRolePolicyDocument=policy(TRUST))["Role"][
        "Arn"
    ]

    job = ended(site, create(site, "", RoleArn=role))

    assert job["ProcessingJobStatus"] == "Failed"
    assert "AccessDenied" in job["FailureReason"]


def test_manifest_names_the_files(site: Site) -> None:
    site.put("listed/a", "A")
    site.put("listed/b", "B")
    manifest = site.put("manifest.json", json.dumps([{"prefix": f"s3://{BUCKET}/listed/"}, "b"]))
    script = """
import pathlib, sys
names = [p.name for p in pathlib.Path(sys.argv[1]).iterdir()]
pathlib.Path(sys.argv[2], "names").write_text(",".join(names))
"""
    data = source("data", manifest, "/opt/ml/processing/input/data", S3DataType="ManifestFile")

    name = create(
        site,
        script,
        ["/opt/ml/processing/input/data", "/opt/ml/processing/output"],
        ProcessingInputs=[data],
    )
    ended(site, name)

    assert site.get(f"s3://{BUCKET}/{name}/output/names") == b"b"


def test_stopped_job_ends_with_its_children(site: Site) -> None:
    script = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
for part in ("child ", str(child.pid), "\\n"):  # as a long line is written: in parts
    print(part, end="", flush=True)
    time.sleep(0.2)
time.sleep(600)
"""
    name = create(site, script)
    log = wait_until(
        lambda: site.logged(LOGS, name) if _has_log(site, name) else "", lambda text: "child" in text
    )
    pid = int(log.split()[1])

    site.sagemaker.stop_processing_job(ProcessingJobName=name)
    job = ended(site, name)

    assert job["ProcessingJobStatus"] == "Stopped"
    wait_until(lambda: not _runs(pid))  # the kernel has the signal, and takes its time to act on it
    with pytest.raises(ClientError, match="in status Stopped"):
        site.sagemaker.stop_processing_job(ProcessingJobName=name)


def _has_log(site: Site, name: str) -> bool:
    logs = site.client("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=LOGS)["logGroups"]
    return bool(groups) and bool(
        logs.describe_log_streams(logGroupName=LOGS, logStreamNamePrefix=name)["logStreams"]
    )


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_job_that_takes_too_long_is_ended(site: Site) -> None:
    name = create(site, "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})

    job = ended(site, name)

    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds, 1 seconds" in job["FailureReason"]


def test_name_is_used_once(site: Site) -> None:
    name = create(site, "")

    with pytest.raises(ClientError) as refused:
        create(site, "", ProcessingJobName=name)

    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


@pytest.mark.parametrize("path", ["/etc", "/opt/ml/processing/../../etc", "/opt/ml/processing-of-others"])
def test_path_outside_of_the_job_is_refused(site: Site, path: str) -> None:
    uri = f"s3://{BUCKET}/any"
    result = output("any")
    result["S3Output"]["LocalPath"] = path

    with pytest.raises(ClientError, match="must be under /opt/ml/processing"):
        create(site, "", ProcessingInputs=[source("data", uri, path)])
    with pytest.raises(ClientError, match="must be under /opt/ml/processing"):
        create(site, "", ProcessingOutputConfig={"Outputs": [result]})


def test_role_that_does_not_trust_sagemaker_is_refused(site: Site) -> None:
    trust = TRUST | {"Principal": {"Service": "lambda.amazonaws.com"}}
    name = site.name("Lambda")
    role = site.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"][
        "Arn"
    ]

    with pytest.raises(ClientError, match="Could not assume role"):
        create(site, "", RoleArn=role)


def test_list_filters_by_name_and_status(site: Site) -> None:
    name = create(site, "")
    ended(site, name)

    listed = site.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Completed")
    failed = site.sagemaker.list_processing_jobs(NameContains=name, StatusEquals="Failed")

    assert [job["ProcessingJobName"] for job in listed["ProcessingJobSummaries"]] == [name]
    assert failed["ProcessingJobSummaries"] == []


def test_list_has_the_oldest_first_where_nothing_is_said(site: Site) -> None:
    stem = site.name("ordered")
    names = [f"{stem}-{letter}" for letter in "ba"]
    for name in names:
        create(site, "", ProcessingJobName=name)
        ended(site, name)

    listed = site.sagemaker.list_processing_jobs(NameContains=stem)["ProcessingJobSummaries"]
    by_name = site.sagemaker.list_processing_jobs(NameContains=stem, SortBy="Name")["ProcessingJobSummaries"]

    assert [job["ProcessingJobName"] for job in listed] == names
    assert [job["ProcessingJobName"] for job in by_name] == names[::-1]


def test_job_that_does_not_exist(site: Site) -> None:
    with pytest.raises(ClientError, match="Could not find requested job"):
        site.sagemaker.describe_processing_job(ProcessingJobName="no-such-job")


def test_program_finds_the_variables_that_a_container_has_and_no_configuration_of_this_machine(
    site: Site,
) -> None:
    script = """
import json, os, pathlib
found = {"names": sorted(os.environ), "home": os.environ["HOME"]}
found["region"] = os.environ.get("AWS_DEFAULT_REGION")
(pathlib.Path(os.environ["OUTPUT"]) / "found.json").write_text(json.dumps(found))
"""
    output = {"OUTPUT": "/opt/ml/processing/output"}
    name = create(site, script, Environment=output | {"AWS_DEFAULT_REGION": "eu-north-1"})
    plain = create(site, script, Environment=output)

    assert ended(site, name)["ProcessingJobStatus"] == "Completed"
    assert ended(site, plain)["ProcessingJobStatus"] == "Completed"
    found = json.loads(site.get(f"{name}/output/found.json"))
    bare = json.loads(site.get(f"{plain}/output/found.json"))

    assert found["region"] == "eu-north-1"
    assert bare["home"] != str(Path.home())
    assert {variable for variable in bare["names"] if variable.startswith("AWS_")} == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
    }


@pytest.mark.parametrize("data_type", ["S3Prefix", "ManifestFile"])
def test_a_key_that_leads_out_of_the_input_is_not_downloaded(
    site: Site, tmp_path: Path, data_type: str
) -> None:
    prefix = f"s3://{BUCKET}/{site.name('keys')}"
    up = "../" * 20 + str(tmp_path).lstrip(
        "/"
    )  # to the root of this machine, and from there to a known place
    Storage(site.aws.environment).write(f"{prefix}/{up}/stolen", b"x")
    uri = prefix
    if data_type == "ManifestFile":
        uri = site.put(
            f"{site.name('manifest')}.json", json.dumps([{"prefix": f"{prefix}/"}, f"{up}/stolen"])
        )
    data = source("data", uri, "/opt/ml/processing/input/data", S3DataType=data_type)

    job = ended(site, create(site, "", ProcessingInputs=[data]))

    assert job["ProcessingJobStatus"] == "Failed"
    assert f"ClientError: {prefix}/{up}/stolen cannot be downloaded: " in job["FailureReason"]
    assert list(tmp_path.iterdir()) == []


def test_keys_with_empty_parts_are_below_the_input(site: Site, tmp_path: Path) -> None:
    prefix = f"s3://{BUCKET}/{site.name('keys')}"
    Storage(site.aws.environment).write(f"{prefix}/{tmp_path}/a//b", b"x")  # a slash after the slash
    script = "import pathlib, sys; print([str(p) for p in pathlib.Path(sys.argv[1]).rglob('b')])"
    folder = "/opt/ml/processing/input/data"

    name = create(site, script, [folder], ProcessingInputs=[source("data", prefix, folder)])

    assert ended(site, name)["ProcessingJobStatus"] == "Completed"
    assert f"input/data{tmp_path}/a/b" in site.logged(LOGS, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../out", "..", "/tmp/out", "a/b"])
def test_a_job_whose_name_would_be_a_path_is_refused(site: Site, name: str) -> None:
    with pytest.raises(ClientError, match="at 'processingJobName' failed to satisfy constraint"):
        create(site, "", ProcessingJobName=name)
    with pytest.raises(ClientError, match="at 'autoMLJobName' failed to satisfy constraint"):
        site.create_automl(AutoMLJobName=name)
