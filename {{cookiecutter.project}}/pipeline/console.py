"""What a command says: text for people, one JSON document for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_LOG_WIDTH = 140  # columns of a table in a log, where nobody's window sets them


class Output:
    """Text for people on standard output; with ``as_json`` on standard error, and the result as JSON on
    standard output.

    Values are printed as they are: no markup is read out of them, and a line is not broken where no terminal
    is.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.console = Console(stderr=as_json, highlight=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.width = _LOG_WIDTH

    @property
    def live(self) -> bool:
        """Whether somebody looks on: lines may be redrawn."""
        return self.console.is_terminal

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def notice(self, text: str) -> None:
        """Print one line that somebody should not miss."""
        self.say(f"notice: {text}", "yellow")

    def done(self, text: str) -> None:
        """Print one line about something that went well."""
        self.say(text, "green")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]], title: str = "") -> None:
        """Print a table; on a terminal with rules, otherwise still aligned."""
        table = Table(title=title or None, title_justify="left")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
        self.console.print(table, soft_wrap=False)

    def result(self, document: Any) -> None:
        """Print ``document`` as JSON on standard output if the command was asked for JSON."""
        if self.as_json:
            print(json.dumps(document, indent=2, ensure_ascii=False, default=str))
