"""The operations of AutoML jobs."""

from __future__ import annotations

import threading
from typing import Any

from local_sagemaker import quotas
from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import keys, roles
from local_sagemaker.sagemaker.autopilot import requests
from local_sagemaker.sagemaker.autopilot.job import AutoMLJob
from local_sagemaker.sagemaker.autopilot.objectives import objective
from local_sagemaker.sagemaker.resources import page
from local_sagemaker.sagemaker.service import operation

_creating = threading.Lock()


@operation("CreateAutoMLJobV2")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException, ResourceInUse and ResourceLimitExceeded."""
    requests.check(parameters)
    roles.credentials(parameters["RoleArn"], caller.region)
    keys.check_volume(caller, parameters.get("SecurityConfig", {}).get("VolumeKmsKeyId"))
    with _creating:  # of two requests at once the second has to see the first
        if parameters["AutoMLJobName"] not in AutoMLJob.all(caller):
            _check_quota(caller)
        return {"AutoMLJobArn": AutoMLJob.start(caller, parameters).arn}


def _check_quota(caller: Caller) -> None:
    running = sum(job.running for job in list(AutoMLJob.all(caller).values()))
    quotas.require(caller, quotas.AUTOML_JOBS, "AutoML Jobs", 1, running)


@operation("DescribeAutoMLJobV2")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ResourceNotFound."""
    return AutoMLJob.find(caller, parameters["AutoMLJobName"]).describe()


@operation("ListAutoMLJobs")
def list_jobs(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by name, descending, where nothing else is said."""
    return AutoMLJob.listed(caller, {"SortBy": "Name", **parameters})


@operation("ListCandidatesForAutoMLJob")
def list_candidates(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by the objective, the best first, where nothing else is said. Raises ResourceNotFound."""
    candidates = [
        candidate
        for candidate in AutoMLJob.find(caller, parameters["AutoMLJobName"]).candidates()
        if parameters.get("StatusEquals") in (None, candidate["CandidateStatus"])
        and parameters.get("CandidateNameEquals") in (None, candidate["CandidateName"])
    ]
    candidates.sort(key=_order(parameters.get("SortBy", "FinalObjectiveMetricValue")))
    if parameters.get("SortOrder", "Descending") == "Ascending":
        candidates.reverse()
    return page(candidates, parameters, "Candidates")


def _order(sort_by: str) -> Any:
    if sort_by == "FinalObjectiveMetricValue":
        return lambda c: -_goodness(c["FinalAutoMLJobObjectiveMetric"])
    if sort_by == "Status":
        return lambda c: c["CandidateStatus"]
    return lambda c: -c["CreationTime"].timestamp()


def _goodness(metric: dict[str, Any]) -> float:
    return metric["Value"] if objective(metric["MetricName"]).maximize else -metric["Value"]


@operation("StopAutoMLJob")
def stop(caller: Caller, parameters: dict[str, Any]) -> None:
    """The training ends at once; what it has completed is published. Raises ResourceNotFound."""
    AutoMLJob.find(caller, parameters["AutoMLJobName"]).stop(AutoMLJobSecondaryStatus="Stopping")
