"""What SageMaker's inference containers do with a model archive: answer requests."""

from local_sagemaker.serving.errors import BadInput, DownloadError, ModelError
from local_sagemaker.serving.predictor import Predictor

__all__ = ["BadInput", "DownloadError", "ModelError", "Predictor"]
