"""`automl doctor`: what an account, or the repository, would refuse, found before anything is paid.

It only reads, and costs nothing. Each module looks at one thing; what the caller may not see is a row of its own.
"""

from dataclasses import dataclass
from typing import Any

from automl_gitops.doctor import calls as recorded
from automl_gitops.doctor.account import credentials, quotas, region
from automl_gitops.doctor.repository import repository
from automl_gitops.doctor.rights import RolesSeen, rights, rights_there, roles
from automl_gitops.doctor.rows import Row
from automl_gitops.doctor.state import encryption, state
from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.page import Page, Table


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


def page(examination: Examination) -> Page:
    """What is not right, for a run's page."""
    rows = [(row.area, row.asked, row.found, row.todo) for row in examination.rows if row.outcome != "good"]
    told = f"{len(examination.rows)} looks, {examination.simulated} of {examination.calls} calls of the roles simulated"
    if not rows:
        return Page("Doctor: nothing is in the way", (f"{told}.",))
    stops = len(examination.of("stops"))
    title = f"Doctor: {stops} would stop the first training" if stops else "Doctor: nothing stops a training"
    return Page(
        title,
        (
            f"{told}; what is not right, or could not be seen:",
            Table(("", "asked", "found", "what to do"), rows),
        ),
    )


def examine(project: ServingProject) -> Examination:
    """Look at everything; without credentials that hold there is nothing else to ask of AWS."""
    known = recorded.load()
    rows = credentials(project)
    if any(row.outcome == "stops" for row in rows):
        return Examination(rows, len(known), 0)
    rows += region(project)
    rows += quotas(project)
    rows += repository(project)
    of_key, key = encryption(project)  # before what fails without it
    rows += of_key
    seen = RolesSeen(key=key)
    rows += roles(project, {call.role for call in known}, seen)
    # That the roles were made for another key is said by then, and not again by each call.
    used = (key or "") if seen.knows_key else ""
    asked, simulated = rights(project, known, seen.absent, used, seen.hosting)
    there, more, made = rights_there(project, recorded.load(hosting=True), seen.hosting)
    return Examination([*rows, *asked, *there, *state(project)], len(known) + made, simulated + more)
