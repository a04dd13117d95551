"""The report of an evaluation, as one HTML page and as Markdown for GitHub."""

from automl_gitops.evaluation.layout import Evaluation
from automl_gitops.report import columns, decision, forms, origin, performance
from automl_gitops.report.blocks import Report
from automl_gitops.report.source import Provenance
from automl_gitops.report.words import shown

__all__ = ["Provenance", "build", "html", "markdown"]

_ID_LENGTH = len("-abcdefghijkl")  # of an execution, at the end of the Autopilot job's name
_PROBLEMS = {
    "BinaryClassification": "binary classification",
    "MulticlassClassification": "multiclass classification",
    "Regression": "regression",
}


def html(evaluation: Evaluation, provenance: Provenance | None = None) -> str:
    """A self-contained page of evaluation.json; ``provenance`` is what that does not know itself."""
    return forms.as_html(build(evaluation, provenance or Provenance()))


def markdown(
    evaluation: Evaluation, provenance: Provenance | None = None, *, limit: int = forms.LIMIT
) -> str:
    """The same in Markdown, at most ``limit`` characters: the last sections are left out where it is too long."""
    return forms.as_markdown(build(evaluation, provenance or Provenance()), limit)


def build(evaluation: Evaluation, provenance: Provenance) -> Report:
    """The report's blocks, the same for the same evaluation. In every text each character can be seen: the charts'
    engine ends the process at some others.
    """
    evaluation, provenance = shown(evaluation), shown(provenance)
    job, data = evaluation.automl_job.name, evaluation.dataset
    accepted = evaluation.decision == "accept"
    notices = list(evaluation.notes)
    if data.synthetic:
        notices.insert(0, "The data are synthetic: nothing here says anything about real cases.")
    sections = [
        decision.gate_section(evaluation),
        decision.comparison_section(evaluation),
        performance.errors_section(evaluation),
        performance.curves_section(evaluation),
        columns.slices_section(evaluation),
        columns.importance_section(evaluation),
        origin.findings_section(provenance),
        origin.leaderboard_section(evaluation),
        origin.dataset_section(evaluation),
        origin.provenance_section(evaluation, provenance),
    ]
    problem = _PROBLEMS.get(evaluation.problem_type, evaluation.problem_type)
    return Report(
        title=job[:-_ID_LENGTH],
        subtitle=f"Evaluation of {job[1 - _ID_LENGTH :]}: {problem} of {data.target} from {data.name}",
        accepted=accepted,
        verdict=decision.verdict(evaluation),
        reasons=[] if accepted else list(evaluation.reasons),
        figures=list(decision.figures(evaluation)),
        notices=[
            f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}" for note in notices if note
        ],
        sections=[section for section in sections if section],
    )
