"""Where a report's evaluation comes from, and what that does not know itself."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from automl_gitops.data.lock import FILE as LOCK
from automl_gitops.data.lock import DatasetLock
from automl_gitops.evaluation.layout import Evaluation
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.names import Names
from automl_gitops.runs import evaluation_file
from automl_gitops.runs.execution import Execution

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Provenance:
    """What the evaluation itself does not know; empty where nobody knows."""

    execution_arn: str = ""
    commit: str = ""
    repository: str = ""
    run_url: str = ""
    model_package_arn: str = ""
    findings: tuple[str, ...] = ()

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


def findings(evaluation: Evaluation, file: Path = LOCK) -> Iterator[str]:
    """What the evaluation's data showed when they were pushed, as sentences; none where ``file`` is of other data."""
    with contextlib.suppress(UserError):
        lock = DatasetLock.load(file) if file.exists() else None
        if lock and lock.sha256 == evaluation.dataset.sha256:
            yield from map(str, lock.findings or ())


def of_execution(s3: Any, names: Names, execution: Execution) -> Evaluation:
    """An execution's evaluation. Raises `RunError` where it has none, with the execution's own reason."""
    evaluation = evaluation_file.find(s3, names.bucket, execution.id)
    if evaluation is None:
        why = f": {execution.reason}" if execution.reason else ""
        raise RunError(f"execution {execution.id} has no evaluation (status {execution.status}){why}")
    return evaluation
