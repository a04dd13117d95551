"""What the Autopilot job left: its best candidate, and the candidates that it was chosen from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from automl_evaluation.errors import EvaluationError
from automl_evaluation.layout import AutoMLJob, JobCandidate

MOST_CANDIDATES = 25


@dataclass(frozen=True)
class Candidate:
    """The best candidate of an Autopilot job."""

    job: str
    job_arn: str
    name: str
    problem_type: str
    objective: str
    validation_value: float | None
    containers: list[dict[str, Any]]
    explainability_uri: str | None
    seconds: float | None
    candidates: list[JobCandidate] = field(default_factory=list)

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return self.problem_type != "Regression"

    def automl_job(self) -> AutoMLJob:
        """`layout.Evaluation.automl_job`."""
        return AutoMLJob(self.job, self.job_arn, self.name, self.seconds, self.candidates)


def best_candidate(client: Any, job: str) -> Candidate:
    """Describe the best candidate of a job that has ended. Raises `EvaluationError` where there is none."""
    described = client.describe_auto_ml_job_v2(AutoMLJobName=job)
    status = described["AutoMLJobStatus"]
    best = described.get("BestCandidate")
    if status not in ("Completed", "Stopped") or not best or not best.get("InferenceContainers"):
        reason = described.get("FailureReason") or "it has no candidate that could be deployed"
        raise EvaluationError(f"Autopilot job {job} is {status}: {reason}")
    metric = best.get("FinalAutoMLJobObjectiveMetric", {})
    artifacts = best.get("CandidateProperties", {}).get("CandidateArtifactLocations", {})
    return Candidate(
        job=job,
        job_arn=described["AutoMLJobArn"],
        name=best["CandidateName"],
        problem_type=_problem_type(described),
        objective=_objective(described, metric),
        validation_value=metric.get("Value"),
        containers=best["InferenceContainers"],
        explainability_uri=artifacts.get("Explainability"),
        seconds=_seconds(described.get("CreationTime"), described.get("EndTime")),
        candidates=_leaderboard(client, job),
    )


def _problem_type(described: dict[str, Any]) -> str:
    """The problem type that was set, or the one that Autopilot inferred."""
    configured = described.get("AutoMLProblemTypeConfig", {}).get("TabularJobConfig", {}).get("ProblemType")
    resolved = described.get("ResolvedAttributes", {}).get("AutoMLProblemTypeResolvedAttributes", {})
    inferred = resolved.get("TabularResolvedAttributes", {}).get("ProblemType")
    problem = configured or inferred
    if not problem:
        raise EvaluationError(f"Autopilot job {described['AutoMLJobName']} does not say its problem type")
    return str(problem)


def _objective(described: dict[str, Any], metric: dict[str, Any]) -> str:
    """The objective metric's name as CreateAutoMLJobV2 spells it."""
    configured = described.get("AutoMLJobObjective", {}).get("MetricName")
    resolved = described.get("ResolvedAttributes", {}).get("AutoMLJobObjective", {}).get("MetricName")
    name = configured or resolved or metric.get("StandardMetricName") or metric.get("MetricName")
    if not name:
        raise EvaluationError(f"Autopilot job {described['AutoMLJobName']} does not say its objective metric")
    return str(name)


def _leaderboard(client: Any, job: str) -> list[JobCandidate]:
    """The job's candidates, the best objective first, those without one last, at most `MOST_CANDIDATES`."""
    answer = client.list_candidates_for_auto_ml_job(
        AutoMLJobName=job,
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
        MaxResults=MOST_CANDIDATES,
    )
    return [
        JobCandidate(
            candidate["CandidateName"],
            candidate["CandidateStatus"],
            candidate.get("FinalAutoMLJobObjectiveMetric", {}).get("Value"),
            _seconds(candidate.get("CreationTime"), candidate.get("EndTime")),
            {
                # MetricName knows the objectives alone; log loss and latency come by their standard name.
                f"{metric.get('MetricName', metric.get('StandardMetricName'))} ({metric['Set']})": metric[
                    "Value"
                ]
                for metric in candidate.get("CandidateProperties", {}).get("CandidateMetrics", [])
            },
        )
        for candidate in sorted(answer["Candidates"], key=_rank)
    ]


def _rank(candidate: dict[str, Any]) -> tuple[bool, float]:
    """What sorts candidates from best to worst; AWS does not say whether its own order knows that less is better."""
    metric = candidate.get("FinalAutoMLJobObjectiveMetric")
    if metric is None:
        return True, 0.0
    return False, metric["Value"] if metric.get("Type") == "Minimize" else -metric["Value"]


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
