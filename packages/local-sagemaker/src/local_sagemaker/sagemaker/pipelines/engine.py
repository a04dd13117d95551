"""Runs executions: each step in a thread of its own, as soon as all that it needs has succeeded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from local_sagemaker import runtime
from local_sagemaker.bridge import AWSError
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.pipelines import state
from local_sagemaker.sagemaker.pipelines.definition import Step
from local_sagemaker.sagemaker.pipelines.state import Execution, StepRun
from local_sagemaker.sagemaker.pipelines.steps import callback, condition, fail, lambda_step, processing
from local_sagemaker.sagemaker.pipelines.steps.context import Context, StepFailed, StepStopped

log = logging.getLogger("local_sagemaker.pipelines")

RUNNERS: dict[str, Callable[[Context], dict[str, Any]]] = {
    "Callback": callback.run,
    "Condition": condition.run,
    "Fail": fail.run,
    "Lambda": lambda_step.run,
    "Processing": processing.run,
}
STEPS_FAILED = "Step failure: One or multiple steps failed."
MAX_REASON = 1024


def start(execution: Execution) -> None:
    """Run the steps of ``execution`` that have not run yet, in the background."""
    runtime.current().thread(f"pipeline-{execution.id}", _run, execution)


def _run(execution: Execution) -> None:
    with execution.changed:
        while not runtime.current().stopping.is_set():
            for step in _startable(execution):
                execution.steps[step.name] = run = StepRun(step.name, resources.now())
                if step.body.type == "Processing":  # takes a while: what may follow gets ready beside it
                    steps = execution.definition.steps.values()
                    lambda_step.prepare(one for one in steps if one.name not in execution.steps)
                runtime.current().thread(
                    f"pipeline-{execution.id}-{step.name}", _run_step, execution, step, run
                )
            if not _running(execution):
                _finish(execution)
                return
            execution.changed.wait(timeout=1)


def _startable(execution: Execution) -> list[Step]:
    """None once a step has failed or somebody stops the execution; those that run go on to their end."""
    if execution.stopping or any(run.status == "Failed" for run in execution.steps.values()):
        return []
    most = (execution.parallelism or {}).get("MaxParallelExecutionSteps")
    ready = execution.ready()
    return ready if most is None else ready[: max(0, most - len(_running(execution)))]


def _running(execution: Execution) -> list[StepRun]:
    return [run for run in execution.steps.values() if run.status not in state.ENDED]


def _finish(execution: Execution) -> None:
    if any(run.status == "Failed" for run in execution.steps.values()):
        execution.update("Failed", STEPS_FAILED)
    else:
        execution.update("Stopped" if execution.stopping else "Succeeded")
    log.info("%s: %s", execution.arn, execution.status)


def _run_step(execution: Execution, step: Step, run: StepRun) -> None:
    status, reason, properties = "Failed", "", {}
    try:
        properties = RUNNERS[step.body.type](Context(execution, step, run))
        status = "Succeeded"
    except StepStopped as stop:
        status, reason = "Stopped", stop.reason
    except StepFailed as failure:
        reason = failure.reason
    except AWSError as refusal:  # the pipeline's role cannot be assumed
        reason = f"ClientError: {refusal.message}"
    except Exception as error:  # whatever happens, the step ends, and says why
        log.exception("%s: step %s", execution.arn, step.name)
        reason = f"InternalServerError: {type(error).__name__}: {error}"
    with execution.changed:
        run.status, run.failure_reason, run.ended = status, reason[:MAX_REASON] or None, resources.now()
        run.properties = properties
        execution.modified = run.ended
        execution.changed.notify_all()
    log.info("%s: step %s: %s %s", execution.arn, step.name, status, reason)
