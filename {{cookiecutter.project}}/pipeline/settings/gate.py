"""[gate]: what a candidate has to reach on the holdout before it is registered."""

from pydantic import Field, model_validator

from pipeline.settings.base import Section


class Gate(Section):
    """Conditions on the objective metric's value on the holdout."""

    minimum: float | None = Field(default=None, allow_inf_nan=False)
    maximum: float | None = Field(default=None, allow_inf_nan=False)

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
