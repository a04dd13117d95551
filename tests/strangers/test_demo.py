"""Tables that are not ours through `make demo` of a project that was generated for them, with their metrics redone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from strangers.owner import OBSERVER, Demo, demo, files_of, installed, project_of, thrifty
from strangers.scoring import Stored, by_hand, recomputed
from strangers.tables import TABLES, Stranger
from warmed import Warmed

# scikit-learn's sums run in another order than those of the evaluation; nothing else may differ.
RELATIVE, ABSOLUTE = 1e-9, 1e-10
# Less is better of these. A tenth more is what another seed or a short training makes of it, not a fault.
ERRORS = {"rmse": 1.1, "mae": 1.1, "mse": 1.21}
# Below that much, two models of the same kind differ by chance on any holdout.
CHANCE = 0.02
# Its commands start as on any machine; those of the others are forks of a process that has imported everything.
AS_ANYWHERE = "penguins"  # the one with difficult words
# How the file of one is written, and what is typed for it.
DIALECTS = {"penguins": ({"sep": ";", "encoding": "utf-16"}, ("DELIMITER=;", "ENCODING=utf-16"))}


@dataclass(frozen=True)
class Lived:
    """A table, its project before and after the demo, and what the demo left."""

    table: Stranger
    data: Path
    before: dict[str, bytes]
    after: dict[str, bytes]
    demo: Demo
    stored: Stored


@pytest.fixture(scope="module", params=TABLES.values(), ids=TABLES)
def lived(request, template: Path, warmed: Warmed, tmp_path_factory: pytest.TempPathFactory):
    """The table's life; what it stored is removed once its tests are done."""
    table, folder = request.param, tmp_path_factory.mktemp(request.param.name)
    project = project_of(template, folder, table, table.problem_type, table.objective, table.name)
    thrifty(project)
    installed(
        project, *(() if table.name == AS_ANYWHERE else (warmed.prefix(table.name, script=str(OBSERVER)),))
    )
    written, typed = DIALECTS.get(table.name, ({}, ()))
    data = table.write(folder, **written)
    before = files_of(project)
    shown = demo(project, data, *typed)
    yield Lived(table, data, before, files_of(project), shown, Stored(shown.stored))
    shutil.rmtree(folder, ignore_errors=True)


def test_its_life_goes_all_the_way_and_leaves_the_project_as_it_was(lived):
    summary, frame = lived.demo.summary, lived.table.make()

    assert lived.after == lived.before
    assert (summary["dataset"]["rows"], summary["dataset"]["columns"]) == frame.shape
    assert not summary["dataset"]["synthetic"]
    assert summary["pipeline"]["status"] == "Succeeded"
    assert summary["endpoint"]["status"] == "InService"
    assert summary["staging"]["outcome"] == "verified"
    # AutoGluon's container fails at a row that it cannot read, and refuses none.
    odd = {name for name, outcome in summary["staging"]["checks"].items() if outcome != "passed"}
    assert odd <= {"predicts nothing for malformed rows"}
    assert set(summary["staging"]["checks"].values()) <= {"passed", "warning"}
    assert summary["production"]["model_package_arn"] == summary["model_package_arn"]
    assert summary["broken_release"]["outcome"] == "rolled back"
    assert summary["broken_release"]["failed_requests"] <= summary["broken_release"]["requests"] / 2
    assert summary["rollback"]["returns_to"] == summary["model_package_arn"]
    assert summary["rollback"]["differences"] == []


def test_it_is_trained_for_its_own_target_and_objective(lived):
    evaluation, table = lived.stored.evaluation, lived.table

    assert lived.stored.target == table.target
    assert evaluation["objective"]["name"] == table.objective
    if table.problem_type != "regression":
        labels = {str(label).strip() for label in table.make()[table.target]}
        assert {entry["label"].strip() for entry in evaluation["classes"]} == labels
        answers = {
            str(one["predicted_label"]).strip() for one in lived.demo.summary["endpoint"]["predictions"]
        }
        assert answers <= labels


def test_its_slices_are_evaluated(lived):
    found = {
        entry["column"]: sum(one["rows"] for one in entry["slices"])
        for entry in lived.stored.evaluation["slices"]
    }

    assert set(found) == set(lived.table.slices)
    assert set(found.values()) <= {lived.stored.evaluation["rows"]}, "each row is of one slice"


def test_nothing_of_the_example_is_named(lived):
    """Another table is told of in its own words, on the terminal and in the report."""
    told = (lived.demo.text + lived.demo.report).lower()

    assert [word for word in ("readmi", "hospital", "race_") if word in told] == []


def test_its_metrics_are_those_that_scikit_learn_computes_from_the_transform_s_output(lived):
    metrics, again = lived.stored.evaluation["metrics"], recomputed(lived.stored)

    assert len(lived.stored.predictions) == len(lived.stored.truth) == lived.stored.evaluation["rows"]
    assert {name: metrics.get(name) for name in again} == pytest.approx(again, rel=RELATIVE, abs=ABSOLUTE)


def test_its_model_is_not_far_below_a_lightgbm_by_hand_on_the_same_rows(lived, record_property):
    """Scores may lie below by what the holdout cannot tell (half of the 95 % interval), or by `CHANCE`."""
    evaluation = lived.stored.evaluation
    ours, hand = evaluation["metrics"], by_hand(lived.stored)
    judged = {evaluation["objective"]["metric"], *(("rmse",) if "rmse" in hand else ("auc", "f1_macro"))}
    figures = ", ".join(f"{name} {ours[name]:.4f} (by hand {hand[name]:.4f})" for name in sorted(judged))
    record_property("figures", f"{lived.table.name}: {figures}")

    for name in sorted(judged):
        if name in ERRORS:
            assert ours[name] <= ERRORS[name] * hand[name], figures
            continue
        interval = evaluation["intervals"].get(name, {"low": ours[name], "high": ours[name]})
        allowed = max(CHANCE, (interval["high"] - interval["low"]) / 2)
        assert ours[name] >= hand[name] - allowed, f"{figures}: {allowed:.4f} below would do"
