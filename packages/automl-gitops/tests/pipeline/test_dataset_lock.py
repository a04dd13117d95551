from __future__ import annotations

import re
from pathlib import Path

import pytest
from making import lock, lock_by_reference

from automl_gitops.data.lock import Column, DataFinding, DatasetLock, Rows
from automl_gitops.kernel.errors import UserError


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"classes": None},
        {"classes": {'say "no"': 1, "a.b": 2, "": 3, "1": 4, "#": 5, "ä\\": 6}},
        {"columns": [Column(name='odd "name", [x] = #', type="number")], "name": "ü"},
        {
            "findings": [
                DataFinding(
                    kind="date", columns=['say "x"', "b"], text="a\tb: 'c' # d", advice="Leave it out."
                ),
                DataFinding(kind="duplicate_rows", rows=3, text="3 are copies.", advice="Remove them."),
            ]
        },
        {"findings": []},
        {
            "columns": [
                Column(
                    name="a", type="integer", missing=0, distinct=2, values={"0": 9, "1": 5}, least=0, most=1
                ),
                Column(name="b", type="number", missing=3, least=-1e-300, most=1.5e308),
                Column(
                    name="c",
                    type="text",
                    values={'say "x"': 5, "a.b": 6, " ": 7, "😀": 8, "\\": 9, "\x07": 5},
                ),
                Column(name="d", type="text", missing=0, length=12, looks_like="date"),
            ]
        },
    ],
)
def test_text_reads_back(changes: dict) -> None:
    written = lock(**changes)

    assert DatasetLock.parse(written.text()) == written


@pytest.mark.parametrize("classes", [None, {"no": 3}])
def test_data_by_reference_reads_back(classes: dict[str, int] | None) -> None:
    written = lock_by_reference(holdout_classes=classes)

    assert DatasetLock.parse(written.text()) == written
    assert written.text().startswith("# Written by `automl data refer`")


def test_a_column_is_a_line() -> None:
    wider = lock(columns=[*lock().columns, Column(name="new", type="text")])

    new = set(wider.text().splitlines()) - set(lock().text().splitlines())

    assert new == {'    {name = "new", type = "text"},', f'checksum = "{wider.checksum}"'}


def test_findings_make_no_other_model() -> None:
    finding = DataFinding(kind="date", columns=["age"], text="It is a date.", advice="Leave it out.")

    assert lock(findings=[finding]).plain() == lock().plain()


def test_features_are_all_but_the_target() -> None:
    assert [column.name for column in lock().features] == ["age", "ward"]


def test_saving_tells_a_change(tmp_path: Path) -> None:
    path = tmp_path / "dataset.lock"

    assert [lock().save(path), lock().save(path), lock(seed=1).save(path)] == [True, False, True]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("sha256 = 3", "dataset.lock: name is missing; it is not to be edited by hand"),
        ("sha256 = ", "dataset.lock: not valid TOML"),
        ("columns = [\n", "take it from Git, or run `automl data push FILE`"),
        (lock().text().replace("abab", "abaX"), "dataset.lock: sha256 = "),
        (lock().text().replace("rows]", "row]"), "dataset.lock: rows"),
        (
            lock().text().replace("total = 1000", 'total = "1000"'),
            'dataset.lock: rows.total = "1000" is not a whole number: write 1000, without quotes; it is not to be',
        ),
        (
            lock().text().replace("total = 1000\n", ""),
            "dataset.lock: lacks the split or a number of rows; it is",
        ),
        (
            lock().text().replace("seed = 42\n", ""),
            "dataset.lock: lacks the split or a number of rows; it is",
        ),
        (
            lock_by_reference().text().replace("bytes =", "byte ="),
            "dataset.lock: reference.bytes is missing",
        ),
    ],
)
def test_a_damaged_lock_says_how_to_make_it(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        DatasetLock.parse(text)

    assert sentence in str(caught.value)


def _by_hand(written: DatasetLock, old: str, new: str, *, checked: bool) -> str:
    """The file after somebody's edit; one without a checksum, as older versions wrote it, unless ``checked``."""
    text = written.text()
    assert text.count(old) == 1
    text = text.replace(old, new)
    return text if checked else re.sub(r"^checksum = .*\n", "", text, flags=re.MULTILINE)


BY_RULE = lock(rows=Rows(total=1000, train_validation=600, validation=100, test=200, left_out=100))


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize(
    ("written", "old", "new", "sentence"),
    [
        (lock(), "total = 1000", "total = 1600", "rows.total: is 1600, but the parts have 1000 rows"),
        (BY_RULE, "left_out = 100", "left_out = 90", "rows.total: is 1000, but the parts have 990 rows"),
        (lock(), "no = 500", "no = 400", "classes: have 900 rows, but there are 1000"),
        (lock_by_reference(), "no = 500", "no = 400", "holdout_classes: have 900 rows, but there are 1000"),
        (lock(), 'sha256 = "ab', 'sha256 = "cd', f'sha256: is "cd{"ab" * 31}", but uris has s3://'),
    ],
)
def test_numbers_that_contradict_each_other_are_named(
    written: DatasetLock, old: str, new: str, sentence: str, *, checked: bool
) -> None:
    with pytest.raises(UserError) as caught:
        DatasetLock.parse(_by_hand(written, old, new, checked=checked))

    way = "refer`" if written.reference else "push FILE`"
    assert str(caught.value).startswith(f"dataset.lock: {sentence}")
    assert str(caught.value).endswith(
        f"it is not to be edited by hand: take it from Git, or run `automl data {way}"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [('"age"', '"ag"'), ('type = "integer"', 'type = "number"'), ("seed = 42", "seed = 43")],
)
def test_what_contradicts_nothing_does_not_fit_the_checksum(old: str, new: str) -> None:
    with pytest.raises(UserError, match=r"dataset.lock: checksum: is not that of the other lines.*from Git"):
        DatasetLock.parse(_by_hand(lock(), old, new, checked=True))


@pytest.mark.parametrize(
    "written", [lock(), BY_RULE, lock_by_reference(), lock(classes=None), lock(weight="w", exclude=["x"])]
)
def test_an_older_lock_without_a_checksum_holds(written: DatasetLock) -> None:
    assert DatasetLock.parse(_by_hand(written, "target =", "target =", checked=False)) == written


def test_the_layout_is_not_in_the_checksum() -> None:
    text = "# Ours\n" + lock().text().replace("\n", "\r\n").replace(" = ", "  =  ")

    assert DatasetLock.parse(text) == lock()


def test_a_missing_lock_says_how_to_make_it(folder: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.lock: not found: run `automl data push FILE`"):
        DatasetLock.load()
