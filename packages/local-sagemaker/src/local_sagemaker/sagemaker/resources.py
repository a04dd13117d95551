"""How this package keeps resources: in moto's storage, so that tags, Search and the tagging API find them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from moto.core.utils import camelcase_to_underscores, utcnow
from moto.sagemaker.models import sagemaker_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from local_sagemaker.bridge import AWSError, Caller

# Documented for two operations and met with most. A caller that does not page is found out soon.
PAGE = 10


class Record:
    """A resource: its ARN, its tags, and ``details`` as the Describe operation gives them."""

    def __init__(self, arn: str, details: dict[str, Any], tags: list[dict[str, str]] | None = None) -> None:
        self.arn = arn
        self.details = details
        self.tags = list(tags or [])

    def __getattr__(self, name: str) -> Any:
        """A member of ``details`` by its name in snake case, as moto's Search asks for it."""
        for member, value in self.__dict__.get("details", {}).items():
            if camelcase_to_underscores(member) == name:
                return value
        raise AttributeError(name)

    def gen_response_object(self) -> dict[str, Any]:
        """What moto's Search shows."""
        return self.details


def backend(account: str, region: str) -> Any:
    """Moto's storage of SageMaker in ``account`` and ``region``.

    It is a `SageMakerModelBackend` whose collections hold the records of this package, not those that moto declares.
    """
    return sagemaker_backends[account][region]


def arn(caller: Caller, kind: str, name: str) -> str:
    """The ARN of a resource in the caller's account and region."""
    return f"arn:{get_partition(caller.region)}:sagemaker:{caller.region}:{caller.account}:{kind}/{name}"


def now() -> datetime:
    """The time in UTC, without saying so, as moto keeps it."""
    return utcnow()


def home(resource_arn: str) -> tuple[str, str]:
    """The account and region that an ARN names."""
    _, _, _, region, account, _ = resource_arn.split(":", 5)
    return account, region


def invalid(message: str) -> AWSError:
    """The error that SageMaker gives for nearly everything."""
    return AWSError("ValidationException", message)


def present(details: dict[str, Any]) -> dict[str, Any]:
    """``details`` without the members that have no value."""
    return {name: value for name, value in details.items() if value is not None}


def user_context(caller: Caller) -> dict[str, Any]:
    """Who the caller is, as CreatedBy and LastModifiedBy say it."""
    principal, principal_arn, _ = sts_backends[caller.account]["aws"].get_caller_identity(
        caller.access_key, caller.region
    )
    return {"IamIdentity": {"Arn": principal_arn, "PrincipalId": principal}}


def listed(
    records: Iterable[dict[str, Any]],
    parameters: dict[str, Any],
    member: str,
    name: str,
    order: str = "Descending",
) -> dict[str, Any]:
    """The answer of a List operation: a page of ``records`` as ``member``, filtered and sorted as asked.

    Times are naive and in UTC, as moto's are. ``name`` is the member that NameContains and SortBy=Name look
    at, ``order`` the operation's default SortOrder. What a summary does not show, botocore's model leaves
    out.
    """
    status = name.removesuffix("Name") + "Status"
    kept = [record for record in records if _matches(record, parameters, name, status)]
    sort_by = parameters.get("SortBy", "CreationTime")
    member_of = {"Name": name, "Status": status}
    kept.sort(key=lambda record: record[member_of.get(sort_by, sort_by)])
    if parameters.get("SortOrder", order) == "Descending":
        kept.reverse()
    return page(kept, parameters, member)


def page(items: list[dict[str, Any]], parameters: dict[str, Any], member: str) -> dict[str, Any]:
    """The page of ``items`` that MaxResults and NextToken ask for, as ``member``, and the next token."""
    try:
        start = int(parameters.get("NextToken", 0))
    except ValueError:
        raise invalid("Invalid NextToken") from None
    end = start + parameters.get("MaxResults", PAGE)
    return present({member: items[start:end], "NextToken": str(end) if end < len(items) else None})


def _matches(record: dict[str, Any], parameters: dict[str, Any], name: str, status: str) -> bool:
    if parameters.get("NameContains", "").lower() not in record[name].lower():
        return False
    if "StatusEquals" in parameters and record[status] != parameters["StatusEquals"]:
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        after, before = parameters.get(f"{member}After"), parameters.get(f"{member}Before")
        if after is not None and record[member] <= after:
            return False
        if before is not None and record[member] >= before:
            return False
    return True
