"""The Autopilot job's candidates."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.evaluation.metrics import named
from automl_gitops.report import words
from automl_gitops.report.blocks import Cell, Section, Table, Text


def section(evaluation: Mapping[str, Any]) -> Section | None:
    """The best first, by the objective on Autopilot's validation rows."""
    job, objective = evaluation["automl_job"], evaluation["objective"]
    candidates = job.get("candidates") or []
    if not candidates:
        return None
    sign = -1 if objective["direction"] == "maximize" else 1
    known = sorted(
        candidates, key=lambda entry: (entry["value"] is None, sign * (entry["value"] or 0.0), entry["name"])
    )
    numeric = [f"{named(objective['metric']).label} (validation)", "Time"]
    places = words.places((entry["value"], {}) for entry in known)
    rows = [
        [
            Cell(entry["name"], "chosen" if entry["name"] == job["best_candidate"] else "", code=True),
            Cell(entry["status"]),
            Cell(words.number(entry["value"], places), numeric=True),
            Cell(words.seconds(entry["seconds"]), numeric=True),
        ]
        for entry in known
    ]
    took = f" in {words.seconds(job['seconds'])}" if job.get("seconds") else ""
    text = (
        f"Autopilot job {job['name']} tried these{took}; it chooses by rows of its own, not by the holdout."
    )
    table = Table("Candidates", ["Candidate", "Status", *numeric], rows, frozenset(numeric))
    return Section("leaderboard", "Leaderboard", [Text(text), table], closed=True)
