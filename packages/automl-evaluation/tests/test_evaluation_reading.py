"""CSV parts as they come: quoting, encodings, numbers and booleans as labels; what is wrong, with its row."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from automl_evaluation.errors import EvaluationError, PredictionError
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.holdout_numbers import NumberHoldout
from automl_evaluation.inputs import check_lines
from automl_evaluation.labels import Classes
from automl_evaluation.predictions import read_class_predictions, read_number_predictions
from automl_evaluation.reading import Part, parts, read_labels, read_numbers, read_truth
from automl_evaluation.typed import plain

LISTS = ["predicted_label", "probabilities", "labels"]


def part(folder: Path, content: str | bytes, name: str = "part-00000.csv") -> Part:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Part(path, name)


def labels_of(folder: Path, content: str | bytes) -> list[str]:
    read = read_labels([part(folder, content)])
    return [read.texts[code] for code in read.codes]


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        pytest.param("y\nno\nyes\n", ["no", "yes"], id="plain"),
        pytest.param("y\nno\nyes", ["no", "yes"], id="no line break at the end"),
        pytest.param("y\r\nno\r\nyes\r\n", ["no", "yes"], id="Windows line ends"),
        pytest.param("\ufeffy\nno\nyes\n", ["no", "yes"], id="byte order mark"),
        pytest.param('y\n"a, b"\n"say ""no"""\n', ["a, b", 'say "no"'], id="commas and quotes"),
        pytest.param(
            '"y\nz"\n"two\nlines"\nno\n', ["two\nlines", "no"], id="line breaks, also in the header"
        ),
        pytest.param("y\nNA\nnull\nnan\n", ["NA", "null", "nan"], id="labels that look missing"),
        pytest.param("y\n1\n1.0\n 1\n", ["1", "1.0", " 1"], id="as they stand"),
        pytest.param("y\nGröße\n日本\n", ["Größe", "日本"], id="UTF-8"),
        pytest.param("y\n", [], id="no rows"),
    ],
)
def test_labels_are_read_as_they_stand(tmp_path: Path, content: str, labels: list[str]) -> None:
    assert labels_of(tmp_path, content) == labels


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("y\nno\n\nyes\n", "part-00000.csv, row 2: the label is missing", id="an empty line"),
        pytest.param('y\nno\n""\n', "part-00000.csv, row 2: the label is missing", id="an empty field"),
        pytest.param(
            "y\nno\na,b\n", "part-00000.csv, row 2: 2 fields where 1 were expected", id="a field too many"
        ),
        pytest.param("y,z\nno,1\n", "part-00000.csv: 2 columns in the header, expected 1", id="two columns"),
        pytest.param(
            "y\nno\nGröße\n".encode("latin-1"),
            r"part-00000.csv, row 2: the label b'Gr\\xf6\\xdfe' is not UTF-8; convert the data set to UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            "y\nno\n".encode("utf-16"),
            r"part-00000.csv, row 1: the label b.*holds NUL bytes; convert the data set to UTF-8",
            id="UTF-16",
        ),
        pytest.param("", "part-00000.csv: empty, not even a header", id="empty"),
    ],
)
def test_what_is_wrong_with_labels_is_said_with_the_row(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        labels_of(tmp_path, content)


def test_rows_are_counted_in_their_part(tmp_path: Path) -> None:
    found = [part(tmp_path, "y\nno\nno\n", "a.csv"), part(tmp_path, 'y\nno\n""\n', "b.csv")]

    with pytest.raises(EvaluationError, match=r"^b.csv, row 2: the label is missing$"):
        read_labels(found)


def test_labels_beyond_one_block_are_all_read(tmp_path: Path) -> None:
    labels = [f"class {number % 300}" for number in range(200_000)]

    read = read_labels([part(tmp_path, "y\n" + "\n".join(labels) + "\n")])

    assert [read.texts[code] for code in read.codes] == labels
    assert read.codes.dtype == np.uint16


@pytest.mark.parametrize(
    ("groups", "labels", "same"),
    [
        pytest.param(
            [["2", "10", "1.0"], ["1", "02"]],
            ["1.0", "2", "10"],
            [("1", "1.00"), ("2", "+2.0e0")],
            id="numbers",
        ),
        pytest.param([["True", "false"], ["true"]], ["false", "True"], [("true", "TRUE")], id="booleans"),
        pytest.param([["b", "a"], ["10", "9"]], ["10", "9", "a", "b"], [], id="text"),
        pytest.param([["1", "1.0", "x"]], ["1", "1.0", "x"], [], id="a word among numbers: all are text"),
        pytest.param(
            [["12345678901234567890", "12345678901234567891"]],
            ["12345678901234567890", "12345678901234567891"],
            [],
            id="whole numbers that floats cannot tell apart",
        ),
        pytest.param([["-0", "0.0"]], ["-0"], [("0", "-0.0")], id="zero"),
        pytest.param(
            [["1" * 40, "1" * 39 + "2"]], ["1" * 40, "1" * 39 + "2"], [], id="more digits than decimals keep"
        ),
        pytest.param([["1e400", "1"]], ["1", "1e400"], [], id="what no float holds is a text"),
    ],
)
def test_spellings_of_a_class(
    groups: list[list[str]], labels: list[str], same: list[tuple[str, str]]
) -> None:
    classes = Classes(*groups)

    assert classes.labels == labels
    for one, other in same:
        assert classes.code(one) == classes.code(other)


def test_a_label_of_no_class_is_none() -> None:
    classes = Classes(["1", "2"])

    for label in ("3", "one", "", "1_0", "NaN", "1e999999999"):
        with pytest.raises(KeyError):
            classes.code(label)


def predictions(folder: Path, content: str, outputs: Sequence[str] = LISTS, rows: int = 2) -> object:
    return read_class_predictions([part(folder, content, "part-00000.csv.out")], outputs, [rows])


def test_probabilities_stand_by_their_labels_whatever_their_order(tmp_path: Path) -> None:
    content = "b,\"[0.25, 0.75]\",\"['a', 'b']\"\na,\"[0.125, 0.875]\",\"['b', 'a']\"\n"

    found = predictions(tmp_path, content)

    assert found.probability_labels == ["a", "b"]
    assert found.probabilities.T.tolist() == [[0.25, 0.75], [0.875, 0.125]]


@pytest.mark.parametrize(
    "spelled",
    ["[0.25, 0.75]", "[0.25,0.75]", "[2.5e-1, .75]", "[ 0.25 ,  0.75 ]", ' [""0.25"", ""0.75""]'],
    ids=["as Python writes it", "no blank", "an exponent, no zero", "more blanks", "quotes"],
)
def test_lists_of_probabilities_however_they_are_written(tmp_path: Path, spelled: str) -> None:
    plain_list, labels = '"[0.1, 0.9]"', "\"['a', 'b']\""

    found = predictions(tmp_path, f'a,{plain_list},{labels}\na,"{spelled}",{labels}\n')

    assert found.probabilities.T.tolist() == [[0.1, 0.9], [0.25, 0.75]]


def test_a_list_too_short_is_no_part_of_one_too_long(tmp_path: Path) -> None:
    labels = "\"['a', 'b']\""

    with pytest.raises(PredictionError, match=r"row 1: expected 2 probabilities from 0 to 1, got '\[1\]'$"):
        predictions(tmp_path, f'a,"[1]",{labels}\na,"[0.1, 0.2, 0.7]",{labels}\n')


def test_probabilities_are_read_to_the_last_digit(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).dirichlet([0.01, 1, 1], 1000)
    lines = "".join(f"a,\"{row}\",\"['a', 'b', 'c']\"\n" for row in rows.tolist())

    assert predictions(tmp_path, lines, rows=1000).probabilities.T.tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param('"[\'1, 2\', \'say ""no""\']"', ["1, 2", 'say "no"'], id="commas and quotes"),
        pytest.param('"[1, 0]"', ["1", "0"], id="numbers"),
        pytest.param('"[False, True]"', ["False", "True"], id="Python's booleans"),
        pytest.param('"[""a"", ""b""]"', ["a", "b"], id="JSON"),
    ],
)
def test_lists_of_labels(tmp_path: Path, labels: str, expected: list[str]) -> None:
    line = f'x,"[0.5, 0.5]",{labels}\n'

    assert predictions(tmp_path, line * 2).probability_labels == expected


@pytest.mark.parametrize(
    ("second", "message"),
    [
        pytest.param(
            "a,\"[0.5]\",\"['a', 'b']\"",
            r"row 2: expected 2 probabilities from 0 to 1, got '\[0.5\]'",
            id="one missing",
        ),
        pytest.param(
            "a,\"[0.5, ]\",\"['a', 'b']\"",
            r"row 2: expected 2 probabilities from 0 to 1, got '\[0.5, \]'",
            id="one empty",
        ),
        pytest.param("a,\"[0.5, nan]\",\"['a', 'b']\"", r"row 2: expected 2 probabilities.*nan", id="NaN"),
        pytest.param(
            "a,\"[0.5, inf]\",\"['a', 'b']\"", r"row 2: expected 2 probabilities.*inf", id="infinite"
        ),
        pytest.param("a,\"[0.5, None]\",\"['a', 'b']\"", r"row 2: expected 2 probabilities.*None", id="None"),
        pytest.param(
            "a,\"[1.5, -0.5]\",\"['a', 'b']\"", r"row 2: expected 2 probabilities", id="not within 0 and 1"
        ),
        pytest.param(
            "a,\"[0.5, 0.2]\",\"['a', 'b']\"", r"row 2: the probabilities sum to 0.7, not to 1", id="sum"
        ),
        pytest.param(
            "a,,\"['a', 'b']\"", r"row 2: expected 2 probabilities from 0 to 1, got ''", id="no list"
        ),
        pytest.param(
            "a,\"[0.5, 0.5\",\"['a', 'b']\"", r"row 2: expected 2 probabilities", id="a broken list"
        ),
        pytest.param(
            "a,\"[0.5, 0.5]\",\"['a', 'c']\"", r"row 2: other labels than in the first row", id="other labels"
        ),
        pytest.param('a,"[0.5, 0.5]",x', r"row 2: 'x' is not a list of labels", id="labels that are no list"),
        pytest.param(
            '"","[0.5, 0.5]","[\'a\', \'b\']"', r"row 2: the predicted label is missing", id="no label"
        ),
        pytest.param('a,"[0.5, 0.5]"', r"row 2: 2 fields where 3 were expected", id="no labels"),
    ],
)
def test_a_bad_prediction_is_said_with_its_row(tmp_path: Path, second: str, message: str) -> None:
    first = "a,\"[0.5, 0.5]\",\"['a', 'b']\""

    with pytest.raises(PredictionError, match=f"^part-00000.csv.out, {message}"):
        predictions(tmp_path, f"{first}\n{second}\n")


@pytest.mark.parametrize("rows", [1, 3])
def test_another_number_of_predictions_is_said_with_both(tmp_path: Path, rows: int) -> None:
    line = "a,\"[0.5, 0.5]\",\"['a', 'b']\"\n"

    with pytest.raises(
        PredictionError, match=f"^part-00000.csv.out: {rows} predictions for 2 rows of the holdout$"
    ):
        predictions(tmp_path, line * rows)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('""', "the number is missing"),
        ("x", '"x" is not a finite number'),
        ("nan", '"nan" is not a finite number'),
        ("-inf", '"-inf" is not a finite number'),
        ("1e999", '"1e999" is not a finite number'),
        ("-2e38", r'"-2e38" is beyond 1e\+38'),
        ('"1,5"', '"1,5" is not a finite number'),
    ],
)
def test_numbers_that_are_none_are_said_with_their_row(tmp_path: Path, value: str, said: str) -> None:
    with pytest.raises(EvaluationError, match=f"^part-00000.csv, row 2: {said}$"):
        read_numbers([part(tmp_path, f"y\n1\n{value}\n")], header=True)
    with pytest.raises(PredictionError, match=f"^out, row 1: {said}$"):
        read_number_predictions([part(tmp_path, f"{value}\n2\n", "out")], [2])


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        pytest.param(["1\n2\n3\n", "4\n"], "^0: 3 predictions for 2 rows of the holdout$", id="moved up"),
        pytest.param(["1\n", "2\n3\n4\n"], "^0: 1 predictions for 2 rows of the holdout$", id="moved down"),
        pytest.param(["1\n2\n", "3\n\n"], "^1: 1 predictions for 2 rows of the holdout$", id="an empty line"),
        pytest.param(["1\n2\n", "3\n4,5\n"], "^1, row 2: 2 fields where 1 were expected$", id="two numbers"),
        pytest.param(["1\n2\n", ""], "^1: 0 predictions for 2 rows of the holdout$", id="nothing"),
    ],
)
def test_predicted_numbers_are_counted_part_by_part(tmp_path: Path, contents: list[str], said: str) -> None:
    found = [part(tmp_path, content, str(number)) for number, content in enumerate(contents)]

    with pytest.raises(PredictionError, match=said):
        read_number_predictions(found, [2, 2])


def test_numbers_are_read_to_the_last_digit(tmp_path: Path) -> None:
    values = [0.1 + 0.2, -1e-300, 12345678.123456789, 5.0]

    read, _ = read_numbers([part(tmp_path, "\n".join(map(repr, values)) + "\n")], header=False)

    assert read.tolist() == values


@pytest.mark.parametrize(
    ("truth", "answers", "correct"),
    [
        pytest.param(["1", "0", "1"], ["1.0", "0.0", "1.0"], 3, id="1 and 1.0"),
        pytest.param(["True", "False", "True"], ["true", "false", "false"], 2, id="True and true"),
        pytest.param(["a, b", "c", "c"], ['"a, b"', "c", "c"], 3, id="a comma"),
        pytest.param(["one\ntwo", "c", "c"], ['"one\ntwo"', "c", "c"], 3, id="a line break"),
        pytest.param(["01", "1", "x"], ["1", "1", "x"], 2, id="text that looks like numbers"),
    ],
)
def test_predictions_meet_labels_in_another_spelling(
    tmp_path: Path, truth: list[str], answers: list[str], correct: int
) -> None:
    quoted = "".join(f'"{label}"\n' for label in truth)
    holdout = ClassHoldout([part(tmp_path, f"y\n{quoted}", "y.csv")], False, dict.fromkeys(truth, 5))

    holdout.candidate([part(tmp_path, "\n".join(answers) + "\n", "out")], ["predicted_label"], [{}])

    assert holdout.groups()["candidate"]["accuracy"].value == pytest.approx(correct / 3)


def test_a_prediction_of_no_class_is_said_with_its_row(tmp_path: Path) -> None:
    holdout = ClassHoldout([part(tmp_path, "y\na\nb\n", "y.csv")], False, {"a": 1, "b": 1})

    with pytest.raises(
        PredictionError, match=r'^out, row 2: the predicted label "c" is not one of the classes$'
    ):
        holdout.candidate([part(tmp_path, "a\nc\n", "out")], ["predicted_label"], [{}])


@pytest.mark.parametrize("labels", ["['a', 'a']", "[1, 1.0]"], ids=["the same", "another spelling"])
def test_two_probabilities_of_one_class_are_an_error(tmp_path: Path, labels: str) -> None:
    classes = {"a": 1, "b": 1} if "a" in labels else {"0": 1, "1": 1}
    truth = "\n".join(classes)
    holdout = ClassHoldout([part(tmp_path, f"y\n{truth}\n", "y.csv")], True, classes)
    predicted = next(iter(classes))

    with pytest.raises(PredictionError, match=r"^out, row 1: two probabilities of one class in \["):
        holdout.candidate([part(tmp_path, f'{predicted},"[0.5, 0.5]","{labels}"\n' * 2, "out")], LISTS, [{}])


def test_a_class_that_training_never_saw_is_wrong_and_noted(tmp_path: Path) -> None:
    holdout = ClassHoldout([part(tmp_path, "y\na\nb\nnew\nnew\n", "y.csv")], False, {"a": 1, "b": 1})
    content = "".join(f"{label},\"[0.5, 0.5]\",\"['a', 'b']\"\n" for label in "abab")

    holdout.candidate([part(tmp_path, content, "out")], LISTS, [{}])

    found = holdout.groups()["candidate"]
    assert found["accuracy"].value == 0.5
    assert found["log_loss"].value == pytest.approx((2 * np.log(2) - 2 * np.log(np.finfo(float).eps)) / 4)
    assert holdout.notes == [
        'the class "new" of 2 rows (first: y.csv, row 3) is not in the data set\'s classes: '
        "no prediction of it can be right"
    ]


def test_a_holdout_of_one_class_has_no_auc_and_says_so(tmp_path: Path) -> None:
    holdout = ClassHoldout([part(tmp_path, "y\na\na\n", "y.csv")], True, {"a": 1, "b": 1})
    content = "".join(f"a,\"[{p}, {1 - p}]\",\"['a', 'b']\"\n" for p in (0.75, 0.5))

    holdout.candidate([part(tmp_path, content, "out")], LISTS, [{}])

    found = holdout.groups()["candidate"]
    assert "auc" not in found
    assert found["accuracy"].value == 1
    assert holdout.notes == ["the holdout has one class only, a"]


def test_ten_thousand_classes(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 10_000, 20_000)
    predicted = np.where(generator.random(20_000) < 0.7, truth, generator.integers(0, 10_000, 20_000))
    holdout = ClassHoldout([part(tmp_path, "y\n" + "\n".join(map(str, truth)) + "\n", "y.csv")], False, None)

    holdout.candidate(
        [part(tmp_path, "\n".join(map(str, predicted)) + "\n", "out")], ["predicted_label"], [{}]
    )

    found, described = holdout.groups()["candidate"], plain(holdout.description())
    low, high = found["accuracy"].interval(0.95)
    assert found["accuracy"].value == pytest.approx((truth == predicted).mean(), abs=1e-12)
    assert low < found["accuracy"].value < high
    assert "rows" not in described["confusion"]
    assert len(described["confusion"]["errors"]) == 50
    supports = np.bincount(truth)
    assert len(described["classes"]) == 1000
    assert min(entry["support"] for entry in described["classes"]) >= np.sort(supports)[-1000]
    assert len(json.dumps(described)) < 500_000


def test_a_target_that_does_not_vary_has_no_r2_and_says_so(tmp_path: Path) -> None:
    holdout = NumberHoldout([part(tmp_path, "y\n2\n2\n", "y.csv")])

    holdout.candidate([part(tmp_path, "1\n3\n", "out")], ["prediction"], [{}])

    found = holdout.groups()["candidate"]
    assert "r2" not in found
    assert found["mae"].value == 1
    assert holdout.notes == ["the target is 2 in every row of the holdout: R2 is undefined"]


def test_parts_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/part-1.csv", "a/part-2.csv", ".hidden"):
        part(tmp_path / "y_test", "y\n", name)

    assert [found.name for found in parts(tmp_path / "y_test", "y_test")] == [
        "y_test/a/part-2.csv",
        "y_test/b/part-1.csv",
    ]


def test_a_folder_without_parts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"^y_test: no file in "):
        parts(tmp_path, "y_test")


@pytest.mark.parametrize(
    ("content", "counts", "message"),
    [
        pytest.param(
            '"a\nb",1\nc,2\n',
            [2],
            "3 lines of inputs for 2 labels; row 1 holds a line break, and batch transform takes each line",
            id="a break",
        ),
        pytest.param("a,1\n", [2], "1 lines of inputs for 2 labels", id="too few"),
        pytest.param("a,1\n", [1, 1], "x_test has 1 parts, y_test has 2", id="another number of parts"),
    ],
)
def test_inputs_that_do_not_fit_the_labels_are_refused_before_the_transform(
    tmp_path: Path, content: str, counts: list[int], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message):
        check_lines([part(tmp_path, content)], counts)


def test_a_last_line_without_a_break_counts(tmp_path: Path) -> None:
    check_lines([part(tmp_path, "a,1\nb,2")], [2])


def test_the_groups_beside_the_labels_are_no_labels(tmp_path: Path) -> None:
    texts = read_labels([part(tmp_path, "y,group\n1,0\n2,1\n1,1\n")])
    values, place, _ = read_truth([part(tmp_path, "y,group\n1.5,0\n2,1\n")])

    assert (texts.texts, texts.codes.tolist(), texts.place.counts) == (["1", "2"], [0, 1, 0], [3])
    assert (values.tolist(), place.counts) == ([1.5, 2.0], [2])
