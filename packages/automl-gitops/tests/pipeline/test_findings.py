"""What there is to tell of a table: each finding on a table that has it, and on one that nearly has it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from automl_gitops.data.contract import show_findings
from automl_gitops.data.findings import KINDS
from automl_gitops.data.findings import finder as finder_module
from automl_gitops.data.findings.equal_rows import equal_rows
from automl_gitops.data.findings.finder import Finder, Sample
from automl_gitops.data.hashes import row_hashes, text_hashes
from automl_gitops.data.lock import DataFinding
from automl_gitops.data.profile import profile
from automl_gitops.data.table import Table
from automl_gitops.kernel.console import Output

ROWS = 2_000


def base(rows: int = ROWS) -> pd.DataFrame:
    """A table of which there is nothing to tell."""
    random = np.random.RandomState(3)
    x = random.normal(size=rows).round(6)
    noise = random.normal(size=rows)
    return pd.DataFrame(
        {
            "x": x,
            "ward": random.choice(["north", "south", "west"], rows),
            "beds": random.randint(0, 40, rows),
            "label": np.where(x + noise > 0, "yes", "no"),
        }
    )


def told(
    frame: pd.DataFrame,
    folder: Path,
    target: str = "label",
    held_out: np.ndarray | None = None,
    metric: str | None = None,
    rule: tuple[str, ...] = (),
) -> dict[str, list[DataFinding]]:
    """The findings of a table by kind."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False)
    table = Table.open(path)
    finder = Finder([name for name in table.columns if name != target], target, rule=rule)
    seen = profile(table, target, finder.see)
    classes = None if seen.target.problem_type == "Regression" else seen.target.classes
    listed = finder.findings(seen.statistics, classes, held_out=held_out, metric=metric)
    assert [one.kind for one in listed] == sorted((one.kind for one in listed), key=list(KINDS).index)
    return {kind: list(group) for kind, group in itertools.groupby(listed, key=lambda one: one.kind)}


def test_of_a_plain_table_there_is_nothing_to_tell(tmp_path: Path) -> None:
    held_out = np.arange(ROWS) % 5 == 0

    assert told(base(), tmp_path, held_out=held_out) == {}


def test_copies_are_counted_with_an_example(tmp_path: Path) -> None:
    frame = base()
    copied = pd.concat([frame, frame.iloc[[7, 7, 30]]])

    (finding,) = told(copied, tmp_path)["duplicate_rows"]

    assert finding.rows == 3
    assert "3 of 2,003 rows are copies of an earlier one, such as rows 8 and 2,001" in finding.text


def test_copies_with_another_input_are_none(tmp_path: Path) -> None:
    frame = base()
    nearly = frame.iloc[[7, 30]].assign(x=lambda rows: rows["x"] + 1e-6)

    assert "duplicate_rows" not in told(pd.concat([frame, nearly]), tmp_path)


def test_rows_of_the_holdout_that_are_trained_on_are_counted(tmp_path: Path) -> None:
    frame = base()
    copied = pd.concat([frame, frame.iloc[[0, 1, 2]]])
    # Row 1 (from 0) and its copy are both held out, of row 2 and its copy neither is.
    held_out = np.zeros(len(copied), bool)
    held_out[[1, ROWS, ROWS + 1, *range(100, 497)]] = True

    findings = told(copied, tmp_path, held_out=held_out)

    (finding,) = findings["rows_on_both_sides"]
    assert finding.rows == 1
    assert "1 of the 400 rows held out equals a row to train on (0.2%)" in finding.text
    assert findings["duplicate_rows"][0].rows == 3


def test_copies_on_one_side_are_not_on_both(tmp_path: Path) -> None:
    frame = base()
    copied = pd.concat([frame, frame.iloc[[0, 1]]])
    held_out = np.zeros(len(copied), bool)
    held_out[[0, ROWS]] = True

    assert "rows_on_both_sides" not in told(copied, tmp_path, held_out=held_out)


def test_a_row_that_is_left_out_is_not_trained_on() -> None:
    inputs, labels = np.array([7, 7, 8, 8, 8], np.uint64), np.zeros(5, np.uint32)
    held_out = np.array([True, False, True, False, False])
    left_out = np.array([False, True, False, True, False])

    assert equal_rows(inputs, labels, held_out).held_out_copies == 2
    assert equal_rows(inputs, labels, held_out, left_out).held_out_copies == 1


def test_equal_inputs_of_different_labels_bound_the_accuracy(tmp_path: Path) -> None:
    frame = base()
    first = frame.iloc[:100]
    other = first.assign(label=np.where(first["label"] == "yes", "no", "yes"))

    (finding,) = told(pd.concat([frame, other]), tmp_path)["conflicting_labels"]

    # Of each pair one is right at most.
    assert finding.rows == 200
    assert f"an accuracy above {2_000 / 2_100:.3f}" in finding.text
    assert "such as rows 1 and 2,001" in finding.text


def test_one_conflict_among_many_rows_is_not_worth_telling(tmp_path: Path) -> None:
    frame = base()
    other = frame.iloc[:1].assign(label="no" if frame["label"][0] == "yes" else "yes")

    assert "conflicting_labels" not in told(pd.concat([frame, other]), tmp_path)


@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "r2"])
def test_equal_inputs_of_different_quantities_bound_the_objective(tmp_path: Path, metric: str) -> None:
    random = np.random.RandomState(1)
    frame = pd.DataFrame({"x": np.repeat(np.arange(200), 4), "label": random.normal(size=800).round(5)})

    (finding,) = told(frame, tmp_path, metric=metric)["conflicting_labels"]

    means, medians = (frame.groupby("x")["label"].transform(how) for how in ("mean", "median"))
    mse = float(((frame["label"] - means) ** 2).mean())
    best = {"mse": mse, "rmse": mse**0.5, "mae": float((frame["label"] - medians).abs().mean())}
    assert f"R2 above {1 - mse / frame['label'].var(ddof=0):.3f}" in finding.text
    assert metric == "r2" or f"or {metric.upper()} below {best[metric]:.4g}" in finding.text


def test_equal_inputs_of_equal_quantities_bound_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.repeat(np.arange(400), 2), "label": np.repeat(np.arange(400) * 1.5, 2)})

    assert "conflicting_labels" not in told(frame, tmp_path)


def test_equal_rows_agree_with_pandas() -> None:
    random = np.random.RandomState(5)
    inputs = random.randint(0, 300, 1_000).astype(np.uint64)
    labels = random.randint(0, 3, 1_000).astype(np.uint32)
    held_out = random.rand(1_000) < 0.3
    frame = pd.DataFrame({"x": inputs, "y": labels, "out": held_out})

    equal = equal_rows(inputs, labels, held_out)

    assert equal.copies == frame.duplicated(["x", "y"]).sum()
    trained = set(map(tuple, frame[~held_out][["x", "y"]].to_numpy()))
    assert equal.held_out_copies == sum(
        tuple(row) in trained for row in frame[held_out][["x", "y"]].to_numpy()
    )
    assert equal.conflicting == (frame.groupby("x")["y"].transform("nunique") > 1).sum()
    assert equal.best["accuracy"] == frame.groupby(["x", "y"]).size().groupby("x").max().sum() / 1_000


def flipped(labels: pd.Series, share: float) -> pd.Series:
    random = np.random.RandomState(2)
    return labels.where(random.rand(len(labels)) >= share, labels.map({"yes": "no", "no": "yes"}))


LEAKS = {
    "copy": lambda frame: frame["label"],
    "code": lambda frame: frame["label"].map({"yes": 17, "no": 4}),
    "known afterwards": lambda frame: frame["x"].where(frame["label"] == "yes"),
    "threshold": lambda frame: np.where(frame["label"] == "yes", 5, -5) + frame["x"],
    "a few wrong": lambda frame: flipped(frame["label"], 0.01),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_alone_predicts_the_target_is_told(tmp_path: Path, name: str) -> None:
    frame = base()
    frame.insert(1, "late", LEAKS[name](frame))

    (finding,) = told(frame, tmp_path)["target_leak"]

    assert finding.columns == ["late"]
    assert '"late" alone predicts the target "label" with accuracy ' in finding.text


HONEST = {
    "a good feature": lambda frame: flipped(frame["label"], 0.1),
    "an identifier": lambda frame: [f"case-{number:06}" for number in range(len(frame))],
    "a number of each row": lambda frame: np.random.RandomState(4).permutation(len(frame)),
    "noise": lambda frame: np.random.RandomState(4).normal(size=len(frame)),
}


@pytest.mark.parametrize("name", HONEST)
def test_a_column_that_predicts_less_is_none(tmp_path: Path, name: str) -> None:
    frame = base()
    frame["other"] = HONEST[name](frame)

    assert "target_leak" not in told(frame, tmp_path)


def test_a_persons_number_is_no_leak_though_all_their_rows_have_one_label(tmp_path: Path) -> None:
    random = np.random.RandomState(6)
    people = pd.DataFrame(
        {"patient": random.permutation(500) + 10_000, "label": random.choice(["a", "b"], 500)}
    )
    frame = people.loc[people.index.repeat(4)].assign(x=lambda rows: random.normal(size=len(rows)))

    assert "target_leak" not in told(frame, tmp_path)


def test_copies_of_rows_make_no_leak(tmp_path: Path) -> None:
    frame = base(400)

    assert "target_leak" not in told(pd.concat([frame] * 5), tmp_path)


def test_a_rare_class_is_not_predicted_by_always_naming_the_other(tmp_path: Path) -> None:
    frame = base()
    frame["label"] = np.where(np.arange(ROWS) % 50 == 0, "yes", "no")
    frame["rarely"] = np.where(np.arange(ROWS) % 50 == 1, 1, 0)

    assert "target_leak" not in told(frame, tmp_path)


@pytest.mark.parametrize(
    ("noise", "leaks"), [(0.0, True), (0.05, True), (0.3, False)], ids=["copy", "nearly a copy", "correlated"]
)
def test_a_column_that_has_the_quantity_is_told(tmp_path: Path, noise: float, leaks: bool) -> None:
    random = np.random.RandomState(8)
    frame = pd.DataFrame({"x": random.normal(size=ROWS), "label": random.normal(size=ROWS).round(4)})
    frame["late"] = 100 - 3 * (frame["label"] + noise * random.normal(size=ROWS))

    findings = told(frame, tmp_path)

    assert ("target_leak" in findings) == leaks
    if leaks:
        assert findings["target_leak"][0].columns == ["late"]
        assert "R2 0.99" in findings["target_leak"][0].text or "R2 1.000" in findings["target_leak"][0].text


@pytest.mark.parametrize(
    ("labels", "like"),
    [
        (("yes", "Yes", "no"), 2),
        (("yes", "yes ", "no", " NO"), 4),
        (("not yet", "not  yet", "done"), 2),
        (("yes", "yes!", "no"), 0),
    ],
)
def test_classes_that_differ_only_in_case_or_blanks(
    tmp_path: Path, labels: tuple[str, ...], like: int
) -> None:
    frame = base()
    frame["label"] = np.random.RandomState(9).choice(labels, ROWS)

    findings = told(frame, tmp_path)

    assert ("similar_classes" in findings) == bool(like)
    if like:
        (finding,) = findings["similar_classes"]
        assert sum(f'"{label}"' in finding.text for label in labels) == like


def test_leading_zeros_of_what_reads_as_numbers(tmp_path: Path) -> None:
    frame = base()
    frame["zip"] = [f"{row * 7 % 20_000:05}" for row in range(ROWS)]
    frame["ratio"] = [f"0.{row % 7}" for row in range(ROWS)]
    frame["zero"] = [row % 3 for row in range(ROWS)]
    frame["code"] = [f"0{row % 90}x" for row in range(ROWS)]

    (finding,) = told(frame, tmp_path)["leading_zeros"]

    assert finding.columns == ["zip"]
    assert f"({int(frame['zip'].str.startswith('0').sum()):,} of 2,000 rows)" in finding.text


@pytest.mark.parametrize(
    ("form", "signs", "shape", "plain"),
    [
        ("{},{:02}", "a decimal comma", "99,99", "99.99"),
        ("{}.{:02} €", "a currency sign", "99.99 €", "99.99"),
        ("{}.{:02}%", "a percent sign", "99.99%", "99.99"),
        ("{}.{:02} kg", "a unit", "99.99 kg", "99.99"),
        ("({}.{:02})", "parentheses", "(99.99)", "-99.99"),
        ("\u2212{}.{:02}", "a typographic minus", "\u221299.99", "-99.99"),
        ("1.2{},{:02}", "points between thousands and a decimal comma", "9.999,99", "9999.99"),
    ],
)
def test_numbers_with_signs_are_told_by_their_shape(
    tmp_path: Path, form: str, signs: str, shape: str, plain: str
) -> None:
    frame = base()
    frame["price"] = [form.format(10 + row % 61, row % 100) if row % 50 else "" for row in range(ROWS)]
    frame["icd"] = [f"250.{row % 90}x" for row in range(ROWS)]

    (finding,) = told(frame, tmp_path)["written_numbers"]

    assert finding.columns == ["price"]
    assert finding.rows == 1_960
    assert f"numbers with {signs}, of the shape {shape} (1,960 of 2,000 rows)" in finding.text
    assert f"such as {plain}, unless" in finding.advice


def test_points_between_thousands_are_told_of_a_feature(tmp_path: Path) -> None:
    frame = base()
    frame["price"] = [
        f"{row * 37 % 4001 + 20:,}".replace(",", ".") if row % 50 else "" for row in range(ROWS)
    ]
    frame["weight"] = [f"{row * 37 % 4001 / 1000 + 20:g}" for row in range(ROWS)]
    count = int(frame["price"].str.contains(".", regex=False).sum())

    (finding,) = told(frame, tmp_path)["written_numbers"]

    assert finding.columns == ["price"]
    assert finding.rows == count
    assert (
        f"points between thousands, it seems, of the shape 9.999 beside 99 ({count:,} rows)" in finding.text
    )
    assert "such as 9999, or decimals with all digits, such as 99.000" in finding.advice


def test_numbers_with_signs_that_all_differ_are_no_identifier(tmp_path: Path) -> None:
    frame = base()
    frame["price"] = [f"{row * 37 % 9973},{row % 10}" for row in range(ROWS)]

    findings = told(frame, tmp_path)

    assert "written_numbers" in findings
    assert "identifier" not in findings


@pytest.mark.parametrize(
    ("name", "form", "told_of"),
    [
        ("customer", "K{}", True),
        ("customer_id", "{}", True),
        ("customer_no", "{}", True),
        ("kunden_nr", "{}", True),
        ("Kundennummer", "{}", True),
        ("serial_number", "{}", True),
        ("number_of_customers", "{}", False),
        ("rooms_number", "{}", False),
        ("wave_number", "{}.5", False),
        ("customer", "{}", False),
        ("street", "Road {}", False),
    ],
)
def test_recurring_identifiers_are_told_by_name_or_form(
    tmp_path: Path, name: str, form: str, told_of: bool
) -> None:
    frame = base()
    frame[name] = [form.format(1000 + row * 37 % 690) for row in range(ROWS)]

    assert ("recurring_identifier" in told(frame, tmp_path)) == told_of
    assert "recurring_identifier" not in told(frame, tmp_path, rule=("group",))


@pytest.mark.parametrize("first", [0, 1])
def test_an_index_is_told_once(tmp_path: Path, first: int) -> None:
    frame = base()
    frame.insert(0, "number", np.arange(ROWS) + first)

    findings = told(frame, tmp_path)

    assert findings["index"][0].columns == ["number"]
    assert "identifier" not in findings


def test_pandas_name_of_an_index_is_enough(tmp_path: Path) -> None:
    frame = base()
    frame.insert(0, "Unnamed: 0", np.random.RandomState(1).randint(0, 100, ROWS))

    assert told(frame, tmp_path)["index"][0].columns == ["Unnamed: 0"]


def test_numbers_in_another_order_are_no_index(tmp_path: Path) -> None:
    frame = base()
    numbers = np.arange(ROWS)
    numbers[[-2, -1]] = numbers[[-1, -2]]
    frame.insert(0, "number", numbers)

    findings = told(frame, tmp_path)

    assert "index" not in findings
    assert findings["identifier"][0].columns == ["number"]


def test_constant_and_nearly_constant_columns(tmp_path: Path) -> None:
    frame = base()
    frame["constant"] = "k"
    frame["nearly"] = np.where(np.arange(ROWS) < 10, "rare", "usual")
    frame["empty but for some"] = np.where(np.arange(ROWS) < 10, np.arange(ROWS) * 1.5, np.nan)
    frame["unusual"] = np.where(np.arange(ROWS) < 11, "rare", "usual")
    frame["half"] = np.where(np.arange(ROWS) % 2, "k", None)

    findings = told(frame, tmp_path)

    assert findings["constant"][0].columns == ["constant"]
    assert [(one.columns, one.rows) for one in findings["nearly_constant"]] == [
        (["nearly"], 10),
        (["empty but for some"], 10),
    ]
    # A value of few rows might point at a person.
    assert "rare" not in "".join(one.text for one in findings["nearly_constant"])


def test_equal_columns_are_told_once_a_group(tmp_path: Path) -> None:
    frame = base()
    frame["again"] = frame["x"]
    frame["once more"] = frame["x"]
    frame["nearly"] = frame["x"].where(np.arange(ROWS) < ROWS - 1, 7)

    findings = told(frame, tmp_path)["equal_columns"]

    assert [one.columns for one in findings] == [["x", "again", "once more"]]
    assert '"x", "again" and "once more" are equal in every row' in findings[0].text


def test_names_that_differ_only_in_case(tmp_path: Path) -> None:
    frame = base()
    frame["Ward"] = frame["ward"].sample(frac=1, random_state=1).to_numpy()
    frame["wards"] = frame["ward"].sample(frac=1, random_state=2).to_numpy()

    assert [one.columns for one in told(frame, tmp_path)["similar_names"]] == [["Ward", "ward"]]


def test_values_that_differ_only_in_case_are_not_shown(tmp_path: Path) -> None:
    frame = base()
    frame.loc[5, "ward"] = "North "

    (finding,) = told(frame, tmp_path)["similar_values"]

    assert finding.columns == ["ward"]
    assert "2 of the 4 different values" in finding.text
    assert "North" not in str(finding)


def test_nobody_is_advised_what_automl_toml_has(tmp_path: Path) -> None:
    frame = base().assign(day=[f"2024-01-{row % 28 + 1:02}" for row in range(ROWS)])
    copied = pd.concat([frame, frame.iloc[[0]]])
    held_out = np.arange(ROWS + 1) == ROWS

    plain = told(copied, tmp_path, held_out=held_out)
    ruled = told(copied, tmp_path, held_out=held_out, rule=("group", "time"))

    assert "`[dataset] time`" in plain["date"][0].advice
    assert "a random holdout" in plain["date"][0].text
    assert ruled["date"][0].advice == (
        "Give what recurs in their place (month, weekday, days since an event)."
    )
    assert "holdout" not in ruled["date"][0].text
    assert "`[dataset] group`" in plain["rows_on_both_sides"][0].advice
    assert ruled["rows_on_both_sides"][0].advice == "Remove the copies."


def test_dates_are_told(tmp_path: Path) -> None:
    frame = base()
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) % 365, unit="D")
    frame["admitted"] = days.strftime("%Y-%m-%d")
    frame["nearly"] = ["unknown", *frame["admitted"][1:]]

    assert told(frame, tmp_path)["date"][0].columns == ["admitted"]


def test_texts_of_any_length_have_hashes_of_their_own() -> None:
    texts = [
        "",
        "a",
        "a\0",
        "\0",
        *("x" * length for length in range(2, 600)),
        "x" * 255 + "y",
        "x" * 256 + "y",
    ]
    texts += [str(number) for number in range(50_000)] + ["é", "e\u0301", "日本"]

    hashes = text_hashes(pa.array(texts))

    assert len(set(hashes.tolist())) == len(texts)
    shifted = pa.array(["before", *texts, "after"]).slice(1, len(texts))
    assert (text_hashes(shifted) == hashes).all()
    assert (text_hashes(pa.array(texts, pa.large_string())) == hashes).all()


def test_rows_differ_where_values_are_exchanged_or_cut_elsewhere() -> None:
    one, other = (
        row_hashes([text_hashes(pa.array(values)) for values in columns])
        for columns in ([["a", "ab", "a"], ["b", "c", "a"]], [["b", "a", "a"], ["a", "bc", "a"]])
    )

    assert (one == other).tolist() == [False, False, True]


def test_a_sample_is_the_same_however_the_batches_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "_MOST_ROWS", 500)
    monkeypatch.setattr(finder_module, "_LEAST_ROWS", 100)
    rows = pa.RecordBatch.from_pydict({"row": [str(number) for number in range(20_000)]})

    samples = []
    for size in (20_000, 777, 64):
        sample = Sample(1)
        for start in range(0, rows.num_rows, size):
            sample.see(rows.slice(start, size))
        samples.append(sample.table().column("row").to_pylist())

    assert samples[0] == samples[1] == samples[2]
    assert 200 < len(samples[0]) <= 500
    # From everywhere in the file.
    assert 8_000 < np.mean([int(row) for row in samples[0]]) < 12_000


def test_long_texts_fill_no_memory(tmp_path: Path) -> None:
    frame = base(300)
    frame["note"] = [f"{row} " + "long " * 2_000 for row in range(300)]

    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    sample = Sample(5)
    for batch in Table.open(path).batches():
        sample.see(batch)

    assert sample.table().nbytes < 100_000


def test_what_a_contract_blocks_is_told_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = [
        DataFinding(kind="date", text=f"{number} is a date.", advice="Leave it out.") for number in range(12)
    ]

    show_findings(Output(), found)
    without = capsys.readouterr().out.splitlines()
    (tmp_path / "contract.toml").write_text("")
    show_findings(Output(), found)
    with_one = capsys.readouterr().out.splitlines()

    assert without[:-1] == with_one[:-1] == [f"notice: {number} is a date." for number in range(10)]
    way = "after a push `automl data show` says what to do"
    assert without[-1] == f"2 more findings; {way}"
    assert with_one[-1] == f"2 more findings; what contract.toml has in `block` stops a push; {way}"
