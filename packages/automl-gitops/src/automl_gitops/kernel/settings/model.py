"""[autopilot], [decision], [evaluation] and [gate]: how a model is trained, what is made of its probabilities, and how
it is judged.
"""

import ast
import math
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticKnownError

from automl_evaluation.layout import ON_VALIDATION
from automl_evaluation.metrics import DEFAULT_OBJECTIVES, METRICS, objectives
from automl_gitops.kernel import service
from automl_gitops.kernel.settings import ProcessingInstance, SettingsSection, TransformInstance
from automl_gitops.kernel.words import nearest

MEASURES_FILE = Path("evaluation/metrics.py")
_DECLARATIONS = {"lower_is_better": True, "higher_is_better": False}


def own_measures(file: Path = MEASURES_FILE) -> dict[str, bool]:
    """The measures' names, each with whether less of it is better; none where there is no such file.

    A file that is no Python declares nothing here: the evaluation says what is wrong with it.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    return {
        name: _DECLARATIONS[side]
        for statement in tree.body
        for name, function in _declarations(statement)
        if (side := ast.unparse(function).rpartition(".")[2]) in _DECLARATIONS
    }


def _declarations(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """What a statement names, with the functions that it is passed to: as a decorated function, or by a call."""
    if isinstance(statement, ast.FunctionDef):
        for decorator in statement.decorator_list:
            yield statement.name, decorator
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Call):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value.func


INFER = "infer"
# CreateAutoMLJobV2 wants that many to train on (API reference, AutoMLJobInputDataConfig).
LEAST_TRAINING_ROWS = 500


class Budget(SettingsSection):
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


# API reference, AutoMLAlgorithmConfig: the algorithms of each mode; AUTO takes no choice.
ALGORITHMS = {
    "ENSEMBLING": (
        "catboost", "extra-trees", "fastai", "lightgbm", "linear-learner", "nn-torch", "randomforest", "xgboost",
    ),
    "HYPERPARAMETER_TUNING": ("linear-learner", "mlp", "xgboost"),
}  # fmt: skip


class AutopilotSettings(SettingsSection):
    """Problem type (`infer` leaves it, and with it the objective, to Autopilot), objective metric, mode and
    budget.

    `algorithms` are those to try, all of the mode's where none is named. `types` says of a column what it is, where its
    values do not: digits that are no quantity are `categorical`.

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
    algorithms: list[str] = Field(default_factory=list)
    types: dict[str, Literal["numeric", "categorical", "text", "datetime", "sequence"]] = Field(
        default_factory=dict
    )
    budget: Budget = Field(default_factory=Budget)

    @model_validator(mode="after")
    def _of_the_mode(self) -> "AutopilotSettings":
        if self.algorithms and self.mode not in ALGORITHMS:
            raise ValueError(
                f'algorithms cannot be chosen with mode = "{self.mode}": remove them, or set mode to '
                f"{' or '.join(ALGORITHMS)}"
            )
        for number, name in enumerate(self.algorithms):
            offered = ALGORITHMS[self.mode]
            if name not in offered:
                near = nearest(name, offered)
                hint = f"did you mean {near}?" if near else f"it offers {', '.join(offered)}"
                raise ValueError(f'algorithms has "{name}", which {self.mode} does not offer: {hint}')
            if name in self.algorithms[:number]:
                raise ValueError(f'algorithms has "{name}" twice: once is enough')
        for column, kind in self.types.items():
            if kind == "sequence" and self.mode != "HYPERPARAMETER_TUNING":
                raise ValueError(
                    f'types has "sequence" for "{column}", which HYPERPARAMETER_TUNING alone knows: set that mode, or '
                    "use text"
                )
        return self

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


class CostSettings(SettingsSection):
    """What a wrong answer costs, in any unit: a negative row called positive, a positive one that was missed."""

    false_positive: float = Field(gt=0, allow_inf_nan=False)
    false_negative: float = Field(gt=0, allow_inf_nan=False)


def _threshold(value: object) -> object:
    if isinstance(value, str):
        if value != ON_VALIDATION:
            raise ValueError(f'is neither a probability, such as 0.3 without quotes, nor "{ON_VALIDATION}"')
    elif not isinstance(value, int | float) or isinstance(value, bool):
        raise PydanticKnownError("float_type")
    elif not value > 0:
        raise PydanticKnownError("greater_than", {"gt": 0.0})
    elif not value < 1:
        raise PydanticKnownError("less_than", {"lt": 1.0})
    return value


class DecisionSettings(SettingsSection):
    """Of two classes: which one is positive, and from which of its probabilities on a row is called so.

    Without `positive` it is the one that Autopilot takes; without `threshold` or `costs` the model's own label counts.
    With `threshold = "validation"` the validation rows choose it, by `costs` or else by the objective.
    """

    positive: str | None = Field(default=None, min_length=1)
    threshold: Annotated[float | Literal["validation"], BeforeValidator(_threshold)] | None = None
    costs: CostSettings | None = None

    @model_validator(mode="after")
    def _one_threshold_of_a_class(self) -> "DecisionSettings":
        if self.threshold not in (None, ON_VALIDATION) and self.costs:
            raise ValueError(
                "has both threshold and costs, from which one follows: remove one of the two, or let the costs choose "
                f'it: threshold = "{ON_VALIDATION}"'
            )
        given = "threshold" if self.threshold is not None else "costs"
        if (self.threshold or self.costs) and self.positive is None:
            raise ValueError(
                f'has {given} without positive: name the class whose probability it is about, positive = "..."'
            )
        return self

    @property
    def on_validation(self) -> bool:
        """Whether the validation rows choose the threshold."""
        return self.threshold == ON_VALIDATION

    @property
    def from_probability(self) -> float | None:
        """The threshold, given or from the costs; `None` where there is none, or validation rows choose it.

        Calling a row positive costs less on average from the probability FP / (FP + FN) on, if probabilities can be
        believed and right answers cost nothing (Elkan, The Foundations of Cost-Sensitive Learning, IJCAI 2001).
        """
        if isinstance(self.threshold, str):
            return None
        if self.costs:
            return self.costs.false_positive / (self.costs.false_positive + self.costs.false_negative)
        return self.threshold


# The keys that say on what the evaluation runs; the others say what it does, and travel with its code.
RESOURCES = {
    "container_version",
    "instance_type",
    "instance_count",
    "transform_instance_type",
    "transform_instance_count",
    "volume_size_gb",
}
MOST_BANDS = 20


def _image_version(value: str) -> str:
    if not re.fullmatch(r"\d+\.\d+-\d+(-py\d+)?", value):
        raise ValueError('is no version of the image, such as "1.9-0"')
    return value


def _bands(value: object) -> object:
    if isinstance(value, list) and all(_is_number(edge) for edge in value):
        if 1 <= len(value) < MOST_BANDS and all(a < b for a, b in pairwise(value)):
            return value
        raise ValueError(f"are edges that do not rise, or not 1 to {MOST_BANDS - 1} of them")
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("is neither a number of bands, such as 4, nor a list of edges, such as [30, 60]")
    if not 2 <= value <= MOST_BANDS:
        raise ValueError(f"is a number of bands outside 2 to {MOST_BANDS}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Bands = Annotated[int | list[float], BeforeValidator(_bands)]


class EvaluationSettings(SettingsSection):
    """Container, instances and slices of the evaluation.

    `slices` names input columns; `race_*` takes the 0/1 columns that one-hot encoding made of one. `bands`
    cuts a numeric column into that many bands of equal size, or at the given edges. Slices of fewer
    than `minimum_slice_rows` rows are shown, but not judged.
    """

    container_version: Annotated[str, AfterValidator(_image_version)] = "1.9-0"
    instance_type: ProcessingInstance = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=1)  # the metrics of one holdout are made in one place
    transform_instance_type: TransformInstance = "ml.m5.xlarge"
    transform_instance_count: int = Field(default=1, ge=1, le=100)
    max_seconds: int = Field(default=7200, ge=60, le=432_000)  # five days (API, ProcessingStoppingCondition)
    volume_size_gb: int = Field(default=30, ge=1, le=16384)  # holds x_test, y_test and the predictions
    slices: list[str] = Field(default_factory=list)
    bands: dict[str, Bands] = Field(default_factory=dict)
    minimum_slice_rows: int = Field(default=100, ge=1)

    @model_validator(mode="after")
    def _bands_of_slices(self) -> "EvaluationSettings":
        for column in self.bands:
            if column not in self.slices:
                raise ValueError(f'bands names "{column}", which is not among slices: add it there')
        return self

    def unknown_slices(self, columns: Iterable[str]) -> list[str]:
        """The entries of `slices` that match none of these columns."""
        known = list(columns)
        return [
            entry
            for entry in self.slices
            if entry not in known and not ("*" in entry and any(fnmatchcase(name, entry) for name in known))
        ]


# What minimums and maximums may name; the calibration error has a key of its own.
_MORE_IS_BETTER = tuple(sorted(name for name, metric in METRICS.items() if metric.direction == "maximize"))
_LESS_IS_BETTER = tuple(
    sorted(name for name, metric in METRICS.items() if metric.less_is_better and name != "calibration_error")
)
Number = Annotated[float, Field(allow_inf_nan=False)]


def _margin(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    if not number and not (isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?%", value)):
        raise ValueError('is neither a number from 0 on nor a share such as "5%"')
    return value


Margin = Annotated[float | str, BeforeValidator(_margin)]


class Gate(SettingsSection):
    """The conditions of the gate; each is judged by itself, and one that fails rejects the candidate.

    `minimum` or `maximum` bounds the objective metric, `minimums` and `maximums` bound other metrics by name.
    A difference to the baseline or to the champion counts where its whole interval at `confidence` does. The
    candidate may be worse than the champion by `champion_margin`, a number or a share of the champion's
    value; 0 asks for a better one. A champion that fails for a reason other than changed columns rejects
    unless `champion_failure` is "accept". `worst_slice` bounds the objective on every slice of [evaluation]
    slices that is not too small: none may be surely beyond it, for their number.
    """

    minimum: Number | None = None
    maximum: Number | None = None
    minimums: dict[str, Number] = Field(default_factory=dict)
    maximums: dict[str, Number] = Field(default_factory=dict)
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    minimum_rows: int = Field(default=30, ge=1)
    better_than_baseline: bool = True
    not_worse_than_champion: bool = True
    champion_margin: Margin = "5%"
    champion_failure: Literal["reject", "accept"] = "reject"
    worst_slice: Number | None = None
    maximum_calibration_error: float | None = Field(default=None, gt=0, le=1)

    @field_validator("minimums", "maximums")
    @classmethod
    def _known_metrics(cls, value: dict[str, float], info: ValidationInfo) -> dict[str, float]:
        own = own_measures()
        less = (*_LESS_IS_BETTER, *(name for name, less_is_better in own.items() if less_is_better))
        more = (*_MORE_IS_BETTER, *(name for name, less_is_better in own.items() if not less_is_better))
        offered, other = (more, less) if info.field_name == "minimums" else (less, more)
        for name in value:
            if name in other:
                better, key = ("less", "maximums") if name in less else ("more", "minimums")
                raise ValueError(f'has "{name}", of which {better} is better: move it to {key}')
            if name not in offered:
                near = nearest(name, offered)
                hint = f"did you mean {near}?" if near else f"known: {', '.join(offered)}"
                raise ValueError(f'has "{name}", which is no metric here; {hint}')
        return value

    @model_validator(mode="after")
    def _one_bound(self) -> "Gate":
        if (self.minimum is None) == (self.maximum is None):
            which = "minimum (metrics of which more is better) or maximum (MAE, MSE, RMSE)"
            raise ValueError(
                f"lacks a bound of the objective: add {which}"
                if self.minimum is None
                else f"has minimum and maximum: keep {which}"
            )
        return self

    @property
    def threshold(self) -> float:
        """The bound, whichever of the two it is; the objective metric tells its direction."""
        bound = self.minimum if self.minimum is not None else self.maximum
        assert bound is not None  # noqa: S101 - the validator above saw to it
        return bound
