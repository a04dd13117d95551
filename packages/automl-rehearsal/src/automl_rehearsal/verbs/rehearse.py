"""``automl rehearse``: the project's life on the local AWS, from the data set to a serving endpoint."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from automl_gitops.commands import Delimiter, Encoding
from automl_gitops.data.formats import UTF_8, Dialect
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.kernel.files import at_home, prepare, write_text
from automl_gitops.kernel.waiting import patience

if TYPE_CHECKING:
    from automl_rehearsal.life import Life

app = typer.Typer()


@app.command(
    epilog="Example: automl rehearse --data my-table.csv --output build/demo, or in an account: "
    "automl rehearse --on-aws"
)
def rehearse(
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For summary.json and the rehearsal's files; build/rehearsal, or build/on-aws, by default.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Data set (CSV, gzipped CSV, Parquet); the example by default."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(metavar="N", help="Rows of the sample that is trained on; all by default.", min=50),
    ] = None,
    training_seconds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Budget of the Autopilot job, in seconds; 90, or 1800 on AWS, by default.",
            min=10,
        ),
    ] = None,
    until: Annotated[
        Literal["staging", "rolled-back"],
        typer.Option(help="How far: a verified staging endpoint, or a broken release and the way back too."),
    ] = "rolled-back",
    markdown: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report in Markdown, as a pull request shows it."),
    ] = None,
    delimiter: Delimiter = ",",
    encoding: Encoding = UTF_8,
    setup_seconds: Annotated[
        float, typer.Option(metavar="N", help="Seconds that the installation took, for summary.json.", min=0)
    ] = 0.0,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Train on fewer rows than the real Autopilot takes.")
    ] = False,
    on_aws: Annotated[
        bool,
        typer.Option(
            "--on-aws",
            help="Rehearse in the account of your credentials (an administrator's), on made-up rows, as a project of "
            "its own that is removed again; it costs money, which it asks about before.",
        ),
    ] = False,
    yes_cost: Annotated[
        float | None,
        typer.Option(
            metavar="USD", help="With --on-aws: accept that it may cost so much, and do not ask.", min=0
        ),
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="With --on-aws: only remove what one that was killed has left.")
    ] = False,
    confirm: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With --clean: which one, where its folder is lost (flight-...)."),
    ] = None,
) -> None:
    """Run the project's life in a copy of it, on the local AWS.

    The project's own files and its Git history stay as they are. With --on-aws it runs in a real account, and reports
    what that answered to all that could only be assumed.
    """
    started = time.monotonic()
    _end_on_signals()
    if on_aws:
        _refuse_with_on_aws(data=data, rows=rows, markdown=markdown, lenient=lenient)
        folder = (output or Path("build/on-aws")).resolve()
        _on_aws(folder, training_seconds, until, yes_cost, clean=clean, confirm=confirm)
        return
    if clean or confirm or yes_cost is not None:
        raise UserError(
            "--clean, --confirm and --yes-cost go with --on-aws: the local AWS costs and keeps nothing"
        )
    output, training_seconds = output or Path("build/rehearsal"), training_seconds or 90
    say, file, dialect = Output(), _existing(data), Dialect.of(delimiter, encoding)
    for place in filter(None, (output, markdown)):
        prepare(place)
    with patience(say, "preparing a copy of the project and a local AWS"):
        # Imported here because pandas takes seconds, which --help need not wait for.
        from automl_rehearsal.commands import CommandFailedError, Leash
        from automl_rehearsal.life import STEPS_TO_STAGING, Life
        from automl_rehearsal.rejection import next_step
        from automl_rehearsal.summary import failed, succeeded, where_to_look

        leash = Leash(output.resolve())  # before the copy of another one's rehearsal is replaced
        life = Life(Path.cwd(), output.resolve(), file, rows, training_seconds, dialect, lenient=lenient)
    life.leash = leash
    if until == "staging":
        life.steps = STEPS_TO_STAGING
    try:
        with _told(life, started, setup_seconds), life:
            life.train()
            life.serve()
            life.verify()
            if until == "rolled-back":
                life.promote()
                life.break_and_go_back()
        life.show()
        _write(markdown, succeeded(life.summary.document))
        where_to_look(say, Path.cwd(), output.resolve())
    except CommandFailedError as error:
        _write(markdown, failed(life.summary.document, error, life.title))
        told = f"the rehearsal stopped: {error}; its files are in {output}"
        if life.rejected:
            decision, report = Config.load(Path("automl.toml")).decision, output / "report.html"
            told += f"\n{next_step(life.rejected, decision, Path.cwd(), report.resolve())}"
        raise RunError(told) from error
    except KeyboardInterrupt:
        say.notice(
            "stopped, and with it the local AWS and all that ran on it; the same command starts afresh"
        )
        raise


@contextmanager
def _told(life: Life, started: float, setup_seconds: float) -> Iterator[None]:
    """Write summary.json in the end, whatever that is."""
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        life.end(error, total=setup_seconds + time.monotonic() - started, setup=setup_seconds)


def _refuse_with_on_aws(**given: object) -> None:
    """Raise `UserError` for options of the local rehearsal: on AWS the rows are made up, and as few as possible."""
    named = [f"--{name}" for name, value in given.items() if value]
    if named:
        raise UserError(
            f"{', '.join(named)}: not with --on-aws, which makes up as few rows as Autopilot takes"
        )


def _on_aws(
    folder: Path,
    training_seconds: int | None,
    until: Literal["staging", "rolled-back"],
    yes_cost: float | None,
    *,
    clean: bool,
    confirm: str | None,
) -> None:
    """Fly, or only remove what a flight left."""
    from automl_rehearsal import flight

    prepare(folder)
    if clean:
        if yes_cost is not None:
            raise UserError("--yes-cost: removing costs nothing, so leave it out with --clean")
        flight.clean(Path.cwd(), folder, confirm=confirm)
    elif confirm:
        raise UserError("--confirm goes with --clean: a flight has a new name each time")
    else:
        flight.fly(Path.cwd(), folder, training_seconds=training_seconds, until=until, yes_cost=yes_cost)


def _existing(data: Path | None) -> Path | None:
    """The file, if one is named; raises `UserError` where there is none."""
    if data is None:
        return None
    path = at_home(data)
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
