"""A stranger's owner: answers the questions, writes what automl.toml cannot know, and types `make demo`."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from conftest import bake, offline
from strangers.tables import Stranger

OBSERVER = Path(__file__).with_name("observer.py")
CANDIDATES = 3  # as many as it takes for an ensemble; the training ends with the last one
MINUTES_OF_A_DEMO = 20
# Of a command that no AWS is in reach of.
UNREACHABLE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "NO_COLOR": "1", "COLUMNS": "200"}


def project_of(
    template: Path, folder: Path, table: Stranger, problem_type: str, objective: str, name: str = ""
) -> Path:
    """The project that the answers give, below ``folder``, with the table's slices in automl.toml."""
    name = name or f"{table.name}-{problem_type[0]}{objective.lower()[:8]}"
    answers = {"target": table.target, "problem_type": problem_type, "objective": objective}
    result = bake(
        template, folder, project=name, description=table.sentence, repository=f"owner/{name}", **answers
    )
    assert result.returncode == 0, result.stdout + result.stderr
    project = folder / name
    path = project / "automl.toml"
    document = tomlkit.parse(path.read_text())
    document["evaluation"]["slices"] = list(table.slices)
    if table.bands:
        document["evaluation"]["bands"] = table.bands
    path.write_text(tomlkit.dumps(document))
    return project


def thrifty(project: Path) -> None:
    """Ask for a training of seconds and for few requests; how fast this machine answers is no matter."""
    path = project / "automl.toml"
    document = tomlkit.parse(path.read_text())
    document["autopilot"]["budget"]["max_candidates"] = CANDIDATES
    document["verification"] |= {"rows": 100, "requests": 40}
    document["production"]["alarms"]["max_latency_p95_ms"] = 60_000
    path.write_text(tomlkit.dumps(document))


def installed(project: Path, ours: Path = Path(sys.prefix)) -> None:
    """What `make setup` leaves: the packages of the tests stand for those of the project's own environment."""
    venv = project / ".venv"
    venv.mkdir()
    for name in ("bin", "lib"):
        (venv / name).symlink_to(ours / name)
    if (ours / "pyvenv.cfg").exists():
        shutil.copy2(ours / "pyvenv.cfg", venv)
    (venv / "installed").touch()


@dataclass(frozen=True)
class Demo:
    """What a demo left: ``summary`` (summary.json), ``report`` (HTML), ``stored`` (its S3 by key), what it printed."""

    summary: dict[str, Any]
    report: str
    stored: Path
    text: str


def demo(project: Path, data: Path, *typed: str, status: int = 0) -> Demo:
    """Type `make demo DATA=...` in the project, and what else is ``typed``; fails where the command ends otherwise than
    with ``status``.
    """
    stored = project.parent / f"{project.name}-stored"
    ended = subprocess.run(
        ["make", "demo", f"DATA={data}", *typed, f"AUTOML=.venv/bin/python {OBSERVER} {stored}"],
        cwd=project,
        env=offline(project),
        capture_output=True,
        text=True,
        timeout=60 * MINUTES_OF_A_DEMO,
    )
    assert ended.returncode == status, ended.stdout[-8000:] + ended.stderr[-12_000:]
    summary, report = (project / "build" / "demo" / name for name in ("summary.json", "report.html"))
    return Demo(
        json.loads(summary.read_text()) if summary.exists() else {},
        report.read_text() if report.exists() else "",
        stored,
        ended.stdout + ended.stderr,
    )


def command(automl: Path, project: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command of ``automl`` in the project, without any AWS in reach."""
    return subprocess.run(
        [automl, *map(str, arguments)],
        cwd=project,
        env=offline(project) | UNREACHABLE,
        capture_output=True,
        text=True,
        timeout=60 * MINUTES_OF_A_DEMO,
    )


def files_of(project: Path) -> dict[str, bytes]:
    """The project's own files and their content."""
    passing = {".git", ".venv", "build", "__pycache__", ".pytest_cache", ".ruff_cache"}
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in project.rglob("*")
        if path.is_file() and not passing & set(path.relative_to(project).parts)
    }
