"""What SageMaker's inference containers do with a model archive: answer requests."""

from local.serving.errors import BadInput, ModelError
from local.serving.predictor import Predictor

__all__ = ["BadInput", "ModelError", "Predictor"]
