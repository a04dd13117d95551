"""``python -m rehearsal``: the project's life on the local AWS, from the data set to a serving endpoint."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from pipeline import cli
from pipeline.errors import RunError

app = typer.Typer(add_completion=False, help=__doc__)


@app.command(epilog="example: python -m rehearsal --data my-table.csv --output build/demo")
def main(
    output: Annotated[Path, typer.Option(help="Folder for summary.json and the rehearsal's files.")] = Path(
        "build/rehearsal"
    ),
    data: Annotated[
        Path | None, typer.Option(help="Data set (CSV, gzipped CSV, Parquet); the example by default.")
    ] = None,
    training_seconds: Annotated[
        int, typer.Option(help="Budget of the Autopilot job, in seconds.", min=10)
    ] = 90,
    setup_seconds: Annotated[
        float, typer.Option(help="What the installation took, for summary.json.", min=0)
    ] = 0.0,
) -> None:
    """Run the project's life in a copy of the project; its own files and its Git history stay as they are."""
    # Imported here because moto takes a second, which --help need not wait for.
    from rehearsal.commands import CommandFailedError
    from rehearsal.life import Life

    started = time.monotonic()
    try:
        with Life(Path.cwd(), output.resolve(), data, training_seconds) as life:
            life.train()
            life.serve()
            life.promote()
            life.break_and_go_back()
            life.report(total=setup_seconds + time.monotonic() - started, setup=setup_seconds)
    except CommandFailedError as error:
        raise RunError(f"the rehearsal stopped: {error}; its files are in {output}") from error


if __name__ == "__main__":
    sys.exit(cli.run(app, name="python -m rehearsal"))
