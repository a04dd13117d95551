"""[encryption] and [network]: a key of your own, and a VPC that training and evaluation run in."""

import re

from pydantic import Field, field_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings.base import Section

_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+"
)


class Encryption(Section):
    """The KMS key for the bucket, Autopilot, jobs and endpoints; without it AWS's own keys encrypt."""

    kms_key: str

    @field_validator("kms_key")
    @classmethod
    def _key(cls, value: str) -> str:
        if not _KEY.fullmatch(value):
            raise ValueError(
                "is no KMS key: write its ARN (arn:aws:kms:REGION:ACCOUNT:key/ID) or an alias (alias/NAME)"
            )
        return value

    @property
    def region(self) -> str | None:
        """The region of the key, `None` where an alias does not say."""
        found = _KEY.fullmatch(self.kms_key)
        return found["region"] if found else None


class Network(Section):
    """Subnets and security groups of the VPC; the one is of no use without the other."""

    subnets: list[str] = Field(min_length=1)
    security_groups: list[str] = Field(min_length=1)

    @field_validator("subnets")
    @classmethod
    def _subnets(cls, value: list[str]) -> list[str]:
        return _ids(value, "subnet", "Subnets")

    @field_validator("security_groups")
    @classmethod
    def _security_groups(cls, value: list[str]) -> list[str]:
        return _ids(value, "sg", "VpcSecurityGroupIds")


def _ids(values: list[str], prefix: str, shape: str) -> list[str]:
    most = service.limits(shape)[1]
    if most is not None and len(values) > most:
        raise ValueError(f"has {len(values)} entries, more than the service's {most}")
    for value in values:
        if not re.fullmatch(rf"{prefix}-[0-9a-f]+", value):
            raise ValueError(f'has "{value}", which is not of the form {prefix}-0123abcd')
    if len(set(values)) != len(values):
        raise ValueError("names one twice")
    return values
