"""Every role in a life whose bucket, volumes and outputs are encrypted: what it calls is what doctor simulates.

The same life without a key is that of each demo, and of a generated project's own tests.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from automl_gitops.doctor import calls
from automl_gitops.doctor.calls import Call
from automl_gitops.kernel.config import Config
from support.environment import unsigned_environment
from support.project import PROJECT


def kind(call: Call) -> tuple[str, str, str]:
    """A call without what depends on table and model: conditions, and an object's name behind its first folder."""
    return call.role, call.action, re.sub(r"(:s3:::[^/]+/[^/]+/).*", r"\1", call.resource)


@pytest.mark.slow
def test_every_role_may_do_its_part_with_a_key_and_doctor_knows_each_call(tmp_path):
    record = tmp_path / "calls.jsonl"
    kept = unsigned_environment()

    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("record_calls.py"), tmp_path],
        cwd=PROJECT,
        env=kept | {"LOCAL_AWS_RECORD": str(record), "LOCAL_AWS_TIME_SCALE": "60"},
        capture_output=True,
        text=True,
        timeout=1200,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    config = Config.load(PROJECT / "automl.toml")
    grouping = json.loads((tmp_path / "grouping.json").read_text())
    assert config.dataset.group == ["patient_nbr"]
    assert grouping["channels"] == ["training", "validation"]
    assert grouping["evaluation"] == {"groups": grouping["groups"], "columns": ["patient_nbr"]}
    assert grouping["groups"] > 100
    assert grouping["y_test"] == [config.dataset.target, "group"]
    made = calls.recorded(record.read_text("utf-8").splitlines(), config.project.name)
    known = {(call.role, call.action) for call in [*calls.load(), *calls.load(hosting=True)]}
    used = {(call.role, call.action) for call in made if call.action.startswith("kms:")}
    assert used == {(role, action) for role, action in known if action.startswith("kms:")}
    assert {("PlanRole", "kms:Decrypt"), ("TeardownRole", "kms:Decrypt")} <= used
    assert {kind(call) for call in made} <= {
        kind(call) for call in [*calls.load(), *calls.load(hosting=True)]
    }, "a role calls something new: `make calls`"
