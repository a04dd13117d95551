"""What a command says: text for people, one JSON document for programs."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from automl_gitops.kernel.words import is_unseen, visible

_LOG_WIDTH = 140  # columns of a table in a log, where nobody's window sets them
# What GitHub's runner takes for a command, `::name` where a line begins; ARNs have digits or a third colon there.
_COMMAND = re.compile(r"##(?=\[)|(?<!:):(?=:[A-Za-z-]+(?: |::))")


class _Console(Console):
    """A console that leaves a closed pipe (`| head`) to the command line."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that prints values as they are, and breaks no line where no terminal is.

    Colours are a terminal's alone, and not even its own where NO_COLOR is set; COLUMNS sets the width.
    """
    made = _Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _LOG_WIDTH
    return made


def printed(text: str) -> str:
    """A text of anybody's as a terminal or a log shows it, and no command to GitHub's runner."""
    return _COMMAND.sub(r"\g<0> ", visible(text))


class Output:
    """Text for people on standard output; with ``as_json`` on standard error, and the result as JSON on
    standard output.

    Values are printed as they are: no markup is read out of them, and a line is not broken where no terminal
    is. ``last`` is the output of the command that runs.
    """

    last: ClassVar["Output | None"] = None

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.has_result = False
        self.console = console(stderr=as_json)
        Output.last = self

    @property
    def live(self) -> bool:
        """Whether somebody looks on: lines may be redrawn."""
        return self.console.is_terminal

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        self.console.print(Text(printed(text), style=style), soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print one line that somebody should not miss."""
        self.say(f"notice: {text}", "yellow")

    def done(self, text: str) -> None:
        """Print one line about something that went well."""
        self.say(text, "green")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
        """Print a table; on a terminal with rules, otherwise still aligned."""
        table = Table(title=Text(printed(title)) if title else None, title_justify="left")
        for heading in headings:
            table.add_column(Text(printed(heading)), overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if cell is None else printed(str(cell))) for cell in row))
        self.console.print(table, soft_wrap=False)

    def result(self, document: Any) -> None:
        """Print ``document`` as JSON on standard output if the command was asked for JSON."""
        self.has_result = True
        if self.as_json:
            unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
            text = json.dumps(document, indent=2, ensure_ascii=not unicode, default=str)
            # JSON escapes the first 32 characters alone; the rest of what a terminal obeys stands within texts, too.
            shown = "".join(json.dumps(c)[1:-1] if c != "\n" and is_unseen(c) else c for c in text)
            print(shown.replace("##[", "#\\u0023["))
