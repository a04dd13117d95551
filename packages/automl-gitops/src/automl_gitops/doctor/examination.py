"""All looks together."""

from dataclasses import dataclass
from typing import Any

from automl_gitops.doctor import calls as recorded
from automl_gitops.doctor.credentials import credentials
from automl_gitops.doctor.quotas import quotas
from automl_gitops.doctor.region import region
from automl_gitops.doctor.repository import repository
from automl_gitops.doctor.rights import rights
from automl_gitops.doctor.roles import Seen, roles
from automl_gitops.doctor.rows import Row
from automl_gitops.doctor.state import state
from automl_gitops.kernel.environments import Project


@dataclass(frozen=True)
class Examination:
    """What was found. ``simulated`` counts the calls that IAM was asked about, of ``calls`` in all."""

    rows: list[Row]
    calls: int
    simulated: int

    def of(self, outcome: str) -> list[Row]:
        """The rows with an outcome."""
        return [row for row in self.rows if row.outcome == outcome]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "rows": [row.document() for row in self.rows],
            "calls": self.calls,
            "simulated": self.simulated,
            "stops": len(self.of("stops")),
        }


def examine(project: Project) -> Examination:
    """Look at everything; without credentials that hold there is nothing else to ask of AWS."""
    known = recorded.load()
    rows = credentials(project)
    if any(row.outcome == "stops" for row in rows):
        return Examination(rows, len(known), 0)
    seen = Seen()
    rows += region(project)
    rows += quotas(project)
    rows += repository(project)
    rows += roles(project, {call.role for call in known}, seen)
    asked, simulated = rights(project, known, seen.absent)
    return Examination([*rows, *asked, *state(project)], len(known), simulated)
