"""A candidate's model archives in S3, and the inference containers that serve them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
from autogluon.tabular import TabularPredictor

from local_sagemaker.sagemaker.autopilot.data import Prepared
from local_sagemaker.sagemaker.autopilot.objectives import REGRESSION
from local_sagemaker.sagemaker.autopilot.training import Candidate
from local_sagemaker.serving import archive
from local_sagemaker.storage import Storage

# Nothing pulls an image here; these have the shape of the real ones.
REGISTRY = "763104351884.dkr.ecr.{region}.{suffix}"
ENSEMBLE_IMAGE = "autogluon-inference:1.6-cpu-py312"
FEATURES_IMAGE = "sagemaker-sklearn-automl:2.5-1-cpu-py3"
ALGORITHM_IMAGE = "sagemaker-xgboost:1.7-1-cpu-py3"
MAX_CONTENT_LENGTH = "20971520"


class Publisher:
    """Writes the archives of one job's candidates under ``prefix``, encrypted with ``key_id`` where given."""

    def __init__(
        self,
        predictor: TabularPredictor,
        prepared: Prepared,
        storage: Storage,
        prefix: str,
        key_id: str | None,
        work: Path,
        region: str,
    ) -> None:
        self._predictor = predictor
        self._trainer: Any = predictor._trainer
        self._generator: Any = predictor._learner.feature_generator
        self._prepared = prepared
        self._storage = storage
        self._prefix = prefix
        self._key_id = key_id
        self._work = work
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._registry = REGISTRY.format(region=region, suffix=suffix)
        self._features_uri = ""

    def ensemble(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Upload a candidate of ensembling mode; its one container."""
        description = archive.Description(
            kind="ensemble",
            problem_type=self._prepared.problem_type,
            columns=self._prepared.columns,
            labels=self._prepared.labels,
            decision_weights=candidate.decision_weights,
            model=candidate.model,
        )
        root = Path(self._predictor.path)
        needed = self._trainer.get_minimum_model_set(candidate.model)
        files = [root / "predictor.pkl", root / "learner.pkl", root / "models" / "trainer.pkl"]
        files.append(root / "version.txt")
        files += [root / "models" / name for name in needed]
        uri = self._upload(
            f"sagemaker-automl-candidates/{candidate.model}",
            description,
            {f"predictor/{path.relative_to(root).as_posix()}": path for path in files},
        )
        environment = {
            "MAX_CONTENT_LENGTH": MAX_CONTENT_LENGTH,
            "MODEL_NAME": candidate.model,
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
            "SAGEMAKER_PROGRAM": "serving.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        }
        if self._prepared.problem_type != REGRESSION:
            environment |= {
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": "predicted_label,probability,probabilities,labels",
            }
        return [self._container(ENSEMBLE_IMAGE, uri, environment)]

    def tuned(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Upload a candidate of hyperparameter tuning mode; its two or three containers."""
        problem_type = self._prepared.problem_type
        description = archive.Description(
            kind="algorithm",
            problem_type=problem_type,
            features=_features(self._trainer.load_X_val()[self._generator.features_out]),
            decision_weights=candidate.decision_weights,
            model=candidate.model,
        )
        model = Path(self._predictor.path) / "models" / candidate.model
        algorithm_uri = self._upload(f"tuning/{candidate.model}/output", description, {"model": model})
        self._features_uri = self._features_uri or self._upload_features()
        containers = [
            self._container(FEATURES_IMAGE, self._features_uri, _program("feature-transform")),
            self._container(
                ALGORITHM_IMAGE,
                algorithm_uri,
                {
                    "MAX_CONTENT_LENGTH": MAX_CONTENT_LENGTH,
                    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
                },
            ),
        ]
        if problem_type != REGRESSION:
            containers[1]["Environment"] |= {
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": "predicted_label,probability,probabilities",
            }
            labels = _program("inverse-label-transform") | {
                "SAGEMAKER_INFERENCE_INPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label",
                "SAGEMAKER_INFERENCE_SUPPORTED": "predicted_label,probability,labels,probabilities",
            }
            containers.append(self._container(FEATURES_IMAGE, self._features_uri, labels))
        return containers

    def _upload_features(self) -> str:
        description = archive.Description(
            kind="features",
            problem_type=self._prepared.problem_type,
            columns=self._prepared.columns,
            labels=self._prepared.labels,
        )
        path = self._work / "features.pkl"
        path.write_bytes(pickle.dumps(self._generator))
        return self._upload("data-processor-models/dpp0/output", description, {"features.pkl": path})

    def _upload(self, name: str, description: archive.Description, files: dict[str, Path]) -> str:
        packed = archive.pack(files, description, self._work / "model.tar.gz")
        uri = f"{self._prefix}/{name}/model.tar.gz"
        self._storage.upload(packed, uri, self._key_id)
        packed.unlink()
        return uri

    def _container(self, image: str, uri: str, environment: dict[str, str]) -> dict[str, Any]:
        return {"Image": f"{self._registry}/{image}", "ModelDataUrl": uri, "Environment": environment}


def _program(mode: str) -> dict[str, str]:
    return {
        "AUTOML_TRANSFORM_MODE": mode,
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
        "SAGEMAKER_PROGRAM": "sagemaker_serve",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }


def _features(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The features as the algorithm container needs them to restore a frame from a CSV."""
    features: list[dict[str, Any]] = []
    for name in frame.columns:
        dtype = frame[name].dtype
        if isinstance(dtype, pd.CategoricalDtype):
            features.append({"name": name, "categories": [int(value) for value in dtype.categories]})
        else:
            features.append({"name": name, "dtype": str(dtype)})
    return features
