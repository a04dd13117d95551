"""What is wrong with a row or a value, as both the first look at a table and its push say it.

Among the values are those that a person reads otherwise than a trainer: numbers with signs. The standard library is
enough.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence

from automl_evaluation import values as reading
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


def without_values(columns: Sequence[str], exclude: Sequence[str]) -> str:
    """That columns have no value at all; ``exclude`` is that of [dataset]."""
    several = len(columns) > 1
    more = f" and {len(columns) - 5} more" if len(columns) > 5 else ""
    line = f": exclude = {json.dumps([*exclude, *columns], ensure_ascii=False)}"
    return (
        f"column{'s' * several} {', '.join(map(quoted, columns[:5]))}{more} {'have' if several else 'has'} no value in "
        f"any row: remove what is empty, or name it in [dataset] exclude{line if len(line) < 400 else ''}"
    )


_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
# Other words behind a number may be names.
_UNIT = r"[kcm]?[glm][23\u00b2\u00b3]?|[hs]|min|km/h|kWh|(?:minute|hour|day|week|month|year)s?"
_GROUP = "[1-9][0-9]{0,2}"
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("parentheses", re.compile(r"^\(.+\)$")),
    ("a typographic minus", re.compile("^[\u2212\u2013]")),
    ("a currency sign", re.compile(r"[$€£¥₹₩₽]|\b(?:USD|EUR|GBP|CHF|JPY)\b", re.IGNORECASE)),
    ("a percent sign", re.compile(r"%")),
    ("a unit", re.compile(rf"(?<=[0-9.])\s+(?:{_UNIT})$")),
    ("underscores", re.compile(r"(?<=[0-9])_(?=[0-9])")),
    ("points between thousands and a decimal comma", re.compile(rf"^{_GROUP}(?:\.[0-9]{{3}})+,[0-9]+$")),
    ("points between thousands", re.compile(rf"^{_GROUP}(?:\.[0-9]{{3}}){{2,}}$")),  # of one: `thousands`
    ("commas between thousands", re.compile(rf"^{_GROUP}(?:,[0-9]{{3}})+(?![0-9])")),
    ("blanks between thousands", re.compile(rf"^{_GROUP}(?:\s[0-9]{{3}})+(?![0-9])")),
    ("apostrophes between thousands", re.compile(rf"^{_GROUP}(?:['\u2019][0-9]{{3}})+(?![0-9])")),
    ("a decimal comma", re.compile(r"^[0-9]+,[0-9]+$")),
)


def written(value: str) -> tuple[str, str] | None:
    """What a number is written with that no trainer reads, and the number without; `None` for any other text."""
    if _HEXADECIMAL.fullmatch(value.strip()):
        return "hexadecimal digits", str(int(value, 16))
    sign = "-" if value.strip()[:1] in ("-", "\u2212", "\u2013", "(") else ""
    text, signs = value.strip().removeprefix("-").removeprefix("+"), []
    for what, pattern in _SIGNS:
        if pattern.search(text):
            signs.append(what)
            text = _without(what, pattern, text).strip()
    if not signs or reading.number(text) is None:
        return None
    return " and ".join(signs), sign + text


def misread(value: str) -> tuple[str, str] | None:
    """What a value is that a person would read as a number and no trainer does, and the way out; `None` for others."""
    if signs := written(value):
        return f"a number with {signs[0]}", f"write {signs[1]}, and all others so"
    number = reading.number(value)
    return ("an infinite number", "correct it") if number and math.isinf(number) else None


def _without(what: str, pattern: re.Pattern[str], text: str) -> str:
    if what == "parentheses":
        return text[1:-1]
    if "decimal comma" in what:
        return text.replace(".", "").replace(",", ".")
    return pattern.sub(lambda found: re.sub(r"[^0-9]", "", found[0]), text)


def are_written_numbers(labels: Iterable[str]) -> bool:
    """Whether nearly all are numbers, though some are written as no trainer reads them."""
    texts = list(labels)
    numbers = sum(reading.number(label) is not None or written(label) is not None for label in texts)
    return numbers >= 0.9 * len(texts)
