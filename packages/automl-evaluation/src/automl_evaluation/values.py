"""How the values of a table are read: which are missing, which are numbers, and which labels are one class.

The profile of a table on the runner and the evaluation in its container read by the same rules, so that what is pushed
can be judged. They are those of the trainers, who read CSV with type inference, as pandas does: `1`, `1.0` and `01` in
a column of numbers are one class, as are `True` and `true` in a column of booleans. In every other column a label is
the text as it stands.
"""

import csv
import re
from collections.abc import Iterable
from decimal import Decimal

UNKNOWN = "?"  # of UCI's files, which a push leaves empty: the trainers read it as a text
# What pandas, and with it the trainers, read as a missing value where they find it in a CSV file; and `UNKNOWN`.
MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", UNKNOWN, "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
)  # fmt: skip
GREATEST = 1e38  # trainers compute in float32, in which what is greater is infinite or cut
LONGEST_ROW = 1_000_000  # bytes; the feature container of the tuning mode takes requests of 1 MB
csv.field_size_limit(2**31 - 1)  # Python's own bound for a value is lower
BLANKS = " \t"  # that may stand around a number

# In the syntax of `re` and of RE2, Arrow's, alike.
FINITE = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
INFINITE = r"[+-]?[iI][nN][fF]([iI][nN][iI][tT][yY])?"
_FINITE, _INFINITE = re.compile(FINITE), re.compile(INFINITE)
_BOOLEANS = {"false": False, "true": True}

Key = Decimal | float | bool | str


def number(text: str) -> float | None:
    """What a trainer reads as a number, infinite ones included; `None` for every other text.

    Python takes `64_000` and digits of other scripts, too, and reads `1e400` as infinite.
    """
    stripped = text.strip(BLANKS)
    if _INFINITE.fullmatch(stripped):
        return float(stripped)
    value = float(stripped) if _FINITE.fullmatch(stripped) else float("inf")
    return value if abs(value) != float("inf") else None


def kind(labels: Iterable[str]) -> str:
    """`integer`, `number`, `boolean` or `text`: what a reader with type inference would take these labels for."""
    texts = list(labels)
    if texts and all(label.strip().lower() in _BOOLEANS for label in texts):
        return "boolean"
    if texts and all(_is_number(label) for label in texts):
        return "number" if set(".eE") & set("".join(texts)) else "integer"
    return "text"


def _is_number(label: str) -> bool:
    """Whether a label is a finite number; `Decimal` takes no exponents of any length."""
    value = number(label)
    return value is not None and abs(value) != float("inf") and len(label.lower().partition("e")[2]) < 6


def key(label: str, of_kind: str) -> Key:
    """What two spellings of one class have in common (of whole numbers all digits, of others the 15 that every float
    keeps); a label that is not of the kind is itself.
    """
    if of_kind == "boolean":
        return _BOOLEANS.get(label.strip().lower(), label)
    if of_kind == "text" or not _is_number(label):
        return label
    return Decimal(label.strip()) if of_kind == "integer" else float(f"{float(label):.15g}")


def sorted_labels(labels: Iterable[str]) -> list[str]:
    """Labels sorted as classes are: numbers by value, false before true, text by code point."""
    known = list(labels)
    of_kind = kind(known)
    return sorted(known, key=lambda label: key(label, of_kind))


def spellings(labels: Iterable[str]) -> list[list[str]]:
    """The groups of several labels that are one class, in the order in which they come."""
    texts = list(labels)
    of_kind = kind(texts)
    if of_kind == "text":
        return []
    groups: dict[Key, list[str]] = {}
    for label in texts:
        groups.setdefault(key(label, of_kind), []).append(label)
    return [group for group in groups.values() if len(group) > 1]
