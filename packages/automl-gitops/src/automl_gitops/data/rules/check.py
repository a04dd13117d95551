"""Whether a rule leaves every part what it needs, and what has to be said of the parts."""

from collections.abc import Iterator, Mapping

from automl_gitops.data.rules import PARTS, TEST, TRAIN, VALIDATE, Assignment
from automl_gitops.evaluation.layout import FEWEST_GROUPS
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_gitops.kernel.words import counted, some

LEAST_VALIDATION_ROWS = 20  # fewer choose no candidate
_MOST_CLASSES = 5  # whose shares are said one by one


def require_whole(dataset: DatasetSettings, assigned: Assignment, source: str, *, has_classes: bool) -> None:
    """Raise `UserError` where a part of ``source`` lacks rows, groups or a class."""
    for side, part in PARTS.items():
        rows = assigned.rows(side)
        if side == VALIDATE and not rows and dataset.split:
            continue
        least = LEAST_VALIDATION_ROWS if side == VALIDATE else 1
        if rows < least:
            wanted = f", at least {least} are needed" if rows else ""
            raise UserError(
                f"{source}: {_rule(dataset)} leaves {counted(rows, 'row')} for the {part}{wanted}: {_way_out(dataset)}"
            )
        lacking = sorted(
            label for label, count in (assigned.classes or {}).get(side, {}).items() if not count
        )
        if has_classes and lacking:
            raise UserError(
                f"{source}: {_rule(dataset)} leaves no row of {counted(len(lacking), 'class', 'classes')} "
                f"({some(lacking)}) among the {part}, and each part "
                f"needs every class: merge small classes or remove them, or {_way_out(dataset)}"
            )
    groups = assigned.groups_of(TEST)
    if assigned.groups is not None and groups < FEWEST_GROUPS:
        raise UserError(
            f"{source}: {_rule(dataset)} leaves {counted(groups, 'group')} for the holdout, which judges nothing: "
            f"{_way_out(dataset)}"
        )


def notices(dataset: DatasetSettings, assigned: Assignment, *, has_classes: bool) -> Iterator[str]:
    """What the rule makes of the table, a sentence each."""
    if dataset.split and not assigned.rows(VALIDATE):
        yield (
            f'[dataset] split: no row of "{dataset.split}" is validation: Autopilot draws some of its own at random'
        )
    if has_classes and assigned.classes:
        yield f"with {_rule(dataset)} the classes' shares are not the same in all parts: {_shares(assigned)}"


def _rule(dataset: DatasetSettings) -> str:
    return "[dataset] " + " and ".join(key for key in ("group", "time", "split") if key in dataset.rule)


def _way_out(dataset: DatasetSettings) -> str:
    if dataset.split:
        return f'say so of more rows in the column "{dataset.split}"'
    if dataset.time:
        return f"give more rows, or another holdout{' or gap' if dataset.gap else ''} in automl.toml"
    return "give more groups, or another holdout or seed in automl.toml"


def _shares(assigned: Assignment) -> str:
    """The classes' shares in each part: of all, or of the one that differs most."""
    counts = {side: labels for side, labels in (assigned.classes or {}).items() if any(labels.values())}
    totals = {side: sum(labels.values()) for side, labels in counts.items()}

    def of(label: str) -> Mapping[int, float]:
        return {side: labels[label] / totals[side] for side, labels in counts.items()}

    labels = sorted(counts[TRAIN])
    if len(labels) > _MOST_CLASSES:
        labels = [max(labels, key=lambda label: max(of(label).values()) - min(of(label).values()))]
    said = "; ".join(
        f"{label} {', '.join(f'{share:.1%}' for share in of(label).values())}" for label in labels
    )
    parts = ", ".join(PARTS[side] for side in counts)
    most = "" if len(labels) == len(counts[TRAIN]) else "most differs "
    return f"{most}{said} (in the {parts})"
