"""Lambda steps: the function is invoked over HTTP as the pipeline's role."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from local_sagemaker.lambda_ import pool
from local_sagemaker.sagemaker.pipelines import values
from local_sagemaker.sagemaker.pipelines.definition import Step
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed, api_failure


def prepare(steps: Iterable[Step]) -> None:
    """Have the functions of Lambda steps among ``steps`` ready, as far as the definition itself names them."""
    for step in steps:
        if step.body.type == "Lambda" and isinstance(step.body.function_arn, str):
            pool.prepare(step.body.function_arn)


def run(context: Context) -> dict[str, Any]:
    """Invoke the function, and return its output parameters as the step's properties."""
    step, arn = context.step, context.evaluate(context.step.body.function_arn)
    payload = json.dumps(context.evaluate(step.body.arguments))
    context.progress("Executing", Lambda={"Arn": arn})
    try:
        answer = context.client("lambda").invoke(FunctionName=arn, Payload=payload)
    except ReadTimeoutError as error:
        raise StepFailed(
            f"ClientError: The Lambda function {arn} did not answer within 10 minutes"
        ) from error
    except (ClientError, BotoCoreError) as error:
        raise StepFailed(api_failure("lambda:Invoke", error)) from error
    body = answer["Payload"].read().decode()
    if answer.get("FunctionError"):
        raise StepFailed(f"ClientError: The Lambda function {arn} failed ({answer['FunctionError']}): {body}")
    outputs = _outputs(step.outputs, body)
    listed = [{"Name": name, "Value": values.to_text(value)} for name, value in outputs.items()]
    context.progress("Executing", Lambda={"Arn": arn, "OutputParameters": listed})
    return {"OutputParameters": outputs}


def _outputs(declared: dict[str, str], body: str) -> dict[str, Any]:
    """The declared outputs in the function's answer; what else it holds is not the pipeline's business."""
    if not declared:
        return {}
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise StepFailed(
            f"ClientError: The Lambda function did not answer with JSON: {body[:200]}"
        ) from error
    if not isinstance(answer, dict):
        raise StepFailed(f"ClientError: The Lambda function did not answer with a JSON object: {body[:200]}")
    outputs = {}
    for name, kind in declared.items():
        if name not in answer:
            raise StepFailed(f"ClientError: The Lambda function's answer has no output parameter '{name}'")
        try:
            outputs[name] = values.from_json(name, kind, answer[name])
        except values.MismatchError as error:
            raise StepFailed(f"ClientError: Output parameter of the Lambda function: {error}") from error
    return outputs
