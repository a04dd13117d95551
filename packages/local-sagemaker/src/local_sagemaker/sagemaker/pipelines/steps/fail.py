"""Fail steps: they end the execution with a message."""

from __future__ import annotations

from typing import Any

from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed


def run(context: Context) -> dict[str, Any]:
    """Fail with the step's message."""
    message = context.evaluate({"Std:Join": {"Values": [context.step.body.arguments.error_message]}})
    context.progress("Executing", Fail={"ErrorMessage": message[:3072]})
    raise StepFailed(message)
