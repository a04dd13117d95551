"""What came of a run: a page for a terminal, or for that of the workflow's run, with the logs of what failed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from automl_evaluation.cautions import cost, independence
from automl_evaluation.layout import Confusion, Evaluation
from automl_evaluation.metrics import named
from automl_gitops.data.positive import apart
from automl_gitops.kernel import logs
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.logs import Tail
from automl_gitops.kernel.markdown import number
from automl_gitops.kernel.names import (
    Names,
    bucket_page,
    endpoint_page,
    log_groups_page,
    processing_job_page,
    stack_page,
)
from automl_gitops.kernel.page import Block, Bullets, Code, Links, Log, Page, Section, Strong, Table, Words
from automl_gitops.kernel.settings.account import AUTOPILOT, Prices
from automl_gitops.kernel.words import counted, quoted
from automl_gitops.runs.ceiling import standing
from automl_gitops.runs.execution import Execution, Step

# How the evaluation's reason names a batch transform that failed (evaluation/transform.py).
_TRANSFORM = re.compile(r"transform job (\S+) (?:failed|stopped)")
_LAST_LOOKS = timedelta(minutes=10)  # of a function that looks each minute, for hours
_UNANSWERED = timedelta(minutes=2)  # by then that function has looked again
_OF_LAMBDA = (
    "START ",
    "END ",
    "REPORT ",
    "INIT_START ",
)  # lines that the service writes into a function's log


@dataclass(frozen=True)
class Failure:
    """A step that failed: what it ran, why it failed, and the logs that say more."""

    step: str
    what: str
    reason: str
    tails: tuple[Tail, ...]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> "Failure":
        """From what `document` gave."""
        tails = tuple(Tail(**tail | {"lines": tuple(tail["lines"])}) for tail in document["tails"])
        return cls(**document | {"tails": tails})


def find_failures(aws: Aws, names: Names, execution: Execution) -> list[Failure]:
    """The failures of an execution, in the order of its steps; none where it failed without a job (the gate)."""
    return [
        _failure(aws, names, execution, step)
        for step in execution.steps
        if step.status == "Failed" and step.kind in _LOOKS
    ]


def explained(execution: Execution, failures: Sequence[Failure]) -> Execution:
    """The execution with the reasons of its failures, which say more than the service does."""
    reasons = {failure.step: failure.reason for failure in failures}
    steps = [
        replace(one, failure_reason=reasons.get(one.name, one.failure_reason)) for one in execution.steps
    ]
    return replace(execution, steps=steps)


def unanswered(aws: Aws, names: Names, execution: Execution, now: datetime | None = None) -> str | None:
    """Why a callback step still waits although its Autopilot job has ended, with a way out; `None` if none does.

    A function that is denied the answer goes on trying, and the execution would look busy until somebody asks.
    """
    job = execution.autopilot
    step = next((one for one in execution.steps if (one.kind, one.status) == ("Callback", "Executing")), None)
    if step is None or job is None or job.ended is None:
        return None
    waited = (now or datetime.now(UTC)) - job.ended
    if waited < _UNANSWERED:
        return None
    function = names.function("check-autopilot")
    tail = _log_of_looks(aws.client("logs"), function, job.ended, None)
    said = [line for line in tail.lines if not line.startswith(_OF_LAMBDA)]
    why = f"it says: {said[-1]}" if said else tail.problem or "it says nothing"
    return (
        f"{step.name} still waits, {waited.total_seconds() / 60:.0f} minutes after Autopilot job {job.job} ended "
        f"({job.status}), for function {function} has not answered it; {why}. If it is denied something, an "
        "administrator runs `make bootstrap`, and the run goes on by itself; otherwise look into the log group "
        f"/aws/lambda/{function} and the queue {names.dead_letter_queue}, or end the run with "
        f"`automl stop {execution.id}`"
    )


def failure_blocks(failures: Sequence[Failure]) -> Iterator[Block]:
    """What to show of them, a section each."""
    for failure in failures:
        for tail in failure.tails:
            title: Words = f"{failure.step} failed; the end of the log of {tail.what}"
            if tail.lines:
                yield Section(title, (f"CloudWatch Logs, {tail.group}:", Log(tail.lines)), folded=True)
            else:
                yield Section(f"{failure.step} failed; {tail.what}", (f"{tail.problem}.",))


def _failure(aws: Aws, names: Names, execution: Execution, step: Step) -> Failure:
    reason = step.reason or "no reason given"
    what, reason, tails = _LOOKS[step.kind](aws.client("logs"), names, execution, step, reason)
    return Failure(step.name, what, reason, tuple(tails))


_Found = tuple[str, str, list[Tail]]


def _processing(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    what = f"processing job {step.job}"
    tails = [logs.of_job(client, what, logs.PROCESSING, f"{step.job}/")]
    # A batch transform's own reason is often no more than a reference to its log.
    for job in dict.fromkeys(_TRANSFORM.findall(reason)):
        tail = logs.of_job(client, f"transform job {job}", logs.TRANSFORM, f"{job}/")
        tails.insert(0, tail)
        if tail.lines:
            reason += f"; {tail.what} says: {tail.lines[-1]}"
    return what, reason, tails


def _function(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    what = f"Lambda function {step.function}"
    group = f"/aws/lambda/{step.function}"
    return what, reason, [logs.of_function(client, what, group, step.started, step.ended)]


def _callback(client: Any, names: Names, execution: Execution, step: Step, reason: str) -> _Found:
    """Autopilot's jobs have logs of their own; where it did not fail, the function that waited gave up."""
    job = execution.autopilot
    tails = []
    what = f"Autopilot job {job.job}" if job else "the wait for Autopilot"
    if job and job.status == "Failed":
        reason = job.failure_reason or reason  # a callback's reason is cut at 256 characters
        tails = [
            tail
            for group in (logs.TRAINING, logs.PROCESSING)
            if not (tail := logs.of_job(client, what, group, f"{job.job}-")).absent
        ]
    if not tails:
        start = max(filter(None, (step.started, step.ended and step.ended - _LAST_LOOKS)), default=None)
        tails = [_log_of_looks(client, names.function("check-autopilot"), start, step.ended)]
    return what, reason, tails


def _log_of_looks(client: Any, function: str, start: datetime | None, end: datetime | None) -> Tail:
    return logs.of_function(client, f"Lambda function {function}", f"/aws/lambda/{function}", start, end)


_LOOKS = {"ProcessingJob": _processing, "Lambda": _function, "Callback": _callback}


MOST_CANDIDATES = 10
MOST_CLASSES = 20
SECONDS_AN_HOUR = 3600


def no_run(*, in_workflow: bool) -> Page:
    """What there is to say of a commit without an execution."""
    more = (
        "the steps before it say why"
        if in_workflow
        else "name another's (`automl execution` shows the newest), or start one with `automl run`"
    )
    return Page("No run", (f"This commit has no execution of the pipeline: {more}.",))


@dataclass(frozen=True)
class RunSummary:
    """An execution, its evaluation.json (`None` if it has none), why it failed, and where to look further."""

    execution: Execution
    evaluation: Evaluation | None
    names: Names
    failures: Sequence[Failure] = ()

    @property
    def prices(self) -> Prices:
        """The prices of automl.toml."""
        return self.names.config.prices


def page(facts: RunSummary) -> Page:
    """The whole summary."""
    title, opening = _opening(facts)
    parts: list[Block] = [*opening, *failure_blocks(facts.failures)]
    if facts.evaluation:
        parts += [
            Section(
                "Candidate against champion" if facts.evaluation.champion else "Candidate",
                _metrics(facts.evaluation),
            ),
            Section("Gate", (Bullets([f"{one.outcome}: {one.reason}" for one in facts.evaluation.gate]),)),
            *_confusion(facts.evaluation.confusion),
            *_leaderboard(facts.evaluation),
        ]
    parts += [
        Section("Steps", (_steps(facts.execution),), folded=True),
        Section("Cost so far", tuple(_cost(facts))),
        _links(facts),
    ]
    return Page(title, parts)


def _opening(facts: RunSummary) -> tuple[str, list[Block]]:
    """The title, and what came of the run."""
    execution, evaluation = facts.execution, facts.evaluation
    title = f"Run {execution.id}: "
    if execution.model_package_arn:
        arn = execution.model_package_arn
        return f"{title}version {arn.rsplit('/', 1)[-1]} is registered", [
            (Code(arn), " waits for its approval.")
        ]
    if evaluation and evaluation.decision == "reject":
        return f"{title}the gate rejected the model", [
            Bullets(evaluation.reasons),
            "Staging and production stay as they are.",
        ]
    if execution.has_ended:
        return f"{title}{execution.status.lower()}", [execution.reason]
    return f"{title}{execution.status.lower()}", []


def _metrics(evaluation: Evaluation) -> Sequence[Block]:
    ours, objective = evaluation.metrics, evaluation.objective
    champion = evaluation.champion
    theirs, differences = (champion.metrics, champion.differences) if champion else ({}, {})
    rows = [
        (
            Strong(named(name).label) if name == objective.metric else named(name).label,
            number(value),
            number(theirs.get(name)),
            differences[name].verdict if name in differences else "",
        )
        for name, value in ours.items()
    ]
    held_out, said = counted(evaluation.rows, "row"), independence(evaluation)
    note = f"On {held_out} of the holdout; bold is Autopilot's objective. {said}".rstrip()
    if evaluation.positive_class is not None:
        label = quoted(evaluation.positive_class)
        note += f" The positive class is {label} ([decision] positive in automl.toml, or else Autopilot's)"
        least = evaluation.threshold
        note += (
            f", from a probability of {number(least.value)} on. {cost(evaluation)}".rstrip() if least else "."
        )
    if not champion:
        note += " Nothing is in production to compare with."
    elif champion.status != "compared":
        note += f" The champion was not compared: {champion.reason}."
    columns = 4 if champion else 2
    heads = ("metric", "candidate", "champion", "verdict")[:columns]
    return Table(heads, [row[:columns] for row in rows], "lrrl"[:columns]), note


def _confusion(confusion: Confusion | None) -> Iterator[Block]:
    if not confusion or not confusion.labels or confusion.rows is None:
        return
    labels = confusion.labels
    if len(labels) > MOST_CLASSES:
        yield f"The confusion matrix of {len(labels)} classes is in evaluation.json."
        return
    rows: list[tuple[Words, ...]] = [
        (Strong(label), *map(str, counts)) for label, counts in zip(labels, confusion.rows, strict=True)
    ]
    table = Table(("truth \\ prediction", *labels), rows, "l" + "r" * len(labels))
    yield Section("Confusion matrix", (table,), folded=True)


def _leaderboard(evaluation: Evaluation) -> Iterator[Block]:
    candidates = evaluation.automl_job.candidates
    if not candidates:
        return
    rows = [
        (str(place), entry.name, number(entry.value), number(entry.seconds))
        for place, entry in enumerate(candidates[:MOST_CANDIDATES], start=1)
    ]
    more = (f"{len(candidates) - len(rows)} more.",) if len(candidates) > len(rows) else ()
    labels = [one.label for one in evaluation.classes]
    note = apart(evaluation.objective.metric, labels, evaluation.positive_class)
    table = Table(("", "candidate", "objective (validation)", "seconds"), rows, "rlrr")
    blocks: tuple[Block, ...] = (table, *more, *([f"{note}."] if note else []))
    yield Section(f"Leaderboard: {counted(len(candidates), 'candidate')}", blocks, folded=True)


def _steps(execution: Execution) -> Table:
    rows = [(step.name, step.status, f"{step.seconds:.0f}", step.reason) for step in execution.steps]
    return Table(("step", "status", "seconds", "reason"), rows, "llrl")


def _cost(facts: RunSummary) -> Iterator[Block]:
    """Hours of instances by the clock of the steps; the bill counts each job a little less."""
    rows = list(cost_rows(facts.execution, facts.names, facts.evaluation))
    known = [money for *_, money in rows if money is not None]
    cells = [(what, kind, f"{hours:.2f}", facts.prices.money(money)) for what, kind, hours, money in rows]
    yield Table(("", "instances", "hours", "money"), cells, "llrr") if cells else "No instances so far."
    if known:
        rest = "." if len(known) == len(rows) else ", without what has no price in automl.toml [prices]."
        yield f"About {facts.prices.money(sum(known))}{rest}"
    yield standing(facts.names.config)


def cost_rows(
    execution: Execution, names: Names, evaluation: Evaluation | None
) -> Iterator[tuple[str, str, float, float | None]]:
    """What, on which instances, for how many instance-hours, and for how much money where it has a price."""
    parameters, prices = execution.parameters, names.config.prices
    if execution.autopilot:
        hours = execution.autopilot.seconds / SECONDS_AN_HOUR
        yield "Autopilot (its own clock)", "chosen by Autopilot", hours, prices.of(AUTOPILOT, hours)
    step = next((one for one in execution.steps if one.name == "EvaluateModel"), None)
    if step is None or not parameters:
        return
    for what, kind in (("evaluation", "Evaluation"), ("batch transform", "Transform")):
        instance, count = parameters[f"{kind}InstanceType"], int(parameters[f"{kind}InstanceCount"])
        compared = evaluation and evaluation.champion and evaluation.champion.status == "compared"
        if kind == "Transform" and compared:
            count *= 2  # candidate and champion, side by side
        hours = step.seconds / SECONDS_AN_HOUR * count
        yield what, f"{count} x {instance}", hours, prices.of(instance, hours)


def _links(facts: RunSummary) -> Links:
    names, execution = facts.names, facts.execution
    pages = {
        "reports in S3": bucket_page(names, f"evaluations/{execution.id}/"),
        "staging endpoint": endpoint_page(names, names.staging_endpoint),
        "stack": stack_page(names, names.stack),
        "logs of the functions": log_groups_page(names, f"/aws/lambda/{names.project}-"),
    }
    jobs = {f"job {step.job}": processing_job_page(names, step.job) for step in execution.steps if step.job}
    return Links("AWS console", [*(pages | jobs).items()])
