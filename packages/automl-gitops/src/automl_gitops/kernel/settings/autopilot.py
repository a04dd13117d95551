"""[autopilot]: the problem, the metric, the algorithm family and what training may cost."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from automl_gitops.evaluation.metrics import DEFAULT_OBJECTIVES, objectives
from automl_gitops.kernel import service
from automl_gitops.kernel.settings.base import Section
from automl_gitops.kernel.words import nearest

INFER = "infer"
# CreateAutoMLJobV2 wants that many to train on (API reference, AutoMLJobInputDataConfig).
LEAST_TRAINING_ROWS = 500


class Budget(Section):
    """What one Autopilot job may use; the service ends the job at the first limit that it reaches."""

    max_candidates: int = 10
    max_seconds_per_training_job: int = 1800
    max_seconds: int = 3600

    @field_validator("max_candidates", "max_seconds_per_training_job", "max_seconds")
    @classmethod
    def _within_the_services_limits(cls, value: int, info: ValidationInfo) -> int:
        shape = {
            "max_candidates": "MaxCandidates",
            "max_seconds_per_training_job": "MaxRuntimePerTrainingJobInSeconds",
            "max_seconds": "MaxAutoMLJobRuntimeInSeconds",
        }[str(info.field_name)]
        least, most = service.limits(shape)
        if least is not None and value < least:
            raise ValueError(f"is below Autopilot's least, {least}")
        if most is not None and value > most:
            raise ValueError(f"is above Autopilot's limit of {most}")
        return value


class Autopilot(Section):
    """Problem type (`infer` leaves it, and with it the objective, to Autopilot), objective metric, mode and
    budget.

    Data of fewer than `least_rows` rows to train on is refused, as the service does. Less than its 500 is of use on a
    lenient local AWS alone (`local-sagemaker up --lenient`).
    """

    problem_type: Literal["BinaryClassification", "MulticlassClassification", "Regression", "infer"] = Field(
        description="two classes, more of them, a quantity, or what Autopilot makes of the target"
    )
    objective: str | None = None
    mode: Literal["AUTO", "ENSEMBLING", "HYPERPARAMETER_TUNING"] = Field(
        default="ENSEMBLING",
        description="ENSEMBLING combines many kinds of models, HYPERPARAMETER_TUNING searches the settings of a few, "
        "AUTO is the one below 100 MB of data and the other from there on",
    )
    least_rows: int = Field(default=LEAST_TRAINING_ROWS, ge=20)
    budget: Budget = Field(default_factory=Budget)

    @field_validator("objective")
    @classmethod
    def _offered(cls, value: str | None, info: ValidationInfo) -> str | None:
        problem = info.data.get("problem_type")
        if value is None or problem is None:
            return value
        if problem == INFER:
            raise ValueError(
                'cannot be set while problem_type = "infer": remove it, or name the problem type'
            )
        offered = objectives(problem)
        if value not in offered:
            near = nearest(value, offered)
            raise ValueError(
                f"is not offered for {problem} ({', '.join(sorted(offered))})"
                + (f"; did you mean {near}?" if near else "")
            )
        return value

    @property
    def metric(self) -> str | None:
        """The objective, or the service's default for the problem type; `None` where Autopilot infers the
        problem.
        """
        if self.problem_type == INFER:
            return None
        return self.objective or DEFAULT_OBJECTIVES[self.problem_type]
