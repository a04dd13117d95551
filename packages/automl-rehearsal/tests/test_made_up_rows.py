"""Made-up rows: whatever a table holds, rows made from its dataset.lock alone are of its kind and can be pushed."""

from __future__ import annotations

import csv
import json
import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl_gitops.data.lock import Column, DatasetLock, Uris
from automl_gitops.data.prepared import prepare
from automl_gitops.data.profile import profile
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_rehearsal.data import sample, stand_in

AUTOML = """
[project]
name = "strangers"
description = "Any table"
region = "eu-west-1"
repository = "anybody/strangers"

[dataset]
target = {target}
holdout = {holdout}

[autopilot]
problem_type = "{problem}"

[gate]
{gate}

[evaluation]
slices = {slices}
bands = {bands}
"""
URIS = Uris(train_validation="s3://b/t.csv", x_test="s3://b/x/", y_test="s3://b/y/")
ROWS = 1300  # so that 500 are trained on where 60 % are held out
Random = np.random.RandomState


def configured(
    target: str = "label",
    problem: str = "MulticlassClassification",
    holdout: float = 0.2,
    slices: list[str] | None = None,
    bands: str = "{}",
) -> Config:
    gate = "maximum = 1e12" if problem == "Regression" else "minimum = 0.0"
    slices = [] if slices is None else slices
    return Config.parse(
        AUTOML.format(
            target=json.dumps(target, ensure_ascii=False),
            problem=problem,
            holdout=holdout,
            gate=gate,
            slices=json.dumps(slices, ensure_ascii=False),
            bands=bands,
        )
    )


def locked(frame: pd.DataFrame, config: Config, folder: Path) -> DatasetLock:
    """What a push of the table would write, read back."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_csv(folder / "real.csv", index=False)
    lock = prepare(config, folder / "real.csv", Output()).lock(config, synthetic=False, uris=URIS)
    assert DatasetLock.parse(lock.text()) == lock
    return lock


def pushed_again(lock: DatasetLock, config: Config, folder: Path, rows: int = 1000) -> DatasetLock:
    path = stand_in(lock, config, rows, folder)
    return prepare(config, path, Output()).lock(config, synthetic=True, uris=URIS)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def letters(random: Random, length: int) -> str:
    return "".join(random.choice(list(string.ascii_letters + " ,;\"'é😀"), length))


def some(values: list[object], random: Random, rows: int) -> list[object]:
    return [values[code] for code in random.randint(0, len(values), rows)]


# What real tables have columns of.
KINDS: dict[str, Callable[[Random, int], list[object]]] = {
    "0/1": lambda random, rows: list(random.randint(0, 2, rows)),
    "rare 1": lambda random, rows: [int(row == rows // 2) for row in range(rows)],
    "0.0/1.0": lambda random, rows: list(random.randint(0, 2, rows).astype(float)),
    "True/False": lambda random, rows: some([True, False], random, rows),
    "counts": lambda random, rows: list(random.poisson(2, rows)),
    "years": lambda random, rows: list(random.randint(1950, 2025, rows)),
    "wide integers": lambda random, rows: list(random.randint(-(10**9), 10**9, rows)),
    "all of int64": lambda random, rows: some([-(2**63), 2**63 - 1, 0, 12], random, rows),
    "fractions": lambda random, rows: list(random.normal(size=rows).round(2)),
    "tiny": lambda random, rows: list(random.random_sample(rows) * 1e-12),
    "huge": lambda random, rows: list((random.random_sample(rows) - 0.5) * 1.9e38),
    "exponents": lambda random, rows: some(["1e30", "1.5", "-1E-30"], random, rows),
    "prices": lambda random, rows: list(random.lognormal(5, 2, rows).round(2)),
    "leading zeros": lambda random, rows: [f"{code:05}" for code in random.randint(0, 99_999, rows)],
    "levels": lambda random, rows: some(["Fair", "Good", "Very Good", "Ideal"], random, rows),
    "odd levels": lambda random, rows: some(['say "hi"', "a, b", "😀", " ", "x=1"], random, rows),
    "many levels": lambda random, rows: [f"ward {code}" for code in random.randint(0, 60, rows)],
    "words": lambda random, rows: [letters(random, random.randint(1, 40)) for _ in range(rows)],
    "letters": lambda random, rows: some(list("abcdefghijklmnopqrstuvwxyz"), random, rows),
    "long texts": lambda random, rows: [letters(random, 2000) for _ in range(rows)],
    "days": lambda random, rows: [f"20{y:02}-0{m}-1{d}" for y, m, d in random.randint(1, 9, (rows, 3))],
    "german days": lambda random, rows: [f"1{d}.0{m}.20{y:02}" for y, m, d in random.randint(1, 9, (rows, 3))],
    "moments": lambda random, rows: list(
        pd.date_range("2020-01-01", periods=rows, freq="37min").astype(str)[random.permutation(rows)]
    ),
    "compact days": lambda random, rows: [20200100 + 100 * m + d for m, d in random.randint(1, 10, (rows, 2))],
    "running number": lambda random, rows: list(5_000_000 + random.permutation(rows)),
    "keys": lambda random, rows: [f"{code:08x}" for code in random.permutation(10**6)[:rows] + 10**9],
    "constant": lambda random, rows: ["same"] * rows,
    "texts among numbers": lambda random, rows: [*["n.v."] * (rows // 10), *random.randint(0, 500, rows - rows // 10)],
}  # fmt: skip
NAMES = [
    "plain",
    "two words",
    "a, b",
    'say "x"',
    "😀",
    "it's",
    "`tick`",
    "größe",
    "[x]",
    "#",
    "a.b",
    "race_*",
    "{}",
]


def any_table(seed: int) -> pd.DataFrame:
    """A table of columns drawn from `KINDS`, some with missing values, with odd names."""
    random = Random(seed)
    columns: dict[str, list[object]] = {}
    for number, kind in enumerate(random.choice(list(KINDS), 12, replace=False)):
        values = list(KINDS[kind](random, ROWS))
        if random.random_sample() < 0.4:
            share = random.choice([0.01, 0.3, 0.97])
            lacking = random.random_sample(ROWS) < share
            values = ["" if lacks else value for lacks, value in zip(lacking, values, strict=True)]
            values[0] = KINDS[kind](random, ROWS)[0]
        columns[f"{NAMES[(seed + number) % len(NAMES)]} {number}"] = values
    return pd.DataFrame(columns, dtype=object)


@pytest.mark.parametrize("seed", range(9))
def test_rows_made_from_a_lock_are_of_its_kind(tmp_path: Path, seed: int) -> None:
    """Each problem type with each share of the holdout, and with another table."""
    random, frame = Random(1000 + seed), any_table(seed)
    problem = ["BinaryClassification", "MulticlassClassification", "Regression"][(seed + seed // 3) % 3]
    labels: dict[str, list[object]] = {
        "BinaryClassification": list(random.choice(["yes", "no"], ROWS, p=[0.02, 0.98])),
        "MulticlassClassification": list(random.randint(0, 40, ROWS)),
        "Regression": list(random.lognormal(3, 1, ROWS).round(3)),
    }
    target = NAMES[seed % len(NAMES)]
    frame[target] = labels[problem]
    config = configured(target, problem, holdout=[0.2, 0.05, 0.6][seed % 3])
    real = locked(frame, config, tmp_path)

    made = pushed_again(real, config, tmp_path / "out")

    assert [(column.name, column.type) for column in made.columns] == [
        (column.name, column.type) for column in real.columns
    ]
    assert made.rows.train_validation is not None
    assert made.rows.train_validation >= 500
    assert (made.classes or {}).keys() == (real.classes or {}).keys()
    for before, after in zip(real.columns, made.columns, strict=True):
        assert bool(before.missing) == bool(after.missing)
        assert before.looks_like in (None, after.looks_like)
        if before.values:
            assert after.values is not None
            assert after.values.keys() == before.values.keys()
        if before.least is not None:
            assert before.least <= after.least <= after.most <= before.most
        if before.length is not None:
            assert after.length <= max(before.length, 7)


def test_the_same_lock_gives_the_same_rows(tmp_path: Path) -> None:
    config = configured()
    lock = locked(any_table(3).assign(label=some(["a", "b"], Random(1), ROWS)), config, tmp_path)

    first, second = (stand_in(lock, config, 500, tmp_path / name).read_bytes() for name in "ab")

    assert first == second


def test_shares_and_missing_values_are_the_lock_s(tmp_path: Path) -> None:
    random = Random(5)
    frame = pd.DataFrame(
        {
            "kind": random.choice(["car", "boat"], 2000, p=[0.9, 0.1]),
            "age": np.where(random.random_sample(2000) < 0.25, "", random.randint(0, 99, 2000).astype(str)),
            "label": random.choice(["yes", "no"], 2000, p=[0.2, 0.8]),
        }
    )
    config = configured(problem="BinaryClassification")

    made = read(stand_in(locked(frame, config, tmp_path), config, 1000, tmp_path / "out"))

    assert (made["kind"] == "car").mean() == pytest.approx((frame["kind"] == "car").mean(), abs=0.01)
    assert (made["age"] == "").mean() == pytest.approx((frame["age"] == "").mean(), abs=0.01)
    assert (made["label"] == "yes").mean() == pytest.approx((frame["label"] == "yes").mean(), abs=0.01)


@pytest.mark.parametrize("spelled", [("0", "1"), ("0.0", "1.0"), ("False", "True")])
def test_columns_of_a_pattern_are_one_column_in_rows_too(tmp_path: Path, spelled: tuple[str, str]) -> None:
    random = Random(2)
    races = random.choice(["a", "b", "c", ""], 3000, p=[0.7, 0.2, 0.01, 0.09])
    frame = pd.DataFrame({f"race_{one}": np.where(races == one, spelled[1], spelled[0]) for one in "abc"})
    frame["label"] = random.choice(["yes", "no"], 3000)
    config = configured(problem="BinaryClassification", slices=["race_*"])

    made = read(stand_in(locked(frame, config, tmp_path), config, 1000, tmp_path / "out"))

    ones = (made[["race_a", "race_b", "race_c"]] == spelled[1]).sum(axis=1)
    assert set(ones) == {0, 1}
    assert (made["race_a"] == spelled[1]).mean() == pytest.approx(0.7, abs=0.03)
    assert (made["race_c"] == spelled[1]).sum() >= 5


@pytest.mark.parametrize(("positives", "holdout"), [(0.01, 0.2), (0.001, 0.2), (0.01, 0.9), (0.5, 0.01)])
def test_a_rare_class_has_rows_on_both_sides(tmp_path: Path, positives: float, holdout: float) -> None:
    counts = {"yes": int(100_000 * positives), "no": int(100_000 * (1 - positives))}
    lock = old_lock().model_copy(update={"classes": counts})
    config = configured(problem="BinaryClassification", holdout=holdout)

    made = pushed_again(lock, config, tmp_path)

    rare = min((made.classes or {}).values())
    assert rare * (1 - holdout) >= 9
    assert made.rows.train_validation is not None
    assert made.rows.train_validation >= 500
    assert made.rows.test >= 40


def test_hundreds_of_classes_are_all_there(tmp_path: Path) -> None:
    lock = old_lock().model_copy(update={"classes": {f"class {number}": 1 + number for number in range(400)}})

    made = pushed_again(lock, configured(), tmp_path)

    assert made.classes is not None
    assert len(made.classes) == 400
    assert min(made.classes.values()) >= 10


def test_four_hundred_columns_are_made(tmp_path: Path) -> None:
    random = Random(4)
    frame = pd.DataFrame(random.normal(size=(600, 400)).round(3)).add_prefix("x")
    frame["label"] = random.choice(["a", "b"], 600)
    config = configured(problem="BinaryClassification", holdout=0.1)

    made = pushed_again(locked(frame, config, tmp_path), config, tmp_path / "out")

    assert {column.type for column in made.features} == {"number"}
    assert len(made.features) == 400


def test_a_quantity_stays_in_its_range(tmp_path: Path) -> None:
    random = Random(6)
    frame = pd.DataFrame({"x": random.normal(size=800), "label": random.lognormal(8, 1, 800).round(2)})
    config = configured(problem="Regression")

    made = read(stand_in(locked(frame, config, tmp_path), config, 1000, tmp_path / "out"))

    label = made["label"].astype(float)
    assert (label.min(), label.max()) == (frame["label"].min(), frame["label"].max())
    assert label.corr(made["x"].astype(float), method="spearman") > 0.5


def old_lock(**changes: object) -> DatasetLock:
    """As it was written before anything was counted."""
    return DatasetLock.model_validate(
        {
            "name": "t",
            "source": "t.csv",
            "synthetic": False,
            "sha256": "ab" * 32,
            "target": "label",
            "holdout": 0.2,
            "seed": 42,
            "rows": {"total": 1000, "train_validation": 800, "test": 200},
            "columns": [
                Column(name="race_a", type="integer"),
                Column(name="race_b", type="integer"),
                Column(name="age", type="integer"),
                Column(name="weight", type="number"),
                Column(name="ward", type="text"),
                Column(name="label", type="text"),
            ],
            "classes": {"yes": 100, "no": 900},
            "uris": URIS,
            **changes,
        }
    )


def test_a_lock_that_counts_nothing_still_does(tmp_path: Path) -> None:
    config = configured(slices=["race_*", "age"], bands="{ age = [30, 60] }", problem="BinaryClassification")

    made = pushed_again(old_lock(), config, tmp_path)

    assert [column.type for column in made.columns] == [column.type for column in old_lock().columns]
    assert [set(column.values or {}) for column in made.columns[:2]] == [{"0", "1"}] * 2


def test_data_by_reference_is_made_from_what_the_holdout_shows(tmp_path: Path) -> None:
    columns = [
        Column(name="k", type="integer", missing=10, distinct=3, values={"1": 20, "2": 60, "3": 10}, least=1, most=3),
        Column(name="gone", type="text", missing=100, distinct=0, length=0),
        Column(name="label", type="text", missing=0, distinct=2, length=3),
    ]  # fmt: skip
    lock = old_lock(
        rows={"test": 100},
        holdout=None,
        seed=None,
        classes=None,
        holdout_classes={"yes": 10, "no": 90},
        columns=columns,
        reference={"objects": 1, "bytes": 5000, "sha256": "cd" * 32},
    )

    made = pushed_again(lock, configured(problem="BinaryClassification"), tmp_path)

    assert [column.type for column in made.columns] == ["integer", "text", "text"]
    assert made.columns[0].missing == 100
    assert made.classes == {"no": 900, "yes": 100}


def test_a_sample_keeps_rare_classes(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "label"])
        rows.writerows([[number, "rare" if number % 4000 == 0 else "often"] for number in range(20_000)])

    made = sample(Table.open(tmp_path / "t.csv"), 500, tmp_path / "out", DatasetSettings(target="label"))

    seen = profile(Table.open(made), "label")
    assert seen.rows == 500
    assert seen.target.classes == {"rare": 5, "often": 495}


RULES: dict[str, dict[str, object]] = {
    "group": {"group": "ward_nbr"},
    "two columns": {"group": ["ward", "ward_nbr"], "also_features": ["ward"]},
    "few groups": {"group": "ward"},
    "time": {"time": "admitted", "gap": "30 days"},
    "year": {"time": "year"},
    "zoned": {"time": "at"},
    "time and group": {"time": "at", "gap": "2 hours", "group": "ward_nbr"},
    "split": {"split": "part"},
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("classes", [2, 9])
def test_made_up_rows_pass_through_the_rule_of_the_real_ones(tmp_path: Path, rule: str, classes: int) -> None:
    random, rows = Random(3), 4000
    days = np.sort(random.randint(0, 2000, rows))
    frame = pd.DataFrame(
        {
            "ward_nbr": random.permutation(rows)[days // 2] + 5_000_000,
            "ward": [f"ward {number}" for number in random.randint(0, 25, rows)],
            "admitted": (np.datetime64("2019-01-01") + days).astype(str),
            "at": [f"{np.datetime64('2019-01-01T08:00') + day * 60 * 24}:00+01:00" for day in days],
            "year": 2019 + days // 365,
            "part": random.choice(["train", "validation", "test"], rows, p=[0.7, 0.1, 0.2]),
            "age": random.randint(0, 99, rows),
            "label": random.choice([f"c{number}" for number in range(classes)], rows),
        }
    )
    problem = "BinaryClassification" if classes == 2 else "MulticlassClassification"
    config = configured(problem=problem)
    dataset = DatasetSettings.model_validate({"target": "label", **RULES[rule]})
    config = config.model_copy(update={"dataset": dataset})
    real = locked(frame, config, tmp_path)

    made = pushed_again(real, config, tmp_path / "out")

    assert made.split is not None
    assert real.split is not None
    assert made.split.rule == real.split.rule
    assert [column.name for column in made.columns] == [column.name for column in real.columns]
    assert {column.name: column.type for column in made.split.columns} == {
        column.name: column.type for column in real.split.columns
    }
    assert made.rows.train_validation is not None
    assert made.rows.train_validation >= 500
    assert (made.classes or {}).keys() == (real.classes or {}).keys()
    assert made.rows.total is not None
    assert made.rows.total <= 4000
    if real.split.times and made.split.times:
        assert len(made.split.times.first) == len(real.split.times.first)
        assert (
            real.split.times.first <= made.split.times.first <= made.split.times.last <= real.split.times.last
        )


# Of groups that are spread over all times a sample leaves few rows to train on.
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "time and group"])
def test_a_sample_has_every_class_in_every_part(tmp_path: Path, rule: str) -> None:
    random, rows = Random(4), 20_000
    frame = pd.DataFrame(
        {
            "ward_nbr": random.randint(0, 9000, rows),
            "ward": [f"ward {number}" for number in random.randint(0, 200, rows)],
            "admitted": (np.datetime64("2019-01-01") + random.randint(0, 2000, rows)).astype(str),
            "at": [
                f"{np.datetime64('2019-01-01T08:00') + hours * 60}Z"
                for hours in random.randint(0, 9000, rows)
            ],
            "year": random.randint(1990, 2025, rows),
            "part": random.choice(["train", "validation", "test"], rows, p=[0.6, 0.2, 0.2]),
            "age": random.randint(0, 99, rows),
            "label": random.choice(["often", "rare"], rows, p=[0.995, 0.005]),
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    config = configured(problem="BinaryClassification")
    dataset = DatasetSettings.model_validate({"target": "label", **RULES[rule]})

    path = sample(Table.open(tmp_path / "t.csv"), 1500, tmp_path / "out", dataset)

    made = prepare(config.model_copy(update={"dataset": dataset}), path, Output())
    assert made.classes is not None
    assert made.classes.keys() == {"often", "rare"}
