"""How the data set of two commits differs: rows, columns, class shares."""

from dataclasses import dataclass, field
from typing import Any

from automl_gitops.data.lock import DatasetLock


@dataclass(frozen=True)
class Schema:
    """Columns that are new, gone, or of another type (name: before, after), and whether their order changed."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    retyped: dict[str, tuple[str, str]] = field(default_factory=dict)
    reordered: bool = False
    target: tuple[str, str] | None = None

    @property
    def keeps_champion(self) -> bool:
        """Whether a model of before can be compared on rows of after: all that it reads is there."""
        return not self.removed and not self.target

    @property
    def sentences(self) -> list[str]:
        """Each difference in a few words."""
        found = []
        if self.target:
            found.append(f"target {self.target[0]} becomes {self.target[1]}")
        if self.added:
            found.append(f"new: {', '.join(self.added)}")
        if self.removed:
            found.append(f"gone: {', '.join(self.removed)}")
        found += [f"{name}: {before} becomes {after}" for name, (before, after) in self.retyped.items()]
        if self.reordered:
            found.append("the columns have another order")
        return found


@dataclass(frozen=True)
class DataChange:
    """Two locks; either may be missing."""

    before: DatasetLock | None
    after: DatasetLock | None

    @property
    def changed(self) -> bool:
        """Whether the model would be made of other data."""
        return (self.before and self.before.sha256) != (self.after and self.after.sha256)

    @property
    def schema(self) -> Schema:
        """The columns' differences; none where there is nothing to compare."""
        if not self.before or not self.after:
            return Schema()
        had = {column.name: column.type for column in self.before.columns}
        has = {column.name: column.type for column in self.after.columns}
        common = [name for name in had if name in has]
        return Schema(
            added=[name for name in has if name not in had],
            removed=[name for name in had if name not in has],
            retyped={name: (had[name], has[name]) for name in common if had[name] != has[name]},
            reordered=common != [name for name in has if name in had],
            target=None
            if self.before.target == self.after.target
            else (self.before.target, self.after.target),
        )

    @property
    def shares(self) -> list[tuple[str, float | None, float | None]]:
        """Label, share before, share after; of a label that one side lacks the share is `None`.

        Of data by reference it is the share in the holdout.
        """
        had, has = _shares(self.before), _shares(self.after)
        return [(label, had.get(label), has.get(label)) for label in dict.fromkeys((*had, *has))]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "changed": self.changed,
            "rows": [lock and lock.rows.model_dump() for lock in (self.before, self.after)],
            "sha256": [lock and lock.sha256 for lock in (self.before, self.after)],
            "schema": self.schema.sentences,
            "class_shares": [{"label": label, "before": a, "after": b} for label, a, b in self.shares],
        }


def _shares(lock: DatasetLock | None) -> dict[str, float]:
    classes = lock and (lock.classes or lock.holdout_classes)
    if not classes:
        return {}
    total = sum(classes.values())
    return {label: count / total for label, count in classes.items()}
