"""Condition steps: every condition must hold for the first branch to be taken."""

from __future__ import annotations

from typing import Any

from local_sagemaker.sagemaker.pipelines import conditions
from local_sagemaker.sagemaker.pipelines.expressions import ExpressionError
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed


def run(context: Context) -> dict[str, Any]:
    """Evaluate the conditions; the property ``Outcome`` then opens one of the branches."""
    scope = context.scope()
    try:
        outcome = all(
            conditions.holds(condition, scope) for condition in context.step.body.arguments.conditions
        )
    except ExpressionError as error:
        raise StepFailed(f"ClientError: {error}") from error
    context.progress("Executing", Condition={"Outcome": str(outcome)})
    return {"Outcome": outcome}
