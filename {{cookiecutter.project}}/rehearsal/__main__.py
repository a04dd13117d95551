"""``python -m rehearsal``: the project's life on the local AWS, from the data set to a serving endpoint."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline import cli
from pipeline.errors import RunError
from pipeline.files import prepare, write_text

app = typer.Typer(add_completion=False, help=__doc__)


@app.command(epilog="example: python -m rehearsal --data my-table.csv --output build/demo")
def main(
    output: Annotated[Path, typer.Option(help="Folder for summary.json and the rehearsal's files.")] = Path(
        "build/rehearsal"
    ),
    data: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            readable=True,
            help="Data set (CSV, gzipped CSV, Parquet); the example by default.",
        ),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="Rows of the sample that is trained on; all by default.", min=50)
    ] = None,
    training_seconds: Annotated[
        int, typer.Option(help="Budget of the Autopilot job, in seconds.", min=10)
    ] = 90,
    until: Annotated[
        Literal["staging", "rolled-back"],
        typer.Option(help="How far: a verified staging endpoint, or a broken release and the way back too."),
    ] = "rolled-back",
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report in Markdown, as a pull request shows it."),
    ] = None,
    setup_seconds: Annotated[
        float, typer.Option(help="What the installation took, for summary.json.", min=0)
    ] = 0.0,
) -> None:
    """Run the project's life in a copy of the project; its own files and its Git history stay as they are."""
    # Imported here because moto takes a second, which --help need not wait for.
    from rehearsal.commands import CommandFailedError
    from rehearsal.life import Life
    from rehearsal.report import failed, succeeded

    for place in filter(None, (output, markdown)):
        prepare(place)
    started = time.monotonic()
    life = Life(Path.cwd(), output.resolve(), data, rows, training_seconds)
    try:
        with life:
            life.train()
            life.serve()
            life.verify()
            if until == "rolled-back":
                life.promote()
                life.break_and_go_back()
            life.report(total=setup_seconds + time.monotonic() - started, setup=setup_seconds)
        _write(markdown, succeeded(life.summary.document))
    except CommandFailedError as error:
        _write(markdown, failed(life.summary.document, error, life.title))
        raise RunError(f"the rehearsal stopped: {error}; its files are in {output}") from error


def _write(file: Path | None, text: str) -> None:
    if file:
        write_text(file, text)


if __name__ == "__main__":
    sys.exit(cli.run(app, name="python -m rehearsal"))
