"""What runs where: are budgets, endpoints, verification and alarms possible, and prices those of what is used."""

from automl_gitops.data.consistency.case import Case, Checks
from automl_gitops.data.lock import PART_ROWS
from automl_gitops.kernel.settings.account import AUTOPILOT
from automl_gitops.kernel.settings.endpoints import Hosting
from automl_gitops.kernel.words import some

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
            f"max_seconds = {limits.max_seconds} leaves Autopilot, whose instances take minutes to start, hardly time "
            f"for one candidate: give it {_SHORT_TRAINING} or more",
        )
    elif limits.max_seconds_per_training_job < _SHORT_TRAINING / 10:
        yield case.odd(
            (*path, "max_seconds_per_training_job"),
            f"max_seconds_per_training_job = {limits.max_seconds_per_training_job} ends most trainings before they "
            "have a model: give it minutes",
        )


def evaluation(case: Case) -> Checks:
    """The evaluation has time for its transforms, and instances that have something to do."""
    limits = case.config.evaluation
    if limits.max_seconds < _SHORT_EVALUATION:
        yield case.odd(
            ("evaluation", "max_seconds"),
            f"max_seconds = {limits.max_seconds} has to hold two to four batch transforms, whose instances take "
            f"minutes to start: give it {_SHORT_EVALUATION} or more",
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


_TUNING = "HYPERPARAMETER_TUNING"
# AUTO takes tuning from 100 MB of data on (developer guide, "Training modes").
TUNING_BYTES = 100 * 1024**2
_FEWEST_FOR_P95 = 20


def serverless(case: Case) -> Checks:
    """A serverless endpoint takes models of one container, and lies in no VPC."""
    mode, reference = case.config.autopilot.mode, case.lock.reference if case.lock else None
    for name, hosting in _endpoints(case):
        path = (name, "serverless")
        if not hosting.serverless:
            continue
        if mode == _TUNING:
            yield case.wrong(
                path,
                f'serverless takes models of one container, and [autopilot] mode = "{_TUNING}" makes models of '
                f"several: use "
                f'mode = "ENSEMBLING", or instances in [{name}]',
            )
        elif mode == "AUTO" and reference and reference.bytes > TUNING_BYTES:
            yield case.wrong(
                path,
                f"serverless takes models of one container, and with {reference.bytes:,} bytes of data "
                f"[autopilot] mode = "
                f'"AUTO" is {_TUNING}, which makes models of several: use mode = "ENSEMBLING", or instances in '
                f"[{name}]",
            )
        elif mode == "AUTO":
            yield case.odd(
                path,
                'serverless takes models of one container, which [autopilot] mode = "AUTO" makes below 100 MB of data '
                'alone: mode = "ENSEMBLING" makes them of any',
            )
        if case.config.network:
            yield case.odd(
                path, f"serverless has no VPC: the {name} endpoint is outside of the subnets of [network]"
            )
    if bool(case.config.staging.serverless) != bool(case.config.production.serverless):
        name = "staging" if case.config.staging.serverless else "production"
        yield case.odd(
            (name, "serverless"),
            f"serverless is in [{name}] alone, so that staging verifies a version on other hosting than production's",
        )


def _endpoints(case: Case) -> list[tuple[str, Hosting]]:
    return [("staging", case.config.staging), ("production", case.config.production)]


def verification(case: Case) -> Checks:
    """The limits of the verification can bind, and fit the alarms of production."""
    limits, alarms = case.config.verification, case.config.production.alarms
    if case.test_rows is not None and limits.rows > case.test_rows and "rows" in limits.model_fields_set:
        yield case.odd(
            ("verification", "rows"),
            f"rows = {limits.rows:,} is more than the {case.test_rows:,} of the holdout: all of these are predicted",
        )
    if limits.requests < limits.concurrency:
        yield case.odd(
            ("verification", "requests"),
            f"requests = {limits.requests} is less than concurrency = {limits.concurrency}: some clients send none",
        )
    elif limits.requests < _FEWEST_FOR_P95:
        yield case.odd(
            ("verification", "requests"),
            f"requests = {limits.requests} is too few for a 95th percentile: the slowest alone decides",
        )
    if limits.max_latency_p50_ms > limits.max_latency_p95_ms:
        yield case.odd(
            ("verification", "max_latency_p50_ms"),
            f"max_latency_p50_ms = {limits.max_latency_p50_ms:g} is above max_latency_p95_ms = "
            f"{limits.max_latency_p95_ms:g}, so that it never decides: swap them, or remove it",
        )
    if limits.max_error_rate == 1:
        yield case.odd(
            ("verification", "max_error_rate"),
            "max_error_rate = 1 lets an endpoint pass that answers nothing",
        )
    if limits.max_error_rate > alarms.max_5xx_share:
        yield case.odd(
            ("verification", "max_error_rate"),
            f"max_error_rate = {limits.max_error_rate:g} lets a version pass that the alarm of production rolls back "
            f"([production.alarms] max_5xx_share = {alarms.max_5xx_share:g}): lower it",
        )
    if limits.max_latency_p95_ms > alarms.max_latency_p95_ms:
        yield case.odd(
            ("verification", "max_latency_p95_ms"),
            f"max_latency_p95_ms = {limits.max_latency_p95_ms:g} lets a version pass that the alarm of production may "
            f"roll back ([production.alarms] max_latency_p95_ms = {alarms.max_latency_p95_ms:g}): lower it",
        )


def deployment(case: Case) -> Checks:
    """The alarms have time to see a new version before all traffic is its."""
    production = case.config.production
    how, period = production.deployment, production.alarms.period_seconds
    if production.serverless:
        return
    if how.wait_seconds < period:
        yield case.odd(
            ("production", "deployment", "wait_seconds"),
            f"wait_seconds = {how.wait_seconds} is shorter than one period of the alarms ([production.alarms] "
            f"period_seconds = {period}): a bad version may take over before an alarm sees it",
        )


def scaling(case: Case) -> Checks:
    """Autoscaling has room, and begins within it."""
    production, scaling = case.config.production, case.config.production.autoscaling
    if scaling is None:
        return
    if scaling.min_instances == scaling.max_instances:
        yield case.odd(
            ("production", "autoscaling", "max_instances"),
            f"max_instances = {scaling.max_instances} is min_instances, so that nothing scales: raise it, or remove "
            "[production.autoscaling]",
        )
    given = "instance_count" in production.model_fields_set
    if given and not scaling.min_instances <= production.instance_count <= scaling.max_instances:
        yield case.odd(
            ("production", "instance_count"),
            f"instance_count = {production.instance_count} is outside of the {scaling.min_instances} to "
            f"{scaling.max_instances} instances of [production.autoscaling], which decides",
        )


CHECKS = (serverless, verification, deployment, scaling, budget, evaluation, prices)
