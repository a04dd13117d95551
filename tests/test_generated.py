"""The generated files as a user gets them: all of them, none too many, and nothing left to tidy."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import PROBLEM_TYPES, ROOT, bake, commit, offline

EXPECTED = (ROOT / "tests" / "generated_files.txt").read_text().splitlines()
TOOLS = Path(sys.executable).parent
# A project is read by its owner in an hour.
MOST_FILES, MOST_LINES_OF_PYTHON, MOST_LINES = 60, 2_500, 8_500


def files_of(project: Path) -> list[str]:
    return sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file())


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_exactly_the_expected_files_are_generated(projects, problem_type):
    assert files_of(projects[problem_type]) == EXPECTED


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_no_template_variable_survives(projects, problem_type):
    project = projects[problem_type]

    leftovers = [
        name
        for name in files_of(project)
        if not name.endswith(".whl")
        if re.search(r"cookiecutter\.|\{%", (project / name).read_text("utf-8"))
    ]

    assert leftovers == []


def test_its_owner_can_read_all_of_it(projects):
    """The figures are promised; wheels and locks are read by machines."""
    files = {name: projects["multiclass"] / name for name in EXPECTED}
    lines = {
        name: len(path.read_text("utf-8").splitlines())
        for name, path in files.items()
        if path.suffix not in (".lock", ".whl")
    }

    python = sum(n for name, n in lines.items() if name.endswith(".py") and not name.startswith("tests/"))
    assert len(files) <= MOST_FILES
    assert python <= MOST_LINES_OF_PYTHON
    assert sum(lines.values()) <= MOST_LINES


def test_only_the_few_files_that_carry_an_answer_differ_between_two_projects(template, tmp_path):
    bake(template, tmp_path / "a")
    bake(
        template,
        tmp_path / "b",
        project="other",
        description="Other.",
        repository="o/n",
        target="y",
        region="us-east-1",
        problem_type="Regression",
        objective="MAE",
    )
    one, other = tmp_path / "a" / "readmission", tmp_path / "b" / "other"

    different = [name for name in files_of(one) if (one / name).read_bytes() != (other / name).read_bytes()]

    assert different == ["README.md", "automl.toml", "pyproject.toml"]


def test_rendering_twice_gives_the_same_bytes(template, tmp_path):
    bake(template, tmp_path / "a")
    bake(template, tmp_path / "b")

    for name in EXPECTED:
        assert (tmp_path / "a/readmission" / name).read_bytes() == (
            tmp_path / "b/readmission" / name
        ).read_bytes(), name


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"description": "  100 % `of` <them> 😀 ", "target": 'a "b" `c` \\ |', "problem_type": "Binary"},
    ],
    ids=["defaults", "others"],
)
def test_cruft_renders_the_same_files(template, tmp_path, answers):
    source = tmp_path / "template"
    shutil.copytree(template, source)
    commit(source)
    bake(template, tmp_path / "cookiecutter", **answers)
    given = ("--extra-context", json.dumps(answers))

    subprocess.run(
        [TOOLS / "cruft", "create", "--no-input", "--output-dir", tmp_path / "cruft", *given, source],
        check=True,
        capture_output=True,
        timeout=120,
    )

    project = tmp_path / "cruft" / "readmission"
    assert (
        json.loads((project / ".cruft.json").read_text())["context"]["cookiecutter"]["project"]
        == "readmission"
    )
    (project / ".cruft.json").unlink()
    assert files_of(project) == EXPECTED
    for name in EXPECTED:
        assert (project / name).read_bytes() == (tmp_path / "cookiecutter/readmission" / name).read_bytes(), (
            name
        )


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
@pytest.mark.parametrize(
    "command",
    [
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "ruff", "check", "."],
        ["-m", "automl_gitops", "definition", "--help"],
    ],
    ids=["format", "lint", "command"],
)
def test_formatter_and_linter_change_nothing(projects, problem_type, command):
    project = projects[problem_type]

    result = subprocess.run(
        [sys.executable, *command], cwd=project, env=offline(project), capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_cloudformation_has_nothing_to_mend(projects):
    project = projects["multiclass"]

    result = subprocess.run(
        [TOOLS / "cfn-lint", *sorted(project.glob("infrastructure/*.yaml"))], capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout


def test_the_hooks_let_the_first_commit_pass_and_look_at_the_definition_once_there_is_data(
    template, tmp_path
):
    bake(template, tmp_path)
    project = tmp_path / "readmission"
    (project / ".venv").symlink_to(sys.prefix)
    commit(project)
    environment = offline(project) | {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}

    def hooks() -> subprocess.CompletedProcess[str]:
        command = [TOOLS / "pre-commit", "run", "--all-files"]
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)

    first = hooks()
    (project / "dataset.lock").write_text("[")
    commit(project)
    second = hooks()

    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 1
    assert "error: dataset.lock:" in second.stdout


def test_the_configuration_carries_the_answers(template, tmp_path):
    bake(
        template,
        tmp_path,
        project="churn",
        problem_type="binary",
        target="left",
        region="us-west-2",
        repository="o/r",
    )

    config = tomllib.loads((tmp_path / "churn" / "automl.toml").read_text())

    assert config["project"]["name"] == "churn"
    assert config["project"]["region"] == "us-west-2"
    assert config["project"]["repository"] == "o/r"
    assert config["dataset"]["target"] == "left"
    assert config["autopilot"]["problem_type"] == "BinaryClassification"
    assert config["autopilot"]["objective"] == "F1"
