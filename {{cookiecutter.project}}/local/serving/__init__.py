"""What SageMaker's inference containers do with a model archive: answer requests."""

from local.serving.errors import BadInput, DownloadError, ModelError
from local.serving.predictor import Predictor

__all__ = ["BadInput", "DownloadError", "ModelError", "Predictor"]
