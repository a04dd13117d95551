"""Where the candidate came from: enough to find everything again."""

from collections.abc import Mapping
from typing import Any

from automl_gitops.report import words
from automl_gitops.report.blocks import Block, Cell, Facts, Section, Table
from automl_gitops.report.source import Provenance


def section(evaluation: Mapping[str, Any], provenance: Provenance) -> Section:
    """Commit, run and execution where they are known; job, candidate, containers and times."""
    job = evaluation["automl_job"]
    url = provenance.repository_url
    known = {
        "Commit": Cell(
            provenance.commit,
            code=True,
            href=f"{url}/commit/{provenance.commit}" if url and provenance.commit else "",
        ),
        "Repository": Cell(provenance.repository, href=url),
        "Run": Cell(provenance.run_url, href=provenance.run_url),
        "Pipeline execution": Cell(provenance.execution_arn, code=True),
        "Model package": Cell(provenance.model_package_arn, code=True),
        "Champion": Cell((evaluation["champion"] or {}).get("model_package_arn", ""), code=True),
        "Autopilot job": Cell(job["arn"], code=True),
        "Best candidate": Cell(job["best_candidate"], code=True),
        "Answers": Cell(", ".join(evaluation["outputs"])),
    }
    for number, container in enumerate(evaluation["containers"], 1):
        name = "Container" if len(evaluation["containers"]) == 1 else f"Container {number}"
        known[name] = Cell(container["Image"], container.get("ModelDataUrl", ""), code=True)
    blocks: list[Block] = [Facts([(name, cell) for name, cell in known.items() if cell.text])]
    if evaluation["seconds"]:
        times = [
            [Cell(name), Cell(words.seconds(value), numeric=True)]
            for name, value in evaluation["seconds"].items()
        ]
        blocks.append(Table("Time of the evaluation's stages", ["Stage", "Time"], times, frozenset({"Time"})))
    return Section("provenance", "Provenance", blocks, closed=True)
