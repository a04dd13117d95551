"""`dataset refer`: the data to train on stays where it lies, the holdout is copied, dataset.lock names both."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from making import BUCKET, REGION, automl_toml, lenient, table
from test_unfit_tables import NUMBERS, TARGETS, csv_text

from automl_gitops.commands.main import main
from automl_gitops.data import heads, listing
from automl_gitops.data import refer as refer_module
from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.push import Pushed
from automl_gitops.data.refer import refer
from automl_gitops.data.rules import overlap, times
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.csv_text import read_rows
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs import definition
from automl_gitops.runs.bundle import settings
from automl_gitops.runs.definition import feature_specification
from automl_gitops.runs.project import Project
from automl_gitops.runs.run import Source, run
from automl_gitops.runs.upsert import upsert

LAKE = "lake"
TRAIN, TEST = f"s3://{LAKE}/train/", f"s3://{LAKE}/test.csv"
NAMED = {"dataset": {"buckets": [LAKE]}}


@pytest.fixture
def lake(aws: Aws, folder: Path) -> Callable[..., None]:
    """A bucket that is not the project's, with two objects to train on and a holdout; `lake(key=text)` adds more."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=LAKE, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(**objects: str | bytes) -> None:
        for key, content in objects.items():
            s3.put_object(
                Bucket=LAKE, Key=key, Body=content if isinstance(content, bytes) else content.encode()
            )

    rows = table(folder / "rows.csv", rows=300).read_text().splitlines(keepends=True)
    put(
        **{
            "train/": "",
            "train/a.csv": "".join(rows[:101]),
            "train/b.csv": "".join([rows[0], *rows[101:201]]),
            "test.csv": "".join([rows[0], *rows[201:]]),
        }
    )
    return put


def refer_to(config: Config, aws: Aws, train: str = TRAIN, test: str = TEST) -> Pushed:
    return refer(config, train, test, aws, Output())


def keys(aws: Aws, bucket: str = BUCKET) -> list[str]:
    found = aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return [item["Key"] for item in found]


def read(aws: Aws, uri: str) -> list[list[str]]:
    bucket, key = listing.split(uri)
    text = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return list(csv.reader(io.StringIO(text)))


def test_the_data_stays_and_the_holdout_is_copied(config, aws: Aws, lake) -> None:
    lock = refer_to(config(**NAMED), aws).lock

    assert lock.uris.train_validation == TRAIN
    assert keys(aws) == [
        f"datasets/{lock.sha256}/{name}"
        for name in ("manifest.json", "x_test/part-00000.csv", "y_test/part-00000.csv")
    ]
    _, *given = read(aws, TEST)
    title, *labels = read(aws, f"{lock.uris.y_test}part-00000.csv")
    features = read(aws, f"{lock.uris.x_test}part-00000.csv")
    assert title == ["label"]
    assert [row + label for row, label in zip(features, labels, strict=True)] == given


def test_the_lock_says_what_was_counted_and_what_was_not(config, aws: Aws, lake) -> None:
    pushed = refer_to(config(**NAMED), aws)

    lock = DatasetLock.load()
    assert lock == pushed.lock
    assert (lock.name, lock.source) == ("train", TRAIN)
    assert (lock.rows.total, lock.rows.train_validation, lock.rows.test) == (None, None, 100)
    assert (lock.classes, lock.holdout, lock.seed) == (None, None, None)
    assert sum(lock.holdout_classes.values()) == 100
    assert [(column.name, column.type) for column in lock.columns] == [
        ("age", "integer"), ("ward", "text"), ("label", "text")
    ]  # fmt: skip
    assert [sum(column.values.values()) for column in lock.columns if column.values] == [
        100
    ]  # the holdout's rows
    assert lock.columns[0].missing == 0
    assert lock.counted_rows == 100
    assert lock.reference.objects == 2
    sizes = [len(aws.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read()) for key in keys(aws, LAKE)]
    assert lock.reference.bytes == sum(sizes) - sizes[0]  # the first is the holdout


def test_the_same_data_twice_writes_nothing(config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch) -> None:
    refer_to(config(**NAMED), aws)
    s3 = aws.client("s3")
    monkeypatch.setattr(s3, "put_object", lambda **_: pytest.fail("written"))
    monkeypatch.setattr(s3, "upload_file", lambda *_, **__: pytest.fail("written"))

    again = refer_to(config(**NAMED), aws)

    assert (again.uploaded, again.changed) == (0, False)


@pytest.mark.parametrize(
    "changed",
    [
        {"train/a.csv": "age,ward,label\n" + "33,ward 1,no\n" * 60},
        {"train/c.csv": "age,ward,label\n33,ward 1,no\n"},
        {"test.csv": "age,ward,label\n" + "33,ward 1,no\n34,ward 1,>30\n" * 60},
    ],
    ids=["another content", "another object", "another holdout"],
)
def test_other_data_is_another_data_set(config, aws: Aws, lake, changed: dict[str, str]) -> None:
    before = refer_to(config(**NAMED), aws).lock.sha256

    lake(**changed)

    assert refer_to(config(**NAMED), aws).lock.sha256 != before


def test_the_same_content_written_again_is_the_same_data_set(config, aws: Aws, lake) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=LAKE, VersioningConfiguration={"Status": "Enabled"})
    before = refer_to(config(**NAMED), aws).lock
    content = s3.get_object(Bucket=LAKE, Key="train/a.csv")["Body"].read()

    lake(**{"train/a.csv": content})

    assert refer_to(config(**NAMED), aws).lock == before


def test_one_object_may_be_named(config, aws: Aws, lake) -> None:
    lock = refer_to(lenient(config(**NAMED)), aws, train=f"s3://{LAKE}/train/a.csv").lock

    assert (lock.name, lock.reference.objects) == ("a", 1)


@pytest.mark.parametrize("kind", ["csv.gz", "parquet"])
def test_the_holdout_may_have_any_format(config, aws: Aws, lake, folder: Path, kind: str) -> None:
    plain = refer_to(config(**NAMED), aws).lock
    content = aws.client("s3").get_object(Bucket=LAKE, Key="test.csv")["Body"].read()
    other = folder / "holdout"
    if kind == "parquet":
        pd.read_csv(io.BytesIO(content)).to_parquet(other)
    else:
        other.write_bytes(gzip.compress(content))
    lake(**{f"test.{kind}": other.read_bytes()})

    lock = refer_to(config(**NAMED), aws, test=f"s3://{LAKE}/test.{kind}").lock

    assert lock == plain


def test_types_suit_all_rows_that_were_read(config, aws: Aws, lake) -> None:
    lake(**{"train/c.csv": "age,ward,label\n41.5,,no\n"})

    lock = refer_to(config(**NAMED), aws).lock

    assert [column.type for column in lock.columns] == ["number", "text", "text"]


def test_of_large_objects_only_the_first_whole_rows_are_read(
    config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heads, "LEAST_HEAD", 64)
    monkeypatch.setattr(heads, "SAMPLE", 64)
    # The 64th byte is within a quoted value of two lines; what follows would make the column text.
    lake(
        **{
            "train/c.csv": 'age,ward,label\n30,w,no\n31,w,no\n32,w,no\n33,"two\nlines and more",no\nold,w,no\n'
        }
    )
    got: list[int] = []
    s3, original = aws.client("s3"), aws.client("s3").get_object

    def get_object(**asked: Any) -> Any:
        answer = original(**asked)
        if asked["Key"].startswith("train/"):
            got.append(answer["ContentLength"])
        return answer

    monkeypatch.setattr(s3, "get_object", get_object)

    lock = refer_to(config(**NAMED), aws).lock

    assert got == [64, 64, 64]
    assert lock.columns[0].type == "integer"


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        (b"a,b\n1,2\n3", b"a,b\n1,2\n"),
        (b'a,b\n1,"x\ny', b"a,b\n"),
        (b'a,b\n1,"x\ny"\n2', b'a,b\n1,"x\ny"\n'),
        (b'a,b\n1,"x ""q"" \n', b"a,b\n"),
        (b"a,b", b""),
        (b'"a\nb', b""),
    ],
)
def test_a_head_ends_with_a_row(head: bytes, lines: bytes) -> None:
    assert heads.whole_lines(head) == lines


def number_rows(first: str, last: str) -> str:
    return "age,ward,label\n" + f"30,w,{first}\n" * 60 + f"31,w,{last}\n"


UNFIT = [
    pytest.param(
        {"train/c.csv": "age,label\n1,no\n"},
        {},
        'c.csv: its columns and those of .* differ in "ward"',
        id="a column less",
    ),
    pytest.param(
        {"train/c.csv": "ward,age,label\nw,1,no\n"},
        {},
        "c.csv: its columns .* are in another order",
        id="another order",
    ),
    pytest.param(
        {"test.csv": "age,label\n" + "1,no\n2,yes\n" * 60},
        {},
        'test.csv: its columns .* differ in "ward"',
        id="holdout of other columns",
    ),
    pytest.param(
        {},
        {"dataset": {"target": "lable"}},
        'a.csv: has no column "lable", .* did you mean "label"',
        id="no target",
    ),
    pytest.param(
        {"train/c.csv": "age,ward,label\n1,w,\n"},
        {},
        "c.csv: row 1 has no value in the target",
        id="no label",
    ),
    pytest.param(
        {"train/c.csv": gzip.compress(b"age,ward,label\n1,w,no\n")},
        {},
        "c.csv: is gzipped: by reference only plain CSV",
        id="gzip",
    ),
    pytest.param(
        {"train/c.csv": b"PAR1" + bytes(99)},
        {},
        "c.csv: is Parquet: by reference only plain CSV",
        id="parquet",
    ),
    pytest.param(
        {"train/part-9.csv": ""},
        {},
        "part-9.csv: is empty, and Autopilot would read it as data: remove it",
        id="empty object",
    ),
    pytest.param(
        {"train/c.csv": "age,ward,label\n" + "30,w,no\n" * 70 + "n.v.,w,no\n"},
        {},
        r'c.csv: column "age" has 70 numbers and 1 text \(row 71: "n.v."\)',
        id="a text among numbers",
    ),
    pytest.param(
        {"train/c.csv": "age,ward,label\n" + "30.5,w,no\n" * 70 + "-inf,w,no\n"},
        {},
        r'c.csv: column "age" has 1 number that is infinite or beyond 1e\+38 \(row 71: "-inf"\)',
        id="an infinite number",
    ),
    pytest.param(
        {"test.csv": "age,ward,label\n" + "1,w,no\n2,w,yes\n" * 40 + "1e39,w,no\n"},
        {},
        r'test.csv: column "age" has 1 number that is infinite or beyond 1e\+38 \(row 81: "1e39"\)',
        id="too large a number in the holdout",
    ),
    pytest.param(
        {"train/c.csv": "age;ward;label\n" + "30;w;no\n" * 60},
        {},
        "c.csv: columns are separated by semicolons, and Autopilot reads commas",
        id="semicolons",
    ),
    pytest.param(
        {"test.csv": "age;ward;label\n" + "30;w;no\n31;w;yes\n" * 60},
        {},
        "test.csv: columns are separated by semicolons",
        id="holdout with semicolons",
    ),
    pytest.param(
        {"train/c.csv": "age,ward,label\n"}, {}, "c.csv: has a header but no rows", id="header alone"
    ),
    pytest.param(
        {"train/c.csv": b"age,ward,label\n1,\xff\xff,no\n"}, {}, "c.csv: is not UTF-8", id="encoding"
    ),
    pytest.param(
        {"test.csv": "age,ward,label\n" + "1,w,no\n2,w,yes\n" * 20},
        {},
        "test.csv: has 40 rows, too few for a judgement",
        id="few rows",
    ),
    pytest.param(
        {"test.csv": "age,ward,label\n" + "1,w,no\n" * 60},
        {},
        "test.csv: the target .* has the same value in all rows",
        id="one class",
    ),
    pytest.param(
        {"train/c.csv": number_rows("1", "two")},
        {"autopilot": {"problem_type": "Regression", "objective": "R2"}, "gate": {"minimum": 0.1}},
        r'row 1 has "no" in the target column "label", which is no number',
        id="no number",
    ),
    pytest.param(
        {"test.csv": "age,ward,label\n" + "1,w,no\n2,w,>30\n" * 40},
        {"autopilot": {"problem_type": "BinaryClassification", "objective": "F1"}},
        r'train/: the target "label" has 3 classes with those of the holdout \("<30", ">30", "no"\), but automl.toml',
        id="a third class",
    ),
    pytest.param(
        {"test.csv": "age,ward,label\n" + "1,w,no\n2,w,later\n" * 40},
        {},
        'train/: the target "label" has no "later", which the holdout has',
        id="a class of the holdout alone",
    ),
    pytest.param(
        {},
        {"evaluation": {"slices": ["wards"]}},
        'slices names "wards", which is no input column of s3://',
        id="slice",
    ),
]


def test_markers_are_no_data(config, aws: Aws, lake) -> None:
    before = refer_to(config(**NAMED), aws).lock.reference
    lake(**{"train/_SUCCESS": "", "train/.hidden": "", "train/year_$folder$": "", "train/_started_7": ""})

    assert refer_to(config(**NAMED), aws).lock.reference == before


def test_a_byte_order_mark_is_noticed(config, aws: Aws, lake, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\ufeffage,ward,label\n" + "30,w,no\n" * 100
    lake(**{"train/a.csv": rows, "train/c.csv": rows})

    lock = refer_to(config(**NAMED), aws).lock

    assert [column.name for column in lock.columns] == ["age", "ward", "label"]
    assert "a.csv: begins with a byte order mark (one of 2 objects that do)" in capsys.readouterr().out


def test_texts_of_the_holdout_alone_are_noticed(
    config, aws: Aws, lake, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"{'old' if n % 3 else n},w,{'no' if n % 2 else '<30'}\n" for n in range(90))
    lake(**{"test.csv": "age,ward,label\n" + rows})

    refer_to(config(**NAMED), aws)

    assert 'column "age" has texts in s3://lake/test.csv' in capsys.readouterr().out


@pytest.mark.parametrize(("objects", "changes", "sentence"), UNFIT)
def test_unfit_data_is_refused_and_nothing_is_written(
    config, aws: Aws, lake, folder: Path, objects: dict[str, Any], changes: dict[str, Any], sentence: str
) -> None:
    lake(**objects)
    named = {**changes, "dataset": {"buckets": [LAKE], **changes.get("dataset", {})}}

    with pytest.raises(UserError, match=sentence):
        refer_to(config(**named), aws)

    assert keys(aws) == []
    assert not (folder / "dataset.lock").exists()


# What is trained on is looked at as far as numbers go: other spellings may lie behind the rows that are read.
TARGETS_BY_PART = [
    pytest.param(part, *case.values, id=f"{case.id} in {part}")
    for part in ("own/a.csv", "own.csv")
    for case in TARGETS
    if part == "own.csv" or case.values[1] is NUMBERS
]


@pytest.mark.parametrize(("part", "labels", "autopilot", "where", "why"), TARGETS_BY_PART)
def test_a_target_that_fails_later_is_refused_with_its_row(
    config, aws: Aws, lake, part: str, labels: list[str], autopilot: dict[str, Any], where: str, why: str
) -> None:
    lake(**{**dict.fromkeys(("own/a.csv", "own.csv"), csv_text(["0", "1"] * 40)), part: csv_text(labels)})

    with pytest.raises(UserError) as caught:
        refer_to(
            lenient(config(autopilot=autopilot, **NAMED)), aws, f"s3://{LAKE}/own/", f"s3://{LAKE}/own.csv"
        )

    assert str(caught.value).startswith(f"s3://{LAKE}/{part}: ")
    assert where in str(caught.value)
    assert why in str(caught.value)
    assert keys(aws) == []


def test_a_class_may_lie_behind_the_rows_that_are_read(
    config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "age,ward,label\n" + "30,w,no\n" * 4000
    lake(**{"own/a.csv": rows + "31,w,>30\n" * 100})
    monkeypatch.setattr(heads, "SAMPLE", 1000)
    monkeypatch.setattr(heads, "LEAST_HEAD", 1000)

    assert refer_to(config(**NAMED), aws, f"s3://{LAKE}/own/").lock.holdout_classes


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("True", "TRUE")])
def test_the_parts_may_spell_a_class_each_in_its_way(config, aws: Aws, lake, one: str, other: str) -> None:
    no = {"1": "0", "1.0": "0.0", "True": "False", "TRUE": "FALSE"}
    lake(**{"own/a.csv": csv_text([one, no[one]] * 40), "own.csv": csv_text([other, no[other]] * 40)})
    binary = {"problem_type": "BinaryClassification", "objective": "F1"}

    lock = refer_to(
        lenient(config(autopilot=binary, **NAMED)), aws, f"s3://{LAKE}/own/", f"s3://{LAKE}/own.csv"
    ).lock

    assert lock.holdout_classes == {other: 40, no[other]: 40}


def test_blanks_and_long_cells_of_the_holdout_are_kept(config, aws: Aws, lake) -> None:
    texts = [" ", "", "p", "  ", "w" * 131_073] * 16
    rows = "t,label\n" + "".join(f"{text},{'no' if n % 3 else '<30'}\n" for n, text in enumerate(texts))
    lake(**{"own/a.csv": rows, "own.csv": rows})

    lock = refer_to(config(**NAMED), aws, f"s3://{LAKE}/own/", f"s3://{LAKE}/own.csv").lock

    bucket, key = listing.split(f"{lock.uris.x_test}part-00000.csv")
    written = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert [row for _, row in read_rows(io.StringIO(written, newline=""))] == [[text] for text in texts]
    assert len(read(aws, f"{lock.uris.y_test}part-00000.csv")) == 1 + len(texts)


def test_a_column_without_a_value_is_refused(config, aws: Aws, lake) -> None:
    lake(
        **{
            "empty/a.csv": "age,ward,label\n1,,no\n2,,yes\n",
            "empty.csv": "age,ward,label\n" + "1,,no\n2,,yes\n" * 30,
        }
    )

    with pytest.raises(UserError, match='as far as they were read: column "ward" has no value in any row'):
        refer_to(config(**NAMED), aws, f"s3://{LAKE}/empty/", f"s3://{LAKE}/empty.csv")


ADDRESSES = [
    ("/data/train.csv", TEST, "is no S3 URI: write s3://BUCKET/KEY"),
    ("s3://lake", TEST, "is no S3 URI"),
    (TRAIN, "s3://lake/tests/", "is a prefix: the holdout is one object"),
    (
        "s3://other/train/",
        TEST,
        r'\[dataset\] buckets does not name "other": add it, and an administrator runs',
    ),
    (TRAIN, "s3://lake/train/a.csv", "is a part of the data to train on .*: no model may see the holdout"),
    ("s3://lake/", TEST, "is a part of the data to train on"),
    (TEST, TEST, "is a part of the data to train on"),
]


@pytest.mark.parametrize(("train", "test", "sentence"), ADDRESSES)
def test_wrong_addresses_are_refused_before_any_call(
    config, monkeypatch: pytest.MonkeyPatch, train: str, test: str, sentence: str
) -> None:
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))

    with pytest.raises(UserError, match=sentence):
        refer_to(config(**NAMED), Aws(REGION), train, test)


@pytest.mark.parametrize(
    ("train", "test", "sentence"),
    [
        (
            "s3://no-such-lake/train/",
            TEST,
            "no-such-lake/train/: there is no such bucket or object: correct the address",
        ),
        ("s3://lake/trian/", TEST, "no object lies there: correct the address"),
        ("s3://lake/train", TEST, "there is no such object: for all objects below it write s3://lake/train/"),
        (TRAIN, "s3://lake/tset.csv", "tset.csv: there is no such bucket or object: correct the address"),
        (TRAIN, "s3://no-such-lake/test.csv", "no-such-lake/test.csv: there is no such bucket or object"),
    ],
)
def test_missing_data_is_said(config, aws: Aws, lake, train: str, test: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        refer_to(config(dataset={"buckets": [LAKE, "no-such-lake"]}), aws, train, test)


def test_an_object_that_begins_like_another_is_refused(config, aws: Aws, lake) -> None:
    lake(**{"train/a.csv.bak": "age,ward,label\n1,w,no\n"})

    with pytest.raises(
        UserError, match=r"train/a.csv.bak begins with the same name, and Autopilot would read it too"
    ):
        refer_to(config(**NAMED), aws, f"s3://{LAKE}/train/a.csv")


@pytest.mark.parametrize(
    ("module", "limit", "sentence"),
    [
        (refer_module, "MOST_BYTES", "train/: has .* bytes, more than the 10 that Autopilot trains on"),
        (refer_module, "MOST_HOLDOUT_BYTES", "test.csv: has .* bytes, more than the 10 of a holdout"),
    ],
)
def test_too_much_data_is_refused(
    config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch, module: Any, limit: str, sentence: str
) -> None:
    monkeypatch.setattr(module, limit, 10)

    with pytest.raises(UserError, match=sentence):
        refer_to(config(**NAMED), aws)


def test_too_many_objects_are_refused(config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_OBJECTS", 1)

    with pytest.raises(UserError, match="has more than 1 objects: write fewer, larger ones"):
        refer_to(config(**NAMED), aws)


def test_a_bucket_of_another_region_is_refused(config, aws: Aws, lake) -> None:
    far = boto3.client("s3", region_name="us-west-2")
    far.create_bucket(Bucket="far-lake", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    far.put_object(Bucket="far-lake", Key="train/a.csv", Body=b"age,ward,label\n1,w,no\n")

    with pytest.raises(
        UserError, match=r"lies in us-west-2, and Autopilot reads data of its own region alone"
    ):
        refer_to(config(dataset={"buckets": ["far-lake"]}), aws, "s3://far-lake/train/")


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", "HeadObject"])
def test_a_missing_right_is_said(
    config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    s3, original = aws.client("s3"), aws.client("s3")._make_api_call

    def refuse(asked: str, arguments: dict[str, Any]) -> Any:
        if asked == operation:
            code = "403" if operation.startswith("Head") else "AccessDenied"
            raise ClientError({"Error": {"Code": code, "Message": "Access Denied"}}, operation)
        return original(asked, arguments)

    monkeypatch.setattr(s3, "_make_api_call", refuse)

    with pytest.raises(UserError, match=rf"s3://lake/.*: you may not call {operation} on it: ask the owner"):
        refer_to(config(**NAMED), aws)


def test_data_that_changes_while_it_is_read_is_refused(
    config, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = refer_module.look(aws.client("s3"), TRAIN)
    lake(**{"train/a.csv": "age,ward,label\n1,w,no\n"})
    monkeypatch.setattr(refer_module, "look", lambda *_: seen)

    with pytest.raises(UserError, match=r"train/a.csv: changed while it was read: run the command again"):
        refer_to(config(**NAMED), aws)


def test_the_commands_say_what_was_not_counted(
    aws: Aws, lake, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "automl.toml").write_text(automl_toml(**NAMED))

    status = main(["data", "refer", "--train-validation", TRAIN, "--test", TEST, "--json"])
    referred = capsys.readouterr()
    shown_status = main(["data", "show"])
    shown = capsys.readouterr().out

    assert (status, shown_status) == (0, 0)
    document = json.loads(referred.out)
    assert (document["rows"]["total"], document["uploaded"], document["changed"]) == (None, 2, True)
    amount = f"2 objects of {document['reference']['bytes']:,} bytes to train on (rows not counted)"
    assert f"{amount}, 100 rows held out, 3 columns" in referred.err
    assert f"{amount}, 100 rows held out" in shown
    assert "55.0%" in shown  # of the holdout


@pytest.fixture
def project(folder: Path, aws: Aws, lake, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A committed project with data by reference, whose pipeline is in AWS; the SDK is left out."""
    (folder / "automl.toml").write_text(automl_toml(**NAMED))
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluate.py").write_text("print(1)\n")
    monkeypatch.setattr(
        definition,
        "build",
        lambda config, lock, *_: str(definition.parameters(config, lock)["DatasetSha256"]),
    )
    monkeypatch.setattr("automl_gitops.runs.run.find_source", lambda: Source("c0ffee" * 6 + "c0ff", False))
    refer_to(Project().config, aws)
    project = Project()
    project.__dict__["aws"] = aws
    upsert(project)
    return project


def test_the_pipeline_is_given_the_address(project: Project) -> None:
    started = run(project, Output(), {}, None)

    told = project.aws.client("sagemaker").list_pipeline_parameters_for_execution(
        PipelineExecutionArn=started.arn
    )
    values = {item["Name"]: item["Value"] for item in told["PipelineParameters"]}
    assert values["TrainValidationUri"] == TRAIN
    assert values["DatasetSha256"] == project.lock.sha256


@pytest.mark.parametrize(
    ("objects", "sentence"),
    [
        ({"train/c.csv": "age,ward,label\n1,w,no\n"}, r"2 objects of [\d,]+ bytes then, 3 objects of"),
        ({"train/a.csv": "age,ward,label\n1,w,no\n"}, r"2 objects of [\d,]+ bytes then, 2 objects of"),
    ],
)
def test_a_run_on_changed_data_is_refused(
    project: Project, lake, objects: dict[str, str], sentence: str
) -> None:
    lake(**objects)

    with pytest.raises(
        UserError, match=rf"the data at {TRAIN} has changed since \({sentence}.*automl data refer` again"
    ):
        run(project, Output(), {}, None)


def test_a_change_of_the_same_size_is_noticed(project: Project, lake) -> None:
    content = project.aws.client("s3").get_object(Bucket=LAKE, Key="train/a.csv")["Body"].read()
    lake(**{"train/a.csv": content.replace(b"ward 1", b"ward 7")})

    with pytest.raises(UserError, match=r"2 objects of .* bytes of another content or name"):
        run(project, Output(), {}, None)


def test_a_commit_that_ran_is_found_although_the_data_changed(project: Project, lake) -> None:
    first = run(project, Output(), {}, None)
    lake(**{"train/c.csv": "age,ward,label\n1,w,no\n"})

    again = run(project, Output(), {}, None)

    assert (again.arn, again.new) == (first.arn, False)


def test_a_run_without_the_holdout_is_refused(project: Project) -> None:
    uri = f"{project.lock.uris.y_test}part-00000.csv"
    project.aws.client("s3").delete_object(Bucket=BUCKET, Key=listing.split(uri)[1])

    with pytest.raises(UserError, match=f"{uri} does not exist: run `automl data refer`"):
        run(project, Output(), {}, None)


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        ({"buckets": []}, r'\[dataset\] buckets does not name "lake"'),
        ({"target": "ward", "buckets": [LAKE]}, 'dataset.lock: made for target "label", but automl.toml'),
    ],
)
def test_a_lock_that_does_not_fit_automl_toml_is_refused(
    project: Project, folder: Path, dataset: dict[str, Any], sentence: str
) -> None:
    (folder / "automl.toml").write_text(automl_toml(dataset=dataset))

    with pytest.raises(UserError, match=sentence):
        _ = Project().lock


def test_split_settings_do_not_matter_to_a_given_holdout(project: Project, folder: Path) -> None:
    (folder / "automl.toml").write_text(automl_toml(dataset={"holdout": 0.3, "seed": 1, "buckets": [LAKE]}))

    assert Project().lock == project.lock


def test_the_evaluation_is_told_that_nothing_was_counted(project: Project) -> None:
    dataset = settings(project.config, project.lock)["dataset"]

    assert dataset["classes"] is None
    assert set(dataset["holdout_classes"]) == {"no", ">30", "<30"}
    assert dataset["rows"] == {"total": None, "train_validation": None, "test": 100}


GROUPED = {"dataset": {"buckets": [LAKE], "group": "who", "also_features": ["who"]}}
TIMED = {"dataset": {"buckets": [LAKE], "time": "day", "also_features": ["day"]}}


def rows_of(groups: range, days: range, rows: int = 120) -> str:
    """CSV of three columns and the target."""
    lines = [
        f"p{groups[row % len(groups)]},2024-01-{days[row % len(days)]:02},{row},{'ab'[row % 2]}"
        for row in range(rows)
    ]
    return "\n".join(["who,day,x,label", *lines, ""])


@pytest.fixture
def parts_of(lake) -> Callable[..., None]:
    """Objects whose groups and days are apart, unless others are given."""

    def put(
        train: str = rows_of(range(100, 200), range(1, 20)), test: str = rows_of(range(30), range(20, 28))
    ) -> None:
        lake(
            **{"train/a.csv": train, "train/b.csv": rows_of(range(200, 300), range(1, 10)), "test.csv": test}
        )
        lake(**{"validation/a.csv": rows_of(range(400, 430), range(10, 20))})

    return put


def test_the_holdout_has_its_groups(config, aws: Aws, parts_of, capsys: pytest.CaptureFixture[str]) -> None:
    parts_of()

    lock = refer_to(config(**GROUPED), aws).lock

    title, *labels = read(aws, f"{lock.uris.y_test}part-00000.csv")
    assert title == ["label", "group"]
    assert [int(group) for _, group in labels] == [row % 30 for row in range(120)]
    assert lock.split is not None
    assert lock.split.groups is not None
    assert lock.split.groups.test == 30
    assert DatasetLock.load() == lock
    size = lock.reference.bytes if lock.reference else 0
    assert f"looked at who in {size:,} of {size:,} bytes of what is trained on" in capsys.readouterr().out


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_a_group_in_both_parts_is_refused(
    config, aws: Aws, parts_of, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlap, "_BLOCK", block)
    parts_of(train=rows_of(range(100, 200), range(1, 20)) + "p7,2024-01-01,9,a\n")

    with pytest.raises(
        UserError,
        match=r'train/a\.csv: row 121 is of the group who = "p7", and so are rows of s3://lake/test',
    ):
        refer_to(config(**GROUPED), aws)
    assert not Path("dataset.lock").exists()


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_a_row_without_a_group_is_refused(
    config, aws: Aws, parts_of, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlap, "_BLOCK", block)
    parts_of(train=rows_of(range(100, 200), range(1, 20)) + "NA,2024-01-01,9,a\n")

    with pytest.raises(
        UserError, match=r'train/a\.csv: row 121 has no value in the group column "who": fill it'
    ):
        refer_to(config(**GROUPED), aws)
    assert keys(aws) == []


def test_what_is_not_looked_at_is_said(
    config, aws: Aws, parts_of, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    parts_of(train=rows_of(range(100, 200), range(1, 20)) + "p7,2024-01-01,9,a\n")
    monkeypatch.setattr(refer_module, "Overlap", partial(overlap.Overlap, most=500))

    refer_to(config(**GROUPED), aws)

    told = " ".join(capsys.readouterr().out.split())
    assert "looked at who in 500 of " in told
    assert "the rest was not looked at" in told


@pytest.mark.parametrize(
    ("gap", "day", "refused"),
    [(None, 20, False), (None, 21, True), ("1 day", 20, True), ("1 day", 19, True), ("1 day", 18, False)],
)
def test_a_later_row_than_the_holdouts_first_is_refused(
    config, aws: Aws, parts_of, gap: str | None, day: int, refused: bool
) -> None:
    parts_of(train=rows_of(range(100, 200), range(1, 18)) + f"p700,2024-01-{day},9,a\n")
    wanted = {"dataset": {**TIMED["dataset"], **({"gap": gap} if gap else {})}}

    if refused:
        with pytest.raises(
            UserError, match=rf'row 121 has "2024-01-{day}" in "day", and the holdout .* begins at 2024-01-20'
        ):
            refer_to(config(**wanted), aws)
    else:
        lock = refer_to(config(**wanted), aws).lock
        assert lock.split is not None
        assert lock.split.times is not None
        assert lock.split.times.holdout_from == "2024-01-20"


def test_rows_to_validate_on_have_an_address_of_their_own(config, aws: Aws, parts_of) -> None:
    parts_of()
    uri = f"s3://{LAKE}/validation/"

    plain = refer_to(config(**GROUPED), aws).lock
    lock = refer(config(**GROUPED), TRAIN, TEST, aws, Output(), uri).lock

    assert lock.uris.validation == uri
    assert lock.validation_reference is not None
    assert lock.validation_reference.objects == 1
    assert lock.sha256 != plain.sha256
    assert DatasetLock.load() == lock


@pytest.mark.parametrize(
    ("validation", "sentence"),
    [
        (TRAIN, "s3://lake/train/: is a part of s3://lake/train/"),
        (f"{TRAIN}a.csv", "train/a.csv: is a part of s3://lake/train/"),
        (TEST, "test.csv: is a part of s3://lake/test.csv"),
        (f"s3://{LAKE}/", "is a part of s3://lake/"),
        ("s3://elsewhere/v/", 'buckets does not name "elsewhere"'),
    ],
)
def test_rows_to_validate_on_are_others(config, aws: Aws, parts_of, validation: str, sentence: str) -> None:
    parts_of()

    with pytest.raises(UserError, match=sentence):
        refer(config(**GROUPED), TRAIN, TEST, aws, Output(), validation)


def test_only_hashes_that_are_still_compared_are_kept(
    config, aws: Aws, parts_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts_of()
    kept = []
    monkeypatch.setattr(overlap._Groups, "add", lambda self, hashes: kept.append(len(hashes)))
    parsed = []
    monkeypatch.setattr(times.Times, "see", _counting(times.Times.see, parsed))

    refer_to(config(**TIMED), aws)
    refer_to(config(**GROUPED), aws)
    assert kept == []
    assert sum(parsed) == 120  # the holdout's

    refer(config(**GROUPED), TRAIN, TEST, aws, Output(), f"s3://{LAKE}/validation/")
    assert sum(kept) == 120  # those to validate on


def _counting(see: Callable[..., Any], rows: list[int]) -> Callable[..., Any]:
    def counted(self: times.Times, column: Any, before: int) -> Any:
        rows.append(len(column))
        return see(self, column, before)

    return counted


def test_groups_are_gathered_once_each() -> None:
    groups, random = overlap._Groups(), np.random.RandomState(0)
    batches = [random.randint(0, 50, 40).astype(np.uint64) for _ in range(30)]

    for batch in batches:
        groups.add(batch)
        assert len(groups._merged) + groups._rows <= 100

    assert groups.distinct.tolist() == sorted({*np.concatenate(batches).tolist()})
    assert overlap._Groups().distinct.tolist() == []


def test_a_holdout_of_one_group_is_refused(config, aws: Aws, parts_of) -> None:
    parts_of(test=rows_of(range(1), range(20, 28)))

    with pytest.raises(
        UserError, match=r"test\.csv: all rows are of one group .* hold out rows of at least 2"
    ):
        refer_to(config(**GROUPED), aws)
    assert not Path("dataset.lock").exists()


def test_a_column_of_a_group_that_is_not_there_is_named_alone(
    config, aws: Aws, parts_of, lake, capsys: pytest.CaptureFixture[str]
) -> None:
    parts_of(test=rows_of(range(30), range(20, 28)))
    for name in ("train/a.csv", "train/b.csv"):
        text = rows_of(range(100, 200), range(1, 10))
        lake(**{name: "\n".join(line.partition(",")[2] for line in text.splitlines()) + "\n"})

    refer_to(config(dataset={"buckets": [LAKE], "group": ["who", "x"], "also_features": ["x"]}), aws)

    said = " ".join(capsys.readouterr().out.split())
    assert "has no column who, so that nobody looked whether the groups of its rows" in said


def test_the_holdout_may_lack_what_the_contract_lists_of_others(config, aws: Aws, lake, folder: Path) -> None:
    rows = table(folder / "weighted.csv", rows=300).read_text().splitlines()
    weighted = [f"{rows[0]},weight,note", *(f"{row},1,n" for row in rows[1:])]
    objects = {"train/a.csv": weighted[:101], "train/b.csv": [weighted[0], *weighted[101:201]]}
    lake(**{key: "\n".join([*lines, ""]) for key, lines in objects.items()})
    (folder / "contract.toml").write_text(
        '[columns]\nweight = { type = "integer" }\nnote = { type = "text" }\nward = { type = "text" }\n'
    )
    wanted = {"dataset": {"buckets": [LAKE], "weight": "weight", "exclude": ["note"]}}

    assert refer_to(config(**wanted), aws).lock.contract

    (folder / "contract.toml").write_text('[columns]\nbeds = { type = "integer" }\n')
    with pytest.raises(UserError, match='has no column "beds"'):
        refer_to(config(**wanted), aws)


def test_a_question_mark_in_what_is_trained_on_is_noticed(
    config, aws: Aws, lake, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table(folder / "rows.csv", rows=300).read_text().splitlines()
    rows[150] = "?" + rows[150][rows[150].index(",") :]
    rows[250] = "?" + rows[250][rows[250].index(",") :]
    lake(
        **{
            "train/b.csv": "\n".join([rows[0], *rows[101:201], ""]),
            "test.csv": "\n".join([rows[0], *rows[201:], ""]),
        }
    )

    lock = refer_to(config(**NAMED), aws).lock

    assert "train/b.csv: has ? in age: Autopilot reads it as a text" in " ".join(
        capsys.readouterr().out.split()
    )
    assert ["", *rows[250].split(",")[1:2]] in read(aws, f"{lock.uris.x_test}part-00000.csv")


def test_a_group_to_train_on_and_to_validate_on_is_refused(config, aws: Aws, parts_of, lake) -> None:
    parts_of()
    lake(**{"validation/a.csv": rows_of(range(290, 320), range(10, 20))})

    with pytest.raises(
        UserError, match=r'b\.csv: row 91 is of the group who = "p290", and so are rows of s3://lake/valid'
    ):
        refer(config(**GROUPED), TRAIN, TEST, aws, Output(), f"s3://{LAKE}/validation/")


def test_columns_that_are_no_features_may_be_the_holdouts_alone(
    config, aws: Aws, lake, capsys: pytest.CaptureFixture[str]
) -> None:
    without = "\n".join(line.partition(",")[2] for line in rows_of(range(9), range(1, 9)).splitlines())
    lake(**{"train/a.csv": without, "train/b.csv": without, "test.csv": rows_of(range(40), range(1, 9))})

    lock = refer_to(config(dataset={"buckets": [LAKE], "group": "who"}), aws).lock

    assert [column.name for column in lock.columns] == ["day", "x", "label"]
    assert len(read(aws, f"{lock.uris.x_test}part-00000.csv")[0]) == 2
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "has no column who, so that nobody looked whether the groups of its rows keep off the holdout" in told
    )


def test_autopilot_is_told_which_columns_of_the_objects_are_features(config, aws: Aws, parts_of) -> None:
    parts_of()
    settings = config(dataset={"buckets": [LAKE], "group": "who"})

    lock = refer_to(settings, aws).lock

    assert json.loads(feature_specification(settings, lock)) == {"FeatureAttributeNames": ["day", "x"]}


def test_a_column_of_parts_is_for_data_that_is_pushed(config, aws: Aws, parts_of) -> None:
    with pytest.raises(UserError, match=r"\[dataset\] split is for `automl data push`"):
        refer_to(config(dataset={"buckets": [LAKE], "split": "who"}), aws)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[columns]\nage = { type = "integer", most = 50 }', f'{TRAIN}a.csv: column "age": '),
        ('[columns]\nwards = { type = "text" }', f'{TRAIN}a.csv: has no column "wards"'),
        ('[columns]\nlabel = { type = "text", unique = true }', f'{TRAIN}a.csv: column "label": '),
    ],
)
def test_a_contract_is_kept_by_what_is_read(
    config, aws: Aws, lake, folder: Path, text: str, sentence: str
) -> None:
    (folder / "contract.toml").write_text(text)

    with pytest.raises(UserError) as caught:
        refer_to(config(**NAMED), aws)

    assert str(caught.value).startswith(sentence)
    assert keys(aws) == []
    assert not (folder / "dataset.lock").exists()


def test_the_holdout_keeps_the_contract_in_full(config, aws: Aws, lake, folder: Path) -> None:
    rows = table(folder / "holdout.csv", rows=100).read_text().splitlines()
    rows[90] = rows[90].replace("ward", "bed")
    lake(**{"test.csv": "\n".join(rows) + "\n"})
    (folder / "contract.toml").write_text(
        '[table]\nleast_rows = 9000\n[columns]\nward = { type = "text", pattern = "ward [0-9]", missing = 0.0 }'
    )

    with pytest.raises(UserError) as caught:
        refer_to(config(**NAMED), aws)

    # How many rows there are is not judged by the holdout's.
    assert str(caught.value) == (
        f"{TEST}: column \"ward\": 1 of 100 rows does not match the pattern 'ward [0-9]', the first is row 90: "
        "correct the data, or contract.toml"
    )


def test_findings_on_the_holdout_are_told(config, aws: Aws, lake, folder: Path) -> None:
    rows = table(folder / "holdout.csv", rows=100).read_text().splitlines()
    lake(**{"test.csv": "\n".join([*rows, *rows[1:]]) + "\n"})

    lock = refer_to(config(**NAMED), aws).lock

    findings = {one.kind: one.text for one in lock.findings}
    assert "of 200 rows of the holdout are copies of an earlier one" in findings["duplicate_rows"]
    assert "rows_on_both_sides" not in findings
    assert DatasetLock.load() == lock
