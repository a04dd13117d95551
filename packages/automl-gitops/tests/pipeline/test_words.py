from __future__ import annotations

import pytest

from automl_gitops.kernel.words import counted, nearest, one_line


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


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("first\nsecond", "first second"),
        ("  a\r\n\tb  ", "a b"),
        ("a\u2028b\u0085c\x1b[31md", "a b c [31md"),
        ("Überlauf: 再入院 😀", "Überlauf: 再入院 😀"),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 19 + "…"),
        ("", ""),
    ],
)
def test_a_text_for_a_service_is_on_one_line_and_fits(text, line):
    assert one_line(text, 20) == line


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("Binary", "BinaryClassification"),
        ("regression", "Regression"),
        ("classification", None),
        ("FAST", None),
        ("MaxSecond", "MaxSeconds"),
    ],
)
def test_a_beginning_stands_for_one_word_and_what_is_in_several_for_none(word, meant):
    known = ["BinaryClassification", "MulticlassClassification", "Regression", "AUTO"]

    assert nearest(word, [*known, "MaxSeconds", "MaxSecondsPerTrainingJob"]) == meant
