"""What happened in a rehearsal: summary.json, the closing table, and the report in a pull request's comment."""

import ast
import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from automl_evaluation.metrics import named
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.markdown import block, bullets, escape, folded, number, table
from automl_gitops.runs.summary import Failure, failure_blocks
from automl_rehearsal.commands import CommandFailedError

_WORTH_TELLING = 5  # seconds of an installation: to find that nothing is missing takes one


def remove_earlier(output: Path) -> None:
    """Remove what an earlier rehearsal told, so that nobody takes it for this one's."""
    for name in ("summary.json", "report.html"):
        (output / name).unlink(missing_ok=True)


class Summary:
    """The document of a rehearsal; :meth:`save` writes it as it stands.

    ``outcome`` in it is `succeeded`, `rejected` (by the gate), `failed` or `stopped` (by who ran it); unless it is the
    first, ``step`` says where, ``error`` why, and the rest is what had happened until then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.document: dict[str, Any] = {}

    def update(self, **parts: Any) -> None:
        """Add or replace top-level keys."""
        self.document.update(parts)

    def add_run(self, run: dict[str, Any]) -> None:
        """Add what `automl run --wait --json` told: pipeline and Autopilot."""
        job = run["autopilot"]
        self.update(
            pipeline={
                "arn": run["execution"]["arn"],
                "status": run["execution"]["status"],
                "seconds": run["execution"]["seconds"],
                "steps": [{key: step[key] for key in ("name", "status", "seconds")} for step in run["steps"]],
            },
            autopilot={key: job[key] for key in ("job", "seconds", "candidates", "best")},
        )

    def save(self) -> None:
        """Write the document."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def show(self, output: Output) -> None:
        """Print the closing table."""
        document = self.document
        dataset, job, best = document["dataset"], document["autopilot"], document["autopilot"]["best"]
        first = document["endpoint"]["predictions"][0]
        kind = " of SYNTHETIC data" if dataset["synthetic"] else ""
        rows = [
            ("data set", f"{dataset['rows']:,} rows x {dataset['columns']} columns{kind}"),
            ("Autopilot", f"{job['candidates']} candidates in {job['seconds']:.0f} s"),
            ("best candidate", f"{best['name']}: {best['objective']} {best['value']:.4f} (validation)"),
            *([("", job["note"])] if job.get("note") else []),
            *(
                (f"{named(name).label} on the holdout", f"{value:.4f}")
                for name, value in shown(document["metrics"])
            ),
            ("pipeline", f"{document['pipeline']['status']} in {document['pipeline']['seconds']:.0f} s"),
            ("model package", document["model_package_arn"]),
            *_promotion(document),
            ("first prediction", ", ".join(f"{key} {_brief(value)}" for key, value in first.items())),
            ("time", _time(**document["seconds"])),
        ]
        output.table(("", "what happened"), rows)


def _brief(value: Any) -> str:
    """A value of a prediction, its numbers with four digits, also in the lists that a CSV answer has as text."""
    if isinstance(value, str) and value.startswith("["):
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_brief, value))}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def where_to_look(output: Output, project: Path, results: Path) -> None:
    """Say where the results are, which of two folders is the project, and what to type next."""
    output.say("")
    output.say("Where to look", "bold")
    for name, text in (
        ("report", f"{results / 'report.html'}, the evaluation as a page for a browser"),
        ("summary", f"{results / 'summary.json'}, all that happened"),
        ("project", f"{project}, which this left as it was"),
        ("copy", f"{results / 'project'}, in which it was rehearsed; the next rehearsal replaces it"),
    ):
        output.say(f"  {name:<8} {text}")


def _time(total: float, setup: float) -> str:
    """The duration of everything, with the installation's where something was installed."""
    return f"{total:.0f} s" + (f", of which {setup:.0f} s to install" if setup >= _WORTH_TELLING else "")


def _promotion(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What became of the version after staging, as far as the rehearsal went."""
    if "staging" not in document:
        yield "endpoint", f"{document['endpoint']['name']} {document['endpoint']['status']}"
    else:
        passed = [outcome for outcome in document["staging"]["checks"].values() if outcome == "passed"]
        yield "staging", f"{document['staging']['outcome']}: {len(passed)} checks passed"
    if "production" in document:
        version = document["production"]["model_package_arn"].rsplit("/", 1)[-1]
        yield "production", f"{document['production']['endpoint']} serves version {version}"
    if "broken_release" in document:
        broken = document["broken_release"]
        yield (
            "broken release",
            f"{broken['outcome']}; {broken['failed_requests']} of {broken['requests']} requests failed meanwhile",
        )
    if "rollback" in document:
        yield "rollback", f"Git is back at version {document['rollback']['returns_to'].rsplit('/', 1)[-1]}"


def shown(metrics: dict[str, float]) -> list[tuple[str, float]]:
    """The few metrics that a closing table has room for."""
    wanted = ("accuracy", "f1_macro", "f1", "auc", "rmse", "mae", "r2")
    return [(name, metrics[name]) for name in wanted if metrics.get(name) is not None]


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
    failures = [Failure.parse(failure) for failure in error.document.get("failures", [])]
    return _join("### Rehearsal :x:", top, document, [block(one) for one in failure_blocks(failures)])


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
