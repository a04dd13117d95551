"""A page for a terminal: colours only there, words wrapped at its width, tables that fit; elsewhere, plain lines."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.style import Style
from rich.table import Table as Grid
from rich.text import Text

from automl_gitops.kernel.console import printed
from automl_gitops.kernel.page import (
    Block,
    Bullets,
    Code,
    Links,
    Log,
    Page,
    Section,
    Strong,
    Table,
    Warn,
    Words,
    words,
)

_TITLES = {"": "bold", "good": "bold green", "bad": "bold red"}
_FOLDED = 12  # columns of the terminal in which a folded text can still be read
_GAP = 2  # between two columns of a table
_BAR = "| "  # before a line of a log: at a line's beginning, GitHub's runner would read commands


def show(page: Page, console: Console) -> None:
    """Print the page."""
    console.print(Text(printed(page.title), style=_TITLES[page.mark]), soft_wrap=True)
    blocks(page.blocks, console)


def blocks(given: Sequence[Block], console: Console) -> None:
    """Print parts of a page, with a line between them."""
    for one in given:
        console.print()
        _block(one, console)


def _block(given: Block, console: Console) -> None:
    if isinstance(given, Bullets):
        for sentence in given.sentences:
            _paragraph(sentence, console, "- ")
    elif isinstance(given, Table):
        _table(given, console)
    elif isinstance(given, Log):
        for line in given.lines:
            console.print(Text(_BAR + printed(line), style="dim"), soft_wrap=True)
    elif isinstance(given, Links):
        console.print(Text(f"{printed(given.title)}:"), soft_wrap=True)
        for text, url in given.links:
            shown = printed(url)
            console.print(Text.assemble(f"  {printed(text)}: ", (shown, Style(link=shown))), soft_wrap=True)
    elif isinstance(given, Section):
        console.print(styled(given.title, "bold"), soft_wrap=True)
        for number, one in enumerate(given.blocks):
            # A table has its own distance from what stands above it.
            if number and not isinstance(one, Table):
                console.print()
            _block(one, console)
    else:
        _paragraph(given, console)


def styled(given: Words, style: str = "") -> Text:
    """Words with the emphasis that a terminal has."""
    text = Text(style=style)
    for word in words(given):
        if isinstance(word, Code):
            text.append(_in_line(str(word.text)), "cyan")
        elif isinstance(word, Strong):
            text.append(_in_line(word.text), "bold")
        elif isinstance(word, Warn):
            text.append("warning:", "bold yellow")
        else:
            text.append(_kept(word))
    return text


def _kept(word: str) -> str:
    """In one line and neutralised, with the space beside code."""
    text = _in_line(word).rstrip()
    return text + (" " if word[-1:] == " " and text else "")


def _in_line(text: str) -> str:
    return " ".join(printed(line).rstrip() for line in text.replace("\r\n", "\n").split("\n"))


def _paragraph(given: Words, console: Console, bullet: str = "") -> None:
    if not console.is_terminal:
        console.print(Text(bullet) + styled(given), soft_wrap=True)
        return
    grid = Grid.grid()
    if bullet:
        grid.add_column(width=len(bullet))
    grid.add_column(overflow="fold")
    grid.add_row(*((bullet,) if bullet else ()), styled(given))
    console.print(grid, soft_wrap=False)


def _table(whole: Table, console: Console) -> None:
    given = _without_empty_columns(whole)
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    alignment = given.alignment
    for heading, side in zip(given.headings, alignment, strict=True):
        number = side == "r"
        grid.add_column(
            styled(heading), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in given.rows:
        grid.add_row(*map(styled, row))
    if _narrowest(given, alignment) <= console.width:
        console.print(grid, soft_wrap=False)
        return
    # More columns than the terminal is wide: a line for each row, without its empty cells.
    for first, *others in given.rows:
        cells = [
            f"{styled(heading)} {cell}"
            for heading, one in zip(given.headings[1:], others, strict=True)
            if (cell := str(styled(one))) not in ("", "0")
        ]
        _paragraph((Strong(str(styled(first))), f": {', '.join(cells) or '-'}"), console, "  ")


def _without_empty_columns(given: Table) -> Table:
    """A column of nothing but its heading says nothing."""
    alignment = given.alignment or "l" * len(given.headings)
    kept = [number for number in range(len(given.headings)) if any(row[number] != "" for row in given.rows)]
    return Table(
        [given.headings[number] for number in kept],
        [[row[number] for number in kept] for row in given.rows],
        "".join(alignment[number] for number in kept),
    )


def _narrowest(given: Table, alignment: str) -> int:
    """The columns of the terminal that a table needs: numbers in one piece, texts folded."""
    widths = []
    for column, side in zip(zip(given.headings, *given.rows, strict=True), alignment, strict=True):
        longest = max(styled(cell).cell_len for cell in column)
        widths.append(longest if side == "r" else min(longest, _FOLDED))
    return sum(widths) + _GAP * (len(widths) - 1)
