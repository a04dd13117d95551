"""Rows that are split by group, by time, by both, or as a column says: over random tables of each rule."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from making import automl_toml, lenient

from automl_evaluation.values import MISSING
from automl_gitops.data import consistency, csv_rows
from automl_gitops.data import table as table_module
from automl_gitops.data.hashes import dense, group_hashes, shares
from automl_gitops.data.prepared import Prepared, prepare
from automl_gitops.data.rules import IN_GAP, OF_OTHER_SIDE, TEST, TRAIN, VALIDATE, Assigner, Assignment
from automl_gitops.data.rules.times import latest_from
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.console import Output
from automl_gitops.kernel.errors import UserError
from automl_gitops.kernel.settings.dataset import DatasetSettings

DAY = datetime(2024, 1, 1)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and text not in MISSING
)


def assign(dataset: dict[str, Any], columns: dict[str, list[str]], batch: int = 1000) -> Assignment:
    assigner = Assigner(DatasetSettings(target="label", **dataset), "t.csv")
    rows = len(next(iter(columns.values())))
    table = pa.table({**columns, "label": ["x"] * rows})
    for start in range(0, rows, batch):
        assigner.see(table.slice(start, batch).combine_chunks().to_batches()[0])
    return assigner.assign()


def sides_of(values: list[Any], assigned: Assignment) -> dict[Any, set[int]]:
    """The parts in which each value stands; what is left out stands in none."""
    found: dict[Any, set[int]] = {}
    for value, side in zip(values, assigned.sides.tolist(), strict=True):
        if side in (TRAIN, VALIDATE, TEST):
            found.setdefault(value, set()).add(side)
    return found


REFUSALS = ("leaves too few rows", "has one and the same time in all rows", "no row is left to train on")


def assign_if_possible(
    dataset: dict[str, Any], columns: dict[str, list[str]], batch: int = 1000
) -> Assignment | None:
    """`None` where the table is refused since a part would have no row; any other refusal is raised."""
    try:
        return assign(dataset, columns, batch)
    except UserError as error:
        if not any(refusal in str(error) for refusal in REFUSALS):
            raise
        return None


# groups

TABLES = settings(max_examples=200, deadline=None)


@given(
    groups=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12),
    seed=st.integers(0, 2**32 - 1),
    holdout=st.floats(0.05, 0.9),
    batch=st.integers(3, 40),
)
@TABLES
def test_no_group_stands_on_two_sides(
    groups: list[tuple[str, str]], seed: int, holdout: float, batch: int
) -> None:
    repeated = groups * 3
    columns = {"a": [a for a, _ in repeated], "b": [b for _, b in repeated]}
    dataset = {"group": ["a", "b"], "seed": seed, "holdout": holdout}

    assigned = assign(dataset, columns, batch)

    assert all(len(sides) == 1 for sides in sides_of(repeated, assigned).values())
    assert (assigned.sides == assign(dataset, columns).sides).all()  # whatever the batches


@given(
    groups=st.lists(TEXTS, min_size=1, max_size=12),
    added=st.lists(TEXTS, min_size=1, max_size=12),
    seed=st.integers(0, 2**32 - 1),
    position=st.integers(0, 12),
)
@TABLES
def test_a_group_keeps_its_side_when_rows_are_added(
    groups: list[str], added: list[str], seed: int, position: int
) -> None:
    dataset = {"group": ["a"], "seed": seed}
    grown = groups[:position] + added + groups[position:]

    before = sides_of(groups, assign(dataset, {"a": groups}))
    after = sides_of(grown, assign(dataset, {"a": grown}, 7))

    assert {group: after[group] for group in before} == before


@given(
    groups=st.lists(TEXTS, min_size=1, max_size=12),
    seed=st.integers(0, 2**32 - 1),
    order=st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_a_groups_side_does_not_depend_on_the_order_of_rows(groups: list[str], seed: int, order: int) -> None:
    dataset, rows = {"group": ["a"], "seed": seed}, groups * 2
    permuted = random.Random(order).sample(rows, len(rows))

    sides = sides_of(rows, assign(dataset, {"a": rows}))

    assert sides_of(permuted, assign(dataset, {"a": permuted}, 7)) == sides


def test_the_hash_is_the_same_in_years() -> None:
    """A new release of NumPy or Arrow must not move a group to another side."""
    columns = [
        pa.array(["", "7", "patient 00042", "größer als acht Bytes", "7"]),
        pa.array(["a", "b", "a", "", "b"]),
    ]

    assert [f"{one:016x}" for one in group_hashes(columns[:1], 42)] == PINNED[0]
    assert [f"{one:016x}" for one in group_hashes(columns, 42)] == PINNED[1]
    assert group_hashes(columns, 43).tolist() != group_hashes(columns, 42).tolist()


PINNED = [
    ["ccf7d1667ea41d4d", "898cad8868e41b4b", "558d52db55cfbfb4", "7f765ae535428ef6", "898cad8868e41b4b"],
    ["96fff6ccd2ac6d5e", "7c0ad75ede36d3fd", "ae4abef589587448", "fb696c2717ef258c", "7c0ad75ede36d3fd"],
]


def test_the_hash_knows_columns_lengths_and_order() -> None:
    pairs = [
        ("a", "bc"),
        ("ab", "c"),
        ("bc", "a"),
        ("a\0", "bc"),
        ("abcdefgh", ""),
        ("", "abcdefgh"),
        ("abcdefghi", ""),
    ]
    columns = [pa.array([pair[place] for pair in pairs]) for place in (0, 1)]

    assert len(set(group_hashes(columns, 42).tolist())) == len(pairs)
    assert (
        group_hashes([column.slice(2) for column in columns], 42).tolist()
        == group_hashes(columns, 42).tolist()[2:]
    )


def test_hashes_are_spread_evenly() -> None:
    running = pa.array([str(number) for number in range(200_000)])

    hashes = group_hashes([running], 42)
    counts, _ = np.histogram(shares(hashes), 100, (0, 1))

    assert len(np.unique(hashes)) == len(running)
    assert ((counts - 2000) ** 2 / 2000).sum() < 150  # chi-squared of 99 degrees, 1 - p = 0.999


def test_about_the_wanted_shares_of_groups_are_in_the_parts() -> None:
    groups = [f"p{number}" for number in range(20_000)]

    assigned = assign({"group": "a", "holdout": 0.3}, {"a": groups})

    counts = {side: assigned.groups_of(side) / len(groups) for side in (TRAIN, VALIDATE, TEST)}
    assert counts == pytest.approx({TRAIN: 0.56, VALIDATE: 0.14, TEST: 0.3}, abs=0.01)


def test_a_greater_holdout_takes_validation_rows_first() -> None:
    groups = {"a": [f"p{number}" for number in range(2000)]}

    small, great = (assign({"group": "a", "holdout": holdout}, groups).sides for holdout in (0.2, 0.3))

    assert set(small[great == TEST].tolist()) == {TEST, VALIDATE}


@given(st.lists(st.integers(0, 20), max_size=60))
def test_group_numbers_are_dense_in_the_order_of_appearance(numbers: list[int]) -> None:
    order = list(dict.fromkeys(numbers))

    codes = dense(np.array(numbers, dtype=np.uint64))

    assert codes.tolist() == [order.index(number) for number in numbers]


@pytest.mark.parametrize("batch", [1000, 2])
def test_groups_that_blanks_alone_tell_apart_are_refused(batch: int) -> None:
    padded = {"a": ["K1", "K2 ", "K3", "K4", " K1", "K5", "K1"]}

    with pytest.raises(UserError, match=r"t\.csv: row 5 has blanks around its value in \[dataset\] group"):
        assign({"group": "a"}, padded, batch)


def test_groups_that_all_have_blanks_around_them_are_groups() -> None:
    groups = [f"K{number} " for number in range(50)] * 2

    assigned = assign({"group": "a"}, {"a": groups})

    assert all(len(sides) == 1 for sides in sides_of(groups, assigned).values())


def test_a_row_without_a_group_is_refused() -> None:
    with pytest.raises(UserError, match=r't\.csv: row 5 has no value in the group column "b": fill it'):
        assign({"group": ["a", "b"]}, {"a": ["1"] * 6, "b": ["1", "2", "3", "4", "NA", "5"]}, 3)


# times


def days(numbers: list[int]) -> list[str]:
    return [f"{DAY + timedelta(days=number):%Y-%m-%d}" for number in numbers]


@given(
    numbers=st.one_of(
        st.lists(st.integers(0, 60), min_size=12, max_size=30),
        st.lists(st.integers(0, 200), min_size=12, max_size=30, unique=True),
    ),
    gap=st.integers(0, 6),
    holdout=st.floats(0.05, 0.6),
    batch=st.integers(4, 30),
)
@TABLES
def test_what_is_held_out_is_later_by_the_gap(
    numbers: list[int], gap: int, holdout: float, batch: int
) -> None:
    dataset = {"time": "t", "holdout": holdout, **({"gap": f"{gap} days"} if gap else {})}
    assigned = assign_if_possible(dataset, {"t": days(numbers)}, batch)
    # Without a gap a dozen different times are enough for three parts.
    assert assigned or gap or len(set(numbers)) < len(numbers)
    assume(assigned)
    sides = assigned.sides
    times = {side: np.array(numbers)[sides == side] for side in (TRAIN, VALIDATE, TEST, IN_GAP)}

    assert all(len(times[side]) for side in (TRAIN, VALIDATE, TEST))
    for earlier, later in ((TRAIN, VALIDATE), (VALIDATE, TEST)):
        assert times[earlier].max() + gap < times[later].min()
    # What is left out lies in one of the two gaps.
    for moment in times[IN_GAP]:
        assert any(begin - gap <= moment < begin for begin in (times[VALIDATE].min(), times[TEST].min()))
    assert OF_OTHER_SIDE not in sides


@given(numbers=st.lists(st.integers(0, 30), min_size=2, max_size=60), share=st.floats(0.01, 0.99))
@settings(max_examples=300, deadline=None)
def test_the_cut_comes_as_near_to_the_share_as_ties_allow(numbers: list[int], share: float) -> None:
    assume(len(set(numbers)) > 1)
    wanted = max(1, round(len(numbers) * share))
    sizes = [sum(number >= cut for number in numbers) for cut in sorted(set(numbers))[1:]]

    cut = latest_from(np.array(numbers), share)

    assert abs(sum(number >= cut for number in numbers) - wanted) == min(abs(size - wanted) for size in sizes)


@given(
    rows=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 25)), min_size=12, max_size=30),
    gap=st.integers(0, 3),
)
@TABLES
def test_with_groups_none_stands_on_two_sides(rows: list[tuple[int, int]], gap: int) -> None:
    numbers, groups = [number for number, _ in rows], [f"g{group}" for _, group in rows]
    dataset = {"time": "t", "group": "g", **({"gap": f"{gap} days"} if gap else {})}
    assigned = assign_if_possible(dataset, {"t": days(numbers), "g": groups})
    # Rows of many times that are all groups of their own.
    assert assigned or gap or len({*numbers}) < len(numbers) or len({*groups}) < len(groups)
    assume(assigned)

    assert all(len(sides) == 1 for sides in sides_of(groups, assigned).values())
    times = {side: np.array(numbers)[assigned.sides == side] for side in (TRAIN, VALIDATE, TEST)}
    assert times[TRAIN].max() + gap < times[VALIDATE].min()
    assert times[VALIDATE].max() + gap < times[TEST].min()
    later = {group for group, side in zip(groups, assigned.sides, strict=True) if side in (VALIDATE, TEST)}
    left_out = {group for group, side in zip(groups, assigned.sides, strict=True) if side == OF_OTHER_SIDE}
    assert left_out <= later


@pytest.mark.parametrize(
    "written",
    [
        [
            "2024-01-01",
            "2024-01-02 10:00",
            "2024-01-02T10:00:01",
            "2024-01-03T00:00:00.123456789",
            "2025-01-01",
        ],
        [
            "2024-01-01T00:00:00Z",
            "2024-01-01T23:59:59-02:00",
            "2024-01-02T04:00+01:00",
            "2024-01-03T00:00:00Z",
        ],
        ["-3", "0", "1.5", "1e3", "20240101"],
        ["9007199254740993", "9007199254740994", "9007199254740995"],
        ["0001-01-01", "1677-01-01", "9999-12-31"],
    ],
)
def test_times_are_read_in_their_order(written: list[str]) -> None:
    columns = {"t": [*written[:-1]] * 3 + [written[-1]] * 2}

    assigned = assign({"time": "t", "holdout": 0.1}, columns, 2)

    held_out = {value for value, side in zip(columns["t"], assigned.sides, strict=True) if side == TEST}
    assert held_out == {written[-1]}


@pytest.mark.parametrize(
    ("written", "gap", "sentence"),
    [
        (["2024-01-01", ""], None, 'row 2 has no value in the time column "t": fill it or remove the row'),
        (["2024-01-01", "2024-02-31"], None, 'row 2 has "2024-02-31", which is no time in the time column "t"'),
        (["31.12.2024", "2024-01-01"], None, 'row 1 has "31.12.2024", which is no time'),
        (
            ["2024-01-01T00:00", "2024-01-01T00:00Z"],
            None,
            'row 2 has "2024-01-01T00:00Z", a time with an offset from UTC, where the rows before have a time without',
        ),
        (["2024-01-01T00:00Z", "2024-01-01"], None, 'row 2 has "2024-01-01", a time without an offset from UTC, where'),
        (["7", "2024-01-01"], None, 'row 2 has "2024-01-01", a time without an offset from UTC, where the rows before'),
        (["7", "inf"], None, 'row 2 has "inf", which is no number'),
        (["2024", "2025"], "7 days", 'row 1 has "2024", a number, of which nobody knows what .* gap .* remove gap'),
        (["2024-01-01"] * 9, None, 'the time column "t" has one and the same time in all rows'),
        (["2024-01-01", "2024-01-02"], None, 'leaves too few rows.* give rows of more times'),
        (["2024-01-01", "2024-01-05", "2024-01-09"], "1 week", r"1 rows lie in the gap of 1 week"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("batch", [1, 1000])
def test_times_that_do_not_do_are_refused(
    written: list[str], gap: str | None, sentence: str, batch: int
) -> None:
    dataset = {"time": "t", "holdout": 0.3, **({"gap": gap} if gap else {})}

    with pytest.raises(UserError, match=sentence):
        assign(dataset, {"t": written}, batch)


@pytest.mark.parametrize("days", [2, 50])
def test_groups_that_go_on_to_the_last_times_are_named(days: int) -> None:
    columns = {
        "t": [f"2024-{day % 12 + 1:02}-{day // 12 + 1:02}" for day in range(days) for _ in range(5)],
        "g": [f"pump {pump}" for _ in range(days) for pump in range(5)],
    }

    with pytest.raises(UserError, match=r"of groups that appear later.*remove group from \[dataset\]"):
        assign({"time": "t", "group": ["g"]}, columns)
    if days > 2:
        assign({"time": "t"}, columns)


# the user's own column


@given(st.lists(st.sampled_from(["train", "validation", "test"]), min_size=1, max_size=50))
@TABLES
def test_a_column_says_where_rows_belong(values: list[str]) -> None:
    assigned = assign({"split": "part"}, {"part": values}, 7)

    assert assigned.sides.tolist() == [["train", "validation", "test"].index(value) for value in values]


@pytest.mark.parametrize(("value", "what"), [("Test", '"Test"'), ("", "no value"), ("holdout", '"holdout"')])
def test_another_word_is_refused(value: str, what: str) -> None:
    with pytest.raises(
        UserError, match=f'row 3 has {what} in the split column "part": write train, validation or test'
    ):
        assign({"split": "part"}, {"part": ["train", "test", value]}, 2)


# files


RULES: dict[str, dict[str, Any]] = {
    "group": {"group": "who"},
    "groups": {"group": ["who", "where"], "also_features": ["where"]},
    "time": {"time": "when", "gap": "3 days"},
    "time and group": {"time": "when", "group": "who"},
    "groups of one time": {"time": "when", "group": "when"},
    "split": {"split": "part"},
}
LABELS = ("a", "b", "c, d")


def write_table(path: Path, seed: int, rows: int = 700) -> list[list[str]]:
    random = np.random.RandomState(seed)
    who = random.randint(0, rows // 2, rows)
    when = who + random.randint(0, 20, rows)
    table = [["who", "x", "where", "when", "label", "part"]]
    for row in range(rows):
        part = random.choice(["train", "validation", "test"], p=[0.6, 0.2, 0.2])
        day = f"{DAY + timedelta(days=int(when[row])):%Y-%m-%d}"
        table.append(
            [f"p{who[row]}", f'{row}"', f"w{random.randint(5)}", day, LABELS[random.randint(3)], part]
        )
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(table)
    return table[1:]


def config(**dataset: Any) -> Config:
    return lenient(Config.parse(automl_toml(dataset=dataset)))


def read(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(), newline="")))


def written(prepared: Prepared, folder: Path) -> dict[str, list[list[str]]]:
    folder.mkdir()
    names = prepared.write(folder)
    found = {name: read(folder / name) for name in names}
    for kind in ("x_test", "y_test"):
        several = [found.pop(name) for name in names if name.startswith(kind)]
        found[kind] = [several[0][0] if kind == "y_test" else []]
        found[kind] += [row for part in several for row in (part[1:] if kind == "y_test" else part)]
    return found


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_the_parts_and_what_is_left_out_are_the_table(
    rule: str, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "PART_ROWS", 37)
    rows = write_table(tmp_path / "t.csv", seed)
    wanted = config(**RULES[rule])

    prepared = prepare(wanted, tmp_path / "t.csv", Output())
    files = written(prepared, tmp_path / "out")

    keeps = [
        name
        for name in ("who", "x", "where", "when", "label", "part")
        if name not in wanted.dataset.no_features
    ]
    places = [("who", "x", "where", "when", "label", "part").index(name) for name in keeps]
    assert files["train_validation.csv"][0] == files["validation.csv"][0] == keeps
    grouped = "group" in RULES[rule]
    assert files["y_test"][0] == (["label", "group"] if grouped else ["label"])
    # x_test and y_test have the same rows in the same order: put together they are rows of the table.
    target = keeps.index("label")
    held_out = [
        [*x[:target], y[0], *x[target:]]
        for x, y in zip(files["x_test"][1:], files["y_test"][1:], strict=True)
    ]
    expected = [[row[place] for place in places] for row in rows]
    train, validation = files["train_validation.csv"][1:], files["validation.csv"][1:]
    used = Counter(map(tuple, [*train, *validation, *held_out]))
    assert used <= Counter(map(tuple, expected))
    lock = prepared.lock(wanted, synthetic=False)
    assert lock.rows.model_dump() == {
        "total": len(rows),
        "train_validation": len(train),
        "validation": len(validation),
        "test": len(held_out),
        "left_out": len(rows) - len(train) - len(validation) - len(held_out),
    }
    assert lock.rows.left_out == sum((lock.split.left_out or {}).values())  # type: ignore[union-attr]
    for part in (train, validation, held_out):
        assert [expected.index(row) for row in part] == sorted(expected.index(row) for row in part)
    assert [column.name for column in lock.columns] == keeps
    assert [column.name for column in lock.split.columns] == wanted.dataset.no_features  # type: ignore[union-attr]
    assert type(lock).parse(lock.text()) == lock
    assert lock._contradiction() == ""
    if grouped:
        named = RULES[rule]["group"]
        columns = [0, 2] if isinstance(named, list) else [0 if named == "who" else 3]
        by_x = {row[1]: tuple(row[place] for place in columns) for row in rows}
        groups = [by_x[x[keeps.index("x")]] for x in files["x_test"][1:]]
        order = list(dict.fromkeys(groups))
        assert [int(y[1]) for y in files["y_test"][1:]] == [order.index(group) for group in groups]
        others = {by_x[row[keeps.index("x")]] for row in (*train, *validation)}
        assert not {*groups} & others
        assert lock.split.groups.test == len(order)  # type: ignore[union-attr]


def test_the_rule_is_a_part_of_the_hash(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", 0)

    hashes = [
        prepare(config(**dataset), tmp_path / "t.csv", Output()).sha256
        for dataset in (*RULES.values(), {}, {"group": "who", "seed": 1}, {"time": "when"})
    ]

    assert len(set(hashes)) == len(hashes)


@pytest.mark.parametrize(
    ("gap", "left_out"), [("0 days", 0), ("23 hours", 0), ("1 day", 20), ("24 hours", 20), ("7 days", 140)]
)
def test_a_gap_leaves_out_rows_up_to_exactly_so_far_and_one_of_none_is_told(
    gap: str, left_out: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{day},{row},{LABELS[row % 2]}" for day in days([*range(100)]) for row in range(10)]
    (tmp_path / "t.csv").write_text("\n".join(["when,x,label", *rows]))

    rows = prepare(config(time="when", gap=gap), tmp_path / "t.csv", Output()).lock(config(), False).rows

    assert rows.left_out == left_out
    told = " ".join(capsys.readouterr().out.split())
    assert (f'gap = "{gap}" leaves out no row' in told) is (left_out == 0)


def test_the_shares_of_classes_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(tmp_path / "t.csv", 0)

    prepare(config(group="who"), tmp_path / "t.csv", Output())

    told = " ".join(capsys.readouterr().out.split())
    assert "with [dataset] group the classes' shares are not the same in all parts: a " in told
    assert "(in the rows to train on, validation rows, holdout)" in told


def test_a_class_that_a_part_lacks_is_refused(tmp_path: Path) -> None:
    rows = [f"p{row},{row},{'rare' if row < 2 else 'often'}" for row in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["who,x,label", "p0,9,rare", *rows]))

    with pytest.raises(UserError, match=r"\[dataset\] group leaves no row of 1 class \(rare\) among the"):
        prepare(config(group="who"), tmp_path / "t.csv", Output())


def later(
    tmp_path: Path,
    cell: Callable[[int], str],
    *,
    rule: dict[str, Any] | None = None,
    types: dict[str, str] | None = None,
) -> Prepared:
    """A table of 600 rows in the order of their months, of which the last 100 are held out; ``cell`` is its text x."""
    rows = [f"{cell(row)},{row * 7 % 11},2020-{1 + row // 50:02d}-01,{'ab'[row % 2]}" for row in range(600)]
    (tmp_path / "t.csv").write_text("\n".join(["x,z,when,label", *rows, ""]))
    settings = automl_toml(
        dataset=rule or {"time": "when"},
        autopilot={"problem_type": "BinaryClassification", "objective": "F1", "types": types or {}},
    )
    return prepare(lenient(Config.parse(settings)), tmp_path / "t.csv", Output())


@pytest.mark.parametrize(
    ("cell", "where"),
    [
        (lambda row: f"{row}" if row < 500 else "n.v.", 'row 501 of the holdout has "n.v."'),
        (lambda row: f"{row}" if row < 590 else "C5", 'row 591 of the holdout has "C5"'),
        (lambda row: f"{row}" if row < 400 else "C5", 'row 401 of the validation rows has "C5"'),
        (
            lambda row: "NA" if row < 300 else "7" if row < 405 else "C5",
            'row 406 of the validation rows has "C5"',
        ),
    ],
)
def test_texts_that_come_after_the_numbers_to_train_on_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: Callable[[int], str], where: str
) -> None:
    monkeypatch.setattr(table_module, "BLOCK", 2000)

    with pytest.raises(UserError) as caught:
        later(tmp_path, cell)

    assert 'column "x" has numbers alone in the rows to train on' in str(caught.value)
    assert where in str(caught.value)
    assert 'types = {x = "categorical"}' in str(caught.value)
    later(tmp_path, cell, types={"x": "categorical"})


@pytest.mark.parametrize(
    "cell",
    [
        lambda row: "n.v." if row % 60 == 0 else f"{row}",  # some to train on
        lambda row: "" if row < 500 else "n.v.",  # no number to train on
        lambda row: f"{row}" if row > 50 else "n.v.",  # numbers alone in the holdout
        lambda row: f"{row}",
    ],
)
def test_texts_that_are_trained_on_may_come_later_too(tmp_path: Path, cell: Callable[[int], str]) -> None:
    assert later(tmp_path, cell).profile.rows == 600


def test_one_group_is_refused(tmp_path: Path) -> None:
    rows = [f"p,{row},{'ab'[row % 2]}" for row in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["who,x,label", *rows]))

    with pytest.raises(
        UserError, match=r"\[dataset\] group leaves 0 rows for the .*: give more groups, or another"
    ):
        prepare(config(group="who"), tmp_path / "t.csv", Output())


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", 0)

    with pytest.raises(
        UserError, match=r'has no column "Who" \(\[dataset\] group in automl\.toml\); did you mean "who"'
    ):
        prepare(config(group="Who"), tmp_path / "t.csv", Output())


@pytest.mark.parametrize("gap", [{}, {"gap": "3 days"}])
def test_rows_of_one_time_may_be_a_group(gap: dict[str, str]) -> None:
    """The split is that by time, and intervals are of the times that are held out."""
    days = [f"{DAY + timedelta(days=day):%Y-%m-%d}" for day in range(40) for _ in range(5)]

    by_time = assign({"time": "day", **gap}, {"day": days})
    grouped = assign({"time": "day", "group": ["day"], **gap}, {"day": days})

    assert (grouped.sides == by_time.sides).all()
    assert grouped.times == by_time.times
    assert grouped.groups_of(TEST) == 8
    assert grouped.group_codes().tolist() == [day for day in range(8) for _ in range(5)]  # type: ignore[union-attr]
    assert DatasetSettings(target="label", time="day", group=["day"]).only_split == ["day"]


@pytest.mark.parametrize(
    ("dataset", "sentence"),
    [
        ({"group": "a", "split": "b"}, r"\[dataset\] has both split and group: split already says"),
        ({"time": "a", "split": "b"}, r"has both split and time"),
        ({"gap": "7 days"}, "has gap without time"),
        (
            {"time": "a", "gap": "7"},
            r'gap = "7" is no number and unit \(seconds, minutes, hours, days, weeks\)',
        ),
        ({"group": "label"}, 'splits by the target "label"'),
        ({"group": ["a", "b"], "time": "a"}, 'names "a" in both group and time'),
        ({"group": ["a", "a"]}, "names a column twice"),
        ({"group": []}, "is empty: name a column, or remove the key"),
        ({"group": 3}, "is neither a column's name nor a list of such"),
        ({"group": "a", "also_features": ["b"]}, 'also_features names "b", which is a feature anyway'),
    ],
)
def test_keys_that_do_not_go_together_are_refused(dataset: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        config(**dataset)


def test_a_slice_of_no_feature_is_refused() -> None:
    text = automl_toml(dataset={"group": "who"}, evaluation={"slices": ["who"]})

    with pytest.raises(UserError, match=r'\[evaluation\] slices names "who", which splits the rows'):
        Config.parse(text)


def test_without_a_rule_dataset_lock_is_what_it_was(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", 0)

    prepared = prepare(config(), tmp_path / "t.csv", Output())

    lock = prepared.lock(config(), synthetic=False)
    assert prepared.sha256 == BEFORE
    assert not {"split", "validation", "left_out", "validation_reference"} & {
        *json.dumps(lock.plain()).split('"')
    }
    assert "split" not in lock.text()


BEFORE = "0cada633e375ec9ad8c772501ce00beeb3e05f2828da97f4a46e587d0e2841a8"


def test_a_lock_of_another_rule_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", 0)
    lock = prepare(config(group="who"), tmp_path / "t.csv", Output()).lock(
        config(group="who"), synthetic=False
    )

    for dataset, other in (
        ({}, "no rule by which they are split"),
        ({"group": "where"}, r'group = \["where"\]'),
    ):
        with pytest.raises(
            UserError, match=rf'made for rows split group = \["who"\], but .* has {other}: run `automl data'
        ):
            consistency.require(config(**dataset), lock)
    assert consistency.findings(config(group="who"), lock) == []


def test_the_share_and_the_seed_say_nothing_where_a_column_decides(tmp_path: Path) -> None:
    write_table(tmp_path / "t.csv", 0)
    lock = prepare(config(split="part"), tmp_path / "t.csv", Output()).lock(
        config(split="part"), synthetic=False
    )

    assert (lock.holdout, lock.seed) == (None, None)
    assert consistency.findings(config(split="part", holdout=0.5, seed=1), lock) == []


def test_few_groups_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"p{row % 60},{row},{'ab'[row % 2]}" for row in range(600)]
    (tmp_path / "t.csv").write_text("\n".join(["who,x,label", *rows]))

    prepare(config(group="who"), tmp_path / "t.csv", Output())

    assert "groups for the holdout: intervals of so few are wide" in " ".join(capsys.readouterr().out.split())


def test_without_validation_rows_autopilot_draws_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{row},{'ab'[row % 2]},{'test' if row % 5 == 1 or row % 5 == 2 else 'train'}" for row in range(600)
    ]
    (tmp_path / "t.csv").write_text("\n".join(["x,label,part", *rows]))

    prepared = prepare(config(split="part"), tmp_path / "t.csv", Output())

    assert [name for name in written(prepared, tmp_path / "out") if name.endswith(".csv")] == [
        "train_validation.csv"
    ]
    assert 'no row of "part" is validation' in " ".join(capsys.readouterr().out.split())
