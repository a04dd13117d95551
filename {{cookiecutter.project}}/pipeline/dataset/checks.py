"""Whether a table suits the configured problem; every way in which it does not is one sentence."""

from collections.abc import Iterable

from pipeline.config import Config
from pipeline.dataset.profile import MOST_CLASSES, Profile
from pipeline.dataset.table import Table
from pipeline.errors import UserError
from pipeline.settings.autopilot import INFER
from pipeline.words import counted, nearest

LEAST_ROWS = 50


def check(config: Config, table: Table, seen: Profile) -> dict[str | None, int]:
    """Whether the rows suit the configured problem; returns the strata of the split."""
    path, target, problem = table.path, seen.target, config.autopilot.problem_type
    if seen.rows < LEAST_ROWS:
        raise UserError(
            f"{path}: has {counted(seen.rows, 'row')}, too few for a split: at least {LEAST_ROWS} are needed"
        )
    for name, kind in seen.types.items():
        if kind == "empty":
            raise UserError(f'{path}: column "{name}" has no value in any row: remove it')
    check_slices(config, table.columns, str(path))
    if target.is_constant:
        raise UserError(
            f'{path}: the target "{target.name}" has the same value in all rows, so there is nothing to '
            "learn: give rows of two classes or more, or another [dataset] target in automl.toml"
        )
    if problem == "Regression" and target.no_number:
        row, value = target.no_number
        raise UserError(
            f'{path}: row {row} has "{value}" in the target column "{target.name}", which is no number, but '
            'automl.toml has [autopilot] problem_type = "Regression": correct the row or the problem type'
        )
    if problem == "Regression" or (problem == INFER and target.problem_type == "Regression"):
        return {None: seen.rows}
    return dict(_check_classes(config, table, seen))


def check_slices(config: Config, columns: Iterable[str], source: str) -> None:
    """Raise `UserError` where [evaluation] slices names something else than input columns of ``source``."""
    features = [name for name in columns if name != config.dataset.target]
    for name in config.evaluation.unknown_slices(features):
        near = nearest(name, features)
        hint = f'did you mean "{near}"?' if near else "remove it there, or name a column"
        raise UserError(
            f'automl.toml: [evaluation] slices names "{name}", which is no input column of {source}: {hint}',
            file="automl.toml",
        )


def _check_classes(config: Config, table: Table, seen: Profile) -> dict[str, int]:
    path, target, classes = table.path, seen.target, seen.target.classes
    or_number = "" if target.no_number else ', or set [autopilot] problem_type = "Regression" in automl.toml'
    if classes is None:
        raise UserError(
            f'{path}: the target "{target.name}" has more than {MOST_CLASSES:,} different values, too many for '
            f"classes: name a column of classes as the target{or_number}"
        )
    if config.autopilot.problem_type == "BinaryClassification" and len(classes) != 2:
        raise UserError(
            f'{path}: the target "{target.name}" has {counted(len(classes), "class", "classes")} '
            f"({_some(classes)}), but "
            'automl.toml has [autopilot] problem_type = "BinaryClassification": use MulticlassClassification'
        )
    lonely = {label: count for label, count in classes.items() if count < 2}
    if lonely:
        raise UserError(
            f'{path}: the target "{target.name}" has {counted(len(lonely), "class", "classes")} of one row '
            f"({_some(lonely)}), but a class needs a row to train on and one to test: "
            f"merge small classes or remove them{or_number}"
        )
    return dict(classes)


def _some(labels: Iterable[str]) -> str:
    names = sorted(labels)
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
