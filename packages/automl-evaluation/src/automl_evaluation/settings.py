"""What automl.toml and dataset.lock say about the evaluation; `automl upsert` writes it beside the code."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl_evaluation.decision import Decision
from automl_evaluation.errors import EvaluationError
from automl_evaluation.layout import ON_VALIDATION, Costs, Threshold
from automl_evaluation.metrics import BINARY


@dataclass(frozen=True)
class Settings:
    """The content of settings.json.

    ``dataset`` holds `name`, `synthetic`, `sha256`, `rows` (null where nobody counted them), `target`, `columns`
    ([{name, type}] in the order of the data set, the target among them) and `classes` ({label: rows} or none).
    ``gate`` is [gate] of automl.toml; ``slices``, ``bands``, ``minimum_slice_rows`` and ``max_seconds`` (of the
    whole job) are of [evaluation]; ``decision`` holds `positive`, `threshold` and the `costs` that it follows from, or
    nothing: `threshold` is a number, or `validation` where rows of that part choose it; ``network`` holds `subnets` and
    `security_groups`, or nothing.
    """

    project: str
    description: str
    dataset: dict[str, Any]
    gate: dict[str, Any]
    slices: list[str] = field(default_factory=list)
    bands: dict[str, int | list[float]] = field(default_factory=dict)
    minimum_slice_rows: int = 100
    max_seconds: int = 7200
    network: dict[str, list[str]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Settings":
        """Read settings.json."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    @property
    def features(self) -> list[str]:
        """The columns of x_test, in order."""
        return [
            column["name"] for column in self.dataset["columns"] if column["name"] != self.dataset["target"]
        ]

    def decided(self, problem_type: str) -> Decision:
        """What is decided here of the classes. Raises `EvaluationError` where Autopilot inferred another problem."""
        if not self.decision:
            return Decision()
        if problem_type != BINARY:
            raise EvaluationError(
                f"[decision] is of two classes, and Autopilot took the problem for {problem_type}: remove it, or name "
                "the problem type in [autopilot] problem_type"
            )
        threshold, costs = self.decision.get("threshold"), self.decision.get("costs")
        by = Costs(**costs) if costs else None
        if threshold == ON_VALIDATION:
            return Decision(self.decision["positive"], on_validation=True, costs=by)
        return Decision(self.decision["positive"], None if threshold is None else Threshold(threshold, by))

    @property
    def group(self) -> list[str]:
        """The columns whose values make the groups of rows, where the rows were split by such."""
        return list((self.dataset.get("split") or {}).get("group") or [])

    @property
    def classes(self) -> list[str] | None:
        """The classes of the whole data set, `None` where the target is a number or they were not counted."""
        return list(self.dataset["classes"]) if self.dataset.get("classes") else None
