"""The name of everything that the project has in AWS, and its page in the AWS console.

All names begin with the project's, so that many projects share an account.
"""

from dataclasses import dataclass
from urllib.parse import quote

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.derived_names import DerivedNames
from automl_gitops.kernel.service import partition


@dataclass(frozen=True)
class Names(DerivedNames):
    """Names, ARNs and S3 addresses of one project in one account (twelve digits)."""

    config: Config
    account: str

    @property
    def project(self) -> str:
        """The project's name, which is also that of the pipeline and of the model package group."""
        return self.config.project.name

    @property
    def region(self) -> str:
        """The AWS region."""
        return self.config.project.region


_DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def _page(names: Names, path: str) -> str:
    domain = _DOMAINS.get(partition(names.region), "console.aws.amazon.com")
    return f"https://{names.region}.{domain}/{path}"


def endpoint_page(names: Names, name: str) -> str:
    """An endpoint of SageMaker."""
    return _page(names, f"sagemaker/home?region={names.region}#/endpoints/{name}")


def processing_job_page(names: Names, name: str) -> str:
    """A processing job, with a way to its log."""
    return _page(names, f"sagemaker/home?region={names.region}#/processing-jobs/{name}")


def stack_page(names: Names, name: str) -> str:
    """A stack of CloudFormation."""
    return _page(
        names, f"cloudformation/home?region={names.region}#/stacks?filteringText={quote(name, safe='')}"
    )


def bucket_page(names: Names, prefix: str) -> str:
    """A prefix of the project's bucket."""
    return _page(names, f"s3/buckets/{names.bucket}?prefix={quote(prefix, safe='')}")


def log_groups_page(names: Names, prefix: str) -> str:
    """CloudWatch's log groups whose names begin with a prefix."""
    filtered = quote(quote(prefix, safe=""), safe="").replace("%", "$")
    return _page(
        names, f"cloudwatch/home?region={names.region}#logsV2:log-groups$3FlogGroupNameFilter$3D{filtered}"
    )
