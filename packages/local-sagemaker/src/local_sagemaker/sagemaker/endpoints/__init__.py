"""Real-time and serverless endpoints: they hold models, take traffic, shift it and go back."""

from local_sagemaker.sagemaker.endpoints import configs, invocation, operations

__all__ = ["configs", "invocation", "operations"]
