"""A plan builds the base branch's definition with the base's wheels, which are on the path and not installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from making import ACCOUNT, automl_toml, lock

from automl_gitops.plan import Both, Building
from support.project import PROJECT

PACKAGE = Path(__file__).parents[2]
EVALUATION = PACKAGE.with_name("automl-evaluation")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project without its wheels; vendor/ is empty."""
    folder = tmp_path / "base"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("vendor"))
    (folder / "vendor").mkdir()
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the package, of another version than what is installed."""
    copy = tmp_path / "sources"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("tests", "__pycache__", ".mypy_cache"))
    init = copy / "src" / "automl_gitops" / "__init__.py"
    init.write_text(init.read_text().replace('__version__ = "', '__version__ = "9.'))
    return copy


@pytest.fixture
def wheel(sources: Path, project: Path) -> Path:
    """Its wheel in vendor/."""
    return build(sources, project)


def build(sources: Path, project: Path) -> Path:
    code = f"from flit_core.buildapi import build_wheel; print(build_wheel({str(project / 'vendor')!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sources, check=True, capture_output=True, encoding="utf-8"
    )
    return project / "vendor" / done.stdout.strip()


def test_the_command_is_the_wheels(wheel: Path, project: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "automl_gitops", "--version"],
        cwd=project,
        env={"PYTHONPATH": str(wheel)},
        capture_output=True,
        check=True,
        encoding="utf-8",
    )

    assert told.stdout.startswith("automl 9.")


@pytest.mark.slow
def test_it_builds_the_definition(wheel: Path, project: Path) -> None:
    assert wheel.exists()
    (project / "automl.toml").write_text(automl_toml())
    lock().save(project / "dataset.lock")

    definition, said = Building(project, ACCOUNT).result()

    assert definition is not None, said
    assert [step["Name"] for step in definition["Steps"]][:2] == ["StartAutopilot", "WaitForAutopilot"]
    assert ACCOUNT in json.dumps(definition)


@pytest.mark.slow
def test_a_base_of_fewer_wheels_is_built_by_these(sources: Path, project: Path) -> None:
    """As before `automl-evaluation`, whose modules were a room of `automl-gitops`, was a package of its own."""
    room = sources / "src" / "automl_gitops" / "evaluation"
    shutil.copytree(EVALUATION / "src" / "automl_evaluation", room)
    for path in (*sources.rglob("*.py"), *(project / "evaluation").glob("*.py")):
        path.write_text(path.read_text().replace("automl_evaluation", "automl_gitops.evaluation"))
    # That version's own check of what an evaluation may import.
    bundle = sources / "src" / "automl_gitops" / "runs" / "bundle.py"
    bundle.write_text(bundle.read_text().replace('== "automl_gitops"', '== "nothing"'))
    build(sources, project)
    (project / "automl.toml").write_text(automl_toml())
    lock().save(project / "dataset.lock")

    definition, said = Building(project, ACCOUNT).result()

    assert definition is not None, said
    assert [step["Name"] for step in definition["Steps"]][:2] == ["StartAutopilot", "WaitForAutopilot"]


@pytest.mark.slow
def test_two_folders_with_the_same_wheels_are_built_from_one_import(
    wheel: Path, project: Path, tmp_path: Path
) -> None:
    assert wheel.exists()
    (project / "automl.toml").write_text(automl_toml())
    lock().save(project / "dataset.lock")
    other, broken = (shutil.copytree(project, tmp_path / name) for name in ("other", "broken"))
    module = other / "pipeline" / "definition.py"
    module.write_text(module.read_text().replace('"StartAutopilot"', '"Begin"'))
    (broken / "pipeline" / "definition.py").unlink()

    (ours, _), (theirs, _) = Both(project, other).results(ACCOUNT)
    (_, _), (nothing, reason) = Both(project, broken).results(ACCOUNT)

    assert ours == Building(project, ACCOUNT).result()[0]
    assert theirs == Building(other, ACCOUNT).result()[0]
    assert theirs["Steps"][0]["Name"] == "Begin"
    assert nothing is None
    assert reason.startswith("pipeline/definition.py: not found")
