"""Judge an Autopilot job's best candidate on the holdout: the script of the pipeline's step EvaluateModel.

It runs in SageMaker's scikit-learn container, in this order (`evaluate`):

1. Read the true labels.
2. Let the candidate predict the holdout's rows in a batch transform, and beside it the champion, the version that
   production serves, where there is one. Where [decision] has a threshold chosen, the candidate predicts the validation
   rows too, and these choose it.
3. Measure both on the same rows: the metrics of automl_evaluation, and your own of metrics.py.
4. Hold what was measured against the gate, gate.py.

A candidate that the gate rejects is a result (exit status 0); one that cannot be judged is a failure (1).
"""

# First of all: from here on, whatever ends the script leaves its reason for the job's description.
from automl_evaluation import reason  # isort: split

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import boto3
import metrics
from automl_evaluation.automl import Candidate, best_candidate
from automl_evaluation.bucket_owner import expect_owner
from automl_evaluation.champion import Contest
from automl_evaluation.clock import Clock
from automl_evaluation.conditions import check_side
from automl_evaluation.containers import with_outputs
from automl_evaluation.errors import EvaluationError
from automl_evaluation.holdout_classes import ClassHoldout
from automl_evaluation.holdout_numbers import NumberHoldout
from automl_evaluation.importance import Explanation
from automl_evaluation.inputs import check_lines
from automl_evaluation.layout import Evaluation
from automl_evaluation.measures import declared
from automl_evaluation.metrics import metric_of
from automl_evaluation.model_card import model_card
from automl_evaluation.model_quality import model_quality
from automl_evaluation.reading import Part, parts
from automl_evaluation.settings import Settings
from automl_evaluation.slices import read_slicings
from automl_evaluation.threshold import Selection
from automl_evaluation.transform import Transform, TransformContext
from automl_evaluation.typed import plain
from automl_evaluation.verdict import Holdout, decide, measured
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from gate import judge

# Of [evaluation] max_seconds. The service would end the job at its own limit: before that, the transforms are stopped
# and the reason is ours.
DEADLINE_SHARE = 0.9
PROCESSING = Path("/opt/ml/processing")


def evaluate(chosen: argparse.Namespace, settings: Settings, place: TransformContext) -> Evaluation:
    """Run the transforms and judge what they gave. Raises `EvaluationError`."""
    clock = Clock()
    found = best_candidate(place.sagemaker, chosen.automl_job_name)
    metric = metric_of(found.objective)
    check_side(settings.gate, found.objective, metric)
    decision = settings.decided(found.problem_type)
    selection = Selection(decision, metric, settings) if decision.on_validation else None
    classes = len(settings.classes) if settings.classes else None
    containers, outputs = with_outputs(found.containers, found.classification, classes)

    with clock.stage("labels"):
        inputs = parts(chosen.x_test, "x_test")
        holdout = read_holdout(found, parts(chosen.y_test, "y_test"), settings)
        check_lines(inputs, holdout.counts)

    # What is started here runs at the same time; leaving the block stops and deletes what is left of it.
    contest = Contest(chosen.champion, place, settings)
    names = [part.name.removeprefix("x_test/") for part in inputs]
    name = f"{settings.project}-{chosen.execution_id}"
    target = f"s3://{chosen.bucket}/transforms/{chosen.execution_id}"
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.output.parent)))
        run = stack.enter_context(
            Transform(place, f"{name}-candidate", containers, chosen.x_test_uri, f"{target}/candidate")
        )
        if selection:
            with clock.stage("validation rows"):
                rows = parts(chosen.validation, "validation")
                selection.start(stack, run, rows, f"{target}/validation", work / "validation")
        contest.start(
            stack,
            f"{name}-champion",
            inputs,
            chosen.x_test_uri,
            f"{target}/champion",
            work / "inputs",
            found.classification,
            classes,
        )
        with clock.stage("slices"):
            holdout.slicings = read_slicings(
                inputs, settings.features, settings.slices, settings.bands, holdout.counts
            )
        explanation = Explanation(place, found.explainability_uri, containers, outputs)
        with clock.stage("sample"):
            explanation.start(
                stack, f"{name}-importance", inputs, settings.features, holdout, f"{target}/importance", work
            )

        if selection and isinstance(holdout, ClassHoldout):
            with clock.stage("threshold"):
                selection.finish(holdout, outputs, containers, work / "validation")
        with clock.stage("candidate's predictions"):
            holdout.candidate(run.outputs(names, work / "candidate"), outputs, containers)
        with clock.stage("champion's predictions"):
            contest.finish(holdout, names, work / "champion")
        with clock.stage("importance"):
            importance = explanation.finish(metric)

    with clock.stage("metrics"):
        evaluation, evidence = measured(found, holdout, contest.entry, containers, outputs, settings)
    decide(evaluation, judge(settings.gate, chosen.threshold, evidence))
    evaluation.importance, evaluation.seconds = importance, clock.seconds
    return evaluation


def read_holdout(found: Candidate, labels: Sequence[Part], settings: Settings) -> Holdout:
    """The holdout with its true labels, which takes the predictions later."""
    measures, decision = declared(metrics), settings.decided(found.problem_type)
    if found.classification:
        binary = found.problem_type == "BinaryClassification"
        classes = settings.dataset.get("classes")
        holdout: Holdout = ClassHoldout(labels, binary, classes, measures, decision)
    else:
        holdout = NumberHoldout(labels, measures)
    if not holdout.rows:
        raise EvaluationError("y_test: the holdout has no rows")
    return holdout


def write(folder: Path, evaluation: Evaluation, description: str, inputs_uri: str) -> None:
    """Write the documents; evaluation.json last, since its presence says that all are there."""
    contents = {
        "model_quality.json": model_quality(evaluation),
        "explainability.json": plain(evaluation.importance),
        "model_card.json": model_card(evaluation, description, inputs_uri),
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content, allow_nan=False, ensure_ascii=False), encoding="utf-8")
    (folder / "evaluation.json").write_bytes(evaluation.dump())


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line, as pipeline/evaluate_model.py gives it; the defaults are the container's paths."""
    parser = argparse.ArgumentParser(description="Judge an Autopilot job's best candidate on the holdout.")
    parser.add_argument("--automl-job-name", required=True)
    parser.add_argument("--execution-id", required=True, help="of the pipeline; names derive from it")
    parser.add_argument("--role-arn", required=True, help="role of the models that are made for transforms")
    parser.add_argument("--bucket", required=True, help="the project's bucket")
    parser.add_argument("--x-test-uri", required=True, help="S3 prefix of the holdout's inputs")
    parser.add_argument("--threshold", required=True, type=float, help="bound of the objective")
    parser.add_argument("--champion", default="none", help="ARN of the model package to compare with")
    parser.add_argument("--transform-instance-type", required=True)
    parser.add_argument("--transform-instance-count", required=True, type=int)
    parser.add_argument("--kms-key", default=None)
    parser.add_argument("--y-test", type=Path, default=PROCESSING / "input/y_test", help="folder of labels")
    parser.add_argument("--x-test", type=Path, default=PROCESSING / "input/x_test", help="folder of inputs")
    parser.add_argument(
        "--validation", type=Path, default=PROCESSING / "input/validation", help="folder of rows"
    )
    parser.add_argument("--output", type=Path, default=PROCESSING / "output/evaluation")
    parser.add_argument("--settings", type=Path, default=Path(__file__).with_name("settings.json"))
    parser.add_argument("--message", type=Path, default=reason.MESSAGE, help="where to say what failed")
    return parser.parse_args(arguments)


def aws(chosen: argparse.Namespace, settings: Settings) -> TransformContext:
    """Where the transforms run, and as whom."""
    # Where neither is set, a profile may name the region.
    region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    session = boto3.session.Session(region_name=region)
    retries = Config(retries={"mode": "adaptive", "max_attempts": 10})
    # The project's bucket is of the role's account; whose another bucket is, nobody says.
    owners = {chosen.bucket: chosen.role_arn.split(":")[4]}
    return TransformContext(
        session.client("sagemaker", config=retries),
        expect_owner(session.client("s3", config=retries), owners.get),
        chosen.role_arn,
        chosen.transform_instance_type,
        chosen.transform_instance_count,
        chosen.kms_key,
        settings.network,
        settings.tags,
        deadline_seconds=DEADLINE_SHARE * settings.max_seconds,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    chosen = options(arguments)
    # The service asks a job to end with SIGTERM: then, too, nothing may be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
        settings = Settings.load(chosen.settings)
        evaluation = evaluate(chosen, settings, aws(chosen, settings))
        write(chosen.output, evaluation, settings.description, chosen.x_test_uri)
    except (EvaluationError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        reason.leave(str(error), chosen.message)
        return 1
    print(f"{evaluation.decision}: {evaluation.reasons_text}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
