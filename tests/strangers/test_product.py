"""Every table with every problem type and objective: it suits, and can be trained, or is refused with a way out.

What is refused is refused before anything is made: no AWS is in reach of the check.
"""

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from conftest import offline
from strangers import objectives
from strangers.objectives import TRAINED, ask_for
from strangers.owner import (
    MINUTES_OF_A_DEMO,
    UNREACHABLE,
    command,
    demo,
    files_of,
    installed,
    project_of,
    thrifty,
)
from strangers.scoring import Stored, recomputed
from strangers.tables import TABLES, Stranger

from automl_gitops.commands.main import main

OBJECTIVES = {
    "binary": ("Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall"),
    "multiclass": ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"),
    "regression": ("MAE", "MSE", "R2", "RMSE"),
}
# What a person can type: a key with its value, a command, or the name of a problem type.
WAY_OUT = re.compile(
    r'problem_type = "\w+"|use \w+(Classification|Regression)|another \[dataset\] target|correct the row'
)
ELSEWHERE = {
    # tests/workflows/test_story.py and test_long_training.py
    ("flaws", "binary", "BalancedAccuracy"),
    ("penguins", "multiclass", "PrecisionMacro"),
}


def project_for(template: Path, folder: Path, table: Stranger, problem_type: str, objective: str) -> Path:
    """The project of a combination; what the table's owner wrote holds for any problem type."""
    project = project_of(template, folder, table, problem_type, objective)
    thrifty(project)
    return project


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_problem_type_and_objective_suits_or_is_refused_with_a_way_out(
    template, warmed, tmp_path, record_property, monkeypatch, capfd, table
):
    """The answers' objective by a process of its own; the others in this one, after a change of automl.toml."""
    commands = warmed.prefix(f"check-{table.name}") / "bin"
    data, seconds, suits, refused = table.write(tmp_path), [], 0, 0
    for problem_type, (first, *others) in OBJECTIVES.items():
        project = project_for(template, tmp_path, table, problem_type, first)
        before = files_of(project)
        ended = command(commands / "automl", project, "data", "check", data)
        told = [(first, ended.returncode, ended.stdout + ended.stderr)]
        assert files_of(project) == before, problem_type
        for objective in others:
            ask_for(project, table, problem_type, objective)
            before, started = files_of(project), time.monotonic()
            status = checked(project, data, monkeypatch)
            seconds.append(time.monotonic() - started)
            told.append((objective, status, "".join(capfd.readouterr())))
            assert files_of(project) == before, objective
        for objective, status, said in told:
            case = f"{table.name}, {problem_type}, {objective}: {said}"
            if problem_type in table.fits:
                assert status == 0, case
                suits += 1
            else:
                assert status == 2, case
                assert "Traceback" not in said, case
                assert table.target in said, case
                assert WAY_OUT.search(" ".join(said.split())), case
                refused += 1
    record_property(
        "figures", f"{table.name}: {suits} suit, {refused} are refused; the slowest took {max(seconds):.1f} s"
    )


def checked(project: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """What `command` runs for `automl data check`, in this process; returns its exit status."""
    with monkeypatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "GITHUB_"))]:
            patch.delenv(name)
        for name, value in UNREACHABLE.items():
            patch.setenv(name, value)
        patch.chdir(project)
        return main(["data", "check", str(data)])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_make_demo_refuses_what_does_not_suit_before_it_makes_anything(template, tmp_path, table):
    unfit = next((one for one in OBJECTIVES if one not in table.fits), None)
    if unfit is None:  # a column of 0 and 1 can be all three: then it is a target that the table lacks
        project = project_for(template, tmp_path, table, table.problem_type, table.objective)
        text = (project / "automl.toml").read_text()
        (project / "automl.toml").write_text(text.replace(f'target = "{table.target}"', 'target = "nowhere"'))
    else:
        project = project_for(template, tmp_path, table, unfit, OBJECTIVES[unfit][0])
    installed(project)
    data, before = table.write(tmp_path), files_of(project)

    ended = demo(project, data, status=2)

    assert files_of(project) == before
    assert not (project / "build" / "demo" / "project").exists()
    assert "Traceback" not in ended.text
    assert "a local AWS answers" not in ended.text
    assert data.name in ended.text


@pytest.fixture(scope="module")
def trained(template, warmed, tmp_path_factory):
    """Where what S3 had of the trainings lies, and what came of each; all are of one process."""
    folder, (name, problem_type, objective) = tmp_path_factory.mktemp("trained"), TRAINED[0]
    project = project_for(template, folder, TABLES[name], problem_type, objective)
    commands = warmed.prefix("objectives", script=objectives.__file__) / "bin"
    ended = subprocess.run(
        [commands / "python", objectives.__file__, folder],
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=60 * MINUTES_OF_A_DEMO,
    )
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-12_000:]
    found = json.loads((folder / "trained.json").read_text())
    return folder / "stored", dict(zip(TRAINED, found, strict=True))


@pytest.mark.parametrize(("name", "problem_type", "objective"), TRAINED)
def test_the_smallest_budget_trains_for_each_objective(
    trained, record_property, name, problem_type, objective
):
    folder, found = trained[0], trained[1][name, problem_type, objective]
    stored = Stored(folder, found["execution"], found["dataset"])

    assert found["status"] == "Succeeded"
    assert found["staging"] == "verified"
    told = stored.evaluation["objective"]
    again = recomputed(stored)[told["metric"]]
    assert told["name"] == objective
    assert stored.evaluation["problem_type"] == objectives.PROBLEM_TYPES[problem_type]
    assert told["value"] == pytest.approx(again, rel=1e-9, abs=1e-10)
    record_property("figures", f"{name}: {objective} of a {problem_type} model {told['value']:.4f}")


def test_each_objective_is_trained_and_each_table_is():
    of_demos = {(table.name, table.problem_type, table.objective) for table in TABLES.values()}
    trained = {*TRAINED, *ELSEWHERE, *of_demos}

    assert {(problem_type, objective) for _, problem_type, objective in trained} == {
        (problem_type, objective) for problem_type, found in OBJECTIVES.items() for objective in found
    }
    assert {name for name, _, _ in trained} == set(TABLES)
