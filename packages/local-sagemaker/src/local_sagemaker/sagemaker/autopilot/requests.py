"""What CreateAutoMLJobV2 accepts beyond the shapes and patterns of the service's model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_sagemaker.sagemaker.autopilot import portfolio
from local_sagemaker.sagemaker.autopilot.objectives import OFFERED
from local_sagemaker.sagemaker.resources import invalid

DEFAULT_CANDIDATES = 10
# The service's least rows to train on (API reference, AutoMLJobInputDataConfig), and those of a lenient local AWS.
LEAST_ROWS = 500
LENIENT_ROWS = 20
# AUTO takes ensembling below so many bytes of data, tuning from there on.
AUTO_LIMIT_BYTES = 100 * 1024**2
# The one objective that knows no weights: it has its own (guide, "Autopilot weighted metrics").
UNWEIGHTED = "BalancedAccuracy"
CONTENT_TYPES = ("text/csv;header=present", "x-application/vnd.amazon+parquet")


@dataclass(frozen=True)
class Settings:
    """What follows from a request; ``missing`` are the algorithms asked for that this machine lacks."""

    mode: str
    algorithms: list[str]
    missing: list[str]
    max_candidates: int


def check(request: dict[str, Any]) -> None:
    """Raises ValidationException as the service does, and for what the local AWS has no model of."""
    problem = request["AutoMLProblemTypeConfig"]
    if len(problem) != 1:
        raise invalid("Exactly one of the problem type configurations must be specified.")
    if "TabularJobConfig" not in problem:
        raise invalid("The local AWS trains tabular data alone: specify TabularJobConfig.")
    tabular = problem["TabularJobConfig"]
    _check_objective(request, tabular)
    _check_mode(tabular, request.get("AutoMLJobObjective", {}).get("MetricName"))
    _check_channels(request)
    for name in ("ModelDeployConfig", "AutoMLComputeConfig"):
        if request.get(name):
            raise invalid(f"The local AWS does not offer {name}.")
    if tabular.get("GenerateCandidateDefinitionsOnly"):
        raise invalid("The local AWS does not offer GenerateCandidateDefinitionsOnly.")


def settings(request: dict[str, Any], size: int = 0) -> Settings:
    """What is trained for ``request`` on ``size`` bytes of data."""
    tabular = request["AutoMLProblemTypeConfig"]["TabularJobConfig"]
    mode = tabular.get("Mode", "AUTO")
    if mode == "AUTO":
        mode = "ENSEMBLING" if size <= AUTO_LIMIT_BYTES else "HYPERPARAMETER_TUNING"
    offered = portfolio.ENSEMBLING if mode == "ENSEMBLING" else portfolio.TUNING
    asked = _algorithms(tabular)
    chosen = asked or list(offered)
    algorithms = [name for name in chosen if portfolio.available(name)]
    # Missing by default is this machine's affair, missing though asked for is the sender's to know.
    missing = [name for name in asked if name not in algorithms]
    if mode == "HYPERPARAMETER_TUNING" and "xgboost" in chosen and "xgboost" not in algorithms:
        algorithms.insert(0, "lightgbm")  # the same kind of model: trees, boosted by gradients
    limit = tabular.get("CompletionCriteria", {}).get("MaxCandidates", DEFAULT_CANDIDATES)
    return Settings(mode, algorithms, missing, limit)


def _algorithms(tabular: dict[str, Any]) -> list[str]:
    configured = tabular.get("CandidateGenerationConfig", {}).get("AlgorithmsConfig", [])
    return [name for entry in configured for name in entry["AutoMLAlgorithms"]]


def _check_objective(request: dict[str, Any], tabular: dict[str, Any]) -> None:
    problem_type = tabular.get("ProblemType")
    metric = request.get("AutoMLJobObjective", {}).get("MetricName")
    if (problem_type is None) != (metric is None):
        raise invalid("Either both ProblemType and AutoMLJobObjective must be specified, or neither of them.")
    if problem_type is not None and metric not in OFFERED[problem_type]:
        offered = ", ".join(OFFERED[problem_type])
        raise invalid(
            f"The objective metric {metric} is not supported for {problem_type}: choose one of {offered}."
        )


def _check_mode(tabular: dict[str, Any], metric: str | None) -> None:
    mode = tabular.get("Mode", "AUTO")
    algorithms = _algorithms(tabular)
    if algorithms and mode == "AUTO":
        raise invalid("AlgorithmsConfig is not supported when Mode is AUTO.")
    offered = portfolio.TUNING if mode == "HYPERPARAMETER_TUNING" else portfolio.ENSEMBLING
    for name in algorithms:
        if name not in offered:
            raise invalid(f"The algorithm {name} is not supported in {mode} mode: {', '.join(offered)} are.")
    if "SampleWeightAttributeName" in tabular and mode != "ENSEMBLING":
        raise invalid("SampleWeightAttributeName is supported in ENSEMBLING mode alone.")
    if "SampleWeightAttributeName" in tabular and metric == UNWEIGHTED:
        raise invalid(f"{UNWEIGHTED} is not supported with SampleWeightAttributeName.")


def _check_channels(request: dict[str, Any]) -> None:
    kinds = [channel.get("ChannelType", "training") for channel in request["AutoMLJobInputDataConfig"]]
    if kinds.count("training") != 1 or kinds.count("validation") > 1:
        raise invalid(
            "AutoMLJobInputDataConfig needs one training channel and at most one validation channel."
        )
    types = set()
    for channel in request["AutoMLJobInputDataConfig"]:
        content_type = channel.get("ContentType", CONTENT_TYPES[0])
        if content_type.replace(" ", "") not in CONTENT_TYPES:
            raise invalid(f"ContentType {content_type} is not supported: {' and '.join(CONTENT_TYPES)} are.")
        source = channel.get("DataSource", {}).get("S3DataSource")
        if source is None or source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
            raise invalid("A channel needs an S3DataSource of type S3Prefix or ManifestFile.")
        if channel.get("CompressionType") == "Gzip" and source["S3DataType"] != "S3Prefix":
            raise invalid("CompressionType Gzip is supported for S3Prefix inputs alone.")
        types.add(content_type.replace(" ", ""))
    if len(types) > 1:
        raise invalid("Channels for training and validation must share the same ContentType.")
    _check_split(request, "validation" in kinds)


def _check_split(request: dict[str, Any], has_validation: bool) -> None:
    fraction = request.get("DataSplitConfig", {}).get("ValidationFraction")
    if fraction is None:
        return
    if has_validation:
        # Guide, "How to specify training and validation datasets": with two data sources, setting it is an error.
        raise invalid("ValidationFraction must not be set where there is a validation channel.")
    if not 0 < fraction < 1:
        raise invalid("ValidationFraction must be greater than 0 and less than 1.")
