"""Which of two classes counts as the positive one, as far as that is known before a training."""

from collections.abc import Iterable
from dataclasses import dataclass

from automl_evaluation import values
from automl_evaluation.metrics import BINARY, METRICS, OF_A_CLASS
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.model import INFER
from automl_gitops.kernel.words import quoted

SETTING = "[decision] positive in automl.toml"


@dataclass(frozen=True)
class PositiveClass:
    """Its label, and whether automl.toml names it; else it is the one that Autopilot takes."""

    label: str
    named: bool

    def __str__(self) -> str:
        """A sentence for whoever reads F1, precision or recall."""
        why = (
            f"which {SETTING} names"
            if self.named
            else f"by default the second label, as Autopilot takes it; {SETTING} may name the other"
        )
        return f"positive class: {quoted(self.label)}, {why}"


def of_classes(classes: Iterable[str], named: str | None) -> PositiveClass | None:
    """That of two ``classes``, of which automl.toml may have ``named`` one; `None` of more, or fewer. A name that is
    none of them names nothing.
    """
    labels = values.sorted_labels(classes)
    if len(labels) != 2:
        return None
    return PositiveClass(named, True) if named in labels else PositiveClass(labels[1], False)


def apart(metric: str | None, classes: Iterable[str], own: str | None) -> str | None:
    """What to know where Autopilot's ``metric`` of two ``classes`` stands beside one of the class ``own``; `None`
    where they are of the same class.
    """
    autopilots = of_classes(classes, None)
    if metric not in OF_A_CLASS or autopilots is None or own in (None, autopilots.label):
        return None
    return (
        f"Autopilot's own {METRICS[metric].label} (validation) is of {quoted(autopilots.label)}, the holdout's of "
        f"{quoted(own)}: they do not compare"
    )


def of_project(config: Config, classes: Iterable[str] | None) -> PositiveClass | None:
    """That of a project's data set; `None` where no problem of two classes is asked for."""
    if config.autopilot.problem_type not in (BINARY, INFER):
        return None
    return of_classes(classes or (), config.decision.positive)
