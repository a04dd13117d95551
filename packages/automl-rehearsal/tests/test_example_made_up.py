from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from making import automl_toml

from automl_gitops.data.prepared import prepare
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_rehearsal.example import example, is_hospital, made_up

PROBLEMS = ("BinaryClassification", "MulticlassClassification", "Regression", "infer")


def config(target: str, problem: str, holdout: float = 0.2, **evaluation: object) -> Config:
    bound = {"minimum": None, "maximum": 9.0} if problem == "Regression" else {"minimum": 0.1}
    autopilot = {"problem_type": problem, "objective": "MSE" if problem == "Regression" else None}
    dataset = {"target": target, "holdout": holdout}
    return Config.parse(automl_toml(dataset=dataset, autopilot=autopilot, gate=bound, evaluation=evaluation))


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize(
    "target", ["species", "price", "Will they return?", 'a "b", c', "再入院 😀", "amount"]
)
def test_rows_made_up_for_any_target_can_be_pushed(tmp_path: Path, target: str, problem: str) -> None:
    wanted = config(target, problem)

    made = example(tmp_path, None, None, Output(), wanted)

    prepared = prepare(wanted, made.path, Output())
    assert (made.synthetic, made.rows) == (True, 5000)
    assert made.path.name.startswith("synthetic")
    assert {"integer", "text"} <= set(prepared.profile.types.values())
    classes = {"BinaryClassification": 2, "MulticlassClassification": 3, "infer": 2}.get(problem)
    assert (len(prepared.classes) if prepared.classes else None) == classes


@pytest.mark.parametrize(
    ("slices", "bands", "columns"),
    [
        (["region"], {}, {"region"}),
        (["ward", "age"], {"age": [30, 60, 80]}, {"ward", "age"}),
        (["amount", "share"], {"amount": 4, "share": [0.001, 0.002]}, {"amount", "share"}),
        (["race_*"], {}, {"race_a", "race_b", "race_c"}),
        (["c*"], {}, {"ca", "cb", "cc"}),
        (["score"], {"score": [1e300, 2e300]}, {"score"}),
        (["one"], {"one": [0]}, {"one"}),
    ],
)
def test_they_have_the_columns_that_slices_and_bands_name(
    slices: list[str], bands: dict[str, object], columns: set[str]
) -> None:
    wanted = config("left", "BinaryClassification", slices=slices, bands=bands)

    frame = made_up(wanted, 2000, 7)

    assert columns <= set(frame.columns)
    assert wanted.evaluation.unknown_slices(frame.columns) == []
    for name, edges in bands.items():
        assert pd.api.types.is_numeric_dtype(frame[name])
        if isinstance(edges, list):
            assert frame[name].min() < edges[0]
            assert frame[name].max() > edges[-1]
    for entry in slices:
        if "*" in entry:
            caught = frame.filter(regex="^" + entry.replace("*", ".*"))
            assert set(caught.to_numpy().ravel()) == {0, 1}


def test_the_same_seed_makes_the_same_rows() -> None:
    wanted = config("species", "MulticlassClassification", slices=["race_*"])

    assert made_up(wanted, 300, 1).equals(made_up(wanted, 300, 1))
    assert not made_up(wanted, 300, 1).equals(made_up(wanted, 300, 2))


def test_they_can_be_learned_but_not_read_off() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    frame = made_up(config("left", "BinaryClassification"), 4000, 42)
    x = frame.drop(columns="left").apply(
        lambda c: c if c.dtype.kind in "if" else c.astype("category").cat.codes
    )
    y = frame["left"] == "yes"
    model = HistGradientBoostingClassifier(random_state=0).fit(x[:3000], y[:3000])

    assert 0.75 < roc_auc_score(y[3000:], model.predict_proba(x[3000:])[:, 1]) < 0.98


def test_a_large_holdout_leaves_enough_to_train_on(tmp_path: Path) -> None:
    made = example(tmp_path, None, None, Output(), config("left", "Regression", holdout=0.95))

    assert made.rows * 0.05 > 500


@pytest.mark.parametrize(
    ("target", "problem", "slices", "hospital"),
    [
        ("readmitted", "MulticlassClassification", ["race_*", "age"], True),
        ("readmitted", "infer", [], True),
        ("readmitted", "BinaryClassification", [], False),
        ("readmitted", "MulticlassClassification", ["ward"], False),
        ("species", "MulticlassClassification", [], False),
    ],
)
def test_the_hospital_s_data_is_the_example_where_it_fits(
    target: str, problem: str, slices: list[str], hospital: bool
) -> None:
    assert is_hospital(config(target, problem, slices=slices)) is hospital
