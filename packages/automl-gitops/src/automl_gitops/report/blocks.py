"""What a report is made of, before it is HTML or Markdown: sections of tables, charts, facts and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Tone = Literal["plain", "good", "bad", "quiet"]


@dataclass(frozen=True)
class Cell:
    """A value in a table or a list of facts.

    ``more`` stands below it in small type (an interval); ``mark`` before it, so that no meaning hangs on the
    ``tone``'s colour alone. ``bar`` (0 to 1) draws its share of the cell's width. ``href`` is an https address.
    """

    text: str
    more: str = ""
    mark: str = ""
    tone: Tone = "plain"
    numeric: bool = False
    code: bool = False
    bar: float | None = None
    href: str = ""


@dataclass(frozen=True)
class Text:
    """A paragraph; a ``notice`` is one that nobody should miss."""

    kind: ClassVar[str] = "text"
    text: str
    notice: bool = False


@dataclass(frozen=True)
class Bullets:
    """Sentences, one by one."""

    kind: ClassVar[str] = "bullets"
    sentences: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows; ``numeric`` are the headings over numbers."""

    kind: ClassVar[str] = "table"
    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DescriptionList:
    """Terms and what they are."""

    kind: ClassVar[str] = "facts"
    facts: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite ``spec``, a sentence in its place (``summary``), and its numbers if no table beside it has them."""

    kind: ClassVar[str] = "chart"
    title: str
    summary: str
    spec: dict[str, Any]
    data: Table | None = None


@dataclass(frozen=True)
class Matrix:
    """A square table of rows, truth by prediction; its cells are shaded by their share of the truth's rows."""

    kind: ClassVar[str] = "matrix"
    caption: str
    labels: Sequence[str]
    rows: Sequence[Sequence[int]]

    def share(self, row: int, column: int) -> float:
        """The part of a class's rows that got a prediction; 0 for a class without rows."""
        total = sum(self.rows[row])
        return self.rows[row][column] / total if total else 0.0


@dataclass(frozen=True)
class Group:
    """Blocks that stand side by side where there is room."""

    kind: ClassVar[str] = "group"
    blocks: Sequence[Any]


Block = Text | Bullets | Table | DescriptionList | Chart | Matrix | Group


@dataclass(frozen=True)
class Section:
    """A part of the report; a ``closed`` one is folded in Markdown, where space is short."""

    id: str
    title: str
    blocks: Sequence[Block]
    closed: bool = False


@dataclass(frozen=True)
class Figure:
    """One of the few numbers at the top."""

    name: str
    value: str
    more: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True)
class Report:
    """The whole report. ``verdict`` is one sentence, ``reasons`` say why."""

    title: str
    subtitle: str
    accepted: bool
    verdict: str
    reasons: Sequence[str]
    figures: Sequence[Figure]
    notices: Sequence[str] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
