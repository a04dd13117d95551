"""Judge an Autopilot job's best candidate on the holdout: the entry point of the pipeline's step
EvaluateModel.

Runs in SageMaker's scikit-learn container. The candidate, and the champion where there is one, predict the
same rows in batch transforms; what they answered is matched with the true labels, measured, and held against
the gate. A candidate that the gate rejects is a result (exit status 0); what cannot be judged is a failure
(1).
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import champion as champions
import gate
import transform
from automl import Candidate, best_candidate
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from containers import with_outputs
from document import differences, intervals, objective, values
from errors import EvaluationError
from holdout_classes import ClassHoldout
from holdout_numbers import NumberHoldout
from model_quality import model_quality
from objectives import metric_of
from reading import Part, parts
from schema import Baseline, Champion, Evaluation, Slice, SliceSet
from settings import Settings
from slices import read_slicings

PROCESSING = Path("/opt/ml/processing")
BLOCK_BYTES = 1 << 24


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
    parser.add_argument(
        "--message", type=Path, default=Path("/opt/ml/output/message"), help="where to say what failed"
    )
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


def evaluate(
    chosen: argparse.Namespace, settings: Settings, sagemaker: Any, s3: Any, place: transform.Place
) -> Evaluation:
    """Run the transforms and judge what they gave. Raises `EvaluationError`."""
    clock = Clock()
    found = best_candidate(sagemaker, chosen.automl_job_name)
    metric = metric_of(found.objective)
    labels, inputs = parts(chosen.y_test, "y_test"), parts(chosen.x_test, "x_test")
    with clock.stage("labels"):
        holdout = _holdout(found, labels, settings)
        check_lines(inputs, holdout.counts)
    classes = len(settings.classes) if settings.classes else None
    containers, outputs = with_outputs(found.containers, found.classification, classes)
    registered, champion = _champion(chosen.champion, sagemaker, s3, settings)
    names = [part.name.removeprefix("x_test/") for part in inputs]
    prefix = f"{settings.project}-{chosen.execution_id}"
    target = f"s3://{chosen.bucket}/transforms/{chosen.execution_id}"
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=chosen.output.parent)))
        run = stack.enter_context(
            transform.Transform(
                place, f"{prefix}-candidate", containers, chosen.x_test_uri, f"{target}/candidate"
            )
        )
        other = _start_champion(
            stack, place, f"{prefix}-champion", registered, champion, chosen, target, found, classes
        )
        with clock.stage("slices"):
            holdout.slicings = read_slicings(
                inputs, settings.features, settings.slices, settings.bands, holdout.counts
            )
        with clock.stage("candidate's predictions"):
            holdout.candidate(run.outputs(names, work / "candidate"), outputs, containers)
        if other:
            with clock.stage("champion's predictions"):
                _take_champion(holdout, other, champion, names, work / "champion")
    with clock.stage("metrics"):
        evaluation = _judged(chosen, settings, found, metric, holdout, champion, containers, outputs)
    evaluation.seconds = clock.seconds
    return evaluation


def check_lines(inputs: Sequence[Part], counts: Sequence[int]) -> None:
    """Raise `EvaluationError` unless each part of the inputs has a line for every label, before a transform
    is paid for.

    Batch transform takes each line for a row, quoted or not.
    """
    if len(inputs) != len(counts):
        raise EvaluationError(f"x_test has {len(inputs)} parts, y_test has {len(counts)}")
    for part, rows in zip(inputs, counts, strict=True):
        lines, last = 0, b"\n"
        with part.path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                lines += block.count(b"\n")
                last = block[-1:]
        lines += last != b"\n"
        if lines != rows:
            raise EvaluationError(
                f"{part.name}: {lines} lines of inputs for {rows} labels; batch transform takes each line for a row, "
                "so that no value may hold a line break"
            )


def _holdout(found: Candidate, labels: Sequence[Part], settings: Settings) -> ClassHoldout | NumberHoldout:
    if found.classification:
        holdout = ClassHoldout(
            labels, found.problem_type == "BinaryClassification", settings.dataset.get("classes")
        )
    else:
        holdout = NumberHoldout(labels)
    if not holdout.rows:
        raise EvaluationError("y_test: the holdout has no rows")
    return holdout


def _champion(
    arn: str, sagemaker: Any, s3: Any, settings: Settings
) -> tuple[champions.Registered | None, Champion | None]:
    """The champion in the registry, if it can be tried, and its entry, if there is a champion."""
    if arn == "none":
        return None, None
    found = champions.registered(sagemaker, s3, arn)
    entry = champions.entry(arn, found, settings.dataset, settings.features)
    return (found if entry.status == "compared" else None), entry


def _start_champion(
    stack: ExitStack,
    place: transform.Place,
    name: str,
    registered: champions.Registered | None,
    entry: Champion | None,
    chosen: argparse.Namespace,
    target: str,
    found: Candidate,
    classes: int | None,
) -> tuple[transform.Transform, list[str], list[dict[str, Any]]] | None:
    """Start the champion's transform; what goes wrong with it is noted in its entry and harms nothing else."""
    if registered is None:
        return None
    containers, outputs = with_outputs(registered.containers, found.classification, classes)
    try:
        run = stack.enter_context(
            transform.Transform(place, name, containers, chosen.x_test_uri, f"{target}/champion")
        )
    except ClientError as error:
        champions.failure(entry, EvaluationError(error.response["Error"]["Message"]), refused=False)
        return None
    return run, outputs, containers


def _take_champion(
    holdout: ClassHoldout | NumberHoldout,
    other: tuple[transform.Transform, list[str], list[dict[str, Any]]],
    entry: Champion,
    names: list[str],
    folder: Path,
) -> None:
    run, outputs, containers = other
    try:
        holdout.champion(run.outputs(names, folder), outputs, containers)
    except transform.TransformFailed as error:
        champions.failure(entry, error, refused="ClientError" in error.reason)
    except EvaluationError as error:
        champions.failure(entry, error, refused=False)


def _judged(
    chosen: argparse.Namespace,
    settings: Settings,
    found: Candidate,
    metric: str,
    holdout: ClassHoldout | NumberHoldout,
    champion: Champion | None,
    containers: list[dict[str, Any]],
    outputs: list[str],
) -> Evaluation:
    """Metrics, gate and document."""
    groups = holdout.groups()
    candidate, confidence = groups["candidate"], settings.gate["confidence"]
    if metric not in candidate:
        raise EvaluationError(
            f"the objective {found.objective} cannot be computed on this holdout: {'; '.join(holdout.notes) or outputs}"
        )
    if champion and champion.status == "compared":
        champion.metrics = values(groups["champion"])
        champion.intervals = intervals(groups["champion"])
        champion.differences = differences(groups["candidate - champion"], confidence)
        champion.curves = holdout.champion_curves()
    name, prediction = holdout.baseline()
    slices = list(_slices(holdout, settings))
    conditions = gate.judge(
        settings.gate, chosen.threshold, _facts(found, metric, holdout, groups, name, champion, slices)
    )
    reasons = gate.reasons(conditions)
    return Evaluation(
        decision=gate.decision(conditions),
        reasons=reasons,
        reasons_text=gate.in_one_line(reasons),
        problem_type=found.problem_type,
        objective=objective(found.objective, metric, candidate[metric], found.validation_value),
        rows=holdout.rows,
        metrics=values(candidate),
        intervals=intervals(candidate),
        containers=containers,
        outputs=outputs,
        automl_job={
            "name": found.job,
            "arn": found.job_arn,
            "best_candidate": found.name,
            "seconds": found.seconds,
            "candidates": found.candidates,
        },
        gate=conditions,
        baseline=Baseline(
            name,
            prediction,
            values(groups["baseline"]),
            differences(groups["candidate - baseline"], confidence),
        ),
        champion=champion,
        dataset=settings.dataset,
        notes=holdout.notes,
        slices=slices,
        **holdout.description(),
    )


def _slices(holdout: ClassHoldout | NumberHoldout, settings: Settings) -> Iterator[SliceSet]:
    sets: dict[int, SliceSet] = {}
    confidence = settings.gate["confidence"]
    for slicing, code, groups in holdout.slice_groups():
        found = sets.setdefault(id(slicing), SliceSet(slicing.column, slicing.kind, []))
        rows = int(slicing.mask(code).sum())
        entry = Slice(slicing.names[code], rows, rows < settings.minimum_slice_rows)
        if groups:
            entry.metrics, entry.intervals = values(groups["candidate"]), intervals(groups["candidate"])
            entry.champion = values(groups.get("champion", {}))
            entry.differences = differences(groups.get("candidate - champion", {}), confidence)
        found.slices.append(entry)
    yield from sets.values()


def _facts(
    found: Candidate,
    metric: str,
    holdout: ClassHoldout | NumberHoldout,
    groups: dict[str, dict[str, Any]],
    baseline: str,
    champion: Champion | None,
    slices: Sequence[SliceSet],
) -> gate.Facts:
    return gate.Facts(
        objective=found.objective,
        metric=metric,
        rows=holdout.rows,
        metrics=groups["candidate"],
        baseline=groups["candidate - baseline"],
        baseline_name=baseline,
        champion=groups.get("candidate - champion", {}),
        champion_value=champion.metrics.get(metric) if champion else None,
        champion_status=champion.status if champion else "none",
        champion_reason=champion.reason if champion else "",
        slices=[
            gate.SliceValue(f"{entry.column}: {item.name}", item.rows, item.small, item.metrics.get(metric))
            for entry in slices
            for item in entry.slices
        ],
    )


def write(folder: Path, evaluation: Evaluation) -> None:
    """Write the documents; evaluation.json last, since its presence says that all are there."""
    document = evaluation.document()
    for name, content in {"model_quality.json": model_quality(document), "evaluation.json": document}.items():
        (folder / name).write_text(json.dumps(content, indent=1, allow_nan=False), encoding="utf-8")


def _say(message: Path, text: str) -> None:
    """Leave the reason where the service looks for it, in a container that has such a place."""
    with suppress(OSError):
        message.write_text(text[:1024], encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    chosen = options(arguments)
    # The service asks a job to end with SIGTERM: then, too, nothing may be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
        settings = Settings.load(chosen.settings)
        session = boto3.session.Session()
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
        )
        evaluation = evaluate(chosen, settings, sagemaker, s3, place)
        write(chosen.output, evaluation)
    except (EvaluationError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        _say(chosen.message, str(error))
        return 1
    print(f"{evaluation.decision}: {evaluation.reasons_text}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
