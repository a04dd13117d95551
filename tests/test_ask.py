"""`make project`: each question is asked again until its answer is taken, and nothing stands behind a refusal."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import bake
from test_answers import read


def ask(template: Path, output: Path, *lines: str | bytes) -> subprocess.CompletedProcess[bytes]:
    typed = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    command = [sys.executable, "-B", template / "hooks" / "ask.py", output]
    return subprocess.run(command, input=typed, capture_output=True, timeout=120)


def test_an_answer_that_is_refused_is_asked_for_again(template, tmp_path):
    (tmp_path / "taken").mkdir()
    lines = {
        "project": ["taken", "con", "  churn "],
        "target": ["a\u202eb", "left `at` | {x}"],
        "description": ["who {{ leaves", b"gr\xfcn", 'who "leaves" \\ 😀 {#'],
        "repository": ["churn", ""],
        "region": ["moon", "us-east-1"],
        "problem_type": ["Binry", "BinaryClassification"],
        "objective": ["RMSE", "auc"],
    }

    result = ask(template, tmp_path, *(line for typed in lines.values() for line in typed))

    shown = result.stdout.decode()
    assert (result.returncode, result.stderr) == (0, b""), shown
    assert shown.count(" is refused: ") == sum(len(typed) - 1 for typed in lines.values())
    assert [shown.count(f"[{number}/7]") for number in range(1, 8)] == [
        len(typed) for typed in lines.values()
    ]
    assert "churn is ready" in shown
    config = read(tmp_path / "churn")
    assert config["project"]["description"] == 'who "leaves" \\ 😀 {#'
    assert config["project"]["repository"] == "my-organisation/churn"
    assert config["dataset"]["target"] == "left `at` | {x}"
    assert config["autopilot"]["problem_type"] == "BinaryClassification"
    assert config["autopilot"]["objective"] == "AUC"


def test_the_project_is_the_one_that_cookiecutter_generates(template, tmp_path):
    asked = ask(template, tmp_path / "asked", "churn", "left", "Who leaves", "", "", "regression", "default")
    answers = {
        "project": "churn",
        "description": "Who leaves",
        "target": "left",
        "problem_type": "regression",
    }
    baked = bake(template, tmp_path / "baked", **answers)

    assert (asked.returncode, baked.returncode) == (0, 0)
    command = ["diff", "--recursive", tmp_path / "asked", tmp_path / "baked"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == ""


@pytest.mark.parametrize("lines", [[], ["churn", "Who leaves"]], ids=["at once", "in the middle"])
def test_leaving_off_writes_nothing(template, tmp_path, lines):
    result = ask(template, tmp_path, *lines)

    assert result.returncode != 0
    assert result.stderr.decode().split() == ["Nothing", "was", "written."]
    assert list(tmp_path.iterdir()) == []
