from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from making import automl_toml

from automl_gitops.data.inspect import inspect
from automl_gitops.data.prepared import prepare
from automl_gitops.data.uci import COUNTS
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_rehearsal import example as examples
from automl_rehearsal import hospital
from automl_rehearsal.example import example

_PLACES = [folder / "shared" / "data" / "diabetic_data.csv.gz" for folder in Path(__file__).parents]
SHARED = next((path for path in _PLACES if path.exists()), None)
needs_shared = pytest.mark.skipif(SHARED is None, reason="UCI's file is in no folder shared/data above")


def source(rows: int = 120) -> pd.DataFrame:
    """Rows as UCI's file has them, with two of its other columns."""
    random = np.random.RandomState(5)
    frame = {
        "encounter_id": np.arange(rows),
        "patient_nbr": random.randint(1, 50, rows),
        "race": random.choice(["Caucasian", "AfricanAmerican", "Hispanic", "Asian", "Other", "?"], rows),
        "age": random.choice(["[0-10)", "[70-80)", "[90-100)"], rows),
        **{name: random.randint(1, 9, rows) for name in COUNTS},
        "change": random.choice(["Ch", "No"], rows),
        "diabetesMed": random.choice(["Yes", "No"], rows),
        "readmitted": random.choice(["NO", ">30", "<30"], rows),
    }
    return pd.DataFrame(frame).astype(str)


def write(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def test_fifteen_columns_are_made_of_the_source(tmp_path: Path) -> None:
    given = source()

    written = hospital.prepare(write(given, tmp_path / "uci.csv"), tmp_path / "out" / "made.csv")

    made = pd.read_csv(tmp_path / "out" / "made.csv")
    assert written == len(made) == 120
    assert tuple(made.columns) == ("patient_nbr", *hospital.COLUMNS)
    assert made["patient_nbr"].astype(str).tolist() == given["patient_nbr"].tolist()
    assert made["age"].tolist() == given["age"].map({"[0-10)": 5, "[70-80)": 75, "[90-100)": 95}).tolist()
    assert made["readmitted"].tolist() == given["readmitted"].str.replace("NO", "no").tolist()
    assert made["change"].tolist() == (given["change"] == "Ch").astype(int).tolist()
    races = made.filter(like="race_").sum(axis=1)
    assert races.tolist() == (given["race"] != "?").astype(int).tolist()
    assert made["race_African_American"].tolist() == (given["race"] == "AfricanAmerican").astype(int).tolist()


def test_sample_is_the_same_each_time_and_in_the_files_order(tmp_path: Path) -> None:
    path = write(source().assign(num_medications=np.arange(120)), tmp_path / "uci.csv")

    sums = []
    for name in ("one.csv", "two.csv"):
        hospital.prepare(path, tmp_path / name, rows=50)
        sums.append((tmp_path / name).read_bytes())

    order = pd.read_csv(tmp_path / "one.csv")["num_medications"].tolist()
    assert sums[0] == sums[1]
    assert len(set(order)) == 50
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("age", "70", 'row 4 has "70" in age, not a band such as [70-80)'),
        ("num_medications", "many", 'row 4 has "many" in num_medications, which is no number'),
        ("readmitted", "maybe", 'row 4 has "maybe" in readmitted, not NO or >30 or <30'),
        ("change", "?", 'row 4 has "?" in change, not Ch or No'),
    ],
)
def test_strange_values_are_placed(tmp_path: Path, column: str, value: str, sentence: str) -> None:
    frame = source()
    frame.loc[3, column] = value

    with pytest.raises(UserError) as caught:
        hospital.prepare(write(frame, tmp_path / "uci.csv"), tmp_path / "made.csv")

    assert sentence in str(caught.value)
    assert not (tmp_path / "made.csv").exists()


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = write(source().drop(columns=["race"]), tmp_path / "other.csv")

    with pytest.raises(UserError, match="has no column race"):
        hospital.prepare(path, tmp_path / "made.csv")


def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path: Path) -> None:
    path = write(source(), tmp_path / "uci.csv")

    with pytest.raises(UserError, match=r"uci\.csv/made\.csv: cannot be written"):
        hospital.prepare(path, path / "made.csv")


def test_source_is_recognised(tmp_path: Path) -> None:
    facts = inspect(write(source(), tmp_path / "uci.csv"))

    assert (facts["prepare"], facts["target"], facts["problem_type"]) == (
        "hospital", "readmitted", "MulticlassClassification"
    )  # fmt: skip


def test_synthetic_has_columns_and_class_shares_of_the_real_one() -> None:
    frame = hospital.synthetic(5000, 42)

    assert tuple(frame.columns) == ("patient_nbr", *hospital.COLUMNS)
    assert frame["patient_nbr"].value_counts().mean() == pytest.approx(101_766 / 71_518, abs=0.03)
    assert hospital.synthetic(5000, 42, patients=False).equals(frame.drop(columns="patient_nbr"))
    shares = frame["readmitted"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx({"no": 0.539, ">30": 0.349, "<30": 0.112}, abs=1e-3)
    assert (frame.filter(like="race_").sum(axis=1) <= 1).all()
    assert set(frame["age"]) <= set(range(5, 100, 10))
    assert hospital.synthetic(5000, 42).equals(frame)


def test_synthetic_can_be_learned_but_not_read_off() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import accuracy_score

    frame = hospital.synthetic(4000, 42)
    x, y = frame.drop(columns=["patient_nbr", "readmitted"]), frame["readmitted"]
    forest = RandomForestClassifier(60, min_samples_leaf=10, random_state=0).fit(x[:3000], y[:3000])

    accuracy = accuracy_score(y[3000:], forest.predict(x[3000:]))

    assert 0.60 < accuracy < 0.85


def test_without_network_the_example_is_called_synthetic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline() -> pd.DataFrame:
        raise OSError("no route to host")

    monkeypatch.setattr(examples, "_fetch", offline)

    made = example(tmp_path, None, 300, Output())

    assert (made.synthetic, made.source, made.rows) == (True, "synthetic", 300)
    assert made.path.name.startswith("synthetic-")
    assert "SYNTHETIC" in capsys.readouterr().out
    assert len(pd.read_csv(made.path)) == 300


def test_a_download_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    forever = threading.Event()
    monkeypatch.setattr(examples, "_DOWNLOAD_SECONDS", 0.05)
    monkeypatch.setattr(examples, "_fetch", forever.wait)

    made = example(tmp_path, None, 100, Output())
    forever.set()

    assert made.synthetic


def test_a_download_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "_fetch", source)

    made = example(tmp_path, None, 100, Output())

    assert (made.synthetic, made.source, made.path.name) == (False, "OpenML 4541", "hospital-readmission.csv")


def test_a_given_file_is_used(tmp_path: Path) -> None:
    made = example(tmp_path, write(source(), tmp_path / "uci.csv"), 100, Output())

    assert (made.synthetic, made.rows) == (False, 100)


@needs_shared
def test_the_real_file_gives_the_known_sample(tmp_path: Path) -> None:
    written = hospital.prepare(SHARED, tmp_path / "made.csv", patients=False)
    hospital.prepare(SHARED, tmp_path / "with-patients.csv")

    made = pd.read_csv(tmp_path / "made.csv")
    with_patients = pd.read_csv(tmp_path / "with-patients.csv")
    assert with_patients.drop(columns="patient_nbr").equals(made)
    assert (written, made.shape) == (50_000, (50_000, 15))
    assert made["readmitted"].value_counts(normalize=True).to_dict() == pytest.approx(
        {"no": 54864 / 101766, ">30": 35545 / 101766, "<30": 11357 / 101766}, abs=0.005
    )
    assert hashlib.sha256((tmp_path / "made.csv").read_bytes()).hexdigest() == (
        "aae206e2cc272278d326e39ebd0ceacf8e658295f45c30628ae6f1f734a13e5b"
    )


@needs_shared
def test_no_patient_of_the_real_file_stands_on_two_sides(tmp_path: Path) -> None:
    hospital.prepare(SHARED, tmp_path / "made.csv")

    assert_no_patient_stands_on_two_sides(tmp_path / "made.csv")


def test_no_made_up_patient_stands_on_two_sides(tmp_path: Path) -> None:
    assert_no_patient_stands_on_two_sides(write(hospital.synthetic(20_000, 42), tmp_path / "made.csv"))


def assert_no_patient_stands_on_two_sides(table: Path) -> None:
    wanted = Config.parse(automl_toml(dataset={"target": "readmitted", "group": "patient_nbr"}))

    prepared = prepare(wanted, table, Output())

    frame = pd.read_csv(table)
    sides = prepared.assigned.sides  # type: ignore[union-attr]
    assert pd.Series(sides).groupby(frame["patient_nbr"]).nunique().max() == 1
    shares = np.bincount(sides) / len(frame)
    assert shares.tolist() == pytest.approx([0.64, 0.16, 0.2], abs=0.01)
    assert "patient_nbr" not in [column.name for column in prepared.lock(wanted, synthetic=False).columns]


@pytest.mark.parametrize("group", [None, "patient_nbr"])
def test_patients_are_there_for_a_project_that_splits_by_them(
    group: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "_fetch", source)
    wanted = Config.parse(
        automl_toml(dataset={"target": "readmitted", **({"group": group} if group else {})})
    )

    made = example(tmp_path, None, 100, Output(), wanted)

    assert ("patient_nbr" in pd.read_csv(made.path)) is (group is not None)
