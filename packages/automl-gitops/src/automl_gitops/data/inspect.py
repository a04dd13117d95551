"""`dataset inspect`: what a file holds, and which target and problem type suit it. No configuration is
needed.
"""

from pathlib import Path
from typing import Any

from automl_gitops.data import hospital
from automl_gitops.data.profile import MANY, MOST_CLASSES, Profile, Target, profile
from automl_gitops.data.statistics import Statistics
from automl_gitops.data.table import Table
from automl_gitops.kernel.words import counted

MOST_FREQUENT = 5
_UNKNOWN = {"?", "-", "--", "."}  # as some write a missing value


def inspect(path: Path, target: str | None = None) -> dict[str, Any]:
    """Facts of a file as a JSON document.

    `file`, `format`, `rows`; `columns`, each with `name`, `type`, `missing` (rows), `missing_share`, `distinct` (null
    above 1,000), `least` and `most` (of numbers), `frequent` (rows by value, most frequent first; null above 1,000
    different ones), `length` (characters of the longest text), `looks_like` (`"date"`, `"identifier"`, `"constant"` or
    null); `target` (the last column unless given); `target_missing` (rows); `problem_type`, null where the target has
    one value; `reason` for it, a sentence; `classes` (rows by label, null for a quantity), `least` and `most` of a
    quantity; `notices`, sentences; and `prepare`: `"hospital"` for UCI's file, from which `dataset prepare-hospital`
    makes the example, otherwise null.
    """
    table = Table.open(path)
    source = hospital.is_source(table.columns)
    name = target or (hospital.TARGET if source else table.columns[-1])
    seen = profile(table, name, whole_target=False)
    problem = seen.target.problem_type
    classes = seen.target.classes if problem != "Regression" else None
    return {
        "file": str(path),
        "format": table.format,
        "rows": seen.rows,
        "columns": [_column(column) for column in seen.statistics.values()],
        "target": name,
        "target_missing": seen.statistics[name].missing,
        "problem_type": problem,
        "reason": _reason(seen.target),
        "classes": None if classes is None else dict(sorted(classes.items())),
        "least": seen.target.least if problem == "Regression" else None,
        "most": seen.target.most if problem == "Regression" else None,
        "notices": list(_notices(seen, table)),
        "prepare": "hospital" if source else None,
    }


def _column(seen: Statistics) -> dict[str, Any]:
    frequent = seen.counts and sorted(seen.counts.items(), key=lambda entry: (-entry[1], seen.order(entry)))
    return {
        "name": seen.name,
        "type": seen.kind,
        "missing": seen.missing,
        "missing_share": round(seen.missing / seen.rows, 6),
        "distinct": seen.distinct,
        "least": seen.least,
        "most": seen.most,
        "frequent": None if seen.counts is None else dict((frequent or [])[:MOST_FREQUENT]),
        "length": seen.length,
        "looks_like": "constant" if seen.is_constant else seen.looks_like,
    }


def _reason(target: Target) -> str:
    """Why the problem type suits the target."""
    classes, problem = target.classes, target.problem_type
    if problem is None:
        return "it has no value" if not classes else "it has one value, so there is nothing to learn"
    if problem == "Regression":
        if classes is not None and len(classes) <= MANY:
            return "its numbers have fractions, so they are a quantity"
        many = f"more than {MOST_CLASSES:,}" if classes is None else f"{len(classes):,}"
        return f"it has {many} different numbers, so they are a quantity"
    if classes is None:
        return f"it has more than {MOST_CLASSES:,} different values that are no numbers: too many for classes"
    kind = "texts" if target.no_number else "numbers"
    return f"it has {len(classes):,} different {kind}, each a class"


def _notices(seen: Profile, table: Table) -> list[str]:
    """What to look at before a push."""
    found, target = [], seen.target.name
    missing = seen.statistics[target].missing
    if missing:
        found.append(
            f'{counted(missing, "row")} without a value in the target "{target}": fill or remove them'
        )
    empty = [name for name, kind in seen.types.items() if kind == "empty"]
    if empty:
        found.append(f"no value in any row of {_some(empty)}: remove what is empty")
    unknown = [one.name for one in seen.statistics.values() if one.counts and _UNKNOWN & one.counts.keys()]
    if unknown:
        found.append(
            f'values such as "?" in {_some(unknown)}: they read as a value; leave empty what is missing'
        )
    names = [name.strip() for name in table.columns]
    if len(names) > 1 and all(_is_number(name) for name in names) and not _is_running(names):
        found.append("all names of columns are numbers: does the file lack its header?")
    return found


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _is_running(names: list[str]) -> bool:
    """As pandas names columns that have no names: 0, 1, 2."""
    return names in ([str(number + first) for number in range(len(names))] for first in (0, 1))


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
