"""The operations of AutoML jobs."""

from __future__ import annotations

import os
import threading
from typing import Any

from local import constraints
from local.bridge import AWSError, Caller, operation
from local.sagemaker import jobs
from local.sagemaker.autopilot import requests
from local.sagemaker.autopilot.job import KIND, AutoMLJob
from local.sagemaker.autopilot.objectives import objective
from local.sagemaker.resources import listed, present

# The service's quota of concurrent jobs is 1 to 4 by region.
CONCURRENT_JOBS = "LOCAL_AWS_CONCURRENT_AUTOML_JOBS"
DEFAULT_CONCURRENT_JOBS = 4

_creating = threading.Lock()


@operation("sagemaker", "CreateAutoMLJobV2")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException, ResourceInUse and ResourceLimitExceeded."""
    constraints.check("sagemaker", "CreateAutoMLJobV2", parameters)
    requests.check(parameters)
    jobs.role_credentials(parameters["RoleArn"], caller.region)
    details = {name: value for name, value in parameters.items() if name not in ("Tags", "AutoMLJobName")}
    details |= {"AutoMLProblemTypeConfigName": "Tabular", "AutoMLJobSecondaryStatus": "Starting"}
    with _creating:  # of two requests at once the second has to see the first
        if parameters["AutoMLJobName"] not in KIND.all(caller):
            _check_quota(caller)
        job = jobs.create(caller, KIND, parameters, details)
    job.work = AutoMLJob(job, parameters)
    jobs.start(job, job.work.run)
    return {"AutoMLJobArn": job.arn}


def _check_quota(caller: Caller) -> None:
    limit = int(os.environ.get(CONCURRENT_JOBS, DEFAULT_CONCURRENT_JOBS))
    running = sum(job.status in ("InProgress", "Stopping") for job in KIND.all(caller).values())
    if running >= limit:
        raise AWSError(
            "ResourceLimitExceeded",
            f"The account-level service limit 'Number of concurrent AutoML jobs' is {limit} AutoML jobs, "
            f"with current utilization of {running} AutoML jobs and a request delta of 1 AutoML jobs. "
            "Please use AWS Service Quotas to request an increase for this quota.",
        )


@operation("sagemaker", "DescribeAutoMLJobV2")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ResourceNotFound."""
    return KIND.find(caller, parameters["AutoMLJobName"]).describe()


@operation("sagemaker", "DescribeAutoMLJob")
def describe_v1(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The same job in the older shape. Raises ResourceNotFound."""
    job = KIND.find(caller, parameters["AutoMLJobName"]).describe()
    tabular = job.pop("AutoMLProblemTypeConfig")["TabularJobConfig"]
    channel = present(
        {name: tabular.get(name) for name in ("TargetAttributeName", "SampleWeightAttributeName")}
    )
    generation = present(
        {
            "FeatureSpecificationS3Uri": tabular.get("FeatureSpecificationS3Uri"),
            **tabular.get("CandidateGenerationConfig", {}),
        }
    )
    config = present(
        {
            "CompletionCriteria": tabular.get("CompletionCriteria"),
            "SecurityConfig": job.get("SecurityConfig"),
            "DataSplitConfig": job.get("DataSplitConfig"),
            "CandidateGenerationConfig": generation or None,
            "Mode": tabular.get("Mode"),
        }
    )
    resolved = job.pop("ResolvedAttributes", None)
    if resolved is not None:
        attributes = resolved["AutoMLProblemTypeResolvedAttributes"]["TabularResolvedAttributes"]
        job["ResolvedAttributes"] = present(
            {
                "AutoMLJobObjective": resolved["AutoMLJobObjective"],
                "CompletionCriteria": resolved.get("CompletionCriteria"),
                "ProblemType": attributes["ProblemType"],
            }
        )
    inputs = [given | channel for given in job.pop("AutoMLJobInputDataConfig")]
    return job | present(
        {"InputDataConfig": inputs, "AutoMLJobConfig": config, "ProblemType": tabular.get("ProblemType")}
    )


@operation("sagemaker", "ListAutoMLJobs")
def list_jobs(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by name, descending, where nothing else is said."""
    constraints.check("sagemaker", "ListAutoMLJobs", parameters)
    wanted = parameters.get("StatusEquals")
    found = [job.describe() for job in KIND.all(caller).values() if wanted in (None, job.status)]
    page, token = listed(found, {"SortBy": "Name", **parameters}, "AutoMLJobName")
    members = [
        "AutoMLJobName",
        "AutoMLJobArn",
        "AutoMLJobStatus",
        "AutoMLJobSecondaryStatus",
        "CreationTime",
        "EndTime",
        "LastModifiedTime",
        "FailureReason",
        "PartialFailureReasons",
    ]
    summaries = [present({member: job.get(member) for member in members}) for job in page]
    return present({"AutoMLJobSummaries": summaries, "NextToken": token})


@operation("sagemaker", "ListCandidatesForAutoMLJob")
def list_candidates(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Sorted by the objective, the best first, where nothing else is said. Raises ResourceNotFound."""
    constraints.check("sagemaker", "ListCandidatesForAutoMLJob", parameters)
    work: AutoMLJob = KIND.find(caller, parameters["AutoMLJobName"]).work
    found = [
        candidate
        for candidate in work.described()
        if parameters.get("StatusEquals") in (None, candidate["CandidateStatus"])
        and parameters.get("CandidateNameEquals") in (None, candidate["CandidateName"])
    ]
    found.sort(key=_order(parameters.get("SortBy", "FinalObjectiveMetricValue")))
    if parameters.get("SortOrder", "Descending") == "Ascending":
        found.reverse()
    start = int(parameters.get("NextToken", 0))
    end = start + parameters.get("MaxResults", 10)
    return present({"Candidates": found[start:end], "NextToken": str(end) if end < len(found) else None})


def _order(sort_by: str) -> Any:
    if sort_by == "FinalObjectiveMetricValue":
        return lambda c: -_goodness(c["FinalAutoMLJobObjectiveMetric"])
    if sort_by == "Status":
        return lambda c: c["CandidateStatus"]
    return lambda c: -c["CreationTime"].timestamp()


def _goodness(metric: dict[str, Any]) -> float:
    return metric["Value"] if objective(metric["MetricName"]).maximize else -metric["Value"]


@operation("sagemaker", "StopAutoMLJob")
def stop(caller: Caller, parameters: dict[str, Any]) -> None:
    """The training ends at once; what it has completed is published. Raises ResourceNotFound."""
    job = KIND.find(caller, parameters["AutoMLJobName"])
    job.stop()
    if job.status == "Stopping":
        job.update(AutoMLJobSecondaryStatus="Stopping")
