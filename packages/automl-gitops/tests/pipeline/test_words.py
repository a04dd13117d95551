from __future__ import annotations

import pytest

from automl_gitops.kernel.words import counted, meant, nearest, one_line, visible


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


def test_letters_that_look_the_same_are_told_apart_by_their_form():
    composed, taken_apart = "K\u00fcndigt wohl?", "Ku\u0308ndigt wohl?"

    assert f'"{taken_apart}", the same letters in another Unicode form (NFD)?' in meant(
        composed, [taken_apart]
    )
    assert f'"{composed}", the same letters in another Unicode form (NFC)?' in meant(taken_apart, [composed])
    assert meant("kundigt wohl?", [composed]) == f'did you mean "{composed}"?'
    assert meant("\u00fc", ["u\u0308"])  # however short
    assert not meant("Age", [composed])


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


STEERING = "\x00\x07\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u202a\u202e\u2066\u2069\ufeff\ud800\ufffe"


@pytest.mark.parametrize("character", STEERING)
def test_what_steers_an_output_is_shown_as_it_is_written(character: str) -> None:
    shown = visible(f"a{character}b")

    assert shown == f"a{ascii(character)[1:-1]}b"
    assert visible(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["", "Gr\u00fc\u00dfe", "a\u00a0b\u3000c", "\U0001f468\u200d\U0001f469", "two\nlines", "\u0627\u0644"],
)
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text
