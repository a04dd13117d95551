"""``automl rehearse``: the project's life on the local AWS, from the data set to a serving endpoint."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.files import prepare, write_text
from automl_gitops.rehearsal.patience import patience

app = typer.Typer()


@app.command(epilog="Example: automl rehearse --data my-table.csv --output build/demo")
def rehearse(
    output: Annotated[
        Path, typer.Option(metavar="FOLDER", help="For summary.json and the rehearsal's files.")
    ] = Path("build/rehearsal"),
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Data set (CSV, gzipped CSV, Parquet); the example by default."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", help="Rows of the sample that is trained on; all by default.", min=50),
    ] = None,
    training_seconds: Annotated[
        int, typer.Option(metavar="N", help="Budget of the Autopilot job, in seconds.", min=10)
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
        float, typer.Option(metavar="N", help="Seconds that the installation took, for summary.json.", min=0)
    ] = 0.0,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Train on fewer rows than the real Autopilot takes.")
    ] = False,
) -> None:
    """Run the project's life in a copy of it, on the local AWS.

    The project's own files and its Git history stay as they are.
    """
    started = time.monotonic()
    _end_on_signals()
    say, file = Output(), _existing(data)
    for place in filter(None, (output, markdown)):
        prepare(place)
    with patience(say, "preparing a copy of the project and a local AWS"):
        # Imported here because pandas takes seconds, which --help need not wait for.
        from automl_gitops.rehearsal.commands import CommandFailedError
        from automl_gitops.rehearsal.life import STEPS_TO_STAGING, Life
        from automl_gitops.rehearsal.report import failed, succeeded
        from automl_gitops.rehearsal.summary import where_to_look

        life = Life(Path.cwd(), output.resolve(), file, rows, training_seconds, lenient=lenient)
    if until == "staging":
        life.steps = STEPS_TO_STAGING
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
        where_to_look(say, Path.cwd(), output.resolve())
    except CommandFailedError as error:
        _write(markdown, failed(life.summary.document, error, life.title))
        raise RunError(f"the rehearsal stopped: {error}; its files are in {output}") from error
    except KeyboardInterrupt:
        say.notice(
            "stopped, and with it the local AWS and all that ran on it; the same command starts afresh"
        )
        raise


def _existing(data: Path | None) -> Path | None:
    """The file, if one is named; raises `UserError` where there is none."""
    if data is None:
        return None
    path = data.expanduser()
    if not path.is_file():
        what = "is a folder: name one file in it" if path.is_dir() else "not found: give the path of a file"
        raise UserError(f"{data}: {what}")
    return path


def _end_on_signals() -> None:
    """Let a closed terminal, or a request to end, stop everything as Ctrl-C does."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _write(file: Path | None, text: str) -> None:
    if file:
        write_text(file, text)
