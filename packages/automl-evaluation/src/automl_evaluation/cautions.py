"""What a reader has to know of an evaluation's figures, as sentences that follow from the document itself."""

import json
from collections.abc import Mapping

from automl_evaluation.layout import Evaluation

FEW_ROWS_HELD_OUT = 5  # of a class
MOST_NAMED = 5


def few_rows(held_out: Mapping[str, int]) -> str:
    """What is to be said of classes of few rows in the holdout, by its rows of each class; "" without such ones."""
    few = sorted(label for label, rows in held_out.items() if rows < FEW_ROWS_HELD_OUT)
    if not few:
        return ""
    named = ", ".join(few[:MOST_NAMED]) + (", ..." if len(few) > MOST_NAMED else "")
    classes = f"{len(few):,} class{'es' if len(few) > 1 else ''}"
    return (
        f"holdout has fewer than {FEW_ROWS_HELD_OUT} rows of {classes} ({named}): "
        "what is measured of them is chance, and an average over classes counts them like the others"
    )


def notices(evaluation: Evaluation) -> list[str]:
    """What comes before all figures: the evaluation's own notes, and classes of few rows."""
    held_out = evaluation.dataset.holdout_classes or {
        one.label: one.support for one in evaluation.classes if one.support
    }
    few = few_rows(held_out)
    return [*evaluation.notes, *([f"the {few}"] if few else [])]


def independence(evaluation: Evaluation) -> str:
    """What intervals take for independent, where that is not plain; "" where rows are split at random."""
    if evaluation.grouping:
        return evaluation.grouping.said
    split = evaluation.dataset.split
    if not split or not split.time:
        return ""
    return (
        f"Intervals take rows as independent. Where rows of one {split.time} err alike, they are too narrow: with "
        f"[dataset] group = {json.dumps(split.time, ensure_ascii=False)} beside time they are of times."
    )


def cost(evaluation: Evaluation) -> str:
    """What the decision costs on the holdout, where [decision] costs says what errors cost; "" elsewhere."""
    costs = evaluation.threshold.costs if evaluation.threshold else None
    confusion, positive = evaluation.confusion, evaluation.positive_class
    if not costs or not confusion or not confusion.rows or positive not in (labels := confusion.labels or []):
        return ""
    place = labels.index(positive)
    matrix = confusion.rows
    rows, of_class, right = sum(map(sum, matrix)), sum(matrix[place]), matrix[place][place]
    missed, false = of_class - right, sum(row[place] for row in matrix) - right
    mine = (false * costs.false_positive + missed * costs.false_negative) / rows
    always = {
        "no row": of_class * costs.false_negative / rows,
        "every row": (rows - of_class) * costs.false_positive / rows,
    }
    cheaper = min(always, key=lambda which: always[which])
    return (
        f"On the holdout its errors cost {mine:.4g} a row ({false:,} false positives at {costs.false_positive:g}, "
        f"{missed:,} false negatives at {costs.false_negative:g}); calling {cheaper} \N{LEFT DOUBLE QUOTATION MARK}"
        f"{positive}\N{RIGHT DOUBLE QUOTATION MARK} would cost {always[cheaper]:.4g}."
    )
