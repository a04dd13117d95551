"""[gate]: what a candidate has to reach on the holdout before it is registered."""

import math
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from automl_gitops.evaluation.metrics import METRICS
from automl_gitops.kernel import measures
from automl_gitops.kernel.settings.base import Section
from automl_gitops.kernel.words import nearest

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


class Gate(Section):
    """The conditions of the gate; each is judged by itself, and one that fails rejects the candidate.

    `minimum` or `maximum` bounds the objective metric, `minimums` and `maximums` bound other metrics by name.
    A difference to the baseline or to the champion counts where its whole interval at `confidence` does. The
    candidate may be worse than the champion by `champion_margin`, a number or a share of the champion's
    value; 0 asks for a better one. A champion that fails for a reason other than changed columns rejects
    unless `champion_failure` is "accept". `worst_slice` bounds the objective on every slice of [evaluation]
    slices that is not too small.
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
        own = measures.declared()
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
            raise ValueError(
                "takes one of minimum (metrics of which more is better) and maximum (MAE, MSE, RMSE)"
            )
        return self

    @property
    def threshold(self) -> float:
        """The bound, whichever of the two it is; the objective metric tells its direction."""
        bound = self.minimum if self.minimum is not None else self.maximum
        assert bound is not None  # noqa: S101 - the validator above saw to it
        return bound
