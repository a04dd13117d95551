"""A small table for each problem type."""

import numpy as np
import pandas as pd

ROWS = 1000


def table(problem_type: str, target: str) -> pd.DataFrame:
    """Rows whose target follows from two columns, with noise; the classes are imbalanced."""
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "stays": generator.integers(0, 10, ROWS),
            "age": generator.normal(60, 15, ROWS).round(1),
            # The example's slices of automl.toml name such columns.
            **{f"race_{name}": generator.integers(0, 2, ROWS) for name in ("A", "B")},
            "ward": generator.choice(["north", "south", "children, infants"], ROWS),
            # The example's group: rows of one are on one side.
            "patient_nbr": np.random.default_rng(8).integers(0, ROWS, ROWS),
        }
    )
    score = frame["stays"] + 0.05 * frame["age"] + generator.normal(0, 0.5, ROWS)
    if problem_type == "Regression":
        return frame.assign(**{target: score.round(3)})
    edges, labels = (
        ([6.5, 10.0], ["no", ">30", "<30"]) if problem_type.startswith("Multi") else ([9.0], ["no", "yes"])
    )
    return frame.assign(**{target: np.asarray(labels)[np.digitize(score, edges)]})
