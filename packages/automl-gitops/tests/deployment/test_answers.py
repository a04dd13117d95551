"""How answers are read and compared."""

from __future__ import annotations

import pytest

from automl_gitops.serving.registry import ModelPackage
from automl_gitops.verification.checks import (
    Tolerance,
    check_agreement,
    check_decisions,
    check_values,
    compare,
    most_at_border,
    same_cells,
)
from automl_gitops.verification.payload import Decider, parse_csv, parse_json, response_keys

KEYS = ["predicted_label", "probabilities"]
EXACT = Tolerance(absolute=0.0, relative=0.0)


def package(problem_type: str, *environments: dict[str, str]) -> ModelPackage:
    return ModelPackage(
        arn="arn",
        version=1,
        approval="",
        containers=tuple({"Image": "i", "Environment": environment} for environment in environments),
        metadata={"problem_type": problem_type},
        stage="",
        stage_status="",
        commit="",
    )


@pytest.mark.parametrize(
    ("problem_type", "environments", "keys"),
    [
        ("MulticlassClassification", [{"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, probability"}], 2),
        ("BinaryClassification", [{}], 1),
        ("Regression", [{"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label"}], 1),
        (
            "BinaryClassification",
            [
                {},
                {"SAGEMAKER_INFERENCE_OUTPUT": "a"},
                {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probability"},
            ],
            2,
        ),
    ],
)
def test_the_names_of_an_answers_values(problem_type, environments, keys):
    found = response_keys(package(problem_type, *environments))

    assert found == (
        ["prediction"] if problem_type == "Regression" else ["predicted_label", "probability"][:keys]
    )


def test_csv_and_json_are_the_same_answer():
    csv = parse_csv('"a, b","[0.25, 0.75]"\nc,"[1.0, 0.0]"\n', KEYS)
    document = parse_json(
        '{"predictions": [{"predicted_label": "a, b", "probabilities": [0.25, 0.75]},'
        ' {"predicted_label": "c", "probabilities": [1, 0]}]}',
        KEYS,
    )
    lines = parse_json('{"predicted_label": "a, b", "probabilities": [0.25, 0.75]}\n' * 2, KEYS)

    assert csv[0] == {"predicted_label": "a, b", "probabilities": "[0.25, 0.75]"}
    assert [compare(one, other, EXACT) for one, other in zip(csv, document, strict=True)] == ["same"] * 2
    assert len(lines) == 2
    assert compare(lines[1], csv[0], EXACT) == "same"


@pytest.mark.parametrize("text", ["1", '{"score": 1}', '{"predictions": [{"score": 1.0}]}', "[1.0]"])
def test_a_regressions_json_may_have_any_shape(text):
    assert compare(parse_json(text, ["prediction"])[0], {"prediction": "1"}, EXACT) == "same"


@pytest.mark.parametrize("text", ["yes\n", "yes,0.5,1\n"])
def test_csv_with_other_values_is_refused(text):
    with pytest.raises(ValueError, match="instead of 2"):
        parse_csv(text, KEYS)


@pytest.mark.parametrize("text", ["no json", '{"predicted_label": "a"}', '{"predictions": [1]}'])
def test_json_that_is_none_or_lacks_a_value_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text, KEYS)


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        ({"predicted_label": "1"}, {"predicted_label": "1.0"}, "border"),  # labels are texts
        (
            {"predicted_label": "a", "probability": "0.5"},
            {"predicted_label": "b", "probability": "0.5004"},
            "border",
        ),
        (
            {"predicted_label": "a", "probability": "0.9"},
            {"predicted_label": "b", "probability": "0.1"},
            "different",
        ),
        (
            {"predicted_label": "a", "probability": "0.9"},
            {"predicted_label": "a", "probability": "0.8"},
            "different",
        ),
        ({"prediction": "1e9"}, {"prediction": "1000001000"}, "same"),
        ({"prediction": "1e9"}, {"prediction": "1001000000"}, "different"),
        ({"prediction": "nan"}, {"prediction": "1"}, "different"),
        ({"probabilities": "[0.1, 0.9]"}, {"probabilities": "[0.1004, 0.8996]"}, "same"),
        ({"probabilities": "[0.1, 0.9]"}, {"probabilities": "[0.102, 0.898]"}, "different"),
        ({"probabilities": "[0.1, 0.9]"}, {"probabilities": "[0.1]"}, "different"),
        ({"labels": "['a', 'b']"}, {"labels": '["a", "b"]'}, "same"),
    ],
)
def test_what_counts_as_the_same_prediction(one, other, outcome):
    assert compare(one, other, Tolerance()) == outcome


def test_a_regression_may_differ_by_a_thousandth_of_its_spread():
    expected = [{"prediction": str(value)} for value in (100, 200, 300)]  # standard deviation 81.6
    tolerance = Tolerance.of(expected)

    assert compare({"prediction": "200.08"}, expected[1], tolerance) == "same"
    assert compare({"prediction": "200.09"}, expected[1], tolerance) == "different"


def test_the_spread_does_not_depend_on_where_zero_is():
    expected = [{"prediction": str(-273.15 + value / 10)} for value in range(100)]
    tolerance = Tolerance.of(expected)

    assert compare({"prediction": "-273.14"}, expected[0], tolerance) == "different"


@pytest.mark.parametrize(("rows", "most"), [(1, 0), (49, 0), (50, 1), (500, 5), (1000, 10)])
def test_one_row_in_a_hundred_may_lie_at_the_border(rows, most):
    assert most_at_border(rows) == most


@pytest.mark.parametrize(
    ("positive", "labels", "probabilities", "label"),
    [
        ("yes", "['no', 'yes']", "[0.7, 0.3]", "yes"),
        ("yes", '["yes", "no"]', "[0.29, 0.71]", "no"),
        ("1", "[0.0, 1.0]", "[0.1, 0.9]", "1.0"),
        ("true", "['False', 'True']", "[0.8, 0.2]", "False"),
        ("9007199254740993", "[9007199254740992, 9007199254740993]", "[0.6, 0.4]", "9007199254740993"),
    ],
)
def test_a_probability_decides_from_the_threshold_on(positive, labels, probabilities, label):
    prediction = {"predicted_label": "whatever", "labels": labels, "probabilities": probabilities}

    assert Decider(positive, 0.3).decide(prediction) == label


@pytest.mark.parametrize(
    "prediction",
    [
        {"predicted_label": "yes", "probability": "0.9"},
        {"labels": "['no', 'yes', 'maybe']", "probabilities": "[0.1, 0.2, 0.7]"},
        {"labels": "['no', 'maybe', 'yes']", "probabilities": "[0.3, 0.7]"},
        {"labels": "['a', 'b']", "probabilities": "[0.1, 0.9]"},
        {"labels": "no,yes", "probabilities": "[0.1, 0.9]"},
    ],
)
def test_without_two_probabilities_nothing_is_decided(prediction):
    with pytest.raises(ValueError, match="needs two probabilities, one of yes"):
        Decider("yes", 0.3).decide(prediction)


@pytest.mark.parametrize(("wrong", "outcome"), [(0, "passed"), (10, "passed"), (11, "failed")])
def test_labels_alone_may_differ_at_the_border(wrong, outcome):
    expected = [{"predicted_label": "a", "probability": "0.5"}] * 1000
    found = [{"predicted_label": "b", "probability": "0.5003"}] * wrong + expected[wrong:]

    assert check_agreement(found, expected).outcome == outcome


def test_one_row_of_another_probability_is_another_model():
    expected = [{"predicted_label": "a", "probability": "0.9"}] * 1000
    found = [{"predicted_label": "a", "probability": "0.7"}, *expected[1:]]

    check = check_agreement(found, expected)

    assert check.outcome == "failed"
    assert "row 1: {'predicted_label': 'a', 'probability': '0.7'}" in check.detail


def test_no_number_of_a_regression_may_differ():
    expected = [{"prediction": "1"}] * 1000

    assert check_agreement([{"prediction": "2"}, *expected[1:]], expected).outcome == "failed"


@pytest.mark.parametrize(
    ("prediction", "classes", "outcome"),
    [
        ({"predicted_label": "a", "probabilities": "[0.5, 0.5]"}, {"a", "b"}, "passed"),
        ({"predicted_label": "c"}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probability": "inf"}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probability": ""}, {"a", "b"}, "failed"),
        ({"predicted_label": "a", "probabilities": "[0.5, NaN]"}, {"a", "b"}, "failed"),
        ({"prediction": "-1e300"}, None, "passed"),
        ({"prediction": "nan"}, None, "failed"),
        ({"prediction": "many"}, None, "failed"),
    ],
)
def test_labels_that_training_knew_and_numbers_that_are_finite(prediction, classes, outcome):
    known = frozenset(classes) if classes else None

    assert check_values([prediction], known).outcome == outcome


def test_answers_of_two_versions_are_compared_value_by_value():
    assert same_cells(["yes", "0.5"], ["yes", "0.5004"], Tolerance())
    assert not same_cells(["yes", "0.5"], ["no", "0.5"], Tolerance())
    assert not same_cells(["yes", "0.5"], ["yes", "0.502"], Tolerance())
    assert not same_cells(["yes"], ["yes", "0.5"], Tolerance())
    assert not same_cells(None, ["yes"], Tolerance())


DEEP = "[" * 100_000
STRANGE = [DEEP, "[[1], [2]]", "[null, 1]", f"[{'9' * 400}, 1]", "[0.5", '{"a": 1}', "", "9" * 400]


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: text[:9])
def test_an_answer_that_nobody_thought_of_differs(text):
    expected = [{"predicted_label": "a", "probabilities": "[0.25, 0.75]", "labels": "['a', 'b']"}]
    found = [{**expected[0], "probabilities": text}]

    assert check_values(found, frozenset({"a", "b"})).outcome == "failed"
    assert check_agreement(found, expected).outcome == "failed"
    assert check_decisions(Decider("a", 0.5), found, expected).outcome == "failed"


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_json_that_is_nested_too_deeply_is_refused(text):
    with pytest.raises(ValueError, match=r"nested|Expecting"):
        parse_json(text, KEYS)
