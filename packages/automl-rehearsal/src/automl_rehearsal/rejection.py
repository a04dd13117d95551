"""What somebody may do whose model the gate rejected in a rehearsal."""

from pathlib import Path

from automl_evaluation.layout import Evaluation
from automl_evaluation.metrics import OF_A_THRESHOLD
from automl_gitops.kernel.settings.model import DecisionSettings
from automl_gitops.kernel.words import quoted


def next_step(evaluation: Evaluation, decision: DecisionSettings, project: Path, report: Path) -> str:
    """Two sentences: where to read why, and what in the automl.toml of ``project`` may be changed.

    A model of a rare class may know well which rows are likelier than others, and call none of them positive, since no
    probability reaches a half: then it is the threshold that is wrong. ``decision`` is that of the project.
    """
    file, label = project / "automl.toml", evaluation.positive_class
    why = f"Next: see {report} for the reasons."
    if (
        label is not None
        and any(one.label == label and one.support and not one.predicted for one in evaluation.classes)
        and not decision.on_validation
        and evaluation.objective.metric in OF_A_THRESHOLD
    ):
        return (
            f"{why} No row was called {quoted(label)}, the positive class: in {file}, "
            f'[decision] threshold = "validation" (with positive = {quoted(label)}) lets the validation rows choose '
            "the probability from which one is; then type the same again."
        )
    return (
        f"{why} What a model has to reach stands in {file} under [gate]: change what asks too much, and type the same "
        "again."
    )
