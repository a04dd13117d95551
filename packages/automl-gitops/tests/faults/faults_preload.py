"""What commands import and read, before the process is forked that runs them; and that they hardly wait."""

from __future__ import annotations

import gc
import importlib

import boto3

from automl_gitops.kernel import waiting
from automl_gitops.runs import definition
from support import service_models

# What commands import when they are called, and what a definition is built with.
COMMANDS = (
    "commands.main", "commands.data", "commands.runs", "commands.serving", "commands.infrastructure",
    "commands.workflow", "commands.doctor", "data.push", "doctor", "plan", "plan.page",
    "promotion.drift", "promotion.promote", "promotion.propose", "promotion.rollback", "promotion.stage",
    "promotion.status", "report", "runs.run", "runs.upsert", "stacks.setup", "stacks.teardown", "verification.verify",
)  # fmt: skip
SDK = (
    "core.lambda_helper", "core.network", "core.processing", "core.shapes", "core.workflow.conditions",
    "core.workflow.functions", "core.workflow.parameters", "core.workflow.pipeline_context",
    "mlops.workflow.callback_step", "mlops.workflow.condition_step", "mlops.workflow.fail_step",
    "mlops.workflow.lambda_step", "mlops.workflow.pipeline", "mlops.workflow.retry", "mlops.workflow.steps",
)  # fmt: skip
SERVICES = (
    "application-autoscaling", "cloudformation", "cloudwatch", "iam", "lambda", "logs", "s3", "sagemaker",
    "sagemaker-runtime", "service-quotas", "sqs", "sts",
)  # fmt: skip


def preload(*, sdk: bool = False) -> None:
    """Import what commands import, before anything is forked; the SageMaker SDK, which takes seconds, if asked for."""
    for name in COMMANDS:
        importlib.import_module(f"automl_gitops.{name}")
    # The models of AWS's services, which take longest of a client, are read once for all sessions of all forks.
    service_models.remember()
    given = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "eu-west-1"}
    for name in SERVICES:
        boto3.Session(**given).client(name)
    if sdk:
        # As the project itself builds a definition: with a region, and away from the user's configuration.
        with definition.alone("eu-west-1"):
            for name in SDK:
                importlib.import_module(f"sagemaker.{name}")
    gc.freeze()  # none of it is garbage, in this process or in a fork


def quicken() -> None:
    """Let this process, which runs a command, wait for next to nothing between two looks or attempts."""
    from botocore.retries import standard
    from urllib3.util.retry import Retry

    waiting.SHORTEST, waiting.LONGEST = 0.2, 0.4
    standard.ExponentialBackoff.delay_amount = lambda *_: 0  # type: ignore[method-assign]
    Retry.get_backoff_time = lambda _: 0  # type: ignore[method-assign]
