"""Judge an Autopilot job's best candidate on the holdout: the entry point of the pipeline's step
EvaluateModel.

Runs in SageMaker's scikit-learn container. The candidate, and the champion where there is one, predict the
same rows in batch transforms; what they answered is matched with the true labels, measured, and held against
the gate. A candidate that the gate rejects is a result (exit status 0); what cannot be judged is a failure
(1).
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from gate import judge

from automl_gitops.evaluation import (
    reason,  # before the project's other modules: what is wrong with one of those leaves its reason
    transform,
)
from automl_gitops.evaluation.automl import Candidate, best_candidate
from automl_gitops.evaluation.champion import Contest
from automl_gitops.evaluation.conditions import check_side
from automl_gitops.evaluation.containers import with_outputs
from automl_gitops.evaluation.errors import EvaluationError
from automl_gitops.evaluation.holdout_classes import ClassHoldout
from automl_gitops.evaluation.holdout_numbers import NumberHoldout
from automl_gitops.evaluation.importance import Explanation
from automl_gitops.evaluation.inputs import check_lines
from automl_gitops.evaluation.layout import Evaluation
from automl_gitops.evaluation.model_card import model_card
from automl_gitops.evaluation.model_quality import model_quality
from automl_gitops.evaluation.objectives import metric_of
from automl_gitops.evaluation.reading import Part, parts
from automl_gitops.evaluation.settings import Settings
from automl_gitops.evaluation.slices import read_slicings
from automl_gitops.evaluation.verdict import Holdout, verdict

DEADLINE_SHARE = 0.9
PROCESSING = Path("/opt/ml/processing")


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; paths have the container's as defaults."""
    parser = argparse.ArgumentParser(description="Judge an Autopilot job's best candidate on the holdout.")
    parser.add_argument("--automl-job-name", required=True)
    parser.add_argument("--execution-id", required=True, help="of the pipeline; names derive from it")
    parser.add_argument(
        "--role-arn", required=True, help="role of the models that are made for the transforms"
    )
    parser.add_argument("--bucket", required=True, help="the project's bucket")
    parser.add_argument("--x-test-uri", required=True, help="S3 prefix of the holdout's inputs")
    parser.add_argument("--threshold", required=True, type=float, help="bound of the objective")
    parser.add_argument("--champion", default="none", help="ARN of the model package to compare with")
    parser.add_argument("--transform-instance-type", required=True)
    parser.add_argument("--transform-instance-count", required=True, type=int)
    parser.add_argument("--kms-key", default=None)
    parser.add_argument(
        "--y-test", type=Path, default=PROCESSING / "input/y_test", help="folder of the labels"
    )
    parser.add_argument(
        "--x-test", type=Path, default=PROCESSING / "input/x_test", help="folder of the inputs"
    )
    parser.add_argument("--output", type=Path, default=PROCESSING / "output/evaluation")
    parser.add_argument("--settings", type=Path, default=Path(__file__).with_name("settings.json"))
    parser.add_argument("--message", type=Path, default=reason.MESSAGE, help="where to say what failed")
    return parser.parse_args(arguments)


@dataclass
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside, and say that it has begun."""
        print(f"{name} ...", flush=True)
        start = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - start, 3)


def evaluate(chosen: argparse.Namespace, settings: Settings, place: transform.Place) -> Evaluation:
    """Run the transforms and judge what they gave. Raises `EvaluationError`."""
    clock = Clock()
    found = best_candidate(place.sagemaker, chosen.automl_job_name)
    metric = metric_of(found.objective)
    check_side(settings.gate, found.objective, metric)
    classes = len(settings.classes) if settings.classes else None
    containers, outputs = with_outputs(found.containers, found.classification, classes)
    with clock.stage("labels"):
        inputs = parts(chosen.x_test, "x_test")
        holdout = _holdout(found, parts(chosen.y_test, "y_test"), settings)
        check_lines(inputs, holdout.counts)
    contest = Contest(chosen.champion, place, settings)
    names = [part.name.removeprefix("x_test/") for part in inputs]
    name = f"{settings.project}-{chosen.execution_id}"
    target = f"s3://{chosen.bucket}/transforms/{chosen.execution_id}"
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.output.parent)))
        run = stack.enter_context(
            transform.Transform(
                place, f"{name}-candidate", containers, chosen.x_test_uri, f"{target}/candidate"
            )
        )
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
        with clock.stage("candidate's predictions"):
            holdout.candidate(run.outputs(names, work / "candidate"), outputs, containers)
        with clock.stage("champion's predictions"):
            contest.finish(holdout, names, work / "champion")
        with clock.stage("importance"):
            importance = explanation.finish(metric)
    with clock.stage("metrics"):
        evaluation = verdict(
            found, holdout, contest.entry, containers, outputs, settings, chosen.threshold, judge
        )
    evaluation.importance, evaluation.seconds = importance, clock.seconds
    return evaluation


def _holdout(found: Candidate, labels: Sequence[Part], settings: Settings) -> Holdout:
    if found.classification:
        binary = found.problem_type == "BinaryClassification"
        holdout: Holdout = ClassHoldout(labels, binary, settings.dataset.get("classes"))
    else:
        holdout = NumberHoldout(labels)
    if not holdout.rows:
        raise EvaluationError("y_test: the holdout has no rows")
    return holdout


def write(folder: Path, evaluation: Evaluation, description: str, inputs_uri: str) -> None:
    """Write the documents; evaluation.json last, since its presence says that all are there."""
    document = evaluation.document()
    contents = {
        "model_quality.json": model_quality(document),
        "explainability.json": document["importance"],
        "model_card.json": model_card(document, description, inputs_uri),
        "evaluation.json": document,
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content, allow_nan=False, ensure_ascii=False), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    chosen = options(arguments)
    # The service asks a job to end with SIGTERM: then, too, nothing may be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
        settings = Settings.load(chosen.settings)
        # Where neither is set, a profile may name the region.
        region = os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
        session = boto3.session.Session(region_name=region)
        retries = Config(retries={"mode": "adaptive", "max_attempts": 10})
        sagemaker, s3 = session.client("sagemaker", config=retries), session.client("s3", config=retries)
        place = transform.Place(
            sagemaker,
            s3,
            chosen.role_arn,
            chosen.transform_instance_type,
            chosen.transform_instance_count,
            chosen.kms_key,
            settings.network,
            settings.tags,
            # Earlier than the service's own limit, so that the reason is ours and the jobs are stopped.
            deadline_seconds=DEADLINE_SHARE * settings.max_seconds,
        )
        evaluation = evaluate(chosen, settings, place)
        write(chosen.output, evaluation, settings.description, chosen.x_test_uri)
    except (EvaluationError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        reason.leave(str(error), chosen.message)
        return 1
    print(f"{evaluation.decision}: {evaluation.reasons_text}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
