"""The command `automl` itself: where it finds the project, what its help says, and what that costs."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl_gitops import __version__
from automl_gitops.commands.main import COMMANDS, OURS, ROWS, Command, main
from support.project import PROJECT

HEAVY = ("numpy", "pandas", "pyarrow", "sagemaker", "sklearn")
SLOW_FOR_HELP = (*HEAVY, "boto3", "botocore", "pydantic", "rich")
# As where it is not installed.
WITHOUT_REHEARSAL = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name == "automl_rehearsal":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
LEAN = ("comment", "drift", "promote", "propose", "rollback", "stage", "status", "teardown")


def python(code: str, folder: Path = PROJECT, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout


def imported(code: str, names: tuple[str, ...]) -> list[str]:
    """Those of the packages that were imported once the code has run."""
    last = python(f"import sys\n{code}\nprint()\nprint([name for name in {names!r} if name in sys.modules])")
    return list(json.loads(last.splitlines()[-1].replace("'", '"')))


def made_up_rows(folder: Path) -> None:
    """A project whose example is made up: that of another target would be downloaded."""
    text = (PROJECT / "automl.toml").read_text()
    (folder / "automl.toml").write_text(text.replace('target = "readmitted"', 'target = "label"'))


def first_sentence(command: Command) -> str:
    found = command.app()
    assert found is not None
    if command.name == "data":
        return str(found.info.help)
    (callback,) = (
        one.callback
        for one in found.registered_commands
        if (one.name or one.callback.__name__) == command.name
    )
    return (inspect.getdoc(callback) or "").partition("\n\n")[0].replace("\n", " ")


@pytest.mark.parametrize("command", [*COMMANDS, *ROWS], ids=lambda command: command.name)
def test_help_lists_a_command_by_the_first_sentence_of_its_own_help(command: Command) -> None:
    assert first_sentence(command) == command.help


def test_every_command_is_in_the_list() -> None:
    modules = {(command.package, command.module): command for command in (*COMMANDS, *ROWS)}
    del modules[OURS, "data"]
    found = {
        one.name or one.callback.__name__
        for command in modules.values()
        for one in command.app().registered_commands
    }

    assert found | {"data"} == {command.name for command in (*COMMANDS, *ROWS)}


def test_help_imports_no_other_package_s_commands() -> None:
    for typed in (["--help"], ["data", "--help"], ["data", "push", "--help"]):
        code = f"from automl_gitops.commands.main import main; main({typed})"
        assert imported(code, ("automl_rehearsal",)) == []


@pytest.mark.parametrize(
    "typed",
    [["rehearse", "--until", "staging"], ["rehearse", "--help"], ["data", "example", "--rows", "80"],
     ["data", "prepare-hospital", "rows.csv"]],
)  # fmt: skip
def test_a_command_whose_package_is_not_installed_says_which(typed: list[str]) -> None:
    code = f"{WITHOUT_REHEARSAL}\nfrom automl_gitops.commands.main import main; sys.exit(main({typed}))"

    ended = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, encoding="utf-8")

    name = " ".join(typed).removeprefix("data ").partition(" ")[0]
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"error: {name}: is a command of the package automl-rehearsal, which is not installed here: "
        "type make setup, or install automl-rehearsal\n"
    )


def test_help_imports_nothing_that_it_does_not_need() -> None:
    assert imported("from automl_gitops.commands.main import main; main(['--help'])", SLOW_FOR_HELP) == []


@pytest.mark.parametrize("name", LEAN)
def test_a_command_on_what_is_trained_needs_nothing_to_train(name: str) -> None:
    assert imported(f"from automl_gitops.commands.main import main; main([{name!r}, '--help'])", HEAVY) == []


def test_what_those_commands_import_when_they_run_needs_nothing_to_train() -> None:
    modules = (
        "github.pull_request", "promotion.drift", "promotion.promote", "promotion.propose", "promotion.rollback",
        "promotion.stage", "promotion.status", "stacks.teardown",
    )  # fmt: skip
    code = "\n".join(f"import automl_gitops.{module}" for module in modules)

    assert imported(code, HEAVY) == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"automl {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("da", ["data"]),
        ("data pu", ["push"]),
        ("data ex", ["example"]),
        ("data example --ro", ["--rows"]),
        ("rehearse --da", ["--data"]),
        ("pro", ["propose", "promote"]),
        ("run --wa", ["--wait"]),
    ],
)
def test_completion(typed: str, completed: list[str]) -> None:
    words = f"automl {typed}"

    printed = python(
        "from automl_gitops.commands.main import main; main([])",
        _AUTOML_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )

    assert printed.split() == completed


def test_a_subfolder_is_the_project_and_its_paths_are_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up_rows(tmp_path)
    folder = tmp_path / "notebooks" / "first"
    folder.mkdir(parents=True)
    (folder / "rows.csv").write_text("a,b\n" + "1,2\n" * 60)
    monkeypatch.chdir(folder)

    inspected = main(["data", "inspect", "rows.csv", "--json"])
    printed = json.loads(capsys.readouterr().out)
    monkeypatch.chdir(folder)
    made = main(["data", "example", "--output", "mine", "--rows", "80"])

    assert (inspected, printed["rows"]) == (0, 60)
    assert made == 0
    assert [path.parent for path in tmp_path.rglob("*.csv") if path.name != "rows.csv"] == [folder / "mine"]


def test_a_default_path_is_the_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made_up_rows(tmp_path)
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")

    assert main(["data", "example", "--rows", "80"]) == 0

    assert [path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.csv")] == [("build", "data")]


def test_a_choice_that_is_none_is_said_without_the_library_s_words(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rehearse", "--until", "foo"]) == 2

    assert "Invalid value for '--until': 'foo' is not one of 'staging', " in capsys.readouterr().err


def test_outside_a_project_a_command_says_which_file_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["plan"]) == 2

    assert "error: automl.toml: not found" in capsys.readouterr().err
