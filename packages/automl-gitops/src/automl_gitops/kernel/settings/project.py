"""[project]: what the project is called and where it lives."""

import re

from pydantic import Field, field_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings.base import Section
from automl_gitops.kernel.words import nearest

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
# SageMaker's own pattern for tags without the comma, which separates tags on their way through the pipeline.
_TAG = re.compile(r"[\w .:/=+\-@]*")
_RESERVED_TAG = "project"  # the stack puts it on everything, for the bill
_TAGS_LENGTH = 1024  # characters: all tags travel as one argument of the pipeline's first step


class Project(Section):
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
            if key == _RESERVED_TAG:
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
