"""What the checks ask about: automl.toml and dataset.lock together, and what follows from the two."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from automl_evaluation.metrics import (
    BINARY,
    DEFAULT_OBJECTIVES,
    MULTICLASS,
    PROBLEM_TYPES,
    REGRESSION,
    metric_of,
)
from automl_gitops.data.lock import Column, DatasetLock
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import Finding
from automl_gitops.kernel.settings.model import INFER


@dataclass(frozen=True)
class Said:
    """A finding, and whether it ``stops`` what would be paid for: it could not come to a good end."""

    finding: Finding
    stops: bool


Checks = Iterator[Said]


LOCK = "dataset.lock"


@dataclass(frozen=True)
class Case:
    """A configuration and the data set that it is used with; there may be no data set yet.

    ``data`` is what messages call the data set: before dataset.lock is written, the table.
    """

    config: Config
    lock: DatasetLock | None
    data: str = LOCK

    def wrong(self, key: tuple[str, ...], sentence: str) -> Said:
        """What cannot come to a good end: a sentence about a key of automl.toml."""
        return Said(self.config.finding(key, sentence), stops=True)

    def odd(self, key: tuple[str, ...], sentence: str) -> Said:
        """What works, but is hardly meant."""
        return Said(self.config.finding(key, sentence), stops=False)

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """The problem types that are possible: the configured one, or those that Autopilot may infer."""
        configured = self.config.autopilot.problem_type
        if configured != INFER:
            return (configured,)
        if self.lock is None or self.target is None:
            return PROBLEM_TYPES
        if self.classes is None:
            return (REGRESSION,)
        if len(self.classes) == 2:
            # Of data by reference the holdout alone was counted, which may lack a class.
            return (BINARY,) if self.lock.classes else (BINARY, MULTICLASS)
        return (MULTICLASS,) if self.target.type == "text" else (MULTICLASS, REGRESSION)

    @cached_property
    def objectives(self) -> tuple[str, ...]:
        """Autopilot's names of the objectives that are possible."""
        configured = self.config.autopilot.metric
        return (
            (configured,) if configured else tuple(DEFAULT_OBJECTIVES[problem] for problem in self.problems)
        )

    @cached_property
    def objective(self) -> str | None:
        """The objective, where one alone is possible."""
        return self.objectives[0] if len(self.objectives) == 1 else None

    @cached_property
    def metric(self) -> str | None:
        """The evaluation's name of :attr:`objective`."""
        return metric_of(self.objective) if self.objective else None

    @cached_property
    def target(self) -> Column | None:
        """The target's column."""
        columns = self.lock.columns if self.lock else ()
        return next((column for column in columns if column.name == self.config.dataset.target), None)

    @cached_property
    def features(self) -> dict[str, Column]:
        """The input columns by name."""
        columns = self.lock.columns if self.lock else ()
        return {column.name: column for column in columns if column.name != self.config.dataset.target}

    @cached_property
    def classes(self) -> dict[str, int] | None:
        """Rows by label, of the holdout alone where the data is by reference; `None` of a quantity."""
        return (self.lock.classes or self.lock.holdout_classes) if self.lock else None

    @cached_property
    def held_out(self) -> dict[str, int]:
        """About so many rows of the holdout by label."""
        if self.lock is None or self.classes is None:
            return {}
        share = (self.lock.holdout or 1.0) if self.lock.classes else 1.0
        if self.lock.split and self.lock.rows.total:
            share = self.lock.rows.test / self.lock.rows.total
        return {label: max(1, round(rows * share)) for label, rows in self.classes.items()}

    @cached_property
    def test_rows(self) -> int | None:
        """Rows of the holdout."""
        return self.lock.rows.test if self.lock else None
