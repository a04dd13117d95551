"""[evaluation] slices and bands against the columns: each cuts the holdout into groups that can be judged."""

from fnmatch import fnmatchcase

from automl_gitops.data.consistency.case import Case, Checks
from automl_gitops.data.lock import Column
from automl_gitops.kernel.words import counted, meant, nearest, some

# evaluation/slices.py: a column of texts has a slice for each of its most frequent values, and one for the others.
MOST_VALUES = 20
# Spellings of 0 and 1 that anybody uses are fewer.
_MOST_SPELLINGS = 8
_ZERO_ONE = {"0", "1", "true", "false"}


def names(case: Case) -> Checks:
    """Every entry names input columns."""
    entries, path = case.config.evaluation.slices, ("evaluation", "slices")
    twice = sorted({entry for entry in entries if entries.count(entry) > 1})
    if twice:
        yield case.odd(path, f"slices names {some(twice)} twice: once is enough")
    if case.lock is None:
        return
    for entry in dict.fromkeys(case.config.evaluation.unknown_slices(case.features)):
        if entry == case.config.dataset.target:
            continue  # config says so
        if "*" in entry:
            what, hint = "matches", _near_pattern(entry, case)
        else:
            what = "is"
            hint = meant(entry, case.features) or "remove it there, or name a column"
        yield case.wrong(
            path, f'slices names "{entry}", which {what} no input column of {case.lock.source}: {hint}'
        )


def _near_pattern(entry: str, case: Case) -> str:
    """Another pattern that does match, or the way out."""
    near = nearest(entry.split("*")[0].rstrip("_"), case.features)
    if near and entry.endswith("*"):
        stem = near.rsplit("_", 1)[0] + "_*" if "_" in near else near
        return f'did you mean "{stem}"?'
    return "remove it there, or name a column"


def _one_hot(case: Case, entry: str) -> list[Column]:
    """The columns that a pattern takes in; none where the entry is the name of one."""
    if "*" not in entry or entry in case.features:
        return []
    return [column for name, column in case.features.items() if fnmatchcase(name, entry)]


def one_hot(case: Case) -> Checks:
    """What a pattern takes in are 0/1 columns."""
    for entry in dict.fromkeys(case.config.evaluation.slices):
        columns = _one_hot(case, entry)
        for column in columns:
            seen = _no_zero_one(column)
            if seen:
                way = (
                    f'name the column itself, "{column.name}"'
                    if len(columns) == 1
                    else "a pattern is for the 0/1 columns that were made of one column, so name others by themselves"
                )
                yield case.wrong(
                    ("evaluation", "slices"),
                    f'slices has "{entry}", which takes in "{column.name}" {seen}, and no 0/1 column: {way}',
                )
                break
        if columns and entry in case.config.evaluation.bands:
            yield case.odd(
                ("evaluation", "bands", entry),
                f'bands has "{entry}", whose columns are 0 or 1 already: remove it',
            )


def _no_zero_one(column: Column) -> str:
    """What a column holds that is neither 0 nor 1, "" where nothing is known of that."""
    if column.values is not None:
        others = [value for value in column.values if not _is_zero_or_one(value)]
        return f"with {some(others)}" if others else ""
    if column.least is not None and column.most is not None and (column.least < 0 or column.most > 1):
        return f"of {column.least:g} to {column.most:g}"
    if column.type == "text" and column.distinct is not None and column.distinct > _MOST_SPELLINGS:
        return f"of {column.distinct:,} different texts"
    if column.looks_like or (column.length or 0) > _MOST_SPELLINGS:
        return "of texts"
    return ""


def _is_zero_or_one(value: str) -> bool:
    if value.strip().lower() in _ZERO_ONE or not value.strip():
        return True
    try:
        return float(value) in (0, 1)
    except ValueError:
        return False


def bands(case: Case) -> Checks:
    """Bands cut columns of numbers, and within their range."""
    for name, wanted in case.config.evaluation.bands.items():
        column, path = case.features.get(name), ("evaluation", "bands", name)
        if column is None:
            continue
        if column.type == "text":
            yield case.wrong(
                path,
                f'bands has "{name}", a column of texts, which have no order: remove it there (slices has one '
                f"for each of "
                "its values)",
            )
            continue
        if isinstance(wanted, int):
            if column.distinct is not None and wanted > column.distinct:
                yield case.odd(
                    path,
                    f"bands.{name} = {wanted} asks for more bands than the {counted(column.distinct, 'value')} "
                    f"of the column",
                )
            continue
        least, most = column.least, column.most
        if least is None or most is None:
            continue
        inside = [edge for edge in wanted if least < edge <= most]
        shown = f"bands.{name} = [{', '.join(f'{edge:g}' for edge in wanted)}]"
        if not inside:
            yield case.wrong(
                path,
                f"{shown} cuts nothing: all rows lie from {least:g} to {most:g}, in one band: give edges between",
            )
        elif len(inside) < len(wanted):
            outside = ", ".join(f"{edge:g}" for edge in wanted if edge not in inside)
            yield case.odd(
                path,
                f"{shown} has bands without a row: the column goes from {least:g} to {most:g}, so drop {outside}",
            )


def groups(case: Case) -> Checks:
    """A column gives groups that say something."""
    path = ("evaluation", "slices")
    for entry in dict.fromkeys(case.config.evaluation.slices):
        column = case.features.get(entry)
        if column is None:
            continue
        if column.distinct == 1:
            yield case.odd(
                path, f'slices names "{entry}", which is the same in all rows: one group is no group'
            )
        elif column.looks_like == "identifier":
            yield case.odd(
                path,
                f'slices names "{entry}", which looks like an identifier: groups of a row each say nothing',
            )
        elif column.type == "text" and column.distinct is not None and column.distinct > MOST_VALUES:
            yield case.odd(
                path,
                f'slices names "{entry}" of {column.distinct:,} different values: the {MOST_VALUES} most frequent are '
                "slices, the others are one",
            )


def sizes(case: Case) -> Checks:
    """Where the worst slice is bounded, one is large enough to be judged."""
    evaluation, gate = case.config.evaluation, case.config.gate
    least, test, path = evaluation.minimum_slice_rows, case.test_rows, ("evaluation", "minimum_slice_rows")
    if gate.worst_slice is None:
        if test is not None and evaluation.slices and least > test:
            yield case.odd(
                path,
                f"minimum_slice_rows = {least:,} is more than the {counted(test, 'row')} of the holdout: no slice is "
                "compared",
            )
        return
    if not evaluation.slices:
        yield case.wrong(
            ("gate", "worst_slice"),
            f"worst_slice = {gate.worst_slice:g} has no slice to judge, so that every model would be rejected: name "
            "columns in [evaluation] slices, or remove it",
        )
        return
    if test is None:
        return
    if least > test:
        yield case.wrong(
            path,
            f"minimum_slice_rows = {least:,} is more than the {counted(test, 'row')} of the holdout, so that no slice "
            "can be judged by [gate] worst_slice: lower it, or remove worst_slice",
        )
        return
    largest = [_largest(case, entry) for entry in evaluation.slices]
    known = [rows for rows in largest if rows is not None]
    if len(known) < len(largest):
        return
    most, share = max(known), case.config.dataset.holdout
    if most < least:
        yield case.wrong(
            path,
            f"minimum_slice_rows = {least:,} is more than the largest group of slices has in all data "
            f"({counted(most, 'row')}), so that no slice can be judged by [gate] worst_slice: lower it",
        )
    elif case.lock and not case.lock.reference and most * share < least:
        yield case.odd(
            path,
            f"minimum_slice_rows = {least:,} is more than the largest group of slices has in the holdout (about "
            f"{counted(round(most * share), 'row')}), so that [gate] worst_slice may find none to judge: lower it",
        )


def _largest(case: Case, entry: str) -> int | None:
    """Rows of the largest group that an entry makes, in all data; `None` where it is not known."""
    column = case.features.get(entry)
    if column is None or column.values is None or entry in case.config.evaluation.bands:
        return None
    return max([*column.values.values(), column.missing or 0])


CHECKS = (names, one_hot, bands, groups, sizes)
