"""The two places where a version is served: their endpoints, accounts and credentials.

Registry and bucket are in the project's account. An endpoint is there too, unless the environment variable
``STAGING_ROLE_ARN`` or ``PRODUCTION_ROLE_ARN`` names a role to assume: then the endpoint is in that role's
account.
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import boto3
import botocore.session
from botocore.credentials import DeferredRefreshableCredentials, create_assume_role_refresher

from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.settings.endpoints import Hosting

Name = Literal["staging", "production"]
ROLE_VARIABLES: dict[Name, str] = {"staging": "STAGING_ROLE_ARN", "production": "PRODUCTION_ROLE_ARN"}
PRODUCTION_FILE = Path("environments/production.toml")  # names the version that production serves
PRODUCTION_CONFLICT = (
    "take the side of the version that production is to serve as a whole (`git checkout --ours "
    f"{PRODUCTION_FILE.as_posix()}` or `--theirs`)"
)
NAME_ANOTHER = 'commit `model_package_arn = ""` (nothing in production), or a version that is there'
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/[\w+=,.@/-]+")


class AssumedAws(Aws):
    """AWS as a role sees it; the session is renewed while it is used, because a chained role lasts an hour at
    most.

    Source: AWS IAM user guide, "Roles terms and concepts", role chaining.
    """

    def __init__(self, region: str, role_arn: str, through: Aws) -> None:
        super().__init__(region)
        self._role_arn = role_arn
        self._through = through

    @cached_property
    def session(self) -> boto3.session.Session:
        """The boto3 session with the role's credentials."""
        request = {"RoleArn": self._role_arn, "RoleSessionName": "deployment"}
        refresh = create_assume_role_refresher(self._through.client("sts"), request)
        session = botocore.session.get_session()
        session._credentials = DeferredRefreshableCredentials(refresh, method="assume-role")
        return boto3.session.Session(botocore_session=session, region_name=self.region)


@dataclass(frozen=True)
class Environment:
    """Staging or production: its endpoint, and AWS in the account that holds it."""

    name: Name
    hosting: Hosting
    aws: Aws

    config: Config

    @cached_property
    def names(self) -> Names:
        """Names in the endpoint's account."""
        return Names(self.config, self.aws.account)

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return f"{self.config.project.name}-{self.name}"


class ServingProject:
    """The project to a command that serves it: configuration, AWS, names, and where to print."""

    def __init__(self, config: Config, output: Output) -> None:
        self.config = config
        self.output = output
        self.aws = Aws(config.project.region)

    @cached_property
    def names(self) -> Names:
        """Names in the project's account."""
        return Names(self.config, self.aws.account)

    @cached_property
    def staging(self) -> Environment:
        """Where versions are verified."""
        return Environment("staging", self.config.staging, self._account_of("staging"), self.config)

    @cached_property
    def production(self) -> Environment:
        """Where people use them."""
        return Environment("production", self.config.production, self._account_of("production"), self.config)

    def environment(self, name: Name) -> Environment:
        """One of the two."""
        return self.staging if name == "staging" else self.production

    def client(self, service: str) -> Any:
        """A client in the project's account."""
        return self.aws.client(service)

    def _account_of(self, name: Name) -> Aws:
        variable = ROLE_VARIABLES[name]
        role = os.environ.get(variable, "").strip()
        if not role:
            return self.aws
        if not _ROLE.fullmatch(role):
            raise UserError(
                f"{variable} = {role!r} is no role: write arn:aws:iam::ACCOUNT:role/NAME of the account that "
                f"holds the {name} endpoint, or unset it where that is the project's own account"
            )
        return AssumedAws(self.config.project.region, role, self.aws)
