"""Addresses of pages of the AWS console."""

from urllib.parse import quote

from automl_gitops.kernel.names import Names
from automl_gitops.kernel.service import partition

_DOMAINS = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}


def _page(names: Names, path: str) -> str:
    domain = _DOMAINS.get(partition(names.region), "console.aws.amazon.com")
    return f"https://{names.region}.{domain}/{path}"


def endpoint(names: Names, name: str) -> str:
    """An endpoint of SageMaker."""
    return _page(names, f"sagemaker/home?region={names.region}#/endpoints/{name}")


def processing_job(names: Names, name: str) -> str:
    """A processing job, with a way to its log."""
    return _page(names, f"sagemaker/home?region={names.region}#/processing-jobs/{name}")


def stack(names: Names, name: str) -> str:
    """A stack of CloudFormation."""
    return _page(
        names, f"cloudformation/home?region={names.region}#/stacks?filteringText={quote(name, safe='')}"
    )


def bucket(names: Names, prefix: str) -> str:
    """A prefix of the project's bucket."""
    return _page(names, f"s3/buckets/{names.bucket}?prefix={quote(prefix, safe='')}")


def log_groups(names: Names, prefix: str) -> str:
    """CloudWatch's log groups whose names begin with a prefix."""
    filtered = quote(quote(prefix, safe=""), safe="").replace("%", "$")
    return _page(
        names, f"cloudwatch/home?region={names.region}#logsV2:log-groups$3FlogGroupNameFilter$3D{filtered}"
    )
