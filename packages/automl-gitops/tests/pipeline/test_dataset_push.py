from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from making import ACCOUNT, BUCKET, REGION, lenient, table

from automl_gitops.data import csv_rows
from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.push import Pushed, push
from automl_gitops.kernel.aws import Aws, explain
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError

OUTPUT = Output()


def push_file(config: Config, path: Path, aws: Aws, synthetic: bool = False) -> Pushed:
    return push(lenient(config), path, aws, OUTPUT, synthetic=synthetic)


def objects(aws: Aws) -> dict[str, bytes]:
    s3 = aws.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read() for item in found}


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode())))


def test_the_three_parts_are_the_file(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv", rows=200)

    lock = push_file(config(), path, aws).lock

    stored = {key.removeprefix(f"datasets/{lock.sha256}/"): content for key, content in objects(aws).items()}
    header, *train = read(stored["train_validation.csv"])
    x, (title, *y) = read(stored["x_test/part-00000.csv"]), read(stored["y_test/part-00000.csv"])
    assert header == ["age", "ward", "label"]
    assert title == ["label"]
    assert len(x) == len(y) == lock.rows.test == 40
    given = read(path.read_bytes())[1:]
    assert Counter(
        map(tuple, train + [features + label for features, label in zip(x, y, strict=True)])
    ) == Counter(map(tuple, given))
    assert Counter(label for (label,) in y) == {
        label: round(rows / 5) for label, rows in lock.classes.items()
    }


CHOOSES = {
    "autopilot": {"problem_type": "BinaryClassification", "objective": "F1"},
    "decision": {"positive": "yes", "threshold": "validation"},
}


def test_validation_rows_are_set_apart_where_they_choose_the_threshold(
    config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "two.csv"
    rows = [[str(number), "yes" if number % 4 == 0 else "no"] for number in range(600)]
    path.write_text("x,label\n" + "".join(",".join(row) + "\n" for row in rows))
    without = push_file(config(**CHOOSES | {"decision": None}), path, aws).lock

    lock = push_file(config(**CHOOSES), path, aws).lock

    assert lock.sha256 != without.sha256
    assert lock.split is None
    assert lock.rows.model_dump(exclude_none=True) == {
        "total": 600, "train_validation": 384, "validation": 96, "test": 120,
    }  # fmt: skip
    stored = {key.removeprefix(f"datasets/{lock.sha256}/"): content for key, content in objects(aws).items()}
    assert lock.uris.validation == f"s3://{BUCKET}/datasets/{lock.sha256}/validation.csv"
    (header, *train), (same, *validation) = (
        read(stored[f"{name}.csv"]) for name in ("train_validation", "validation")
    )
    assert header == same == ["x", "label"]
    held_out = [
        [x, label]
        for (x,), (label,) in zip(
            read(stored["x_test/part-00000.csv"]), read(stored["y_test/part-00000.csv"])[1:], strict=True
        )
    ]
    assert sorted(train + validation + held_out) == sorted(rows)
    assert Counter(label for _, label in validation) == {"no": 72, "yes": 24}
    before = {
        key.removeprefix(f"datasets/{without.sha256}/"): content for key, content in objects(aws).items()
    }
    assert stored["x_test/part-00000.csv"] == before["x_test/part-00000.csv"], "the holdout stays what it is"


def test_a_class_too_rare_to_choose_a_threshold_is_refused(config, folder: Path, aws: Aws) -> None:
    path = folder / "two.csv"
    path.write_text("x,label\n" + "".join(f"{n},{'yes' if n < 2 else 'no'}\n" for n in range(600)))

    with pytest.raises(
        UserError, match=r'too few rows of "yes" to hold some out, .* to choose \[decision\] threshold'
    ):
        push_file(config(**CHOOSES), path, aws)


def test_lock_describes_the_data(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv", rows=200)

    pushed = push_file(config(), path, aws)

    lock = DatasetLock.load()
    assert pushed.changed
    assert lock == pushed.lock
    assert (lock.name, lock.source, lock.synthetic) == ("patients", "patients.csv", False)
    assert (lock.rows.total, lock.rows.train_validation, lock.rows.test) == (200, 160, 40)
    assert [(column.name, column.type) for column in lock.columns] == [
        ("age", "integer"), ("ward", "text"), ("label", "text")
    ]  # fmt: skip
    assert sum(lock.classes.values()) == 200
    assert lock.uris.train_validation == f"s3://{BUCKET}/datasets/{lock.sha256}/train_validation.csv"
    assert lock.uris.x_test.endswith("/x_test/")


def test_lock_has_what_a_person_would_want_to_be_told(
    config, folder: Path, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(folder / "patients.csv", rows=200)
    lines = path.read_text().splitlines()
    copied = [f"{line},{line.rsplit(',', 1)[1]}" for line in lines[1:]]
    path.write_text(
        "\n".join([f"{lines[0]},again".replace("label,again", "again,label"), *copied, *copied]) + "\n"
    )

    lock = push_file(config(), path, aws).lock

    findings = {one.kind: one for one in lock.findings}
    assert findings["target_leak"].columns == ["again"]
    # Those that fall on both sides of the split are known to the split alone.
    stored = {
        key.rsplit("/", 2)[-2:][0]: read(content) for key, content in objects(aws).items() if "test/" in key
    }
    held_out = [x + y for x, y in zip(stored["x_test"], stored["y_test"][1:], strict=True)]
    (train,) = (content for key, content in objects(aws).items() if "train" in key)
    trained = set(map(tuple, read(train)[1:]))
    assert findings["rows_on_both_sides"].rows == sum(tuple(row) in trained for row in held_out) > 0
    printed = capsys.readouterr().out
    assert all(f"notice: {one.text}" in printed for one in lock.findings)
    assert push_file(config(), path, aws).lock == lock == DatasetLock.load()


def test_the_same_rows_are_one_data_set_in_every_format(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv")
    (folder / "patients.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    pd.read_csv(path).to_parquet(folder / "patients.parquet")

    pushed = [push_file(config(), folder / f"patients.{kind}", aws) for kind in ("csv", "csv.gz", "parquet")]

    assert [push.uploaded for push in pushed] == [3, 0, 0]
    assert len({push.lock.sha256 for push in pushed}) == 1


def test_the_same_data_twice_writes_nothing(
    config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(folder / "patients.csv")
    push_file(config(), path, aws)
    s3 = aws.client("s3")
    monkeypatch.setattr(s3, "put_object", lambda **_: pytest.fail("written"))
    monkeypatch.setattr(s3, "upload_file", lambda *_, **__: pytest.fail("written"))

    again = push_file(config(), path, aws)

    assert (again.uploaded, again.changed) == (0, False)


def test_the_same_push_again_reads_no_row(
    config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(folder / "patients.csv")
    lock = push_file(config(), path, aws).lock
    monkeypatch.setattr("automl_gitops.data.push.prepare", None)

    again = push_file(config(), path, aws)

    assert (again.lock, again.uploaded, again.changed) == (lock, 0, False)
    assert "was pushed with these settings" in capsys.readouterr().out


def test_a_file_that_changes_meanwhile_is_read_again(
    config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(folder / "patients.csv")

    def save(lock: DatasetLock) -> bool:
        _other_rows(folder, aws)
        return saved(lock)

    saved = DatasetLock.save
    monkeypatch.setattr(DatasetLock, "save", save)
    before = push_file(config(), path, aws).lock

    assert push_file(config(), path, aws).lock.sha256 != before.sha256


def _other_rows(folder: Path, aws: Aws) -> None:
    """Of the same size."""
    header, first, second, *rest = (folder / "patients.csv").read_text().splitlines(keepends=True)
    assert first != second
    (folder / "patients.csv").write_text("".join([header, second, first, *rest]))


def _a_contract(folder: Path, aws: Aws) -> None:
    (folder / "contract.toml").write_text("[table]\nleast_rows = 1\n")


def _an_edited_lock(folder: Path, aws: Aws) -> None:
    lock = folder / "dataset.lock"
    lock.write_text(lock.read_text().replace("patients.csv", "others.csv"))


def _an_object_less(folder: Path, aws: Aws) -> None:
    aws.client("s3").delete_object(Bucket=BUCKET, Key=next(key for key in objects(aws) if "x_test" in key))


def _a_damaged_memory(folder: Path, aws: Aws) -> None:
    (folder / "build" / "last_push.json").write_text('{"bytes": 1')


@pytest.mark.parametrize(
    "change", [_other_rows, _a_contract, _an_edited_lock, _an_object_less, _a_damaged_memory, None]
)
def test_what_differs_from_the_last_push_is_read(config, folder: Path, aws: Aws, change: Any) -> None:
    path = table(folder / "patients.csv")
    lock = push_file(config(), path, aws).lock
    if change:
        change(folder, aws)

    again = push_file(config() if change else config(dataset={"target": "label", "seed": 5}), path, aws)

    assert DatasetLock.load() == again.lock
    assert set(objects(aws)) >= {f"datasets/{again.lock.sha256}/manifest.json"}
    assert (again.lock.sha256 != lock.sha256) is (change in (_other_rows, None))
    assert again.lock.contract is not None or change is not _a_contract
    assert again.lock.source == "patients.csv"
    assert again.uploaded == {_other_rows: 3, None: 3, _an_object_less: 1}.get(change, 0)


@pytest.mark.parametrize("change", [{"seed": 43}, {"holdout": 0.25}])
def test_another_split_is_another_data_set(config, folder: Path, aws: Aws, change: dict[str, Any]) -> None:
    path = table(folder / "patients.csv")

    first, other = (push_file(config(dataset=changes), path, aws).lock for changes in ({}, change))

    assert first.sha256 != other.sha256


def test_bytes_are_the_same_on_every_machine(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv", rows=200)

    lock = push_file(config(), path, aws).lock

    assert lock.sha256 == "128cf1e3c78dbb31510c6dff99723118c942206a261fa5935d84bead2cd2757f"


def test_interrupted_at_any_call_and_run_again_ends_in_the_same_state(
    config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(folder / "patients.csv")
    push_file(config(), path, aws)
    whole, text = objects(aws), (folder / "dataset.lock").read_text()
    s3, original = aws.client("s3"), aws.client("s3")._make_api_call

    failures: list[str] = []
    half_done = False
    for survived in range(100):
        _empty(aws, folder)
        calls = 0

        def fail_later(operation: str, arguments: dict[str, Any], survived: int = survived) -> Any:
            nonlocal calls
            calls += 1
            if calls > survived:
                raise ClientError({"Error": {"Code": "InternalError", "Message": "power cut"}}, operation)
            return original(operation, arguments)

        monkeypatch.setattr(s3, "_make_api_call", fail_later)
        try:
            push_file(config(), path, aws)
        except Exception as error:
            failures.append(str(error))
            half_done |= (folder / "dataset.lock").exists()
            monkeypatch.setattr(s3, "_make_api_call", original)
            push_file(config(), path, aws)
        monkeypatch.setattr(s3, "_make_api_call", original)
        assert objects(aws) == whole
        assert (folder / "dataset.lock").read_text() == text
        if calls <= survived:
            break

    # A list, three objects looked up and written, a list, the manifest written.
    assert len(failures) >= 9
    assert all("power cut" in failure for failure in failures)
    assert not half_done


def _empty(aws: Aws, folder: Path) -> None:
    for key in objects(aws):
        aws.client("s3").delete_object(Bucket=BUCKET, Key=key)
    (folder / "dataset.lock").unlink(missing_ok=True)


def test_a_damaged_object_is_replaced(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv")
    lock = push_file(config(), path, aws).lock
    key = f"datasets/{lock.sha256}/x_test/part-00000.csv"
    whole = objects(aws)
    aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"half")

    again = push_file(config(), path, aws)

    assert again.uploaded == 1
    assert objects(aws) == whole


def test_parts_hold_the_same_rows(config, folder: Path, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "PART_ROWS", 17)
    path = folder / "numbers.csv"
    path.write_text("x,label\n" + "".join(f"{n},{n % 2}\n" for n in range(500)))

    lock = push_file(
        config(autopilot={"problem_type": "BinaryClassification", "objective": "F1"}), path, aws
    ).lock

    stored = objects(aws)
    names = sorted(key.rsplit("/", 1)[-1] for key in stored if "/x_test/" in key)
    assert names == [f"part-{n:05}.csv" for n in range(6)]
    for name in names:
        x = read(stored[f"datasets/{lock.sha256}/x_test/{name}"])
        y = read(stored[f"datasets/{lock.sha256}/y_test/{name}"])
        assert y[0] == ["label"]
        assert [str(int(number) % 2) for (number,) in x] == [label for (label,) in y[1:]]
        assert len(x) == (17 if name != names[-1] else 100 - 5 * 17)


def test_labels_stay_text(config, folder: Path, aws: Aws) -> None:
    path = folder / "codes.csv"
    path.write_text("x,label\n" + "".join(f"{n},{['007', '08', '1.0'][n % 3]}\n" for n in range(90)))

    lock = push_file(config(), path, aws).lock

    assert lock.classes == {"007": 30, "08": 30, "1.0": 30}
    assert {row[1] for row in read(objects(aws)[f"datasets/{lock.sha256}/train_validation.csv"])[1:]} == {
        "007",
        "08",
        "1.0",
    }


def test_a_question_mark_is_written_as_an_empty_cell(config, folder: Path, aws: Aws) -> None:
    lines = table(folder / "patients.csv").read_text().splitlines()
    for row in range(1, 801, 2):
        lines[row] = "?" + lines[row][lines[row].index(",") :]
    (folder / "patients.csv").write_text("\n".join([*lines, ""]))

    lock = push_file(config(), folder / "patients.csv", aws).lock

    parts = {key.removeprefix(f"datasets/{lock.sha256}/"): content for key, content in objects(aws).items()}
    rows = [*read(parts["train_validation.csv"])[1:], *read(parts["x_test/part-00000.csv"])]
    assert sum(row[0] == "" for row in rows) == 400
    assert "?" not in {row[0] for row in rows}
    assert next(column for column in lock.columns if column.name == "age").missing == 400


def test_regression_has_no_classes(config, folder: Path, aws: Aws) -> None:
    path = folder / "prices.csv"
    path.write_text("x,label\n" + "".join(f"{n},{n * 1.5}\n" for n in range(100)))
    regression = config(autopilot={"problem_type": "Regression", "objective": "R2"})

    lock = push_file(regression, path, aws).lock

    assert lock.classes is None
    assert lock.rows.test == 20


@pytest.mark.parametrize(
    ("labels", "classes"), [(["a", "b"], True), ([str(n / 3) for n in range(100)], False)]
)
def test_inferred_problem_decides_about_classes(
    config, folder: Path, aws: Aws, labels: list[str], classes: bool
) -> None:
    path = folder / "t.csv"
    path.write_text("x,label\n" + "".join(f"{n},{labels[n % len(labels)]}\n" for n in range(100)))

    bound = {} if classes else {"minimum": None, "maximum": 0.3}
    lock = push_file(
        config(autopilot={"problem_type": "infer", "objective": None}, gate=bound), path, aws
    ).lock

    assert (lock.classes is not None) == classes


def csv_text(labels: list[str], header: str = "x,label") -> str:
    return header + "\n" + "".join(f"{n},{label}\n" for n, label in enumerate(labels))


UNFIT = [
    pytest.param(
        csv_text(["a", "b"] * 10), {}, "has 20 rows, too few for a split: at least 50", id="few rows"
    ),
    pytest.param(csv_text(["a"] * 60), {}, "has the same value in all rows", id="one class"),
    pytest.param(
        csv_text(["a", "b"] * 30 + ["c"]),
        {},
        'has 1 class of one row: "c" (1 row, row 61). A class needs',
        id="class with one row",
    ),
    pytest.param(
        csv_text(["a", "b", "c"] * 20),
        {"problem_type": "BinaryClassification", "objective": "F1"},
        'correct "a" (20 rows, the first row 1) if mistyped, or use MulticlassClassification',
        id="too many classes",
    ),
    pytest.param(
        csv_text([*map(str, range(59)), "many"]),
        {"problem_type": "Regression", "objective": "R2"},
        'row 60 has "many" in the target column "label", which is no number',
        id="no number",
    ),
    pytest.param(
        csv_text(["1", "1.0"] * 30),
        {"problem_type": "Regression", "objective": "R2"},
        "the same value",
        id="constant",
    ),
    pytest.param(
        csv_text([f"{n / 7}" for n in range(60)]),
        {},
        'or set [autopilot] problem_type = "Regression"',
        id="number as class",
    ),
    pytest.param(
        "x,empty,label\n" + "".join(f"{n},,{n % 2}\n" for n in range(60)),
        {},
        'column "empty" has no value',
        id="empty column",
    ),
    pytest.param("label\n" + "a\nb\n" * 30, {}, "has one column", id="one column"),
]


@pytest.mark.parametrize(("text", "autopilot", "sentence"), UNFIT)
def test_unfit_data_is_refused_before_any_call(
    config, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, autopilot: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))
    path = folder / "t.csv"
    path.write_text(text)

    with pytest.raises(UserError) as caught:
        push_file(config(autopilot=autopilot), path, Aws("eu-west-1"))

    assert str(caught.value).startswith(f"{path}: ")
    assert sentence in str(caught.value)
    assert not (folder / "dataset.lock").exists()


def test_slice_by_an_unknown_column_is_refused(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv")

    with pytest.raises(
        UserError, match=r'slices names "wards", which is no input column of .*: did you mean "ward"\?'
    ):
        push_file(config(evaluation={"slices": ["age", "wards"]}), path, aws)


def test_fewer_rows_than_autopilot_takes_are_refused(
    config, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))
    path = table(folder / "patients.csv", rows=200)

    with pytest.raises(UserError, match="160 rows to train on, and Autopilot takes 500 or more"):
        push(config(), path, Aws("eu-west-1"), OUTPUT, synthetic=False)


def test_missing_bucket_says_what_makes_it(config, folder: Path, aws: Aws) -> None:
    path = table(folder / "patients.csv")
    aws.client("s3").delete_bucket(Bucket=BUCKET)

    with pytest.raises(UserError, match="an administrator runs `make bootstrap` first"):
        push_file(config(), path, aws)


def test_every_call_says_whose_the_project_s_bucket_is(config, aws, folder, output) -> None:
    calls: dict[str, str | None] = {}

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls[model.name] = params["headers"].get("x-amz-expected-bucket-owner")

    aws.client("s3").meta.events.register("before-call.s3", note)

    push(lenient(config()), table(folder / "patients.csv"), aws, output, synthetic=False)

    assert {"HeadObject", "ListObjectsV2", "PutObject"} <= calls.keys()
    assert set(calls.values()) == {ACCOUNT}


@pytest.mark.parametrize(
    "bucket", ["lake", f"lake-{ACCOUNT}", f"shop-999999999999-{REGION}", f"shop-{ACCOUNT}-us-east-1"]
)
def test_whose_another_bucket_is_nobody_says(aws, bucket) -> None:
    headers: list[dict[str, str]] = []
    aws.client("s3").meta.events.register(
        "before-call.s3", lambda params, **_: headers.append(params["headers"])
    )

    with pytest.raises(ClientError):
        aws.client("s3").head_bucket(Bucket=bucket)

    assert "x-amz-expected-bucket-owner" not in headers[0]


def test_nothing_is_sent_into_another_account_s_bucket(config, aws, folder, output) -> None:
    client, written = aws.client("s3"), []

    def refuse(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name != "ListObjectsV2":
            written.append(model.name)
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, model.name)

    client.meta.events.register("before-call.s3", refuse)

    with pytest.raises(UserError, match=f"the bucket {BUCKET} is another account's"):
        push(lenient(config()), table(folder / "patients.csv"), aws, output, synthetic=False)

    assert written == []


def test_an_upload_that_s3_refuses_is_told_in_one_sentence(config, folder: Path, aws: Aws) -> None:
    """boto3 raises an error of its own there, of neither of botocore's classes."""
    s3, path = aws.client("s3"), table(folder / "patients.csv", rows=200)
    configuration = config()

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": "Rate exceeded"}}, "PutObject")

    s3.meta.events.register_first("before-call.s3.PutObject", refuse)
    with pytest.raises(S3UploadFailedError) as caught:
        push_file(configuration, path, aws)

    assert str(explain(caught.value)) == (
        "AWS is busy (PutObject: SlowDown): wait a minute and run the command again"
    )
