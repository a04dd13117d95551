"""What follows from an evaluation, said in sentences."""

import pytest

from automl_evaluation.cautions import few_rows


@pytest.mark.parametrize("held_out", [{}, {"a": 5, "b": 400}])
def test_classes_of_enough_rows_need_no_word(held_out: dict[str, int]) -> None:
    assert few_rows(held_out) == ""


def test_classes_of_few_rows_are_named_the_first_five() -> None:
    assert few_rows({"a": 5, "c": 1, "b": 4}).startswith(
        "holdout has fewer than 5 rows of 2 classes (b, c): what is"
    )
    assert "of 6 classes (0, 1, 2, 3, 4, ...)" in few_rows({str(label): 1 for label in range(6)})
