"""What a person would want to be told of a table before paying for a training; the table is read in batches.

A finding is about the data alone, and stops nothing unless contract.toml says so. What the data and automl.toml show
together, such as classes too rare for the holdout, is `automl_gitops.data.consistency`'s.
"""

# In the order in which they are told.
KINDS = {
    "target_leak": "a column alone predicts the target",
    "rows_on_both_sides": "rows of the holdout are trained on",
    "conflicting_labels": "equal inputs have different labels",
    "duplicate_rows": "rows are copies of others",
    "similar_classes": "classes differ only in case or blanks",
    "leading_zeros": "numbers have leading zeros",
    "written_numbers": "numbers are written as texts",
    "index": "a column is an index",
    "identifier": "a column looks like an identifier",
    "recurring_identifier": "an identifier has several rows of a value",
    "date": "a column holds dates",
    "equal_columns": "columns are equal",
    "similar_names": "names differ only in case or blanks",
    "similar_values": "values differ only in case or blanks",
    "constant": "a column is constant",
    "nearly_constant": "a column is nearly constant",
}
