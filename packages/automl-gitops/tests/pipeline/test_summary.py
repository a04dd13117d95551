"""What a run's page says."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import evaluations
import pytest
from making import ACCOUNT, automl_toml

from automl_evaluation.layout import Champion, ClassScores, Difference, Estimated, Evaluation, Threshold
from automl_gitops.commands.main import main
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.markdown import render
from automl_gitops.kernel.names import Names, bucket_page, endpoint_page
from automl_gitops.runs.execution import AutopilotProgress, Execution, Step
from automl_gitops.runs.summary import RunSummary, cost_rows, page

BASE = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}"
PARAMETERS = {
    "EvaluationInstanceType": "ml.m5.xlarge",
    "EvaluationInstanceCount": "1",
    "TransformInstanceType": "ml.m5.large",
    "TransformInstanceCount": "3",
}


def markdown(facts: RunSummary) -> str:
    return render(page(facts))


def names(**changes: Any) -> Names:
    return Names(Config.parse(automl_toml(**changes)), ACCOUNT)


def execution(*, registered: bool = True, status: str = "Succeeded", reason: str | None = None) -> Execution:
    version = {"model_package_arn": f"{BASE}:model-package/hospital/4"} if registered else {}
    return Execution(
        arn=f"{BASE}:pipeline/hospital/execution/abcdefghijkl",
        name="c0ffee",
        status=status,
        failure_reason=None,
        seconds=7200,
        steps=[
            Step("WaitForAutopilot", "Succeeded", 3600),
            Step("EvaluateModel", "Succeeded", 1800, job="pipelines-abcdefghijkl-EvaluateModel-x"),
            Step("RegisterModel" if registered else "RejectModel", status, 1, reason, version),
        ],
        autopilot=AutopilotProgress("hospital-abcdefghijkl", "Completed", "Completed", 3600, 2),
        parameters=PARAMETERS,
    )


def evaluation(**changes: Any) -> Evaluation:
    candidates = [
        {"name": f"model-{number}", "status": "Completed", "value": 0.8, "seconds": 1.5, "metrics": {}}
        for number in range(12)
    ]
    job = {"name": "j", "arn": "a", "best_candidate": "model-0", "seconds": None, "candidates": candidates}
    return evaluations.document(
        **{
            "rows": 80,
            "metrics": {"f1_macro": 0.8, "accuracy": 0.9},
            "confusion": {"labels": ["<30", "no"], "rows": [[3, 1], [0, 4]]},
            "automl_job": job,
            **changes,
        }
    )


def test_a_registered_version_with_everything_about_it():
    text = markdown(RunSummary(execution(), evaluation(), names()))

    assert "version 4 is registered" in text
    assert "### Candidate\n" in text
    assert "| **F1 (macro)** | 0.8 |\n" in text
    assert "Nothing is in production to compare with." in text
    assert "| **&lt;30** | 3 | 1 |" in text
    assert "Leaderboard: 12 candidates" in text
    assert "2 more." in text
    assert "#/processing-jobs/pipelines-abcdefghijkl-EvaluateModel-x" in text
    assert text.count("<details>") == text.count("</details>")


def test_a_champion_is_compared_metric_by_metric():
    champion = Champion(
        evaluations.CHAMPION,
        "compared",
        "",
        metrics={"f1_macro": 0.7},
        differences={"f1_macro": Difference(0.1, 0.05, 0.15, "better")},
    )

    text = markdown(RunSummary(execution(), evaluation(champion=champion), names()))

    assert "### Candidate against champion\n" in text
    assert "| **F1 (macro)** | 0.8 | 0.7 | better |" in text


def test_the_threshold_by_which_figures_were_made_is_said():
    found = evaluation(positive_class="<30", threshold=Threshold(0.0769))

    text = markdown(RunSummary(execution(), found, names()))

    assert 'The positive class is "<30"' in html.unescape(text)
    assert "or else Autopilot's), from a probability of 0.0769 on." in html.unescape(text)


def test_a_champion_that_was_not_compared_says_why():
    champion = Champion(evaluations.CHAMPION, "columns_changed", "it cannot read ward")

    text = markdown(RunSummary(execution(), evaluation(champion=champion), names()))

    assert "The champion was not compared: it cannot read ward." in text


def test_a_rejected_model_begins_with_the_reasons():
    rejected = execution(registered=False, status="Failed", reason="The gate rejected the model: too low")

    text = markdown(
        RunSummary(rejected, evaluation(decision="reject", reasons=["F1macro is too low"]), names())
    )

    assert text.startswith("### Run abcdefghijkl: the gate rejected the model\n\n- F1macro is too low")
    assert "Staging and production stay as they are." in text


@pytest.mark.parametrize(("positive", "told"), [("ja", True), ("nein", False)])
def test_figures_of_different_classes_are_told_apart(positive: str, told: bool) -> None:
    classes = [ClassScores(label, 10, 10, *[Estimated(0.5, None, None)] * 3) for label in ("ja", "nein")]
    of_f1 = {"metric": "f1", "objective_name": "F1", "metrics": {"f1": 0.3}}
    found = evaluation(**of_f1, classes=classes, positive_class=positive)

    text = markdown(RunSummary(execution(), found, names()))

    said = 'Autopilot\'s own F1 (validation) is of "nein", the holdout\'s of "ja": they do not compare.'
    assert (said in text) == told


def test_a_run_that_came_to_no_evaluation_says_where_it_failed():
    text = markdown(RunSummary(execution(registered=False, status="Failed", reason="no rows"), None, names()))

    assert text.startswith("### Run abcdefghijkl: failed\n\nRejectModel: no rows")


def test_many_classes_are_not_a_table():
    many = [str(number) for number in range(30)]

    text = markdown(RunSummary(execution(), evaluation(confusion={"labels": many, "rows": []}), names()))

    assert "30 classes" in text


def test_a_run_without_instances_says_so():
    nothing = replace(execution(status="Failed"), autopilot=None, steps=[])

    section = markdown(RunSummary(nothing, None, names())).split("Cost so far")[1]

    assert section.split("\n\n")[1] == "No instances so far."
    assert "| instances |" not in section


@pytest.mark.parametrize(("compared", "hours"), [(False, 1.5), (True, 3.0)])
def test_the_cost_counts_every_instance(compared, hours):
    priced = names(prices={"ml.m5.large": 0.1, "ml.m5.xlarge": 0.2})
    champion = Champion(evaluations.CHAMPION, "compared", "") if compared else None

    rows = list(cost_rows(execution(), priced, evaluation(champion=champion)))

    assert [row[2] for row in rows] == [1.0, 0.5, hours]
    assert [row[3] for row in rows] == [None, pytest.approx(0.1), pytest.approx(0.1 * hours)]
    text = markdown(RunSummary(execution(), evaluation(), priced))
    assert "without what has no price" in text
    assert "1,460 instance-hours a month, 146.00 USD." in text


@pytest.mark.parametrize(
    ("region", "domain"), [("eu-west-1", "console.aws.amazon.com"), ("cn-north-1", "console.amazonaws.cn")]
)
def test_links_lead_to_the_region_s_console(region, domain):
    there = names(project={"region": region})

    assert endpoint_page(there, "hospital-staging").startswith(f"https://{region}.{domain}/sagemaker/home")
    assert "hospital-123456789012" in bucket_page(there, "evaluations/x/")


def test_without_an_execution_a_person_is_told_what_to_do(folder, monkeypatch, aws, capsys):
    monkeypatch.setattr("automl_gitops.commands.runs.of_commit", lambda *_: None)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    assert main(["summary"]) == 0
    by_hand = capsys.readouterr().out
    page = folder / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    assert main(["summary"]) == 0

    assert "start one with `automl run`" in " ".join(by_hand.split())
    assert "the steps before it say why" in page.read_text()
