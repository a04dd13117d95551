"""A sample of the pairs of a call and a fault; `make test-faults` tries all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import faults_walk
import pytest
from faults_results import Results, summary
from faults_walk import Outcome, Pair

from support.environment import unsigned_environment

HERE = Path(__file__).resolve().parent
PAIR = Pair("stage 1", "AWS", "sagemaker:CreateModel", 1, "cut after", lasts=True)

OTHER = Pair("stage 1", "AWS", "sagemaker:CreateEndpoint", 1, "cut after", lasts=True)


def test_a_life_whose_calls_fail_ends_where_it_would_have_ended(tmp_path):
    """In a process of its own, which forks, and whose local AWS trains nothing."""
    environment = unsigned_environment()
    sample = ("1/30", "--only", "data push")

    done = subprocess.run(
        [sys.executable, HERE / "run_faults.py", *sample],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
    )

    found = json.loads((tmp_path / "build" / "faults.json").read_text())
    assert found["not_converged"] == [], done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["pairs"] >= 1, done.stdout


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        (["model a"], ["model a"], ([], [], [])),
        (["model a"], ["model a", "model a"], (["model a"], [], [])),
        (["model a"], ["model a", "endpoint b"], ([], ["endpoint b"], [])),
        (["model a", "object c"], ["model a"], ([], [], ["object c"])),
    ],
)
def test_what_is_there_twice_or_besides_and_what_is_missing_is_told(expected, found, difference):
    assert faults_walk._difference(expected, found) == difference


def test_the_summary_counts_the_pairs_whose_fault_met_its_call():
    outcomes = {
        str(PAIR): Outcome(struck=True, statuses=[1, 0], duplicates=["model a"]),
        "of a call that was made": Outcome(struck=True, statuses=[0]),
        "of a call that was not made": Outcome(struck=False, statuses=[0]),
    }

    found = summary({"stage 1": 20, "run": 10}, outcomes)

    assert {name: found[name] for name in ("calls", "pairs", "converged", "duplicates", "orphans")} == {
        "calls": 30, "pairs": 2, "converged": 1, "duplicates": 1, "orphans": 0,
    }  # fmt: skip
    assert found["not_converged"][0]["pair"] == (
        "stage 1: AWS sagemaker:CreateModel, call 1, cut after at each attempt"
    )


def test_another_run_goes_on_where_one_stopped(tmp_path):
    first = Results(tmp_path, "1-of-2")
    first.keep(PAIR, Outcome(struck=True))
    first.keep(OTHER, Outcome(struck=True, lost=["model a"]))
    first.write({"stage 1": 20})

    second = Results(tmp_path, "1-of-1")
    before = (second.converged(PAIR), second.converged(OTHER))
    second.keep(OTHER, Outcome(struck=True))
    found = second.write({"run": 10})

    assert before == (True, False)
    assert (found["calls"], found["pairs"], found["not_converged"]) == (30, 2, [])
    assert (first.failed, second.failed) == (True, False)
