"""Rows to rehearse with: a sample of a file, or made-up rows of the kind that dataset.lock describes."""

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from automl_evaluation.values import MISSING
from automl_gitops.data.lock import FILE, Column, DatasetLock
from automl_gitops.data.rules import TEST, TRAIN, VALIDATE
from automl_gitops.data.statistics import LEAST_ROWS_OF_A_VALUE
from automl_gitops.data.table import Table
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.settings.dataset import DatasetSettings
from automl_gitops.kernel.settings.model import LEAST_TRAINING_ROWS
from automl_rehearsal.hospital import save
from automl_rehearsal.made_up import ROWS_OF_A_GROUP, Kind, in_order, sides
from automl_rehearsal.made_up import columns as rule_columns

_LEAST_PRESENT = 20  # rows with a value, so that there are some to train on and some held out
_LONGEST_TEXT = 300  # characters; a longer text shows no more
_SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WORDS = ("a", "b", "c", "d")  # of a text of which nothing is known
_FIRST_DAY, _LAST_DAY = date(2015, 1, 1), date(2024, 12, 31)


def draw(column: Column, rows: int, counted: int, random: np.random.Generator) -> np.ndarray:
    """``rows`` values as text, empty where one is missing; ``counted`` is the number of rows that ``column``
    describes.
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
    """How many different values the column has in ``rows`` rows."""
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
    days: dict[str, None] = {}
    for offset in random.integers(0, seconds, number):
        moment = datetime.combine(first, time()) + timedelta(seconds=int(offset))
        if compact:
            days[f"{moment:%Y%m%d}"] = None
        else:
            days[f"{moment:%Y-%m-%d %H:%M:%S}" if timed else f"{moment:%Y-%m-%d}"] = None
    return np.array(list(days), dtype=object)


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


SEED = 7
_LEAST_OF_A_CLASS = 10  # rows to train on
_LEAST_HELD_OUT = 50
_MOST_ROWS = 20_000  # that are made up for the sake of many classes, or of a small holdout
_READABLE = 50  # different texts from which something can be learnt
_ONES = {"1": True, "1.0": True, "true": True, "0": False, "0.0": False, "false": False}


def find_lock(project: Path) -> DatasetLock | None:
    """The project's dataset.lock, `None` where there is none yet."""
    path = project / FILE
    return DatasetLock.load(path) if path.exists() else None


def sample(table: Table, rows: int, folder: Path, dataset: DatasetSettings) -> Path:
    """Some rows of a data set's file, as CSV below ``folder``: drawn at random, but a few of each class at least, in
    each part where a rule makes them.
    """
    frame = pd.concat([batch.to_pandas() for batch in table.batches()], ignore_index=True)
    order = np.random.RandomState(SEED).permutation(len(frame))
    target = dataset.target
    if target in frame:
        labels = frame[target].iloc[order]
        if labels.nunique() * _LEAST_OF_A_CLASS <= rows:
            if dataset.rule and {*dataset.rule_columns} <= {*frame.columns}:
                placed = sides(dataset, {name: frame[name].to_numpy() for name in dataset.rule_columns})
                labels = labels + "\n" + pd.Series(placed[order].astype(str), index=labels.index)
            few = labels.groupby(labels).cumcount().to_numpy() < _LEAST_OF_A_CLASS
            order = np.concatenate([order[few], order[~few]])
    made = folder / "sample.csv"
    save(frame.iloc[np.sort(order[:rows])], made, rows)
    return made


def stand_in(lock: DatasetLock, config: Config, rows: int, folder: Path) -> Path:
    """Made-up rows with the columns of ``lock`` and what it knows of them, as CSV below ``folder``.

    There are ``rows`` of them, or more where Autopilot or the classes want that. The target follows from a few
    columns, with noise, so that there is something to learn.
    """
    random = np.random.default_rng(SEED)
    rows = max(rows, _needed(lock, _not_trained_on(lock, config)))
    rule: dict[str, np.ndarray] = {}
    placed = None
    if config.dataset.rule:
        rule, placed = _by_rule(lock, config.dataset, rows)
        rows = len(placed)
    columns = {**rule, **_one_hot(lock, config, rows, random)}
    for column in lock.features:
        if column.name not in columns:
            columns[column.name] = draw(column, rows, lock.counted_rows, random)
    signal = _signal(lock, columns, rows, random)
    if placed is None:
        columns[lock.target] = _target(lock, config.dataset.holdout, signal, random)
    else:
        columns[lock.target] = np.empty(rows, dtype=object)
        for side in np.unique(placed):  # so that each part has every class
            here = placed == side
            columns[lock.target][here] = _target(lock, 0.0, signal[here], random)
    names = [*(lock.split.columns if lock.split else ()), *lock.columns]
    frame = pd.DataFrame({column.name: columns[column.name] for column in names})
    for name in (*config.dataset.exclude, config.dataset.weight):
        if name:  # nothing is known of it; a weight counts each row the same
            frame[name] = "1"
    made = folder / "synthetic-rows.csv"
    save(frame, made, rows)
    return made


def _classes(lock: DatasetLock) -> dict[str, int] | None:
    return lock.classes or lock.holdout_classes


def _by_rule(
    lock: DatasetLock, dataset: DatasetSettings, rows: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The columns of the rule, and the part in which it puts each row: of ``rows`` rows, or more where a part would
    have too few.
    """
    classes = len(_classes(lock) or ())
    few = 2 * max(_LEAST_PRESENT, classes)
    least = {TRAIN: max(LEAST_TRAINING_ROWS, _LEAST_OF_A_CLASS * classes), VALIDATE: few, TEST: few}
    kind = _kind(lock)
    while True:
        made = rule_columns(dataset, rows, kind, np.random.RandomState(SEED))
        placed = sides(dataset, made)
        short = [side for side, wanted in least.items() if np.count_nonzero(placed == side) < wanted]
        if lock.split and lock.split.split and not lock.rows.validation:
            short = [side for side in short if side != VALIDATE]
        if not short or rows >= _MOST_ROWS:
            return made, placed
        rows = min(math.ceil(1.3 * rows), _MOST_ROWS)


def _kind(lock: DatasetLock) -> Kind:
    """What ``lock`` knows of the columns by which its rows were split."""
    split = lock.split
    if split is None:
        return Kind()
    of_a_group = lock.rows.test / split.groups.test if split.groups and split.groups.test else ROWS_OF_A_GROUP
    parts = (lock.rows.train_validation or 0, lock.rows.validation or 0, lock.rows.test)
    return Kind(
        rows_of_a_group=of_a_group,
        times=(split.times.first, split.times.last) if split.times else Kind().times,
        parts=parts if lock.rows.total else None,
        integers=frozenset(
            column.name for column in (*split.columns, *lock.columns) if column.type == "integer"
        ),
    )


def _not_trained_on(lock: DatasetLock, config: Config) -> float:
    """The share of rows that are not in the object to train on."""
    if (lock.split or lock.rows.validation) and lock.rows.total and lock.rows.train_validation:
        return 1 - lock.rows.train_validation / lock.rows.total
    return 1 - config.training_share if config.sets_validation_apart else config.dataset.holdout


def _needed(lock: DatasetLock, holdout: float) -> int:
    """Rows so that enough are trained on whatever is held out, of each class too."""
    classes = len(_classes(lock) or ())
    train = math.ceil((LEAST_TRAINING_ROWS + classes) / (1 - holdout))
    held_out = min(math.ceil(_LEAST_HELD_OUT / holdout), _MOST_ROWS) if holdout else 0
    return max(train, held_out, classes * _least_of_a_class(classes, holdout))


def _least_of_a_class(classes: int, holdout: float) -> int:
    wanted = math.ceil(_LEAST_OF_A_CLASS / (1 - holdout))
    return max(2, min(wanted, _MOST_ROWS // max(classes, 1)))


def _one_hot(
    lock: DatasetLock, config: Config, rows: int, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """The 0/1 columns that an entry of `slices` takes for one (`race_*`): a row has a 1 in one of them at most."""
    made: dict[str, np.ndarray] = {}
    features = {column.name: column for column in lock.features}
    for entry in config.evaluation.slices:
        names = [name for name in features if fnmatchcase(name, entry)]
        if entry in features or any(name in made for name in names):
            continue
        ones = {name: _ones(features[name], lock.counted_rows, len(names)) for name in names}
        shares = {name: share for name, share in ones.items() if share is not None}
        others = 1 - sum(shares.values())
        if len(shares) < len(names) or not names or others < -1e-9:
            continue
        weights = {name: round(1e6 * share) for name, share in shares.items()}
        if others > 1e-9:
            weights[""] = round(1e6 * others)
        drawn = spread(weights, rows, 5, random)
        for name in names:
            no, yes = _spelled(features[name])
            made[name] = np.where(drawn == name, yes, no).astype(object)
    return made


def _ones(column: Column, counted: int, columns: int) -> float | None:
    """The share of ones in a 0/1 column without missing values; `None` if it is none."""
    if column.missing:
        return None
    if column.values:
        known = {_ONES.get(value.lower()): count for value, count in column.values.items()}
        return None if None in known else known.get(True, 0) / sum(known.values())
    if column.distinct is None and column.least is None:  # nothing is known of it
        return 1 / (columns + 1) if column.type != "text" else None
    rare = (column.least, column.most) == (0, 1) and column.distinct == 2
    return 1 / max(counted, 1) if rare else None


def _spelled(column: Column) -> tuple[str, str]:
    spelled = {_ONES[value.lower()]: value for value in column.values or ()}
    no, yes = ("0.0", "1.0") if column.type == "number" else ("0", "1")
    return spelled.get(False, no), spelled.get(True, yes)


def _signal(
    lock: DatasetLock, columns: dict[str, np.ndarray], rows: int, random: np.random.Generator
) -> np.ndarray:
    """What the target follows: the sum of the three columns that vary most, and noise."""
    strengths = []
    for column in lock.features:
        if column.looks_like == "identifier":
            continue
        values = pd.Series(columns[column.name], dtype=object)
        if column.type == "text":
            codes, levels = pd.factorize(values, sort=True)
            strength, different = codes.astype(float), len(levels)
            if different > _READABLE:
                continue
        else:
            ranks = pd.to_numeric(values, errors="coerce").rank()
            strength, different = ranks.fillna(ranks.mean()).to_numpy(), ranks.nunique()
        if different > 1:
            strengths.append((min(different, 10), (strength - strength.mean()) / strength.std()))
    strengths.sort(key=lambda one: -one[0])
    return random.normal(0.0, 0.3, rows) + sum(strength for _, strength in strengths[:3])


def _target(lock: DatasetLock, holdout: float, signal: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The target in the order of ``signal``: a quantity, or labels of about the shares of ``lock``, each often
    enough to be split.
    """
    rows, classes = len(signal), _classes(lock)
    column = next(column for column in lock.columns if column.name == lock.target)
    if classes:
        counts = allot(classes, rows, _least_of_a_class(len(classes), holdout))
        ordered = np.repeat(np.array(list(classes), dtype=object), counts)
    else:
        ordered = present(column, rows, random)
        ordered = ordered[np.argsort([float(value) for value in ordered], kind="stable")]
    return in_order(signal, ordered)
