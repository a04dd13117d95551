"""[prices]: what an instance-hour costs, by instance type, so that plan and summary can speak of money."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings.base import Section
from automl_gitops.kernel.words import nearest

AUTOPILOT = "autopilot"
_SHAPES = ("ProcessingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")

Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Prices(Section):
    """Prices of one instance for an hour, in `currency`: keys are instance types, and `autopilot` for the
    instances that Autopilot chooses. What has no price is shown in hours alone.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Price] = Field(init=False)

    currency: str = Field(default="USD", min_length=1, max_length=8)

    @model_validator(mode="after")
    def _known_types(self) -> "Prices":
        known = {AUTOPILOT, *(name for shape in _SHAPES for name in service.values(shape))}
        for name in self.__pydantic_extra__:
            if name not in known:
                near = nearest(name, known)
                raise ValueError(
                    f'has "{name}", which is neither an instance type nor `{AUTOPILOT}`'
                    + (f"; did you mean {near}?" if near else "")
                )
        return self

    def of(self, name: str, hours: float) -> float | None:
        """The money for so many hours, `None` where there is no price."""
        price = (self.__pydantic_extra__ or {}).get(name)
        return None if price is None else price * hours

    def money(self, amount: float | None) -> str:
        """An amount with its currency, "" for none."""
        return "" if amount is None else f"{amount:,.2f} {self.currency}"
