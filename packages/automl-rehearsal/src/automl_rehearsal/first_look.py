"""What is wrong with the data set of `make demo`, said in the first second: before anything is made or installed.

Python's standard library alone, since the packages may not be there yet. It reads the header and at most `MOST_ROWS`
rows of a CSV file, and the first and last bytes of a Parquet file; `automl data push` checks the rest. For the same
reason it reads CSV by itself, and not as `data.table` does; what kind of file it is, and what is a number, a missing
value or one class it asks where that does.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import gzip
import os
import re
import shlex
import shutil
import sys
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from automl_evaluation import values
from automl_evaluation.metrics import BINARY, DEFAULT_OBJECTIVES, METRICS, unnamed_positive
from automl_gitops.data.formats import UTF_8, Dialect, format_of
from automl_gitops.data.refusals import (
    UNCLOSED,
    are_written_numbers,
    in_target,
    misread,
    missing_target,
    stray_quote,
    title,
    without_values,
    wrong_width,
)
from automl_gitops.data.uci import is_source
from automl_gitops.kernel.csv_text import DELIMITERS, START, first_rows, other_delimiter
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.files import at_home
from automl_gitops.kernel.words import meant_one, quoted, some, visible

VARIABLES = ("DATA", "TARGET", "PROBLEM", "LENIENT", "DELIMITER", "ENCODING")
MOST_ROWS = 100_000
_PARQUET = b"PAR1"
_FEW = 3  # classes of one row that are placed
_MISSING = frozenset(values.MISSING)
# `LEAST_TRAINING_ROWS` and `MANY` of the data set's checks, which need packages; a test holds them together.
LEAST_TRAINING_ROWS = 500
MANY = 20
HOLDOUT = 0.2  # of automl.toml where it says nothing
VALIDATION = 0.2  # of the rest, where rows are split by group or time
PROBLEMS = {
    "binary": "BinaryClassification",
    "multiclass": "MulticlassClassification",
    "regression": "Regression",
}


@dataclass(frozen=True)
class Wish:
    """What somebody typed behind `make demo`; empty where nothing was."""

    data: str = ""
    target: str = ""
    problem: str = ""
    lenient: bool = False
    delimiter: str = ""
    encoding: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Wish:
        """The variables of `VARIABLES`; raises `UserError` for an unknown problem type, for a delimiter or an encoding
        that is none, and for a variable that looks like one of these but is none.
        """
        for name in _typed(environment.get("MAKEFLAGS", "")):
            near = difflib.get_close_matches(name.upper(), VARIABLES, n=1, cutoff=0.7)
            if near and name not in VARIABLES:
                raise UserError(f"{name}= is no variable of make demo: did you mean {near[0]}=?")
        lenient = environment.get("LENIENT", "").strip().lower() not in ("", "0", "no", "false")
        wish = cls(
            environment.get("DATA", ""),
            environment.get("TARGET", ""),
            problem_type(environment.get("PROBLEM", "")),
            lenient,
            environment.get("DELIMITER", ""),
            environment.get("ENCODING", "").strip(),
        )
        try:
            _ = wish.dialect
        except UserError as error:  # in the words of make
            raise UserError(
                re.sub(r"--(delimiter|encoding) ", lambda it: f"{it[1].upper()}=", str(error))
            ) from None
        return wish

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return at_home(self.data).absolute()

    @property
    def dialect(self) -> Dialect:
        """How the file is written, where it is CSV."""
        return Dialect.of(self.delimiter or ",", self.encoding or UTF_8)

    @property
    def options(self) -> tuple[str, ...]:
        """Those of the project's commands that say so."""
        given = {"--delimiter": self.delimiter, "--encoding": self.encoding}
        return tuple(word for option, value in given.items() if value for word in (option, value))

    def command(self, **changes: str) -> str:
        """What to type: this, with some variables changed."""
        short = {name: key for key, name in PROBLEMS.items()}
        typed = {"DATA": self.data, "TARGET": self.target, "PROBLEM": short.get(self.problem, "")}
        typed |= {"DELIMITER": self.delimiter, "ENCODING": self.encoding}
        typed |= {"LENIENT": "1" if self.lenient else ""} | changes
        given = (f"{name}={shlex.quote(value)}" for name, value in typed.items() if value)
        return " ".join(("make demo", *given))


@dataclass(frozen=True)
class FileSeen:
    """What was seen of a file. ``rows`` is `None` where they were not counted to the end; ``labels`` are rows by label
    as far as they were.
    """

    columns: list[str]
    target: str
    rows: int | None
    labels: Mapping[str, int]


def _typed(flags: str) -> list[str]:
    """The names of the variables on make's command line, which stand in MAKEFLAGS behind `--`."""
    _, dashes, given = f" {flags}".partition(" -- ")
    return re.findall(r"(?:^| )([A-Za-z_]+)=", given) if dashes else []


def problem_type(text: str) -> str:
    """Autopilot's name of a problem type, from that or the short one in any case; an empty one stays empty."""
    known = {**PROBLEMS, **{name.lower(): name for name in PROBLEMS.values()}}
    typed = text.strip().lower()
    if typed and typed not in known:
        near = difflib.get_close_matches(typed, PROBLEMS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? Else " if near else ""
        raise UserError(
            f"PROBLEM={shlex.quote(text)}: is no problem type: {hint}type PROBLEM=binary, multiclass or regression"
        )
    return known.get(typed, "")


@dataclass(frozen=True)
class Task:
    """What is predicted, as far as that is known yet (`""` where it is not): target and Autopilot's problem type.

    ``holdout`` is the share of rows that are not trained on, ``least`` how many have to be. ``metric`` is what two
    classes are judged by, `None` where automl.toml says which one is positive. ``exclude`` is that of automl.toml,
    `None` where there is none yet.
    """

    target: str = ""
    problem: str = ""
    holdout: float = HOLDOUT
    least: int = LEAST_TRAINING_ROWS
    metric: str | None = None
    exclude: tuple[str, ...] | None = None


def look(wish: Wish, task: Task) -> FileSeen | None:
    """What the file of ``wish`` holds, `None` for Parquet, which the standard library does not read.

    Raises `UserError` for what cannot work.
    """
    path = wish.path
    _require_file(wish.data, path)
    dialect = wish.dialect
    kind = format_of(path, wish.data, None if dialect.is_utf_8 else dialect)
    if kind == "parquet":
        _require_end(wish.data, path)
        return None
    try:
        opened = gzip.open if kind == "csv.gz" else open
        encoding = "utf-8-sig" if dialect.is_utf_8 else dialect.encoding
        with opened(path, mode="rt", encoding=encoding, newline="") as text:
            _check_delimiter(wish, text.read(START))
            text.seek(0)
            rows = csv.reader(text, strict=True, delimiter=dialect.delimiter)
            return _read(wish, task, rows)
    except UnicodeError:
        way = f"or name its encoding: {wish.command(ENCODING='cp1252')} (of Excel in the west of Europe)"
        raise UserError(
            f"{wish.data}: is not {'UTF-8' if dialect.is_utf_8 else dialect.encoding}: save it as CSV in UTF-8, {way}"
        ) from None
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        if str(error) == "unexpected end of data":  # of csv
            raise UserError(f"{wish.data}: cannot be read to its end: {UNCLOSED}") from None
        if "expected after" in str(error):
            raise UserError(f"{wish.data}: {stray_quote(f'line {rows.line_num}')}") from None
        raise UserError(
            f"{wish.data}: cannot be read as CSV ({error}): give CSV, gzipped CSV or Parquet"
        ) from None


def _require_file(name: str, path: Path) -> None:
    with contextlib.suppress(OSError):  # which reading it says
        if not path.exists():
            near = _near(path.name, [file.name for file in _siblings(path)], path.suffix)
            raise UserError(f"{name}: not found{near or ': give the path of a CSV or Parquet file'}")


def _require_end(name: str, path: Path) -> None:
    """Raise `UserError` where a Parquet file does not end as one does (Apache Parquet, file format)."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, len(_PARQUET)), os.SEEK_END)
        if file.read() != _PARQUET:
            raise UserError(
                f"{name}: is a Parquet file without its end, cut on its way: get the file once more"
            )


def _siblings(path: Path) -> Iterator[Path]:
    try:
        yield from (file for file in path.parent.iterdir() if file.is_file())
    except (OSError, ValueError):  # the latter of a null character
        return


def _check_delimiter(wish: Wish, start: str) -> None:
    delimiter = wish.dialect.delimiter
    first = first_rows(start, delimiter)[0]
    mark = other_delimiter(start, first) if delimiter == "," else None
    if mark:
        sign = {"\t": "tab"}.get(DELIMITERS[mark], DELIMITERS[mark])
        raise UserError(
            f"{wish.data}: columns are separated by {mark}: type {wish.command(DELIMITER=sign)}, or export it with "
            "commas"
        )
    if said := title(first):
        raise UserError(f"{wish.data}: {said}")


def _read(wish: Wish, task: Task, rows: Iterator[list[str]]) -> FileSeen:
    columns = next((row for row in rows if row), None)
    if columns is None:
        raise UserError(f"{wish.data}: is empty: give a file with a header and rows")
    if len(columns) == 1:
        raise UserError(
            f"{wish.data}: has one column: give the target and at least one column to predict it from"
        )
    twice = next((name for name, times in Counter(columns).items() if times > 1), None)
    if twice is not None:
        raise UserError(
            f'{wish.data}: column "{twice}" is there {columns.count(twice)} times: rename or remove one'
        )
    target = task.target or columns[-1]
    if target not in columns:
        near = _near(target, columns) or f": its columns are {', '.join(columns[:20])}"
        raise UserError(f'{wish.data}: has no column "{target}"{near}')
    place, labels, count = columns.index(target), Counter[str](), 0
    first: dict[str, int] = {}
    empty = [number for number in range(len(columns)) if number != place]
    for count, row in enumerate((row for row in rows if row), start=1):
        if len(row) != len(columns):
            is_open = any("\n" in value or "\r" in value for value in row)
            said = wrong_width(f"row {count}", len(row), len(columns), is_open=is_open)
            raise UserError(f"{wish.data}: {said}")
        if place < len(row):
            if row[place] not in first:
                _check_value(wish, task, target, row[place], count)
                first[row[place]] = count
            labels[row[place]] += 1
        if empty:
            empty = [number for number in empty if row[number] in _MISSING]
        if count == MOST_ROWS:
            break
    whole = count < MOST_ROWS
    if whole:
        _check_rows(wish, task, count)
        _check_empty(wish, task, columns, empty)
    _check_labels(wish, task, target, labels, first, whole=whole)
    return FileSeen(columns, target, count if whole else None, labels)


def _check_value(wish: Wish, task: Task, target: str, value: str, row: int) -> None:
    if value in _MISSING:
        raise UserError(f"{wish.data}: {missing_target(row, value, target)}")
    if task.problem != PROBLEMS["regression"]:
        return
    number, said = values.number(value), in_target(row, value, target)
    if number is None or abs(number) == float("inf"):
        odd = misread(value)
        way = odd[1] if odd else "correct the row"
        what = f"{odd[0]}, which a trainer takes for a text" if odd else "which is no number"
        raise UserError(
            f"{wish.data}: {said}, {what}, so this is no regression: {way}, name another target, or take binary or "
            "multiclass"
        )
    if abs(number) > values.GREATEST:
        raise UserError(
            f"{wish.data}: {said}, beyond {values.GREATEST:g}: correct the row, or take a larger unit"
        )


def _check_rows(wish: Wish, task: Task, rows: int) -> None:
    if rows == 0:
        raise UserError(f"{wish.data}: has a header but no rows")
    to_train_on = rows - round(rows * task.holdout)
    if to_train_on >= task.least or wish.lenient:
        return
    raise UserError(
        f"{wish.data}: has {rows:,} {'row' if rows == 1 else 'rows'}, {to_train_on:,} of them to train on, and "
        f"Autopilot wants at least {task.least}: give more rows, or, to see how it works with fewer than the real one "
        f"takes, type {wish.command(LENIENT='1')}"
    )


def _check_empty(wish: Wish, task: Task, columns: list[str], empty: list[int]) -> None:
    named = [columns[number] for number in empty if columns[number] not in (task.exclude or ())]
    if named and not is_source(columns):  # of which the example is made without them
        said = without_values(named, task.exclude or ())
        if task.exclude is None:  # nor is there an automl.toml
            said = said.partition(", or name it")[0]
        raise UserError(f"{wish.data}: {said}")


def _check_labels(
    wish: Wish, task: Task, target: str, labels: Counter[str], first: Mapping[str, int], *, whole: bool
) -> None:
    spellings = values.spellings(labels)
    if whole and (len(labels) == 1 or [len(labels)] == [len(group) for group in spellings]):
        raise UserError(
            f'{wish.data}: the target "{target}" has the same value in all rows, so there is nothing to learn: '
            "name another target"
        )
    if whole and task.problem != PROBLEMS["regression"]:
        _check_misread(wish, target, labels, first)
    texts = None in map(values.number, labels)
    names = task.problem in (PROBLEMS["binary"], PROBLEMS["multiclass"]) or texts
    if whole and names and len(labels) == labels.total():
        raise UserError(
            f'{wish.data}: the target "{target}" has another value in each row, so there is nothing to learn: '
            f"{'' if texts else 'take regression, or '}name another target"
        )
    if spellings and whole and task.problem in (PROBLEMS["binary"], PROBLEMS["multiclass"]):
        one, other = spellings[0][:2]
        raise UserError(
            f'{wish.data}: the target "{target}" has {quoted(one)} and {quoted(other)}, which are two spellings of one '
            "class: write it alike in all rows"
        )
    if task.problem == PROBLEMS["binary"] and len(labels) > 2:
        raise UserError(
            f'{wish.data}: the target "{target}" has more than two classes ({some(sorted(labels))}), so this is not '
            "binary: take multiclass, or regression for a number"
        )
    if whole:
        _check_lonely(wish, task, target, labels, first)


def _check_misread(wish: Wish, target: str, labels: Counter[str], first: Mapping[str, int]) -> None:
    """Raise `UserError` for the first value that makes classes of what is hardly meant as such."""
    lonely = list(labels.values()).count(1)
    if not lonely or not are_written_numbers(labels):
        return
    for label, row in first.items():
        if odd := misread(label):
            raise UserError(
                f"{wish.data}: {in_target(row, label, target)}, {odd[0]}, which a trainer takes for a text, so that "
                f"its {len(labels):,} values are classes, {lonely:,} of them of one row: {odd[1]}, or name another "
                "target"
            )


def _check_lonely(
    wish: Wish, task: Task, target: str, labels: Counter[str], first: Mapping[str, int]
) -> None:
    """Raise `UserError` for classes of one row."""
    lonely = [label for label, rows in labels.items() if rows == 1]
    if not lonely or task.problem == PROBLEMS["regression"] or (not task.problem and _is_quantity(labels)):
        return
    places = ", ".join(f"{quoted(label)} (row {first[label]})" for label in sorted(lonely)[:_FEW])
    numbers = None not in map(values.number, labels)
    raise UserError(
        f'{wish.data}: the target "{target}" has {len(lonely):,} {"class" if len(lonely) == 1 else "classes"} of one '
        f"row: {places}{', ...' if len(lonely) > _FEW else ''}. A class needs a row to train on and one to test: "
        f"correct the row, merge small classes or remove them{', or take regression' if numbers else ''}"
    )


def _is_quantity(labels: Counter[str]) -> bool:
    """Whether the values are taken for a quantity where nobody names a problem type, as the push takes them."""
    numbers = [values.number(label) for label in labels]
    finite = [number for number in numbers if number is not None and abs(number) != float("inf")]
    whole = all(number.is_integer() for number in finite)
    return len(finite) == len(numbers) > (MANY if whole else 2)


def _near(word: str, known: list[str], ending: str = "") -> str:
    """A hint at the known word that is most like ``word``; what both may end in makes nothing alike."""
    by_lower = {name.lower().removesuffix(ending.lower()): name for name in known}
    found = difflib.get_close_matches(word.lower().removesuffix(ending.lower()), by_lower, n=1, cutoff=0.5)
    return f": {meant_one(word, by_lower[found[0]])}" if found else ""


def require_git() -> None:
    """Raise `UserError` where there is no git."""
    if shutil.which("git") is None:
        raise UserError(
            "git is not installed, and a rehearsal commits in its copy of the project: install it"
        )


def refuse(error: UserError) -> NoReturn:
    """End the process with the sentence, in the way in which the project's commands say what the user has to change."""
    print(f"error: {visible(str(error))}", file=sys.stderr)
    raise SystemExit(2)


def of_project(wish: Wish, file: Path) -> Task:
    """What automl.toml says is predicted.

    Raises `UserError` where ``wish`` names something else: in a project that is changed in the file.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UserError(f"{file}: not found: type make demo in the project's folder") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: not valid TOML: {error}") from None
    target = _key(document, "dataset", "target", "")
    problem = _key(document, "autopilot", "problem_type", "")
    if wish.target not in ("", target):
        raise UserError(
            f"TARGET={shlex.quote(wish.target)}: in a project the target stands in {file}, "
            f'[dataset] target = "{target}": change it there'
        )
    if wish.problem not in ("", problem):
        raise UserError(
            f"PROBLEM={wish.problem}: in a project the problem type stands in {file}, "
            f'[autopilot] problem_type = "{problem}": change it there'
        )
    return Task(
        target,
        problem if problem in PROBLEMS.values() else "",
        _not_trained_on(document),
        _key(document, "autopilot", "least_rows", LEAST_TRAINING_ROWS),
        _metric(document),
        tuple(name for name in _key(document, "dataset", "exclude", []) if isinstance(name, str)),
    )


def _metric(document: dict[str, Any]) -> str | None:
    if _key(document, "decision", "positive", ""):
        return None
    objective = _key(document, "autopilot", "objective", "") or DEFAULT_OBJECTIVES[BINARY]
    return next((name for name, metric in METRICS.items() if metric.autopilot == objective), None)


def _not_trained_on(document: dict[str, Any]) -> float:
    """The share of rows that are not trained on; none where a column says which, which is looked at later."""
    rule = document.get("dataset")
    if not isinstance(rule, dict):
        return HOLDOUT
    if "split" in rule:
        return 0.0
    holdout = _key(document, "dataset", "holdout", HOLDOUT)
    return 1 - (1 - holdout) * (1 - VALIDATION) if {"group", "time"} & {*rule} else holdout


def _key(document: dict[str, Any], section: str, key: str, default: Any) -> Any:
    """A value of the type of ``default``; what is wrong with another one is said once the packages are there."""
    part = document.get(section)
    value = part.get(key, default) if isinstance(part, dict) else default
    return value if isinstance(value, type(default)) else default


def main(environment: Mapping[str, str] = os.environ) -> None:
    """Look at what `make demo` was given in a project's folder, and say what it is about to do."""
    show_anything()
    try:
        require_git()
        wish = Wish.of(environment)
        task = of_project(wish, Path("automl.toml"))
        seen = look(wish, task) if wish.data else None
    except UserError as error:
        refuse(error)
    say_what_comes(
        _rows_of(wish, task.target),
        environment=Path(environment.get("VENV", ".venv"), "installed"),
        results=environment.get("OUT", "build/demo"),
    )
    hardly_meant = seen and unnamed_positive(task.metric, seen.labels)
    if hardly_meant:
        print(f"notice: automl.toml: [decision] {visible(hardly_meant)}", flush=True)


def _rows_of(wish: Wish, target: str) -> str:
    if wish.data:
        return f"{wish.data}, target {target}"
    if Path("dataset.lock").exists():
        return "rows made up as dataset.lock describes them; yours: make demo DATA=FILE"
    return f"an example for the target {target}; yours: make demo DATA=FILE"


def say_what_comes(data: str, environment: Path, results: str) -> None:
    """Print what a rehearsal does and how long it takes, before the first step of it."""
    # The longest seen on two cores, which did other things beside it.
    lines = [
        "A model's whole life on a local AWS: no account, no cost. What follows is real, on this machine.",
        f"  data     {data}",
        "  steps    push, train, evaluate, register, stage, verify, promote, a broken release, and back",
        *(
            []
            if environment.exists()
            else [f"  first    the packages are installed into {environment.parent}: 1.3 GB, about 2 minutes"]
        ),
        "  then     up to 7 minutes on two cores, 90 s of them training",
        f"  leaves   {results}/report.html and {results}/summary.json; nothing else of yours is changed",
    ]
    print("\n".join(lines), flush=True)


def show_anything() -> None:
    """Let a terminal that is not UTF-8 show what it can of any text."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
