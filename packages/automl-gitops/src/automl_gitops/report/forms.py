"""The two forms of a report: one HTML page that asks for nothing from outside, and Markdown for GitHub."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from automl_gitops.kernel.markdown import bullets, escape, folded, table
from automl_gitops.report import charts
from automl_gitops.report.blocks import (
    Block,
    Bullets,
    Cell,
    Chart,
    DescriptionList,
    Group,
    Matrix,
    Report,
    Section,
    Table,
)

_FOLDER = Path(__file__).parent


def as_html(report: Report) -> str:
    """The page; every text is escaped, whatever labels and columns are called."""
    return _template().render(report=report).lstrip()


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The picture is the renderer's own, which escapes the labels in it.
    environment.filters["svg"] = lambda chart: Markup(charts.svg(chart.spec, chart.summary))  # noqa: S704
    environment.globals["css"] = Markup((_FOLDER / "page.css").read_text(encoding="utf-8"))  # noqa: S704
    return environment.get_template("page.html.j2")


LIMIT = 60_000  # characters; GitHub takes 65,536 in a body or comment
_CUT = "\n\n_The rest did not fit here: it is in report.html._"


def as_markdown(report: Report, limit: int) -> str:
    """The document; sections at the end are left out where it would be longer than ``limit`` characters."""
    text = "\n\n".join(_opening(report))
    for section in report.sections:
        part = "\n\n" + "\n\n".join(_section(section))
        if len(text) + len(part) + len(_CUT) > limit:
            return text[: limit - len(_CUT)] + _CUT
        text += part
    return text + "\n"


def _opening(report: Report) -> Iterator[str]:
    mark, word = ("✅", "accepted") if report.accepted else ("❌", "rejected")
    yield f"## {mark} {escape(report.title)}: candidate {word}"
    yield f"{escape(report.verdict)}{':' if report.reasons else '.'}"
    if report.reasons:
        yield bullets(map(escape, report.reasons))
    for notice in report.notices:
        yield f"> [!WARNING]\n> {escape(notice)}"
    figures = [(escape(one.name), f"**{escape(one.value)}**", escape(one.more)) for one in report.figures]
    yield table(("", "", ""), figures, "lrl")
    yield escape(report.subtitle)


def _section(section: Section) -> Iterator[str]:
    parts = [part for block in section.blocks for part in _block(block)]
    if section.closed:
        yield folded(f"<b>{escape(section.title)}</b>", "\n\n".join(parts))
    else:
        yield f"### {escape(section.title)}"
        yield from parts


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Group):
        for one in block.blocks:
            yield from _block(one)
    elif isinstance(block, Table):
        yield f"{escape(block.caption)}:"
        yield _table(block)
    elif isinstance(block, Matrix):
        yield from _matrix(block)
    elif isinstance(block, DescriptionList):
        yield table(("", ""), [(escape(term), _cell(value)) for term, value in block.facts])
    elif isinstance(block, Bullets):
        yield bullets(map(escape, block.sentences))
    elif isinstance(block, Chart):
        yield f"**{escape(block.title)}.** {escape(block.summary)}"
        if block.data:
            yield folded(escape(block.data.caption), _table(block.data))
    elif block.notice:
        yield f"> [!NOTE]\n> {escape(block.text)}"
    else:
        yield escape(block.text)


def _table(block: Table) -> str:
    alignment = "".join("r" if heading in block.numeric else "l" for heading in block.headings)
    return table([*map(escape, block.headings)], [[*map(_cell, row)] for row in block.rows], alignment)


def _matrix(matrix: Matrix) -> Iterator[str]:
    yield f"{escape(matrix.caption)}, truth by prediction:"
    lines = []
    for number, row in enumerate(matrix.rows):
        cells = [f"{rows:,}<br>{100 * matrix.share(number, place):.1f}%" for place, rows in enumerate(row)]
        cells[number] = f"**{cells[number].replace('<br>', '**<br>', 1)}"
        lines.append([escape(matrix.labels[number]), *cells])
    yield table(["truth", *map(escape, matrix.labels)], lines, "l" + "r" * len(matrix.labels))


def _cell(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.href.startswith("https://"):
        text = f'<a href="{escape_address(cell.href)}">{text}</a>'
    elif cell.code and text:
        text = f"<code>{text}</code>"
    if cell.mark:
        text = f"{cell.mark} {text}"
    return f"{text}<br><sub>{escape(cell.more)}</sub>" if cell.more else text


def escape_address(address: str) -> str:
    """An address inside the quotes of an attribute."""
    return (
        address.replace("&", "&amp;")
        .replace('"', "%22")
        .replace("<", "%3C")
        .replace(">", "%3E")
        .replace("|", "%7C")
    )
