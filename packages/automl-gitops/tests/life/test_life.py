"""The project's whole life on the local AWS: real commands and training, a small data set, a budget of seconds."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from small_tables import ROWS, table

from automl_gitops.doctor import calls
from automl_gitops.doctor.calls import Call
from automl_gitops.kernel.config import Config
from support.environment import unsigned_environment
from support.project import PROJECT


def files_of(project: Path) -> dict[str, bytes]:
    """The project's own files and their content."""
    passing = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache"}
    return {
        str(path): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and not passing & set(path.relative_to(project).parts)
    }


def kind(call: Call) -> tuple[str, str, str]:
    """A call without what depends on table and model: conditions, and an object's name behind its first folder."""
    return call.role, call.action, re.sub(r"(:s3:::[^/]+/[^/]+/).*", r"\1", call.resource)


@pytest.mark.life
def test_a_model_goes_all_the_way_from_a_table_to_an_answering_endpoint(tmp_path):
    config = Config.load(PROJECT / "automl.toml")
    problem_type, target = config.autopilot.problem_type, config.dataset.target
    data = tmp_path / "table.csv"
    frame = table(problem_type, target)
    frame.to_csv(data, index=False)

    before = files_of(PROJECT)

    ended = subprocess.run(
        [
            *(sys.executable, "-m", "automl_gitops", "rehearse"),
            *("--data", data),
            *("--output", tmp_path / "out"),
            *("--training-seconds", "20"),
        ],
        cwd=PROJECT,
        env=unsigned_environment() | {"LOCAL_AWS_RECORD": str(tmp_path / "calls.jsonl")},
        capture_output=True,
        text=True,
        timeout=1200,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert files_of(PROJECT) == before, "a rehearsal changes nothing in the project itself"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dataset"]["rows"] == ROWS
    assert summary["pipeline"]["status"] == "Succeeded"
    assert [(step["name"], step["status"]) for step in summary["pipeline"]["steps"]] == [
        (name, "Succeeded")
        for name in ("StartAutopilot", "WaitForAutopilot", "EvaluateModel", "AcceptModel", "RegisterModel")
    ]
    assert summary["autopilot"]["candidates"] >= 1
    assert f":model-package/{config.project.name}/1" in summary["model_package_arn"]
    assert summary["endpoint"]["status"] == "InService"
    assert len(summary["endpoint"]["predictions"]) >= 5
    if problem_type == "Regression":
        # The noise is a tenth of the target's spread: a model that learned anything explains more than half of it.
        assert summary["metrics"]["r2"] > 0.5
    else:
        labels = set(frame[target])
        assert {row["predicted_label"] for row in summary["endpoint"]["predictions"]} <= labels
        # Always naming the most frequent class scores this; a model that learned anything scores more.
        assert summary["metrics"]["accuracy"] > frame[target].value_counts(normalize=True).max()
    noted = (tmp_path / "calls.jsonl").read_text().splitlines()
    made = {kind(call) for call in calls.recorded(noted, config.project.name)}
    assert len(made) > 100
    assert made <= {kind(call) for call in calls.load()}, "a role calls something new: `make calls`"
