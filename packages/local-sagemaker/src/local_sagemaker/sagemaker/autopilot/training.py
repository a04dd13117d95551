"""AutoGluon's training: the models of a portfolio, one after the other, within the time."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from autogluon.core.callbacks import AbstractCallback
from autogluon.tabular import TabularPredictor

from local_sagemaker.sagemaker.autopilot import decision, metrics
from local_sagemaker.sagemaker.autopilot.data import TARGET, WEIGHT, Prepared
from local_sagemaker.sagemaker.autopilot.objectives import BINARY, MULTICLASS, REGRESSION, Objective

# Below, starting threads for each tree takes longer than growing it.
CELLS_FOR_SEVERAL_CORES = 50_000
SHARE_OF_A_MODEL = 0.3

# A list of the installed packages with each save: nobody reads it, and it takes a third of a second.
TabularPredictor._save_metadata_file = lambda *_, **__: None

_AUTOGLUON = {BINARY: "binary", MULTICLASS: "multiclass", REGRESSION: "regression"}


@dataclass
class Plan:
    """What is trained: AutoGluon's ``hyperparameters``, whether models are combined, limits in seconds."""

    objective: Objective
    hyperparameters: dict[str, list[dict[str, Any]]]
    combined: bool
    seconds: float | None
    seconds_of_a_model: float | None


@dataclass
class Candidate:
    """A trained model and its metrics on the validation rows by their names in the API."""

    model: str
    metrics: dict[str, float]
    decision_weights: list[float]
    seconds: float


class Scorer:
    """Makes candidates of AutoGluon's models, by their predictions of the validation rows."""

    def __init__(self, prepared: Prepared, objective: Objective) -> None:
        self._prepared = prepared
        self._objective = objective
        self._truth = prepared.validation[TARGET].to_numpy()
        weighted = WEIGHT in prepared.validation.columns
        self._weights = prepared.validation[WEIGHT].to_numpy() if weighted else None
        self._decided = (
            objective.decided
            and prepared.problem_type != REGRESSION
            and decision.worth_choosing(self._truth, len(prepared.labels))
        )

    def candidate(self, trainer: Any, model: str) -> Candidate:
        """The candidate that ``model`` is. AutoGluon remembers its predictions of the validation rows."""
        predicted = trainer.get_model_pred_proba_dict(
            X=trainer.load_X_val(), models=[model], use_val_cache=True
        )[model]
        seconds = trainer.get_model_attribute(model=model, attribute="fit_time") or 0.0
        if self._prepared.problem_type == REGRESSION:
            values = metrics.regression(self._truth, np.asarray(predicted), self._weights)
            return Candidate(model, values, [], float(seconds))
        probabilities = np.asarray(predicted, dtype="float64")
        if probabilities.ndim == 1:
            probabilities = np.column_stack([1 - probabilities, probabilities])
        probabilities /= probabilities.sum(axis=1, keepdims=True)  # AutoGluon's are float32
        line: list[float] = []
        if self._decided:
            line = decision.choose(self._objective.name, self._truth, probabilities, self._weights)
        chosen = (probabilities * np.asarray(line or 1.0)).argmax(axis=1)
        values = metrics.classification(
            self._prepared.problem_type, self._truth, probabilities, chosen, self._weights
        )
        return Candidate(model, values, line, float(seconds))


class NothingTrainedError(Exception):
    """There is no model; the message is AutoGluon's."""


class _Progress(AbstractCallback):  # type: ignore[misc]  # AutoGluon has no types
    """Reports each model as it is trained, and leaves what a later process needs to go on from there."""

    def __init__(
        self, predictor: TabularPredictor, scorer: Scorer, report: Callable[[Candidate], None]
    ) -> None:
        super().__init__()
        self._predictor = predictor
        self._scorer = scorer
        self._report = report
        self.reported = 0

    def __reduce__(self) -> tuple[type, tuple[()]]:
        # AutoGluon saves its trainer, callbacks included, after each model; a model has to remember none of
        # this.
        return AbstractCallback, ()

    def before_trainer_fit(self, trainer: Any, **_: Any) -> None:
        self._predictor.save(silent=True)

    def _after_model_fit(self, trainer: Any, model_names: list[str], **_: Any) -> bool:
        for name in model_names:
            self._report(self._scorer.candidate(trainer, name))
            self.reported += 1
        return False


def fit(
    prepared: Prepared, plan: Plan, scorer: Scorer, folder: Path, report: Callable[[Candidate], None]
) -> TabularPredictor:
    """Train in ``folder``; returns AutoGluon's predictor. ``report`` gets each candidate when it is ready.

    Raises NothingTrainedError.
    """
    weighted = WEIGHT in prepared.train.columns
    predictor = TabularPredictor(
        TARGET,
        problem_type=_AUTOGLUON[prepared.problem_type],
        eval_metric=plan.objective.trained_with,
        path=str(folder),
        verbosity=2,
        log_to_file=False,
        sample_weight=WEIGHT if weighted else None,
        weight_evaluation=weighted,
        # Classes of few rows stay classes: a test set may hold them.
        learner_kwargs={"label_count_threshold": 1},
    )
    small = prepared.train.size < CELLS_FOR_SEVERAL_CORES
    progress = _Progress(predictor, scorer, report)
    try:
        predictor.fit(
            prepared.train,
            tuning_data=prepared.validation,
            hyperparameters=plan.hyperparameters,
            time_limit=plan.seconds,
            num_gpus=0,
            num_cpus=1 if small else "auto",
            num_bag_folds=0,
            dynamic_stacking=False,
            calibrate_decision_threshold=False,
            fit_weighted_ensemble=plan.combined,
            ag_args_fit={"max_time_limit": _limit_of_a_model(plan)},
            callbacks=[progress],
        )
    except (
        AssertionError,
        RuntimeError,
    ) as error:  # AutoGluon's, where the time was up, or all models failed
        if progress.reported:
            raise
        raise NothingTrainedError(str(error)) from error
    return predictor


def _limit_of_a_model(plan: Plan) -> float | None:
    """In a short job no model may take the others' time."""
    limits = [plan.seconds_of_a_model, None if plan.seconds is None else plan.seconds * SHARE_OF_A_MODEL]
    return min((limit for limit in limits if limit is not None), default=None)


def resume(folder: Path) -> TabularPredictor:
    """The predictor of a training that was ended in the middle, with the models that it had completed."""
    return TabularPredictor.load(str(folder))


def remember(prepared: Prepared, path: Path) -> None:
    """Keep the prepared data for :func:`recall`."""
    path.write_bytes(pickle.dumps(prepared))


def recall(path: Path) -> Prepared:
    """What :func:`remember` kept."""
    return pickle.loads(path.read_bytes())  # noqa: S301 - written by this job into its own folder
