"""Questions with known answers, asked of production while a new version takes over."""

import csv
import io
import threading
import time
from types import TracebackType
from typing import Any

from deployment.alarms import WRONG_ANSWERS
from deployment.checks import same_cells
from deployment.environments import Environment
from deployment.holdout import Holdout
from deployment.invocation import Client
from deployment.rows import csv_line
from pipeline.console import Output

ROWS = 50
PAUSE_SECONDS = 0.1
REPORT_SECONDS = 10.0


class Probe:
    """Asks one row after the other in a thread, and counts answers that neither version would give.

    What the old version answers is asked before the update starts; what the new one has to answer is the
    evaluation's prediction. The count is a metric of the project, on which an alarm rolls the update back. So
    even an endpoint without traffic is tested before it takes over. Requests that fail are the service's own
    metrics' matter.
    """

    def __init__(self, environment: Environment, holdout: Holdout, output: Output) -> None:
        self._client = Client(environment.aws, environment.endpoint)
        self._cloudwatch: Any = environment.aws.client("cloudwatch")
        self._namespace = environment.config.project.name
        self._bodies = [csv_line(row) for row in holdout.rows[:ROWS]]
        self._new = [list(prediction.values()) for prediction in holdout.expected[:ROWS]]
        self._old = [self._ask(body) for body in self._bodies]
        self._output = output
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self.asked = 0
        self.wrong = 0
        self.example = ""

    def __enter__(self) -> "Probe":
        """Start asking."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, once the answer that is under way is there."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        unreported, reported_at = 0, time.monotonic()
        try:
            while not self._stop.wait(PAUSE_SECONDS):
                unreported += self._one()
                if unreported or time.monotonic() - reported_at >= REPORT_SECONDS:
                    self._report(unreported)
                    unreported, reported_at = 0, time.monotonic()
        except Exception as error:
            # The update has its other alarms; it must not end for want of this one.
            self._output.notice(f"production is no longer probed: {error}")

    def _one(self) -> int:
        index = self.asked % len(self._bodies)
        answer = self._ask(self._bodies[index])
        self.asked += 1
        if answer is None or same_cells(answer, self._new[index]) or same_cells(answer, self._old[index]):
            return 0
        self.wrong += 1
        self.example = self.example or f"{answer} instead of {self._new[index]}"
        return 1

    def _ask(self, body: bytes) -> list[str] | None:
        answer = self._client.send(body)
        return next(csv.reader(io.StringIO(answer.body)), []) if answer.ok else None

    def _report(self, wrong: int) -> None:
        dimensions = [{"Name": "EndpointName", "Value": self._client.endpoint}]
        datum = {"MetricName": WRONG_ANSWERS, "Dimensions": dimensions, "Value": wrong, "Unit": "Count"}
        self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=[datum])
