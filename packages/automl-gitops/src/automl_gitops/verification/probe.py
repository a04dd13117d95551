"""Questions with known answers, asked of production while a new version takes over."""

import csv
import io
import threading
import time
from types import TracebackType
from typing import Any

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.environments import Environment
from automl_gitops.serving.alarms import WRONG_ANSWERS
from automl_gitops.verification.agreement import Tolerance, same_cells
from automl_gitops.verification.holdout import Holdout
from automl_gitops.verification.invocation import Client
from automl_gitops.verification.rows import csv_line

ROWS = 50
PAUSE_SECONDS = 0.1
REPORT_SECONDS = 10.0
# Of the rows asked: what is wrong with a version shows in many rows, while one or two may lie at the border between
# two classes and be answered differently by the same model. A share of the answers would depend on that of the traffic.
WRONG_ROWS_SHARE = 0.05


class Probe:
    """Asks one row after the other in a thread, and counts answers that neither version would give.

    What the old version answers is asked before the update starts; what the new one has to answer is the
    evaluation's prediction, within the tolerance of `verification.agreement`. Once more than `WRONG_ROWS_SHARE` of the
    rows (and more than one) had such an answer, the count is a metric of the project, on which an alarm rolls the
    update back. So even an endpoint without traffic is tested before it takes over. Requests that fail are the
    service's own metrics' matter.
    """

    def __init__(self, environment: Environment, holdout: Holdout, output: Output) -> None:
        self._client = Client(environment.aws, environment.endpoint)
        self._cloudwatch: Any = environment.aws.client("cloudwatch")
        self._namespace = environment.config.project.name
        self._bodies = [csv_line(row) for row in holdout.rows[:ROWS]]
        self._tolerance = Tolerance.of(holdout.expected)
        self._new = [list(prediction.values()) for prediction in holdout.expected[:ROWS]]
        self._old = [self._ask(body) for body in self._bodies]
        self._output = output
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self.asked = 0
        self.wrong = 0
        self.example = ""
        self._wrong_rows: set[int] = set()

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
                alarming = self.is_alarming and unreported > 0
                if alarming or time.monotonic() - reported_at >= REPORT_SECONDS:
                    self._report(unreported if alarming else 0)
                    unreported = 0 if alarming else unreported
                    reported_at = time.monotonic()
        except Exception as error:
            # The update has its other alarms; it must not end for want of this one.
            self._output.notice(f"production is no longer probed: {error}")

    @property
    def is_alarming(self) -> bool:
        """Whether so many rows had a wrong answer that it is the version's fault."""
        return len(self._wrong_rows) > max(1, WRONG_ROWS_SHARE * len(self._bodies))

    def _one(self) -> int:
        index = self.asked % len(self._bodies)
        answer = self._ask(self._bodies[index])
        self.asked += 1
        known = (self._new[index], self._old[index])
        if answer is None or any(same_cells(answer, one, self._tolerance) for one in known):
            return 0
        self.wrong += 1
        self._wrong_rows.add(index)
        self.example = self.example or f"{answer} instead of {self._new[index]}"
        return 1

    def _ask(self, body: bytes) -> list[str] | None:
        answer = self._client.send(body)
        return next(csv.reader(io.StringIO(answer.body)), []) if answer.ok else None

    def _report(self, wrong: int) -> None:
        dimensions = [{"Name": "EndpointName", "Value": self._client.endpoint}]
        datum = {"MetricName": WRONG_ANSWERS, "Dimensions": dimensions, "Value": wrong, "Unit": "Count"}
        self._cloudwatch.put_metric_data(Namespace=self._namespace, MetricData=[datum])
