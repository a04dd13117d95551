from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
import typer
from botocore import exceptions
from botocore.stub import Stubber
from making import automl_toml, lock, table

from pipeline import cli
from pipeline.__main__ import app
from pipeline.aws import Aws, explain
from pipeline.console import Output
from pipeline.errors import RunError, UserError


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
        ["dataset", "push"],
        ["definition", "--account", "12"],
    ],
)
def test_wrong_arguments_are_the_users_error(
    arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(app, arguments) == 2

    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    ["definition", "plan", "upsert", "run", "status", "summary", "stop", "report",
     "dataset push", "dataset refer", "dataset show", "dataset inspect", "dataset example",
     "dataset prepare-hospital"],
)  # fmt: skip
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(app, [*command.split(), "--help"]) == 0

    assert f"Example: python -m pipeline {command}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("group", [[], ["dataset"]])
def test_the_list_of_commands_is_in_whole_sentences(
    group: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    assert cli.run(app, [*group, "--help"]) == 0

    commands = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert len(commands) >= 5
    assert all(line.endswith((".", ").")) and not line.endswith("...") for line in commands), commands


def test_json_is_alone_on_standard_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = table(folder / "patients.csv")

    status = cli.run(app, ["dataset", "inspect", str(file), "--json"])

    printed = capsys.readouterr()
    assert status == 0
    assert json.loads(printed.out)["rows"] == 200
    assert "200 rows" in printed.err


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

    status = cli.run(app, ["upsert"])

    assert status == 2
    assert f"error: {file}: not found" in capsys.readouterr().err


def test_nothing_is_called_for_a_wrong_configuration(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "automl.toml").write_text(automl_toml(gate={"minimum": "high"}))
    monkeypatch.setattr(Aws, "client", lambda *_: pytest.fail("AWS was called"))

    status = cli.run(app, ["upsert"])

    assert status == 2
    assert 'automl.toml: [gate] minimum = "high" is not a number' in capsys.readouterr().err


def test_region_is_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    client = Aws("eu-west-1").client("s3")

    assert client.meta.region_name == "eu-west-1"


def test_account_is_asked_for_once() -> None:
    aws = Aws("eu-west-1")
    aws._clients["sts"] = boto3.client(
        "sts", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(aws._clients["sts"]) as stubber:
        stubber.add_response(
            "get_caller_identity", {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root"}, {}
        )

        accounts = {aws.account, aws.account}

    assert accounts == {"123456789012"}
