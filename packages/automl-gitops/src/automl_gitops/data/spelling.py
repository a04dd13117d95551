"""Values that a person reads otherwise than a trainer: numbers with signs, labels that look alike."""

import re
from collections.abc import Iterable

from automl_gitops.evaluation import values as reading

_HEXADECIMAL = re.compile(r"[+-]?0[xX][0-9a-fA-F]+")
_GROUP = "[1-9][0-9]{0,2}"
_SIGNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a currency sign", re.compile(r"[$€£¥₹₩₽]|\b(?:USD|EUR|GBP|CHF|JPY)\b", re.IGNORECASE)),
    ("a percent sign", re.compile(r"%")),
    ("underscores", re.compile(r"(?<=[0-9])_(?=[0-9])")),
    ("points between thousands and a decimal comma", re.compile(rf"^{_GROUP}(?:\.[0-9]{{3}})+,[0-9]+$")),
    ("commas between thousands", re.compile(rf"^{_GROUP}(?:,[0-9]{{3}})+(?![0-9])")),
    ("blanks between thousands", re.compile(rf"^{_GROUP}(?:\s[0-9]{{3}})+(?![0-9])")),
    ("apostrophes between thousands", re.compile(rf"^{_GROUP}(?:['\u2019][0-9]{{3}})+(?![0-9])")),
    ("a decimal comma", re.compile(r"^[0-9]+,[0-9]+$")),
)


def written(value: str) -> tuple[str, str] | None:
    """What a number is written with that no trainer reads, and the number without; `None` for any other text."""
    if _HEXADECIMAL.fullmatch(value.strip()):
        return "hexadecimal digits", str(int(value, 16))
    sign = "-" if value.strip().startswith("-") else ""
    text, signs = value.strip().removeprefix("-").removeprefix("+"), []
    for what, pattern in _SIGNS:
        if pattern.search(text):
            signs.append(what)
            text = _without(what, pattern, text).strip()
    if not signs or reading.number(text) is None:
        return None
    return " and ".join(signs), sign + text


def _without(what: str, pattern: re.Pattern[str], text: str) -> str:
    if "decimal comma" in what:
        return text.replace(".", "").replace(",", ".")
    return pattern.sub(lambda found: re.sub(r"[^0-9]", "", found[0]), text)


def are_written_numbers(labels: Iterable[str]) -> bool:
    """Whether nearly all are numbers, though some are written as no trainer reads them."""
    texts = list(labels)
    numbers = sum(reading.number(label) is not None or written(label) is not None for label in texts)
    return numbers >= 0.9 * len(texts)
