"""The rehearsal in Markdown, for the comment on a pull request: short at the top, the rest folded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.kernel.markdown import block, bullets, escape, folded, number, table
from automl_gitops.rehearsal.commands import CommandFailedError
from automl_gitops.rehearsal.summary import shown
from automl_gitops.runs.failures import Failure, blocks


def succeeded(document: dict[str, Any]) -> str:
    """The report of a rehearsal that went as far as it should; ``document`` is that of summary.json."""
    metrics = ", ".join(f"{named(name).label} {number(value)}" for name, value in shown(document["metrics"]))
    top = [
        f"The whole life ran on the local AWS in {document['seconds']['total']:.0f} s, without cost: training, "
        f"evaluation, registration, staging ({document['staging']['outcome']}).",
        f"{_data(document)}; holdout: {metrics}. A short training says nothing about the real one.",
    ]
    if "production" in document:
        top.append(f"Production served it, and a broken release was {document['broken_release']['outcome']}.")
    return _join("### Rehearsal :white_check_mark:", top, document)


def failed(document: dict[str, Any], error: CommandFailedError, step: str) -> str:
    """The report of a rehearsal that broke off in a step; ``document`` holds what had happened until then."""
    reason = str(error).rstrip(".")
    top = [f"It broke off: {escape(reason)}. The step was: {escape(step)}. The log of the run has its words."]
    found = [Failure.parse(failure) for failure in error.document.get("failures", [])]
    return _join("### Rehearsal :x:", top, document, [block(one) for one in blocks(found)])


def _join(title: str, top: list[str], document: dict[str, Any], details: Sequence[str] = ()) -> str:
    parts = [title, bullets(top), *details]
    if document.get("left_out"):
        parts.append(folded("Left out on the local AWS", bullets(document["left_out"])))
    if "pipeline" in document:
        steps = [
            (step["name"], step["status"], f"{step['seconds']:.0f}") for step in document["pipeline"]["steps"]
        ]
        parts.append(folded("Steps of the pipeline", table(("step", "status", "seconds"), steps, "llr")))
    if "metrics" in document:
        values = [(named(name).label, number(value)) for name, value in document["metrics"].items()]
        parts.append(folded("Metrics on the holdout", table(("metric", "value"), values, "lr")))
    if "staging" in document:
        checks = [(escape(name), outcome) for name, outcome in document["staging"]["checks"].items()]
        parts.append(folded("Checks of staging", table(("check", "outcome"), checks)))
    return "\n\n".join(parts) + "\n"


def _data(document: dict[str, Any]) -> str:
    data = document["dataset"]
    kind = " of made-up (synthetic) data" if data["synthetic"] else ""
    return f"{data['rows']:,} rows of {data['columns']} columns{kind}"
