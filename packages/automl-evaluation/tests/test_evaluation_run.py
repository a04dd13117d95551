"""Whole runs: from the Autopilot job to evaluation.json and its companions."""

import json
import os
from pathlib import Path
from typing import Any

import boto3
import evaluate
import numpy as np
import pytest
from fake_sagemaker import BUCKET, CHAMPION, FakeSageMaker, ModelFaultError, container, error
from runs import Run, classifier
from sklearn import metrics

from automl_evaluation import transform, verdict
from automl_evaluation.errors import EvaluationError, PredictionError

CLASSES = {"no": 500, "yes": 500}


def two_classes(rows: int = 300, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of which the first says something about the class."""
    generator = np.random.default_rng(0)
    inputs = generator.random((rows, 2)).round(3)
    return inputs, np.where(inputs[:, 0] + generator.normal(0, noise, rows) > 0.5, "yes", "no")


def good(row: list[float]) -> list[float]:
    return [1 - row[0], row[0]]


def weak(row: list[float]) -> list[float]:
    """Knows much less, by the second input."""
    score = 0.2 * row[0] + 0.8 * row[1]
    return [1 - score, score]


def binary(s3: Any, predict: Any = good, **others: Any) -> FakeSageMaker:
    return FakeSageMaker(
        s3, "BinaryClassification", "F1", {"candidate": classifier(["no", "yes"], predict)}, **others
    )


def run_of(tmp_path: Path, s3: Any, inputs: np.ndarray, labels: np.ndarray, **others: Any) -> Run:
    return Run(tmp_path, s3, inputs.tolist(), labels.tolist(), **{"classes": CLASSES} | others)


def test_a_good_candidate_is_accepted_with_scikit_learns_figures(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()

    found = run_of(tmp_path, s3, inputs, labels, threshold=0.5).evaluate(binary(s3))

    predicted = np.where(inputs[:, 0] > 0.5, "yes", "no")
    assert found["decision"] == "accept", found["reasons"]
    assert found["rows"] == 300
    assert found["positive_class"] == "yes"
    assert found["objective"]["value"] == found["metrics"]["f1"]
    assert found["metrics"]["f1"] == pytest.approx(
        metrics.f1_score(labels, predicted, pos_label="yes"), abs=1e-12
    )
    assert found["metrics"]["auc"] == pytest.approx(
        metrics.roc_auc_score(labels == "yes", inputs[:, 0]), abs=1e-12
    )
    assert found["confusion"]["rows"] == metrics.confusion_matrix(labels, predicted).tolist()


def test_precision_and_recall_are_not_exchanged(tmp_path: Path, s3: Any) -> None:
    inputs, _ = two_classes()
    labels = np.where(inputs[:, 0] > 0.8, "yes", "no")  # the model says yes from 0.5 on: all found, few right

    found = run_of(tmp_path, s3, inputs, labels).evaluate(binary(s3))

    assert found["metrics"]["recall"] == 1
    assert found["metrics"]["precision"] == pytest.approx(
        (inputs[:, 0] > 0.8).sum() / (inputs[:, 0] > 0.5).sum()
    )


def test_a_candidate_below_the_threshold_is_rejected_with_the_reason(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()

    found = run_of(tmp_path, s3, inputs, labels, threshold=0.99).evaluate(binary(s3))

    assert found["decision"] == "reject"
    assert len(found["reasons"]) == 1
    assert found["reasons_text"].startswith("F1 on the holdout is 0.8")
    assert "below the minimum of 0.99" in found["reasons_text"]


def test_a_candidate_that_knows_nothing_is_not_better_than_the_baseline(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3, lambda row: [1 - row[1], row[1]])
    sagemaker.objective = "Accuracy"

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert found["decision"] == "reject"
    assert "the baseline (always “" in found["reasons_text"]


def test_the_model_is_asked_for_probabilities_and_evaluated_as_it_will_be_registered(
    tmp_path: Path, s3: Any
) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3)

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    created = next(request for name, request in sagemaker.requests if name == "create_model")
    assert found["outputs"] == ["predicted_label", "probabilities", "labels"]
    assert found["containers"] == [created["PrimaryContainer"]]
    assert (
        found["containers"][0]["Environment"]["SAGEMAKER_INFERENCE_OUTPUT"]
        == "predicted_label,probabilities,labels"
    )
    assert found["containers"][0]["Environment"]["KEPT"] == "yes"


@pytest.mark.parametrize(
    ("supported", "outputs", "has_auc"),
    [
        pytest.param("predicted_label", ["predicted_label"], False, id="labels alone"),
        pytest.param(
            "predicted_label,probability", ["predicted_label", "probability"], True, id="one probability"
        ),
        pytest.param(
            "predicted_label,probability,probabilities",
            ["predicted_label", "probability"],
            True,
            id="no order",
        ),
    ],
)
def test_a_model_that_supports_less_is_judged_by_what_it_gives(
    tmp_path: Path, s3: Any, supported: str, outputs: list[str], has_auc: bool
) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3, containers=[container("candidate", supported)])

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert found["outputs"] == outputs
    assert ("auc" in found["metrics"]) == has_auc
    if has_auc:
        assert found["metrics"]["auc"] == pytest.approx(
            metrics.roc_auc_score(labels == "yes", inputs[:, 0]), abs=1e-9
        )


def test_tuning_mode_sets_the_outputs_of_its_containers(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3, containers=[{"Image": "features"}, container("algorithm"), container("candidate")])
    sagemaker.containers[0] = container("candidate", "")

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    features, algorithm, answer = (entry["Environment"] for entry in found["containers"])
    assert "SAGEMAKER_INFERENCE_OUTPUT" not in features
    assert algorithm["SAGEMAKER_INFERENCE_OUTPUT"] == "predicted_label,probabilities"
    assert answer["SAGEMAKER_INFERENCE_INPUT"] == "predicted_label,probabilities"
    assert answer["SAGEMAKER_INFERENCE_OUTPUT"] == "predicted_label,probabilities,labels"
    assert found["metrics"]["auc"] == pytest.approx(
        metrics.roc_auc_score(labels == "yes", inputs[:, 0]), abs=1e-12
    )


def test_the_one_probability_of_tuning_mode_is_the_positive_classs(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    supported = "predicted_label,probability"
    containers = [container("candidate", supported) for _ in range(3)]
    sagemaker = binary(s3, containers=containers)
    sagemaker.models["candidate"] = lambda rows, environment: [
        f"{'yes' if float(row[0]) > 0.5 else 'no'},{row[0]}" for row in rows
    ]

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert found["outputs"] == ["predicted_label", "probability"]
    assert found["metrics"]["auc"] == pytest.approx(
        metrics.roc_auc_score(labels == "yes", inputs[:, 0]), abs=1e-12
    )


def test_one_probability_of_many_classes_is_calibrated_and_no_more(tmp_path: Path, s3: Any) -> None:
    inputs, _ = two_classes()
    names = np.array(["a", "b", "c"])
    labels = names[np.minimum((inputs[:, 0] * 3).astype(int), 2)]
    sagemaker = FakeSageMaker(
        s3,
        "MulticlassClassification",
        "Accuracy",
        {"candidate": lambda rows, environment: ["b,0.5"] * len(rows)},
    )
    sagemaker.containers = [container("candidate", "predicted_label,probability")]

    found = run_of(tmp_path, s3, inputs, labels, classes=dict.fromkeys("abc", 1)).evaluate(sagemaker)

    assert found["metrics"]["calibration_error"] == pytest.approx(abs((labels == "b").mean() - 0.5))
    assert "log_loss" not in found["metrics"]
    assert found["calibration"]["of"] == "the predicted class"


def test_what_autopilot_inferred_is_taken_from_the_job(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3)
    described = sagemaker._describe_auto_ml_job_v2

    def inferred(request: dict[str, Any]) -> dict[str, Any]:
        found = described(request)
        del found["AutoMLJobObjective"], found["AutoMLProblemTypeConfig"]["TabularJobConfig"]["ProblemType"]
        found["ResolvedAttributes"] = {
            "AutoMLJobObjective": {"MetricName": "Accuracy"},
            "AutoMLProblemTypeResolvedAttributes": {
                "TabularResolvedAttributes": {"ProblemType": "BinaryClassification"}
            },
        }
        return found

    sagemaker.__dict__["_describe_auto_ml_job_v2"] = inferred

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert (found["problem_type"], found["objective"]["metric"]) == ("BinaryClassification", "accuracy")
    assert found["automl_job"]["candidates"][0]["metrics"] == {"F1 (Validation)": 0.75}
    assert found["automl_job"]["seconds"] == 60


def test_the_leaderboard_goes_from_best_to_worst_whatever_the_service_s_order(
    tmp_path: Path, s3: Any
) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3)
    best = sagemaker._candidate()

    def listed(request: dict[str, Any]) -> dict[str, Any]:
        metrics = [{"MetricName": "MSE", "Type": "Minimize", "Value": value} for value in (9, 1, 4)]
        unfinished = {name: best[name] for name in best if name != "FinalAutoMLJobObjectiveMetric"}
        ranked = [best | {"FinalAutoMLJobObjectiveMetric": metric} for metric in metrics]
        return {"Candidates": [unfinished, *ranked]}

    sagemaker.__dict__["_list_candidates_for_auto_ml_job"] = listed

    found = run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert [candidate["value"] for candidate in found["automl_job"]["candidates"]] == [1, 4, 9, None]


def test_a_regression(tmp_path: Path, s3: Any) -> None:
    generator = np.random.default_rng(1)
    inputs = generator.random((200, 2)).round(3)
    labels = (3 * inputs[:, 0] + generator.normal(0, 0.1, 200)).round(6)
    sagemaker = FakeSageMaker(
        s3,
        "Regression",
        "MSE",
        {"candidate": lambda rows, environment: [str(3 * float(row[0])) for row in rows]},
    )
    run = run_of(tmp_path, s3, inputs, labels, classes=None, threshold=0.1)

    found = run.evaluate(sagemaker)

    assert found["decision"] == "accept", found["reasons"]
    assert found["outputs"] == ["prediction"]
    assert found["objective"]["direction"] == "minimize"
    assert found["metrics"]["mse"] == pytest.approx(
        metrics.mean_squared_error(labels, 3 * inputs[:, 0]), abs=1e-12
    )
    assert sum(found["residuals"]["histogram"]["rows"]) == 200
    assert sum(band["rows"] for band in found["residuals"]["bands"]) == 200
    assert found["confusion"] is None


def test_fewer_predictions_than_rows_fail_with_both_counts(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3)
    whole = sagemaker.models["candidate"]
    sagemaker.models["candidate"] = lambda rows, environment: whole(rows, environment)[:-1]

    with pytest.raises(
        PredictionError, match=r"part-00000.csv.out: 149 predictions for 150 rows of the holdout"
    ):
        run_of(tmp_path, s3, inputs, labels).evaluate(sagemaker)

    assert sagemaker.deployed == {}


def test_an_autopilot_job_without_a_candidate_fails_with_its_reason(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()

    with pytest.raises(EvaluationError, match="is Failed: no candidate trained"):
        run_of(tmp_path, s3, inputs, labels).evaluate(binary(s3, status="Failed"))


def test_an_objective_that_is_undefined_fails_with_the_reason(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    sagemaker = binary(s3)
    sagemaker.objective = "AUC"

    with pytest.raises(
        EvaluationError, match="AUC is undefined on this holdout: the holdout has one class only, no"
    ):
        run_of(tmp_path, s3, inputs, np.full(len(labels), "no")).evaluate(sagemaker)


class TestChampion:
    """The version that production serves, on the same rows."""

    @staticmethod
    def registered(
        s3: Any, columns: list[str] | None, sha256: str = "0" * 64, target: str = "y"
    ) -> dict[str, Any]:
        """A model package, whose own evaluation tells its columns."""
        package: dict[str, Any] = {"InferenceSpecification": {"Containers": [container("champion")]}}
        if columns is not None:
            dataset = {
                "sha256": sha256,
                "target": target,
                "columns": [{"name": name, "type": "number"} for name in (*columns, target)],
                "name": "shop",
                "synthetic": False,
                "rows": {"total": 1000, "train_validation": 800, "test": 200},
            }
            body = json.dumps({"dataset": dataset}).encode()
            s3.put_object(Bucket=BUCKET, Key="evaluations/1/evaluation.json", Body=body)
            statistics = {
                "ContentType": "application/json",
                "S3Uri": f"s3://{BUCKET}/evaluations/1/model_quality.json",
            }
            package["ModelMetrics"] = {"ModelQuality": {"Statistics": statistics}}
        return package

    def contest(
        self,
        tmp_path: Path,
        s3: Any,
        candidate: Any,
        champion: Any,
        package: dict[str, Any] | None,
        **gate: Any,
    ) -> tuple[dict[str, Any], FakeSageMaker]:
        inputs, labels = two_classes()
        sagemaker = binary(s3, candidate, champion=package)
        sagemaker.models["champion"] = champion
        run = run_of(tmp_path, s3, inputs, labels, champion=CHAMPION, gate=gate)
        return run.evaluate(sagemaker), sagemaker

    def test_a_better_candidate_replaces_it(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"])

        found, _ = self.contest(
            tmp_path, s3, good, classifier(["no", "yes"], weak), package, champion_margin=0.0
        )

        champion = found["champion"]
        assert found["decision"] == "accept", found["reasons"]
        assert champion["status"] == "compared"
        assert champion["same_dataset"] is True
        difference = champion["differences"]["f1"]
        assert difference["verdict"] == "better"
        assert 0 < difference["low"] < difference["value"] < difference["high"]
        assert difference["value"] == pytest.approx(found["metrics"]["f1"] - champion["metrics"]["f1"])
        assert champion["curves"][0]["label"] == "yes"

    def test_differences_have_their_interval_at_the_gates_confidence(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"])
        champion = classifier(["no", "yes"], weak)

        narrow, _ = self.contest(tmp_path / "1", s3, good, champion, package, confidence=0.5)
        wide, _ = self.contest(tmp_path / "2", s3, good, champion, package, confidence=0.99)

        assert (narrow["confidence"], wide["confidence"]) == (0.5, 0.99)
        inner, outer = (found["champion"]["differences"]["f1"] for found in (narrow, wide))
        assert outer["low"] < inner["low"] < inner["high"] < outer["high"]
        assert narrow["intervals"] == wide["intervals"]  # of metrics, not of differences

    def test_a_worse_candidate_does_not(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"])

        found, _ = self.contest(tmp_path, s3, weak, classifier(["no", "yes"], good), package)

        assert found["decision"] == "reject"
        assert found["champion"]["differences"]["f1"]["verdict"] == "worse"
        assert "F1 minus that of the champion is -0." in found["reasons_text"]

    def test_an_equal_candidate_passes_within_the_margin_alone(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"])
        same = classifier(["no", "yes"], good)

        within, _ = self.contest(tmp_path / "1", s3, good, same, package, champion_margin="5%")
        without, _ = self.contest(tmp_path / "2", s3, good, same, package, champion_margin=0.0)

        assert (within["decision"], without["decision"]) == ("accept", "reject")

    @pytest.mark.parametrize(
        "columns",
        [
            pytest.param(["a"], id="a column was added"),
            pytest.param(["b", "a"], id="the same in another order"),
            pytest.param(["c", "a"], id="added between, in another order"),
        ],
    )
    def test_one_that_knows_no_new_column_gets_its_own(
        self, tmp_path: Path, s3: Any, columns: list[str]
    ) -> None:
        generator = np.random.default_rng(0)
        inputs = generator.random((300, 3)).round(3)
        labels = np.where(inputs[:, 0] + generator.normal(0, 0.2, 300) > 0.5, "yes", "no")
        seen = []

        def by_name(row: list[float]) -> list[float]:
            named = dict(zip(columns, row, strict=True))
            seen.append(tuple(row))
            return [1 - named["a"], named["a"]]

        sagemaker = binary(s3, good, champion=self.registered(s3, columns))
        sagemaker.models["champion"] = classifier(["no", "yes"], by_name)
        run = run_of(tmp_path, s3, inputs, labels, columns=("a", "b", "c"), champion=CHAMPION)

        found = run.evaluate(sagemaker)

        champion = found["champion"]
        assert champion["status"] == "compared", champion["reason"]
        assert champion["metrics"] == pytest.approx(found["metrics"])  # the same model, by its columns' names
        assert champion["columns"] == {"added": sorted({"a", "b", "c"} - {*columns}), "removed": []}
        places = ["abc".index(name) for name in columns]
        assert seen == [tuple(row) for row in inputs[:, places].tolist()]
        assert found["gate"][-1]["outcome"] == "passed"

    @pytest.mark.parametrize(
        "columns",
        [pytest.param(["a", "b", "c"], id="one less today"), pytest.param(["a", "c"], id="another")],
    )
    def test_one_whose_column_is_gone_is_not_asked(self, tmp_path: Path, s3: Any, columns: list[str]) -> None:
        package = self.registered(s3, columns)

        found, sagemaker = self.contest(tmp_path, s3, good, classifier(["no", "yes"], good), package)

        assert found["decision"] == "accept"
        assert found["champion"]["status"] == "columns_changed"
        assert found["champion"]["reason"] == "it reads columns that the data set no longer has: c"
        assert found["champion"]["columns"]["removed"] == ["c"]
        assert not any("champion" in job for job in sagemaker.jobs)
        assert found["gate"][-1]["outcome"] == "skipped"
        assert found["gate"][-1]["reason"] == (
            "the champion cannot be compared: it reads columns that the data set no longer has: c"
        )

    def test_one_of_another_target_is_not_asked(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"], target="z")

        found, sagemaker = self.contest(tmp_path, s3, good, classifier(["no", "yes"], good), package)

        assert found["champion"]["status"] == "columns_changed"
        assert found["champion"]["reason"] == "it predicts z, the data set's target is y"
        assert not any("champion" in job for job in sagemaker.jobs)
        assert found["gate"][-1]["outcome"] == "skipped"

    def test_inputs_that_cannot_be_cut_to_its_columns_are_its_failure(self, tmp_path: Path, s3: Any) -> None:
        inputs, labels = two_classes()
        sagemaker = binary(s3, champion=self.registered(s3, ["a"]))
        whole = sagemaker.models["candidate"]
        sagemaker.models["candidate"] = lambda rows, environment: whole(
            [row[:2] for row in rows], environment
        )
        rows = [[*row, 0] if number == 200 else row for number, row in enumerate(inputs.tolist())]
        run = Run(tmp_path, s3, rows, labels.tolist(), classes=CLASSES, champion=CHAMPION)

        found = run.evaluate(sagemaker)

        assert found["champion"]["status"] == "failed"
        assert found["champion"]["reason"] == (
            "x_test/part-00001.csv, row 51: 3 fields where 2 were expected"
        )

    def test_one_of_unknown_columns_that_refuses_the_rows_cannot_read_them(
        self, tmp_path: Path, s3: Any
    ) -> None:
        def refuse(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
            raise ModelFaultError("ClientError: rows have 2 columns, the model takes 3")

        found, _ = self.contest(tmp_path, s3, good, refuse, self.registered(s3, None))

        assert found["decision"] == "accept"
        assert found["champion"]["status"] == "columns_changed"
        assert "the model takes 3" in found["champion"]["reason"]

    @pytest.mark.parametrize(
        ("setting", "decision"), [pytest.param("reject", "reject"), pytest.param("accept", "accept")]
    )
    def test_one_that_fails_is_a_condition_of_its_own(
        self, tmp_path: Path, s3: Any, setting: str, decision: str
    ) -> None:
        def fail(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
            raise ModelFaultError("InternalServerError: out of memory")

        package = self.registered(s3, ["a", "b"])
        found, sagemaker = self.contest(tmp_path, s3, good, fail, package, champion_failure=setting)

        assert found["decision"] == decision
        assert found["champion"]["status"] == "failed"
        assert "out of memory" in found["champion"]["reason"]
        assert found["champion"]["metrics"] == {}
        assert sagemaker.deployed == {}

    def test_one_whose_job_cannot_be_looked_at_has_failed(self, tmp_path: Path, s3: Any) -> None:
        inputs, labels = two_classes()
        sagemaker = binary(s3, champion=self.registered(s3, ["a", "b"]))
        sagemaker.models["champion"] = classifier(["no", "yes"], weak)
        described = sagemaker._describe_transform_job

        def refused_once_it_runs(request: dict[str, Any]) -> dict[str, Any]:
            if request["TransformJobName"] in sagemaker.jobs and "champion" in request["TransformJobName"]:
                raise error("AccessDeniedException", "not yours", "DescribeTransformJob")
            return described(request)

        sagemaker.__dict__["_describe_transform_job"] = refused_once_it_runs

        found = run_of(tmp_path, s3, inputs, labels, champion=CHAMPION).evaluate(sagemaker)

        assert (found["champion"]["status"], found["champion"]["reason"]) == ("failed", "not yours")
        assert found["decision"] == "reject"
        assert sagemaker.deployed == {}

    def test_one_that_answers_nonsense_has_failed(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"])

        found, _ = self.contest(tmp_path, s3, good, lambda rows, environment: ["no"] * len(rows), package)

        assert found["champion"]["status"] == "failed"
        assert "1 fields where 3 were expected" in found["champion"]["reason"]

    def test_one_that_the_registry_does_not_have_has_failed(self, tmp_path: Path, s3: Any) -> None:
        found, _ = self.contest(tmp_path, s3, good, classifier(["no", "yes"], good), None)

        assert found["decision"] == "reject"
        assert found["champion"]["reason"] == "the registry says: ModelPackage does not exist"

    def test_one_that_knows_another_class_is_compared(self, tmp_path: Path, s3: Any) -> None:
        package = self.registered(s3, ["a", "b"], sha256="1" * 64)

        found, _ = self.contest(tmp_path, s3, good, classifier(["never", "yes"], good), package)

        assert found["champion"]["status"] == "compared"
        assert found["champion"]["same_dataset"] is False
        assert found["champion"]["metrics"]["recall"] == found["metrics"]["recall"]
        assert found["champion"]["metrics"]["f1_macro"] < found["metrics"]["f1_macro"]
        assert [entry["label"] for entry in found["classes"]] == ["no", "yes"]


class TestExplainability:
    """Autopilot's report, or a permutation."""

    REPORT = f"s3://{BUCKET}/autopilot/explainability/best/analysis.json"

    def test_autopilots_report_is_used_where_it_exists(self, tmp_path: Path, s3: Any) -> None:
        shap = {
            "a": {"global_shap_values": {"a": 0.25, "b": 0.5}},
            "b": {"global_shap_values": {"a": 0.75, "b": 0.25}},
        }
        report = {"version": "1.0", "explanations": {"kernel_shap": shap}}
        key = self.REPORT.removeprefix(f"s3://{BUCKET}/")
        s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report).encode())
        sagemaker = binary(s3)

        found = run_of(tmp_path, s3, *two_classes()).evaluate(sagemaker)["importance"]

        assert (found["source"], found["uri"]) == ("autopilot", self.REPORT)
        assert [(feature["name"], feature["value"]) for feature in found["features"]] == [
            ("a", 0.5),
            ("b", 0.375),
        ]
        assert len(sagemaker.jobs) == 1

    @pytest.mark.parametrize("content", ["{}", "not JSON", '{"explanations": {"kernel_shap": {}}}'])
    def test_a_report_that_cannot_be_read_is_none(self, tmp_path: Path, s3: Any, content: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=self.REPORT.removeprefix(f"s3://{BUCKET}/"), Body=content.encode())

        found = run_of(tmp_path, s3, *two_classes()).evaluate(binary(s3))["importance"]

        assert found["source"] == "permutation"

    def test_a_permuted_column_costs_what_the_model_made_of_it(self, tmp_path: Path, s3: Any) -> None:
        found = run_of(tmp_path, s3, *two_classes()).evaluate(binary(s3))["importance"]

        first, second = found["features"]
        assert (found["metric"], found["rows"]) == ("f1", 300)
        assert first["name"] == "a"
        assert 0.1 < first["low"] < first["value"] < first["high"]
        assert (second["name"], second["value"]) == ("b", 0)

    def test_an_error_metric_that_grows_is_importance(self, tmp_path: Path, s3: Any) -> None:
        inputs, _ = two_classes()
        sagemaker = FakeSageMaker(
            s3, "Regression", "RMSE", {"candidate": lambda rows, environment: [row[0] for row in rows]}
        )

        found = run_of(tmp_path, s3, inputs, inputs[:, 0] + 0.1, classes=None, threshold=1).evaluate(
            sagemaker
        )

        first = found["importance"]["features"][0]
        assert first["name"] == "a"
        assert 0 < first["low"] < first["value"] < first["high"]

    def test_a_sample_that_cannot_be_stored_is_a_reason_and_no_more(
        self, tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(**request: Any) -> None:
            raise error("AccessDenied", "not authorized to perform s3:PutObject", "PutObject")

        sagemaker, run = binary(s3), run_of(tmp_path, s3, *two_classes())
        chosen = run.prepared()
        monkeypatch.setattr(s3, "put_object", refused)
        monkeypatch.setattr(run, "prepared", lambda: chosen)
        sagemaker.s3 = boto3.client("s3", region_name="eu-west-1")

        found = run.evaluate(sagemaker)

        assert found["decision"] == "accept"
        assert found["importance"]["source"] is None
        assert "not authorized to perform s3:PutObject" in found["importance"]["reason"]

    def test_its_failure_is_a_reason_and_no_more(self, tmp_path: Path, s3: Any) -> None:
        sagemaker = binary(s3)
        whole, seen = sagemaker.models["candidate"], []

        def fail_on_the_sample(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
            seen.append(len(rows))
            if len(seen) > 2:
                raise ModelFaultError("AlgorithmError: too much")
            return whole(rows, environment)

        sagemaker.models["candidate"] = fail_on_the_sample

        found = run_of(tmp_path, s3, *two_classes()).evaluate(sagemaker)

        assert found["decision"] == "accept"
        assert found["importance"]["source"] is None
        assert "AlgorithmError: too much" in found["importance"]["reason"]


def test_slices_have_the_metrics_of_their_rows(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    settings = {"slices": ["a"], "bands": {"a": [0.2, 0.8]}, "minimum_slice_rows": 70}

    found = run_of(tmp_path, s3, inputs, labels, settings=settings).evaluate(binary(s3))

    (entry,) = found["slices"]
    predicted = np.where(inputs[:, 0] > 0.5, "yes", "no")
    middle = (inputs[:, 0] >= 0.2) & (inputs[:, 0] < 0.8)
    assert [item["name"] for item in entry["slices"]] == ["below 0.2", "0.2 to below 0.8", "0.8 and above"]
    assert [item["small"] for item in entry["slices"]] == [item["rows"] < 70 for item in entry["slices"]]
    assert entry["slices"][1]["rows"] == middle.sum()
    assert entry["slices"][1]["metrics"]["f1"] == pytest.approx(
        metrics.f1_score(labels[middle], predicted[middle], pos_label="yes"), abs=1e-12
    )
    assert entry["slices"][1]["metrics"]["auc"] == pytest.approx(
        metrics.roc_auc_score(labels[middle] == "yes", inputs[middle, 0]), abs=1e-12
    )


def test_differences_on_slices_hold_for_all_slices_at_once(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, labels = two_classes(800)
    package = {"InferenceSpecification": {"Containers": [container("champion")]}}
    sagemaker = binary(s3, champion=package)
    sagemaker.models["champion"] = classifier(["no", "yes"], weak)
    bands = {"a": [tenth / 10 for tenth in range(1, 10)]}
    settings = {"slices": ["a"], "bands": bands, "minimum_slice_rows": 30}
    estimated, original = [], verdict.differences
    monkeypatch.setattr(
        verdict, "differences", lambda found, *others: estimated.append(found) or original(found, *others)
    )

    found = run_of(tmp_path, s3, inputs, labels, champion=CHAMPION, settings=settings).evaluate(sagemaker)

    (entry,) = found["slices"]
    assert [item["small"] for item in entry["slices"]] == [False] * 10
    _, *of_slices, _ = estimated  # the first is the whole holdout's, the last the baseline's
    item, estimate = entry["slices"][4], of_slices[4]["accuracy"]  # 0.4 to below 0.5: there the models differ
    difference = item["differences"]["accuracy"]
    assert (difference["low"], difference["high"]) == pytest.approx(estimate.interval(1 - 0.05 / 10))
    low, high = estimate.interval(0.95)
    assert difference["high"] - difference["low"] > 1.2 * (high - low)


def test_a_slice_that_is_much_worse_rejects(tmp_path: Path, s3: Any) -> None:
    inputs, labels = two_classes()
    labels[inputs[:, 1] > 0.7] = "no"
    settings = {"slices": ["b"], "bands": {"b": [0.7]}, "minimum_slice_rows": 30}
    run = run_of(tmp_path, s3, inputs, labels, settings=settings, gate={"worst_slice": 0.3})

    found = run.evaluate(binary(s3))

    assert found["decision"] == "reject"
    assert found["reasons_text"].startswith("F1 on the worst slice (b: 0.7 and above, ")


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-north-1"}, "eu-north-1"),
        ({"AWS_DEFAULT_REGION": "eu-south-1"}, "eu-south-1"),
        ({"AWS_DEFAULT_REGION": "eu-south-1", "AWS_REGION": "eu-north-1"}, "eu-south-1"),
    ],
    ids=["what the service may set", "what the step sets", "the step's goes before"],
)
def test_the_region_is_found_in_whichever_variable_has_it(
    tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run = Run(tmp_path, s3, [[0, 1]], ["a"])
    run.prepared()
    run.loaded()
    seen: list[str] = []

    def look(chosen: Any, settings: Any, place: transform.TransformContext) -> Any:
        seen.extend(client.meta.region_name for client in (place.sagemaker, place.s3))
        raise EvaluationError("seen enough")

    monkeypatch.setattr(evaluate, "evaluate", look)
    given = {
        "--automl-job-name": "job",
        "--execution-id": "id",
        "--role-arn": "arn:aws:iam::123456789012:role/r",
        "--bucket": "bucket",
        "--x-test-uri": "s3://bucket/x",
        "--threshold": "0",
        "--transform-instance-type": "ml.m5.large",
        "--transform-instance-count": "1",
        "--settings": str(tmp_path / "settings.json"),
        "--output": str(tmp_path / "output"),
        "--message": str(tmp_path / "message"),
    }

    assert evaluate.main([word for pair in given.items() for word in pair]) == 1
    assert seen == [region, region]
