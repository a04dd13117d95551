"""`dataset inspect`: what a file holds, and which target and problem type suit it. No configuration is
needed.
"""

from pathlib import Path
from typing import Any

from pipeline.dataset import hospital
from pipeline.dataset.profile import profile
from pipeline.dataset.table import Table


def inspect(path: Path, target: str | None = None) -> dict[str, Any]:
    """Facts of a file as a JSON document.

    `file`, `format`, `rows`, `columns` (name and type), `target` (the last column unless given),
    `problem_type`, `classes` (rows by label, null for a number), and `prepare`: `"hospital"` for UCI's file,
    from which `dataset prepare-hospital` makes the example, otherwise null.
    """
    table = Table.open(path)
    source = hospital.is_source(table.columns)
    seen = profile(table, target or (hospital.TARGET if source else table.columns[-1]))
    problem = seen.target.problem_type
    classes = seen.target.classes if problem != "Regression" else None
    return {
        "file": str(path),
        "format": table.format,
        "rows": seen.rows,
        "columns": [{"name": name, "type": kind} for name, kind in seen.types.items()],
        "target": seen.target.name,
        "problem_type": problem,
        "classes": None if classes is None else dict(sorted(classes.items())),
        "prepare": "hospital" if source else None,
    }
