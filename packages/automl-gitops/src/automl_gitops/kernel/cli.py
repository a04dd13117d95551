"""How every command ends: 0 done, 1 a run or a service failed, 2 the user has something to change."""

import atexit
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn, Protocol, runtime_checkable

import typer

from automl_gitops.kernel.errors import Finding, RunError, UserError
from automl_gitops.kernel.words import visible

DRIFT = 3  # what serves differs from what Git says
INTERRUPTED, PIPE_CLOSED = 130, 141  # what shells give for SIGINT and SIGPIPE


@runtime_checkable
class _UsageProblem(Protocol):
    exit_code: int
    message: str

    def show(self) -> None: ...


def run(
    app: typer.Typer,
    arguments: Sequence[str] | None = None,
    *,
    name: str | None = None,
    before: Callable[[], None] = lambda: None,
) -> int:
    """Run a Typer application and return its exit status; an error is one sentence on standard error, never a
    traceback.

    ``name`` is what the usage line calls the program; ``before`` is called first, and its errors end the program in
    the same way. A defect of the program itself still shows its traceback.
    """
    _prepare_streams()
    _forget_output()
    try:
        status = _run(app, arguments, name, before)
        sys.stdout.flush()
    except BrokenPipeError:
        return _pipe_closed()
    except SystemExit as end:
        # Click makes this of a closed pipe.
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return _pipe_closed()
    return status


def leave(status: int) -> NoReturn:
    """End the process without taking the interpreter down.

    While that goes on, a thread that wants the GIL is unwound; one of Arrow's that still holds an object of Python's
    (a handler of rows, a decoder) aborts the process then, now and then, though all is done.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _run(
    app: typer.Typer, arguments: Sequence[str] | None, name: str | None, before: Callable[[], None]
) -> int:
    command = typer.main.get_command(app)
    try:
        before()
        status = command.main(args=arguments, prog_name=name, standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        told = _told(error)
        if told is not None:
            return _report(told)
        # What Click finds wrong with the arguments; its class has no public name in Typer.
        if not isinstance(error, _UsageProblem):
            raise
        error.message = error.message.removeprefix("Value error, ")  # pydantic's, of a choice
        error.show()
        return error.exit_code
    return status if isinstance(status, int) else 0


def _told(error: Exception) -> UserError | RunError | None:
    """The error as one that a command may end with; `None` for a defect, or for wrong arguments."""
    if isinstance(error, UserError | RunError):
        return error
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return UserError(f"{error.filename}: is too long for a file's name: name another")
    if "botocore" not in sys.modules:  # whose import takes longer than help may
        return None
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    from automl_gitops.kernel.aws import explain

    of_aws = isinstance(error, Boto3Error | BotoCoreError | ClientError | ResponseParserError)
    no_address = isinstance(error, ValueError) and "Invalid endpoint" in str(error)
    return explain(error) if of_aws or no_address else None


def _forget_output() -> None:
    if "automl_gitops.kernel.console" in sys.modules:
        from automl_gitops.kernel.console import Output

        Output.last = None


def _pipe_closed() -> int:
    """Whoever read the output (`| head`) has seen enough; without this Python complains while it ends."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return PIPE_CLOSED


def _report(error: UserError | RunError) -> int:
    from rich.text import Text

    from automl_gitops.kernel.config_errors import placed
    from automl_gitops.kernel.console import Output, console, printed

    findings = tuple(map(placed, error.findings)) if isinstance(error, UserError) else (Finding(str(error)),)
    message = "\n".join(map(str, findings))
    console(stderr=True).print(Text.assemble(("error: ", "bold red"), printed(message)), soft_wrap=True)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for finding in findings:
            print(annotation(finding), file=sys.stderr)
    if Output.last and not Output.last.has_result:
        Output.last.result({"error": message})
    return 2 if isinstance(error, UserError) else 1


def annotation(finding: Finding) -> str:
    """The workflow command by which GitHub shows a finding on the run, and at the file's line where that is
    known.

    Source: GitHub Actions, "Workflow commands", setting an error message; `%`, CR and LF are escaped as it
    wants.
    """
    return workflow_command("error", finding.sentence, finding.file, finding.line)


def warn(text: str, file: str, line: int | None = None) -> None:
    """In a workflow: a warning on the run that GitHub shows at a file."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        print(workflow_command("warning", text, file, line), file=sys.stderr)


def workflow_command(kind: str, text: str, file: str | None = None, line: int | None = None) -> str:
    """`::kind file=...,line=...::text`."""
    named = _escaped(file or "").replace(":", "%3A").replace(",", "%2C")
    place = f" file={named}" + (f",line={line}" if line else "") if named else ""
    return f"::{kind}{place}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\n", "%0A")


def _prepare_streams() -> None:
    """Have standard output and error show what they cannot encode as `\\u2026`, instead of ending in an error.

    A terminal may know ASCII alone, and a file's name may be no text at all.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
