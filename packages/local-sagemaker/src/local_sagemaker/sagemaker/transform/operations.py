"""The operations of transform jobs."""

from __future__ import annotations

from typing import Any

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import jobs, keys, models
from local_sagemaker.sagemaker.resources import invalid
from local_sagemaker.sagemaker.service import operation
from local_sagemaker.sagemaker.transform import filters
from local_sagemaker.sagemaker.transform.job import TransformJob

DEFAULT_PAYLOAD_MB = 6
FEATURES_PAYLOAD_MB = (
    1  # what the first of Autopilot's several containers asks for (its /execution-parameters)
)


jobs.answer(TransformJob)


@operation("CreateTransformJob")
def create(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
    """Raises ValidationException and ResourceInUse."""
    _check(parameters)
    model = models.MODELS.find(caller, parameters["ModelName"])
    keys.check_volume(caller, parameters["TransformResources"].get("VolumeKmsKeyId"))
    payload = DEFAULT_PAYLOAD_MB if len(model.containers) == 1 else FEATURES_PAYLOAD_MB
    return {"TransformJobArn": TransformJob.start(caller, _completed(parameters, payload)).arn}


def _completed(parameters: dict[str, Any], payload_mb: int) -> dict[str, Any]:
    """``parameters`` with the defaults of what they do not say."""
    defaults = {"BatchStrategy": "MultiRecord", "MaxPayloadInMB": payload_mb}
    parts = {
        "TransformInput": {"CompressionType": "None", "SplitType": "None"},
        "TransformOutput": {"AssembleWith": "None"},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"},
    }
    return defaults | parameters | {name: part | parameters.get(name, {}) for name, part in parts.items()}


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
