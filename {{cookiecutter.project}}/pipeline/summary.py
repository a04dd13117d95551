"""What came of a run, in Markdown, for the page of the workflow's run. Pure: the same facts, the same text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import links
from pipeline.execution import Execution
from pipeline.markdown import bullets, escape, folded, number, table
from pipeline.names import Names
from pipeline.settings.prices import AUTOPILOT, Prices
from pipeline.words import counted

MOST_CANDIDATES = 10
MOST_CLASSES = 20
SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class Facts:
    """An execution, its evaluation.json (`None` where it came to none), and where to look further."""

    execution: Execution
    evaluation: Mapping[str, Any] | None
    names: Names

    @property
    def prices(self) -> Prices:
        """The prices of automl.toml."""
        return self.names.config.prices


def markdown(facts: Facts) -> str:
    """The whole summary."""
    parts = [_opening(facts)]
    if facts.evaluation:
        parts += [
            "#### Candidate against champion\n\n" + _metrics(facts.evaluation),
            "#### Gate\n\n"
            + bullets(f"{c['outcome']}: {escape(c['reason'])}" for c in facts.evaluation["gate"]),
            *_confusion(facts.evaluation.get("confusion")),
            *_leaderboard(facts.evaluation["automl_job"].get("candidates") or []),
        ]
    parts += [folded("Steps", _steps(facts.execution)), "#### Cost so far\n\n" + _cost(facts), _links(facts)]
    return "\n\n".join(parts) + "\n"


def _opening(facts: Facts) -> str:
    execution, evaluation = facts.execution, facts.evaluation
    title = f"### Run {execution.id}: "
    if execution.model_package_arn:
        arn = execution.model_package_arn
        return f"{title}version {arn.rsplit('/', 1)[-1]} is registered\n\n`{arn}` waits for its approval."
    if evaluation and evaluation["decision"] == "reject":
        reasons = bullets(map(escape, evaluation["reasons"]))
        return f"{title}the gate rejected the model\n\n{reasons}\n\nStaging and production stay as they are."
    if execution.has_ended:
        return f"{title}{execution.status.lower()}\n\n{escape(execution.reason)}"
    return f"{title}{execution.status.lower()}"


def _metrics(evaluation: Mapping[str, Any]) -> str:
    ours, objective = evaluation["metrics"], evaluation["objective"]
    champion = evaluation["champion"] or {}
    theirs = champion.get("metrics", {})
    differences = champion.get("differences", {})
    rows = [
        (
            f"**{name}**" if name == objective["metric"] else name,
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
        note += f" The champion was not compared: {escape(champion.get('reason', ''))}."
    return table(("metric", "candidate", "champion", "verdict"), rows, "lrrl") + f"\n\n{note}"


def _confusion(confusion: Mapping[str, Any] | None) -> Iterator[str]:
    if not confusion or not confusion.get("labels"):
        return
    labels = [escape(label) for label in confusion["labels"]]
    if len(labels) > MOST_CLASSES:
        yield f"The confusion matrix of {len(labels)} classes is in evaluation.json."
        return
    rows = [(f"**{label}**", *counts) for label, counts in zip(labels, confusion["rows"], strict=True)]
    text = table(("truth \\ prediction", *labels), rows, "l" + "r" * len(labels))
    yield folded("Confusion matrix", text)


def _leaderboard(candidates: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not candidates:
        return
    rows = [
        (place, escape(entry.get("name")), number(entry.get("value")), number(entry.get("seconds")))
        for place, entry in enumerate(candidates[:MOST_CANDIDATES], start=1)
    ]
    more = f"\n\n{len(candidates) - len(rows)} more." if len(candidates) > len(rows) else ""
    yield folded(
        f"Leaderboard: {counted(len(candidates), 'candidate')}",
        table(("", "candidate", "objective (validation)", "seconds"), rows, "rlrr") + more,
    )


def _steps(execution: Execution) -> str:
    rows = [
        (step.name, step.status, f"{step.seconds:.0f}", escape(step.failure_reason))
        for step in execution.steps
    ]
    return table(("step", "status", "seconds", "reason"), rows, "llrl")


def _cost(facts: Facts) -> str:
    """Hours of instances by the clock of the steps; the bill counts each job a little less."""
    rows = list(cost_rows(facts.execution, facts.names, facts.evaluation))
    known = [money for *_, money in rows if money is not None]
    cells = [(what, kind, f"{hours:.2f}", facts.prices.money(money)) for what, kind, hours, money in rows]
    total = ""
    if known:
        total = f"\n\nAbout {facts.prices.money(sum(known))}" + (
            "." if len(known) == len(rows) else ", without what has no price in automl.toml [prices]."
        )
    return table(("", "instances", "hours", "money"), cells, "llrr") + total


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


def _links(facts: Facts) -> str:
    names, execution = facts.names, facts.execution
    found = {
        "reports in S3": links.bucket(names, f"evaluations/{execution.id}/"),
        "staging endpoint": links.endpoint(names, names.staging_endpoint),
        "stack": links.stack(names, names.stack),
        "logs of the functions": links.log_groups(names, f"/aws/lambda/{names.project}-"),
    }
    jobs = {f"job {step.job}": links.processing_job(names, step.job) for step in execution.steps if step.job}
    return "AWS console: " + ", ".join(f"[{text}]({url})" for text, url in (found | jobs).items())
