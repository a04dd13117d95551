"""A page for people: what it says, before it is Markdown for GitHub or a view for a terminal.

Words are anybody's: a text in them is shown as it is in either form, and what is code, a link or strong says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Code:
    """A command, a name, a value."""

    text: object


@dataclass(frozen=True)
class Strong:
    """What stands out."""

    text: str


@dataclass(frozen=True)
class Warn:
    """The mark of a sentence that nobody should miss."""


Word = str | Code | Strong | Warn
Words = Word | tuple[Word, ...]


@dataclass(frozen=True)
class Bullets:
    """Sentences, one by one."""

    sentences: Sequence[Words]


@dataclass(frozen=True)
class Table:
    """A table; ``alignment`` has `l` or `r` for each column."""

    headings: Sequence[Words]
    rows: Sequence[Sequence[Words]]
    alignment: str = ""


@dataclass(frozen=True)
class Log:
    """Lines of a log, as `automl_gitops.kernel.logs` shows them."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Links:
    """Addresses with what they lead to, behind a few words."""

    title: str
    links: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of the page; a ``folded`` one opens at a click where space is short and something can be clicked."""

    title: Words
    blocks: Sequence["Block"]
    folded: bool = False


# Words alone are a paragraph.
Block = Words | Bullets | Table | Log | Links | Section
Mark = Literal["", "good", "bad"]


@dataclass(frozen=True)
class Page:
    """The whole page; ``mark`` says how it went."""

    title: str
    blocks: Sequence[Block]
    mark: Mark = ""


def words(given: Words) -> tuple[Word, ...]:
    """Words one by one."""
    return given if isinstance(given, tuple) else (given,)
