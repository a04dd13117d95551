"""What training and evaluation may use: do the budgets leave anything, and are the prices those of what is used."""

from automl_gitops.data.consistency.case import Case, Checks, some
from automl_gitops.data.parts import PART_ROWS
from automl_gitops.kernel.settings.prices import AUTOPILOT

# Instances take minutes to start, which counts.
_SHORT_TRAINING, _SHORT_EVALUATION = 600, 900


def budget(case: Case) -> Checks:
    """A job has time for a candidate."""
    limits, path = case.config.autopilot.budget, ("autopilot", "budget")
    if limits.max_seconds_per_training_job > limits.max_seconds:
        yield case.odd(
            (*path, "max_seconds_per_training_job"),
            f"max_seconds_per_training_job = {limits.max_seconds_per_training_job} is more than the whole job has "
            f"(max_seconds = {limits.max_seconds}), so that it never decides: lower it",
        )
    if limits.max_seconds < _SHORT_TRAINING:
        yield case.odd(
            (*path, "max_seconds"),
            f"max_seconds = {limits.max_seconds} leaves Autopilot, whose instances take minutes to start, "
            f"hardly time for "
            f"one candidate: give it {_SHORT_TRAINING} or more",
        )
    elif limits.max_seconds_per_training_job < _SHORT_TRAINING / 10:
        yield case.odd(
            (*path, "max_seconds_per_training_job"),
            f"max_seconds_per_training_job = {limits.max_seconds_per_training_job} ends most trainings before "
            f"they have a "
            "model: give it minutes",
        )


def evaluation(case: Case) -> Checks:
    """The evaluation has time for its transforms, and instances that have something to do."""
    limits = case.config.evaluation
    if limits.max_seconds < _SHORT_EVALUATION:
        yield case.odd(
            ("evaluation", "max_seconds"),
            f"max_seconds = {limits.max_seconds} has to hold two or three batch transforms, whose instances "
            f"take minutes "
            f"to start: give it {_SHORT_EVALUATION} or more",
        )
    if case.test_rows is not None:
        parts = -(-case.test_rows // PART_ROWS)
        if limits.transform_instance_count > max(1, parts):
            yield case.odd(
                ("evaluation", "transform_instance_count"),
                f"transform_instance_count = {limits.transform_instance_count} is paid, and the holdout has work for "
                f"{max(1, parts)} (one for each {PART_ROWS:,} rows): lower it",
            )


def prices(case: Case) -> Checks:
    """What has a price is used."""
    config = case.config
    used = {
        AUTOPILOT,
        config.evaluation.instance_type,
        config.evaluation.transform_instance_type,
        *(one.instance_type for one in (config.staging, config.production) if not one.serverless),
    }
    idle = [name for name in config.prices.model_extra or {} if name not in used]
    if idle:
        yield case.odd(
            ("prices", idle[0]),
            f"prices has {some(idle)}, which nothing in this file uses: remove it, or correct the type",
        )


CHECKS = (budget, evaluation, prices)
