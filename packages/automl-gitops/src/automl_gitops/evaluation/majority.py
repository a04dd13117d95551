"""A positive class that nobody named, and that most rows have.

The evaluation's container and the first look of a rehearsal read it: it needs the standard library alone.
"""

import json
from collections.abc import Mapping

from automl_gitops.evaluation import values
from automl_gitops.evaluation.metrics import METRICS, OF_A_CLASS


def unnamed(metric: str | None, rows: Mapping[str, int]) -> str | None:
    """What stands behind `automl.toml: [decision]`, where that names no positive class of the labels of ``rows``.

    `None` where ``metric`` is of no class, and where the second label, which is taken by default, is not the one of
    more than half of the rows.
    """
    labels = values.sorted_labels(rows)
    if metric not in OF_A_CLASS or len(labels) != 2:
        return None
    other, default = labels
    total = sum(rows.values())
    if 2 * rows[default] <= total:
        return None
    return (
        f'names no positive class, so that {METRICS[metric].label} is of the second label, "{default}" '
        f'({rows[default] / total:.1%} of the rows): where "{other}" is the class to find, write positive = '
        f"{json.dumps(other, ensure_ascii=False)}"
    )
