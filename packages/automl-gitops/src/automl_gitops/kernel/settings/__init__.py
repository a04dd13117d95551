"""The sections of automl.toml; `automl_gitops.kernel.config` puts them together.

What all of them share stands here: strict types, no unknown key, and the check of instance types.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from automl_gitops.kernel import service
from automl_gitops.kernel.words import nearest


class SettingsSection(BaseModel):
    """A section of automl.toml: values have TOML's types as they stand, and a key that is not listed is an
    error.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def instance_type(shape: str, use: str) -> AfterValidator:
    """A check that an instance type is one of the enumeration ``shape`` of SageMaker's API; ``use`` names the
    purpose.
    """

    def check(value: str) -> str:
        known = service.values(shape)
        if value not in known:
            near = nearest(value if value.startswith("ml.") else f"ml.{value}", known)
            hint = (
                f"; did you mean {near}?"
                if near and re.fullmatch(r"(ml\.)?[a-z0-9-]+\.[a-z0-9-]+", value)
                else ""
            )
            raise ValueError(
                f"is not an instance type that SageMaker offers for {use}, such as ml.m5.xlarge{hint}"
            )
        return value

    return AfterValidator(check)


ProcessingInstance = Annotated[str, instance_type("ProcessingInstanceType", "processing jobs")]
TransformInstance = Annotated[str, instance_type("TransformInstanceType", "batch transform")]
EndpointInstance = Annotated[str, instance_type("ProductionVariantInstanceType", "endpoints")]
