"""The operations of transform jobs."""

from __future__ import annotations

from typing import Any

from local import constraints
from local.bridge import Caller, operation
from local.sagemaker import jobs, models
from local.sagemaker.resources import invalid, listed, present
from local.sagemaker.transform import filters
from local.sagemaker.transform.job import KIND, run

DEFAULT_PAYLOAD_MB = 6


@operation("sagemaker", "CreateTransformJob")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException and ResourceInUse."""
    constraints.check("sagemaker", "CreateTransformJob", parameters)
    _check(parameters)
    models.find(caller, parameters["ModelName"])
    details = {name: value for name, value in parameters.items() if name not in ("Tags", "TransformJobName")}
    defaults = {"BatchStrategy": "MultiRecord", "MaxPayloadInMB": DEFAULT_PAYLOAD_MB}
    details = defaults | details
    details["TransformInput"] = {"CompressionType": "None", "SplitType": "None"} | details["TransformInput"]
    details["TransformOutput"] = {"AssembleWith": "None"} | details["TransformOutput"]
    processing = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    details["DataProcessing"] = processing | details.get("DataProcessing", {})
    job = jobs.create(caller, KIND, parameters, details)
    jobs.start(job, run)
    return {"TransformJobArn": job.arn}


def _check(parameters: dict[str, Any]) -> None:
    given = parameters["TransformInput"]
    split = given.get("SplitType", "None")
    if split not in ("None", "Line"):
        raise invalid(f"The local AWS does not offer SplitType {split}.")
    if given["DataSource"]["S3DataSource"]["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise invalid("The local AWS offers S3Prefix and ManifestFile as S3DataType.")
    processing = parameters.get("DataProcessing", {})
    for name in ("InputFilter", "OutputFilter"):
        try:
            filters.parse(processing.get(name, "$"))
        except filters.UnknownFilterError:
            raise invalid(f"The local AWS does not offer {name} {processing[name]}.") from None
    joined = processing.get("JoinSource", "None") == "Input"
    filtered = any(processing.get(name, "$") != "$" for name in ("InputFilter", "OutputFilter"))
    if not joined and not filtered:
        return
    if joined and (split != "Line" or parameters["TransformOutput"].get("AssembleWith") != "Line"):
        raise invalid("JoinSource Input requires SplitType and AssembleWith Line.")
    types = (given.get("ContentType", ""), parameters["TransformOutput"].get("Accept", "text/csv"))
    if any(not kind.startswith("text/csv") for kind in types):
        raise invalid("The local AWS offers DataProcessing for ContentType and Accept text/csv alone.")


@operation("sagemaker", "DescribeTransformJob")
def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException where there is no such job."""
    return KIND.find(caller, parameters["TransformJobName"]).describe()


@operation("sagemaker", "StopTransformJob")
def stop(caller: Caller, parameters: dict[str, Any]) -> None:
    """Raises ValidationException where there is no such job, or it has ended."""
    job = KIND.find(caller, parameters["TransformJobName"])
    if job.status not in ("InProgress", "Stopping"):
        raise invalid(f"The request was rejected because the transform job is in status {job.status}.")
    job.stop()


@operation("sagemaker", "ListTransformJobs")
def list_jobs(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """The newest first where nothing else is said."""
    constraints.check("sagemaker", "ListTransformJobs", parameters)
    wanted = parameters.get("StatusEquals")
    found = [job.describe() for job in KIND.all(caller).values() if wanted in (None, job.status)]
    page, token = listed(found, parameters, "TransformJobName")
    members = (
        "TransformJobName TransformJobArn CreationTime TransformEndTime LastModifiedTime TransformJobStatus "
        "FailureReason"
    )
    summaries = [present({member: job.get(member) for member in members.split()}) for job in page]
    return present({"TransformJobSummaries": summaries, "NextToken": token})
