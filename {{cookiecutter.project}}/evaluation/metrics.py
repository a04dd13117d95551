"""Measures of your own, beside the metrics that every evaluation has.

A measure is a function that gives each row a number. It gets two arrays, the true and the predicted values of as many
rows: of a classification the classes as text ("1", not 1), of a regression numbers. A row's number may depend on this
row alone. The measure is the mean of the numbers.

It stands in evaluation.json and in the report under the function's name, with its interval and its differences to the
baseline (the best constant answer) and to the champion; [gate] minimums or maximums in automl.toml bound it by that
name. Which way it is better is declared with `lower_is_better` or `higher_is_better`. The example is of patients who
are readmitted ("1") or not ("0"); without the number signs it works.
"""

# import numpy as np
# from automl_gitops.evaluation.measures import lower_is_better
#
#
# @lower_is_better
# def cost(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
#     """Euros per patient: 5,000 for a readmission that was missed, 200 for a call that was not needed."""
#     missed = (truth == "1") & (predicted == "0")
#     needless = (truth == "0") & (predicted == "1")
#     return 5000 * missed + 200 * needless
