from __future__ import annotations

import base64
import dataclasses
import json
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from core_kit import wait_until, zipped

from local_sagemaker.lambda_ import functions, pool
from local_sagemaker.lambda_.functions import Function

LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


@pytest.fixture
def deploy(account):
    """Create a function from source; returns its name."""

    def create(source, *statements, **more):
        name = more.pop("FunctionName", account.name("function"))
        account.client("lambda").create_function(
            FunctionName=name,
            **{
                "Runtime": "python3.14",
                "Handler": "code.handler",
                "Role": account.role(LOGS, *statements),
                "Code": {"ZipFile": zipped(code=source)},
                "Timeout": 10,
            }
            | more,
        )
        return name

    return create


@pytest.fixture
def call(account):
    def invoke(name, payload=None, **more):
        answer = account.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(payload or {}).encode(), **more
        )
        return answer, json.loads(answer["Payload"].read() or b"null")

    return invoke


def test_a_function_gets_its_event_and_context_and_nothing_of_the_server(deploy, call):
    name = deploy(
        """
        import os
        def handler(event, context):
            return {
                "event": event,
                "name": context.function_name,
                "left": context.get_remaining_time_in_millis(),
                "arn": context.invoked_function_arn,
                "mine": os.environ["MINE"],
                "all": sorted(os.environ),
            }
        """,
        Environment={"Variables": {"MINE": "yes"}},
    )

    answer, result = call(name, {"a": [1, "ü"]})

    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert result["event"] == {"a": [1, "ü"]}
    assert (result["name"], result["mine"]) == (name, "yes")
    assert result["arn"].endswith(f":function:{name}")
    assert 5_000 < result["left"] <= 10_000
    assert not [v for v in result["all"] if "PYTEST" in v or "PYTHONPATH" in v]


def test_a_function_acts_with_its_role_alone(deploy, call, account, allow):
    bucket = account.bucket(a="1", b="2")
    source = """
        import boto3
        def handler(event, context):
            found = boto3.client("s3").get_object(Bucket=event["bucket"], Key=event["key"])
            return found["Body"].read().decode()
        """
    name = deploy(source, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a"))

    _, allowed = call(name, {"bucket": bucket, "key": "a"})
    answer, refused = call(name, {"bucket": bucket, "key": "b"})

    assert allowed == "1"
    assert answer["FunctionError"] == "Unhandled"
    assert refused["errorType"] == "AccessDenied"
    assert f"/{name} is not authorized to perform: s3:GetObject" in refused["errorMessage"]


def test_an_exception_is_shaped_as_lambda_shapes_it(deploy, call):
    name = deploy(
        """
        def handler(event, context):
            raise ValueError("no such thing")
        """
    )

    answer, error = call(name, LogType="Tail")

    assert answer["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no such thing")
    assert "line 3, in handler" in error["stackTrace"][-1]
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "START RequestId" in log
    assert "[ERROR] ValueError: no such thing" in log


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import nowhere_to_be_found", "Runtime.ImportModuleError"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("other = 1", "Runtime.HandlerNotFound"),
        ("def handler(event, context): return object()", "Runtime.MarshalError"),
        ("import os\ndef handler(event, context): os._exit(7)", "Runtime.ExitError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_broken_functions(deploy, call, source, kind):
    name = deploy(source)

    answer, error = call(name)

    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == kind


def test_the_timeout_ends_a_function_and_the_next_invocation_works(deploy, call):
    name = deploy(
        """
        import time
        def handler(event, context):
            time.sleep(event["seconds"])
            return "done"
        """,
        Timeout=2,
    )

    started = time.monotonic()
    answer, error = call(name, {"seconds": 600})
    took = time.monotonic() - started
    _, result = call(name, {"seconds": 0})

    assert answer["FunctionError"] == "Unhandled"
    assert error["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 2.00 seconds" in error["errorMessage"]
    assert took < 60
    assert result == "done"


def test_a_warm_process_is_used_again_until_the_code_changes(deploy, call, account):
    source = """
        count = 0
        def handler(event, context):
            global count
            count += 1
            return VERSION, count
        """
    name = deploy("VERSION = 1" + source.replace("\n        ", "\n"))

    first, again = call(name)[1], call(name)[1]
    code = zipped(code="VERSION = 2" + source.replace("\n        ", "\n"))
    account.client("lambda").update_function_code(FunctionName=name, ZipFile=code)
    changed = call(name)[1]

    assert (first, again, changed) == ([1, 1], [1, 2], [2, 1])


def test_a_process_that_is_prepared_is_the_one_that_is_invoked(deploy, call, account, tmp_path):
    mark = tmp_path / "imported"
    name = deploy(
        f"""
        import os, pathlib
        print("while it was imported")
        pathlib.Path({str(mark)!r}).write_text(str(os.getpid()))
        def handler(event, context):
            return os.getpid()
        """
    )
    arn = account.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    pool.prepare(arn)
    before = wait_until(lambda: mark.exists() and mark.read_text())
    pool.prepare(arn)
    answer, invoked = call(name, LogType="Tail")

    assert invoked == call(name)[1] == int(before) == int(mark.read_text())
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith("while it was imported\nSTART RequestId")


def test_code_is_unpacked_for_invocations_that_come_at_once(account, monkeypatch):
    at_once = 8
    name, parts = account.name("function"), {f"part_{number}": "" for number in range(100)}
    function = account.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Handler="code.handler",
        Role=account.role(LOGS),
        Code={"ZipFile": zipped(**parts)},
    )
    _, _, _, region, account_id, *_ = function["FunctionArn"].split(":")
    together, extract = threading.Barrier(at_once, timeout=60), zipfile.ZipFile.extractall
    monkeypatch.setattr(zipfile.ZipFile, "extractall", lambda *given: (together.wait(), extract(*given)))

    with ThreadPoolExecutor(at_once) as invocations:
        found = list(invocations.map(lambda _: functions.find(account_id, region, name), range(at_once)))

    code = functions.task_root(found[0])
    assert {path.stem for path in code.iterdir()} == set(parts)
    assert list(code.parent.iterdir()) == [code]


def test_what_is_wrong_with_a_prepared_function_its_invocation_says(deploy, call, account):
    name = deploy("1 / 0")
    arn = account.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]

    for prepared in (arn, f"{arn}-that-is-none", "none"):
        pool.prepare(prepared)
    _, error = call(name)

    assert error["errorType"] == "ZeroDivisionError"


def test_code_comes_from_a_bucket(account, call):
    bucket, name = account.bucket(), account.name("function")
    source = "def handler(event, context): return 'from s3'"
    account.client("s3").put_object(Bucket=bucket, Key="code.zip", Body=zipped(code=source))
    account.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.14",
        Handler="code.handler",
        Role=account.role(LOGS),
        Code={"S3Bucket": bucket, "S3Key": "code.zip"},
    )

    assert call(name)[1] == "from s3"


def test_output_reaches_cloudwatch_logs(deploy, call, account):
    name = deploy(
        """
        import logging
        logging.getLogger().setLevel(logging.INFO)
        def handler(event, context):
            print("printed")
            logging.info("logged")
        """
    )
    logs = account.client("logs")
    call(name)

    def messages():
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [e["message"] for e in events]

    found = wait_until(messages)
    assert found[0].startswith("START RequestId")
    assert "printed" in found
    assert any(m.startswith("[INFO]") and m.endswith("logged") for m in found)
    assert found[-1].startswith("REPORT RequestId")


def test_who_may_not_invoke_does_not(deploy, account, allow):
    name = deploy("def handler(event, context): return 1")
    other = deploy("def handler(event, context): return 1")
    arn = f"arn:aws:lambda:eu-west-1:{account.id}:function:{name}"
    client = account.acting("lambda", allow("lambda:InvokeFunction", arn))

    assert client.invoke(FunctionName=arn)["StatusCode"] == 200
    with pytest.raises(ClientError, match="lambda:InvokeFunction on resource") as caught:
        client.invoke(FunctionName=other)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"


def test_refusals(deploy, account):
    client = account.client("lambda")
    stranger = account.role(
        trust={
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    )
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        deploy("def handler(event, context): return 1", Role=stranger)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="core-none")
    name = deploy("def handler(event, context): return 1")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName=name, Payload=b"{no json")
    for role in ("arn:aws:iam::123456789012:role/core-no-such", "no-arn"):
        code = {"ZipFile": zipped(code="")}
        with pytest.raises(client.exceptions.InvalidParameterValueException, match="cannot be assumed"):
            client.create_function(FunctionName=account.name("function"), Role=role, Code=code)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="InvocationType Event"):
        client.invoke(FunctionName=name, InvocationType="Event")


@pytest.mark.parametrize(
    "name", ["../../../../out", "..", "/tmp/out", "a/b", "a/../../b", "a\\b", "a\0b", "a" * 141, "."]
)
def test_a_name_that_is_no_name_is_refused(account, deploy, call, name):
    with pytest.raises(ClientError) as caught:
        deploy("def handler(event, context): return 1", FunctionName=name)

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert "at 'functionName' failed to satisfy constraint: Member must" in str(caught.value)
    names = [one["FunctionName"] for one in account.client("lambda").list_functions()["Functions"]]
    assert name not in names


@pytest.mark.parametrize(
    ("account_id", "region", "name"), [("1", "r", "../x"), ("..", "..", "x"), ("1", "..", "x")]
)
def test_no_function_has_a_folder_outside_of_the_local_awss(local_aws, account_id, region, name):
    members = dict.fromkeys((field.name for field in dataclasses.fields(Function)), "")
    function = Function(**members | {"account": account_id, "region": region, "name": name})

    with pytest.raises(ValueError, match="is no name of a file in a folder"):
        _ = function.directory
