from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3


def test_administrator_is_who_the_environment_says(local_aws):
    identity = local_aws.client("sts").get_caller_identity()

    assert identity["Arn"] == f"arn:aws:iam::{local_aws.account}:user/administrator"


def test_a_second_account_has_resources_of_its_own(local_aws):
    local_aws.client("sqs").create_queue(QueueName="core-server-first")

    queues = local_aws.client("sqs", "222222222222").list_queues(QueueNamePrefix="core-server")

    assert queues.get("QueueUrls", []) == []


def test_up_announces_serves_and_leaves_nothing_running(tmp_path):
    ready = tmp_path / "ready"
    started = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "local",
        "up",
        "--directory",
        str(tmp_path / "state"),
        "--ready-file",
        str(ready),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
    try:
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() - started < 30
            time.sleep(0.02)
        exports = dict(re.findall(r"^export (\w+)=(\S+)$", ready.read_text(), re.M))
        sts = boto3.client(
            "sts",
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            region_name=exports["AWS_REGION"],
        )
        account = sts.get_caller_identity()["Account"]
        os.kill(process.pid, signal.SIGINT)
        printed, _ = process.communicate(timeout=15)
    finally:
        process.kill()

    assert account == "123456789012"
    assert exports["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert process.returncode == 0
    assert all(f"export {name}={value}" in printed for name, value in exports.items())
    assert not ready.exists()
