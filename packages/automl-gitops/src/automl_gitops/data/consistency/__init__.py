"""What automl.toml and dataset.lock together show: said by every command before anything is paid.

A finding stops a command where a training, an evaluation or an endpoint that costs money could not come to a good end.
What works, but is hardly meant, is a notice of the plan.
"""

from collections.abc import Callable

from automl_gitops.data.consistency import data, gate, resources, slices
from automl_gitops.data.consistency.case import LOCK, Case, Checks
from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import Finding, UserError

CHECKS: tuple[Callable[[Case], Checks], ...] = (
    *data.CHECKS,
    *gate.CHECKS,
    *slices.CHECKS,
    *resources.CHECKS,
)


def findings(config: Config, lock: DatasetLock | None) -> list[Finding]:
    """What would fail after it is paid for; without a data set, what automl.toml alone shows."""
    return _said(Case(config, lock), stops=True)


def notices(config: Config, lock: DatasetLock | None) -> list[Finding]:
    """What works, but is hardly meant."""
    return _said(Case(config, lock), stops=False)


def require(config: Config, lock: DatasetLock | None, data: str = LOCK) -> None:
    """Raise one `UserError` of all findings, in which ``data`` is the name of the data set."""
    findings = _said(Case(config, lock, data), stops=True)
    if findings:
        raise UserError.of(findings)


def metric(config: Config, lock: DatasetLock | None) -> str | None:
    """The evaluation's name of the objective, where one alone is possible."""
    return Case(config, lock).metric


def _said(case: Case, *, stops: bool) -> list[Finding]:
    said = [one.finding for check in CHECKS for one in check(case) if one.stops is stops]
    return list(dict.fromkeys(said))
