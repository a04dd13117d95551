"""Values of a column as dataset.lock describes it: made up, and of the same type, range, shares and looks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

import numpy as np

from automl_gitops.data.lock import Column
from automl_gitops.data.statistics import LEAST_ROWS_OF_A_VALUE, MISSING

_LEAST_PRESENT = 20  # rows with a value, so that there are some to train on and some held out
_LONGEST_TEXT = 300  # characters; a longer text shows no more
_SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORDS = ("a", "b", "c", "d")  # of a text of which nothing is known
_FIRST_DAY, _LAST_DAY = date(2015, 1, 1), date(2024, 12, 31)


def draw(column: Column, rows: int, counted: int, random: np.random.Generator) -> np.ndarray:
    """So many values as the text that a file has, empty where there is none; ``counted`` are the rows that
    ``column`` is about.
    """
    values = present(column, rows, random)
    lacking = round(rows * (column.missing or 0) / max(counted, 1))
    if column.missing:
        needed = max(_LEAST_PRESENT, LEAST_ROWS_OF_A_VALUE * len(column.values or ()))
        lacking = min(max(lacking, 1), max(rows - needed, 0))
        # Drawn anew for fewer rows, so that each value stays in.
        values = np.concatenate([present(column, rows - lacking, random), np.full(lacking, "", dtype=object)])
        random.shuffle(values)
    return values


def present(column: Column, rows: int, random: np.random.Generator) -> np.ndarray:
    """Values none of which is missing."""
    if column.values:
        return spread(column.values, rows, LEAST_ROWS_OF_A_VALUE, random)
    if column.looks_like == "date":
        return _repeated(_dates(column, _levels(column, rows), random), rows, random)
    if column.looks_like == "identifier":
        return _identifiers(column, rows, random)
    if column.type == "text":
        return _repeated(_texts(column, _levels(column, rows), random), rows, random)
    numbers = _repeated(_numbers(column, _levels(column, rows), random), rows, random)
    return np.array([str(number) for number in numbers], dtype=object)


def spread(shares: Mapping[str, int], rows: int, least: int, random: np.random.Generator) -> np.ndarray:
    """Labels of these shares in random order, each of them in ``least`` rows or more if there are so many."""
    labels = np.repeat(np.array(list(shares), dtype=object), allot(shares, rows, least))
    random.shuffle(labels)
    return labels


def allot(shares: Mapping[str, int], rows: int, least: int) -> np.ndarray:
    """Rows for each label: of these shares, and no fewer than ``least`` where that is possible."""
    parts = np.array(list(shares.values()), dtype=float)
    least = min(least, rows // len(parts))
    counts = np.maximum(np.floor(parts / parts.sum() * rows).astype(int), least)
    for place in np.argsort(-counts, kind="stable"):
        surplus = int(counts.sum()) - rows
        if surplus <= 0:
            break
        counts[place] -= min(surplus, counts[place] - least)
    counts[np.argmax(counts)] += rows - counts.sum()
    return counts


def _levels(column: Column, rows: int) -> int:
    """How many different values there are in so many rows."""
    return rows if column.distinct is None else max(1, min(column.distinct, rows))


def _repeated(levels: np.ndarray, rows: int, random: np.random.Generator) -> np.ndarray:
    """Each level once at least, and as often as it takes."""
    values = np.concatenate([levels, random.choice(levels, rows - len(levels))])
    random.shuffle(values)
    return values


def _numbers(column: Column, number: int, random: np.random.Generator) -> np.ndarray:
    """Numbers of the column's range with both its ends: half of them evenly spread, half near the lower end, as
    counts and prices are.
    """
    whole = column.type == "integer"
    if column.least is None or column.most is None:
        strength = random.normal(0.0, 1.0, number)
        return np.array([round(10 * one) if whole else round(one, 3) for one in strength], dtype=object)
    least, most = column.least, column.most
    if whole and most - least < number:
        return np.arange(least, most + 1).astype(object)
    places = random.random(number)
    places[number // 2 :] **= 4
    made = [_between(least, most, place, whole=whole) for place in places]
    return np.array(sorted(dict.fromkeys([least, most, *made]))[:number] if number > 1 else [most], object)


def _between(least: float, most: float, place: float, *, whole: bool) -> float:
    if whole:
        return int(least) + int(place * (int(most) - int(least)))
    value = least * (1 - place) + most * place
    size = max(abs(least), abs(most)) or 1.0
    return min(max(round(value, 5 - math.floor(math.log10(size))), least), most)


def _identifiers(column: Column, number: int, random: np.random.Generator) -> np.ndarray:
    """Values that all differ."""
    running = 100_000 + random.permutation(number)
    if column.type != "text":
        return np.array([str(one if column.type == "integer" else float(one)) for one in running], object)
    width = max((column.length or 0) - 1, 6)
    return np.array([f"k{one:0{min(width, 63)}}" for one in running], object)


def _dates(column: Column, number: int, random: np.random.Generator) -> np.ndarray:
    """Days, with a time where the column's texts are long enough for one."""
    first, last = _FIRST_DAY, _LAST_DAY
    compact = column.type == "integer" or column.length == len("20240131")
    if column.least is not None and column.most is not None:
        first, last = (_day(bound, other) for bound, other in ((column.least, first), (column.most, last)))
    seconds = max((last - first).days, 1) * 86_400
    timed = not compact and (column.length or 0) > len("2024-01-31")
    found: dict[str, None] = {}
    for offset in random.integers(0, seconds, number):
        moment = datetime.combine(first, time()) + timedelta(seconds=int(offset))
        if compact:
            found[f"{moment:%Y%m%d}"] = None
        else:
            found[f"{moment:%Y-%m-%d %H:%M:%S}" if timed else f"{moment:%Y-%m-%d}"] = None
    return np.array(list(found), dtype=object)


def _day(number: float, other: date) -> date:
    try:
        return datetime.strptime(str(int(number)), "%Y%m%d").date()
    except ValueError:
        return other


def _texts(column: Column, number: int, random: np.random.Generator) -> np.ndarray:
    """Different texts, as long as the column's or shorter."""
    if column.length is None:
        return np.array(_WORDS[: max(number, 1)], dtype=object)
    longest = min(column.length, _LONGEST_TEXT)
    width = 1
    while len(_LETTERS) ** width < number:
        width += 1
    lengths = random.integers(min(width, longest), longest, number, endpoint=True)
    lengths[0] = longest
    return np.array([_text(code, width, int(length), random) for code, length in enumerate(lengths)], object)


def _text(code: int, width: int, length: int, random: np.random.Generator) -> str:
    """Words that end in letters of which no other ``code`` has the same."""
    end = "".join(_LETTERS[code // len(_LETTERS) ** place % len(_LETTERS)] for place in range(width))
    room = length - width
    words = ""
    while len(words) < room:
        words += "".join(random.choice(_SYLLABLES, random.integers(1, 4))) + " "
    text = words[: max(room, 0)] + end
    return text + "x" if text in MISSING else text
