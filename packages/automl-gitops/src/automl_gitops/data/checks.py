"""Whether a table suits the configured problem; every way in which it does not is one sentence."""

from collections.abc import Iterable, Mapping

from automl_gitops.data.profile import MOST_CLASSES, Profile, Target
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.autopilot import INFER, LEAST_TRAINING_ROWS
from automl_gitops.kernel.words import counted

__all__ = [
    "LEAST_ROWS",
    "LEAST_TRAINING_ROWS",
    "check",
    "check_number",
    "check_rows",
    "check_target",
    "check_types",
]
LEAST_ROWS = 50


def check(config: Config, table: Table, seen: Profile) -> dict[str | None, int]:
    """Whether the rows suit the configured problem; returns the strata of the split."""
    check_rows(table, seen, "a split")
    check_types(table.name, seen.types)
    classes = check_target(config, table, seen)
    if classes is None:
        return {None: seen.rows}
    lonely = {label: count for label, count in classes.items() if count < 2}
    if lonely:
        raise UserError(
            f'{table.name}: the target "{seen.target.name}" has {counted(len(lonely), "class", "classes")} of one row '
            f"({_some(lonely)}), but a class needs a row to train on and one to test: "
            f"merge small classes or remove them{_or_number(seen.target)}"
        )
    return dict(classes.items())  # of strata, whose key may be none


def check_rows(table: Table, seen: Profile, purpose: str) -> None:
    """Raise `UserError` where there are fewer than `LEAST_ROWS` rows."""
    if seen.rows < LEAST_ROWS:
        raise UserError(
            f"{table.name}: has {counted(seen.rows, 'row')}, too few for {purpose}: at least {LEAST_ROWS} are "
            "needed"
        )


def check_types(source: str, types: Mapping[str, str]) -> None:
    """Raise `UserError` where a column of ``source`` has no value at all."""
    for name, kind in types.items():
        if kind == "empty":
            raise UserError(f'{source}: column "{name}" has no value in any row: remove it')


def check_number(config: Config, table: Table, target: Target) -> None:
    """Raise `UserError` where the problem is a regression and a row of the target is no number."""
    if config.autopilot.problem_type == "Regression" and target.no_number:
        row, value = target.no_number
        raise UserError(
            f'{table.name}: row {row} has "{value}" in the target column "{target.name}", which is no number, '
            'but automl.toml has [autopilot] problem_type = "Regression": correct the row or the problem type'
        )


def check_target(config: Config, table: Table, seen: Profile) -> dict[str, int] | None:
    """Whether the target suits the configured problem; returns rows by label, `None` for a quantity."""
    target, problem = seen.target, config.autopilot.problem_type
    if target.is_constant:
        raise UserError(
            f'{table.name}: the target "{target.name}" has the same value in all rows, so there is nothing to '
            "learn: give rows of two classes or more, or another [dataset] target in automl.toml"
        )
    check_number(config, table, target)
    if problem == "Regression" or (problem == INFER and target.problem_type == "Regression"):
        return None
    classes = target.classes
    if classes is None:
        raise UserError(
            f'{table.name}: the target "{target.name}" has more than {MOST_CLASSES:,} different values, too many for '
            f"classes: name a column of classes as the target{_or_number(target)}"
        )
    if problem == "BinaryClassification" and len(classes) != 2:
        raise UserError(
            f'{table.name}: the target "{target.name}" has {counted(len(classes), "class", "classes")} '
            f"({_some(classes)}), but "
            'automl.toml has [autopilot] problem_type = "BinaryClassification": use MulticlassClassification'
        )
    return dict(classes)


def _or_number(target: Target) -> str:
    return "" if target.no_number else ', or set [autopilot] problem_type = "Regression" in automl.toml'


def _some(labels: Iterable[str]) -> str:
    names = sorted(labels)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
