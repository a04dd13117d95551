"""The life of an AutoML job: its training process, and what the job's description becomes by its messages."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_sagemaker import runtime, storage, workers
from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import jobs, keys, roles
from local_sagemaker.sagemaker.autopilot import rights
from local_sagemaker.sagemaker.autopilot.channels import channels
from local_sagemaker.sagemaker.autopilot.objectives import objective
from local_sagemaker.sagemaker.autopilot.requests import LEAST_ROWS, LENIENT_ROWS, Settings, settings
from local_sagemaker.sagemaker.logs import Log
from local_sagemaker.sagemaker.resources import now

# A training that does not end by itself this long after its limit is ended, and what it has is published.
GRACE_SECONDS = 30.0
# Publishing takes a second or two; on a machine that has other things to do it may take longer.
SALVAGE_SECONDS = 120.0
PROCESS = "local_sagemaker.sagemaker.autopilot.process"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class AutoMLJob(jobs.Job):
    """An AutoML job."""

    resource = "automl-job"
    prefix = "AutoMLJob"
    collection = "auto_ml_jobs"
    ended = "EndTime"
    missing = ("ResourceNotFound", "Could not find AutoML job with name {name}.")

    def __init__(self, caller: Caller, request: dict[str, Any]) -> None:
        described = {"AutoMLProblemTypeConfigName": "Tabular", "AutoMLJobSecondaryStatus": "Starting"}
        super().__init__(caller, request | described)
        self._request = request
        self._candidates: dict[str, dict[str, Any]] = {}
        self._objective = ""
        self._best: str | None = None
        self._partial: list[dict[str, str]] = []
        self._changing = threading.Lock()

    def run(self) -> None:
        """Train and publish. Raises JobError."""
        account, region = self.caller.account, self.caller.region
        folder = runtime.place(runtime.current().directory / "automl-jobs", f"{account}/{region}/{self.name}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            self._train(folder)
        finally:
            shutil.rmtree(folder / "predictor", ignore_errors=True)

    def _train(self, folder: Path) -> None:
        credentials = roles.credentials(self._request["RoleArn"], self.caller.region)
        keys.check_role(
            self._request["RoleArn"],
            self.caller.region,
            volume=self._request.get("SecurityConfig", {}).get("VolumeKmsKeyId"),
            output=self._request["OutputDataConfig"].get("KmsKeyId"),
        )
        chosen = settings(self._request, self._size(credentials))
        if not chosen.algorithms:
            raise jobs.JobError(f"ClientError: None of {', '.join(chosen.missing)} is installed.")
        for name in chosen.missing:
            self._note(f"The algorithm {name} was left out: it is not installed where the local AWS runs.")
        argument = self._argument(chosen, dict(credentials), folder)
        worker = workers.start(f"{PROCESS}:run", argument, {}, folder / "log")
        try:
            finished = self._follow(worker, self._deadline())
        finally:
            worker.kill()
            self._ship_log(credentials, folder / "log")
        if not finished and not runtime.current().stopping.is_set():
            # Stopped, or far beyond its time: what was trained is published by another process.
            self._salvage(argument, folder / "log")
        self._end_candidates()
        if self.stopping.is_set():
            self.end("Stopped", AutoMLJobSecondaryStatus="Stopped")
        elif self._best is None:
            raise jobs.JobError("ClientError: No candidate was trained within the time that the job has.")
        else:
            self.end("Completed", AutoMLJobSecondaryStatus="Completed")

    def _ship_log(self, credentials: Any, file: Path) -> None:
        """Leave the log where the training jobs of an AutoML job have theirs, under names that begin with its own."""
        stream = f"{self.name}-trial-t1-1/algo-1-{int(time.time())}"
        with contextlib.suppress(OSError):  # it never began
            text = file.read_text(encoding="utf-8", errors="replace")
            Log(credentials, LOG_GROUP, stream).write(text.splitlines())

    def _salvage(self, argument: dict[str, Any], log: Path) -> None:
        worker = workers.start(f"{PROCESS}:salvage", argument, {}, log)
        try:
            self._follow(worker, time.monotonic() + SALVAGE_SECONDS, heed_stop=False)
        except jobs.JobError as failure:
            self._note(f"What was trained could not be published: {failure}")
        finally:
            worker.kill()

    def candidates(self) -> list[dict[str, Any]]:
        """The candidates so far, as ListCandidatesForAutoMLJob gives them."""
        with self._changing:
            return [dict(candidate) for candidate in self._candidates.values()]

    def _size(self, credentials: Any) -> int:
        """Bytes of the training data. What is wrong with it the training process says."""
        source = channels(self._request)["training"]["DataSource"]["S3DataSource"]
        try:
            objects = storage.Storage(credentials).find(source["S3Uri"], source["S3DataType"])
        except (storage.NothingFoundError, ClientError):
            return 0
        return sum(item.size for item in objects)

    def _argument(self, chosen: Settings, credentials: dict[str, str], folder: Path) -> dict[str, Any]:
        output = self._request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
        return {
            "request": self._request,
            "credentials": credentials,
            "region": self.caller.region,
            "folder": str(folder),
            "prefix": f"{output}/{self.name}",
            "mode": chosen.mode,
            "algorithms": chosen.algorithms,
            "max_candidates": chosen.max_candidates,
            "no_explanation": rights.why_no_explanation(
                self._request["RoleArn"], self.name, self.caller.region
            ),
            "least_rows": LENIENT_ROWS if runtime.current().lenient else LEAST_ROWS,
        }

    def _deadline(self) -> float:
        tabular = self._request["AutoMLProblemTypeConfig"]["TabularJobConfig"]
        limit = tabular.get("CompletionCriteria", {}).get("MaxAutoMLJobRuntimeInSeconds", float("inf"))
        return time.monotonic() + limit + GRACE_SECONDS

    def _follow(self, worker: workers.Worker, deadline: float, heed_stop: bool = True) -> bool:
        """Take in messages until the process is done; False where it was stopped, died or is out of time."""
        connection: Connection = worker.connection
        while not runtime.current().stopping.is_set() and time.monotonic() < deadline:
            if heed_stop and self.stopping.is_set():
                return False
            try:
                if not connection.poll(0.2):
                    continue
                message = connection.recv()
            except (EOFError, OSError):
                return False
            if message["event"] == "done":
                return True
            getattr(self, f"_on_{message.pop('event')}")(**message)
        return False

    def _on_status(self, secondary: str) -> None:
        if not self.stopping.is_set():
            self.update(AutoMLJobSecondaryStatus=secondary)

    def _on_resolved(self, problem_type: str, objective: str) -> None:
        self._objective = objective
        tabular = self._request["AutoMLProblemTypeConfig"]["TabularJobConfig"]
        resolved = {
            "AutoMLJobObjective": {"MetricName": objective},
            "AutoMLProblemTypeResolvedAttributes": {
                "TabularResolvedAttributes": {"ProblemType": problem_type},
            },
        }
        if "CompletionCriteria" in tabular:
            resolved["CompletionCriteria"] = tabular["CompletionCriteria"]
        self.update(ResolvedAttributes=resolved)

    def _on_candidate(self, model: str, metrics: dict[str, float], seconds: float, **_: Any) -> None:
        with self._changing:
            self._candidates[model] = self._candidate(model, metrics, now())

    def _on_published(
        self, model: str, metrics: dict[str, float], containers: list[dict[str, Any]], best: bool
    ) -> None:
        with self._changing:
            candidate = self._candidates.setdefault(model, self._candidate(model, metrics, now()))
            candidate |= {
                "InferenceContainers": containers,
                "CandidateStatus": "Completed",
                "EndTime": now(),
            }
            if best:
                self._best = model
                self.update(BestCandidate=dict(candidate))

    def _on_artifacts(self, explainability: str | None, insights: str, exploration: str) -> None:
        with self._changing:
            candidate = self._candidates[self._best or ""]
            candidate["CandidateProperties"]["CandidateArtifactLocations"] = {
                **({"Explainability": explainability} if explainability else {}),
                "ModelInsights": insights,
            }
            artifacts = {"DataExplorationNotebookLocation": exploration}
            self.update(BestCandidate=dict(candidate), AutoMLJobArtifacts=artifacts)

    def _on_partial(self, reason: str) -> None:
        self._note(reason)

    def _on_failed(self, reason: str) -> None:
        self.update(AutoMLJobSecondaryStatus="Failed")
        raise jobs.JobError(reason)

    def _note(self, reason: str) -> None:
        self._partial = [*self._partial, {"PartialFailureMessage": reason}][:5]
        self.update(PartialFailureReasons=self._partial)

    def _end_candidates(self) -> None:
        with self._changing:
            for candidate in self._candidates.values():
                if candidate["CandidateStatus"] == "InProgress":
                    candidate |= {"CandidateStatus": "Stopped", "EndTime": now()}

    def _candidate(self, model: str, values: dict[str, float], moment: datetime) -> dict[str, Any]:
        target = objective(self._objective)
        metrics = [
            {"StandardMetricName": name, "Value": value, "Set": "Validation"}
            # LogLoss is a standard metric, and none that can be optimised.
            | ({} if name == "LogLoss" else {"MetricName": name})
            for name, value in values.items()
        ]
        return {
            "CandidateName": model,
            "FinalAutoMLJobObjectiveMetric": {
                "Type": "Maximize" if target.maximize else "Minimize",
                "MetricName": target.name,
                "StandardMetricName": target.name,
                "Value": values[target.name],
            },
            "ObjectiveStatus": "Succeeded",
            "CandidateSteps": [],
            "CandidateStatus": "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "CandidateProperties": {"CandidateMetrics": metrics},
        }
