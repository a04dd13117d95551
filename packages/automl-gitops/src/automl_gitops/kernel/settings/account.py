"""[project], [encryption], [network] and [prices]: the project's name and place in AWS, its key and VPC, and prices."""

import re
from typing import Annotated

from pydantic import ConfigDict, Field, field_validator, model_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.derived_names import collision
from automl_gitops.kernel.settings import SettingsSection
from automl_gitops.kernel.words import nearest

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
# SageMaker's own pattern for tags without the comma, which separates tags on their way through the pipeline.
_TAG = re.compile(r"[\w .:/=+\-@]*")
_RESERVED_TAG = "project"  # the stack puts it on everything, for the bill
# Characters: all tags travel as one argument of the pipeline's first step, which takes 1,024 with the project's own.
_TAGS_LENGTH = 1024 - len(",project=") - 19


class ProjectSettings(SettingsSection):
    """Name, region and repository of the project; tags for everything that it creates."""

    name: str
    description: str = Field(max_length=1024)
    region: str
    repository: str
    tags: dict[str, str] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _NAME.fullmatch(value) or not 3 <= len(value) <= 19:
            raise ValueError(
                "is not 3-19 lower-case letters, digits and single hyphens that begin with a letter: "
                "S3, IAM and Autopilot allow no more, since every name in AWS begins with it"
            )
        other = collision(value)
        if other is not None:
            raise ValueError(
                f"is a name that a project {other} has for something of its own in AWS, which this one could then "
                "overwrite: choose another ending"
            )
        return value

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        known = service.regions()
        if value not in known:
            near = nearest(value, known)
            hint = f"; did you mean {near}?" if near else ", such as eu-west-1"
            raise ValueError(f"is not a region of SageMaker{hint}")
        return value

    @field_validator("repository")
    @classmethod
    def _repository(cls, value: str) -> str:
        if not _REPOSITORY.fullmatch(value):
            raise ValueError("is not a GitHub repository of the form owner/name")
        return value

    @field_validator("tags")
    @classmethod
    def _tags(cls, tags: dict[str, str]) -> dict[str, str]:
        most = (service.limits("TagList")[1] or 50) - 1
        if len(tags) > most:
            raise ValueError(
                f"has {len(tags)} tags, more than the {most} that fit beside the tag `{_RESERVED_TAG}`"
            )
        for key, value in tags.items():
            if key.lower().startswith("aws:"):
                raise ValueError(f'has the key "{key}", but AWS keeps keys that begin with aws: for itself')
            if key.lower() == _RESERVED_TAG:  # to IAM it is the same key
                raise ValueError(f'has the key "{key}", which the project sets itself')
            if not 1 <= len(key) <= 128 or "=" in key or not _TAG.fullmatch(key):
                raise ValueError(f'has the key "{key}"; a key is 1-128 letters, digits, spaces and _.:/+-@')
            if len(value) > 256 or not _TAG.fullmatch(value):
                raise ValueError(
                    f'has the value "{value}" for "{key}"; up to 256 letters, digits, spaces and _.:/=+-@'
                )
        if len(",".join(f"{key}={value}" for key, value in tags.items())) > _TAGS_LENGTH:
            raise ValueError(f"is longer than {_TAGS_LENGTH} characters in all; shorten some")
        return tags

    @property
    def every_tag(self) -> dict[str, str]:
        """What everything that the project makes is tagged with; by `project` the roles know whose it is."""
        return self.tags | {_RESERVED_TAG: self.name}


_KEY = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:(key/[A-Za-z0-9-]+|alias/[A-Za-z0-9/_-]+)|alias/[A-Za-z0-9/_-]+"
)


class Encryption(SettingsSection):
    """The KMS key for bucket, Autopilot, jobs, endpoints, queues and logs; without it AWS's own keys encrypt."""

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
        match = _KEY.fullmatch(self.kms_key)
        return match["region"] if match else None


class Network(SettingsSection):
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


AUTOPILOT = "autopilot"
_SHAPES = ("ProcessingInstanceType", "TransformInstanceType", "ProductionVariantInstanceType")

Price = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Prices(SettingsSection):
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
        """What ``hours`` of an instance type cost, `None` where it has no price."""
        price = (self.__pydantic_extra__ or {}).get(name)
        return None if price is None else price * hours

    def money(self, amount: float | None) -> str:
        """An amount with its currency, "" for none."""
        return "" if amount is None else f"{amount:,.2f} {self.currency}"
