"""What a rehearsal changes in its copy of the project, which rows it makes up, and what it reports."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from automl_gitops.commands.main import main
from automl_gitops.data import consistency
from automl_gitops.data.lock import Column, DatasetLock, Rows, Uris
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.logs import Tail
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_gitops.promotion.production_file import ProductionFile
from automl_gitops.runs.summary import Failure
from automl_rehearsal.commands import CommandFailedError, call
from automl_rehearsal.copy import ProjectCopy, adapt
from automl_rehearsal.data import sample
from automl_rehearsal.summary import _time, failed, succeeded, where_to_look

AUTOML = """
[project]
name = "hospital"
description = "Predict readmission"
region = "eu-west-1"
repository = "clinic/hospital"

[dataset]
target = "label"

[autopilot]
problem_type = "{problem}"

[gate]
{gate}

[encryption]
kms_key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
"""
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/hospital/3"
CLASSES = {"<30": 20, ">30": 300, "no": 680}


def lock(target: str = "text", classes: dict[str, int] | None = CLASSES) -> DatasetLock:
    return DatasetLock(
        name="patients",
        source="patients.csv",
        synthetic=False,
        sha256="ab" * 32,
        target="label",
        holdout=0.2,
        seed=42,
        rows=Rows(total=1000, train_validation=800, test=200),
        columns=[
            Column(name="age", type="integer"),
            Column(name="label", type=target),
            Column(name="weight", type="number"),
            Column(name="ward", type="text"),
        ],
        classes=classes,
        uris=Uris(train_validation="s3://b/t.csv", x_test="s3://b/x/", y_test="s3://b/y/"),
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a key of its own, a strict gate, and something in production."""
    gate = "minimum = 0.9\nworst_slice = 0.8\nminimums = { recall_macro = 0.9 }"
    (tmp_path / "automl.toml").write_text(AUTOML.format(problem="MulticlassClassification", gate=gate))
    ProductionFile(model_package_arn=ARN).save(tmp_path / "environments" / "production.toml")
    return tmp_path


def test_commands_can_commit_in_the_copy_whatever_git_is_told_on_the_machine(project, tmp_path, monkeypatch):
    settings = tmp_path / "gitconfig"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    settings.write_text(f"[user]\n\tuseConfigOnly = true\n[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))

    copy = ProjectCopy(project, tmp_path / "out" / "project")

    commit = ["git", "commit", "--quiet", "--allow-empty", "--message", "as `rollback` does"]
    subprocess.run(commit, cwd=copy.directory, check=True, capture_output=True)
    assert copy.commit("Another one")


def test_the_copy_is_without_results_of_an_earlier_rehearsal(project):
    for _ in range(2):
        copy = ProjectCopy(project, project / "results" / "project")
        (project / "results" / "summary.json").write_text("{}")

    found = {str(path.relative_to(copy.directory)) for path in copy.directory.iterdir()}
    assert found == {".git", "automl.toml", "environments"}


def test_data_that_is_not_there_is_said_before_anything_starts(project, monkeypatch, capsys):
    monkeypatch.chdir(project)

    status = main(["rehearse", "--data", "gone.csv"])

    assert status == 2
    assert "gone.csv" in capsys.readouterr().err
    assert not (project / "build").exists()


def test_git_that_is_missing_is_one_sentence(project, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")

    with pytest.raises(UserError, match="git is not installed"):
        ProjectCopy(project, tmp_path / "out" / "project")


def test_what_is_the_account_s_is_left_out(project):
    left_out = adapt(project, open_gate=False)

    config = Config.load(project / "automl.toml")
    assert config.encryption is None
    assert config.gate.minimum == 0.9
    assert config.verification.max_latency_p95_ms >= 60_000
    assert ProductionFile.load(project / "environments" / "production.toml").model_package_arn == ""
    assert [line.split(":")[0] for line in left_out] == ["[encryption]", "environments/production.toml"]


@pytest.mark.parametrize("made_up", [True, False])
def test_made_up_rows_keep_no_contract(project, made_up):
    (project / "contract.toml").write_text("[table]\nleast_rows = 50000\n")

    left_out = adapt(project, open_gate=made_up)

    assert (project / "contract.toml").exists() != made_up
    assert ("contract.toml: made-up rows keep no contract" in left_out) == made_up


def test_the_gate_keeps_its_conditions_for_made_up_rows_and_softens_their_bounds(project):
    gate = (
        "minimum = 0.9\nworst_slice = 0.8\nminimums = { recall_macro = 0.9, cohen_kappa = 0.5 }\n"
        "maximums = { log_loss = 0.2, brier = 0.1 }\nmaximum_calibration_error = 0.05\nconfidence = 0.9\n"
        "[evaluation]\nslices = ['ward']"
    )
    (project / "automl.toml").write_text(AUTOML.format(problem="MulticlassClassification", gate=gate))

    left_out = adapt(project, open_gate=True)

    found = Config.load(project / "automl.toml").gate
    assert (found.minimum, found.worst_slice) == (0, 0)
    assert found.minimums == {"recall_macro": 0, "cohen_kappa": -1}
    assert found.maximums == {"log_loss": 1e12, "brier": 2}
    assert (found.maximum_calibration_error, found.better_than_baseline) == (1, False)
    assert (found.not_worse_than_champion, found.confidence) == (True, 0.9)
    assert any(line.startswith("[gate]") for line in left_out)


@pytest.mark.parametrize(
    ("gate", "core"),
    [
        ("minimum = 0.9\nminimums = { f1 = 0.5 }", 'minimums has "f1"'),
        ("minimum = 0.9\nminimum_rows = 100000", "is more than the 10,000 rows of the holdout"),
        ("minimum = 0.9\nworst_slice = 0.1", "worst_slice = 0 has no slice to judge"),
    ],
)
def test_a_condition_that_could_never_be_judged_fails_in_the_rehearsal(project, gate, core):
    (project / "automl.toml").write_text(AUTOML.format(problem="MulticlassClassification", gate=gate))
    real = lock().model_copy(update={"rows": Rows(total=50_000, train_validation=40_000, test=10_000)})
    made_up = lock()
    real.save(project / "dataset.lock")

    adapt(project, open_gate=True, rows=1000)

    found = consistency.findings(Config.load(project / "automl.toml"), made_up)
    assert [one for one in found if core.replace("10,000", "200") in one.sentence]


def test_numbers_of_rows_are_asked_for_as_the_made_up_ones_are_fewer(project):
    gate = "minimum = 0.9\nminimum_rows = 5000\n[evaluation]\nslices = ['ward']\nminimum_slice_rows = 200"
    (project / "automl.toml").write_text(AUTOML.format(problem="MulticlassClassification", gate=gate))
    lock().model_copy(update={"rows": Rows(total=50_000, train_validation=40_000, test=10_000)}).save(
        project / "dataset.lock"
    )

    adapt(project, open_gate=True, rows=1000)

    found = Config.load(project / "automl.toml")
    assert (found.gate.minimum_rows, found.evaluation.minimum_slice_rows) == (100, 4)


def test_a_worst_slice_by_the_auc_is_left_to_the_real_rows(project):
    gate = "minimum = 0.9\nworst_slice = 0.8\n[evaluation]\nslices = ['ward']"
    text = AUTOML.format(problem="BinaryClassification", gate=gate)
    (project / "automl.toml").write_text(text.replace("[gate]", 'objective = "AUC"\n\n[gate]'))

    left_out = adapt(project, open_gate=True)

    assert Config.load(project / "automl.toml").gate.worst_slice is None
    assert any("worst_slice" in line for line in left_out)


@pytest.mark.parametrize(("objective", "opened"), [("RMSE", 1e12), ("R2", -1e12)])
def test_a_bound_without_an_end_is_opened_far(project, objective, opened):
    gate = "maximum = 3.0" if objective == "RMSE" else "minimum = 0.5"
    text = AUTOML.format(problem="Regression", gate=gate)
    (project / "automl.toml").write_text(text.replace("[gate]", f'objective = "{objective}"\n\n[gate]'))

    adapt(project, open_gate=True)

    assert Config.load(project / "automl.toml").gate.threshold == opened


def test_leniency_is_written_where_it_was_asked_for(project):
    adapt(project, open_gate=False)
    assert Config.load(project / "automl.toml").autopilot.least_rows == 500

    adapt(project, open_gate=False, lenient=True)
    assert Config.load(project / "automl.toml").autopilot.least_rows == 20


def test_how_fast_this_machine_is_decides_nothing(project):
    adapt(project, open_gate=False)

    config = Config.load(project / "automl.toml")
    assert config.verification.max_latency_p95_ms == config.production.alarms.max_latency_p95_ms == 60_000


def test_an_ordinary_project_loses_nothing(project):
    adapt(project, open_gate=False)

    assert adapt(project, open_gate=False) == []


def test_a_sample_keeps_rows_as_they_are(tmp_path):
    table = pd.DataFrame({"id": range(300), "code": [f"{number:05}" for number in range(300)]})
    table.to_csv(tmp_path / "table.csv", index=False)

    frame = pd.read_csv(
        sample(Table.open(tmp_path / "table.csv"), 100, tmp_path / "out", DatasetSettings(target="code")),
        dtype=str,
    )

    assert len(frame) == 100
    assert (frame["code"] == frame["id"].str.zfill(5)).all()


DOCUMENT = {
    "left_out": ["[gate]: a model of made-up rows cannot be judged"],
    "dataset": {"rows": 1000, "columns": 4, "synthetic": True},
    "pipeline": {"steps": [{"name": "StartAutopilot", "status": "Succeeded", "seconds": 1.0}]},
    "metrics": {"accuracy": 0.91234, "f1_macro": 0.8},
    "staging": {"outcome": "verified", "checks": {"answers csv": "passed"}},
    "seconds": {"total": 61.2},
}


def test_the_report_is_short_at_the_top():
    short, _, folded = succeeded(DOCUMENT).partition("<details>")

    assert "staging (verified)" in short
    assert "made-up (synthetic)" in short
    assert "Accuracy 0.9123" in short
    assert len(short.splitlines()) < 8
    assert "StartAutopilot" in folded
    assert "answers csv" in folded


def test_a_rehearsal_that_broke_off_says_where():
    error = CommandFailedError("automl upsert", 2, 0, {"error": "automl.toml: [gate] is missing"})

    text = failed({}, error, "The merge upserts")

    assert text.startswith("### Rehearsal :x:")
    assert "automl upsert" in text
    assert "automl.toml: &#91;gate&#93; is missing" in text
    assert "The step was: The merge upserts" in text


def test_a_rehearsal_whose_run_failed_shows_the_end_of_the_log():
    tail = Tail("processing job job-7", "/aws/sagemaker/ProcessingJobs", ("KeyError: 'x'", "```"))
    failure = Failure("EvaluateModel", "processing job job-7", "exit code: 1", (tail,))
    document = {
        "execution": {"failure_reason": "EvaluateModel: exit code: 1"},
        "failures": [failure.document()],
    }

    text = failed({}, CommandFailedError("automl run", 1, 0, json.loads(json.dumps(document))), "Run")

    assert "EvaluateModel: exit code: 1" in text.partition("<details>")[0]
    assert "````text\nKeyError: 'x'\n```\n````" in text


def test_a_command_that_fails_passes_its_reason_on(project):
    (project / "automl.toml").unlink()

    with pytest.raises(CommandFailedError, match=r"exit status 2 instead of 0: automl.toml: not found"):
        call(project, {}, "plan")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ({"total": 301.0, "setup": 0.9}, "301 s"),
        ({"total": 301.0, "setup": 95.2}, "301 s, of which 95 s to install"),
    ],
)
def test_an_installation_is_told_where_there_was_one(seconds, told):
    assert _time(**seconds) == told


def test_the_end_says_which_folder_is_the_project_and_which_the_copy(capsys, tmp_path):
    where_to_look(Output(), tmp_path / "movies", tmp_path)

    lines = capsys.readouterr().out.splitlines()
    assert f"  project  {tmp_path / 'movies'}, which this left as it was" in lines
    assert any(line.startswith(f"  copy     {tmp_path / 'project'}") for line in lines)
    assert any(str(tmp_path / "report.html") in line for line in lines)
