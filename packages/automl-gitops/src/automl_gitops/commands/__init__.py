"""The command line `automl`, and the options that several of its commands have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from automl_gitops.kernel.environments import ServingProject

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Delimiter = Annotated[
    str, typer.Option("--delimiter", metavar="CHARACTER", help="What separates a CSV file's columns, or tab.")
]
Encoding = Annotated[
    str, typer.Option("--encoding", metavar="NAME", help="A CSV file's encoding, such as cp1252 or utf-16.")
]
Markdown = Annotated[
    Path | None,
    typer.Option(
        "--markdown", metavar="FILE", help="Write it there, as Markdown for GitHub; else it is printed."
    ),
]
ModelPackage = Annotated[
    str | None,
    typer.Option("--model-package", metavar="ARN", help="The version, by the ARN of its model package."),
]
Which = Annotated[
    str | None, typer.Argument(metavar="EXECUTION", help="Id or ARN; the newest one by default.")
]


def serving_project(*, as_json: bool) -> "ServingProject":
    """The project to a command that serves it; help does not wait for boto3."""
    from automl_gitops.kernel.config import Config
    from automl_gitops.kernel.console import Output
    from automl_gitops.kernel.environments import ServingProject

    return ServingProject(Config.load(), Output(as_json=as_json))
