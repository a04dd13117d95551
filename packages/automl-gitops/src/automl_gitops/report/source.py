"""Where a report's evaluation comes from: an execution's evaluation.json in S3, or a file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.names import Names
from automl_gitops.runs import evaluation_file
from automl_gitops.runs.execution import Execution

# Of evaluation.json, as evaluation/layout.py has them; a test holds the two together.
KEYS = (
    "decision", "reasons", "reasons_text", "problem_type", "objective", "rows", "metrics", "intervals", "containers",
    "outputs", "automl_job", "gate", "confidence", "baseline", "champion", "dataset", "notes", "positive_class",
    "classes", "confusion", "calibration", "curves", "residuals", "slices", "importance", "seconds", "version",
)  # fmt: skip
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Provenance:
    """What the evaluation itself does not know; empty where nobody knows."""

    execution_arn: str = ""
    commit: str = ""
    repository: str = ""
    run_url: str = ""
    model_package_arn: str = ""

    @classmethod
    def of(cls, execution: Execution) -> "Provenance":
        """From the parameters that an execution was started with; `none` stands for nothing there."""

        def given(name: str) -> str:
            value = execution.parameters.get(name, "")
            return "" if value == "none" else value

        return cls(
            execution_arn=execution.arn,
            commit=given("CommitId"),
            repository=given("Repository"),
            run_url=given("RunUrl"),
            model_package_arn=execution.model_package_arn or "",
        )

    @property
    def repository_url(self) -> str:
        """The repository's page on GitHub."""
        return (
            f"https://github.com/{quote(self.repository)}" if _REPOSITORY.fullmatch(self.repository) else ""
        )


def of_execution(s3: Any, names: Names, execution: Execution) -> dict[str, Any]:
    """An execution's evaluation. Raises `RunError` where it has none, with the execution's own reason."""
    document = evaluation_file.find(s3, names.bucket, execution.id)
    if document is None:
        why = f": {execution.reason}" if execution.reason else ""
        raise RunError(f"execution {execution.id} has no evaluation, it is {execution.status.lower()}{why}")
    return document


def of_file(path: Path) -> dict[str, Any]:
    """An evaluation in a file. Raises `UserError` where it is none, or only a part of one."""
    document = evaluation_file.load(path)
    missing = [key for key in KEYS if key not in document]
    if missing:
        raise UserError(
            f"{path}: lacks {', '.join(missing)}: give an evaluation.json as the evaluation wrote it"
        )
    return document
