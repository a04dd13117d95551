"""Pieces of Markdown as GitHub shows it."""

from collections.abc import Iterable, Sequence

_RULES = {"l": "---", "r": "---:"}


def cell(value: object) -> str:
    """A value in one line, with what would end a cell or begin markup made harmless."""
    text = " ".join(("" if value is None else str(value)).split())
    return text.replace("|", "\\|").replace("<", "&lt;").replace("@", "@\u200b")


def code(value: object) -> str:
    """A value as code; in it only a backtick, and in a table a bar, needs care."""
    text = " ".join(("" if value is None else str(value)).split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], alignment: str = "") -> str:
    """A table; ``alignment`` has `l` or `r` for each column. Cells are Markdown: pass foreign text by `cell`."""
    rules = [_RULES[one] for one in alignment or "l" * len(headings)]
    lines = [headings, rules, *([str(one) for one in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {cell(line)}" for line in lines)


def folded(title: str, text: str) -> str:
    """A text that opens at a click."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def number(value: float | None) -> str:
    """A figure with four digits."""
    return "" if value is None else f"{value:.4g}"
