from __future__ import annotations

from pathlib import Path

import pytest
from making import lock, lock_by_reference

from automl_gitops.data.lock import Column, DataFinding, DatasetLock
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
    before, after = lock().text(), lock(columns=[*lock().columns, Column(name="new", type="text")]).text()

    assert set(after.splitlines()) - set(before.splitlines()) == {'    {name = "new", type = "text"},'}


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
        ("sha256 = 3", "dataset.lock: name: field required; it is not to be edited by hand"),
        ("sha256 = ", "dataset.lock: not valid TOML"),
        ("columns = [\n", "take it from Git, or run `automl data push FILE`"),
        (lock().text().replace("abab", "abaX"), "dataset.lock: sha256: "),
        (lock().text().replace("rows]", "row]"), "dataset.lock: rows"),
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
            "dataset.lock: reference.bytes: field required",
        ),
    ],
)
def test_a_damaged_lock_says_how_to_make_it(text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        DatasetLock.parse(text)

    assert sentence in str(caught.value)


def test_a_missing_lock_says_how_to_make_it(folder: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.lock: not found: run `automl data push FILE`"):
        DatasetLock.load()
