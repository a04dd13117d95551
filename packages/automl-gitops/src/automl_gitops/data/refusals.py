"""What is wrong with a row, as both the first look at a table and its push say it; the standard library is enough."""

from collections.abc import Sequence

from automl_gitops.kernel.words import counted, quoted

UNCLOSED = "is a quote opened that nothing closes?"


def wrong_width(where: str, has: int, wanted: int, *, is_open: bool) -> str:
    """That the row ``where`` has another number of columns; ``is_open``: a quote in it goes on beyond its line."""
    columns, commas = f"{counted(has, 'column')} instead of {wanted}", "quote values that contain commas"
    if not is_open:
        return f"{where} has {columns}: {commas if has > wanted else 'a value or a delimiter is missing'}"
    way = f", or {commas}" if has > wanted else ""
    return (
        f"a quote that is opened in {where} is not closed in its line, so that the row has {columns}: close it or "
        f"take it out{way}"
    )


def title(rows: Sequence[Sequence[str]]) -> str:
    """That the first of a file's first two rows is a title and no header; "" where it is none."""
    first, second = (*rows, [], [])[:2]
    if len(first) == 2 or len(second) < 2 or any(name.strip() for name in first[1:]):
        return ""
    return f"its first line, {quoted(first[0])}, looks like a title, as the next has {len(second)} columns: take it out"


def stray_quote(where: str, opened: str = "") -> str:
    """That text follows a closing quote in the row ``where``, of a value that begins with ``opened``."""
    before = f", which closes the one before {quoted(opened)}" if opened else ""
    return f"{where} has text behind a closing quote{before}: take out the stray quote, or write it twice in a value"


def swallowed(row: int, lines: int) -> str:
    """That a value reads as rows."""
    return (
        f"row {row} has a value of {lines:,} lines, with as many delimiters as rows have: {UNCLOSED} Then "
        f"{counted(lines - 1, 'row')} went into that value"
    )


def in_target(row: int, value: str, target: str) -> str:
    """That a row has a ``value`` in the target column."""
    return f'row {row} has {quoted(value)} in the target column "{target}"'


def missing_target(row: int, value: str, target: str, how_many: str = "") -> str:
    """That a row has no value in the target column, or one (``value``) that trainers read so."""
    what = f"has {quoted(value)}, which reads as no value," if value else "has no value"
    way = (
        "fill such cells or remove their rows, or give that another name where it is a class"
        if value
        else "fill it or remove the row"
    )
    return f'row {row} {what} in the target column "{target}"{how_many}: {way}'
