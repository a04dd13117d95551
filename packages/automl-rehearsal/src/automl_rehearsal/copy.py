"""A copy of the project to rehearse in, changed to what can hold on the local AWS; the user's own files stay as they
are.

Made-up rows say nothing about how good a model is. So the gate keeps every condition, with its metrics and slices, and
only bounds on values are softened to what any model keeps: a condition that could never be judged fails here, without
cost.
"""

import math
import os
import shutil
from pathlib import Path
from typing import Any

import tomlkit

from automl_evaluation.metrics import METRICS, metric_of
from automl_gitops.data.contract import FILE as CONTRACT
from automl_gitops.data.lock import FILE as LOCK
from automl_gitops.data.lock import DatasetLock
from automl_gitops.kernel import git
from automl_gitops.kernel.config import Config
from automl_gitops.promotion.production_file import FILE as PRODUCTION
from automl_gitops.promotion.production_file import ProductionFile

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", ".local", "__pycache__", ".*_cache")
# Of the copy's repository, so that a machine's own settings, or none, make no difference to commands that commit.
SETTINGS = {
    "user.name": "Rehearsal",
    "user.email": "rehearsal@localhost",
    "commit.gpgsign": "false",
    "core.hooksPath": os.devnull,
}


class ProjectCopy:
    """A fresh copy of ``source`` at ``directory`` with a Git repository of its own, on branch ``main``.

    Raises `UserError` where there is no git, and with git's own words where it refuses.
    """

    def __init__(self, source: Path, directory: Path) -> None:
        if directory.exists():
            shutil.rmtree(directory)
        # The folder of results may lie in the project, under any name.
        own = {directory, directory.parent}
        shutil.copytree(
            source,
            directory,
            ignore=lambda folder, names: (
                LEFT_OUT(folder, names) | {name for name in names if Path(folder, name) in own}
            ),
        )
        self.directory = directory
        git.make_repository(directory, SETTINGS)
        self.commit("Start the project")

    def commit(self, message: str) -> str:
        """Commit whatever changed, as a merged pull request would, and return the commit's id."""
        return git.commit_all(self.directory, message)


MADE_UP_ROWS = 1000
LENIENT_ROWS = 20
_ACCOUNTS_OWN = {
    "encryption": "[encryption]: the key is the account's",
    "network": "[network]: subnets and security groups are the account's",
}
_PATIENCE_MS = 60_000  # how fast this machine answers says nothing about an endpoint
# Where a metric has no least or greatest value: a bound that any model keeps.
_ENDLESS = 1e12


def adapt(project: Path, *, open_gate: bool, lenient: bool = False, rows: int | None = None) -> list[str]:
    """Change the files of the copy in ``project``; returns what was left out, a line each.

    ``open_gate``: the data are ``rows`` made-up rows instead of those of dataset.lock, so that how good a model
    is says nothing, and the gate's bounds are softened. ``lenient``: the local AWS trains on fewer rows than the real
    Autopilot takes.
    """
    file = project / "automl.toml"
    document = tomlkit.parse(file.read_text(encoding="utf-8-sig"))
    left_out = [line for section, line in _ACCOUNTS_OWN.items() if document.pop(section, None) is not None]
    if open_gate:
        config = Config.load(file)
        left_out += _soften(document["gate"], config)
        _scale(document, config, _scale_of(project, rows or MADE_UP_ROWS, config))
        if (project / CONTRACT).exists():
            (project / CONTRACT).unlink()
            left_out.append(f"{CONTRACT}: made-up rows keep no contract")
    if lenient:
        document["autopilot"]["least_rows"] = LENIENT_ROWS
    verification = document.setdefault("verification", tomlkit.table())
    for key in ("max_latency_p50_ms", "max_latency_p95_ms"):
        verification[key] = _PATIENCE_MS
    production = document.setdefault("production", tomlkit.table())
    production.setdefault("alarms", tomlkit.table())["max_latency_p95_ms"] = _PATIENCE_MS
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    named = project / PRODUCTION
    if named.exists() and ProductionFile.load(named).model_package_arn:
        ProductionFile(model_package_arn="").save(named)
        left_out.append(f"{PRODUCTION.as_posix()}: the champion is the account's")
    return left_out


def _soften(gate: Any, config: Config) -> list[str]:
    """Move the bounds on values to where any model keeps them; returns what was left out."""
    objective = config.autopilot.metric
    name = metric_of(objective) if objective else None
    for key in ("minimum", "maximum"):
        if key in gate:
            gate[key] = _softest(name, key)
    for key in ("minimums", "maximums"):
        for metric in gate.get(key, {}):
            gate[key][metric] = _softest(metric, key)
    if "maximum_calibration_error" in gate:
        gate["maximum_calibration_error"] = 1.0
    left_out = [
        "[gate]: a model of made-up rows cannot be judged by its figures, so that their bounds are open"
    ]
    if "worst_slice" in gate:
        if name == "auc":
            # Undefined on a slice of one class, which few made-up rows have sooner than the real ones.
            del gate["worst_slice"]
            left_out.append(
                "[gate] worst_slice: the AUC needs both classes in each slice of the made-up rows"
            )
        else:
            gate["worst_slice"] = _softest(name, "minimum" if "minimum" in gate else "maximum")
    gate["better_than_baseline"] = False
    return left_out


def _softest(metric: str | None, key: str) -> float:
    """A bound that any model keeps, within the metric's range."""
    known = METRICS.get(metric or "")
    if key.startswith("minimum"):
        return -_ENDLESS if known is None or known.least is None else known.least
    return _ENDLESS if known is None or known.most is None else known.most


def _scale_of(project: Path, rows: int, config: Config) -> float:
    """Made-up rows of the holdout for each of the real ones, at most 1."""
    path = project / LOCK
    if not path.exists():
        return 1.0
    lock = DatasetLock.load(path)
    share = lock.rows.test / lock.rows.total if lock.split and lock.rows.total else config.dataset.holdout
    return min(1.0, rows * share / lock.rows.test) if lock.rows.test else 1.0


def _scale(document: Any, config: Config, scale: float) -> None:
    """Lower the numbers of rows that are asked for as the rows are fewer."""
    for section, key, asked in (
        ("gate", "minimum_rows", config.gate.minimum_rows),
        ("evaluation", "minimum_slice_rows", config.evaluation.minimum_slice_rows),
    ):
        if scale < 1:
            table = document.setdefault(section, tomlkit.table())
            table[key] = max(1, math.floor(asked * scale))
