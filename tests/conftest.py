"""What the template's tests share: a clean copy of the template, and projects generated from it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from warmed import Warmed

from tools import wheels

ROOT = Path(__file__).resolve().parent.parent
COOKIECUTTER = Path(sys.executable).with_name("cookiecutter")
# What `make test` hands on: the commands that a test starts run as from a user's shell, not as parts of that make.
for _of_make in (
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "DATA",
    "TARGET",
    "PROBLEM",
    "LENIENT",
    "DELIMITER",
    "ENCODING",
    "STARTED",
):
    os.environ.pop(_of_make, None)
# What takes longest is begun first, so that in the end no process works alone for minutes.
LONGEST = (
    "strangers/test_demo.py",
    "test_documents.py",
    "workflows/test_story.py",
    "strangers/test_product.py",
    "workflows/test_long_training.py",
    "test_project.py",
    "test_report_page.py",
    "test_changes.py",
    "test_update.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of `LONGEST` before the others."""
    first = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path, len(first)))


def bake(template: Path, output: Path, **answers: str) -> subprocess.CompletedProcess[str]:
    """Run cookiecutter as a user would, without questions."""
    return subprocess.run(
        [
            COOKIECUTTER,
            "--no-input",
            "--output-dir",
            output,
            template,
            *(f"{k}={v}" for k, v in answers.items()),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def commit(folder: Path) -> None:
    """Commit everything that is in ``folder``, in a repository of its own."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for command in (
        ("init", "-q", "-b", "main"),
        ("add", "--all"),
        (*identity, "commit", "-q", "--allow-empty", "-m", "t"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)


def offline(project: Path) -> dict[str, str]:
    """The environment of a command in a generated project: no credentials of the machine, no proxy to AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GITHUB_"))}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PWD": str(project),
    }


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a clone would have it: tracked and new files, nothing that a tool left behind.

    Its wheels are of the sources of the moment; `test_wheels` says whether those that are committed are too.
    """
    clean = tmp_path_factory.mktemp("template")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clean / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clean / name)
    wheels.renew(clean)
    return clean


@pytest.fixture(scope="session")
def warmed() -> Iterator[Warmed]:
    """The process that runs commands which need not start as on any machine."""
    with tempfile.TemporaryDirectory(prefix="warmed-") as folder:
        found = Warmed(Path(folder))
        yield found
        found.end()


PROBLEM_TYPES = ("multiclass", "binary", "regression")


@pytest.fixture(scope="session")
def _generated(template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    output = tmp_path_factory.mktemp("generated")
    for problem_type in PROBLEM_TYPES:
        result = bake(template, output, project=f"try-{problem_type}", problem_type=problem_type)
        assert result.returncode == 0, result.stderr
    return {problem_type: output / f"try-{problem_type}" for problem_type in PROBLEM_TYPES}


@pytest.fixture
def projects(_generated: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One generated project for each problem type, of the test's own: its commands leave files there."""
    output = tmp_path_factory.mktemp("projects")
    return {
        problem_type: shutil.copytree(folder, output / folder.name)
        for problem_type, folder in _generated.items()
    }


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests measured, and at the very end what a machine without a browser did not test."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    figures = [
        value
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == "figures"
    ]
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(sorted(figures)))
    skipped = [
        report for report in terminalreporter.stats.get("skipped", []) if "test_report_page" in report.nodeid
    ]
    if skipped:
        terminalreporter.section("not tested", yellow=True)
        terminalreporter.line(f"{len(skipped)} tests: {skipped[0].longrepr[2].removeprefix('Skipped: ')}")
