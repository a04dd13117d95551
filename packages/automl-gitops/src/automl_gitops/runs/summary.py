"""What came of a run: a page for a terminal, or for that of the workflow's run. Pure: the same facts, the same page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.kernel import links
from automl_gitops.kernel.markdown import number
from automl_gitops.kernel.names import Names
from automl_gitops.kernel.page import Block, Bullets, Code, Links, Page, Section, Strong, Table, Words
from automl_gitops.kernel.settings.prices import AUTOPILOT, Prices
from automl_gitops.kernel.words import counted
from automl_gitops.runs import failures
from automl_gitops.runs.execution import Execution
from automl_gitops.runs.failures import Failure

MOST_CANDIDATES = 10
MOST_CLASSES = 20
SECONDS_AN_HOUR = 3600
NO_RUN = Page("No run", ("This commit has no execution of the pipeline: the steps before it say why.",))


@dataclass(frozen=True)
class Facts:
    """An execution, its evaluation.json (`None` where it came to none), why it failed, and where to look further."""

    execution: Execution
    evaluation: Mapping[str, Any] | None
    names: Names
    failures: Sequence[Failure] = ()

    @property
    def prices(self) -> Prices:
        """The prices of automl.toml."""
        return self.names.config.prices


def page(facts: Facts) -> Page:
    """The whole summary."""
    title, opening = _opening(facts)
    parts: list[Block] = [*opening, *failures.blocks(facts.failures)]
    if facts.evaluation:
        parts += [
            Section("Candidate against champion", _metrics(facts.evaluation)),
            Section("Gate", (Bullets([f"{c['outcome']}: {c['reason']}" for c in facts.evaluation["gate"]]),)),
            *_confusion(facts.evaluation.get("confusion")),
            *_leaderboard(facts.evaluation["automl_job"].get("candidates") or []),
        ]
    parts += [
        Section("Steps", (_steps(facts.execution),), folded=True),
        Section("Cost so far", tuple(_cost(facts))),
        _links(facts),
    ]
    return Page(title, parts)


def _opening(facts: Facts) -> tuple[str, list[Block]]:
    """The title, and what came of the run."""
    execution, evaluation = facts.execution, facts.evaluation
    title = f"Run {execution.id}: "
    if execution.model_package_arn:
        arn = execution.model_package_arn
        return f"{title}version {arn.rsplit('/', 1)[-1]} is registered", [
            (Code(arn), " waits for its approval.")
        ]
    if evaluation and evaluation["decision"] == "reject":
        return f"{title}the gate rejected the model", [
            Bullets(evaluation["reasons"]),
            "Staging and production stay as they are.",
        ]
    if execution.has_ended:
        return f"{title}{execution.status.lower()}", [execution.reason]
    return f"{title}{execution.status.lower()}", []


def _metrics(evaluation: Mapping[str, Any]) -> Sequence[Block]:
    ours, objective = evaluation["metrics"], evaluation["objective"]
    champion = evaluation["champion"] or {}
    theirs = champion.get("metrics", {})
    differences = champion.get("differences", {})
    rows = [
        (
            Strong(named(name).label) if name == objective["metric"] else named(name).label,
            number(value),
            number(theirs.get(name)),
            differences.get(name, {}).get("verdict", ""),
        )
        for name, value in ours.items()
    ]
    note = f"On {counted(evaluation['rows'], 'row')} of the holdout; bold is Autopilot's objective."
    if not champion:
        note += " Nothing is in production to compare with."
    elif champion.get("status") != "compared":
        note += f" The champion was not compared: {champion.get('reason', '')}."
    return Table(("metric", "candidate", "champion", "verdict"), rows, "lrrl"), note


def _confusion(confusion: Mapping[str, Any] | None) -> Iterator[Block]:
    if not confusion or not confusion.get("labels"):
        return
    labels = [str(label) for label in confusion["labels"]]
    if len(labels) > MOST_CLASSES:
        yield f"The confusion matrix of {len(labels)} classes is in evaluation.json."
        return
    rows: list[tuple[Words, ...]] = [
        (Strong(label), *map(str, counts)) for label, counts in zip(labels, confusion["rows"], strict=True)
    ]
    table = Table(("truth \\ prediction", *labels), rows, "l" + "r" * len(labels))
    yield Section("Confusion matrix", (table,), folded=True)


def _leaderboard(candidates: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    if not candidates:
        return
    rows = [
        (str(place), str(entry.get("name")), number(entry.get("value")), number(entry.get("seconds")))
        for place, entry in enumerate(candidates[:MOST_CANDIDATES], start=1)
    ]
    more = (f"{len(candidates) - len(rows)} more.",) if len(candidates) > len(rows) else ()
    table = Table(("", "candidate", "objective (validation)", "seconds"), rows, "rlrr")
    yield Section(f"Leaderboard: {counted(len(candidates), 'candidate')}", (table, *more), folded=True)


def _steps(execution: Execution) -> Table:
    rows = [(step.name, step.status, f"{step.seconds:.0f}", step.reason) for step in execution.steps]
    return Table(("step", "status", "seconds", "reason"), rows, "llrl")


def _cost(facts: Facts) -> Iterator[Block]:
    """Hours of instances by the clock of the steps; the bill counts each job a little less."""
    rows = list(cost_rows(facts.execution, facts.names, facts.evaluation))
    known = [money for *_, money in rows if money is not None]
    cells = [(what, kind, f"{hours:.2f}", facts.prices.money(money)) for what, kind, hours, money in rows]
    yield Table(("", "instances", "hours", "money"), cells, "llrr")
    if known:
        rest = "." if len(known) == len(rows) else ", without what has no price in automl.toml [prices]."
        yield f"About {facts.prices.money(sum(known))}{rest}"


def cost_rows(
    execution: Execution, names: Names, evaluation: Mapping[str, Any] | None
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
        if kind == "Transform" and evaluation and (evaluation["champion"] or {}).get("status") == "compared":
            count *= 2  # candidate and champion, side by side
        hours = step.seconds / SECONDS_AN_HOUR * count
        yield what, f"{count} x {instance}", hours, prices.of(instance, hours)


def _links(facts: Facts) -> Links:
    names, execution = facts.names, facts.execution
    found = {
        "reports in S3": links.bucket(names, f"evaluations/{execution.id}/"),
        "staging endpoint": links.endpoint(names, names.staging_endpoint),
        "stack": links.stack(names, names.stack),
        "logs of the functions": links.log_groups(names, f"/aws/lambda/{names.project}-"),
    }
    jobs = {f"job {step.job}": links.processing_job(names, step.job) for step in execution.steps if step.job}
    return Links("AWS console", [*(found | jobs).items()])
