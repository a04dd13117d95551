"""The project's whole life on the local AWS: real commands, real training of a small table, a budget of seconds."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = 1000


def table(problem_type: str, target: str) -> list[dict[str, object]]:
    """Rows whose target follows from two columns, with noise."""
    chance = random.Random(7)
    rows = []
    for _ in range(ROWS):
        stays, age = chance.randrange(10), round(chance.gauss(60, 15), 1)
        row: dict[str, object] = {
            "stays": stays,
            "age": age,
            # automl.toml's slices may name such columns.
            "race_A": chance.randrange(2),
            "race_B": chance.randrange(2),
            "ward": chance.choice(["north", "south"]),
            # automl.toml's group may name such a column: rows of one are on one side.
            "patient_nbr": chance.randrange(ROWS),
        }
        score = stays + 0.05 * age + chance.gauss(0, 0.5)
        row[target] = {
            "Regression": round(score, 3),
            "BinaryClassification": "yes" if score > 9 else "no",
        }.get(problem_type, "<30" if score > 10 else ">30" if score > 6.5 else "no")
        rows.append(row)
    return rows


@pytest.mark.life
def test_from_a_table_to_a_release_that_is_taken_back(config, tmp_path: Path) -> None:
    problem_type, target = config.autopilot.problem_type, config.dataset.target
    rows = table(problem_type, target)
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)

    ended = subprocess.run(
        [
            *(Path(sys.executable).with_name("automl"), "rehearse"),
            *("--data", tmp_path / "table.csv"),
            *("--output", tmp_path / "out"),
            *("--training-seconds", "20"),
        ],
        capture_output=True,
        text=True,
        timeout=1200,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["dataset"]["rows"] == ROWS
    assert summary["pipeline"]["status"] == "Succeeded"
    assert {step["status"] for step in summary["pipeline"]["steps"]} == {"Succeeded"}
    assert f":model-package/{config.project.name}/1" in summary["model_package_arn"]
    assert summary["staging"]["outcome"] == "verified"
    assert summary["production"]["model_package_arn"] == summary["model_package_arn"]
    assert summary["broken_release"]["outcome"] == "rolled back"
    assert summary["rollback"]["returns_to"] == summary["model_package_arn"]
    assert summary["endpoint"]["status"] == "InService"
    assert len(summary["endpoint"]["predictions"]) >= 5
    if problem_type == "Regression":
        assert summary["metrics"]["r2"] > 0.5  # the noise is a tenth of the target's spread
    else:
        labels = [row[target] for row in rows]
        most_frequent = max(labels.count(label) for label in set(labels)) / ROWS
        assert summary["metrics"]["accuracy"] > most_frequent
