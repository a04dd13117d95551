"""The command line `automl`, and the options that several of its commands have."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
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
