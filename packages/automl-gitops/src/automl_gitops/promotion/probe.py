"""Questions with known answers, asked of production while a new version takes over."""

import io
import math
import time
from typing import Any

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import read_rows, write_row
from automl_gitops.kernel.environments import Environment
from automl_gitops.serving.alarms import WRONG_ANSWERS
from automl_gitops.verification.agreement import Tolerance, same_cells
from automl_gitops.verification.client import Answer, Client, Stream
from automl_gitops.verification.holdout import HoldoutSample

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
