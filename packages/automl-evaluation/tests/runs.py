"""A whole run of the evaluation against the fake SageMaker: data in folders and S3, evaluation.json out."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import evaluate
from fake_sagemaker import BUCKET, JOB, ROLE, FakeSageMaker, Predict

from automl_evaluation import transform
from automl_evaluation.settings import Settings

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
    """``inputs`` are rows of x_test, ``labels`` those of y_test; both are cut into ``parts`` parts.

    ``groups`` are the codes of the rows' groups, if there are any; ``validation`` is the text of validation.csv.
    """

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
    groups: Sequence[int] | None = None
    validation: str | None = None

    def evaluate(self, sagemaker: FakeSageMaker) -> dict[str, Any]:
        """evaluation.json of a run."""
        chosen = self.prepared()
        place = transform.TransformContext(
            sagemaker, self.s3, ROLE, "ml.m5.xlarge", 1, sleep=lambda seconds: None
        )
        found = evaluate.evaluate(chosen, self.loaded(), place)
        evaluate.write(chosen.output, found, "d", chosen.x_test_uri)
        return json.loads((chosen.output / "evaluation.json").read_text())

    def loaded(self) -> Settings:
        """The settings as the evaluation reads them."""
        path = self.folder / "settings.json"
        path.write_text(self.settings_json())
        return Settings.load(path)

    def settings_json(self) -> str:
        """settings.json."""
        dataset = {
            "name": "shop",
            "synthetic": False,
            "sha256": "0" * 64,
            "rows": {"total": 1000, "train_validation": 800, "test": 200},
            "target": "y",
            "columns": [{"name": name, "type": "number"} for name in (*self.columns, "y")],
            "classes": self.classes,
            "holdout": 0.2,
            "holdout_classes": None,
            "reference": None,
            "seed": 0,
            "source": "shop.csv",
        }
        gate = GATE | self.gate
        return json.dumps(
            {"project": "shop", "description": "d", "dataset": dataset, "gate": gate} | self.settings,
            sort_keys=True,
        )

    def prepared(self) -> Any:
        """Write the parts and give the command line that names them."""
        size = -(-len(self.labels) // self.parts)
        for part in range(self.parts):
            span, name = slice(part * size, (part + 1) * size), f"part-{part:05}.csv"
            inputs = text(self.inputs[span])
            self._write(self.folder / "x_test" / name, inputs)
            labels = [["y"], *([label] for label in self.labels[span])]
            if self.groups is not None:
                labels = [[*row, of] for row, of in zip(labels, ["group", *self.groups[span]], strict=True)]
            self._write(self.folder / "y_test" / name, text(labels))
            self.s3.put_object(Bucket=BUCKET, Key=f"datasets/0/x_test/{name}", Body=inputs.encode())
        if self.validation is not None:
            self._write(self.folder / "validation" / "validation.csv", self.validation)
        (self.folder / "output" / "evaluation").mkdir(parents=True, exist_ok=True)
        return evaluate.options(self.arguments())

    def arguments(self) -> list[str]:
        """The command line."""
        named = {
            "--automl-job-name": JOB,
            "--execution-id": "abcdefghijkl",
            "--role-arn": ROLE,
            "--bucket": BUCKET,
            "--x-test-uri": f"s3://{BUCKET}/datasets/0/x_test",
            "--threshold": self.threshold,
            "--champion": self.champion,
            "--transform-instance-type": "ml.m5.xlarge",
            "--transform-instance-count": 1,
            "--y-test": self.folder / "y_test",
            "--x-test": self.folder / "x_test",
            "--validation": self.folder / "validation",
            "--output": self.folder / "output" / "evaluation",
            "--message": self.folder / "message",
        }
        return [str(item) for pair in named.items() for item in pair]

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
    """A model with the probabilities that a function gives a row's values; answers as Autopilot's do."""

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
