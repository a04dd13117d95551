"""The model registry: versions of the project's model package group, and what is noted on them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.kernel.aws import Aws, is_missing, listed
from automl_gitops.kernel.environments import NAME_ANOTHER, PRODUCTION_FILE
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.words import one_line

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":model-package/(?P<group>[A-Za-z0-9-]+)/(?P<version>[1-9]\d*)"
)
# CustomerMetadataProperties take letters, digits, spaces and these marks, 256 characters at most.
_NOT_IN_METADATA = re.compile(r"[^\w\s_.:/=+\-@]", re.ASCII)
DESCRIPTION_LENGTH = 1024  # StageDescription, ApprovalDescription


@dataclass(frozen=True)
class ModelPackage:
    """One version of the group, as the registry describes it."""

    arn: str
    version: int
    approval: str
    containers: tuple[dict[str, Any], ...]
    metadata: Mapping[str, str]
    stage: str
    stage_status: str
    commit: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "ModelPackage":
        """From DescribeModelPackage's answer."""
        inference = answer.get("InferenceSpecification", {})
        metadata = answer.get("CustomerMetadataProperties") or {}
        life = answer.get("ModelLifeCycle") or {}
        return cls(
            arn=answer["ModelPackageArn"],
            version=int(answer["ModelPackageVersion"]),
            approval=answer.get("ModelApprovalStatus", ""),
            containers=tuple(_container(entry) for entry in inference.get("Containers", [])),
            metadata=dict(metadata),
            stage=life.get("Stage", ""),
            stage_status=life.get("StageStatus", ""),
            commit=(answer.get("MetadataProperties") or {}).get("CommitId", ""),
        )

    @property
    def problem_type(self) -> str:
        """`BinaryClassification`, `MulticlassClassification` or `Regression`."""
        return self.metadata.get("problem_type", "")

    @property
    def containers_sha256(self) -> str:
        """A hash of what the version serves, so that a proof is one of exactly this."""
        text = json.dumps(list(self.containers), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def label(self) -> str:
        """How people speak of it."""
        return f"version {self.version}"


def _container(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a model needs of a container; the registry adds digests and the like, which no model takes."""
    return {key: entry[key] for key in ("Image", "ModelDataUrl", "Environment") if entry.get(key)}


class Registry:
    """The project's model package group."""

    def __init__(self, aws: Aws, names: Names) -> None:
        self._sagemaker = aws.client("sagemaker")
        self._names = names

    def check(self, arn: str, source: str) -> int:
        """The version in an ARN of the group; another ARN is a `UserError` that begins with ``source``."""
        match = _ARN.fullmatch(arn)
        names = self._names
        form = names.arn("sagemaker", f"model-package/{names.model_package_group}/VERSION")
        if not match:
            raise UserError(f'{source} = "{arn}" is no model package: write {form}')
        for part, ours, word in (
            ("region", names.region, "region"),
            ("account", names.account, "account"),
            ("group", names.model_package_group, "model package group"),
        ):
            if match[part] != ours:
                raise UserError(
                    f'{source} = "{arn}" is of {word} {match[part]}, but the project has {word} {ours}: '
                    f"write {form}"
                )
        return int(match["version"])

    def find(self, arn: str, source: str) -> ModelPackage:
        """The version with this ARN; one that is not the project's, or does not exist, is a `UserError`."""
        version = self.check(arn, source)
        group = self._names.model_package_group
        try:
            return ModelPackage.of(self._sagemaker.describe_model_package(ModelPackageName=arn))
        except ClientError as error:
            if not is_missing(error):
                raise
            way = f"{NAME_ANOTHER}; " if source.startswith(PRODUCTION_FILE.as_posix()) else ""
            raise UserError(
                f'{source} = "{arn}": the group {group} has no version {version}: {way}'
                f"`aws sagemaker list-model-packages --model-package-group-name {group}` lists them, if "
                "no teardown took them"
            ) from None

    def latest(self) -> ModelPackage:
        """The newest version that nobody rejected; a `UserError` where there is none."""
        rejected = None
        newest_first = listed(
            self._sagemaker,
            "list_model_packages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=self._names.model_package_group,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        try:
            for summary in newest_first:
                if summary.get("ModelApprovalStatus") != "Rejected":
                    return self.find(summary["ModelPackageArn"], "the newest version")
                rejected = rejected or summary["ModelPackageVersion"]
        except ClientError as error:
            if not is_missing(error):
                raise
        group = self._names.model_package_group
        if rejected:
            raise UserError(
                f"all versions in {group}, up to version {rejected}, are Rejected: train another one "
                "(`automl run --wait`, which names the next attempt where this commit has been trained on)"
            )
        raise UserError(f"no version is registered in {group} yet: train one (`automl run --wait`)")

    def note(
        self,
        package: ModelPackage,
        *,
        stage: tuple[str, str] | None = None,
        description: str = "",
        **metadata: str,
    ) -> bool:
        """Note this on the version, see `note_request`; returns whether that took a call."""
        request = note_request(package, stage=stage, description=description, **metadata)
        if request:
            self._sagemaker.update_model_package(ModelPackageArn=package.arn, **request)
        return bool(request)

    def approve(self, package: ModelPackage, description: str) -> None:
        """Set `Approved` with a description; what does not fit the registry is cut."""
        self._sagemaker.update_model_package(
            ModelPackageArn=package.arn,
            ModelApprovalStatus="Approved",
            ApprovalDescription=one_line(description, DESCRIPTION_LENGTH),
        )


def note_request(
    package: ModelPackage,
    *,
    stage: tuple[str, str] | None = None,
    description: str = "",
    **metadata: str,
) -> dict[str, Any]:
    """What UpdateModelPackage has to be sent so that a version has this life cycle (Stage, StageStatus) and metadata;
    empty where it has.

    Characters that the registry refuses in metadata are left out; so are empty values.
    """
    wanted = {key: metadata_value(value) for key, value in metadata.items() if value}
    changed = {key: value for key, value in wanted.items() if package.metadata.get(key) != value}
    request: dict[str, Any] = {}
    if changed:
        request["CustomerMetadataProperties"] = changed
    if stage and stage != (package.stage, package.stage_status):
        request["ModelLifeCycle"] = {
            "Stage": stage[0],
            "StageStatus": stage[1],
            **({"StageDescription": one_line(description, DESCRIPTION_LENGTH)} if description else {}),
        }
    return request


def metadata_value(text: str) -> str:
    """A text with only the characters that the registry takes in metadata values, 256 at most."""
    return " ".join(_NOT_IN_METADATA.sub(" ", text).split())[:256]


def require_containers(package: ModelPackage) -> None:
    """Raise `RunError` where the registry names nothing to serve."""
    if not package.containers:
        raise RunError(
            f"{package.arn} has no container to serve: it was not registered by this project's pipeline"
        )
