"""The project as its files describe it: configuration, data set, champion, code; and access to AWS."""

import hashlib
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from automl_gitops.data import consistency
from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel import git
from automl_gitops.kernel.aws import Aws, is_missing
from automl_gitops.kernel.config import Config, not_found, parse_toml, read_text
from automl_gitops.kernel.environments import NAME_ANOTHER, PRODUCTION_CONFLICT, PRODUCTION_FILE
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.runs import bundle, definition
from automl_gitops.runs.bundle import Bundle

_VERSION = re.compile(r"arn:[a-z-]+:sagemaker:([a-z0-9-]+):\d{12}:model-package/([^/]+)/\d+")


class Project:
    """Everything that a command about the pipeline reads; each file is read and checked once, when it is
    needed.
    """

    @cached_property
    def folder(self) -> Path:
        """The project's folder, which is the current one."""
        return Path.cwd()

    @cached_property
    def config(self) -> Config:
        """automl.toml."""
        return Config.load()

    @cached_property
    def lock(self) -> DatasetLock:
        """dataset.lock; it and automl.toml have to be consistent, since whoever asks for it is about to pay."""
        lock = DatasetLock.load()
        consistency.require(self.config, lock)
        return lock

    @cached_property
    def champion(self) -> str:
        """The ARN of the model package that production serves, empty where there is none.

        A misspelt key would have candidates compared with nothing, so that it is a `UserError`, as is an ARN that is
        none of this project's.
        """
        file = PRODUCTION_FILE.as_posix()
        if not PRODUCTION_FILE.exists():
            if git.committed(PRODUCTION_FILE):
                raise not_found(PRODUCTION_FILE)
            return ""
        document = parse_toml(read_text(PRODUCTION_FILE), file, PRODUCTION_CONFLICT)
        if document and "model_package_arn" not in document:
            raise UserError(
                f'{file}: model_package_arn is missing: take the file from Git (`model_package_arn = ""` stands for '
                "nothing in production)",
                file=file,
            )
        arn, project = document.get("model_package_arn", ""), self.config.project
        match = _VERSION.fullmatch(arn) if isinstance(arn, str) else None
        if arn != "" and (not match or match.groups() != (project.region, project.name)):
            raise UserError(
                f"{file}: model_package_arn = {json.dumps(arn, default=str)} is no version of this project "
                f"(arn:...:sagemaker:{project.region}:ACCOUNT:model-package/{project.name}/NUMBER): take the file "
                "from Git, or [project] of automl.toml",
                file=file,
            )
        return arn

    @cached_property
    def champion_missing(self) -> str:
        """Why the registry lacks the version that Git names; "" where it has it, or where Git names none."""
        arn, account = self.champion, self.aws.account if self.champion else ""
        if not arn:
            return ""
        why = f"is not of this account, {account}"
        if arn.split(":")[4] == account:
            try:
                self.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
                return ""
            except ClientError as error:
                if not is_missing(error):
                    raise
            why = "is not in the registry"
        return f'model_package_arn = "{arn}" {why}, so that no model can be compared with it'

    @property
    def champion_problem(self) -> str:
        """The same as a sentence with the way out."""
        missing = self.champion_missing
        return f"{PRODUCTION_FILE.as_posix()}: {missing}: {NAME_ANOTHER}" if missing else ""

    @property
    def needs_champion(self) -> bool:
        """Whether the gate rejects what it cannot compare."""
        return self.config.gate.not_worse_than_champion and self.config.gate.champion_failure == "reject"

    def require_champion(self) -> None:
        """Raise `UserError` where whatever is trained would be rejected for want of the champion."""
        if self.needs_champion and self.champion_problem:
            raise UserError(self.champion_problem, file=PRODUCTION_FILE.as_posix())

    @cached_property
    def bundle(self) -> Bundle:
        """The evaluation's code and settings."""
        return bundle.build(self.config, self.lock)

    @cached_property
    def aws(self) -> Aws:
        """AWS in the project's region."""
        return Aws(self.config.project.region)

    @cached_property
    def names(self) -> Names:
        """Names in the account of the current credentials."""
        return Names(self.config, self.aws.account)

    def fingerprint(self, account: str) -> str:
        """A hash (hexadecimal, 64 digits) of all that the definition is made from.

        It tells without the SDK, which takes seconds, whether the pipeline in AWS was made from these files.
        """
        # The whole bundle as well: what the package makes the evaluation's settings of is in no source.
        return _hash({"account": account, "bundle": self.bundle.sha256, **self._sources})

    @property
    def file_hashes(self) -> dict[str, str]:
        """What each file, folder or package gives to the definition, as a short hash: to name one that changed."""
        return {name: _hash(content)[:8] for name, content in self._sources.items()}

    @cached_property
    def _sources(self) -> dict[str, Any]:
        files, sources = self.bundle.files, definition.sources()
        package = {name: text for name, text in files.items() if "/" in name}
        own = {name: text for name, text in files.items() if "/" not in name and name != bundle.SETTINGS}
        return {
            "automl.toml": self.config.model_dump(mode="json", exclude={"prices"}),
            "dataset.lock": self.lock.plain(),
            PRODUCTION_FILE.as_posix(): self.champion,
            "evaluation/": Bundle(own).sha256,
            "pipeline/": sources[:-1],
            "automl-gitops": [Bundle(package).sha256, sources[-1]],
        }


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
