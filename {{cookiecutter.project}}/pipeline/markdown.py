"""Pieces of Markdown as GitHub shows it.

Arguments are Markdown, so that a cell may hold code or a link; what comes from elsewhere (labels, names of
columns, reasons) goes through `escape` first.
"""

import re
from collections.abc import Iterable, Sequence

_RULES = {"l": "---", "r": "---:"}
# Whatever could start markup; between letters an underscore is harmless, and `race_Other` stays readable.
_MARKUP = re.compile(r"[&<>|`*~\[\]\\$]|(?<![^\W_])_|_(?![^\W_])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Where GitHub would notify somebody, close an issue or link.
_REFERENCE = re.compile(r"[@#]|\b(?:https?|ftp)://|\bwww(?=\.)", re.IGNORECASE)
_NO_SPACE = "\N{ZERO WIDTH SPACE}"


def escape(value: object) -> str:
    """A text of anybody's, in one line, that GitHub shows as it is: in a paragraph, a cell or a summary."""
    text = _REFERENCE.sub(lambda found: found[0] + _NO_SPACE, _one_line(value))
    return _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"&#{ord(found[0])};"), text)


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
    return " ".join(("" if value is None else str(value)).split())
