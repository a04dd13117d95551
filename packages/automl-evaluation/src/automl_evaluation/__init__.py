"""How a model is measured: runs in SageMaker's scikit-learn container, with its packages and the standard library."""

__version__ = "0.1.0"
