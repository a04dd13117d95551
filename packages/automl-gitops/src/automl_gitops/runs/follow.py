"""Following an execution until it ends, or for a time: a table that is redrawn on a terminal, a line for each change
elsewhere.
"""

import math
import re
import time
from collections.abc import Callable, Iterator

from rich.live import Live
from rich.table import Table
from rich.text import Text

from automl_gitops.kernel.aws import NO_ANSWER
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.words import counted
from automl_gitops.runs.execution import ENDED, AutopilotProgress, Execution

_MARKS = {"Succeeded": "green", "Failed": "red", "Stopped": "red", "Executing": "cyan", "Stopping": "yellow"}
_STUMBLES = 5  # failed looks in a row after which it is more than a hiccup of the network


def follow(
    look: Callable[[], Execution],
    output: Output,
    *,
    seconds: float = math.inf,
    stuck: Callable[[Execution], str | None] = lambda execution: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Execution:
    """Look again and again until the execution has ended, and show what changes; returns its last state.

    That is one that has not ended where ``seconds`` have passed by ``clock``. ``stuck`` says why an execution gets no
    further although it should, which is told once. Short runs are looked at often, long ones every quarter of a minute.
    """
    last: Execution | None = None
    states = _states(look, output, seconds, stuck, sleep, clock)
    if not output.live:
        for execution in states:
            for line in changes(last, execution):
                output.say(line)
            last = execution
    else:
        with Live(console=output.console, auto_refresh=False, transient=False) as live:
            for execution in states:
                live.update(table(execution), refresh=True)
                last = execution
    assert last is not None  # noqa: S101 - there is always a first look
    return last


def changes(before: Execution | None, now: Execution) -> Iterator[str]:
    """What to tell about ``now`` to somebody who knows ``before``, a line each."""
    known = {step.name: step for step in before.steps} if before else {}
    for step in now.steps:
        if step.name not in known or known[step.name].status != step.status:
            took = f" after {step.seconds:.0f} s" if step.status in ENDED else ""
            reason = f": {step.reason}" if step.reason else ""
            yield f"{step.name}: {step.status}{took}{reason}"
    if now.autopilot and progress(now.autopilot) != (
        progress(before.autopilot) if before and before.autopilot else None
    ):
        yield f"  Autopilot: {progress(now.autopilot)} ({now.autopilot.seconds:.0f} s)"


def progress(autopilot: AutopilotProgress) -> str:
    """The job's progress in a few words."""
    words = [autopilot.secondary_status or autopilot.status]
    if autopilot.candidates:
        words.append(counted(autopilot.candidates, "candidate"))
    if autopilot.value is not None:
        words.append(f"best {autopilot.objective} {autopilot.value:.4f}")
    return ", ".join(words)


def table(execution: Execution) -> Table:
    """The execution as a table of its steps."""
    drawn = Table(title=f"Execution {execution.id}: {execution.status}", title_justify="left")
    for heading in ("step", "status", "seconds", ""):
        drawn.add_column(heading, justify="right" if heading == "seconds" else "left", overflow="fold")
    for step in execution.steps:
        about = step.reason
        if step.name == "WaitForAutopilot" and execution.autopilot and not about:
            about = progress(execution.autopilot)
        drawn.add_row(
            step.name,
            Text(step.status, style=_MARKS.get(step.status, "")),
            f"{step.seconds:.0f}",
            Text(about),
        )
    return drawn


def seconds_of(duration: str) -> float:
    """The seconds of `90s`, `330m` or `5h`; `UserError` for anything else."""
    match = re.fullmatch(r"(\d{1,6})([smh])", duration)
    if not match:
        raise UserError(f"{duration!r} is no duration: write a whole number of s, m or h, such as 300m")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def _states(
    look: Callable[[], Execution],
    output: Output,
    seconds: float,
    stuck: Callable[[Execution], str | None],
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Iterator[Execution]:
    until = clock() + seconds
    stumbles, told = 0, False
    while True:
        try:
            execution = look()
        except NO_ANSWER as error:
            stumbles += 1
            if stumbles == _STUMBLES:
                raise
            output.notice(f"no answer from AWS ({' '.join(str(error).split())}), looking again")
            sleep(stumbles * 2.0)
            continue
        stumbles = 0
        yield execution
        left = until - clock()
        if execution.has_ended or left <= 0:
            return
        reason = None if told else stuck(execution)
        if reason:
            told = True
            output.notice(reason)
        sleep(min(15.0, max(1.0, execution.seconds / 30), left))
