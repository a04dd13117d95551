from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path

import pytest
from core_kit import policy, refused, wait_until, zipped

from local_sagemaker import actors
from local_sagemaker.__main__ import main


def test_administrator_is_who_the_environment_says(local_aws):
    identity = local_aws.client("sts").get_caller_identity()

    assert identity["Arn"] == f"arn:aws:iam::{local_aws.account}:user/administrator"


def test_a_second_account_has_resources_of_its_own(local_aws):
    local_aws.client("sqs").create_queue(QueueName="core-server-first")

    queues = local_aws.client("sqs", "222222222222").list_queues(QueueNamePrefix="core-server")

    assert queues.get("QueueUrls", []) == []


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2] if Path("/proc").exists() else True


@pytest.fixture
def up(tmp_path):
    """Start `local-sagemaker up`; returns the process, what it announces, and the file that says so."""
    started = []

    def start(*arguments):
        ready = tmp_path / "a folder that is not there yet" / "ready"
        command = [sys.executable, "-m", "local_sagemaker", "up", "--directory", str(tmp_path / "state")]
        command += ["--ready-file", str(ready), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        wait_until(lambda: ready.exists() or process.poll() is not None, 180)
        assert process.poll() is None
        return process, dict(re.findall(r"^export (\w+)=(\S+)$", ready.read_text(), re.M)), ready

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_announces_serves_and_leaves_nothing_running(up, number):
    process, exports, ready = up("--account", "111111111111", "--account", "222222222222")
    client = partial(actors.client_with, given=exports)
    identity = client("sts").get_caller_identity()
    other = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
    assumed = client("sts").assume_role(RoleArn=other, RoleSessionName="session")["AssumedRoleUser"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    code = zipped(code="import os\ndef handler(event, context): return os.getpid()")
    given = {"Runtime": "python3.14", "Handler": "code.handler", "Role": role, "Code": {"ZipFile": code}}
    client("lambda").create_function(FunctionName="function", **given)
    worker = json.loads(client("lambda").invoke(FunctionName="function")["Payload"].read())
    while_up = running(worker)

    os.kill(process.pid, number)
    printed, _ = process.communicate(timeout=120)

    assert identity["Arn"] == "arn:aws:iam::111111111111:user/administrator"
    assert assumed.startswith("arn:aws:sts::222222222222:assumed-role/")
    assert exports["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert len(exports["LOCAL_AWS_TOKEN_SECRET"]) == 64
    assert process.returncode == 0
    assert all(f"export {name}={value}" in printed for name, value in exports.items())
    assert not ready.exists()
    assert while_up
    assert not running(worker)


def test_a_function_ends_with_a_server_that_is_killed(up):
    process, exports, _ = up()
    client = partial(actors.client_with, given=exports)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    code = zipped(code="import os\ndef handler(event, context): return os.getpid()")
    given = {"Runtime": "python3.14", "Handler": "code.handler", "Role": role, "Code": {"ZipFile": code}}
    client("lambda").create_function(FunctionName="function", **given)
    worker = json.loads(client("lambda").invoke(FunctionName="function")["Payload"].read())

    process.kill()

    assert wait_until(lambda: not running(worker))


@pytest.fixture
def command_line():
    """`local-sagemaker` in this process, whose signals are its own again in the end."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield main
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_port_that_is_taken_is_told_in_one_sentence(local_aws, command_line, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    port = local_aws.url.rpartition(":")[2]

    status = command_line(["up", "--port", port])

    assert status == 2
    assert capsys.readouterr().err.startswith(f"--port {port}: Address already in use")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "lenient"), [([], False), (["--lenient"], True)])
def test_it_is_as_strict_as_aws_unless_it_is_told(command_line, monkeypatch, arguments, lenient):
    asked = []
    monkeypatch.setattr(
        "local_sagemaker.server.LocalAWS.start", lambda self: asked.append(self.lenient) or _stop()
    )

    assert command_line(["up", *arguments]) == 2
    assert asked == [lenient]


def _stop():
    raise ValueError("enough")


def test_a_directory_that_cannot_be_used_is_told_in_one_sentence(command_line, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()

    status = command_line(["up", "--directory", str(file)])

    assert status == 2
    assert capsys.readouterr().err == (
        f"--directory {file}: File exists; name a folder that can be written to\n"
    )


def test_a_ready_file_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    file = tmp_path / "file"
    file.touch()

    ended = subprocess.run(
        [sys.executable, "-m", "local_sagemaker", "up", "--ready-file", str(file / "ready")],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.returncode == 2
    assert ended.stderr == f"--ready-file {file / 'ready'}: File exists; name another\n"


def test_a_wrong_time_scale_is_told_in_one_sentence():
    # In a process of its own: here, threads of the other tests' local AWS read the variable too.
    scales = ["fast", "0", "-1", "nan", "inf"]
    script = """
import os, sys
from local_sagemaker.__main__ import main
for scale in sys.argv[1:]:
    os.environ["LOCAL_AWS_TIME_SCALE"] = scale
    print(main(["up"]))
"""

    ended = subprocess.run(
        [sys.executable, "-c", script, *scales],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert ended.stdout.split() == ["2"] * len(scales)
    assert ended.stderr.splitlines() == [
        f"LOCAL_AWS_TIME_SCALE = {scale} is not a positive number, such as 30" for scale in scales
    ]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--port", "70000", "0 to 65535"),
        ("--port", "http", "0 to 65535"),
        ("--account", "123", "12 digits"),
        ("--region", "eu-nowhere-1", "no region with SageMaker"),
    ],
)
def test_a_wrong_option_is_told_in_one_sentence(command_line, capsys, option, value, message):
    with pytest.raises(SystemExit) as caught:
        command_line(["up", option, value])

    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_only_this_machine_is_listened_to(local_aws):
    assert local_aws.url.startswith("http://127.0.0.1:")
    assert local_aws._server.server_address[0] == "127.0.0.1"


def test_motos_back_door_is_shut(local_aws):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{local_aws.url}/moto-api/reset", data=b"", timeout=60)

    assert caught.value.code == 404


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        (
            "cloudformation",
            "create_stack_set",
            {"StackSetName": "x"},
        ),  # moto has these two; its stacks are others
        ("cloudformation", "set_stack_policy", {"StackName": "x"}),
        ("cloudformation", "detect_stack_drift", {"StackName": "x"}),
        ("iam", "put_user_permissions_boundary", {"UserName": "x", "PermissionsBoundary": "x" * 20}),
        ("logs", "list_anomalies", {}),
    ],
)
def test_what_is_not_offered_is_refused_in_one_sentence(local_aws, service, operation, parameters):
    client = local_aws.client(service)
    name = client.meta.method_to_api_mapping[operation]

    code, message = refused(getattr(client, operation), **parameters)

    assert (code, message) == ("NotImplemented", f"the local AWS does not offer {service}:{name}")


# Shows what OpenMP's library read from its environment when the server process of the workers loaded it.
SHOW_OPENMP = """
import multiprocessing
from local_sagemaker import workers
if __name__ == "__main__":
    workers.warm_up()
    process = multiprocessing.get_context("forkserver").Process(target=int)
    process.start()
    process.join()
    workers.end()
"""


@pytest.mark.slow
def test_threads_of_a_training_do_not_spin_while_others_need_the_cores(tmp_path):
    script = tmp_path / "show.py"
    script.write_text(SHOW_OPENMP)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}

    shown = subprocess.run(
        [sys.executable, script],
        env=kept | {"OMP_DISPLAY_ENV": "TRUE"},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert shown.returncode == 0, shown.stderr
    assert re.findall(r"OMP_WAIT_POLICY\s*=\s*'(\w+)'", shown.stderr + shown.stdout)
    assert set(re.findall(r"OMP_WAIT_POLICY\s*=\s*'(\w+)'", shown.stderr + shown.stdout)) == {"PASSIVE"}


INTERRUPTED = """
import multiprocessing.forkserver, sys, tempfile, threading
from pathlib import Path
from local_sagemaker import LocalAWS, workers
tempfile.tempdir = sys.argv[1]
workers.warm_up()  # as a training would have it
server = multiprocessing.forkserver._forkserver._forkserver_pid
class Interrupted(LocalAWS):
    def administrator(self, account):
        raise KeyboardInterrupt
    def _serve(self):
        if sys.argv[2] == "serving":
            return super()._serve()
        raise KeyboardInterrupt
try:
    with Interrupted():
        raise SystemExit("it is running")
except KeyboardInterrupt:
    pass
assert not [thread for thread in threading.enumerate() if thread.name == "server"], threading.enumerate()
assert not list(Path(sys.argv[1]).glob("local-aws-*")), "its folder is there"
with LocalAWS() as aws:
    print(server, aws.client("sts").get_caller_identity()["Account"])
"""


@pytest.mark.parametrize("moment", ["before it serves", "serving"])
def test_a_start_that_is_interrupted_leaves_nothing(tmp_path, moment):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, tmp_path, moment], capture_output=True, text=True, timeout=180
    )

    assert ended.returncode == 0, ended.stderr
    server, account = ended.stdout.split()
    assert account == "123456789012"
    assert not running(int(server))
