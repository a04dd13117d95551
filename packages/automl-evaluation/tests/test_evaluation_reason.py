"""Whatever ends the evaluation leaves its reason where SageMaker looks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_files import lay_out

ARGUMENTS = {
    "automl-job-name": "job", "execution-id": "abcdefghijkl", "role-arn": "arn:aws:iam::123456789012:role/r",
    "bucket": "b", "x-test-uri": "s3://b/x/", "threshold": "0.5", "transform-instance-type": "ml.m5.large",
    "transform-instance-count": "1",
}  # fmt: skip
FAULTS = [
    pytest.param(
        "metrics.py", "raise KeyError('ward')", "KeyError: 'ward' (metrics.py, line 1)", id="import"
    ),
    pytest.param("gate.py", "def broken(:", "SyntaxError: invalid syntax (gate.py, line 1)", id="syntax"),
    pytest.param(
        "automl_evaluation/automl.py",
        "import no_such_module",
        "ModuleNotFoundError: No module named",
        id="module",
    ),
]


def evaluate(folder: Path, *, settings: str | None) -> tuple[subprocess.CompletedProcess[str], str]:
    if settings is not None:
        (folder / "settings.json").write_text(settings)
    given = {**ARGUMENTS, "output": str(folder / "out"), "message": str(folder / "message")}
    environment = {**os.environ, "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        environment.pop(name, None)
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    ended = subprocess.run(
        [sys.executable, "evaluate.py", *(part for name, value in given.items() for part in (f"--{name}", value))],
        cwd=folder, env={**environment, **files}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    message = folder / "message"
    return ended, message.read_text() if message.exists() else ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "code")


@pytest.mark.parametrize(("file", "fault", "reason"), FAULTS)
def test_a_module_that_cannot_be_imported_is_named(folder: Path, file: str, fault: str, reason: str) -> None:
    (folder / file).write_text(fault)

    ended, message = evaluate(folder, settings=None)

    assert ended.returncode == 1
    assert message.startswith(reason)
    assert "Traceback" in ended.stderr or "SyntaxError" in ended.stderr


def test_an_error_that_nobody_expects_has_its_type_and_place(folder: Path) -> None:
    ended, message = evaluate(folder, settings='{"project": "hospital", "unknown": 1}')

    assert ended.returncode == 1
    assert message.startswith("TypeError: ")
    assert "(settings.py, line " in message
    assert "Traceback" in ended.stderr


def test_an_error_that_is_expected_is_a_sentence(folder: Path) -> None:
    ended, message = evaluate(
        folder, settings='{"project": "h", "description": "d", "dataset": {}, "gate": {}}'
    )

    assert ended.returncode == 1
    assert message == "Unable to locate credentials"
    assert "Traceback" not in ended.stderr
