"""SageMaker's service quotas: listed as Service Quotas lists them, and counted for what one request asks for.

Names are those of the real service (its list of SageMaker's quotas); the codes of instance types' quotas are
our own, made of the name.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from typing import Any

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition

from local_sagemaker.bridge import AWSError, Caller, answer_all, check, operation

SERVICE = "sagemaker"
AUTOML_JOBS = "Maximum number of concurrent AutoML Jobs"
# The real default is 1 to 4 by region.
AUTOML_JOBS_VARIABLE = "LOCAL_AWS_CONCURRENT_AUTOML_JOBS"
# Quotas of the account as a whole: name, code, value.
WHOLE = (
    (AUTOML_JOBS, "L-CFC2D5B6", 4),
    ("Maximum total concurrency that can be allocated across all serverless endpoints", "L-96300102", 10),
    ("Number of instances across active endpoints", "L-7A3DF611", 40),
    ("Number of instances across all processing jobs", "L-F311B08F", 40),
    ("Number of instances across all transform jobs", "L-60D2A6F0", 40),
)
INSTANCES = 20
# The enumeration of the instance types that there is a quota for, and how its name ends.
BY_INSTANCE = {
    "ProcessingInstanceType": "for processing job usage",
    "ProductionVariantInstanceType": "for endpoint usage",
    "TrainingInstanceType": "for training job usage",
    "TransformInstanceType": "for transform job usage",
}
PAGE = 100

answer_all("service-quotas")
_set: dict[tuple[str, str, str], float] = {}


@cache
def _known() -> dict[str, tuple[str, float]]:
    """Code and default value by name."""
    quotas: dict[str, tuple[str, float]] = {name: (code, value) for name, code, value in WHOLE}
    model = get_service_model(SERVICE)
    for shape, ending in BY_INSTANCE.items():
        for kind in model.shape_for(shape).enum:
            name = f"{kind} {ending}"
            quotas[name] = (f"L-{hashlib.sha256(name.encode()).hexdigest()[:8].upper()}", INSTANCES)
    return dict(sorted(quotas.items(), key=lambda item: item[1][0]))


def set_quota(account: str, region: str, name: str, value: float | None) -> None:
    """Give the account another quota than the default, as AWS does on request; None takes that back."""
    if name not in _known():
        raise ValueError(f"{name} is no quota of {SERVICE}")
    if value is None:
        _set.pop((account, region, name), None)
    else:
        _set[account, region, name] = value


def value(account: str, region: str, name: str) -> float:
    """The quota as it holds now."""
    default = _known()[name][1]
    if name == AUTOML_JOBS:
        default = float(os.environ.get(AUTOML_JOBS_VARIABLE, default))
    return _set.get((account, region, name), default)


def require(caller: Caller, name: str, unit: str, asked: int, used: int = 0) -> None:
    """Raise ResourceLimitExceeded where ``asked`` more than what is ``used`` already are too many."""
    limit = value(caller.account, caller.region, name)
    if used + asked > limit:
        raise AWSError(
            "ResourceLimitExceeded",
            f"The account-level service limit '{name}' is {limit:g} {unit}, with current utilization of {used} "
            f"{unit} and a request delta of {asked} {unit}. Please use AWS Service Quotas to request an "
            "increase for this quota. If AWS Service Quotas is not available, contact AWS support to request "
            "an increase for this quota.",
        )


@check("sagemaker", "CreateProcessingJob")
def check_processing(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ResourceLimitExceeded."""
    cluster = parameters["ProcessingResources"]["ClusterConfig"]
    _require_instances(caller, cluster["InstanceType"], "processing job", cluster["InstanceCount"])


@check("sagemaker", "CreateTransformJob")
def check_transform(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ResourceLimitExceeded."""
    cluster = parameters["TransformResources"]
    _require_instances(caller, cluster["InstanceType"], "transform job", cluster["InstanceCount"])


def _require_instances(caller: Caller, kind: str, use: str, count: int) -> None:
    name = f"{kind} for {use} usage"
    if name in _known():  # an unknown type is refused by the operation itself
        require(caller, name, "Instances", count)


def _document(caller: Caller, name: str, amount: float) -> dict[str, Any]:
    code = _known()[name][0]
    partition = get_partition(caller.region)
    return {
        "ServiceCode": SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": f"arn:{partition}:servicequotas:{caller.region}:{caller.account}:{SERVICE}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": amount,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }


def _page(parameters: dict[str, Any], names: list[str]) -> tuple[list[str], dict[str, str]]:
    _require_service(parameters)
    start, most = int(parameters.get("NextToken") or 0), int(parameters.get("MaxResults") or PAGE)
    more = {"NextToken": str(start + most)} if start + most < len(names) else {}
    return names[start : start + most], more


def _require_service(parameters: dict[str, Any]) -> None:
    if parameters["ServiceCode"] != SERVICE:
        message = f"The local AWS knows the quotas of {SERVICE} alone, not of {parameters['ServiceCode']}"
        raise AWSError("NoSuchResourceException", message)


def _name(parameters: dict[str, Any]) -> str:
    _require_service(parameters)
    for name, (code, _) in _known().items():
        if code == parameters["QuotaCode"]:
            return name
    raise AWSError(
        "NoSuchResourceException",
        f"The request failed because quota {parameters['QuotaCode']} does not exist.",
    )


@operation("service-quotas", "ListServiceQuotas")
def list_quotas(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The applied values, as they hold for the account and region."""
    wanted = parameters.get("QuotaCode")
    names = [name for name, (code, _) in _known().items() if wanted in (None, code)]
    shown, more = _page(parameters, names)
    return {
        "Quotas": [_document(caller, n, value(caller.account, caller.region, n)) for n in shown],
        **more,
    }


@operation("service-quotas", "ListAWSDefaultServiceQuotas")
def list_defaults(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The values of an account that never asked for more."""
    shown, more = _page(parameters, list(_known()))
    return {"Quotas": [_document(caller, n, _known()[n][1]) for n in shown], **more}


@operation("service-quotas", "GetServiceQuota")
def get_quota(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchResourceException."""
    name = _name(parameters)
    return {"Quota": _document(caller, name, value(caller.account, caller.region, name))}


@operation("service-quotas", "GetAWSDefaultServiceQuota")
def get_default(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises NoSuchResourceException."""
    name = _name(parameters)
    return {"Quota": _document(caller, name, _known()[name][1])}
