"""What a run and what the endpoints take at most: instance-hours, and money where automl.toml has a price."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.account import AUTOPILOT
from automl_gitops.kernel.settings.endpoints import Hosting
from automl_gitops.kernel.words import counted

MONTH_HOURS = 730  # 8,760 hours of a year in twelve parts
_HOUR = 3600


@dataclass(frozen=True)
class CostItem:
    """An upper limit of instance-hours of one kind; ``money`` is `None` without a price."""

    what: str
    instances: str
    hours: float
    money: float | None
    limit: str


@dataclass(frozen=True)
class Ceiling:
    """One run, and a month of the endpoints that stay up, which ``standing`` says in a sentence."""

    run: list[CostItem]
    month: list[CostItem]
    notes: list[str]
    standing: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"run_hours": hours(self.run), "month_hours": hours(self.month)}


def hours(items: list[CostItem]) -> float:
    """Instance-hours in all."""
    return sum(item.hours for item in items)


def money(items: list[CostItem]) -> tuple[float | None, bool]:
    """The money in all, `None` where nothing has a price; and whether everything has one."""
    known = [item.money for item in items if item.money is not None]
    return (sum(known) if known else None), len(known) == len(items)


def ceiling(config: Config, *, has_champion: bool) -> Ceiling:
    """The ceilings that automl.toml sets.

    Transforms: the candidate's, the one that explains it, the champion's, and that of the validation rows where a
    threshold is chosen on them.
    """
    return Ceiling(list(_run(config, has_champion)), list(_month(config)), _notes(config), standing(config))


def standing(config: Config) -> str:
    """What stays up, and is paid for, day and night, as a sentence."""
    items = list(_month(config))
    if not items:
        return "Nothing stays up that is paid for day and night."
    most, complete = money(items)
    unpriced = "" if complete else " and what has no price in automl.toml [prices]"
    price = f", {config.prices.money(most)}{unpriced}" if most is not None else ""
    what = " and ".join(f"{item.instances} of the {item.what}" for item in items)
    return f"Day and night: {what}, at most {hours(items):,.0f} instance-hours a month{price}."


def _run(config: Config, has_champion: bool) -> Iterator[CostItem]:
    budget, evaluation, prices = config.autopilot.budget, config.evaluation, config.prices
    training = budget.max_candidates * budget.max_seconds_per_training_job / _HOUR
    yield CostItem(
        "training",
        "chosen by Autopilot",
        training,
        prices.of(AUTOPILOT, training),
        f"{counted(budget.max_candidates, 'candidate')}, {budget.max_seconds_per_training_job} s each; "
        f"the job ends after {budget.max_seconds} s",
    )
    length = evaluation.max_seconds / _HOUR
    judged = evaluation.instance_count * length
    yield CostItem(
        "evaluation",
        f"{evaluation.instance_count} x {evaluation.instance_type}",
        judged,
        prices.of(evaluation.instance_type, judged),
        f"{evaluation.max_seconds} s",
    )
    transforms = 2 + has_champion + config.decision.on_validation
    count, kind = evaluation.transform_instance_count, evaluation.transform_instance_type
    transformed = transforms * count * length
    yield CostItem(
        "batch transform",
        f"{transforms} jobs of {count} x {kind}",
        transformed,
        prices.of(kind, transformed),
        "within the evaluation's time",
    )


def _month(config: Config) -> Iterator[CostItem]:
    production, staging = config.production, config.staging
    scaling = production.autoscaling
    most = scaling.max_instances if scaling else production.instance_count
    if staging.keep and not staging.serverless:
        yield _endpoint(config, "staging", staging, staging.instance_count, "")
    if not production.serverless:
        limit = f"autoscaling up to {most}" if scaling else ""
        yield _endpoint(config, "production", production, most, limit)


def _endpoint(config: Config, what: str, hosting: Hosting, count: int, limit: str) -> CostItem:
    served = count * MONTH_HOURS
    money = config.prices.of(hosting.instance_type, served)
    return CostItem(f"{what} endpoint", f"{count} x {hosting.instance_type}", served, money, limit)


def _notes(config: Config) -> list[str]:
    notes = [
        f"the {name} endpoint is serverless: billed by use, at most {hosting.serverless.max_concurrency} "
        f"requests of {hosting.serverless.memory_mb} MB at once"
        for name, hosting in (("staging", config.staging), ("production", config.production))
        if hosting.serverless
    ]
    if not config.staging.keep and not config.staging.serverless:
        notes.append("the staging endpoint is removed once its version is verified")
    if config.decision.on_validation:
        notes.append(
            "one of the transforms is of the validation rows, on which [decision] has the threshold chosen; with a "
            "random split these are set apart when data are pushed"
        )
    if config.production.deployment.policy != "ALL_AT_ONCE" and not config.production.serverless:
        notes.append("while production is updated, both fleets run side by side")
    return notes
