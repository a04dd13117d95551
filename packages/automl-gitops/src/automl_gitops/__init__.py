"""What executes in a project around SageMaker Autopilot: the command `automl`, and the library behind it."""

__version__ = "0.1.0"
