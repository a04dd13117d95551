from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from botocore import exceptions
from botocore.stub import Stubber
from making import automl_toml, lock, table

from automl_gitops.commands.main import main
from automl_gitops.kernel import cli
from automl_gitops.kernel.aws import Aws, explain
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError


def service_error(code: str, message: str = "because") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "StartPipelineExecution")


ANSWERS = [
    pytest.param(exceptions.NoCredentialsError(), UserError, "aws sso login", id="no credentials"),
    pytest.param(
        exceptions.ProfileNotFound(profile="x"), UserError, "aws configure list-profiles", id="profile"
    ),
    pytest.param(exceptions.NoRegionError(), UserError, "[project] region in automl.toml", id="region"),
    pytest.param(
        exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
        RunError,
        "AWS_ENDPOINT_URL",
        id="network",
    ),
    pytest.param(
        exceptions.ReadTimeoutError(endpoint_url="x"), RunError, "AWS does not answer", id="timeout"
    ),
    pytest.param(service_error("ExpiredToken"), UserError, "does not accept the credentials", id="expired"),
    pytest.param(
        service_error("AccessDeniedException"),
        RunError,
        "not allowed to call StartPipelineExecution",
        id="denied",
    ),
    pytest.param(service_error("ThrottlingException"), RunError, "AWS is busy", id="throttled"),
    pytest.param(
        service_error("ValidationException", "Two\n lines."),
        RunError,
        "StartPipelineExecution failed: Two lines (ValidationException)",
        id="any",
    ),
]


@pytest.mark.parametrize(("error", "kind", "sentence"), ANSWERS)
def test_an_error_of_aws_is_one_sentence(error: Exception, kind: type[Exception], sentence: str) -> None:
    told = explain(error)

    assert type(told) is kind
    assert sentence in str(told)
    assert "\n" not in str(told)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UserError("look here"), 2),
        (RunError("it failed"), 1),
        (exceptions.NoCredentialsError(), 2),
        (service_error("AccessDenied"), 1),
        (KeyboardInterrupt(), 130),
        (typer.Exit(3), 3),
    ],
)
def test_exit_status(error: BaseException, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    failing = typer.Typer()

    @failing.command()
    def command() -> None:
        raise error

    ended = cli.run(failing, [])

    assert ended == status
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_keeps_its_traceback() -> None:
    failing = typer.Typer()

    @failing.command()
    def command() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        cli.run(failing, [])


def test_github_gets_an_annotation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    failing = typer.Typer()

    @failing.command()
    def command() -> None:
        raise UserError("automl.toml: 5 %\nand more", file="automl.toml", line=7)

    cli.run(failing, [])

    assert "::error file=automl.toml,line=7::automl.toml: 5 %25%0Aand more" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--no-such-option"],
        ["run", "--again", "1"],
        ["nonsense"],
        ["data", "push"],
        ["definition", "--account", "12"],
    ],
)
def test_wrong_arguments_are_the_users_error(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2

    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["definition", "plan", "upsert", "run", "execution", "summary", "stop", "report",
     "data check", "data push", "data refer", "data show", "data inspect", "data example",
     "data prepare-hospital"],
)  # fmt: skip
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0

    assert f"Example: automl {command}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("group", [[], ["data"]])
def test_the_list_of_commands_is_in_whole_sentences(
    group: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert main([*group, "--help"]) == 0

    options, _, listed = capsys.readouterr().out.partition("  --help ")[2].partition("\n\n")
    commands = [
        line for line in listed.partition("\n\n  A first run")[0].splitlines() if line.startswith("  ")
    ]
    assert options
    assert len(commands) >= 5
    assert all(line.endswith((".", ").")) and not line.endswith("...") for line in commands), commands


def test_json_is_alone_on_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table(folder / "patients.csv")

    status = main(["data", "inspect", str(file), "--json"])

    printed = capsys.readouterr()
    assert status == 0
    assert json.loads(printed.out)["rows"] == 800
    assert "800 rows" in printed.err


def test_a_push_names_the_columns_that_the_one_before_did_not_have(
    folder: Path, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(folder / "patients.csv")
    assert main(["data", "push", str(file)]) == 0
    assert "the columns are not those" not in capsys.readouterr().err
    rows = [line.split(",") for line in file.read_text().splitlines()]
    file.write_text("".join(",".join(row[1:]) + "\n" for row in rows))

    assert main(["data", "push", str(file), "--json"]) == 0

    assert "the columns are not those of the dataset.lock before: gone: age" in capsys.readouterr().err


def test_a_table_with_semicolons_is_read_with_an_option(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "t.csv"
    file.write_bytes("größe;label\n".encode("cp1252") + b"1;a\n2;b\n" * 30)

    assert main(["data", "inspect", str(file), "--encoding", "cp1252"]) == 2
    assert (
        "separated by semicolons, and Autopilot reads commas: add --delimiter ';'" in capsys.readouterr().err
    )
    status = main(["data", "inspect", str(file), "--delimiter", ";", "--encoding", "cp1252", "--json"])

    columns = json.loads(capsys.readouterr().out)["columns"]
    assert (status, [column["name"] for column in columns]) == (0, ["größe", "label"])


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base64", "undefined", "nonsense"])
def test_what_is_no_encoding_of_texts_is_refused(
    folder: Path, encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "t.csv"
    file.write_text("a,label\n1,x\n2,y\n")

    assert main(["data", "inspect", str(file), "--encoding", encoding]) == 2
    assert f"--encoding '{encoding}': is no encoding that Python knows" in capsys.readouterr().err


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output().say("[bold]" + "x" * 200)

    assert capsys.readouterr().out == "[bold]" + "x" * 200 + "\n"


@pytest.mark.parametrize("file", ["dataset.lock", "evaluation/evaluate.py"])
def test_nothing_is_called_where_a_file_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    if file != "dataset.lock":
        lock().save()
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))

    status = main(["upsert"])

    assert status == 2
    assert f"error: {file}: not found" in capsys.readouterr().err


def test_nothing_is_called_for_a_wrong_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": "high"}))
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))

    status = main(["upsert"])

    assert status == 2
    line = 1 + (folder / "automl.toml").read_text().splitlines().index('minimum = "high"')
    assert f'automl.toml:{line}: [gate] minimum = "high" is not a number' in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["definition --account 123456789012", "plan --base main", "upsert", "run", "data check rows.csv"],
)
def test_every_command_says_all_at_once_before_anything_is_paid(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"gate": {"minimum": 5, "minimums": {"f1": 0.5}}, "evaluation": {"slices": ["wards"]}}
    (folder / "automl.toml").write_text(automl_toml(**changes))
    lock().save(folder / "dataset.lock")
    table(folder / "rows.csv")
    git = ("git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Start")):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    status = main(command.split())

    said = capsys.readouterr().err
    assert status == 2
    assert "minimum = 5 can be reached by no model" in said
    assert 'minimums has "f1", which MulticlassClassification does not have: use f1_macro' in said
    assert 'slices names "wards", which is no input column of' in said
    assert said.count("::error file=automl.toml,line=") == 3


def test_a_file_is_checked_without_aws(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))
    file = table(folder / "rows.csv")
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": 0.0}))

    status = main(["data", "check", str(file), "--json"])

    found = json.loads(capsys.readouterr().out)
    assert status == 0
    assert found["rows"] == {"total": 800, "train_validation": 640, "test": 160}
    assert sum(found["classes"].values()) == 800
    assert [notice for notice in found["notices"] if "minimum = 0 lets every model pass" in notice]
    assert not (folder / "dataset.lock").exists()


def test_a_file_is_checked_without_pandas(folder: Path) -> None:
    """The import takes longer than all else that the command does."""
    file = table(folder / "rows.csv")
    (folder / "automl.toml").write_text(automl_toml())
    code = (
        "import sys; from automl_gitops.commands.main import main; "
        "sys.exit(main(['data', 'check', sys.argv[1]]) or 'pandas' in sys.modules)"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code, file], cwd=folder, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [["data", "check"], ["rehearse", "--data"], ["data", "contract"]])
def test_a_name_that_no_file_can_have_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    (folder / "automl.toml").write_text(automl_toml())

    assert main([*command, "9" * 300]) == 2

    assert "9" * 300 in capsys.readouterr().err


def test_a_command_ends_without_taking_the_interpreter_down() -> None:
    """Arrow's threads would abort it: "terminate called without an active exception", once in many runs."""
    code = """
import atexit, os
from automl_gitops.kernel.cli import leave

class Held:
    def __del__(self, write=os.write):
        write(2, b"taken down")

held = Held()
atexit.register(print, "and cleaned up")
print("all is said", end=" ")
leave(3)
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "all is said and cleaned up\n", "")


def test_a_command_that_is_interrupted_while_it_is_imported_shows_nothing_of_that() -> None:
    code = """
import sys

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from automl_gitops.__main__ import program
program()
"""

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_a_file_of_fewer_rows_than_autopilot_takes_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table(folder / "rows.csv", rows=344)

    assert main(["data", "check", str(file)]) == 2
    assert "275 rows to train on, and Autopilot takes 500 or more" in capsys.readouterr().err

    (folder / "automl.toml").write_text(automl_toml(autopilot={"least_rows": 20}))

    assert main(["data", "check", str(file)]) == 0
    assert "the real Autopilot refuses" in capsys.readouterr().out


def test_region_is_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    client = Aws("eu-west-1").client("s3")

    assert client.meta.region_name == "eu-west-1"


def test_account_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    aws = Aws("eu-west-1")
    with Stubber(aws.client("sts")) as stubber:
        stubber.add_response(
            "get_caller_identity", {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"}, {}
        )

        accounts = {aws.account, aws.account}

    assert accounts == {"123456789012"}
