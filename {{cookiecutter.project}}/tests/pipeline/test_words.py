from __future__ import annotations

import pytest

from pipeline.words import counted, nearest


@pytest.mark.parametrize(
    ("number", "words", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2, ("row",), "2 rows"),
        (50_000, ("row",), "50,000 rows"),
        (1, ("class", "classes"), "1 class"),
        (3, ("class", "classes"), "3 classes"),
    ],
)
def test_a_count_has_the_right_ending(number, words, text):
    assert counted(number, *words) == text


def test_the_nearest_word_whatever_its_case():
    assert nearest("F1Makro", ["F1macro", "Accuracy"]) == "F1macro"
    assert nearest("Kappa", ["F1macro", "Accuracy"]) is None
