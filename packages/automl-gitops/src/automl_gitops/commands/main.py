"""`automl`: one command for everything, which finds the project upwards from the folder that it is called in.

A module of commands is imported when one of its commands is called: help, completion and short commands do not wait
for what they do not need. Some commands are those of another package, which need not be installed: this table knows
its name, and no module imports it.
"""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.models import CommandInfo

from automl_gitops import __version__
from automl_gitops.kernel import cli
from automl_gitops.kernel.errors import UserError

OURS, REHEARSAL = "automl_gitops.commands", "automl_rehearsal.verbs"
DATA, RUNS, SERVING, SETUP = "Data set", "Training", "Serving", "Set-up"


@dataclass(frozen=True)
class Command:
    """A command's name, its module in ``package``, the first line of its help, and where help lists it."""

    name: str
    module: str
    help: str
    panel: str = ""
    package: str = OURS

    def app(self) -> typer.Typer | None:
        """The module's application; `None` where its package is another than this, and not installed."""
        try:
            found: typer.Typer = importlib.import_module(f"{self.package}.{self.module}").app
        except ModuleNotFoundError as error:
            if error.name != self.package.partition(".")[0]:
                raise
            return None
        return found


COMMANDS = (
    Command("data", "data", "The data set: check and upload it, or get an example.", DATA),
    Command("definition", "runs", "Print the pipeline's definition (JSON).", RUNS),
    Command("plan", "runs", "Show what merging this branch changes, starts and costs.", RUNS),
    Command(
        "rehearse", "rehearse", "Run the project's life in a copy of it, on the local AWS.", RUNS, REHEARSAL
    ),
    Command("upsert", "runs", "Create or update the pipeline in AWS as the files say.", RUNS),
    Command("run", "runs", "Start the pipeline for the current commit.", RUNS),
    Command("execution", "runs", "Show the steps of an execution and how it ended.", RUNS),
    Command("stop", "runs", "Stop an execution with its Autopilot job; waits for it.", RUNS),
    Command("summary", "runs", "Show what came of an execution.", RUNS),
    Command("report", "runs", "Write the evaluation as a page.", RUNS),
    Command("stage", "serving", "Put a registered version on the staging endpoint.", SERVING),
    Command("invoke", "serving", "Send a file's rows to an endpoint and print its predictions.", SERVING),
    Command("verify", "serving", "Check what the staging endpoint answers; sign its version off.", SERVING),
    Command("propose", "serving", "Open (or update) the pull request that promotes a version.", SERVING),
    Command("promote", "serving", "Make production what environments/production.toml says.", SERVING),
    Command("rollback", "serving", "Commit the revert of the last promotion.", SERVING),
    Command("status", "serving", "Show what Git, the registry and the endpoints say.", SERVING),
    Command("drift", "workflow", "Tell of differences between AWS and Git in one issue.", SERVING),
    Command("dispatch", "workflow", "Start the workflow Retrain for an execution that goes on.", SERVING),
    Command("comment", "workflow", "Write reports into the pull request's one comment.", SERVING),
    Command("bootstrap", "infrastructure", "Create the roles, once; needs an administrator.", SETUP),
    Command("stack", "infrastructure", "Deploy bucket, queue, functions and registry.", SETUP),
    Command("doctor", "doctor", "Say what account, region or repository would refuse.", SETUP),
    Command("teardown", "serving", "Remove what the project created, after listing it.", SETUP),
)
# The commands of `data` that are another package's.
ROWS = (
    Command(
        "prepare-hospital", "rows", "Make the example's 15 columns out of UCI's FILE.", package=REHEARSAL
    ),
    Command("example", "rows", "Get example rows that fit automl.toml.", package=REHEARSAL),
)


class _Panels(TyperGroup):
    """Help that lists the commands by what they are about; Typer's own does so with rich alone, which help has not the
    time to import.
    """

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        for panel in (DATA, RUNS, SERVING, SETUP):
            with formatter.section(panel):
                formatter.write_dl([(one.name, one.help) for one in COMMANDS if one.panel == panel])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    wanted = _wanted(given)
    helps = not wanted or "--help" in given
    return cli.run(_app(*wanted), given, name="automl", before=_nothing if helps else enter_project)


def _nothing() -> None:
    """Help, the version and completion need no project."""


def _wanted(given: Sequence[str]) -> list[str]:
    """The command's name, with the next word, which may be one of its commands; nothing where there is no such command.

    They are the first words; with completion they stand in the line that is being typed.
    """
    words = (
        os.environ.get("COMP_WORDS", "").split()[1:] or os.environ.get("_TYPER_COMPLETE_ARGS", "").split()[1:]
    )
    first = [word for word in (words or given) if not word.startswith("-")][:2]
    return first if first and first[0] in {command.name for command in COMMANDS} else []


def _app(wanted: str = "", below: str = "") -> typer.Typer:
    app = typer.Typer(
        name="automl",
        cls=_Panels,
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Train, judge, serve and roll back a model of SageMaker Autopilot, as the project's files say.",
        epilog="A first run, after `automl stack`: data push FILE, upsert, run --wait, report.",
    )

    @app.callback()
    def program(
        version: bool = typer.Option(
            False, "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ) -> None:
        pass

    for command in COMMANDS:
        if command.name != wanted:
            _add_name(app, command)
        elif command.name == "data":
            _add_data(app, command, below)
        else:
            _add(app, command)
    return app


def _print_version(value: bool) -> None:
    if value:
        print(f"automl {__version__}")
        raise typer.Exit


def _add_name(app: typer.Typer, command: Command) -> None:
    """A command as help lists it."""
    app.command(command.name, help=command.help)(lambda: None)


def _add(app: typer.Typer, command: Command) -> None:
    """A command with its options; of a package that is not installed, one that says so whatever is given to it."""
    found = command.app()
    if found is None:
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        app.command(command.name, help=command.help, add_help_option=False, context_settings=anything)(
            _missing(command)
        )
        return
    ours = [_here(one) for one in found.registered_commands]
    app.registered_commands.append(next(one for one in ours if one.name == command.name))


def _add_data(app: typer.Typer, command: Command, wanted: str) -> None:
    """The group `data`, with the commands of another package that belong there."""
    group = copy.copy(command.app())
    assert group is not None  # noqa: S101 - it is this package's
    group.registered_commands = [_here(one) for one in group.registered_commands]
    for one in ROWS:
        if one.name == wanted:
            _add(group, one)
        else:
            _add_name(group, one)
    app.add_typer(group, name=command.name)


def _missing(command: Command) -> Callable[[], None]:
    """What a command does whose package is not installed."""

    def refuse() -> None:
        package = command.package.partition(".")[0].replace("_", "-")
        raise UserError(
            f"{command.name}: is a command of the package {package}, which is not installed here: type make setup, "
            f"or install {package}"
        )

    return refuse


def _here(command: CommandInfo) -> CommandInfo:
    """The same command under its name, with the paths of the folder that it is called in."""
    made = copy.copy(command)
    if made.callback:
        made.name = made.name or made.callback.__name__.replace("_", "-")
        made.callback = _with_paths(made.callback)
    return made


def _with_paths(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose files are those of the folder it is called in, though it works in the project's folder."""
    defaults = {name: one.default for name, one in inspect.signature(function).parameters.items()}

    def seen(name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [seen(name, one) for one in value]
        return from_here(value) if isinstance(value, Path) and value != defaults[name] else value

    @functools.wraps(function)
    def wrapped(**given: Any) -> Any:
        return function(**{name: seen(name, value) for name, value in given.items()})

    return wrapped


_SETTINGS = "automl.toml"
_called_in: Path | None = None


def enter_project() -> None:
    """Work in the project's folder: the nearest one upwards that has automl.toml.

    Where there is none nothing changes: the command that needs the file says so. The project's own code can be
    imported from then on.
    """
    global _called_in
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / _SETTINGS).is_file()), here)
    _called_in = here
    os.chdir(root)
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))


def from_here(path: Path) -> Path:
    """A path as it was typed, seen from the project's folder."""
    if _called_in is None or path.is_absolute() or _called_in == Path.cwd():
        return path
    return Path(os.path.relpath(_called_in / path, Path.cwd()))
