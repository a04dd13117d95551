"""What a rehearsal whose model was rejected, or that ended before its time otherwise, tells."""

from __future__ import annotations

import json
from pathlib import Path

import evaluations
import pytest
from making import automl_toml

from automl_evaluation.layout import ClassScores, Estimated, Evaluation
from automl_gitops.commands.main import main
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import RunError
from automl_gitops.kernel.settings.model import DecisionSettings
from automl_rehearsal.commands import CommandFailedError
from automl_rehearsal.life import Life
from automl_rehearsal.rejection import next_step

NAME = Config.parse(automl_toml()).project.name


def scores(label: str, predicted: int) -> ClassScores:
    nothing = Estimated(0.0, 0.0, 0.0)
    return ClassScores(label, 20, predicted, nothing, nothing, nothing)


def rejected(predicted: int, metric: str = "f1") -> Evaluation:
    return evaluations.document(
        metric=metric,
        objective_name="F1" if metric == "f1" else "AUC",
        metrics={"f1": 0.0, "auc": 0.8},
        decision="reject",
        reasons=["F1 0 is below 0.1"],
        positive_class="yes",
        classes=[scores("no", 100), scores("yes", predicted)],
    )


def told(evaluation: Evaluation, **decision: str) -> str:
    return next_step(evaluation, DecisionSettings(**decision), Path("/p"), Path("/r/report.html"))


def test_where_no_row_was_called_positive_the_threshold_is_named():
    said = told(rejected(0))

    assert said.startswith("Next: see /r/report.html")
    assert '/p/automl.toml, [decision] threshold = "validation" (with positive = "yes")' in said
    assert "[gate]" not in said


@pytest.mark.parametrize(
    ("evaluation", "decision"),
    [
        (rejected(3), {}),
        (rejected(0, "auc"), {}),
        (rejected(0), {"positive": "yes", "threshold": "validation"}),
    ],
    ids=["some were", "the AUC needs no threshold", "it is chosen already"],
)
def test_otherwise_what_the_gate_asks_for(evaluation, decision):
    said = told(evaluation, **decision)

    assert "/p/automl.toml under [gate]" in said
    assert "threshold" not in said


@pytest.fixture
def rehearse(tmp_path, monkeypatch, capsys):
    """`automl rehearse` in a project, beside the results of an earlier one, where the local AWS raises an error."""
    (tmp_path / "automl.toml").write_text(automl_toml())
    results = tmp_path / "results"
    results.mkdir()
    for name in ("summary.json", "report.html"):
        (results / name).write_text('{"project": "another"}')
    monkeypatch.chdir(tmp_path)

    def run(error: BaseException, evaluation: Evaluation | None = None):
        def enter(life: Life) -> None:
            life.title, life.rejected = "The step", evaluation
            raise error

        monkeypatch.setattr(Life, "__enter__", enter)
        status = main(["rehearse", "--output", str(results)])
        assert not (results / "report.html").exists()
        return status, json.loads((results / "summary.json").read_text()), capsys.readouterr()

    return run


def test_a_rejected_model_is_told_with_the_way_on(rehearse, tmp_path):
    status, summary, printed = rehearse(CommandFailedError("automl run", 1, 0, {}), rejected(0))

    assert status == 1
    assert (summary["outcome"], summary["project"], summary["step"]) == (
        "rejected",
        NAME,
        "The step",
    )
    assert "automl run" in summary["error"]
    last = printed.err.splitlines()[-1]
    assert last.startswith(f"Next: see {tmp_path}/results/report.html for the reasons.")
    assert "[decision] threshold" in last


def test_what_is_refused_leaves_the_results_of_an_earlier_one(rehearse, tmp_path):
    (tmp_path / "automl.toml").write_text(automl_toml().replace("[gate]", "[gates]"))

    assert main(["rehearse", "--output", str(tmp_path / "results")]) == 2

    assert {path.name for path in (tmp_path / "results").iterdir()} >= {"summary.json", "report.html"}


@pytest.mark.parametrize(
    ("error", "outcome", "ends"),
    [(RunError("it did not start"), "failed", 1), (KeyboardInterrupt(), "stopped", 130)],
)
def test_no_end_leaves_an_earlier_summary(rehearse, error, outcome, ends):
    status, summary, printed = rehearse(error)

    assert status == ends
    assert (summary["outcome"], summary["project"]) == (outcome, NAME)
    assert summary.get("error", "") == str(error)
    assert summary["seconds"]["total"] >= 0
    assert "Next:" not in printed.err
