"""Measures of your own, beside the metrics that every evaluation has.

A measure is a function that gives each row a number. It gets two arrays, the true and the predicted values of as many
rows: for a classification the classes as text ("1", not 1), for a regression numbers. A row's number may depend on that
row alone. The measure is the mean of the numbers.

It stands in evaluation.json and in the report under the function's name, with its interval and its differences to the
baseline (the best constant answer) and to the champion; `minimums` and `maximums` of [gate] in automl.toml bound it by
that name. Declare with `lower_is_better` or `higher_is_better` which way it is better. An example, for patients who are
readmitted within 30 days ("<30") or not:
"""

# import numpy as np
# from automl_evaluation.measures import lower_is_better
#
#
# @lower_is_better
# def cost(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
#     """Euros per patient: 5,000 for an early readmission that was missed, 200 for a needless call."""
#     early, called = truth == "<30", predicted == "<30"
#     return 5000 * (early & ~called) + 200 * (called & ~early)
