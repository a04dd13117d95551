"""What holds for every function: small, quick to import, boto3 and the standard library alone."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from automl_gitops.kernel.errors import UserError
from automl_gitops.stacks import stack

TEMPLATE = stack.FILE.read_text()
ALLOWED = sys.stdlib_module_names | {"boto3", "botocore"}


@pytest.fixture(params=("start-autopilot", "check-autopilot", "register-model"))
def code(request: pytest.FixtureRequest) -> stack.LambdaCode:
    return next(code for code in stack.zip_functions(TEMPLATE) if code.name == request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(stack.LAMBDAS, tmp_path / "lambdas"))


def test_the_zip_is_small_and_holds_the_one_file(code: stack.LambdaCode) -> None:
    with zipfile.ZipFile(io.BytesIO(code.content)) as archive:
        names = archive.namelist()

    assert names == [code.name.replace("-", "_") + ".py"]
    assert len(code.content) < 20_000


def test_only_boto3_and_the_standard_library_are_imported(code: stack.LambdaCode) -> None:
    tree = ast.parse((stack.LAMBDAS / f"{code.name.replace('-', '_')}.py").read_text())
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name.split(".")[0] for name in imported} <= ALLOWED


def test_the_zip_is_imported_by_itself(code: stack.LambdaCode, tmp_path: Path) -> None:
    archive = tmp_path / "function.zip"
    archive.write_bytes(code.content)
    program = f"import {code.name.replace('-', '_')} as function; print(callable(function.handler))"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(archive), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.stdout.strip() == "True"


@pytest.mark.parametrize("name", ["start_autopilot", "register_model"])
def test_a_steps_function_makes_its_clients_while_lambda_starts_it(name: str) -> None:
    program = f"import {name} as function; print(function.client.cache_info().currsize)"
    place = {"PYTHONPATH": str(stack.LAMBDAS), "PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1"}
    place |= {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "-", "AWS_SECRET_ACCESS_KEY": "-"}

    made = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=place | more,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout.strip()
        for more in ({}, {"AWS_LAMBDA_FUNCTION_NAME": name})
    ]

    assert made == ["0", "2"]


def test_the_same_code_is_the_same_zip(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        shutil.copytree(stack.LAMBDAS, tmp_path / folder, copy_function=shutil.copyfile)

    first = stack.zip_functions(TEMPLATE, tmp_path / "first")
    second = stack.zip_functions(TEMPLATE, tmp_path / "second")

    assert [code.key for code in first] == [code.key for code in second]
    assert [code.content for code in first] == [code.content for code in second]


def test_every_file_is_a_function_of_the_stack(folder: Path) -> None:
    (folder / "announce_model.py").write_text("def handler(event, context): ...\n")

    with pytest.raises(UserError, match=r"announce_model\.py: .* has no parameter AnnounceModelCode"):
        stack.zip_functions(TEMPLATE, folder)
    codes = stack.zip_functions(
        TEMPLATE.replace("Parameters:\n", "Parameters:\n  AnnounceModelCode:\n"), folder
    )

    assert [code.name for code in codes] == [
        "announce-model",
        "check-autopilot",
        "register-model",
        "start-autopilot",
    ]


def test_a_file_that_is_gone_is_named(folder: Path) -> None:
    (folder / "start_autopilot.py").unlink()

    with pytest.raises(UserError, match=r"start_autopilot\.py: not found, but .* has its StartAutopilotCode"):
        stack.zip_functions(TEMPLATE, folder)
