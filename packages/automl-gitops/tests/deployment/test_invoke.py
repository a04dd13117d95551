"""Rows of a file reach the endpoint as it wants them, and come back as predictions."""

from __future__ import annotations

import json

import pytest

from automl_gitops.commands.main import main
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.promotion.stage import stage
from automl_gitops.verification.invoke import invoke
from automl_gitops.verification.payload import batches, feature_rows

COLUMNS = ["stays", "target", "note"]


@pytest.fixture
def file(tmp_path):
    """Writes rows.csv; returns its path."""

    def write(text: str):
        path = tmp_path / "rows.csv"
        path.write_bytes(text.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,a\n2,b\n", "no header, no target"),
        ("1,yes,a\n2,no,b\n", "no header, with target"),
        ("stays,note\n1,a\n2,b\n", "header, no target"),
        ("stays,target,note\n1,yes,a\n2,no,b\n", "header and target"),
        ("id,note,stays\n7,a,1\n8,b,2\n", "another order, and a column that training did not have"),
        ("\ufeffstays,note\r\n1,a\r\n\r\n2,b\r\n", "a byte order mark, other line ends, an empty line"),
        ("stays,target,note\n1,?,a\n2,?,b\n", "a target that nobody knows"),
        ('"stays","note"\n"1","a"\n2,"b"', "quotes, no line end"),
    ],
    ids=lambda value: value if "," not in value else "",
)
def test_rows_are_brought_into_the_order_of_the_training_data(file, text, why):
    assert list(feature_rows(file(text), COLUMNS, "target")) == [["1", "a"], ["2", "b"]]


def test_a_question_mark_is_sent_as_a_push_writes_it(file):
    rows = list(feature_rows(file("stays,note\n?,a\n1,what?\n"), COLUMNS, "target"))

    assert rows == [["", "a"], ["1", "what?"]]


def test_a_value_of_several_lines_stays_one_value(file):
    (row,) = feature_rows(file('stays,note\n1,"a, ""b""\nc"\n'), COLUMNS, "target")

    (body,) = batches([row])

    assert row == ["1", 'a, "b"\nc']
    assert body == b'1,"a, ""b""\nc"\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no row"),
        ("stays,note\n", "has no row"),
        ("stays,other\n1,2\n", "the header lacks note"),
        ("stays,stays,note\n1,2,a\n", "the header has stays more than once: leave one"),
        ("STAYS,Note\n1,a\n", "the header lacks stays, note, in these letters"),
        ("1,a,b,c\n", "line 1 has 4 values instead of 2"),
        ("1,a\n2\n", "line 2 has 1 values, the lines before it 2"),
        ('1,"a\n', "cannot be read as CSV"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_its_line(file, text, sentence):
    with pytest.raises(UserError, match=rf"rows\.csv: .*{sentence}"):
        list(feature_rows(file(text), COLUMNS, "target"))


def test_a_missing_file_is_a_users_error(tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: cannot be read \(No such file"):
        list(feature_rows(tmp_path / "none.csv", COLUMNS, "target"))


def test_batches_stay_below_rows_and_bytes():
    rows = [[str(index), "x" * 20] for index in range(100)]

    by_rows = list(batches(rows, max_rows=30))
    by_bytes = list(batches(rows, max_bytes=100))

    assert [body.count(b"\n") for body in by_rows] == [30, 30, 30, 10]
    assert max(map(len, by_bytes)) <= 100
    assert b"".join(by_rows) == b"".join(by_bytes)


def test_a_row_that_is_too_large_for_a_request_is_named():
    with pytest.raises(UserError, match="row 2 alone"):
        list(batches([["1"], ["x" * 50]], max_bytes=40))


def test_predictions_come_in_the_order_of_the_file_with_their_names(world, file, capsys):
    arn = world.register(THRESHOLD="30")
    stage(world.project(), arn)
    path = file("risk,stays,target\n" + "".join(f"0.5,{stays},no\n" for stays in range(1200)))
    capsys.readouterr()

    ended = main(["invoke", str(path), "--json"])

    printed = json.loads(capsys.readouterr().out)
    assert ended == 0
    assert printed["model_package_arn"] == arn
    labels = [entry["predicted_label"] for entry in printed["predictions"]]
    assert labels == ["yes" if stays > 30 else "no" for stays in range(1200)]
    assert float(printed["predictions"][0]["probability"]) == pytest.approx(0.505)


def test_a_threshold_decides_beside_the_models_own_label(world, file):
    stage(world.project(), world.register(PROBABILITIES="1", threshold=0.6))

    answered = invoke(world.project(), file("stays,risk\n31,9\n31,10\n1,11\n"), "staging").predictions

    assert [row["predicted_label"] for row in answered] == ["yes", "yes", "no"]
    assert [row["decision"] for row in answered] == ["no", "yes", "yes"]


def test_a_regression_answers_numbers(world, file):
    stage(world.project(), world.register(REGRESSION="2"))

    answered = invoke(world.project(), file("stays,risk\n1,21\n"), "staging")

    assert answered.predictions == [{"prediction": "42.0"}]


def test_an_endpoint_that_is_not_there_is_said_with_the_way_out(world, file, capsys):
    ended = main(["invoke", str(file("1,2\n")), "--endpoint", "production"])

    assert ended == 2
    assert "automl promote" in capsys.readouterr().err


def test_a_refused_request_is_a_failed_run_with_the_containers_words(world, file):
    stage(world.project(), world.register(FAILS="out of memory"))

    with pytest.raises(RunError, match=r"answered 500: .*out of memory"):
        invoke(world.project(), file("1,2\n"), "staging")


def test_an_endpoint_made_by_hand_is_not_asked(world, file):
    arn = world.register()
    staged = stage(world.project(), arn)
    model = world.sagemaker.describe_model(ModelName=staged.release.model_name)
    world.sagemaker.create_model(
        ModelName=f"{world.name}-hand",
        Containers=model["Containers"],
        ExecutionRoleArn=model["ExecutionRoleArn"],
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": f"{world.name}-hand",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    world.sagemaker.create_endpoint_config(
        EndpointConfigName=f"{world.name}-hand", ProductionVariants=[variant]
    )
    world.sagemaker.create_endpoint(
        EndpointName=f"{world.name}-production", EndpointConfigName=f"{world.name}-hand"
    )

    with pytest.raises(UserError, match="did not make"):
        invoke(world.project(), file("1,2\n"), "production")
