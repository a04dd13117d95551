"""How every command of the project ends: 0 done, 1 a run or a service failed, 2 the user has something to
change.
"""

import os
import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import typer
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from rich.console import Console
from rich.text import Text

from pipeline.aws import explain
from pipeline.errors import Finding, RunError, UserError

INTERRUPTED = 130  # what shells give for SIGINT


@runtime_checkable
class _UsageProblem(Protocol):
    exit_code: int

    def show(self) -> None: ...


def run(app: typer.Typer, arguments: Sequence[str] | None = None, *, name: str | None = None) -> int:
    """Run a Typer application and return its exit status; an error is one sentence on standard error, never a
    traceback.

    ``name`` is what the usage line calls the program, e.g. `python -m pipeline`. A defect of the project
    itself still shows its traceback.
    """
    command = typer.main.get_command(app)
    try:
        status = command.main(args=arguments, prog_name=name, standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except UserError as error:
        _report(error)
        return 2
    except RunError as error:
        _report(error)
        return 1
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        return _report(explain(error))
    except ValueError as error:
        if "Invalid endpoint" not in str(error):
            raise
        return _report(explain(error))
    except BrokenPipeError:
        # Whoever read the output (`| head`) has seen enough; without this Python complains while it closes
        # the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # What Click finds wrong with the arguments; its class has no public name in Typer.
        if not isinstance(error, _UsageProblem):
            raise
        error.show()
        return error.exit_code
    return status if isinstance(status, int) else 0


def _report(error: UserError | RunError) -> int:
    findings = error.findings if isinstance(error, UserError) else (Finding(str(error)),)
    message = "\n".join(map(str, findings))
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        Text.assemble(("error: ", "bold red"), message), soft_wrap=True
    )
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for finding in findings:
            print(annotation(finding), file=sys.stderr)
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
    place = f" file={file}" + (f",line={line}" if line else "") if file else ""
    return f"::{kind}{place}::" + text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
