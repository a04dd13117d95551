"""The examples of README.md do what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from core_kit import wait_until

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SDK, TRAINING, TEST, TOKENS, FAULTS = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)
BIN = Path(sys.executable).parent


def environment() -> dict[str, str]:
    """This process's, without an AWS in it, with the commands of its Python."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def run(*command: str | Path, folder: Path) -> str:
    ended = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_a_model_is_trained_and_served(tmp_path):
    (tmp_path / "example.py").write_text(TRAINING)

    printed = run(sys.executable, "example.py", folder=tmp_path)

    assert [line.split(",")[0] for line in printed.split()] == ["long", "short"]


def test_tests_use_the_fixture(tmp_path):
    (tmp_path / "test_example.py").write_text(f"{TEST}\n\n{TOKENS}\n\n{FAULTS}")

    assert "3 passed" in run(sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, folder=tmp_path)


@pytest.mark.slow
def test_the_command_line_and_the_sdk_start_pipelines(tmp_path):
    blocks = re.findall(r"^```console\n(.*?)^```$", README, re.M | re.S)
    up, *rest = blocks[2:]
    assert up.startswith("local-sagemaker up --ready-file local.env")
    assert shutil.which("aws", path=environment()["PATH"])
    server = subprocess.Popen(
        up.split(), cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, executable=BIN / up.split()[0]
    )
    try:
        wait_until((tmp_path / "local.env").exists)
        commands = "".join(rest[:2])
        printed = run("bash", "-ec", commands, folder=tmp_path)
        (tmp_path / "example.py").write_text(SDK)
        by_sdk = run("bash", "-ec", ". ./local.env; python example.py", folder=tmp_path)
    finally:
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 0

    identity, *_, last = re.findall(r"^\{.*?^\}", printed, re.M | re.S)
    assert json.loads(identity)["Arn"] == "arn:aws:iam::123456789012:user/administrator"
    (step,) = json.loads(last)["PipelineExecutionSteps"]
    assert step["StepName"] == "Reject"
    assert "Reject" in by_sdk
    assert not (tmp_path / "local.env").exists()


def test_every_option_of_up_is_described():
    described = set(re.findall(r"^\| `(--[\w-]+)", README, re.M))

    assert described == set(
        re.findall(r"^  (--[\w-]+)", run(BIN / "local-sagemaker", "up", "--help", folder=Path()), re.M)
    )
