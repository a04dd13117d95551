"""Columns that are no features: left out of the data set, or a weight that is trained with."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from making import BUCKET, REGION, lenient, table

from automl_gitops.data.lock import DatasetLock
from automl_gitops.data.push import push
from automl_gitops.data.refer import refer
from automl_gitops.kernel.aws import Aws
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.runs import bundle
from automl_gitops.runs.definition import feature_specification
from automl_rehearsal.data import stand_in

ROLES = {"dataset": {"exclude": ["name", "nothing"], "weight": "w"}}


class Heard(Output):
    """Keeps what is told."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []

    def notice(self, text: str, *_: Any, **__: Any) -> None:
        self.notices.append(text)


def people(path: Path, rows: int = 300, **changes: Any) -> Path:
    """`table` with a name, a column without a value, and a weight."""
    frame = pd.read_csv(table(path, rows=rows))
    weights = np.linspace(0, 2, rows).round(3).astype(object)
    frame = frame.assign(name=[f"Ann {n}" for n in range(rows)], nothing="", w=weights)
    frame = frame[["name", "age", "w", "ward", "nothing", "label"]].assign(**changes)
    frame.to_csv(path, index=False)
    return path


def stored(aws: Aws, uri: str, name: str = "") -> list[list[str]]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    text = aws.client("s3").get_object(Bucket=bucket, Key=key + name)["Body"].read().decode()
    return list(csv.reader(io.StringIO(text)))


def pushed(config: Any, path: Path, aws: Aws, **changes: Any) -> DatasetLock:
    return push(lenient(config(**(ROLES | changes))), path, aws, Output(), synthetic=False).lock


def test_what_is_excluded_is_not_pushed_and_the_weight_is_trained_with_alone(config, folder, aws) -> None:
    lock = pushed(config, people(folder / "people.csv"), aws)

    header, *train = stored(aws, lock.uris.train_validation)
    held_out = stored(aws, lock.uris.x_test, "part-00000.csv")
    assert header == ["age", "w", "ward", "label"]
    assert {len(row) for row in held_out} == {2}
    assert len(train) + len(held_out) == 300
    original = {(row["age"], row["ward"]) for row in csv.DictReader((folder / "people.csv").open())}
    assert {tuple(row) for row in held_out} <= original
    assert [column.name for column in lock.columns] == ["age", "ward", "label"]
    assert DatasetLock.load() == lock
    assert (lock.exclude, lock.weight) == (["name", "nothing"], "w")
    assert "Ann" not in (folder / "dataset.lock").read_text()


def test_the_columns_roles_make_another_data_set_and_none_makes_the_same_as_ever(config, folder, aws) -> None:
    path = people(folder / "people.csv", nothing="x")

    locks = [
        pushed(config, path, aws, dataset=dataset)
        for dataset in ({}, {"exclude": ["name"]}, {"exclude": ["nothing"]}, {"weight": "w"})
    ]

    assert len({lock.sha256 for lock in locks}) == 4
    assert "exclude" not in locks[0].plain()
    settings = bundle.settings(config(), locks[0])
    assert "decision" not in settings
    assert set(settings["dataset"]).isdisjoint({"exclude", "weight"})


@pytest.mark.parametrize(
    ("dataset", "changes", "sentence"),
    [
        (
            {"exclude": ["nmae"]},
            {},
            'no column "nmae", which [dataset] exclude in automl.toml names; did you mean "name"',
        ),
        ({"weight": "weights"}, {}, 'no column "weights", which [dataset] weight'),
        (
            {"exclude": ["name", "age", "ward", "nothing", "w"]},
            {},
            "has one column beside those of [dataset] exclude",
        ),
        ({"exclude": ["name", "nothing"], "weight": "ward"}, {}, 'weights, "ward", has texts'),
        ({"exclude": ["name", "nothing"], "weight": "w"}, {"w": -0.5}, "numbers below 0 (the least is -0.5)"),
        (
            {"exclude": ["name", "nothing"], "weight": "w"},
            {"w": 0},
            "no number above 0 in the rows to train on",
        ),
        (
            {"exclude": ["name", "nothing"], "weight": "w", "time": "age"},
            {"w": lambda frame: np.where(frame["age"] < frame["age"].quantile(0.9), 0.0, None)},
            "no number above 0 in the rows to train on",
        ),
        (
            {"exclude": ["name", "nothing"], "weight": "w", "time": "age"},
            {"w": lambda frame: (frame["age"] < frame["age"].quantile(0.4)).astype(int)},
            "no number above 0 in the validation rows",
        ),
        (
            {"exclude": ["name"]},
            {},
            'column "nothing" has no value in any row: remove what is empty, or name it in [dataset] exclude: '
            'exclude = ["name", "nothing"]',
        ),
        (
            {"exclude": ["name"]},
            {f"survey_{number}": "" for number in range(7)},
            'columns "nothing", "survey_0", "survey_1", "survey_2", "survey_3" and 3 more have no value',
        ),
        (
            {"exclude": ["survey_*"]},
            {},
            'no column "survey_*", which [dataset] exclude in automl.toml names; exclude takes no patterns',
        ),
    ],
)
def test_columns_that_do_not_suit_their_role_are_refused(
    config, folder, aws, dataset, changes, sentence
) -> None:
    path = people(folder / "people.csv", **changes)

    with pytest.raises(UserError) as refused:
        pushed(config, path, aws, dataset=dataset)

    assert sentence in str(refused.value)
    assert aws.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_rows_without_a_weight_are_counted(config, folder, aws) -> None:
    path, heard = people(folder / "people.csv", w=[1.0, None, None] * 100), Heard()

    push(lenient(config(**ROLES)), path, aws, heard, synthetic=False)

    assert any('200 rows without a weight in "w": Autopilot leaves them out' in one for one in heard.notices)


def test_data_by_reference_is_described_to_autopilot(config, folder, aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("train/a.csv", "test.csv"):
        s3.put_object(Bucket="lake", Key=key, Body=people(folder / "rows.csv").read_bytes())
    dataset = {"buckets": ["lake"], "exclude": ["name", "nothing"], "weight": "w"}
    settings = config(dataset=dataset, autopilot={"types": {"age": "categorical"}})

    lock = refer(settings, "s3://lake/train/", "s3://lake/test.csv", aws, Output()).lock

    header, *_ = stored(aws, lock.uris.x_test, "part-00000.csv")
    assert len(header) == 2
    assert [column.name for column in lock.columns] == ["age", "ward", "label"]
    assert json.loads(feature_specification(settings, lock)) == {
        "FeatureAttributeNames": ["age", "ward"],
        "FeatureDataTypes": {"age": "categorical"},
    }


def test_pushed_data_needs_types_alone_and_without_any_nothing_is_described(config, folder, aws) -> None:
    lock = pushed(config, people(folder / "people.csv"), aws)

    assert feature_specification(config(**ROLES), lock) == ""
    typed = config(**ROLES, autopilot={"types": {"ward": "text"}})
    assert json.loads(feature_specification(typed, lock)) == {"FeatureDataTypes": {"ward": "text"}}


def test_made_up_rows_have_the_columns_that_automl_toml_names(config, folder, aws) -> None:
    lock = pushed(config, people(folder / "people.csv"), aws)

    made = stand_in(lock, lenient(config(**ROLES)), 600, folder)

    again = pushed(config, made, aws)
    assert [column.name for column in again.columns] == ["age", "ward", "label"]
