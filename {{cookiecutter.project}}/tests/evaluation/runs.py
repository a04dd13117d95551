"""A whole run of the evaluation against the fake SageMaker: data in folders and S3, evaluation.json out."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import evaluate
import transform
from fake_sagemaker import BUCKET, JOB, ROLE, FakeSageMaker, Predict
from settings import Settings

GATE = {
    "confidence": 0.95,
    "minimum_rows": 30,
    "better_than_baseline": True,
    "not_worse_than_champion": True,
    "champion_margin": "5%",
    "champion_failure": "reject",
    "minimums": {},
    "maximums": {},
}


@dataclass
class Run:
    """``inputs`` are rows of x_test, ``labels`` those of y_test; both are cut into ``parts`` parts."""

    folder: Path
    s3: Any
    inputs: Sequence[Sequence[Any]]
    labels: Sequence[Any]
    columns: Sequence[str] = ("a", "b")
    parts: int = 2
    gate: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    classes: dict[str, int] | None = None
    threshold: float = 0.0
    champion: str = "none"

    def evaluate(self, sagemaker: FakeSageMaker) -> dict[str, Any]:
        """evaluation.json of a run."""
        chosen = self.prepared()
        place = transform.Place(sagemaker, self.s3, ROLE, "ml.m5.xlarge", 1, sleep=lambda seconds: None)
        found = evaluate.evaluate(chosen, self.loaded(), place)
        evaluate.write(chosen.output, found, "d", chosen.x_test_uri)
        return json.loads((chosen.output / "evaluation.json").read_text())

    def loaded(self) -> Settings:
        dataset = {
            "name": "shop",
            "synthetic": False,
            "sha256": "0" * 64,
            "rows": {"total": 1000, "train_validation": 800, "test": 200},
            "target": "y",
            "columns": [{"name": name, "type": "number"} for name in (*self.columns, "y")],
            "classes": self.classes,
        }
        return Settings(
            **{
                "project": "shop",
                "description": "d",
                "dataset": dataset,
                "gate": GATE | self.gate,
                **self.settings,
            }
        )

    def prepared(self) -> Any:
        """Write the parts and give the command line that names them."""
        size = -(-len(self.labels) // self.parts)
        for part in range(self.parts):
            span, name = slice(part * size, (part + 1) * size), f"part-{part:05}.csv"
            inputs = text(self.inputs[span])
            self._write(self.folder / "x_test" / name, inputs)
            self._write(
                self.folder / "y_test" / name, text([["y"], *([label] for label in self.labels[span])])
            )
            self.s3.put_object(Bucket=BUCKET, Key=f"datasets/0/x_test/{name}", Body=inputs.encode())
        (self.folder / "output" / "evaluation").mkdir(parents=True, exist_ok=True)
        return evaluate.options(
            [
                "--automl-job-name", JOB, "--execution-id", "abcdefghijkl",
                "--role-arn", ROLE, "--bucket", BUCKET,
                "--x-test-uri", f"s3://{BUCKET}/datasets/0/x_test", "--threshold", str(self.threshold),
                "--champion", self.champion, "--transform-instance-type", "ml.m5.xlarge",
                "--transform-instance-count", "1", "--y-test", str(self.folder / "y_test"),
                "--x-test", str(self.folder / "x_test"),
                "--output", str(self.folder / "output" / "evaluation"),
                "--message", str(self.folder / "message"),
            ]
        )  # fmt: skip

    @staticmethod
    def _write(path: Path, content: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def text(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def classifier(labels: Sequence[str], probabilities: Any) -> Predict:
    """A model with the probabilities that a function gives a row's values; answers as Autopilot's containers."""

    def predict(rows: list[list[str]], environment: dict[str, str]) -> list[str]:
        wanted = environment.get("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label").split(",")
        lines = []
        for row in rows:
            given = probabilities([float(value) for value in row])
            best = max(range(len(labels)), key=given.__getitem__)
            answers = {
                "predicted_label": labels[best],
                "probability": given[best],
                "probabilities": str(list(given)),
                "labels": str(list(labels)),
            }
            lines.append(text([[answers[output] for output in wanted]]).rstrip("\n"))
        return lines

    return predict
