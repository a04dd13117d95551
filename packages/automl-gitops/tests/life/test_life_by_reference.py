"""Training on data that stays in another bucket: real commands with the roles' own rights, and a real training."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from by_reference import LAKE

from support.environment import unsigned_environment
from support.project import PROJECT


@pytest.mark.slow
def test_a_model_of_data_by_reference_is_registered_and_changed_data_is_noticed(tmp_path):
    kept = unsigned_environment()

    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("by_reference.py"), tmp_path],
        cwd=PROJECT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=900,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["approval"] == "PendingManualApproval"
    assert facts["trained_on"] == f"s3://{LAKE}/train/"
    assert facts["features"] == {
        "FeatureAttributeNames": ["stays", "age", "race_A", "race_B"],
        "FeatureDataTypes": {"stays": "categorical"},
    }
    assert (facts["weight"], facts["threshold"], facts["positive_class"]) == ("times", "0.4", "no")
    assert facts["algorithms"] == [{"AutoMLAlgorithms": ["lightgbm", "linear-learner"]}]
    assert {name.rstrip("_0123456789") for name in facts["candidates"]} == {
        "LightGBM",
        "LinearModel",
        "WeightedEnsemble_L",
    }
    assert facts["checks"]["decides as the evaluation"] == "passed"
    assert facts["stored"] == ["manifest.json", "x_test/part-00000.csv", "y_test/part-00000.csv"]
    assert "not counted in the 2 objects of" in (tmp_path / "report.html").read_text()
    assert facts["status_on_changed_data"] == 2
    assert f"the data at s3://{LAKE}/train/ has changed since (2 objects of" in ended.stderr
