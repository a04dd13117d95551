"""Bring the production endpoint from what it serves to a release, and say truthfully what came of it.

While the new version takes over, the endpoint is asked questions with known answers.
"""

import contextlib
import io
import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import read_rows, write_row
from automl_gitops.kernel.environments import Environment
from automl_gitops.promotion.look import ProductionServices
from automl_gitops.serving.alarms import WRONG_ANSWERS, EndpointAlarms
from automl_gitops.serving.endpoint import STARTUP_SECONDS, Endpoint, EndpointState
from automl_gitops.serving.release import Release
from automl_gitops.verification.checks import Tolerance, same_cells
from automl_gitops.verification.client import Answer, Client, Stream
from automl_gitops.verification.holdout import HoldoutSample

_POLL_SECONDS = 2.0  # an alarm's reason has to be seen before its state goes back
_CALMING_PERIODS = 3


@dataclass(frozen=True)
class Rollout:
    """What the endpoint serves in the end, and why not the release where it does not (else "")."""

    state: EndpointState
    reason: str


def create(endpoint: Endpoint, release: Release) -> Rollout:
    """Create the endpoint with the release, and wait for the end."""
    endpoint.make_parts(release)
    endpoint.create(release)
    ended = endpoint.settle()
    return Rollout(ended, _reason(ended, release, {}, None))


def update(
    production: ProductionServices,
    release: Release,
    *,
    way_back: bool,
    keep_instances: bool,
    holdout: HoldoutSample | None,
) -> Rollout:
    """Update the endpoint by the policy of automl.toml, and wait for the end.

    ``way_back`` moves all traffic at once: the version has proved itself, and the one that serves may be failing
    people. ``keep_instances`` keeps as many as autoscaling has made of them. Without ``holdout`` nothing is asked
    meanwhile.
    """
    environment, endpoint, alarms = production.environment, production.endpoint, production.alarms
    output = production.project.output
    endpoint.make_parts(release)
    firing = _calm(environment, alarms, way_back=way_back, output=output)
    watched = [name for name in alarms.names if name not in firing]
    probe: AbstractContextManager[Probe | None] = contextlib.nullcontext()
    if holdout:
        probe = Probe(environment, holdout, output)
    seen: dict[str, str] = {}
    with probe as asking:
        endpoint.update(
            release.config_name,
            deployment_config(environment, watched, way_back=way_back),
            keep_instances=keep_instances,
        )
        ended = endpoint.settle(
            seconds=environment.config.production.deployment.max_seconds + STARTUP_SECONDS,
            pause=_POLL_SECONDS,
            meanwhile=lambda: seen.update(
                {name: words for name, words in alarms.firing().items() if name in watched}
            ),
        )
    return Rollout(ended, _reason(ended, release, seen, asking))


def _calm(
    environment: Environment, alarms: EndpointAlarms, *, way_back: bool, output: Output
) -> dict[str, str]:
    """The alarms that fire whatever is waited: about what serves now, they cannot judge what is to come.

    An alarm of an update that was just rolled back goes out by itself; a way back has no time for that.
    """
    firing = alarms.firing()
    if firing and not way_back:
        period = environment.config.production.alarms.period_seconds
        output.notice(
            f"{', '.join(firing)} fires: waiting up to {_CALMING_PERIODS * period} s for that to end"
        )
        end = time.monotonic() + _CALMING_PERIODS * period
        while firing and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)
            firing = alarms.firing()
    for name, words in firing.items():
        output.notice(f"alarm {name} is left out of this update, since it fires before it: {words}")
    return firing


def deployment_config(environment: Environment, alarms: list[str], *, way_back: bool) -> dict[str, Any]:
    """UpdateEndpoint's DeploymentConfig by [production.deployment], with the alarms that roll it back.

    The same time passes between two shifts of traffic and, before the old instances go, after the last one.
    """
    settings = environment.config.production.deployment
    wait_seconds = 0 if way_back else settings.wait_seconds
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    if not way_back and settings.policy != "ALL_AT_ONCE":
        routing = {"Type": settings.policy, "WaitIntervalInSeconds": wait_seconds}
        size = {"Type": "CAPACITY_PERCENT", "Value": settings.percent}
        if settings.policy == "CANARY":
            routing["CanarySize"] = size
        else:
            routing["LinearStepSize"] = size
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": wait_seconds,
            "MaximumExecutionTimeoutInSeconds": settings.max_seconds,
        }
    }
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config


def _reason(state: EndpointState, release: Release, fired: Mapping[str, str], probe: "Probe | None") -> str:
    """Why the endpoint does not serve the release, "" where it does."""
    if state.serves(release.config_name):
        return ""
    parts = [f"alarm {name}: {words}" for name, words in fired.items()]
    if probe and probe.is_alarming:
        parts.append(f"{probe.wrong} of {probe.asked} answers were wrong, such as {probe.example}")
    if state.reason:
        parts.append(state.reason)
    ended = (
        "it was rolled back" if state.status == "InService" else f"the endpoint is {state.status or 'gone'}"
    )
    return f"{ended}: {'; '.join(parts) or 'SageMaker gives no reason'}"


ROWS = 50
PAUSE_SECONDS = 0.1
REPORT_SECONDS = 10.0
# Of the rows asked: what is wrong with a version shows in many rows, while one or two may lie at the border between
# two classes and be answered differently by the same model. A share of the answers would depend on that of the traffic.
WRONG_ROWS_SHARE = 0.05


class Probe:
    """Asks one row after the other in a thread, and counts answers that neither version would give.

    What the old version answers is asked before the update starts; what the new one has to answer is the
    evaluation's prediction, within the tolerance of `verification.checks`. Once more than `WRONG_ROWS_SHARE` of the
    rows (and more than one) had such an answer, the count is a metric of the project, on which an alarm rolls the
    update back. So even an endpoint without traffic is tested before it takes over. Requests that fail are the
    service's own metrics' matter.
    """

    def __init__(self, environment: Environment, holdout: HoldoutSample, output: Output) -> None:
        client = Client.of(environment)
        self._cloudwatch: Any = environment.aws.client("cloudwatch")
        self._namespace = environment.config.project.name
        self._endpoint = environment.endpoint
        bodies = [write_row(row) for row in holdout.rows[:ROWS]]
        self._tolerance = Tolerance.of(holdout.expected)
        self._new = [list(prediction.values()) for prediction in holdout.expected[:ROWS]]
        self._old = [_cells(client.send(body)) for body in bodies]
        self._output = output
        self._stream = Stream(client, bodies, self._hear, pause=PAUSE_SECONDS)
        self._reported_at = -math.inf  # the first answer is: also a quick update shows that somebody asked
        self._unreported = 0
        self.asked = 0
        self.wrong = 0
        self.example = ""
        self._wrong_rows: set[int] = set()

    def __enter__(self) -> "Probe":
        """Start asking."""
        self._stream.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, once the answer that is under way is there."""
        self._stream.__exit__()
        if self._stream.error:
            # The update has its other alarms; it must not end for want of this one.
            self._output.notice(f"production was not probed to the end: {self._stream.error}")

    @property
    def is_alarming(self) -> bool:
        """Whether so many rows had a wrong answer that it is the version's fault."""
        return len(self._wrong_rows) > max(1, WRONG_ROWS_SHARE * len(self._new))

    def _hear(self, index: int, answer: Answer) -> None:
        self.asked += 1
        cells, known = _cells(answer), (self._new[index], self._old[index])
        if cells is not None and not any(same_cells(cells, one, self._tolerance) for one in known):
            self.wrong += 1
            self._unreported += 1
            self._wrong_rows.add(index)
            self.example = self.example or f"{cells} instead of {self._new[index]}"
        alarming = self.is_alarming and self._unreported > 0
        if alarming or time.monotonic() - self._reported_at >= REPORT_SECONDS:
            self._report(self._unreported if alarming else 0)
            self._unreported = 0 if alarming else self._unreported
            self._reported_at = time.monotonic()

    def _report(self, wrong: int) -> None:
        dimensions = [{"Name": "EndpointName", "Value": self._endpoint}]
        datum = {"MetricName": WRONG_ANSWERS, "Dimensions": dimensions, "Value": wrong, "Unit": "Count"}
        self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=[datum])


def _cells(answer: Answer) -> list[str] | None:
    """The values of the first line of an answer, none where it is no CSV; `None` where the request failed."""
    if not answer.ok:
        return None
    try:
        return next((row for _, row in read_rows(io.StringIO(answer.body))), [])
    except ValueError:
        return []
