"""Pieces of Markdown as GitHub shows it.

Arguments are Markdown, so that a cell may hold code or a link; what comes from elsewhere (labels, names of
columns, reasons) goes through `escape` first.
"""

import re
from collections.abc import Iterable, Sequence

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
    Word,
    Words,
    words,
)
from automl_gitops.kernel.words import visible

_RULES = {"l": "---", "r": "---:"}
# Whatever could start markup; between letters an underscore is harmless, and `race_Other` stays readable.
_MARKUP = re.compile(r"[&<>|`*~\[\]\\$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Where GitHub would notify somebody, close an issue or link.
_REFERENCE = re.compile(r"[@#]|\b(?:https?|ftp)://|\bwww(?=\.)", re.IGNORECASE)
_NO_SPACE = "\N{ZERO WIDTH SPACE}"
_MARKS = {"": "", "good": " :white_check_mark:", "bad": " :x:"}


def escape(value: object) -> str:
    """A text of anybody's, in one line, that GitHub shows as it is: in a paragraph, a cell or a summary."""
    text = _REFERENCE.sub(lambda match: match[0] + _NO_SPACE, _one_line(value))
    return _MARKUP.sub(lambda match: _ENTITIES.get(match[0], f"&#{ord(match[0])};"), text)


def code(value: object) -> str:
    """A value as code; in it only a backtick, and in a table a bar, needs care."""
    text = _one_line(value).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], alignment: str = "") -> str:
    """A table; ``alignment`` has `l` or `r` for each column."""
    rules = [_RULES[one] for one in alignment or "l" * len(headings)]
    lines = [headings, rules, *([str(one) for one in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def folded(title: str, text: str) -> str:
    """A text that opens at a click; ``title`` is HTML, which `escape` suits too."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def number(value: float | None) -> str:
    """A figure with four digits."""
    return "" if value is None else f"{value:.4g}"


def _one_line(value: object) -> str:
    return visible(" ".join(("" if value is None else str(value)).split()))


def fenced(lines: Sequence[str]) -> str:
    """Lines of anybody's as they are, in a fence that nothing in them can close."""
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return "\n".join((f"{fence}text", *map(visible, lines), fence))


def render(page: Page) -> str:
    """A page: short at the top, the rest folded."""
    mark = _MARKS[page.mark]
    return "\n\n".join((f"### {inline(page.title)}{mark}", *map(block, page.blocks))) + "\n"


def block(given: Block, level: int = 4) -> str:
    """A part of a page; ``level`` is that of a section's heading."""
    if isinstance(given, Bullets):
        return bullets(map(inline, given.sentences))
    if isinstance(given, Table):
        rows = [[*map(inline, row)] for row in given.rows]
        return table([*map(inline, given.headings)], rows, given.alignment)
    if isinstance(given, Log):
        return fenced(given.lines)
    if isinstance(given, Links):
        return f"{escape(given.title)}: " + ", ".join(f"[{escape(text)}]({url})" for text, url in given.links)
    if isinstance(given, Section):
        inner = "\n\n".join(block(one, level + 1) for one in given.blocks)
        title = inline(given.title)
        return folded(title, inner) if given.folded else f"{'#' * level} {title}\n\n{inner}"
    return inline(given)


def inline(given: Words) -> str:
    """Words in a paragraph, a cell, a heading, or a summary."""
    return "".join(_word(word) for word in words(given))


def _word(word: Word) -> str:
    if isinstance(word, Code):
        return code(word.text)
    if isinstance(word, Strong):
        return f"**{escape(word.text)}**"
    if isinstance(word, Warn):
        return ":warning:"
    # The space beside code is a sentence's, so that it stays.
    text = escape(word)
    return f"{' ' if word[:1] == ' ' else ''}{text}{' ' if text and word[-1:] == ' ' else ''}"
