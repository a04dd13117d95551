"""The training process of a job: reads, trains, publishes, explains, and reports to who started it.

Every message is a dictionary with ``event``:

- ``status``: ``secondary``, the job's new secondary status
- ``resolved``: ``problem_type``, ``objective``
- ``candidate``: ``model``, ``metrics``, ``seconds`` of a trained model
- ``published``: ``model``, ``metrics``, ``containers``, ``best``
- ``artifacts``: ``explainability`` (None where there is none), ``insights``, ``exploration``: S3 prefixes and
  the notebook's URI
- ``partial``: ``reason`` for which something is missing
- ``failed``: ``reason``
- ``done``
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from local_sagemaker.sagemaker.autopilot import data, insights, portfolio, training
from local_sagemaker.sagemaker.autopilot.channels import channels
from local_sagemaker.sagemaker.autopilot.objectives import REGRESSION, Objective, default, objective
from local_sagemaker.sagemaker.autopilot.publishing import Publisher
from local_sagemaker.storage import Storage

log = logging.getLogger(__name__)


def run(connection: Connection, job: dict[str, Any]) -> None:
    """Do a job.

    ``job`` has ``request`` (CreateAutoMLJobV2's), ``credentials``, ``region``, ``folder``, the ``prefix`` in
    S3, what follows from the request: ``mode``, ``algorithms``, ``max_candidates``, ``least_rows`` to train on,
    and ``no_explanation``: why the role may not have the best model explained, or None.
    """
    _guarded(connection, lambda: _Job(connection, job).run())


def salvage(connection: Connection, job: dict[str, Any]) -> None:
    """Publish what :func:`run` had trained when it was ended."""
    _guarded(connection, lambda: _Job(connection, job).salvage())


def _guarded(connection: Connection, work: Callable[[], None]) -> None:
    # AutoGluon imports it, where it is installed, to warn of one of its settings: that takes seconds.
    sys.modules.setdefault("mlflow", None)  # type: ignore[arg-type]
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    try:
        work()
    except data.DataError as failure:
        connection.send({"event": "failed", "reason": str(failure)})
    except Exception as error:
        traceback.print_exc()
        connection.send(
            {"event": "failed", "reason": f"InternalServerError: {type(error).__name__}: {error}"}
        )


class _Job:
    def __init__(self, connection: Connection, job: dict[str, Any]) -> None:
        self._started = time.monotonic()
        self._connection = connection
        self._job = job
        self._request = job["request"]
        self._tabular = self._request["AutoMLProblemTypeConfig"]["TabularJobConfig"]
        self._criteria = self._tabular.get("CompletionCriteria", {})
        self._budget: float | None = self._criteria.get("MaxAutoMLJobRuntimeInSeconds")
        self._folder = Path(job["folder"])
        self._key_id = self._request["OutputDataConfig"].get("KmsKeyId")
        self._storage = Storage(job["credentials"])

    def run(self) -> None:
        self._status("AnalyzingData")
        prepared = self._prepared()
        target = self._resolved(prepared)
        training.remember(prepared, self._folder / "prepared.pkl")
        for note in prepared.notes:
            self._send("partial", reason=note)
        self._status("FeatureEngineering")
        plan = self._plan(target)
        scorer = training.Scorer(prepared, target)
        self._status("ModelTuning")
        candidates: list[training.Candidate] = []

        def report(candidate: training.Candidate) -> None:
            candidates.append(candidate)
            self._send("candidate", **vars(candidate))

        try:
            predictor = training.fit(prepared, plan, scorer, self._folder / "predictor", report)
        except training.NothingTrainedError as error:
            raise data.DataError(f"ClientError: No candidate could be trained. {error}") from error
        wanted = sum(map(len, plan.hyperparameters.values()))
        in_time = len(candidates) >= wanted
        self._status("MaxCandidatesReached" if in_time else "MaxAutoMLJobRuntimeReached")
        self._finish(predictor, prepared, target, candidates)

    def salvage(self) -> None:
        if not (self._folder / "predictor" / "models" / "trainer.pkl").exists():
            self._send("done")
            return
        prepared = training.recall(self._folder / "prepared.pkl")
        target = self._resolved(prepared)
        predictor = training.resume(self._folder / "predictor")
        trainer: Any = predictor._trainer
        scorer = training.Scorer(prepared, target)
        candidates = [scorer.candidate(trainer, name) for name in predictor.model_names()]
        if candidates:
            publisher = self._publisher(predictor, prepared)
            self._publish(publisher, _best(candidates, target), best=True)
        self._send("done")

    def _prepared(self) -> data.Prepared:
        by_type = channels(self._request)
        train = data.read(self._storage, by_type["training"])
        validation = data.read(self._storage, by_type["validation"]) if "validation" in by_type else None
        specification = data.specification(self._storage, self._tabular.get("FeatureSpecificationS3Uri"))
        request = {
            "target": self._tabular["TargetAttributeName"],
            "weight": self._tabular.get("SampleWeightAttributeName"),
            "problem_type": self._tabular.get("ProblemType"),
            "validation_fraction": self._request.get("DataSplitConfig", {}).get("ValidationFraction", 0.2),
            "least_rows": self._job["least_rows"],
            "mode": self._job["mode"],
        }
        return data.prepare(train, validation, request, specification)

    def _resolved(self, prepared: data.Prepared) -> Objective:
        named = self._request.get("AutoMLJobObjective", {}).get("MetricName")
        target = objective(named) if named else default(prepared.problem_type)
        if target.name == "AUC" and prepared.validation[data.TARGET].nunique() < 2:
            raise data.DataError("ClientError: AUC needs validation rows of both classes.")
        self._send("resolved", problem_type=prepared.problem_type, objective=target.name)
        return target

    def _plan(self, target: Objective) -> training.Plan:
        tuning = self._job["mode"] == "HYPERPARAMETER_TUNING"
        count = self._job["max_candidates"]
        # Of several candidates one is the combination of the others.
        combined = not tuning and count > 2
        models = (portfolio.tuning if tuning else portfolio.ensembling)(
            self._job["algorithms"], count - 1 if combined else count
        )
        return training.Plan(
            target,
            models,
            combined,
            None if self._budget is None else max(1.0, self._left() - self._reserve()),
            self._criteria.get("MaxRuntimePerTrainingJobInSeconds"),
        )

    def _reserve(self) -> float:
        """Seconds that the end of the job needs: archives, reports."""
        return min(20.0, 0.15 * (self._budget or 0.0))

    def _left(self) -> float:
        return (self._budget or float("inf")) - (time.monotonic() - self._started)

    def _finish(
        self, predictor: Any, prepared: data.Prepared, target: Objective, candidates: list[training.Candidate]
    ) -> None:
        publisher = self._publisher(predictor, prepared)
        best = _best(candidates, target)
        self._publish(publisher, best, best=True)
        self._status("GeneratingExplainabilityReport")
        self._reports(predictor, prepared, target, candidates, best)
        for candidate in candidates:
            if candidate is not best:
                self._publish(publisher, candidate, best=False)
        self._send("done")

    def _publisher(self, predictor: Any, prepared: data.Prepared) -> Publisher:
        return Publisher(
            predictor,
            prepared,
            self._storage,
            self._job["prefix"],
            self._key_id,
            self._folder,
            self._job["region"],
        )

    def _publish(self, publisher: Publisher, candidate: training.Candidate, best: bool) -> None:
        tuning = self._job["mode"] == "HYPERPARAMETER_TUNING"
        containers = publisher.tuned(candidate) if tuning else publisher.ensemble(candidate)
        self._send(
            "published", model=candidate.model, containers=containers, best=best, metrics=candidate.metrics
        )

    def _reports(
        self,
        predictor: Any,
        prepared: data.Prepared,
        target: Objective,
        candidates: list[training.Candidate],
        best: training.Candidate,
    ) -> None:
        prefix = self._job["prefix"]
        explainability: str | None = f"{prefix}/documentation/explainability/output/{best.model}"
        model_insights = f"{prefix}/documentation/model_insights/{best.model}"
        notebook = (
            f"{prefix}/sagemaker-automl-candidates/notebooks/SageMakerAutopilotDataExplorationNotebook.ipynb"
        )

        def predict(rows: pd.DataFrame) -> np.ndarray:
            if prepared.problem_type == REGRESSION:
                return predictor.predict(rows, model=best.model, as_pandas=False).reshape(-1, 1)
            return predictor.predict_proba(rows, model=best.model, as_multiclass=True, as_pandas=False)

        predictor.persist([best.model], max_memory=None)
        if self._job["no_explanation"]:
            self._send(
                "partial", reason=f"The best candidate is not explained: {self._job['no_explanation']}"
            )
            explainability = None
        else:
            seconds = min(10.0, max(0.5, self._left() / 2 if self._budget else 5.0))
            analysis = insights.attributions(prepared, predict, seconds)
            self._write(f"{explainability}/analysis.json", analysis)
        self._status("GeneratingModelInsightsReport")
        predicted = predict(prepared.validation[prepared.features]) * np.asarray(best.decision_weights or 1.0)
        quality = insights.model_quality(prepared, best.metrics, predicted)
        self._write(f"{model_insights}/statistics.json", quality)
        exploration = insights.exploration(prepared, self._tabular["TargetAttributeName"])
        self._storage.write(notebook, exploration, self._key_id)
        self._storage.write(f"{prefix}/leaderboard.csv", _leaderboard(candidates, target), self._key_id)
        self._send("artifacts", explainability=explainability, insights=model_insights, exploration=notebook)

    def _write(self, uri: str, content: Any) -> None:
        self._storage.write(uri, json.dumps(content, indent=1).encode(), self._key_id)

    def _status(self, secondary: str) -> None:
        log.info("%s after %.1f s", secondary, time.monotonic() - self._started)
        self._send("status", secondary=secondary)

    def _send(self, event: str, **content: Any) -> None:
        self._connection.send({"event": event, **content})


def _best(candidates: list[training.Candidate], target: Objective) -> training.Candidate:
    sign = 1 if target.maximize else -1
    return max(candidates, key=lambda candidate: sign * candidate.metrics[target.name])


def _leaderboard(candidates: list[training.Candidate], target: Objective) -> bytes:
    table = pd.DataFrame(
        {"model": c.model, "seconds": round(c.seconds, 3), **c.metrics} for c in candidates
    ).sort_values(target.name, ascending=not target.maximize)
    return table.to_csv(index=False).encode()
