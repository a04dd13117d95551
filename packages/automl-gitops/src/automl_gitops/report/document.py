"""From evaluation.json to the report's blocks."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.report.blocks import Report
from automl_gitops.report.sections import (
    comparison,
    curves,
    dataset,
    decision,
    errors,
    importance,
    leaderboard,
    provenance,
    slices,
)
from automl_gitops.report.source import Provenance

_ID_LENGTH = len("-abcdefghijkl")  # of an execution, at the end of the Autopilot job's name
_PROBLEMS = {
    "BinaryClassification": "binary classification",
    "MulticlassClassification": "multiclass classification",
    "Regression": "regression",
}


def build(evaluation: Mapping[str, Any], origin: Provenance) -> Report:
    """The report, the same for the same evaluation. ``origin`` is what the evaluation does not know itself."""
    job, data = evaluation["automl_job"]["name"], evaluation["dataset"]
    accepted = evaluation["decision"] == "accept"
    notices = list(evaluation["notes"])
    if data["synthetic"]:
        notices.insert(0, "The data are synthetic: nothing here says anything about real cases.")
    sections = [
        decision.section(evaluation),
        comparison.section(evaluation),
        errors.section(evaluation),
        curves.section(evaluation),
        slices.section(evaluation),
        importance.section(evaluation),
        leaderboard.section(evaluation),
        dataset.section(evaluation),
        provenance.section(evaluation, origin),
    ]
    problem = _PROBLEMS.get(evaluation["problem_type"], evaluation["problem_type"])
    return Report(
        title=job[:-_ID_LENGTH],
        subtitle=f"Evaluation of {job[1 - _ID_LENGTH :]}: {problem} of {data['target']} from {data['name']}",
        accepted=accepted,
        verdict=decision.verdict(evaluation),
        reasons=[] if accepted else list(evaluation["reasons"]),
        figures=list(decision.figures(evaluation)),
        notices=[
            f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}" for note in notices if note
        ],
        sections=[section for section in sections if section],
    )
