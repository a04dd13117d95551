"""Every table with every problem type and objective: it suits, and can be trained, or is refused with a way out.

What is refused is refused before anything is made: no AWS is in reach of the check.
"""

import re
import time
from pathlib import Path

import pytest
from strangers.owner import command, demo, files_of, installed, project_of, rehearse, thrifty
from strangers.scoring import Stored, recomputed
from strangers.tables import TABLES, Stranger

OBJECTIVES = {
    "binary": ("Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall"),
    "multiclass": ("Accuracy", "BalancedAccuracy", "F1macro", "PrecisionMacro", "RecallMacro"),
    "regression": ("MAE", "MSE", "R2", "RMSE"),
}
# What a person can type: a key with its value, a command, or the name of a problem type.
WAY_OUT = re.compile(
    r'problem_type = "\w+"|use \w+(Classification|Regression)|another \[dataset\] target|correct the row'
)
TRAINING_SECONDS = 10
# With the demos of the tables, the workflows' stories and the project's own life: each objective once.
TRAINED = (
    ("houses", "binary", "Accuracy"),
    ("houses", "binary", "Precision"),
    ("houses", "binary", "Recall"),
    ("flaws", "multiclass", "RecallMacro"),
    ("digits", "regression", "MAE"),
    ("diamonds", "regression", "MSE"),
)
ELSEWHERE = {
    # tests/workflows/test_story.py and test_stranger_story.py
    ("flaws", "binary", "BalancedAccuracy"),
    ("penguins", "multiclass", "PrecisionMacro"),
    # the project's own tests, with a table of its own, for each problem type
    ("", "regression", "R2"),
}


def project_for(template: Path, folder: Path, table: Stranger, problem_type: str, objective: str) -> Path:
    """The project of a combination; what the table's owner wrote holds for any problem type."""
    project = project_of(template, folder, table, problem_type, objective)
    thrifty(project)
    return project


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_problem_type_and_objective_suits_or_is_refused_with_a_way_out(
    template, tmp_path, record_property, table
):
    data, seconds, suits, refused = table.write(tmp_path), [], 0, 0
    for problem_type, objectives in OBJECTIVES.items():
        for objective in objectives:
            project = project_for(template, tmp_path, table, problem_type, objective)
            before, started = files_of(project), time.monotonic()

            ended = command(project, "data", "check", data)

            seconds.append(time.monotonic() - started)
            case, said = f"{table.name}, {problem_type}, {objective}", ended.stdout + ended.stderr
            assert files_of(project) == before, case
            if problem_type in table.fits:
                assert ended.returncode == 0, f"{case}: {said}"
                suits += 1
            else:
                assert ended.returncode == 2, f"{case}: {said}"
                assert "Traceback" not in said, case
                assert table.target in said, f"{case}: {said}"
                assert WAY_OUT.search(" ".join(said.split())), f"{case}: {said}"
                refused += 1
    record_property(
        "figures", f"{table.name}: {suits} suit, {refused} are refused; the slowest took {max(seconds):.1f} s"
    )


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


@pytest.mark.parametrize(("name", "problem_type", "objective"), TRAINED)
def test_the_smallest_budget_trains_for_each_objective(
    template, tmp_path, record_property, name, problem_type, objective
):
    table = TABLES[name]
    project = project_for(template, tmp_path, table, problem_type, objective)
    installed(project)

    lived = rehearse(project, table.write(tmp_path), seconds=TRAINING_SECONDS)

    stored = Stored(lived.stored)
    assert lived.summary["pipeline"]["status"] == "Succeeded"
    assert lived.summary["staging"]["outcome"] == "verified"
    found = stored.evaluation["objective"]
    again = recomputed(stored)[found["metric"]]
    assert found["name"] == objective
    assert found["value"] == pytest.approx(again, rel=1e-9, abs=1e-10)
    record_property("figures", f"{name}: {objective} of a {problem_type} model {found['value']:.4f}")


def test_each_objective_is_trained_and_each_table_is():
    of_demos = {(table.name, table.problem_type, table.objective) for table in TABLES.values()}
    trained = {*TRAINED, *ELSEWHERE, *of_demos}

    assert {(problem_type, objective) for _, problem_type, objective in trained} == {
        (problem_type, objective) for problem_type, found in OBJECTIVES.items() for objective in found
    }
    assert {name for name, _, _ in trained if name} == set(TABLES)
