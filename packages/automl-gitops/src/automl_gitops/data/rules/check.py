"""Whether a rule leaves every part what it needs, and what has to be said of the parts."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from automl_evaluation.layout import FEWEST_GROUPS
from automl_gitops.data.cells import or_names
from automl_gitops.data.rules import PARTS, TEST, TRAIN, VALIDATE, Assignment
from automl_gitops.data.statistics import are_texts, is_missing
from automl_gitops.data.table import Table
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_gitops.kernel.words import counted, quoted, some

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


def refuse_later_texts(table: Table, names: Iterable[str], sides: np.ndarray) -> None:
    """Raise `UserError` for a column of ``names`` that is of numbers in the rows to train on, and has a text in another
    part: a model that learns numbers refuses it. Reads as far as that is open.
    """
    # Of columns that have no text to train on so far, where the first one is.
    texts: dict[str, str] = dict.fromkeys(names, "")
    numbers: set[str] = set()
    done = 0
    for batch in table.batches(list(texts), checked=True) if texts else ():
        part = sides[done : done + batch.num_rows]
        for name in list(texts):
            column = batch.column(name)
            given = ~np.asarray(is_missing(column))
            found = given & np.asarray(are_texts(column))
            if found[part == TRAIN].any():
                del texts[name]
                continue
            if given[part == TRAIN].any():
                numbers.add(name)
            found &= part <= TEST
            if not texts[name] and found.any():
                row = int(np.argmax(found))
                said = quoted(column[row].as_py())
                texts[name] = f"row {done + row + 1} of the {PARTS[part[row]]} has {said}"
        done += batch.num_rows
        if not texts:
            return
    for name, where in texts.items():
        if where and name in numbers:
            raise UserError(
                f'{table.name}: column "{name}" has numbers alone in the rows to train on, and {where}, which a model '
                f"of numbers refuses: correct it or leave it empty{or_names(name)}"
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
